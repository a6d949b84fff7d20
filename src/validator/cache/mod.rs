//! Remembers tokens that were accepted, so that one that comes again costs no signature check.
//!
//! A verdict is a shortcut to the answer that a check would give at that instant. Wherever that is
//! not certain, e.g. because the issuer's keys are others by now, it is none, and the token is
//! checked as if it had never come before. Refusals are not remembered.

mod local;

use std::{
    hash::{BuildHasher, Hash, Hasher},
    time::Duration,
};

use moka::{policy::EvictionPolicy, sync::Cache};

use crate::{access::Access, clock::SteadyTime, validator::cache::local::Hot};

/// What was found about a token.
#[derive(Clone)]
pub(crate) struct Verdict {
    pub(crate) access: Access,
    /// The position of its issuer.
    pub(crate) issuer: usize,
    /// The generation of the key set by which it was verified.
    pub(crate) generation: u64,
    pub(crate) found_at: SteadyTime,
}

impl Verdict {
    /// What an entry takes beside the texts it holds: `tests/allocations.rs` measures it.
    const ENTRY: usize = 512;

    /// What remembering it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let texts = self.access.claims().text_bytes();
        u64::try_from(texts.saturating_add(Self::ENTRY)).unwrap_or(u64::MAX)
    }

    /// The same, with an access that shares its count of references with no other.
    pub(crate) fn detached(&self) -> Self {
        Self {
            access: self.access.unshared(),
            ..*self
        }
    }
}

/// The verdicts of one validator, up to a number of bytes.
pub(crate) struct Verdicts {
    /// `None` if nothing is to be remembered.
    kept: Option<Kept>,
    oldest: Duration,
}

struct Kept {
    hot: Hot,
    /// By the end of the token. Not by the token itself: a key may stay behind when its value has
    /// gone, and nobody would count what it holds.
    cache: Cache<Tail, Verdict, Mixing>,
}

impl Verdicts {
    /// Remembers what fits into `capacity` bytes, each for `oldest` at the most.
    pub(crate) fn new(capacity: u64, oldest: Duration) -> Self {
        let for_hot = capacity / 8;
        let kept = || Kept {
            hot: Hot::new(for_hot),
            cache: Cache::builder()
                .weigher(|_, verdict: &Verdict| verdict.bytes().try_into().unwrap_or(u32::MAX))
                .max_capacity(capacity.saturating_sub(for_hot))
                // Not TinyLFU, which counts what is not there, too: whoever asks often enough for
                // junk would keep others out.
                .eviction_policy(EvictionPolicy::lru())
                // Frees memory, and no more: what counts is in the verdict.
                .time_to_live(oldest)
                .build_with_hasher(Mixing),
        };
        Self {
            kept: (capacity > 0).then(kept),
            oldest,
        }
    }

    /// The verdict about `token`, unless it is too old by `now`.
    pub(crate) fn get(&self, token: &str, now: SteadyTime) -> Option<Verdict> {
        let kept = self.kept.as_ref()?;
        let tail = Tail::of(token);
        let hash = Mixing.hash_one(tail);
        let is_young = |verdict: &Verdict| now.saturating_since(verdict.found_at) < self.oldest;
        if let Some(verdict) = kept.hot.get(hash, token).filter(is_young) {
            return Some(verdict);
        }
        let verdict = kept.cache.get(&tail).filter(is_young)?;
        if verdict.access.claims().token() != token {
            return None;
        }
        kept.hot.offer(hash, &verdict);
        Some(verdict)
    }

    /// Remembers `verdict` instead of any other about its token.
    pub(crate) fn insert(&self, verdict: Verdict) {
        if let Some(kept) = &self.kept {
            let tail = Tail::of(verdict.access.claims().token());
            kept.hot.forget(Mixing.hash_one(tail));
            kept.cache.insert(tail, verdict);
        }
    }
}

/// The end of a token, which belongs to its signature. Only verified tokens are remembered, so
/// nobody can make two that share it; should it happen all the same, they take turns.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Tail(u128);

impl Tail {
    fn of(token: &str) -> Self {
        Self(u128::from_le_bytes(
            *token.as_bytes().last_chunk().unwrap_or(&[0; 16]),
        ))
    }
}

/// Tails are as good as random, so they need little mixing.
#[derive(Clone)]
struct Mixing;

impl BuildHasher for Mixing {
    type Hasher = Mixer;

    fn build_hasher(&self) -> Mixer {
        Mixer(0)
    }
}

struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let (halves, _) = bytes.as_chunks();
        for half in halves {
            let mixed = (self.0 ^ u64::from_le_bytes(*half)).wrapping_mul(ODD);
            self.0 = mixed ^ mixed >> 32;
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
