//! Entry of the token cache, and its key.

use std::hash::{BuildHasher, Hasher};

use crate::{access::Access, clock::SteadyTime};

/// A token that was accepted.
#[derive(Clone)]
pub(crate) struct CachedToken {
    pub(crate) access: Access,
    /// Position of its issuer.
    pub(crate) issuer: usize,
    /// Generation of the key set by which it was verified.
    pub(crate) generation: u64,
    /// Time from which the token is checked in full again: the entry is too old, or its grant.
    pub(crate) fresh_until: SteadyTime,
    /// Time at which the source of grants answered; `None` if the grant is a mapping of the claims.
    pub(crate) granted_at: Option<SteadyTime>,
}

impl CachedToken {
    /// Memory of an entry beside its texts, in bytes. `tests/allocations.rs` measures it.
    const OVERHEAD: usize = 512;

    /// Returns the memory that the entry takes, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        let texts = self.access.claims().text_bytes();
        u64::try_from(texts.saturating_add(Self::OVERHEAD)).unwrap_or(u64::MAX)
    }

    pub(super) fn token(&self) -> &str {
        self.access.claims().token()
    }
}

/// Key of an entry: the last 16 bytes of the token, which belong to its signature.
///
/// Not the token itself: moka may keep a key after its value was evicted, and the size of keys is not
/// counted. Two tokens with the same key would replace each other. A lookup compares the whole token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TokenKey(u128);

impl TokenKey {
    pub(super) fn of(token: &[u8]) -> Self {
        let tail = token.last_chunk().unwrap_or(&[0; 16]);
        Self(u128::from_le_bytes(*tail))
    }

    pub(super) fn hash(self) -> u64 {
        TokenKeyHasher.hash_one(self)
    }
}

/// Hasher of keys. The bytes of a signature are as good as random, so they need little mixing.
#[derive(Clone)]
pub(super) struct TokenKeyHasher;

impl BuildHasher for TokenKeyHasher {
    type Hasher = Mixer;

    fn build_hasher(&self) -> Mixer {
        Mixer(0)
    }
}

pub(super) struct Mixer(u64);

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
