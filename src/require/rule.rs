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
    /// [`Denied`] if it does not suffice; the request is rejected with 403, or with 401 by
    /// [`RequireAuthentication`](crate::require::RequireAuthentication).
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
    /// If both deny it, one rejection names all that the client lacks:
    ///
    /// | denials | rejection |
    /// |---|---|
    /// | scopes and scopes | 403 with the scopes of both rules |
    /// | scopes and authentication | 401 with the authentication and all scopes ([RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3)) |
    /// | authentication and authentication | 401 with the values of `acr` that both accept, and the shorter `max_age` |
    /// | one that no other token would avoid ([`Denied::always`]), and any | 403 without a scope, so that nobody logs in again in vain |
    ///
    /// A denial by scopes also names the scopes of the rule that accepts the request.
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

    /// Returns a rule that needs one of both rules to accept the request. The denial is that of the
    /// first rule which another token could satisfy.
    ///
    /// ```
    /// use modeler_auth::{
    ///     RequirePermissionLayer,
    ///     require::{PermissionRule as _, RequireRole, RequireScope},
    /// };
    ///
    /// let rule = RequireRole::any(["groups"], ["/staff"]).or(RequireScope::all(["orders:read"]));
    /// let layer = RequirePermissionLayer::new(rule);
    /// ```
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
