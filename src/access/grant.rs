//! What verified claims grant.

use crate::access::{organization::AuthorizedOrganization, permission::Permissions};

/// What verified claims grant. The default grants nothing and names no organization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// The organization the token speaks for.
    pub organization: Option<AuthorizedOrganization>,
    /// What it permits.
    pub permissions: Permissions,
}

impl Grant {
    /// Grants `permissions` in `organization`.
    #[must_use]
    pub fn new(organization: AuthorizedOrganization, permissions: Permissions) -> Self {
        Self {
            organization: Some(organization),
            permissions,
        }
    }
}
