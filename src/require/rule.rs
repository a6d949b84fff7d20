//! Rules that decide what a request needs.

use std::{borrow::Cow, sync::Arc};

use crate::{
    access::{Access, permission::Permission},
    auth::request_view::RequestView,
    require::{
        combined::{And, Or},
        denied::Denied,
    },
};

/// Rule that decides whether an access suffices for a request.
///
/// A [`Permission`] is a rule that requires it for every request. Functions and closures implement
/// this trait; see [`RequirePermissionLayer::from_fn`](crate::RequirePermissionLayer::from_fn).
///
/// ```
/// use modeler_auth::{
///     Access, RequirePermissionLayer,
///     auth::RequestView,
///     require::{Denied, PermissionRule as _, RequireScope},
/// };
///
/// fn is_from_the_office(_: &Access, request: &RequestView<'_>) -> Result<(), Denied> {
///     if request.headers().contains_key("x-office") {
///         return Ok(());
///     }
///     Err(Denied::always())
/// }
///
/// let layer = RequirePermissionLayer::new(RequireScope::all(["orders"]).and(is_from_the_office));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no rule about requests",
    label = "not a rule",
    note = "use `Permission`, `ByMethod`, `RequireScope`, or a function `fn(&Access, &RequestView<'_>) -> Result<(), Denied>`; pass a closure to `RequirePermissionLayer::from_fn`"
)]
pub trait PermissionRule {
    /// Checks whether `access` suffices for `request`.
    ///
    /// # Errors
    /// [`Denied`] if it does not suffice; the request is rejected with 403.
    fn check(&self, access: &Access, request: &RequestView<'_>) -> Result<(), Denied>;

    /// Returns all scopes that the operation needs, separated by spaces, whatever the token has.
    /// Default: empty, for a rule that knows none.
    ///
    /// [`and`](PermissionRule::and) names them to the client together with those of the other rule,
    /// so that the client can ask for all of them at once.
    fn scopes(&self, request: &RequestView<'_>) -> Cow<'_, str> {
        let _ = request;
        Cow::Borrowed("")
    }

    /// Returns a rule that needs both rules to accept the request.
    ///
    /// ```
    /// use modeler_auth::{
    ///     RequirePermissionLayer,
    ///     require::{PermissionRule as _, RequireClient, RequireScope},
    /// };
    ///
    /// let rule = RequireScope::all(["orders:write"]).and(RequireClient::any(["shop"]));
    /// let layer = RequirePermissionLayer::new(rule);
    /// ```
    fn and<R: PermissionRule>(self, other: R) -> And<Self, R>
    where
        Self: Sized,
    {
        And(self, other)
    }

    /// Returns a rule that needs one of both rules to accept the request. A denial names the scopes of
    /// the first rule for which a scope suffices.
    fn or<R: PermissionRule>(self, other: R) -> Or<Self, R>
    where
        Self: Sized,
    {
        Or(self, other)
    }
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

    fn scopes(&self, _: &RequestView<'_>) -> Cow<'_, str> {
        Cow::Borrowed(self.name())
    }
}

impl<P: PermissionRule + ?Sized> PermissionRule for Arc<P> {
    fn check(&self, access: &Access, request: &RequestView<'_>) -> Result<(), Denied> {
        (**self).check(access, request)
    }

    fn scopes(&self, request: &RequestView<'_>) -> Cow<'_, str> {
        (**self).scopes(request)
    }
}
