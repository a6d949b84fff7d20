//! `axum-keycloak-auth`: jsonwebtoken 9 with ring, which is the only choice. It never checks the
//! issuer, and tries every published key in turn, so the order of the keys matters.

use std::time::Duration;

use axum::Router;
use axum_keycloak_auth::{
    PassthroughMode, Url,
    decode::Profile,
    instance::{KeycloakAuthInstance, KeycloakConfig},
    layer::KeycloakAuthLayer,
};

use crate::issuer::Setup;

pub async fn router(setup: &Setup, realm: &str) -> Router {
    let config = KeycloakConfig::builder()
        .server(Url::parse(&setup.server).expect("a good URL"))
        .realm(realm.to_owned())
        .build();
    let instance = KeycloakAuthInstance::new(config);
    while !instance.is_operational().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // `Profile` and not the default, which demands an email address: machine clients have none.
    let layer = KeycloakAuthLayer::<String, Profile>::builder()
        .instance(instance)
        .passthrough_mode(PassthroughMode::Block)
        .persist_raw_claims(false)
        .expected_audiences(vec![setup.audience.to_owned()])
        .build();
    super::open().layer(layer)
}
