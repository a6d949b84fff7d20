//! Verdicts that a thread needs again and again, in a place of its own.
//!
//! Often one machine client sends one token to every core. Counting its reads and its references
//! then is what the cores wait for, so each thread keeps a copy of its few hottest verdicts, and
//! neither counter is shared.

use std::{
    cell::RefCell,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use thread_local::ThreadLocal;

use crate::validator::cache::Verdict;

/// The hot verdicts of every thread, up to a number of bytes in all.
pub(crate) struct Hot {
    threads: ThreadLocal<RefCell<Slots>>,
    /// What all of them take.
    bytes: AtomicU64,
    most_bytes: u64,
}

/// What one thread keeps, in cache lines of its own.
#[derive(Default)]
#[repr(align(128))]
struct Slots([Slot; Hot::SLOTS]);

#[derive(Default)]
struct Slot {
    kept: Option<(u64, Verdict)>,
    /// The hash of the last token that came. If it is looked for twice running and is not there, it
    /// takes the place: among many tokens nothing is hot.
    last: u64,
}

/// Marks a thread whose thread-local values still exist. Later `ThreadLocal` would panic, and a panic in
/// a destructor of a thread-local value ends the process.
struct Running;

impl Drop for Running {
    fn drop(&mut self) {}
}

fn is_running() -> bool {
    static FIRST: LazyLock<ThreadLocal<()>> = LazyLock::new(ThreadLocal::new);
    thread_local! {
        // Made after the crate's own thread-local value, so destroyed before it.
        static RUNNING: Running = {
            FIRST.get_or_default();
            Running
        };
    }
    RUNNING.try_with(|_| ()).is_ok()
}

impl Hot {
    const SLOTS: usize = 8;

    pub(crate) fn new(most_bytes: u64) -> Self {
        Self {
            threads: ThreadLocal::new(),
            bytes: AtomicU64::new(0),
            most_bytes,
        }
    }

    /// The verdict about `token`, whose hash is `hash`.
    pub(crate) fn get(&self, hash: u64, token: &str) -> Option<Verdict> {
        let mut slots = self.threads.get()?.borrow_mut();
        let slot = slots.0.get_mut(Self::slot(hash))?;
        let (kept, verdict) = slot.kept.as_ref()?;
        let is_it = *kept == hash && verdict.access.claims().token() == token;
        is_it.then(|| {
            slot.last = hash;
            verdict.clone()
        })
    }

    /// Keeps `verdict`, if it is hot.
    pub(crate) fn offer(&self, hash: u64, verdict: &Verdict) {
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
        // The limit may be passed by what other threads add at this moment.
        let bytes = verdict.bytes();
        if self.bytes.load(Ordering::Relaxed).saturating_add(bytes) <= self.most_bytes {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
            slot.kept = Some((hash, verdict.detached()));
        }
    }

    /// Gives up what is kept for tokens whose hash is `hash`.
    pub(crate) fn forget(&self, hash: u64) {
        let Some(slots) = self.threads.get() else {
            return;
        };
        if let Some(slot) = slots.borrow_mut().0.get_mut(Self::slot(hash)) {
            self.empty(slot);
        }
    }

    fn empty(&self, slot: &mut Slot) {
        if let Some((_, old)) = slot.kept.take() {
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

    /// Tokens that differ, and verdicts about them.
    fn verdicts(count: usize) -> Vec<(String, Verdict)> {
        let issuer = TestIssuer::self_managed();
        let validator = TokenValidator::builder().issuer(issuer.issuer());
        let validator = validator.build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let verdict_about = |token: &str| Verdict {
            access: runtime.block_on(validator.validate(token)).unwrap(),
            issuer: 0,
            generation: 0,
            found_at: crate::clock::SteadyTime::ZERO,
        };
        let tokens = (0..count).map(|number| issuer.token().subject(&number.to_string()).sign());
        tokens
            .map(|token| (token.clone(), verdict_about(&token)))
            .collect()
    }

    fn subject(verdict: Option<Verdict>) -> Option<String> {
        verdict?.access.subject().map(str::to_owned)
    }

    #[test]
    fn what_comes_twice_running_is_kept_for_its_thread() {
        let hot = Hot::new(1 << 20);
        let [(a, verdict_a), (b, verdict_b)] = verdicts(2).try_into().ok().unwrap();
        for _ in 0..3 {
            // By turns in one place: nothing is hot.
            hot.offer(8, &verdict_a);
            hot.offer(16, &verdict_b);
            assert!(hot.get(8, &a).or(hot.get(16, &b)).is_none());
        }
        hot.offer(8, &verdict_a);
        hot.offer(8, &verdict_a);
        assert_eq!(subject(hot.get(8, &a)).as_deref(), Some("0"));
        let elsewhere = std::thread::scope(|scope| scope.spawn(|| hot.get(8, &a)).join());
        assert!(elsewhere.unwrap().is_none());
        for _ in 0..3 {
            // What is kept and comes in between stays.
            hot.offer(16, &verdict_b);
            assert!(hot.get(8, &a).is_some());
        }
        hot.offer(16, &verdict_b);
        hot.offer(16, &verdict_b);
        assert_eq!(subject(hot.get(16, &b)).as_deref(), Some("1"));
        assert!(hot.get(8, &a).is_none());
    }

    #[test]
    fn a71_tokens_of_one_hash_are_told_apart() {
        let hot = Hot::new(1 << 20);
        let [(a, verdict_a), (b, _)] = verdicts(2).try_into().ok().unwrap();
        hot.offer(8, &verdict_a);
        hot.offer(8, &verdict_a);
        assert_eq!(subject(hot.get(8, &a)).as_deref(), Some("0"));
        assert!(hot.get(8, &b).is_none());
        assert!(hot.get(8, &a[..a.len() - 1]).is_none());
        hot.forget(8);
        assert!(hot.get(8, &a).is_none());
        assert_eq!(hot.bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a77_no_more_is_kept_than_allowed() {
        let all = verdicts(8);
        let each = all[0].1.bytes();
        let hot = Hot::new(3 * each + each / 2);
        let keep_all = || {
            for (hash, (_, verdict)) in (0..).zip(&all) {
                hot.offer(hash, verdict);
                hot.offer(hash, verdict);
            }
            let kept = (0..)
                .zip(&all)
                .filter(|(hash, (token, _))| hot.get(*hash, token).is_some());
            kept.count()
        };
        assert_eq!(keep_all(), 3);
        // The others have no part in it, on whatever thread.
        let elsewhere = std::thread::scope(|scope| scope.spawn(keep_all).join().unwrap());
        assert_eq!(elsewhere, 0);
        assert_eq!(keep_all(), 3);
        assert!(hot.bytes.load(Ordering::Relaxed) <= hot.most_bytes);
    }
}
