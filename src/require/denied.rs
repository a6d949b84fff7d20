//! Denial of a request by a rule.

use std::{borrow::Cow, fmt, sync::Arc};

use crate::{
    access::{Access, permission::Permission},
    error::{auth::AuthError, authentication::NeededAuthentication, reason::Reason},
};

/// Denial of a request by a rule; the request is rejected with 403.
///
/// A denial by [`RequireAuthentication`](crate::require::RequireAuthentication) rejects with 401. A
/// closure returns it by `rule.check(access, request)?`.
///
/// A denial takes effect only if the rule returns it as an error:
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// # use modeler_auth::{Access, require::Denied};
/// fn rule(access: &Access) -> Result<(), Denied> {
///     if !access.has_scope("orders") {
///         Denied::needs("orders"); // does not compile: the rule would accept every token
///     }
///     Ok(())
/// }
/// ```
///
/// ```
/// # use modeler_auth::{Access, require::Denied};
/// fn rule(access: &Access) -> Result<(), Denied> {
///     if !access.has_scope("orders") {
///         return Err(Denied::needs("orders"));
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a request is rejected only if the rule returns this as an error"]
pub struct Denied {
    /// Scopes separated by spaces; empty if no scope suffices.
    scope: Cow<'static, str>,
    /// Authentication that the operation needs, if that of the token does not suffice.
    authentication: Option<Arc<NeededAuthentication>>,
    /// Cause, for the log.
    detail: Option<Cow<'static, str>>,
}

impl Denied {
    /// Returns a denial because the operation needs `scope`. The challenge names the scope to the
    /// client.
    pub fn needs(scope: impl Into<Cow<'static, str>>) -> Self {
        Self {
            scope: scope.into(),
            authentication: None,
            detail: None,
        }
    }

    /// Returns a denial because the operation needs all of `scopes`. The challenge names them to
    /// the client ([RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3)).
    ///
    /// ```
    /// # use modeler_auth::require::Denied;
    /// let denied = Denied::needs_all(["orders:read", "orders:write"]);
    /// assert_eq!(denied.scope(), "orders:read orders:write");
    /// ```
    pub fn needs_all<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Self {
        let mut all = String::new();
        for scope in scopes {
            if !all.is_empty() {
                all.push(' ');
            }
            all.push_str(scope.as_ref());
        }
        Self::needs(all)
    }

    /// Returns a denial that does not depend on the token's permissions.
    pub fn always() -> Self {
        Self::needs("")
    }

    /// Returns a denial because the user has not authenticated as `needed`.
    pub(super) fn needs_authentication(needed: Arc<NeededAuthentication>) -> Self {
        Self {
            authentication: Some(needed),
            ..Self::always()
        }
    }

    /// Tells the operator why, in the field `detail` of the log line. The client does not see it.
    ///
    /// ```
    /// # use modeler_auth::require::Denied;
    /// let denied = Denied::always().because("the account is closed");
    /// assert_eq!(denied.to_string(), "the account is closed");
    /// ```
    pub fn because(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }

    /// Returns the scopes that the operation needs, separated by spaces; empty if no scope
    /// suffices.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// Returns whether no other token of the client suffices.
    pub(super) fn is_always(&self) -> bool {
        self.scope.is_empty() && self.authentication.is_none()
    }

    /// Returns a denial that names what the client lacks by `self` and by `other`.
    pub(super) fn and(self, other: Self) -> Self {
        let authentication = match (&self.authentication, &other.authentication) {
            (Some(mine), Some(others)) => Some(Arc::new(mine.and(others))),
            (mine, others) => mine.as_ref().or(others.as_ref()).cloned(),
        };
        Self {
            scope: Cow::Owned(union([self.scope(), other.scope()])),
            authentication,
            detail: self.detail.or(other.detail),
        }
    }

    /// Names `scope` in place of the scopes so far.
    pub(super) fn with_scope(self, scope: String) -> Self {
        Self {
            scope: Cow::Owned(scope),
            ..self
        }
    }
}

impl From<Permission> for Denied {
    fn from(permission: Permission) -> Self {
        Self::needs(permission.name())
    }
}

impl From<Denied> for AuthError {
    fn from(denied: Denied) -> Self {
        let scope = denied.scope;
        let error = Self::verified(match denied.authentication {
            Some(needed) => Reason::InsufficientAuthentication { needed, scope },
            None => Reason::InsufficientScope(scope),
        });
        match denied.detail {
            Some(detail) => error.with_detail(&*detail),
            None => error,
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(detail) = &self.detail {
            return f.write_str(detail);
        }
        if self.authentication.is_some() {
            return f.write_str("the operation needs another authentication of the user");
        }
        match self.scope() {
            "" => f.write_str("the operation is denied whatever the token permits"),
            scope => write!(f, "the operation needs the scope `{scope}`"),
        }
    }
}

impl std::error::Error for Denied {}

impl Access {
    /// Returns `Ok` if the token permits `permission`.
    ///
    /// # Errors
    /// [`Denied`] with the name of the permission, if the token does not permit it.
    pub fn require(&self, permission: Permission) -> Result<(), Denied> {
        if self.allows(permission) {
            Ok(())
        } else {
            Err(permission.into())
        }
    }
}

/// Returns the scopes of all texts, each once.
pub(super) fn union<'s>(texts: impl IntoIterator<Item = &'s str>) -> String {
    let mut scopes: Vec<&str> = Vec::new();
    for scope in texts.into_iter().flat_map(|text| text.split(' ')) {
        if !scope.is_empty() && !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_names_the_scopes_that_are_needed() {
        assert_eq!(Denied::from(Permission::Update).scope(), "update:*");
        assert_eq!(Denied::needs("a:b").scope(), "a:b");
        assert_eq!(Denied::needs_all(["a", "b"]).scope(), "a b");
        assert_eq!(Denied::always().scope(), "");
        assert!(Denied::needs("a:b").to_string().contains("`a:b`"));
        assert!(Denied::always().to_string().contains("whatever"));
    }
}
