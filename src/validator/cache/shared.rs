//! Part of the token cache that all threads share.

use std::time::Duration;

use moka::{policy::EvictionPolicy, sync::Cache};

use crate::{
    telemetry::metrics,
    validator::cache::entry::{CachedToken, TokenKey, TokenKeyHasher},
};

/// Cache of at most a number of bytes. A clone is cheap and shares the entries.
#[derive(Clone)]
pub(crate) struct SharedCache(Cache<TokenKey, CachedToken, TokenKeyHasher>);

impl SharedCache {
    pub(super) fn new(capacity: u64, max_age: Duration) -> Self {
        let cache = Cache::builder()
            .weigher(|_, token: &CachedToken| token.bytes().try_into().unwrap_or(u32::MAX))
            .max_capacity(capacity)
            // Deliberately not TinyLFU: it also counts look-ups of unknown tokens, so a flood of
            // forged tokens could keep good ones out.
            .eviction_policy(EvictionPolicy::lru())
            // Frees memory only; correctness depends on `CachedToken::fresh_until`.
            .time_to_live(max_age)
            .build_with_hasher(TokenKeyHasher);
        Self(cache)
    }

    /// Returns the entry of `token`, if it `is_fresh`.
    pub(super) fn get(
        &self,
        token: &[u8],
        is_fresh: impl Fn(&CachedToken) -> bool,
    ) -> Option<CachedToken> {
        let found = self.0.get(&TokenKey::of(token));
        found.filter(|found| is_fresh(found) && found.token().as_bytes() == token)
    }

    /// Removes the entry of `token`. Copies of threads stay.
    pub(super) fn remove(&self, token: &str) {
        self.0.invalidate(&TokenKey::of(token.as_bytes()));
    }

    pub(super) fn insert(&self, token: CachedToken) {
        self.0.insert(TokenKey::of(token.token().as_bytes()), token);
    }

    /// Records the number of entries, their bytes and the limit as metrics, without those of threads.
    pub(super) fn record_size(&self) {
        if !cfg!(feature = "metrics") {
            return;
        }
        // Until then the numbers lack the last insertions.
        self.0.run_pending_tasks();
        let limit = self.0.policy().max_capacity().unwrap_or(u64::MAX);
        metrics::cache_size(self.0.entry_count(), self.0.weighted_size(), limit);
    }
}
