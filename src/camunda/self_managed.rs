//! Claims of a Camunda Self-Managed installation behind Keycloak.

use std::sync::Arc;

use crate::{
    access::{
        grant::Grant, mapping::MapClaims, organization::AuthorizedOrganization,
        permission::Permissions,
    },
    camunda::permission_names::PermissionNames,
    clock::Clock,
    error::claim::ClaimError,
    issuer::Issuer,
    telemetry::{self, limit::LogLimit},
    token::claims::Claims,
};

/// Mapping of the claims of Camunda Self-Managed.
///
/// 1. The organization is always the same, since an installation has only one:
///    [`AuthorizedOrganization::nil`] unless set with
///    [`organization`](SelfManagedClaims::organization).
/// 2. Permissions are the strings of `permissions.<audience>`
///    ([access management](https://docs.camunda.io/docs/self-managed/components/management-identity/access-management/access-management-overview/)),
///    for each audience that is both configured and in the token. Without such a claim the token
///    grants no permission. A claim of another JSON type is rejected with 401.
///
/// Two installations in one validator share the default organization, so tokens of one reach the
/// resources of the other. Set a separate organization for each.
#[derive(Clone, Debug)]
#[must_use]
pub struct SelfManagedClaims {
    organization: AuthorizedOrganization,
    names: PermissionNames,
    log: Arc<LogLimit>,
}

impl Default for SelfManagedClaims {
    fn default() -> Self {
        Self {
            organization: AuthorizedOrganization::nil(),
            names: PermissionNames::default(),
            log: Arc::new(LogLimit::new(10, Clock::System)),
        }
    }
}

impl SelfManagedClaims {
    /// Sets the organization. Default: [`AuthorizedOrganization::nil`].
    ///
    /// ```
    /// use modeler_auth::{Issuer, camunda::SelfManagedClaims, TokenValidator};
    ///
    /// let issuer = |url: &str, organization: &str| {
    ///     let claims = SelfManagedClaims::default().organization(organization.parse()?);
    ///     Ok::<_, modeler_auth::ConfigError>(Issuer::self_managed(url).map_claims(claims))
    /// };
    /// let validator = TokenValidator::builder()
    ///     .issuer(issuer("https://keycloak.one.example/realms/camunda-platform", "one")?)
    ///     .issuer(issuer("https://keycloak.two.example/realms/camunda-platform", "two")?)
    ///     .build()?;
    /// # Ok::<(), modeler_auth::ConfigError>(())
    /// ```
    pub fn organization(mut self, organization: AuthorizedOrganization) -> Self {
        self.organization = organization;
        self
    }

    /// Sets the names of the permissions. Default: [`PermissionNames::default`].
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
            let Some(granted) = claims.read(path, |value| self.names.read(value))? else {
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

impl Issuer {
    /// Audience of the Web Modeler API on Self-Managed, as in Camunda's own Compose and Helm files.
    pub(crate) const SELF_MANAGED_AUDIENCE: &str = "web-modeler-public-api";

    /// Returns the issuer of a Camunda Self-Managed installation behind Keycloak.
    ///
    /// `issuer` is the realm's public URL, e.g.
    /// `http://localhost:18080/auth/realms/camunda-platform`. The preset has the audience
    /// `web-modeler-public-api` and the mapping [`SelfManagedClaims`].
    ///
    /// A validator with two installations needs a separate organization for each:
    /// [`SelfManagedClaims::organization`].
    pub fn self_managed(issuer: impl Into<String>) -> Self {
        Self::oidc(issuer)
            .default_audience(Self::SELF_MANAGED_AUDIENCE)
            .map_claims(SelfManagedClaims::default())
    }
}
