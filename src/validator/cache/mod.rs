//! Token cache: a token that was accepted costs no signature check the next time.
//!
//! A hit gives the answer that a full check would give at that instant. Where that is not certain, e.g.
//! because the issuer's keys have changed, the token is checked in full. Rejections are not cached.

pub(crate) mod entry;
mod local;
pub(crate) mod shared;
pub(crate) mod ungranted;

use std::time::Duration;

use self::{entry::CachedToken, shared::SharedCache};
// To remove the cache of each thread: use `shared::SharedCache as Store` here, then delete `local.rs`,
// `Access::unshared`, `TokenKey::hash` and the dependency `thread_local`.
use self::local::LocalCache as Store;
use crate::clock::SteadyTime;

/// Accepted tokens of one validator, up to a number of bytes.
pub(crate) struct TokenCache {
    /// `None` if the capacity is 0.
    store: Option<Store>,
    max_age: Duration,
}

impl TokenCache {
    /// An entry is used for `max_age`. Its grant may be needed for `max_stale_grant`.
    pub(crate) fn new(capacity: u64, max_age: Duration, max_stale_grant: Duration) -> Self {
        let kept_for = max_age.max(max_stale_grant);
        Self {
            store: (capacity > 0).then(|| Store::new(capacity, kept_for)),
            max_age,
        }
    }

    /// Returns the time until which a token may be used that is verified `now`.
    pub(crate) fn fresh_until(&self, now: SteadyTime) -> SteadyTime {
        now.saturating_add(self.max_age)
    }

    /// Returns the entry of `token`, unless it is too old `now`.
    pub(crate) fn get(&self, token: &[u8], now: SteadyTime) -> Option<CachedToken> {
        let is_fresh = |found: &CachedToken| now < found.fresh_until;
        self.store.as_ref()?.get(token, is_fresh)
    }

    /// Returns the cache that all threads share; `None` if the capacity is 0.
    pub(crate) fn shared(&self) -> Option<&SharedCache> {
        self.store.as_ref().map(Store::shared)
    }

    /// Adds `token` in place of any older entry of it.
    pub(crate) fn insert(&self, token: CachedToken) {
        if let Some(store) = &self.store {
            // While a request is served with an old grant, a call may have fetched a newer one.
            let has_newer = |found: &CachedToken| found.granted_at > token.granted_at;
            if token.granted_at.is_some()
                && store
                    .shared()
                    .get(token.token().as_bytes(), has_newer)
                    .is_some()
            {
                return;
            }
            store.insert(token);
            store.shared().record_size();
        }
    }
}
