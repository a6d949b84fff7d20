//! Rule about roles.

use crate::{
    access::Access,
    auth::request_view::RequestView,
    require::{denied::Denied, rule::PermissionRule},
};

/// Rule that needs roles or groups in a claim that is an array of strings, such as `groups`, or
/// `realm_access.roles` and `resource_access.<client>.roles` of Keycloak.
///
/// A rejection names no scope, since none would help. The log line names the claim.
///
/// ```
/// use modeler_auth::{RequirePermissionLayer, require::RequireRole};
///
/// let layer = RequirePermissionLayer::new(RequireRole::any(["realm_access", "roles"], ["admin"]));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RequireRole {
    /// Names that lead to the claim.
    path: Vec<String>,
    roles: Vec<String>,
    needs_all: bool,
}

impl RequireRole {
    /// Returns a rule that needs each of `roles` in the claim to which the names in `path` lead.
    /// Without a role it rejects every request.
    pub fn all<P: Into<String>, R: Into<String>>(
        path: impl IntoIterator<Item = P>,
        roles: impl IntoIterator<Item = R>,
    ) -> Self {
        Self {
            path: path.into_iter().map(Into::into).collect(),
            roles: roles.into_iter().map(Into::into).collect(),
            needs_all: true,
        }
    }

    /// Returns a rule that needs one of `roles`; otherwise as [`all`](Self::all).
    pub fn any<P: Into<String>, R: Into<String>>(
        path: impl IntoIterator<Item = P>,
        roles: impl IntoIterator<Item = R>,
    ) -> Self {
        Self {
            needs_all: false,
            ..Self::all(path, roles)
        }
    }
}

impl PermissionRule for RequireRole {
    fn check(&self, access: &Access, _: &RequestView<'_>) -> Result<(), Denied> {
        let names: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let claim = self.path.join(".");
        let held = access.claims().get::<Vec<String>>(names.as_slice());
        let held = match held {
            Ok(held) => held.unwrap_or_default(),
            Err(error) => return Err(Denied::always().because(error.to_string())),
        };
        let mut roles = self.roles.iter();
        let suffices = if self.needs_all {
            !self.roles.is_empty() && roles.all(|role| held.contains(role))
        } else {
            roles.any(|role| held.contains(role))
        };
        if suffices {
            return Ok(());
        }
        let needed = self.roles.join(", ");
        let quantity = if self.needs_all { "all" } else { "one" };
        Err(Denied::always().because(format!(
            "the claim {claim} does not contain {quantity} of the roles {needed}"
        )))
    }
}
