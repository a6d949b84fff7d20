//! Authorization layer.

use tower_layer::Layer;

use crate::{
    access::Access,
    auth::request_view::RequestView,
    require::{denied::Denied, rule::PermissionRule, service::RequirePermission},
};

/// Layer that rejects requests whose token lacks a permission, with 403 and the missing scope, or
/// whose user must authenticate again, with 401.
///
/// It belongs inside an [`AuthLayer`](crate::AuthLayer), which renders its rejections. Without an
/// `AuthLayer` every request gets 500, and the log says so.
///
/// Add it with `Router::route_layer` of axum: with `Router::layer`, unknown paths get 403 in place of 404.
///
/// The inner service must be `Clone`: for a rejected request the layer replaces it with a clone, so
/// that no reservation stays in it.
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
    /// Creates a layer that checks every request with `rule`: [`ByMethod`](crate::ByMethod), a
    /// [`Permission`](crate::Permission), or any other [`PermissionRule`].
    pub fn new(rule: P) -> Self
    where
        P: PermissionRule,
    {
        Self { rule }
    }

    /// Creates a layer that checks every request with a closure.
    ///
    /// ```
    /// use modeler_auth::{Permission, RequirePermissionLayer, require::Denied};
    ///
    /// let layer = RequirePermissionLayer::from_fn(|access, request| match request.path() {
    ///     "/export" if access.has_scope("export") => Ok(()),
    ///     "/export" => Err(Denied::needs("export")),
    ///     _ => access.require(Permission::Read),
    /// });
    /// ```
    pub fn from_fn(rule: P) -> Self
    where
        P: Fn(&Access, &RequestView<'_>) -> Result<(), Denied>,
    {
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
