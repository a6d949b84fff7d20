//! Key cache: keeps the key set of one issuer fresh.
//!
//! A request that finds its key takes no lock. The steps of a fetch:
//!
//! 1. A request, the operator or the task's timer reports an event to the
//!    [`Schedule`](schedule::Schedule), with the lock held. If the action is [`Action::Fetch`], the
//!    fetch gets a number, and the task is woken.
//! 2. The task calls the source, for at most 5 seconds, and parses the response.
//! 3. With the lock held, the outcome goes to the schedule and new keys take the place of the old.
//! 4. After the lock is released, waiters wake, and the events reach the log and the callback.
//! 5. Each waiter looks for its key again.
//!
//! The task may be lost at any time: its runtime may end, idle or be suspended. Requests notice that
//! it is late (`Shared::supervise`) and start another one.

pub(crate) mod fetch;
pub(crate) mod schedule;
pub(crate) mod shared;
mod task;
pub(crate) mod waiters;

use std::{
    future::Future,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use arc_swap::Guard;

use crate::{
    clock::{Clock, SteadyTime},
    keys::{
        algorithm::AllowedAlgorithms,
        cache::{
            schedule::{Action, Event, RefreshSettings},
            shared::{KeysInUse, Shared, State},
            waiters::{Wait, WaiterKind},
        },
        error::{KeyFetchError, KeyFetchErrorKind},
        event::{KeyCallback, KeyEventKind, KeyReport, KeyStatus},
        source::KeySource,
    },
};

/// Handle to the key set of one issuer. Dropping it ends the task.
pub(crate) struct KeyCache {
    shared: Arc<Shared>,
}

/// Outcome for a request that found no key.
pub(crate) enum Miss {
    /// Too many requests already wait.
    TooManyWaiters,
    /// A fetch is needed, and none may start before `retry_in`.
    Unavailable { retry_in: Duration },
    /// The issuer publishes no such key, and no further fetch may start now.
    UnknownKey,
    /// The request looks again once the future is ready.
    Wait(Wait),
}

impl KeyCache {
    /// Creates the key cache of `issuer`. Inside a runtime the first fetch starts at once,
    /// elsewhere with the first request.
    pub(crate) fn new(
        issuer: &str,
        source: Arc<dyn KeySource>,
        allowed: AllowedAlgorithms,
        settings: RefreshSettings,
        clock: Clock,
        callback: KeyCallback,
    ) -> Result<Self, KeyFetchError> {
        let shared = Shared::new(issuer, source, allowed, settings, clock, callback)?;
        let shared = Arc::new(shared);
        shared.ensure_task();
        Ok(Self { shared })
    }

    /// Returns the keys, if there are any that may be used `now`.
    pub(crate) fn keys(&self, now: SteadyTime) -> Option<Guard<Arc<KeysInUse>>> {
        if now.as_millis() >= self.shared.supervise_at.load(Ordering::Relaxed) {
            self.shared.supervise(now);
        }
        let keys = self.shared.keys.load();
        keys.are_usable(now).then_some(keys)
    }

    /// Returns whether there are keys that may be used.
    pub(crate) fn has_keys(&self) -> bool {
        self.keys(self.shared.clock.steady()).is_some()
    }

    /// Decides about a request that found no usable keys. `may_wait` is false once the request has
    /// used up its waits.
    pub(crate) fn miss_keys(&self, may_wait: bool) -> Miss {
        self.miss(None, may_wait)
    }

    /// Decides about a request whose key is not among the keys that it has `seen`, or does not verify
    /// its signature.
    pub(crate) fn miss_key(&self, seen: &Arc<KeysInUse>, may_wait: bool) -> Miss {
        let shared = &self.shared;
        if shared.is_static {
            return Miss::UnknownKey;
        }
        let now = shared.clock.steady().as_millis();
        let is_blocked = now < shared.unknown_key_blocked_until.load(Ordering::Relaxed);
        if may_wait && is_blocked && Arc::ptr_eq(seen, &shared.keys.load()) {
            // A flood ends here. A request that has waited continues, since it needs the outcome of
            // its fetch.
            return Miss::UnknownKey;
        }
        self.miss(Some(seen), may_wait)
    }

    fn miss(&self, seen: Option<&Arc<KeysInUse>>, may_wait: bool) -> Miss {
        let shared = &self.shared;
        shared.ensure_task();
        let now = shared.clock.steady();
        let mut state = shared.state();
        if !may_wait {
            return final_answer(&state, seen.is_some(), now);
        }
        if state.task.is_none() {
            return Miss::Unavailable {
                retry_in: Duration::from_secs(1),
            };
        }
        if seen.is_some_and(|seen| !Arc::ptr_eq(seen, &shared.keys.load())) {
            // The key set has changed since the request looked.
            return Miss::Wait(Wait::over());
        }
        let (event, kind) = match seen {
            Some(_) => (Event::UnknownKey, WaiterKind::UnknownKey),
            None => (Event::Needed, WaiterKind::Cold),
        };
        let action = shared.on(&mut state, event, now);
        let is_expired = state.notice_expiry(now);
        let is_flooded =
            action == Action::Unknown && !std::mem::replace(&mut state.reported.is_flooded, true);
        if is_flooded {
            shared.publish_block(&state);
        }
        let fetch = state.fetches;
        // The cause, for the line about the expiry.
        let error = is_expired.then(|| state.last_error.clone()).flatten();
        drop(state);
        let events = [
            is_expired.then_some(KeyEventKind::StaleExpired),
            is_flooded.then_some(KeyEventKind::FloodSuppressed),
        ];
        shared.report(&KeyReport {
            events: events.into_iter().flatten().collect(),
            error,
            ..KeyReport::default()
        });
        let joined = match action {
            Action::Serve | Action::Idle => return Miss::Wait(Wait::over()),
            Action::Reject { retry_in } => return Miss::Unavailable { retry_in },
            Action::Unknown => return Miss::UnknownKey,
            Action::Fetch => false,
            Action::Wait => true,
        };
        match shared.wait_for(fetch, kind, joined) {
            Some(wait) => Miss::Wait(wait),
            None => Miss::TooManyWaiters,
        }
    }

    /// Waits until there are keys that may be used.
    pub(crate) async fn ready(&self) {
        let shared = &self.shared;
        while !self.has_keys() {
            shared.ensure_task();
            let fetch = {
                let state = shared.state();
                if state.schedule.is_fetching() {
                    state.fetches
                } else {
                    state.next_fetch()
                }
            };
            if let Some(wait) = shared.wait_for(fetch, WaiterKind::Operator, true) {
                wait.await;
            }
        }
    }

    /// Starts a fetch now; the future waits for its end. A fetch that is under way does not count,
    /// since its response may be older than the call.
    pub(crate) fn refresh_now(&self) -> impl Future<Output = Result<(), KeyFetchError>> {
        let shared = &self.shared;
        let called_at = shared.clock.steady();
        let fetch = (!shared.is_static).then(|| shared.force(called_at));
        async move {
            let Some(fetch) = fetch else {
                return Ok(());
            };
            // Waits for the fetch under way, and then for the requested fetch.
            for _ in 0..2 {
                if let Some(wait) = shared.wait_for(fetch, WaiterKind::Operator, true) {
                    wait.await;
                }
                if shared.waiters.has_ended(fetch) {
                    break;
                }
            }
            let state = shared.state();
            match &state.last_error {
                _ if state.schedule.fetched_at() >= Some(called_at) => Ok(()),
                Some(error) => Err(error.clone().of_issuer(&shared.issuer)),
                None => Err(KeyFetchError::new(
                    KeyFetchErrorKind::Other,
                    "the fetch was abandoned; it needs a Tokio runtime that keeps running",
                )
                .of_issuer(&shared.issuer)),
            }
        }
    }

    /// Returns the state of the key set, for the operator.
    pub(crate) fn status(&self) -> KeyStatus {
        let now = self.shared.clock.steady();
        let keys = self.keys(now).map_or(0, |keys| keys.keys().len());
        let state = self.shared.state();
        let schedule = &state.schedule;
        let age = schedule
            .fetched_at()
            .map(|since| now.saturating_since(since));
        let next_refresh = schedule.wakes_at().saturating_since(now);
        KeyStatus {
            issuer: self.shared.issuer.to_string(),
            keys,
            age: age.filter(|_| keys > 0),
            next_refresh: (!self.shared.is_static).then_some(next_refresh),
            last_error: state.last_error.as_ref().map(KeyFetchError::kind),
            is_stale: schedule.stale_at().is_some_and(|at| now >= at),
        }
    }
}

/// Answers a request that has waited already.
fn final_answer(state: &State, has_keys: bool, now: SteadyTime) -> Miss {
    let schedule = &state.schedule;
    if has_keys && schedule.last_fetch_succeeded() && !schedule.is_fetching() {
        Miss::UnknownKey
    } else {
        let retry_in = schedule.wakes_at().saturating_since(now);
        Miss::Unavailable { retry_in }
    }
}
