//! Tokens of a Camunda Self-Managed installation behind Keycloak.

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
    telemetry::{self, QuietLog},
    token::claims::Claims,
};

/// Maps the claims of Camunda Self-Managed.
///
/// 1. The organization is always the same, [`AuthorizedOrganization::nil`] unless set by
///    [`organization`](SelfManagedClaims::organization): an installation has only one. Two
///    installations in one validator share the default, so what belongs to one can be reached with
///    tokens of the other; give each an organization of its own.
/// 2. Permissions are the strings of `permissions.<audience>`
///    ([access management](https://docs.camunda.io/docs/self-managed/components/management-identity/access-management/access-management-overview/)),
///    for those audiences only that are both configured and in the token. No such claim means
///    no permission; another JSON type is refused with 401.
#[derive(Clone, Debug)]
#[must_use]
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
            log: Arc::new(QuietLog::new(10, Clock::System)),
        }
    }
}

impl SelfManagedClaims {
    /// Reports another organization than [`AuthorizedOrganization::nil`].
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

    /// Reads permissions by other names.
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
    /// The audience of the Web Modeler API on Self-Managed, as in Camunda's own Compose and Helm
    /// files.
    const SELF_MANAGED_AUDIENCE: &str = "web-modeler-public-api";

    /// A Camunda Self-Managed installation behind Keycloak; `issuer` is the realm's public URL, e.g.
    /// `http://localhost:18080/auth/realms/camunda-platform`.
    ///
    /// A validator with two installations needs an organization for each:
    /// [`SelfManagedClaims::organization`].
    ///
    /// Expects the audience `web-modeler-public-api` unless another one is named with
    /// [`audience`](Issuer::audience); claims are mapped by [`SelfManagedClaims`].
    pub fn self_managed(issuer: impl Into<String>) -> Self {
        Self::oidc(issuer)
            .default_audience(Self::SELF_MANAGED_AUDIENCE)
            .map_claims(SelfManagedClaims::default())
    }
}
