//! Denial of a request by a rule.

use std::{borrow::Cow, fmt};

use crate::{
    access::{Access, permission::Permission},
    error::{auth::AuthError, reason::Reason},
};

/// Denial of a request by a rule; the request is rejected with 403.
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
    /// What the token lacks, for the log.
    detail: Option<Cow<'static, str>>,
}

impl Denied {
    /// Returns a denial because the operation needs `scope`. The challenge names the scope to the
    /// client.
    pub fn needs(scope: impl Into<Cow<'static, str>>) -> Self {
        Self {
            scope: scope.into(),
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
}

impl From<Permission> for Denied {
    fn from(permission: Permission) -> Self {
        Self::needs(permission.name())
    }
}

impl From<Denied> for AuthError {
    fn from(denied: Denied) -> Self {
        let error = Self::verified(Reason::InsufficientScope(denied.scope));
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
