//! Calls that are shared: at most one call for a key at a time, whose outcome all requests for that key
//! get. Calls and requests are bounded.
//!
//! 1. The first request for a key gets a [`Call`], which it moves to a task, and a [`Waiter`].
//! 2. Requests for the key join while the call is under way, and get a `Waiter` each.
//! 3. The task ends the call with its outcome, and the waiters wake. A `Call` that is dropped, e.g. by a
//!    panic or because its runtime ends, ends without an outcome.
//! 4. A waiter whose deadline passes ends the call without an outcome: its task was lost. The next request
//!    for the key starts another call.
//!
//! The waiters of keys (`keys/cache/waiters.rs`) differ: fetches of one issuer run one after another, and
//! the end of a fetch also ends the wait for earlier ones. Calls for several keys end in any order.
//!
//! `tests/loom` runs this file through every interleaving of its threads.

#[cfg(loom)]
use loom::sync::{Arc, Mutex, MutexGuard};
#[cfg(not(loom))]
use std::sync::{Arc, Mutex, MutexGuard};
use std::{
    collections::HashMap,
    future::Future,
    hash::Hash,
    pin::Pin,
    sync::PoisonError,
    task::{Context, Poll, Waker},
};

use slab::Slab;

/// Number of calls that may be under way; a request that needs another call is rejected.
pub(crate) const MAX_CALLS: usize = 32;
/// Number of requests that may wait for all calls together; others are rejected.
pub(crate) const MAX_WAITING: usize = 256;

/// Time limit of a waiter.
pub(crate) type Deadline = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

/// Calls under way, and the requests that wait for them.
pub(crate) struct Calls<K, T> {
    state: Mutex<State<K, T>>,
}

struct State<K, T> {
    /// Numbers of the calls under way.
    running: HashMap<K, u64>,
    /// Calls under way, and calls that have ended but whose waiters have not all seen it.
    calls: HashMap<u64, CallState<K, T>>,
    /// Number of the last call.
    last: u64,
    /// Number of waiters of all calls.
    waiting: usize,
}

struct CallState<K, T> {
    key: K,
    progress: Progress<T>,
    waiters: Slab<Option<Waker>>,
}

enum Progress<T> {
    /// `None` if the call was lost.
    Ended(Option<T>),
    Running,
}

/// Outcome for a request that needs a call.
pub(crate) enum Joined<K: Clone + Eq + Hash, T: Clone> {
    /// A call for the key is under way.
    Joins(Waiter<K, T>),
    /// The request must make the call.
    Starts(Call<K, T>, Waiter<K, T>),
    /// Too many calls are under way, or too many requests wait.
    TooMany,
}

impl<K, T> Default for Calls<K, T> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                running: HashMap::new(),
                calls: HashMap::new(),
                last: 0,
                waiting: 0,
            }),
        }
    }
}

impl<K: Clone + Eq + Hash, T: Clone> Calls<K, T> {
    fn state(&self) -> MutexGuard<'_, State<K, T>> {
        // Nothing panics while it holds the lock, and the state is consistent between statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a request that needs the outcome of a call for `key`.
    pub(crate) fn join(calls: &Arc<Self>, key: K) -> Joined<K, T> {
        let mut guard = calls.state();
        let state = &mut *guard;
        if state.waiting >= MAX_WAITING {
            return Joined::TooMany;
        }
        let running = state.running.get(&key).copied();
        let number = match running {
            Some(number) => number,
            None if state.running.len() >= MAX_CALLS => return Joined::TooMany,
            None => {
                state.last = state.last.saturating_add(1);
                state.running.insert(key.clone(), state.last);
                state.last
            }
        };
        let call = state.calls.entry(number).or_insert_with(|| CallState {
            key,
            progress: Progress::Running,
            waiters: Slab::new(),
        });
        let slot = call.waiters.insert(None);
        state.waiting = state.waiting.saturating_add(1);
        drop(guard);
        let waiter = Waiter {
            calls: Arc::clone(calls),
            number,
            slot,
            deadline: None,
        };
        if running.is_some() {
            return Joined::Joins(waiter);
        }
        let calls = Arc::clone(calls);
        Joined::Starts(Call { calls, number }, waiter)
    }

    /// Ends the call `number`, unless it has ended.
    fn end(&self, number: u64, outcome: Option<T>) {
        let mut guard = self.state();
        let state = &mut *guard;
        let Some(call) = state.calls.get_mut(&number) else {
            return;
        };
        if matches!(call.progress, Progress::Ended(_)) {
            return;
        }
        call.progress = Progress::Ended(outcome);
        let wakers: Vec<Waker> = call
            .waiters
            .iter_mut()
            .filter_map(|(_, waker)| waker.take())
            .collect();
        state.running.remove(&call.key);
        let left = state.remove_unneeded(number);
        // A waker may run its task immediately, which takes the lock. Dropping may run foreign code.
        drop(guard);
        drop(left);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Returns the number of calls that are kept, and of requests that wait.
    #[cfg(any(test, loom))]
    pub(crate) fn sizes(&self) -> (usize, usize) {
        let state = self.state();
        (state.calls.len(), state.waiting)
    }
}

impl<K, T> State<K, T> {
    /// Removes the call `number`, if it has ended and nothing waits for it.
    fn remove_unneeded(&mut self, number: u64) -> Option<CallState<K, T>> {
        let call = self.calls.get(&number)?;
        let is_unneeded = matches!(call.progress, Progress::Ended(_)) && call.waiters.is_empty();
        is_unneeded.then(|| self.calls.remove(&number)).flatten()
    }
}

/// Call that is under way. Dropping it ends the call without an outcome.
pub(crate) struct Call<K: Clone + Eq + Hash, T: Clone> {
    calls: Arc<Calls<K, T>>,
    number: u64,
}

impl<K: Clone + Eq + Hash, T: Clone> Call<K, T> {
    /// Ends the call.
    pub(crate) fn end(self, outcome: T) {
        self.calls.end(self.number, Some(outcome));
    }
}

impl<K: Clone + Eq + Hash, T: Clone> Drop for Call<K, T> {
    fn drop(&mut self) {
        self.calls.end(self.number, None);
    }
}

/// Future of a call's outcome; `None` if the call was lost. Dropping it does not cancel the call.
pub(crate) struct Waiter<K: Clone + Eq + Hash, T: Clone> {
    calls: Arc<Calls<K, T>>,
    number: u64,
    slot: usize,
    deadline: Option<Deadline>,
}

impl<K: Clone + Eq + Hash, T: Clone> Waiter<K, T> {
    /// Sets the time after which the call counts as lost.
    pub(crate) fn until(mut self, deadline: Option<Deadline>) -> Self {
        self.deadline = deadline;
        self
    }

    fn poll_call(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = self.calls.state();
        let Some(call) = state.calls.get_mut(&self.number) else {
            return Poll::Ready(None);
        };
        if let Progress::Ended(outcome) = &call.progress {
            return Poll::Ready(outcome.clone());
        }
        let Some(known) = call.waiters.get_mut(self.slot) else {
            return Poll::Ready(None);
        };
        if known
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            return Poll::Pending;
        }
        let old = known.replace(cx.waker().clone());
        drop(state);
        // Dropping a waker may run foreign code.
        drop(old);
        Poll::Pending
    }
}

impl<K: Clone + Eq + Hash, T: Clone> Future for Waiter<K, T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if let Poll::Ready(outcome) = self.poll_call(cx) {
            return Poll::Ready(outcome);
        }
        let deadline = self.deadline.as_mut();
        if deadline.is_none_or(|deadline| deadline.as_mut().poll(cx).is_pending()) {
            return Poll::Pending;
        }
        self.calls.end(self.number, None);
        // The call may have ended with an outcome just before.
        self.poll_call(cx)
    }
}

impl<K: Clone + Eq + Hash, T: Clone> Drop for Waiter<K, T> {
    fn drop(&mut self) {
        let mut guard = self.calls.state();
        let state = &mut *guard;
        let call = state.calls.get_mut(&self.number);
        let waker = call.and_then(|call| call.waiters.try_remove(self.slot));
        if waker.is_some() {
            state.waiting = state.waiting.saturating_sub(1);
        }
        let left = state.remove_unneeded(self.number);
        // Dropping a waker may run foreign code.
        drop(guard);
        drop((waker, left));
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        task::Wake,
    };

    use super::*;

    type Numbers = Calls<usize, usize>;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn poll(waiter: &mut Waiter<usize, usize>, wakes: &Arc<Wakes>) -> Poll<Option<usize>> {
        let waker = Waker::from(Arc::clone(wakes));
        Pin::new(waiter).poll(&mut Context::from_waker(&waker))
    }

    fn start(
        calls: &Arc<Numbers>,
        key: usize,
    ) -> Option<(Call<usize, usize>, Waiter<usize, usize>)> {
        match Calls::join(calls, key) {
            Joined::Starts(call, waiter) => Some((call, waiter)),
            Joined::Joins(_) | Joined::TooMany => None,
        }
    }

    fn join(calls: &Arc<Numbers>, key: usize) -> Option<Waiter<usize, usize>> {
        match Calls::join(calls, key) {
            Joined::Joins(waiter) => Some(waiter),
            Joined::Starts(..) | Joined::TooMany => None,
        }
    }

    #[test]
    fn the_waiters_of_a_call_get_its_outcome_and_no_others() {
        let calls = Arc::new(Numbers::default());
        let wakes = Arc::new(Wakes::default());
        let (one, mut first) = start(&calls, 1).unwrap();
        let (_two, mut other) = start(&calls, 2).unwrap();
        let mut second = join(&calls, 1).unwrap();
        for waiter in [&mut first, &mut second, &mut other] {
            assert_eq!(poll(waiter, &wakes), Poll::Pending);
        }
        one.end(10);
        assert_eq!(wakes.0.load(Ordering::Relaxed), 2);
        assert_eq!(poll(&mut first, &wakes), Poll::Ready(Some(10)));
        assert_eq!(poll(&mut second, &wakes), Poll::Ready(Some(10)));
        assert_eq!(poll(&mut other, &wakes), Poll::Pending);
        // The outcome is not for requests that come later.
        let (_again, mut later) = start(&calls, 1).unwrap();
        assert_eq!(poll(&mut later, &wakes), Poll::Pending);
    }

    #[test]
    fn a_lost_call_ends_without_an_outcome() {
        let calls = Arc::new(Numbers::default());
        let (lost, mut waiter) = start(&calls, 1).unwrap();
        drop(lost);
        assert_eq!(poll(&mut waiter, &Arc::default()), Poll::Ready(None));
        assert!(start(&calls, 1).is_some());
    }

    #[test]
    fn a_deadline_ends_the_call_for_all_and_a_late_outcome_is_ignored() {
        let calls = Arc::new(Numbers::default());
        let wakes = Arc::new(Wakes::default());
        let (late, waiter) = start(&calls, 1).unwrap();
        let mut other = join(&calls, 1).unwrap();
        assert_eq!(poll(&mut other, &wakes), Poll::Pending);
        let mut waiter = waiter.until(Some(Box::pin(std::future::ready(()))));
        assert_eq!(poll(&mut waiter, &Arc::default()), Poll::Ready(None));
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
        assert_eq!(poll(&mut other, &wakes), Poll::Ready(None));
        let (_next, mut next) = start(&calls, 1).unwrap();
        late.end(10);
        assert_eq!(poll(&mut next, &wakes), Poll::Pending);
    }

    #[test]
    fn calls_and_waiting_requests_are_bounded_and_dropped_ones_make_room() {
        let calls = Arc::new(Numbers::default());
        let mut running: Vec<_> = (0..32).map(|key| start(&calls, key).unwrap()).collect();
        assert!(start(&calls, 32).is_none());
        let mut waiters: Vec<_> = (32..256)
            .map(|key| join(&calls, key % 32).unwrap())
            .collect();
        assert_eq!(calls.sizes(), (32, 256));
        assert!(join(&calls, 0).is_none());
        waiters.pop();
        assert!(join(&calls, 0).is_some());
        // A request that goes away does not cancel its call.
        let (call, waiter) = running.pop().unwrap();
        drop(waiter);
        assert!(start(&calls, 31).is_none());
        call.end(0);
        assert!(start(&calls, 32).is_some());
        drop((running, waiters));
        assert_eq!(calls.sizes(), (0, 0));
    }
}
