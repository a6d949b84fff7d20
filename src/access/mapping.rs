//! Mapping from verified claims to a grant.

use std::sync::Arc;

use crate::{access::grant::Grant, error::claim::ClaimError, token::claims::Claims};

/// Mapping from the claims of an issuer to a [`Grant`]; see
/// [`Issuer::map_claims`](crate::Issuer::map_claims).
///
/// The validator calls it after it has verified the signature and all registered claims. The result
/// is cached with the token
/// ([`token_cache_bytes`](crate::TokenValidatorBuilder::token_cache_bytes)), so it must depend only
/// on the claims. Functions and closures implement this trait; see
/// [`Issuer::map_claims_fn`](crate::Issuer::map_claims_fn).
///
/// ```
/// use modeler_auth::{access::{ClaimError, Grant}, Claims, Issuer, Permission};
///
/// fn grant(claims: &Claims) -> Result<Grant, ClaimError> {
///     let mut grant = Grant::default();
///     if claims.get::<bool>("may_read")?.unwrap_or(false) {
///         grant.permissions.insert(Permission::Read);
///     }
///     Ok(grant)
/// }
///
/// let issuer = Issuer::oidc("https://login.example.com/").audience("modeler").map_claims(grant);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not map claims to a grant",
    label = "not a mapping of claims",
    note = "use `camunda::ClaimRules`, or a function `fn(&Claims) -> Result<Grant, ClaimError>`; pass a closure to `Issuer::map_claims_fn`"
)]
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
