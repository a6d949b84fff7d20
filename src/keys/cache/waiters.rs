//! Waiters: any number of requests wait for the same fetch.
//!
//! Fetches are numbered in the order in which they start. A waiter names the fetch it waits for,
//! and wakes when this fetch or a later fetch has ended.
//!
//! `tests/loom` runs this file through every interleaving of its threads.

#[cfg(loom)]
use loom::sync::{Arc, Mutex, MutexGuard};
#[cfg(not(loom))]
use std::sync::{Arc, Mutex, MutexGuard};
use std::{
    future::Future,
    pin::Pin,
    sync::PoisonError,
    task::{Context, Poll, Waker},
};

use slab::Slab;

/// Number of requests that may wait for the first keys; others are rejected with 503.
const MAX_COLD_WAITERS: usize = 16_384;
/// Number of requests that may wait for an unknown key; others are rejected with 503.
const MAX_UNKNOWN_KEY_WAITERS: usize = 64;

/// Time limit of a wait; it supervises the task before it ends the wait.
pub(crate) type Deadline = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

/// Waiters of one issuer.
#[derive(Default)]
pub(crate) struct Waiters {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Number of the last fetch that has ended.
    ended: u64,
    waiters: Slab<Waiter>,
    cold: usize,
    unknown_key: usize,
}

impl State {
    /// Returns the number of waiters of a bounded kind, and the limit; `None` for an unbounded
    /// kind.
    fn bounded(&mut self, kind: WaiterKind) -> Option<(&mut usize, usize)> {
        match kind {
            WaiterKind::Cold => Some((&mut self.cold, MAX_COLD_WAITERS)),
            WaiterKind::Operator => None,
            WaiterKind::UnknownKey => Some((&mut self.unknown_key, MAX_UNKNOWN_KEY_WAITERS)),
        }
    }
}

struct Waiter {
    fetch: u64,
    waker: Option<Waker>,
}

/// Kind of a waiter. Each kind is counted separately, so that a flood of unknown keys cannot crowd
/// out requests that wait for the first keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaiterKind {
    /// A request without any usable keys.
    Cold,
    /// The service itself, not a request.
    Operator,
    /// A request for a key that is not in the set.
    UnknownKey,
}

impl Waiters {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock, and the state is consistent between statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a waiter for `fetch`; `None` if too many requests already wait.
    pub(crate) fn wait_for(
        waiters: &Arc<Self>,
        fetch: u64,
        kind: WaiterKind,
    ) -> Option<Registration> {
        let mut state = waiters.state();
        if let Some((waiting, limit)) = state.bounded(kind) {
            if *waiting >= limit {
                return None;
            }
            *waiting = waiting.saturating_add(1);
        }
        let slot = state.waiters.insert(Waiter { fetch, waker: None });
        drop(state);
        Some(Registration {
            waiters: Arc::clone(waiters),
            slot,
            kind,
        })
    }

    /// Marks all fetches up to `fetch` as ended, and wakes their waiters.
    pub(crate) fn end(&self, fetch: u64) {
        let mut state = self.state();
        state.ended = state.ended.max(fetch);
        let ended = state.ended;
        let wakers: Vec<Waker> = state
            .waiters
            .iter_mut()
            .filter(|(_, waiter)| waiter.fetch <= ended)
            .filter_map(|(_, waiter)| waiter.waker.take())
            .collect();
        // A waker may run its task immediately, which takes the lock.
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Returns whether `fetch` has ended.
    pub(crate) fn has_ended(&self, fetch: u64) -> bool {
        self.state().ended >= fetch
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.state().waiters.len()
    }
}

/// Registration of a waiter; dropping it removes the waiter.
pub(crate) struct Registration {
    waiters: Arc<Waiters>,
    slot: usize,
    kind: WaiterKind,
}

impl Registration {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.waiters.state();
        let ended = state.ended;
        let waiter = state.waiters.get_mut(self.slot);
        let Some(waiter) = waiter.filter(|waiter| waiter.fetch > ended) else {
            return Poll::Ready(());
        };
        let known = waiter.waker.as_ref();
        if known.is_some_and(|waker| waker.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        let old = waiter.waker.replace(cx.waker().clone());
        drop(state);
        // Dropping a waker may run foreign code.
        drop(old);
        Poll::Pending
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut state = self.waiters.state();
        let left = state.waiters.try_remove(self.slot);
        if let Some((waiting, _)) = state.bounded(self.kind) {
            *waiting = waiting.saturating_sub(1);
        }
        if state.waiters.is_empty() {
            // Releases the memory that a burst of waiters needed.
            state.waiters = Slab::new();
        }
        drop(state);
        // Dropping a waker may run foreign code.
        drop(left);
    }
}

/// Future that is ready when a request should look for its key again.
pub(crate) struct Wait {
    /// `None` if the wait is over.
    registration: Option<Registration>,
    deadline: Option<Deadline>,
    /// `true` if the fetch was under way before the request, so its response may be too old.
    pub(crate) joined: bool,
}

impl Wait {
    /// Returns a wait that is over.
    pub(crate) fn over() -> Self {
        Self {
            registration: None,
            deadline: None,
            joined: true,
        }
    }

    pub(crate) fn new(
        registration: Registration,
        deadline: Option<Deadline>,
        joined: bool,
    ) -> Self {
        Self {
            registration: Some(registration),
            deadline,
            joined,
        }
    }
}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let is_over = match &self.registration {
            Some(registration) => registration.poll(cx).is_ready(),
            None => true,
        };
        match &mut self.deadline {
            _ if is_over => Poll::Ready(()),
            Some(deadline) => deadline.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        task::Wake,
    };

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn poll(wait: &mut Wait, wakes: &Arc<Wakes>) -> Poll<()> {
        let waker = Waker::from(Arc::clone(wakes));
        Pin::new(wait).poll(&mut Context::from_waker(&waker))
    }

    fn wait(waiters: &Arc<Waiters>, fetch: u64) -> Wait {
        let registration = Waiters::wait_for(waiters, fetch, WaiterKind::Cold).unwrap();
        Wait::new(registration, None, true)
    }

    #[test]
    fn a_wait_ends_with_its_deadline() {
        let waiters = Arc::new(Waiters::default());
        let registration = Waiters::wait_for(&waiters, 1, WaiterKind::Cold).unwrap();
        let deadline: Deadline = Box::pin(std::future::ready(()));
        let mut wait = Wait::new(registration, Some(deadline), true);
        assert_eq!(poll(&mut wait, &Arc::default()), Poll::Ready(()));
        assert_eq!(poll(&mut Wait::over(), &Arc::default()), Poll::Ready(()));
    }

    #[test]
    fn a_waiter_wakes_when_its_fetch_ends_and_not_before() {
        let waiters = Arc::new(Waiters::default());
        let wakes = Arc::new(Wakes::default());
        let mut wait = wait(&waiters, 2);
        assert_eq!(poll(&mut wait, &wakes), Poll::Pending);
        waiters.end(1);
        assert_eq!(wakes.0.load(Ordering::Relaxed), 0);
        assert_eq!(poll(&mut wait, &wakes), Poll::Pending);
        waiters.end(2);
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
        assert_eq!(poll(&mut wait, &wakes), Poll::Ready(()));
    }

    #[test]
    fn an_end_before_the_first_poll_is_not_missed() {
        let waiters = Arc::new(Waiters::default());
        let mut wait = wait(&waiters, 1);
        waiters.end(1);
        assert_eq!(poll(&mut wait, &Arc::default()), Poll::Ready(()));
    }

    #[test]
    fn f35_each_kind_of_waiter_is_capped_and_dropped_ones_make_room() {
        let waiters = Arc::new(Waiters::default());
        let mut unknown: Vec<_> = (0..64)
            .map(|_| Waiters::wait_for(&waiters, 1, WaiterKind::UnknownKey).unwrap())
            .collect();
        assert!(Waiters::wait_for(&waiters, 1, WaiterKind::UnknownKey).is_none());
        let cold: Vec<_> = (0..16_384)
            .map(|_| Waiters::wait_for(&waiters, 1, WaiterKind::Cold).unwrap())
            .collect();
        assert!(Waiters::wait_for(&waiters, 1, WaiterKind::Cold).is_none());
        unknown.pop();
        unknown.push(Waiters::wait_for(&waiters, 1, WaiterKind::UnknownKey).unwrap());
        drop((unknown, cold));
        assert_eq!(waiters.len(), 0);
        assert_eq!(waiters.state().waiters.capacity(), 0);
    }
}
