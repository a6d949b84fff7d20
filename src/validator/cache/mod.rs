//! Token cache: a token that was accepted costs no signature check the next time.
//!
//! A hit gives the answer that a full check would give at that instant. Where that is not certain, e.g.
//! because the issuer's keys have changed, the token is checked in full. Rejections are not cached.

pub(crate) mod entry;
mod local;
mod shared;

use std::time::Duration;

use self::entry::CachedToken;
// To remove the cache of each thread: use `shared::SharedCache as Store` here, then delete `local.rs`,
// `Access::unshared`, `TokenKey::hash` and the dependency `thread_local`.
use self::local::LocalCache as Store;
use crate::{clock::SteadyTime, issuer::grants::KnownGrant};

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
    pub(crate) fn get(&self, token: &str, now: SteadyTime) -> Option<CachedToken> {
        let is_fresh = |found: &CachedToken| now < found.fresh_until;
        self.store.as_ref()?.get(token, is_fresh)
    }

    /// Returns the last grant of `token` from a source of grants, however old.
    pub(crate) fn known_grant(&self, token: &str) -> Option<KnownGrant> {
        self.store.as_ref()?.get_shared(token)?.known_grant()
    }

    /// Removes the entry of `token`, which must not be fresh: other threads may have a copy.
    pub(crate) fn remove_stale(&self, token: &str) {
        if let Some(store) = &self.store {
            store.remove_shared(token);
        }
    }

    /// Adds `token` in place of any older entry of it.
    pub(crate) fn insert(&self, token: CachedToken) {
        if let Some(store) = &self.store {
            store.insert(token);
        }
    }
}
