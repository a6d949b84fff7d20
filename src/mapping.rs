//! From verified claims to what they grant.

use std::{borrow::Cow, fmt};

use crate::{
    access::{AuthorizedOrganization, Permissions},
    token::Claims,
};

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

/// Maps the claims of an issuer to a [`Grant`]; see [`Issuer::map_claims`](crate::Issuer::map_claims).
///
/// It runs after the signature and every registered claim held. What it grants is remembered with
/// the token for some time ([`verdict_cache`](crate::TokenValidatorBuilder::verdict_cache)), so it
/// should depend on the claims alone. Closures implement it:
///
/// ```
/// use modeler_auth::{Claims, ClaimError, Grant, Issuer, Permission};
///
/// let issuer = Issuer::oidc("https://login.example.com/")?
///     .audience("modeler")
///     .map_claims(|claims: &Claims| {
///         let mut grant = Grant::default();
///         if claims.get::<bool>("may_read")?.unwrap_or(false) {
///             grant.permissions.insert(Permission::Read);
///         }
///         Ok::<_, ClaimError>(grant)
///     });
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
pub trait MapClaims: Send + Sync + 'static {
    /// Maps `claims`.
    ///
    /// # Errors
    /// [`ClaimError`] if the claims cannot be mapped; the token is refused with 401.
    fn map(&self, claims: &Claims) -> Result<Grant, ClaimError>;
}

impl<F> MapClaims for F
where
    F: Fn(&Claims) -> Result<Grant, ClaimError> + Send + Sync + 'static,
{
    fn map(&self, claims: &Claims) -> Result<Grant, ClaimError> {
        self(claims)
    }
}

/// A claim that does not fit: which one, and what is wrong with it. Never its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimError {
    claim: Cow<'static, str>,
    problem: &'static str,
}

impl ClaimError {
    /// The claim named `claim` has this `problem`, e.g. "is missing". It is logged, so it must
    /// not hold what the token says.
    pub fn new(claim: impl Into<Cow<'static, str>>, problem: &'static str) -> Self {
        Self {
            claim: claim.into(),
            problem,
        }
    }
}

impl fmt::Display for ClaimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "claim `{}` {}", self.claim, self.problem)
    }
}

impl std::error::Error for ClaimError {}
