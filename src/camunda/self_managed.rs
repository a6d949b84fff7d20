//! Tokens of a Camunda Self-Managed installation behind Keycloak.

use crate::{
    access::{AuthorizedOrganization, Permissions},
    camunda::PermissionNames,
    mapping::{ClaimError, Grant, MapClaims},
    token::Claims,
};

/// Maps the claims of Camunda Self-Managed.
///
/// 1. The organization is always [`AuthorizedOrganization::nil`]: there is only one.
/// 2. Permissions are the strings of `permissions.<audience>`
///    ([access management](https://docs.camunda.io/docs/self-managed/components/management-identity/access-management/access-management-overview/)),
///    for those audiences only that are both configured and in the token. No such claim means
///    no permission; another JSON type is refused with 401.
#[derive(Clone, Debug)]
pub struct SelfManagedClaims {
    organization: AuthorizedOrganization,
    names: PermissionNames,
}

impl Default for SelfManagedClaims {
    fn default() -> Self {
        Self {
            organization: AuthorizedOrganization::nil(),
            names: PermissionNames::default(),
        }
    }
}

impl SelfManagedClaims {
    /// Reads permissions by other names.
    #[must_use]
    pub fn permission_names(mut self, names: PermissionNames) -> Self {
        self.names = names;
        self
    }
}

impl MapClaims for SelfManagedClaims {
    fn map(&self, claims: &Claims) -> Result<Grant, ClaimError> {
        let mut permissions = Permissions::NONE;
        for audience in claims.audiences() {
            let names = claims.get::<Vec<String>>(&["permissions", audience])?;
            let names = names.unwrap_or_default();
            let granted = self.names.permissions(names.iter().map(String::as_str));
            granted.iter().for_each(|one| permissions.insert(one));
        }
        Ok(Grant::new(self.organization.clone(), permissions))
    }
}
