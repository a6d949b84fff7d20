//! Verified token whose grant comes from elsewhere.

use crate::{
    access::Access,
    clock::SteadyTime,
    issuer::grants::{FreshGrant, KnownGrant},
    token::claims::Claims,
    validator::cache::{entry::CachedToken, shared::SharedCache},
};

/// Verified token whose grant is not known yet, with its place in the token cache.
#[derive(Clone)]
pub(crate) struct Ungranted {
    pub(crate) claims: Claims,
    /// Position of its issuer.
    pub(crate) issuer: usize,
    /// Generation of the key set by which it was verified.
    pub(crate) generation: u64,
    /// Time from which the token is checked in full again.
    pub(crate) fresh_until: SteadyTime,
    /// `None` if nothing is cached.
    pub(crate) cache: Option<SharedCache>,
}

impl Ungranted {
    pub(crate) fn token(&self) -> &str {
        self.claims.token()
    }

    /// Returns the last grant of the token, however old.
    pub(crate) fn known(&self) -> Option<KnownGrant> {
        let cache = self.cache.as_ref()?;
        let found = cache.get(self.token().as_bytes(), |_| true)?;
        Some(KnownGrant {
            grant: found.access.grant().clone(),
            granted_at: found.granted_at?,
            fresh_until: found.fresh_until,
        })
    }

    /// Returns the entry of the token with `grant`.
    pub(crate) fn granted(self, grant: FreshGrant) -> CachedToken {
        let FreshGrant { known, fresh_until } = grant;
        CachedToken {
            access: Access::new(self.claims, known.grant),
            issuer: self.issuer,
            generation: self.generation,
            fresh_until: self.fresh_until.min(fresh_until),
            granted_at: Some(known.granted_at),
        }
    }

    /// Caches the token with `grant`.
    pub(crate) fn keep(self, grant: FreshGrant) {
        if let Some(cache) = self.cache.clone() {
            cache.insert(self.granted(grant));
        }
    }

    /// Removes the token and its grant from the cache.
    pub(crate) fn forget(&self) {
        if let Some(cache) = &self.cache {
            cache.remove(self.token());
        }
    }
}
