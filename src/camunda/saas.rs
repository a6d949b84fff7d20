//! Claims of Camunda SaaS.

use crate::{
    access::{
        grant::Grant, mapping::MapClaims, organization::AuthorizedOrganization,
        permission::Permissions,
    },
    camunda::permission_names::PermissionNames,
    error::claim::ClaimError,
    issuer::Issuer,
    json::{Malformed, Reader},
    token::claims::Claims,
};

/// Mapping of the claims of Camunda SaaS.
///
/// 1. The organization is the string `https://camunda.com/orgId`, which tokens of machine clients
///    carry. If an organization is configured, both must be equal, byte for byte.
/// 2. Without that claim it is in `https://camunda.com/orgs`, a list of objects with an `id`, which
///    tokens of users carry. The list must contain the configured organization. If none is
///    configured, it must have exactly one entry.
/// 3. Permissions are the strings of the array `permissions`. Without that claim they are the words
///    of the string `scope`.
///
/// Camunda does not publish which strings denote the permissions of the Web Modeler API on SaaS.
/// The default [`PermissionNames`] are **those of Self-Managed, and not verified** against SaaS.
///
/// All other tokens are rejected with 401, also for a claim of another JSON type.
///
/// ```
/// use modeler_auth::{AuthorizedOrganization, Issuer, camunda::SaasClaims};
///
/// let organization: AuthorizedOrganization = "12345678-ABCD-DCBA-ABCD-123456789ABC".parse()?;
/// let issuer = Issuer::oidc("https://weblogin.cloud.camunda.io/")
///     .audience("api.cloud.camunda.io")
///     .map_claims(SaasClaims::of_organization(organization));
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SaasClaims {
    organization: Option<AuthorizedOrganization>,
    names: PermissionNames,
}

const ORGANIZATION: &str = "https://camunda.com/orgId";
const ORGANIZATIONS: &str = "https://camunda.com/orgs";

impl SaasClaims {
    /// Creates a mapping that accepts only tokens of `organization`.
    pub fn of_organization(organization: AuthorizedOrganization) -> Self {
        Self {
            organization: Some(organization),
            names: PermissionNames::default(),
        }
    }

    /// Creates a mapping that accepts tokens of every organization.
    pub fn of_any_organization() -> Self {
        Self {
            organization: None,
            names: PermissionNames::default(),
        }
    }

    /// Sets the names of the permissions. Default: [`PermissionNames::default`].
    pub fn permission_names(mut self, names: PermissionNames) -> Self {
        self.names = names;
        self
    }

    fn organization(&self, claims: &Claims) -> Result<AuthorizedOrganization, ClaimError> {
        let expected = |value: &mut Reader<'_>| Ok(self.expected(&value.text()?, ORGANIZATION));
        if let Some(organization) = claims.read(ORGANIZATION, expected)? {
            return organization;
        }
        let ids = claims
            .read(ORGANIZATIONS, read_ids)?
            .ok_or(ClaimError::new(ORGANIZATION, "is missing"))?
            .ok_or(ClaimError::new(ORGANIZATIONS, "has an entry without `id`"))?;
        match &self.organization {
            Some(expected) => ids
                .iter()
                .any(|id| id == expected.as_str())
                .then(|| expected.clone())
                .ok_or(ClaimError::new(
                    ORGANIZATIONS,
                    "does not contain the configured organization",
                )),
            None => match ids.as_slice() {
                [only] => self.expected(only, ORGANIZATIONS),
                [] => Err(ClaimError::new(ORGANIZATIONS, "is empty")),
                [_, _, ..] => Err(ClaimError::new(
                    ORGANIZATIONS,
                    "contains several organizations, but none is configured",
                )),
            },
        }
    }

    fn expected(
        &self,
        found: &str,
        claim: &'static str,
    ) -> Result<AuthorizedOrganization, ClaimError> {
        match &self.organization {
            Some(expected) if expected.as_str() == found => Ok(expected.clone()),
            Some(_) => Err(ClaimError::new(claim, "is not the configured organization")),
            None => AuthorizedOrganization::parse(found).ok_or(ClaimError::new(
                claim,
                "is not 1 to 128 visible ASCII characters",
            )),
        }
    }

    fn permissions(&self, claims: &Claims) -> Result<Permissions, ClaimError> {
        if let Some(permissions) = claims.read("permissions", |value| self.names.read(value))? {
            return Ok(permissions);
        }
        let words = |value: &mut Reader<'_>| {
            let scope = value.text()?;
            Ok(self.names.permissions(scope.split(' ')))
        };
        Ok(claims.read("scope", words)?.unwrap_or_default())
    }
}

impl Issuer {
    /// `iss` of every Camunda SaaS token. It differs from the token URL, and the slash belongs to
    /// it.
    const SAAS: &str = "https://weblogin.cloud.camunda.io/";
    /// Audience of the Web Modeler API on SaaS, shared by all organizations
    /// ([Web Modeler API, authentication](https://docs.camunda.io/docs/apis-tools/web-modeler-api/authentication/)).
    const SAAS_AUDIENCE: &str = "api.cloud.camunda.io";

    /// Returns the issuer Camunda SaaS for one organization; tokens of any other are rejected with
    /// 401.
    ///
    /// This also holds for another mapping, set with [`map_claims`](Issuer::map_claims). The preset
    /// has the audience `api.cloud.camunda.io` and the mapping [`SaasClaims`].
    pub fn saas(organization: impl Into<String>) -> Self {
        let organization = organization.into();
        let claims = match AuthorizedOrganization::parse(&organization) {
            Some(organization) => SaasClaims::of_organization(organization),
            // The validator cannot be built with this organization.
            None => SaasClaims::of_any_organization(),
        };
        Self::saas_with(claims).only_organization(organization)
    }

    /// Returns the issuer Camunda SaaS for every organization; the service must keep them apart by
    /// [`Access::organization`](crate::Access::organization).
    ///
    /// All customers of Camunda SaaS share one audience, so **tokens of any customer are
    /// accepted**.
    pub fn saas_any_organization() -> Self {
        Self::saas_with(SaasClaims::of_any_organization())
    }

    fn saas_with(claims: SaasClaims) -> Self {
        Self::oidc(Self::SAAS)
            .default_audience(Self::SAAS_AUDIENCE)
            .map_claims(claims)
    }
}

/// Reads the `id` of each object of an array; `None` if an object has no `id`, or another type of
/// it.
fn read_ids(value: &mut Reader<'_>) -> Result<Option<Vec<String>>, Malformed> {
    let mut ids = Some(Vec::new());
    value.array(|organization| {
        let mut id = None;
        organization.object(|member, value| {
            if member.name == "id" {
                id = value.text_if_any()?;
            } else {
                value.skip()?;
            }
            Ok(())
        })?;
        match (id, &mut ids) {
            (Some(id), Some(ids)) => ids.push(id.into_owned()),
            _ => ids = None,
        }
        Ok(())
    })?;
    Ok(ids)
}

impl MapClaims for SaasClaims {
    fn map(&self, claims: &Claims) -> Result<Grant, ClaimError> {
        Ok(Grant::new(
            self.organization(claims)?,
            self.permissions(claims)?,
        ))
    }
}
