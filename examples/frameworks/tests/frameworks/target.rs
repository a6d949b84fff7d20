//! One service with the layer and one with actix-web. Both trust the keys of a test.

use std::{panic::Location, sync::Arc};

use actix_web::{
    App,
    http::header::{HeaderName, HeaderValue},
    test::{TestRequest, call_service, init_service, read_body},
    web,
};
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    http::{self, Method, Request, Response, StatusCode, request::Parts},
    routing::any,
};
use modeler_auth::{
    Access, AuthErrorKind, AuthLayer, Issuer, RequirePermissionLayer, TokenValidator,
    keys::StaticKeys, require::PermissionRule,
};
use modeler_auth_frameworks::actix::{Authenticated, Rejected};
use modeler_auth_testkit::signer::{ISSUER, Key, jwks};
use tower::ServiceExt as _;

use crate::requests::Answer;

/// A service that exists twice. Each answer of actix-web must be that of the layer.
pub struct Target {
    pub validator: TokenValidator,
    layered: Router,
    actix: Actix,
}

/// What the handler of actix-web does besides authentication.
#[derive(Clone)]
enum Actix {
    Optional,
    Required,
    Rule(Arc<dyn PermissionRule + Send + Sync>),
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
        let layered = Router::new()
            .route("/", any(|_: Access| async { "in" }))
            .layer(AuthLayer::new(validator.clone()));
        Self {
            validator,
            layered,
            actix: Actix::Required,
        }
    }

    pub fn optional(keys: &[&Key]) -> Self {
        let validator = Self::new(keys).validator;
        let layered = Router::new()
            .route("/", any(|_: Option<Access>| async { "in" }))
            .layer(AuthLayer::new(validator.clone()).optional());
        Self {
            validator,
            layered,
            actix: Actix::Optional,
        }
    }

    pub fn requiring<P>(keys: &[&Key], rule: P) -> Self
    where
        P: PermissionRule + Clone + Send + Sync + 'static,
    {
        let validator = Self::new(keys).validator;
        let layered = Router::new()
            .route("/", any(|| async { "in" }))
            .route_layer(RequirePermissionLayer::new(rule.clone()))
            .layer(AuthLayer::new(validator.clone()));
        Self {
            validator,
            layered,
            actix: Actix::Rule(Arc::new(rule)),
        }
    }

    /// Sends `request` to both services, and returns the answer of actix-web.
    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, 4096).await.unwrap();
        let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
        let expected = self.layered.clone().oneshot(request).await.unwrap();
        let found = self.send_to_actix(&parts, body).await;
        let (found, expected) = (buffered(found).await, buffered(expected).await);
        let compared = |response| answer(response, &parts.method);
        assert_eq!(
            compared(&found),
            compared(&expected),
            "{} {}",
            parts.method,
            parts.uri
        );
        found.map(Body::from)
    }

    async fn send_to_actix(&self, parts: &Parts, body: Bytes) -> Response<Body> {
        let actix = self.actix.clone();
        let handler = move |caller: Result<Authenticated, actix_web::Error>| {
            let actix = actix.clone();
            async move {
                let caller = match (caller, &actix) {
                    (Err(error), Actix::Optional) if is_anonymous(&error) => return Ok("in"),
                    (caller, _) => caller?,
                };
                if let Actix::Rule(rule) = actix {
                    caller.authorize(&*rule)?;
                }
                Ok::<_, actix_web::Error>("in")
            }
        };
        let app = App::new().app_data(self.validator.clone());
        let app = init_service(app.default_service(web::to(handler))).await;
        let method = actix_web::http::Method::from_bytes(parts.method.as_str().as_bytes());
        let mut request = TestRequest::with_uri(&parts.uri.to_string()).method(method.unwrap());
        for (name, value) in &parts.headers {
            let name = HeaderName::from_bytes(name.as_str().as_bytes()).unwrap();
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            request = request.append_header((name, value));
        }
        let response = call_service(&app, request.set_payload(body).to_request()).await;
        let mut converted = Response::builder().status(response.status().as_u16());
        for (name, value) in response.headers() {
            converted = converted.header(name.as_str(), value.as_bytes());
        }
        let body = read_body(response).await;
        converted.body(Body::from(body)).unwrap()
    }

    /// The status of a request with these `Authorization` headers.
    pub async fn status_of(&self, authorization: &[&[u8]]) -> StatusCode {
        let mut request = Request::new(Body::empty());
        for value in authorization {
            let value = http::HeaderValue::from_bytes(value).unwrap();
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
        let caller = Location::caller();
        async move {
            let status = self.status(token).await;
            let excerpt: String = token.chars().take(200).collect();
            assert_eq!(status, expected, "{caller}: {excerpt}");
        }
    }
}

fn is_anonymous(error: &actix_web::Error) -> bool {
    let rejected = error.as_error::<Rejected>();
    rejected.is_some_and(|rejected| rejected.0.kind() == AuthErrorKind::MissingToken)
}

async fn buffered(response: Response<Body>) -> Response<Bytes> {
    let (parts, body) = response.into_parts();
    Response::from_parts(parts, to_bytes(body, 4096).await.unwrap())
}

fn answer(response: &Response<Bytes>, method: &Method) -> Answer {
    // A server omits the body for `HEAD`, whatever its service returns.
    let body = match *method {
        Method::HEAD => Bytes::new(),
        _ => response.body().clone(),
    };
    Answer::new(response.status().as_u16(), response.headers(), body)
}
