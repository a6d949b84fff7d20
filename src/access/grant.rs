//! Grants: the organization and the permissions that a mapping makes of verified claims.

use crate::access::{organization::AuthorizedOrganization, permission::Permissions};

/// Organization and permissions that a mapping makes of verified claims.
///
/// The default grants nothing and names no organization.
///
/// ```
/// use modeler_auth::{AuthorizedOrganization, Permission, access::Grant};
///
/// let grant = Grant::new(AuthorizedOrganization::nil(), [Permission::Read].into_iter().collect());
/// assert!(grant.permissions.contains(Permission::Read));
/// assert_eq!(Grant::default().organization, None);
/// ```
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
