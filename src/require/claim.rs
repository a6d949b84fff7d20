//! Rule about a claim.

use serde::de::IgnoredAny;

use crate::{
    access::Access,
    auth::request_view::RequestView,
    require::{claim_value::ClaimValue, denied::Denied, rule::PermissionRule},
};

/// Rule that needs a claim, or a value of it.
///
/// 1. The path is a name, or several names that lead into nested objects. A name is never split:
///    `https://example.com/plan` is one name.
/// 2. Values are compared exactly and with their JSON type: `"true"` is not `true`, `"2"` and `2.0`
///    are not `2`. For an array of texts use [`RequireRole`](crate::require::RequireRole).
/// 3. A claim that is `null` counts as absent.
/// 4. Without a name or a value the rule rejects every request.
///
/// A rejection is 403 and names no scope, since none would help. The log line names the claim.
///
/// ```
/// use modeler_auth::{
///     RequirePermissionLayer,
///     require::{PermissionRule as _, RequireClaim},
/// };
///
/// let rule = RequireClaim::equals(["email_verified"], true)
///     .and(RequireClaim::any(["tenant", "region"], ["eu", "ch"]))
///     .and(RequireClaim::present(["https://example.com/plan"]));
/// let layer = RequirePermissionLayer::new(rule);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RequireClaim {
    /// Names that lead to the claim.
    path: Vec<String>,
    /// Values of which one suffices; `None` if the claim must only be present.
    values: Option<Vec<ClaimValue>>,
}

impl RequireClaim {
    /// Returns a rule that needs the claim to have one of `values`.
    ///
    /// ```
    /// use modeler_auth::require::RequireClaim;
    ///
    /// let rule = RequireClaim::any(["plan"], ["team", "enterprise"]);
    /// ```
    pub fn any<P: Into<String>, V: Into<ClaimValue>>(
        path: impl IntoIterator<Item = P>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        Self {
            values: Some(values.into_iter().map(Into::into).collect()),
            ..Self::present(path)
        }
    }

    /// Returns a rule that needs the claim to have `value`.
    ///
    /// ```
    /// use modeler_auth::require::RequireClaim;
    ///
    /// let rule = RequireClaim::equals(["level"], 2);
    /// ```
    pub fn equals<P: Into<String>>(
        path: impl IntoIterator<Item = P>,
        value: impl Into<ClaimValue>,
    ) -> Self {
        Self::any(path, [value])
    }

    /// Returns a rule that needs the claim, with any value but `null`.
    ///
    /// ```
    /// use modeler_auth::require::RequireClaim;
    ///
    /// let rule = RequireClaim::present(["act", "sub"]);
    /// ```
    pub fn present<P: Into<String>>(path: impl IntoIterator<Item = P>) -> Self {
        Self {
            path: path.into_iter().map(Into::into).collect(),
            values: None,
        }
    }
}

impl PermissionRule for RequireClaim {
    fn check(&self, access: &Access, _: &RequestView<'_>) -> Result<(), Denied> {
        let denied = |problem| Denied::always().because(problem);
        if self.path.is_empty() {
            return Err(denied(
                "RequireClaim has no name of a claim: set one".to_owned(),
            ));
        }
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let path = path.as_slice();
        let claim = || self.path.join(".");
        let claims = access.claims();
        match claims.get::<Option<IgnoredAny>>(path) {
            Ok(Some(Some(_))) => {}
            Ok(_) => return Err(denied(format!("the token has no claim {}", claim()))),
            Err(error) => return Err(denied(error.to_string())),
        }
        match &self.values {
            Some(values) if !values.iter().any(|value| value.is_at(path, claims)) => Err(denied(
                format!("the claim {} is not one of the required values", claim()),
            )),
            _ => Ok(()),
        }
    }
}
