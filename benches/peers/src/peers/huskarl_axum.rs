//! `huskarl-axum` with `huskarl-resource-server`: its own cryptography backend, which is the default.
//! The validator for RFC 9068 needs tokens of the type `at+jwt`, so this is the one for other JWTs.

use axum::Router;
use huskarl_axum::{layers::ValidatorLayer, resource_server::validator::custom::CustomValidator};
use huskarl_reqwest::ReqwestClient;

use crate::issuer::Setup;

pub async fn router(setup: &Setup) -> Router {
    let client = ReqwestClient::builder().build().await.expect("a client");
    let validator = CustomValidator::builder()
        .authorization_server(setup.issuer)
        .iss(setup.issuer)
        .aud(setup.audience)
        // Auth0 writes no `jti`.
        .require_jti(false)
        .jwks_uri(setup.keys().parse().expect("a URL"))
        .jwks_source(client)
        .build()
        .await
        .expect("a good configuration");
    let layer = ValidatorLayer::builder().validator(validator).build();
    super::open().layer(layer.authenticated())
}
