//! Issuers in the form that the validator uses.

use std::sync::Arc;

use crate::{
    access::{
        grant::Grant, grant_source::GrantSource, mapping::MapClaims,
        organization::AuthorizedOrganization,
    },
    auth::request_view::RequestView,
    clock::Clock,
    error::{auth::AuthError, claim::ClaimError, config::ConfigError, reason::Reason},
    issuer::{
        grants::Grants,
        revocation::{Revocation, TokenIdentity},
        sender_constraint::SenderConstraints,
        summary::IssuerSummary,
    },
    keys::{
        algorithm::AllowedAlgorithms,
        cache::{KeyCache, schedule::RefreshSettings},
        event::KeyCallback,
        source::KeySource,
    },
    token::claims::{ClaimRequirements, Claims},
};

/// Issuer whose settings are checked.
pub(crate) struct CheckedIssuer {
    pub(crate) requirements: ClaimRequirements,
    pub(crate) source: Arc<dyn KeySource>,
    pub(crate) algorithms: AllowedAlgorithms,
    pub(crate) mapping: Arc<dyn MapClaims>,
    pub(crate) grant_source: Option<Arc<dyn GrantSource>>,
    pub(crate) sender_constraints: SenderConstraints,
    pub(crate) revocation: Option<Arc<dyn Revocation>>,
    pub(crate) organization: Option<AuthorizedOrganization>,
    pub(crate) summary: IssuerSummary,
}

impl CheckedIssuer {
    /// Starts the key cache of the issuer.
    pub(crate) fn trust(
        self,
        settings: RefreshSettings,
        clock: Clock,
        callback: KeyCallback,
    ) -> Result<TrustedIssuer, ConfigError> {
        let issuer = &self.requirements.issuer;
        let keys = KeyCache::new(
            issuer,
            self.source,
            self.algorithms,
            settings,
            clock.clone(),
            callback,
        );
        let keys = keys.map_err(|error| ConfigError::InvalidKeys {
            issuer: issuer.to_string(),
            source: error,
        })?;
        let organization = &self.organization;
        let grants = self.grant_source.map(|source| {
            let issuer = Arc::clone(issuer);
            Grants::new(issuer, source, organization.clone(), clock)
        });
        Ok(TrustedIssuer {
            requirements: Arc::new(self.requirements),
            algorithms: self.algorithms,
            keys,
            mapping: self.mapping,
            grants,
            sender_constraints: self.sender_constraints,
            revocation: self.revocation,
            organization: self.organization,
        })
    }
}

/// Issuer whose tokens are accepted.
pub(crate) struct TrustedIssuer {
    pub(crate) requirements: Arc<ClaimRequirements>,
    pub(crate) algorithms: AllowedAlgorithms,
    pub(crate) keys: KeyCache,
    pub(crate) mapping: Arc<dyn MapClaims>,
    /// Grants that come from elsewhere, in place of the mapping.
    pub(crate) grants: Option<Grants>,
    pub(crate) sender_constraints: SenderConstraints,
    pub(crate) revocation: Option<Arc<dyn Revocation>>,
    /// The only organization whose tokens are accepted, whatever the mapping.
    pub(crate) organization: Option<AuthorizedOrganization>,
}

impl TrustedIssuer {
    /// Checks the sender constraint and the revocation: the checks that a cached token repeats for
    /// each request.
    pub(crate) fn check_request(
        &self,
        claims: &Claims,
        request: Option<&RequestView<'_>>,
    ) -> Result<(), AuthError> {
        if claims.is_sender_constrained() {
            let confirmed = self.sender_constraints.verify(claims, request);
            confirmed.map_err(|error| {
                self.error(Reason::Unconfirmed)
                    .with_detail(error.to_string())
            })?;
        }
        let token = TokenIdentity::of(claims);
        match &self.revocation {
            Some(revocation) if revocation.is_revoked(&token) => Err(self.error(Reason::Revoked)),
            _ => Ok(()),
        }
    }

    /// Returns the grant that the mapping makes of `claims`.
    pub(crate) fn grant(&self, claims: &Claims) -> Result<Grant, AuthError> {
        let grant = self.mapping.map(claims);
        let grant = grant.map_err(|error| self.claims_refused(&error))?;
        if self.organization.is_some() && grant.organization != self.organization {
            return Err(self.claims_refused(&ClaimError::new(
                "(organization)",
                "is not the configured organization",
            )));
        }
        Ok(grant)
    }

    /// Returns the error for a verified token whose claims do not fit.
    pub(crate) fn claims_refused(&self, error: &ClaimError) -> AuthError {
        self.error(Reason::ClaimsRefused)
            .with_detail(error.to_string())
    }

    /// Returns an error for a verified token of this issuer.
    fn error(&self, reason: Reason) -> AuthError {
        AuthError::verified(reason).of_issuer(&self.requirements.issuer)
    }
}
