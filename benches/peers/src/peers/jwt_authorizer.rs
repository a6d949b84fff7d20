//! `jwt-authorizer`: jsonwebtoken 9 with ring, which is the only choice; made for axum 0.7.

use axum_07::{
    Router,
    body::Body,
    routing::{RouterIntoService, get},
};
use jwt_authorizer::{Authorizer, IntoLayer as _, JwtAuthorizer, Validation};

use crate::issuer::Setup;

pub async fn router(setup: &Setup) -> RouterIntoService<Body> {
    let validation = Validation::new()
        .iss(&[setup.issuer])
        .aud(&[setup.audience]);
    let authorizer: Authorizer = JwtAuthorizer::from_jwks_url(&setup.keys())
        .validation(validation)
        .build()
        .await
        .expect("a good configuration");
    Router::new()
        .route("/", get(|| async {}))
        .layer(authorizer.into_layer())
        .into_service()
}
