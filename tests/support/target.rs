//! Service with a route behind the layer. It trusts the keys of a test.
#![allow(dead_code, reason = "each test uses some of it")]

use axum::{
    Router,
    body::Body,
    http::{Request, Response},
    routing::any,
};
use modeler_auth::{
    Access, AuthLayer, RequirePermissionLayer, TokenValidator, require::PermissionRule,
};
use modeler_auth_testkit::signer::Key;
use tower::ServiceExt as _;

mod answers;

/// A service that trusts keys and has a route behind the layer.
pub struct Target {
    pub validator: TokenValidator,
    app: Router,
}

impl Target {
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
}
