//! Targets that trust keys, and the statuses of their answers.

use std::panic::Location;

use axum::{
    body::Body,
    http::{HeaderValue, Request, StatusCode},
};
use modeler_auth::{Issuer, TokenValidator, keys::StaticKeys};
use modeler_auth_testkit::signer::{ISSUER, Key, jwks};

use super::Target;

impl Target {
    pub fn new(keys: &[&Key]) -> Self {
        let keys: Vec<_> = keys.iter().map(|key| &key.jwk).collect();
        Self::trusting(Issuer::oidc(ISSUER).keys(StaticKeys::from_jwks(jwks(&keys))))
    }

    pub fn trusting(issuer: Issuer) -> Self {
        let builder = TokenValidator::builder().issuer(issuer.audience("api"));
        Self::of(builder.build().unwrap())
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
        let caller = Location::caller();
        async move {
            let status = self.status(token).await;
            let excerpt: String = token.chars().take(200).collect();
            assert_eq!(status, expected, "{caller}: {excerpt}");
        }
    }
}
