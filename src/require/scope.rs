//! Rule about scopes.

use std::borrow::Cow;

use crate::{
    access::Access,
    auth::request_view::RequestView,
    require::{denied::Denied, rule::PermissionRule},
};

/// Rule that needs scopes in the claim `scope`
/// ([RFC 8693 §4.2](https://www.rfc-editor.org/rfc/rfc8693#section-4.2)).
///
/// A rejection names all scopes of the operation in one challenge, also those that the token has: the
/// client replaces its token by one with the scopes that the challenge names.
///
/// ```
/// use modeler_auth::{RequirePermissionLayer, require::RequireScope};
///
/// let rule = RequireScope::all(["files:read", "users:read"]).implied("files:write", "files:read");
/// let layer = RequirePermissionLayer::new(rule);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RequireScope {
    scopes: Vec<String>,
    needs_all: bool,
    /// Pairs of a scope and one that it implies.
    implications: Vec<(String, String)>,
}

impl RequireScope {
    /// Returns a rule that needs each of `scopes`. Without a scope it rejects every request.
    pub fn all<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Self {
        Self {
            scopes: scopes.into_iter().map(Into::into).collect(),
            needs_all: true,
            implications: Vec::new(),
        }
    }

    /// Returns a rule that needs one of `scopes`. A rejection names the first one, since a challenge
    /// cannot express a choice. Without a scope the rule rejects every request.
    pub fn any<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Self {
        Self {
            needs_all: false,
            ..Self::all(scopes)
        }
    }

    /// Accepts `scope` in place of `implied`. Default: scopes imply no others.
    ///
    /// Implications add up: if `admin` implies `write`, and `write` implies `read`, then `admin`
    /// implies `read`.
    pub fn implied(mut self, scope: impl Into<String>, implied: impl Into<String>) -> Self {
        self.implications.push((scope.into(), implied.into()));
        self
    }

    fn has(&self, access: &Access, scope: &str) -> bool {
        // All scopes that suffice, found step by step. Each is looked at once, so that a circle of
        // implications ends.
        let mut sufficient = vec![scope];
        let mut next = 0;
        while let Some(&one) = sufficient.get(next) {
            if access.has_scope(one) {
                return true;
            }
            for (scope, implied) in &self.implications {
                if implied == one && !sufficient.contains(&scope.as_str()) {
                    sufficient.push(scope);
                }
            }
            next = next.saturating_add(1);
        }
        false
    }
}

impl PermissionRule for RequireScope {
    fn check(&self, access: &Access, request: &RequestView<'_>) -> Result<(), Denied> {
        let mut scopes = self.scopes.iter();
        let suffices = if self.needs_all {
            !self.scopes.is_empty() && scopes.all(|scope| self.has(access, scope))
        } else {
            scopes.any(|scope| self.has(access, scope))
        };
        if suffices {
            Ok(())
        } else {
            Err(Denied::needs(self.scopes(request).into_owned()))
        }
    }

    fn scopes(&self, _: &RequestView<'_>) -> Cow<'_, str> {
        if self.needs_all {
            Cow::Owned(self.scopes.join(" "))
        } else {
            Cow::Borrowed(self.scopes.first().map_or("", String::as_str))
        }
    }
}
