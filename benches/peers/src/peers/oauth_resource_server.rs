//! `oauth-resource-server`: jsonwebtoken 9 with ring, which is the only choice. It demands that a
//! scope is required.

use std::sync::Arc;

use axum::Router;
use oauth_resource_server::{
    KeyNaming, OAuthConfig, OAuthValidator, axum::AuthLayer, static_token_policy,
};

use crate::issuer::Setup;

pub async fn router(setup: &Setup) -> Router {
    let config = OAuthConfig {
        enabled: true,
        issuer: setup.issuer.to_owned(),
        jwks_uri: Some(setup.keys()),
        audience: setup.audience.to_owned(),
        resource: "http://localhost:8070/".to_owned(),
        required_scope: Some(setup.scope.to_owned()),
        ..OAuthConfig::default()
    };
    let resolved = config
        .resolve(KeyNaming::Dotted("oauth"))
        .expect("a good configuration")
        .expect("it is enabled");
    let validator = Arc::new(OAuthValidator::new(&resolved).expect("a good configuration"));
    validator.spawn_background_refresh();
    validator.refresh_now().await.expect("the keys are there");
    let decision = static_token_policy(None, Some(&resolved), false).expect("a credential");
    let layer = AuthLayer::from_decision(decision, Some(validator)).expect("a validator");
    super::open().layer(layer)
}
