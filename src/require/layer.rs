use tower_layer::Layer;

use crate::require::service::RequirePermission;

/// Layer that refuses requests whose token does not permit them, with 403 and the scope that is
/// missing.
///
/// It stands inside an [`AuthLayer`](crate::AuthLayer), which renders its refusals. Without one,
/// every request is answered with 500, and a log line says so.
///
/// The inner service must be `Clone`: for a rejected request it is replaced by a clone, so that nothing
/// stays reserved in it.
///
/// ```
/// use axum::{Router, routing::get};
/// use modeler_auth::{AuthLayer, ByMethod, Issuer, RequirePermissionLayer, TokenValidator};
///
/// # let validator = TokenValidator::builder().issuer(Issuer::saas("org")).build()?;
/// let app: Router = Router::new()
///     .route("/api/v1/projects/{id}", get(|| async { "a project" }))
///     .route_layer(RequirePermissionLayer::new(ByMethod::new()))
///     .layer(AuthLayer::new(validator));
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a layer does nothing unless it is applied to a service"]
pub struct RequirePermissionLayer<P> {
    rule: P,
}

impl<P> RequirePermissionLayer<P> {
    /// Asks `rule` about every request: [`ByMethod`](crate::ByMethod), a
    /// [`Permission`](crate::Permission), or a closure.
    pub fn new(rule: P) -> Self {
        Self { rule }
    }
}

impl<S, P: Clone> Layer<S> for RequirePermissionLayer<P> {
    type Service = RequirePermission<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        RequirePermission {
            inner,
            rule: self.rule.clone(),
        }
    }
}
