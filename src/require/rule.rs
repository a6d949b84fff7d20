//! Rules that decide what a request needs.

use std::sync::Arc;

use crate::{
    access::{Access, permission::Permission},
    auth::request_view::RequestView,
    require::denied::Denied,
};

/// Rule that decides whether an access suffices for a request.
///
/// A [`Permission`] is a rule that requires it for every request. Closures implement this trait:
///
/// ```
/// use modeler_auth::{
///     Access, require::Denied, Permission, auth::RequestView, RequirePermissionLayer,
/// };
///
/// let layer = RequirePermissionLayer::new(|access: &Access, request: &RequestView<'_>| {
///     match request.path() {
///         "/modeler.v1.Projects/Get" => access.require(Permission::Read),
///         "/modeler.v1.Projects/Export" if access.has_scope("export") => Ok(()),
///         _ => Err(Denied::needs("export")),
///     }
/// });
/// ```
pub trait PermissionRule {
    /// Checks whether `access` suffices for `request`.
    ///
    /// # Errors
    /// [`Denied`] if it does not suffice; the request is rejected with 403.
    fn check(&self, access: &Access, request: &RequestView<'_>) -> Result<(), Denied>;
}

impl<F> PermissionRule for F
where
    F: Fn(&Access, &RequestView<'_>) -> Result<(), Denied>,
{
    fn check(&self, access: &Access, request: &RequestView<'_>) -> Result<(), Denied> {
        self(access, request)
    }
}

impl PermissionRule for Permission {
    fn check(&self, access: &Access, _: &RequestView<'_>) -> Result<(), Denied> {
        access.require(*self)
    }
}

impl<P: PermissionRule + ?Sized> PermissionRule for Arc<P> {
    fn check(&self, access: &Access, request: &RequestView<'_>) -> Result<(), Denied> {
        (**self).check(access, request)
    }
}
