//! From verified claims to what they grant.

use crate::{access::grant::Grant, error::claim::ClaimError, token::claims::Claims};

/// Maps the claims of an issuer to a [`Grant`]; see [`Issuer::map_claims`](crate::Issuer::map_claims).
///
/// It runs after the signature and every registered claim held. What it grants is remembered with
/// the token for some time ([`token_cache_bytes`](crate::TokenValidatorBuilder::token_cache_bytes)), so it
/// should depend on the claims alone. Closures implement it:
///
/// ```
/// use modeler_auth::{access::{ClaimError, Grant}, Claims, Issuer, Permission};
///
/// let issuer = Issuer::oidc("https://login.example.com/")
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
