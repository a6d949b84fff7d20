//! Token cache of each thread.
//!
//! A machine client sends one token to every core. Cores that share the entry contend for its use and
//! reference counters, so each thread copies its most frequent tokens.

use std::{
    cell::RefCell,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use thread_local::ThreadLocal;

use crate::validator::cache::{
    entry::{CachedToken, TokenKey},
    shared::SharedCache,
};

/// Cache of each thread in front of the shared one.
pub(super) struct LocalCache {
    front: Front,
    shared: SharedCache,
}

impl LocalCache {
    /// Up to an eighth of the `capacity` goes to the threads.
    pub(super) fn new(capacity: u64, max_age: Duration) -> Self {
        let for_threads = capacity / 8;
        Self {
            front: Front::new(for_threads),
            shared: SharedCache::new(capacity.saturating_sub(for_threads), max_age),
        }
    }

    /// Returns the entry of `token`, if it `is_fresh`.
    pub(super) fn get(
        &self,
        token: &[u8],
        is_fresh: impl Fn(&CachedToken) -> bool,
    ) -> Option<CachedToken> {
        let hash = TokenKey::of(token).hash();
        if let Some(found) = self.front.get(hash, token).filter(&is_fresh) {
            return Some(found);
        }
        let found = self.shared.get(token, is_fresh)?;
        self.front.offer(hash, &found);
        Some(found)
    }

    pub(super) fn shared(&self) -> &SharedCache {
        &self.shared
    }

    pub(super) fn insert(&self, token: CachedToken) {
        self.front
            .remove(TokenKey::of(token.token().as_bytes()).hash());
        self.shared.insert(token);
    }
}

/// Entries of all threads, up to a number of bytes in all.
struct Front {
    threads: ThreadLocal<RefCell<Slots>>,
    /// Memory that the entries of all threads take.
    bytes: AtomicU64,
    max_bytes: u64,
}

/// Entries of one thread, in cache lines that no other thread writes.
#[derive(Default)]
#[repr(align(128))]
struct Slots([Slot; Front::SLOTS]);

#[derive(Default)]
struct Slot {
    entry: Option<(u64, CachedToken)>,
    /// Hash of the last token that was looked up in this slot. A token enters the slot after two
    /// lookups in a row, so alternating tokens do not evict each other.
    last: u64,
}

/// Exists while the thread-local values of the thread do. After that `ThreadLocal` panics, and a panic in
/// the destructor of a thread-local value aborts the process.
struct Running;

impl Drop for Running {
    fn drop(&mut self) {}
}

fn is_running() -> bool {
    static FIRST: LazyLock<ThreadLocal<()>> = LazyLock::new(ThreadLocal::new);
    thread_local! {
        // Created after the value that the crate `thread_local` keeps, so destroyed before it.
        static RUNNING: Running = {
            FIRST.get_or_default();
            Running
        };
    }
    RUNNING.try_with(|_| ()).is_ok()
}

impl Front {
    const SLOTS: usize = 8;

    fn new(max_bytes: u64) -> Self {
        Self {
            threads: ThreadLocal::new(),
            bytes: AtomicU64::new(0),
            max_bytes,
        }
    }

    /// Returns this thread's entry of `token`, whose hash is `hash`.
    fn get(&self, hash: u64, token: &[u8]) -> Option<CachedToken> {
        let mut slots = self.threads.get()?.borrow_mut();
        let slot = slots.0.get_mut(Self::slot(hash))?;
        let (its_hash, found) = slot.entry.as_ref()?;
        let is_it = *its_hash == hash && found.token().as_bytes() == token;
        is_it.then(|| {
            slot.last = hash;
            found.clone()
        })
    }

    /// Copies `token`, if this thread looked for it twice in a row.
    fn offer(&self, hash: u64, token: &CachedToken) {
        if !is_running() {
            return;
        }
        let mut slots = self.threads.get_or_default().borrow_mut();
        let Some(slot) = slots.0.get_mut(Self::slot(hash)) else {
            return;
        };
        if std::mem::replace(&mut slot.last, hash) != hash {
            return;
        }
        self.empty(slot);
        // The limit may be exceeded by what other threads add at this moment.
        let bytes = token.bytes();
        if self.bytes.load(Ordering::Relaxed).saturating_add(bytes) <= self.max_bytes {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
            let copy = CachedToken {
                access: token.access.unshared(),
                ..*token
            };
            slot.entry = Some((hash, copy));
        }
    }

    /// Removes this thread's entry of a token whose hash is `hash`.
    fn remove(&self, hash: u64) {
        let Some(slots) = self.threads.get() else {
            return;
        };
        if let Some(slot) = slots.borrow_mut().0.get_mut(Self::slot(hash)) {
            self.empty(slot);
        }
    }

    fn empty(&self, slot: &mut Slot) {
        if let Some((_, old)) = slot.entry.take() {
            self.bytes.fetch_sub(old.bytes(), Ordering::Relaxed);
        }
    }

    fn slot(hash: u64) -> usize {
        usize::from(hash.to_le_bytes()[0]) % Self::SLOTS
    }
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use super::*;
    use crate::{test_util::TestIssuer, validator::TokenValidator};

    /// Tokens that differ, and their entries.
    fn tokens(count: usize) -> Vec<(String, CachedToken)> {
        let issuer = TestIssuer::self_managed();
        let validator = TokenValidator::builder().issuer(issuer.issuer());
        let validator = validator.build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let checked = |token: &str| CachedToken {
            access: runtime.block_on(validator.validate(token)).unwrap(),
            issuer: 0,
            generation: 0,
            fresh_until: crate::clock::SteadyTime::ZERO,
            granted_at: None,
        };
        let tokens = (0..count).map(|number| issuer.token().subject(&number.to_string()).sign());
        tokens
            .map(|token| (token.clone(), checked(&token)))
            .collect()
    }

    fn subject(entry: Option<CachedToken>) -> Option<String> {
        entry?.access.subject().map(str::to_owned)
    }

    #[test]
    fn a_token_looked_up_twice_in_a_row_is_cached_for_its_thread() {
        let front = Front::new(1 << 20);
        let [(a, entry_a), (b, entry_b)] = tokens(2).try_into().ok().unwrap();
        for _ in 0..3 {
            // Alternating tokens in one slot: none is cached.
            front.offer(8, &entry_a);
            front.offer(16, &entry_b);
            assert!(
                front
                    .get(8, a.as_bytes())
                    .or(front.get(16, b.as_bytes()))
                    .is_none()
            );
        }
        front.offer(8, &entry_a);
        front.offer(8, &entry_a);
        assert_eq!(subject(front.get(8, a.as_bytes())).as_deref(), Some("0"));
        let elsewhere =
            std::thread::scope(|scope| scope.spawn(|| front.get(8, a.as_bytes())).join());
        assert!(elsewhere.unwrap().is_none());
        for _ in 0..3 {
            // Lookups of another token in between do not evict it.
            front.offer(16, &entry_b);
            assert!(front.get(8, a.as_bytes()).is_some());
        }
        front.offer(16, &entry_b);
        front.offer(16, &entry_b);
        assert_eq!(subject(front.get(16, b.as_bytes())).as_deref(), Some("1"));
        assert!(front.get(8, a.as_bytes()).is_none());
    }

    #[test]
    fn a71_tokens_with_the_same_hash_are_distinguished() {
        let front = Front::new(1 << 20);
        let [(a, entry_a), (b, _)] = tokens(2).try_into().ok().unwrap();
        front.offer(8, &entry_a);
        front.offer(8, &entry_a);
        assert_eq!(subject(front.get(8, a.as_bytes())).as_deref(), Some("0"));
        assert!(front.get(8, b.as_bytes()).is_none());
        assert!(front.get(8, &a.as_bytes()[..a.len() - 1]).is_none());
        front.remove(8);
        assert!(front.get(8, a.as_bytes()).is_none());
        assert_eq!(front.bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a77_no_more_is_cached_than_allowed() {
        let all = tokens(8);
        let each = all[0].1.bytes();
        let front = Front::new(3 * each + each / 2);
        let keep_all = || {
            for (hash, (_, entry)) in (0..).zip(&all) {
                front.offer(hash, entry);
                front.offer(hash, entry);
            }
            let kept = (0..)
                .zip(&all)
                .filter(|(hash, (token, _))| front.get(*hash, token.as_bytes()).is_some());
            kept.count()
        };
        assert_eq!(keep_all(), 3);
        // The limit counts the entries of all threads.
        let elsewhere = std::thread::scope(|scope| scope.spawn(keep_all).join().unwrap());
        assert_eq!(elsewhere, 0);
        assert_eq!(keep_all(), 3);
        assert!(front.bytes.load(Ordering::Relaxed) <= front.max_bytes);
    }
}
