//! Tokens of a Camunda Self-Managed installation behind Keycloak.

use std::sync::Arc;

use crate::{
    access::{AuthorizedOrganization, Permissions},
    camunda::PermissionNames,
    mapping::{ClaimError, Grant, MapClaims},
    telemetry::{self, QuietLog},
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
    log: Arc<QuietLog>,
}

impl Default for SelfManagedClaims {
    fn default() -> Self {
        Self {
            organization: AuthorizedOrganization::nil(),
            names: PermissionNames::default(),
            log: Arc::new(QuietLog::with_pause(10)),
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
        let mut missing = Vec::new();
        for audience in claims.audiences() {
            let path = &["permissions", audience];
            let Some(granted) = claims.find(path, |value| self.names.read(value))? else {
                missing.push(format!("`permissions.{audience}`"));
                continue;
            };
            permissions.insert_all(granted);
        }
        if permissions == Permissions::NONE && !missing.is_empty() {
            telemetry::nothing_granted(claims.issuer(), &missing.join(", "), &self.log);
        }
        Ok(Grant::new(self.organization.clone(), permissions))
    }
}
