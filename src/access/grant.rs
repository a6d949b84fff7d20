//! Grants: the organization and the permissions that a mapping makes of verified claims.

use crate::access::{organization::AuthorizedOrganization, permission::Permissions};

/// Organization and permissions that a mapping makes of verified claims.
///
/// The default grants nothing and names no organization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// Organization that the token is authorized for; `None` if the mapping names none.
    pub organization: Option<AuthorizedOrganization>,
    /// Permissions that the token carries.
    pub permissions: Permissions,
}

impl Grant {
    /// Creates a grant of `permissions` in `organization`.
    #[must_use]
    pub fn new(organization: AuthorizedOrganization, permissions: Permissions) -> Self {
        Self {
            organization: Some(organization),
            permissions,
        }
    }
}
