//! `tower-oauth2-resource-server`: jsonwebtoken 11 with `rust_crypto` by default, or `aws_lc_rs` by
//! a feature. With a URL for the keys it checks no issuer unless told to; with discovery, which
//! needs the issuer at its own name, it would check just the same.

use axum::Router;
use tower_oauth2_resource_server::{
    claims::DefaultClaims, server::OAuth2ResourceServer, tenant::TenantConfiguration,
    validation::ClaimsValidationSpec,
};

use crate::issuer::Setup;

pub async fn router(setup: &Setup) -> Router {
    let claims = ClaimsValidationSpec::new()
        .iss(setup.issuer)
        .exp(true)
        .aud(&vec![setup.audience.to_owned()]);
    let tenant = TenantConfiguration::builder(setup.issuer)
        .jwks_url(setup.keys())
        .claims_validation(claims)
        .build()
        .await
        .expect("a good configuration");
    let server = <OAuth2ResourceServer<DefaultClaims>>::builder()
        .add_tenant(tenant)
        .build()
        .await
        .expect("a good configuration");
    super::open().layer(server.into_layer())
}
