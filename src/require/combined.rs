//! Rules that are made of two rules.

use std::borrow::Cow;

use crate::{
    access::Access,
    auth::request_view::RequestView,
    require::{
        denied::{Denied, union},
        rule::PermissionRule,
    },
};

/// Rule that needs both rules to accept a request; see [`PermissionRule::and`].
///
/// ```
/// use modeler_auth::require::{And, PermissionRule as _, RequireClient, RequireScope};
///
/// let rule: And<RequireScope, RequireClient> =
///     RequireScope::all(["orders"]).and(RequireClient::any(["batch"]));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct And<A, B>(pub(super) A, pub(super) B);

/// Rule that needs one of two rules to accept a request; see [`PermissionRule::or`].
///
/// ```
/// use modeler_auth::require::{Or, PermissionRule as _, RequireClient, RequireScope};
///
/// let rule: Or<RequireScope, RequireClient> =
///     RequireScope::all(["orders"]).or(RequireClient::any(["batch"]));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Or<A, B>(pub(super) A, pub(super) B);

impl<A: PermissionRule, B: PermissionRule> PermissionRule for And<A, B> {
    fn check(&self, access: &Access, request: &RequestView<'_>) -> Result<(), Denied> {
        let denied = match (self.0.check(access, request), self.1.check(access, request)) {
            (Ok(()), Ok(())) => return Ok(()),
            // Another token would not help.
            (Err(denied), _) | (_, Err(denied)) if denied.is_always() => return Err(denied),
            (Err(first), Err(second)) => first.and(second),
            (Err(denied), Ok(())) | (Ok(()), Err(denied)) => denied,
        };
        if denied.scope().is_empty() {
            return Err(denied);
        }
        let scopes = union([
            &*self.0.scopes(request),
            denied.scope(),
            &*self.1.scopes(request),
        ]);
        Err(denied.with_scope(scopes))
    }

    fn scopes(&self, request: &RequestView<'_>) -> Cow<'_, str> {
        Cow::Owned(union([&*self.0.scopes(request), &*self.1.scopes(request)]))
    }
}

impl<A: PermissionRule, B: PermissionRule> PermissionRule for Or<A, B> {
    fn check(&self, access: &Access, request: &RequestView<'_>) -> Result<(), Denied> {
        let Err(first) = self.0.check(access, request) else {
            return Ok(());
        };
        let Err(second) = self.1.check(access, request) else {
            return Ok(());
        };
        Err(if first.is_always() { second } else { first })
    }

    fn scopes(&self, request: &RequestView<'_>) -> Cow<'_, str> {
        let first = self.0.scopes(request);
        if first.is_empty() {
            self.1.scopes(request)
        } else {
            first
        }
    }
}
