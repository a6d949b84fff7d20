//! Rules that are made of two rules.

use std::borrow::Cow;

use crate::{
    access::Access,
    auth::request_view::RequestView,
    require::{denied::Denied, rule::PermissionRule},
};

/// Rule that needs both rules to accept a request; see [`PermissionRule::and`].
#[derive(Clone, Copy, Debug)]
pub struct And<A, B>(pub(super) A, pub(super) B);

/// Rule that needs one of two rules to accept a request; see [`PermissionRule::or`].
#[derive(Clone, Copy, Debug)]
pub struct Or<A, B>(pub(super) A, pub(super) B);

impl<A: PermissionRule, B: PermissionRule> PermissionRule for And<A, B> {
    fn check(&self, access: &Access, request: &RequestView<'_>) -> Result<(), Denied> {
        let checked = (self.0.check(access, request), self.1.check(access, request));
        let scopes = match checked {
            (Ok(()), Ok(())) => return Ok(()),
            // More scopes would not help.
            (Err(denied), _) | (_, Err(denied)) if denied.scope().is_empty() => return Err(denied),
            (Err(first), Err(second)) => union(first.scope(), second.scope()),
            (Err(first), Ok(())) => union(first.scope(), &self.1.scopes(request)),
            (Ok(()), Err(second)) => union(&self.0.scopes(request), second.scope()),
        };
        Err(Denied::needs(scopes))
    }

    fn scopes(&self, request: &RequestView<'_>) -> Cow<'_, str> {
        Cow::Owned(union(&self.0.scopes(request), &self.1.scopes(request)))
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
        Err(if first.scope().is_empty() {
            second
        } else {
            first
        })
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

/// Returns the scopes of both texts, each once.
fn union(one: &str, other: &str) -> String {
    let mut scopes: Vec<&str> = Vec::new();
    for scope in one.split(' ').chain(other.split(' ')) {
        if !scope.is_empty() && !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes.join(" ")
}
