//! Shared calls: at most one call for a key runs at a time, and all requests for that key get its
//! outcome. Calls and requests are bounded.
//!
//! 1. The first request for a key gets a [`Call`], which it moves to a task, and a [`Waiter`].
//! 2. Requests for the key join the call until it ends, and get a `Waiter` each.
//! 3. The task waits for the turn of the call, since only some calls run at once. Turns are given in
//!    the order in which calls started.
//! 4. The task ends the call with its outcome, and the waiters wake. A `Call` that is dropped, e.g. by
//!    a panic or because its runtime ends, ends without an outcome.
//! 5. A waiter whose deadline passes ends the call without an outcome, since its task was lost. The
//!    next request for the key starts another call.
//!
//! A request that goes away takes no other along: its call goes on.
//!
//! The waiters of keys (`keys/cache/waiters.rs`) differ: fetches of one issuer run one after another,
//! have no outcome, and the end of a fetch also ends the wait for earlier fetches. Calls for several
//! keys end in any order.
//!
//! `tests/loom` runs this file through every interleaving of its threads.

#[cfg(loom)]
use loom::sync::{Arc, Mutex, MutexGuard};
#[cfg(not(loom))]
use std::sync::{Arc, Mutex, MutexGuard};
use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    hash::Hash,
    mem,
    pin::Pin,
    sync::PoisonError,
    task::{Context, Poll, Waker},
};

use slab::Slab;

/// Bounds of calls; beyond the last two, a request is rejected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Number of calls that run at once; others wait for their turn.
    pub(crate) running: usize,
    /// Number of calls, running or not. It also bounds the requests that start calls.
    pub(crate) calls: usize,
    /// Number of requests that have joined a call of another request, in all calls together.
    pub(crate) joined: usize,
}

/// Time limit of a waiter.
pub(crate) type Deadline = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

/// Calls under way, and the requests that wait for them.
pub(crate) struct Calls<K, T> {
    limits: Limits,
    state: Mutex<State<K, T>>,
}

struct State<K, T> {
    /// Numbers of the calls that have not ended.
    under_way: HashMap<K, u64>,
    /// Calls that have not ended, and ended calls with waiters.
    calls: HashMap<u64, CallState<K, T>>,
    /// Number of the last call.
    last: u64,
    /// Number of calls that have their turn.
    running: usize,
    /// Calls that wait for their turn.
    queue: VecDeque<u64>,
    /// Number of waiters that have joined.
    joined: usize,
}

struct CallState<K, T> {
    key: K,
    progress: Progress<T>,
    waiters: Slab<Option<Waker>>,
}

enum Progress<T> {
    /// `None` if the call was lost.
    Ended(Option<T>),
    /// Waits for its turn, with the waker of its task.
    Queued(Option<Waker>),
    Running,
}

/// Outcome for a request that needs a call.
pub(crate) enum Joined<K: Clone + Eq + Hash, T: Clone> {
    /// A call for the key is under way.
    Joins(Waiter<K, T>),
    /// The request must make the call.
    Starts(Call<K, T>, Waiter<K, T>),
    /// A limit is reached.
    TooMany,
}

impl<K: Clone + Eq + Hash, T: Clone> Calls<K, T> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: Mutex::new(State {
                under_way: HashMap::new(),
                calls: HashMap::new(),
                last: 0,
                running: 0,
                queue: VecDeque::new(),
                joined: 0,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<K, T>> {
        // Nothing panics while it holds the lock, and the state is consistent between statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a request that needs the outcome of a call for `key`.
    pub(crate) fn join(calls: &Arc<Self>, key: K) -> Joined<K, T> {
        let mut guard = calls.state();
        let state = &mut *guard;
        let known = state.under_way.get(&key).copied();
        if let Some(number) = known {
            if state.joined >= calls.limits.joined {
                return Joined::TooMany;
            }
            let Some(call) = state.calls.get_mut(&number) else {
                return Joined::TooMany;
            };
            let slot = call.waiters.insert(None);
            state.joined = state.joined.saturating_add(1);
            return Joined::Joins(Waiter::new(calls, number, slot, true));
        }
        if state.under_way.len() >= calls.limits.calls {
            return Joined::TooMany;
        }
        state.last = state.last.saturating_add(1);
        let number = state.last;
        state.under_way.insert(key.clone(), number);
        let progress = if state.running < calls.limits.running {
            state.running = state.running.saturating_add(1);
            Progress::Running
        } else {
            state.queue.push_back(number);
            Progress::Queued(None)
        };
        let mut waiters = Slab::new();
        let slot = waiters.insert(None);
        let call = CallState {
            key,
            progress,
            waiters,
        };
        state.calls.insert(number, call);
        drop(guard);
        let call = Call {
            calls: Arc::clone(calls),
            number,
        };
        Joined::Starts(call, Waiter::new(calls, number, slot, false))
    }

    /// Ends the call `number`, unless it has ended.
    fn end(&self, number: u64, outcome: Option<T>) {
        let mut guard = self.state();
        let state = &mut *guard;
        let Some(call) = state.calls.get_mut(&number) else {
            return;
        };
        let mut wakers: Vec<Waker> = Vec::new();
        match &call.progress {
            Progress::Ended(_) => return,
            Progress::Queued(_) => state.queue.retain(|queued| *queued != number),
            Progress::Running => state.running = state.running.saturating_sub(1),
        }
        let before = mem::replace(&mut call.progress, Progress::Ended(outcome));
        wakers.extend(
            call.waiters
                .iter_mut()
                .filter_map(|(_, waker)| waker.take()),
        );
        state.under_way.remove(&call.key);
        let left = state.remove_unneeded(number);
        wakers.extend(state.give_turn(self.limits.running));
        // A waker may run its task immediately, which takes the lock. Dropping may run foreign code.
        drop(guard);
        drop(left);
        if let Progress::Queued(Some(waker)) = before {
            // The task has nothing left to do.
            wakers.push(waker);
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Returns the numbers of calls that are kept, of running calls, and of requests that have joined.
    #[cfg(any(test, loom))]
    pub(crate) fn sizes(&self) -> (usize, usize, usize) {
        let state = self.state();
        (state.calls.len(), state.running, state.joined)
    }
}

impl<K, T> State<K, T> {
    /// Gives the next queued call its turn if fewer than `limit` calls run, and returns its waker.
    fn give_turn(&mut self, limit: usize) -> Option<Waker> {
        if self.running >= limit {
            return None;
        }
        let number = self.queue.pop_front()?;
        let call = self.calls.get_mut(&number)?;
        self.running = self.running.saturating_add(1);
        match mem::replace(&mut call.progress, Progress::Running) {
            Progress::Queued(waker) => waker,
            // Not expected: calls leave the queue when they end or run.
            Progress::Ended(_) | Progress::Running => None,
        }
    }

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
    /// Waits for the turn of the call. Returns `false` if the call has ended meanwhile, because a
    /// waiter's deadline passed.
    pub(crate) fn turn(&self) -> Turn<'_, K, T> {
        Turn(self)
    }

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

/// Future of the turn of a call.
pub(crate) struct Turn<'c, K: Clone + Eq + Hash, T: Clone>(&'c Call<K, T>);

impl<K: Clone + Eq + Hash, T: Clone> Future for Turn<'_, K, T> {
    type Output = bool;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        let call = self.0;
        let mut state = call.calls.state();
        let progress = state
            .calls
            .get_mut(&call.number)
            .map(|call| &mut call.progress);
        let old = match progress {
            None | Some(Progress::Ended(_)) => return Poll::Ready(false),
            Some(Progress::Running) => return Poll::Ready(true),
            Some(Progress::Queued(waker)) => waker.replace(cx.waker().clone()),
        };
        drop(state);
        // Dropping a waker may run foreign code.
        drop(old);
        Poll::Pending
    }
}

/// Future of a call's outcome; `None` if the call was lost. Dropping it does not cancel the call.
pub(crate) struct Waiter<K: Clone + Eq + Hash, T: Clone> {
    calls: Arc<Calls<K, T>>,
    number: u64,
    slot: usize,
    /// `false` for the request that started the call.
    has_joined: bool,
    deadline: Option<Deadline>,
}

impl<K: Clone + Eq + Hash, T: Clone> Waiter<K, T> {
    fn new(calls: &Arc<Calls<K, T>>, number: u64, slot: usize, has_joined: bool) -> Self {
        Self {
            calls: Arc::clone(calls),
            number,
            slot,
            has_joined,
            deadline: None,
        }
    }

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
        if self.has_joined {
            state.joined = state.joined.saturating_sub(1);
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

    const LIMITS: Limits = Limits {
        running: 2,
        calls: 4,
        joined: 3,
    };

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wakes {
        fn count(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn poll<F: Future + Unpin>(future: &mut F, wakes: &Arc<Wakes>) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(wakes));
        Pin::new(future).poll(&mut Context::from_waker(&waker))
    }

    fn has_turn(call: &Call<usize, usize>, wakes: &Arc<Wakes>) -> bool {
        poll(&mut call.turn(), wakes) == Poll::Ready(true)
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
        let calls = Arc::new(Numbers::new(LIMITS));
        let wakes = Arc::new(Wakes::default());
        let (one, mut first) = start(&calls, 1).unwrap();
        let (_two, mut other) = start(&calls, 2).unwrap();
        let mut second = join(&calls, 1).unwrap();
        for waiter in [&mut first, &mut second, &mut other] {
            assert_eq!(poll(waiter, &wakes), Poll::Pending);
        }
        one.end(10);
        assert_eq!(wakes.count(), 2);
        assert_eq!(poll(&mut first, &wakes), Poll::Ready(Some(10)));
        assert_eq!(poll(&mut second, &wakes), Poll::Ready(Some(10)));
        assert_eq!(poll(&mut other, &wakes), Poll::Pending);
        // The outcome is not for requests that come later.
        let (_again, mut later) = start(&calls, 1).unwrap();
        assert_eq!(poll(&mut later, &wakes), Poll::Pending);
    }

    #[test]
    fn a_lost_call_ends_without_an_outcome() {
        let calls = Arc::new(Numbers::new(LIMITS));
        let (lost, mut waiter) = start(&calls, 1).unwrap();
        drop(lost);
        assert_eq!(poll(&mut waiter, &Arc::default()), Poll::Ready(None));
        assert!(start(&calls, 1).is_some());
    }

    #[test]
    fn a_deadline_ends_the_call_for_all_and_a_late_outcome_is_ignored() {
        let calls = Arc::new(Numbers::new(LIMITS));
        let wakes = Arc::new(Wakes::default());
        let (late, waiter) = start(&calls, 1).unwrap();
        let mut other = join(&calls, 1).unwrap();
        assert_eq!(poll(&mut other, &wakes), Poll::Pending);
        let mut waiter = waiter.until(Some(Box::pin(std::future::ready(()))));
        assert_eq!(poll(&mut waiter, &Arc::default()), Poll::Ready(None));
        assert_eq!(wakes.count(), 1);
        assert_eq!(poll(&mut other, &wakes), Poll::Ready(None));
        let (_next, mut next) = start(&calls, 1).unwrap();
        late.end(10);
        assert_eq!(poll(&mut next, &wakes), Poll::Pending);
    }

    #[test]
    fn f43_calls_run_in_order_and_so_many_at_once() {
        let calls = Arc::new(Numbers::new(LIMITS));
        let wakes = Arc::new(Wakes::default());
        let [one, two, three, four] = [1, 2, 3, 4].map(|key| start(&calls, key).unwrap().0);
        assert!(has_turn(&one, &wakes) && has_turn(&two, &wakes));
        assert!(!has_turn(&three, &wakes) && !has_turn(&four, &wakes));
        assert_eq!(calls.sizes(), (4, 2, 0));
        two.end(20);
        assert_eq!(wakes.count(), 1);
        assert!(has_turn(&three, &wakes) && !has_turn(&four, &wakes));
        // A queued call that is dropped gives no turn away.
        drop(four);
        assert_eq!(calls.sizes(), (2, 2, 0));
        drop((one, three));
        assert_eq!(calls.sizes(), (0, 0, 0));
    }

    #[test]
    fn f43_a_queued_call_whose_waiter_gives_up_never_runs() {
        let calls = Arc::new(Numbers::new(LIMITS));
        let wakes = Arc::new(Wakes::default());
        let _running = [1, 2].map(|key| start(&calls, key).unwrap());
        let (queued, waiter) = start(&calls, 3).unwrap();
        assert!(!has_turn(&queued, &wakes));
        let mut waiter = waiter.until(Some(Box::pin(std::future::ready(()))));
        assert_eq!(poll(&mut waiter, &Arc::default()), Poll::Ready(None));
        assert_eq!(wakes.count(), 1);
        assert_eq!(poll(&mut queued.turn(), &wakes), Poll::Ready(false));
        assert_eq!(calls.sizes().1, 2);
    }

    #[test]
    fn f43_calls_and_joined_requests_are_bounded_and_dropped_ones_make_room() {
        let calls = Arc::new(Numbers::new(LIMITS));
        let mut started: Vec<_> = (0..4).map(|key| start(&calls, key).unwrap()).collect();
        assert!(matches!(Calls::join(&calls, 4), Joined::TooMany));
        let mut joined: Vec<_> = (0..3).map(|key| join(&calls, key).unwrap()).collect();
        assert!(matches!(Calls::join(&calls, 0), Joined::TooMany));
        joined.pop();
        assert!(join(&calls, 0).is_some());
        // A request that goes away does not cancel its call.
        let (call, waiter) = started.pop().unwrap();
        drop(waiter);
        assert!(start(&calls, 3).is_none());
        call.end(0);
        assert!(start(&calls, 4).is_some());
        drop((started, joined));
        assert_eq!(calls.sizes(), (0, 0, 0));
    }
}
