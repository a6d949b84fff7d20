//! Mapping from verified claims to a grant.

use std::sync::Arc;

use crate::{access::grant::Grant, error::claim::ClaimError, token::claims::Claims};

/// Mapping from the claims of an issuer to a [`Grant`]; see
/// [`Issuer::map_claims`](crate::Issuer::map_claims).
///
/// The validator calls it after it has verified the signature and all registered claims. The result
/// is cached with the token
/// ([`token_cache_bytes`](crate::TokenValidatorBuilder::token_cache_bytes)), so it must depend only
/// on the claims. Closures implement this trait:
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
    /// Maps `claims` to a grant.
    ///
    /// # Errors
    /// [`ClaimError`] if the claims do not fit the mapping; the token is rejected with 401.
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

impl<M: MapClaims + ?Sized> MapClaims for Arc<M> {
    fn map(&self, claims: &Claims) -> Result<Grant, ClaimError> {
        (**self).map(claims)
    }
}
