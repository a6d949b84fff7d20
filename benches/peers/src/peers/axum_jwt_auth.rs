//! `axum-jwt-auth`: jsonwebtoken 10 with `rust_crypto`, which it demands; an application can still
//! switch `aws_lc_rs` on and install that. It is an extractor, so the handler asks for the claims.

use std::sync::Arc;

use axum::{Router, routing::get};
use axum_jwt_auth::{Claims, Decoder, RemoteJwksDecoder};
use jsonwebtoken_10::{Algorithm, Validation};
use serde::Deserialize;

use crate::issuer::{Setup, SetupKind};

/// As in its quick start.
#[derive(Deserialize)]
#[expect(dead_code, reason = "the handler does nothing with them")]
struct MyClaims {
    sub: String,
    exp: usize,
}

pub async fn router(setup: &Setup) -> Router {
    let (SetupKind::Auth0(algorithm) | SetupKind::Keycloak(algorithm)) = setup.kind;
    let algorithm: Algorithm = algorithm.parse().expect("one it knows");
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[setup.audience]);
    validation.set_issuer(&[setup.issuer]);
    let decoder = RemoteJwksDecoder::builder()
        .jwks_url(setup.keys())
        .validation(validation)
        .build()
        .expect("a good configuration");
    decoder.initialize().await.expect("the keys are there");
    let decoder: Decoder<MyClaims> = Arc::new(decoder);
    Router::new()
        .route("/", get(async |_: Claims<MyClaims>| ()))
        .with_state(decoder)
}
