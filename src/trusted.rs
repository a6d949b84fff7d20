//! An issuer as the validator holds it.

use std::{sync::Arc, time::Duration};

use crate::{
    access::AuthorizedOrganization,
    confirm::Confirmers,
    error::{AuthError, Reason},
    keys::{AllowedAlgorithms, Keeper},
    mapping::{ClaimError, Grant, MapClaims},
    request::RequestView,
    revocation::{Revocation, TokenIdentity},
    token::{Claims, Expectation},
};

/// An issuer whose tokens are accepted.
pub(crate) struct Trusted {
    pub(crate) expected: Arc<Expectation>,
    pub(crate) algorithms: AllowedAlgorithms,
    pub(crate) keeper: Keeper,
    pub(crate) mapping: Arc<dyn MapClaims>,
    pub(crate) confirmers: Confirmers,
    pub(crate) revocation: Option<Arc<dyn Revocation>>,
    /// The only organization whose tokens are accepted, whatever maps them.
    pub(crate) organization: Option<AuthorizedOrganization>,
}

impl Trusted {
    /// What must hold for each request anew, however well its token is known.
    pub(crate) fn check_request(
        &self,
        claims: &Claims,
        request: Option<&RequestView<'_>>,
        leeway: Duration,
    ) -> Result<(), AuthError> {
        if claims.is_sender_constrained() {
            self.confirmers.confirm(claims, request).map_err(|error| {
                AuthError::verified(Reason::Unconfirmed).with_detail(error.to_string())
            })?;
        }
        let token = TokenIdentity::of(claims, leeway);
        match &self.revocation {
            Some(revocation) if revocation.is_revoked(&token) => {
                Err(AuthError::verified(Reason::Revoked))
            }
            _ => Ok(()),
        }
    }

    /// What `claims` grant.
    pub(crate) fn grant(&self, claims: &Claims) -> Result<Grant, ClaimError> {
        let grant = self.mapping.map(claims)?;
        if self.organization.is_some() && grant.organization != self.organization {
            return Err(ClaimError::new(
                "(organization)",
                "is not the configured organization",
            ));
        }
        Ok(grant)
    }
}
