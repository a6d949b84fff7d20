//! Tokens of Camunda SaaS.

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

/// Maps the claims of Camunda SaaS.
///
/// 1. The organization is the string `https://camunda.com/orgId`, which tokens of machine clients
///    carry. Without that claim it is looked for in `https://camunda.com/orgs`, a list of objects
///    with an `id`, which tokens of users carry: the configured organization must be in it or, if
///    none is configured, it must be the only one.
/// 2. If an organization is configured, the token's must be the same, byte for byte.
/// 3. Permissions are the strings of the array `permissions`; without that claim, the words of the
///    string `scope`. Camunda does not publish which strings stand for the permissions of the Web
///    Modeler API on SaaS: the default [`PermissionNames`] are **those of Self-Managed, and not
///    verified** against SaaS.
///
/// Anything else, a claim of another JSON type included, is refused with 401.
#[derive(Clone, Debug)]
#[must_use]
pub struct SaasClaims {
    organization: Option<AuthorizedOrganization>,
    names: PermissionNames,
}

const ORGANIZATION: &str = "https://camunda.com/orgId";
const ORGANIZATIONS: &str = "https://camunda.com/orgs";

impl SaasClaims {
    /// Accepts tokens of `organization` only.
    pub fn of_organization(organization: AuthorizedOrganization) -> Self {
        Self {
            organization: Some(organization),
            names: PermissionNames::default(),
        }
    }

    /// Accepts tokens of every organization.
    pub fn of_any_organization() -> Self {
        Self {
            organization: None,
            names: PermissionNames::default(),
        }
    }

    /// Reads permissions by other names.
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
                    "does not hold the configured organization",
                )),
            None => match ids.as_slice() {
                [only] => self.expected(only, ORGANIZATIONS),
                [] => Err(ClaimError::new(ORGANIZATIONS, "is empty")),
                [_, _, ..] => Err(ClaimError::new(
                    ORGANIZATIONS,
                    "holds several organizations, and none is configured",
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
    /// `iss` of every Camunda SaaS token. The token URL is another one, and the slash belongs to it.
    const SAAS: &str = "https://weblogin.cloud.camunda.io/";
    /// The audience of the Web Modeler API on SaaS, shared by all organizations
    /// ([Web Modeler API, authentication](https://docs.camunda.io/docs/apis-tools/web-modeler-api/authentication/)).
    const SAAS_AUDIENCE: &str = "api.cloud.camunda.io";

    /// Camunda SaaS, for one organization: tokens of any other are refused with 401, also if
    /// another mapping is set with [`map_claims`](Issuer::map_claims).
    ///
    /// Expects the audience `api.cloud.camunda.io`; claims are mapped by [`SaasClaims`].
    pub fn saas(organization: impl Into<String>) -> Self {
        let organization = organization.into();
        let claims = match AuthorizedOrganization::parse(&organization) {
            Some(organization) => SaasClaims::of_organization(organization),
            // The validator is not built with it.
            None => SaasClaims::of_any_organization(),
        };
        Self::saas_with(claims).only_organization(organization)
    }

    /// Camunda SaaS, for a service that serves every organization and keeps them apart by
    /// [`Access::organization`](crate::Access::organization).
    ///
    /// All customers of Camunda SaaS share one audience, so **any of them gets in**.
    pub fn saas_any_organization() -> Self {
        Self::saas_with(SaasClaims::of_any_organization())
    }

    fn saas_with(claims: SaasClaims) -> Self {
        Self::oidc(Self::SAAS)
            .default_audience(Self::SAAS_AUDIENCE)
            .map_claims(claims)
    }
}

/// Reads the `id` of each object of an array; `None` if one has no `id` that is a string.
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
