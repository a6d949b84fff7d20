//! This crate.

use axum::Router;
use modeler_auth::{AuthLayer, Issuer, TokenValidator, TokenValidatorBuilder};

use crate::{
    issuer::{Setup, SetupKind},
    support::ORGANIZATION,
};

/// Remembers nothing: every token is new to it.
pub async fn checking_anew(setup: &Setup) -> Router {
    router(builder(setup).token_cache_bytes(0)).await
}

/// With the cache as it is by default; the token was accepted before.
pub async fn remembering(setup: &Setup) -> Router {
    router(builder(setup)).await
}

async fn router(builder: TokenValidatorBuilder) -> Router {
    let validator = builder.build().expect("a good configuration");
    validator.ready().await;
    super::open().layer(AuthLayer::new(validator))
}

fn builder(setup: &Setup) -> TokenValidatorBuilder {
    let issuer = match setup.kind {
        SetupKind::Auth0(_) => Issuer::saas(ORGANIZATION),
        SetupKind::Keycloak(_) => Issuer::self_managed(setup.issuer),
    };
    TokenValidator::builder().issuer(issuer.jwks_url(&setup.keys()))
}
