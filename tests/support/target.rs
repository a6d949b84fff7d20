//! Service with a route behind the layer. It trusts the keys of a test.
#![allow(dead_code, reason = "each test uses some of it")]

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, Response, StatusCode},
    routing::any,
};
use modeler_auth::{
    Access, AuthLayer, Issuer, RequirePermissionLayer, TokenValidator, keys::StaticKeys,
    require::PermissionRule,
};
use modeler_auth_testkit::signer::{ISSUER, Key, jwks};
use tower::ServiceExt as _;

/// A service that trusts keys and has a route behind the layer.
pub struct Target {
    pub validator: TokenValidator,
    pub app: Router,
}

impl Target {
    pub fn new(keys: &[&Key]) -> Self {
        let keys: Vec<_> = keys.iter().map(|key| &key.jwk).collect();
        Self::trusting(Issuer::oidc(ISSUER).keys(StaticKeys::from_jwks(jwks(&keys))))
    }

    pub fn trusting(issuer: Issuer) -> Self {
        let builder = TokenValidator::builder().issuer(issuer.audience("api"));
        Self::of(builder.build().unwrap())
    }

    pub fn of(validator: TokenValidator) -> Self {
        let app = Router::new()
            .route("/", any(|_: Access| async { "in" }))
            .layer(AuthLayer::new(validator.clone()));
        Self { validator, app }
    }

    /// A service that a request without credentials also reaches.
    pub fn optional(keys: &[&Key]) -> Self {
        let validator = Self::new(keys).validator;
        let app = Router::new()
            .route("/", any(|_: Option<Access>| async { "in" }))
            .layer(AuthLayer::new(validator.clone()).optional());
        Self { validator, app }
    }

    /// A service that a request reaches only if `rule` permits it.
    pub fn requiring<P>(keys: &[&Key], rule: P) -> Self
    where
        P: PermissionRule + Clone + Send + Sync + 'static,
    {
        let validator = Self::new(keys).validator;
        let app = Router::new()
            .route("/", any(|| async { "in" }))
            .route_layer(RequirePermissionLayer::new(rule))
            .layer(AuthLayer::new(validator.clone()));
        Self { validator, app }
    }

    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.app.clone().oneshot(request).await.unwrap()
    }

    /// The status of a request with these `Authorization` headers, through the layer.
    pub async fn status_of(&self, authorization: &[&[u8]]) -> StatusCode {
        let mut request = Request::new(Body::empty());
        for value in authorization {
            let value = HeaderValue::from_bytes(value).unwrap();
            request.headers_mut().append("authorization", value);
        }
        self.send(request).await.status()
    }

    pub async fn status(&self, token: &str) -> u16 {
        let value = format!("Bearer {token}");
        self.status_of(&[value.as_bytes()]).await.as_u16()
    }

    #[track_caller]
    pub fn refuses(&self, token: &str) -> impl Future<Output = ()> {
        self.answers(401, token)
    }

    #[track_caller]
    pub fn accepts(&self, token: &str) -> impl Future<Output = ()> {
        self.answers(200, token)
    }

    #[track_caller]
    fn answers(&self, expected: u16, token: &str) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let status = self.status(token).await;
            let excerpt: String = token.chars().take(200).collect();
            assert_eq!(status, expected, "{caller}: {excerpt}");
        }
    }
}
