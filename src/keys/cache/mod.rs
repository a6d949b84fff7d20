//! Keeps the key set of one issuer: what requests find, and what becomes of those that find
//! nothing.

mod landing;
pub(crate) mod schedule;
pub(crate) mod shared;
mod task;
pub(crate) mod waiters;

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
    time::Duration,
};

use arc_swap::Guard;
use tokio::{
    runtime::Handle,
    time::{Sleep, sleep},
};

use crate::{
    clock::Clock,
    keys::{
        algorithm::AllowedAlgorithms,
        cache::{
            schedule::{Action, Event, Moment, Times},
            shared::{Kept, LOST_AFTER, Loaded, State, milliseconds},
            waiters::{Flights, Landing, Sort},
        },
        error::{KeyFetchError, KeyFetchErrorKind},
        event::{KeyEventKind, KeyStatus, Listener},
        source::KeySource,
    },
};

/// The key set of one issuer, kept fresh. Dropping it ends its task.
pub(crate) struct Keeper {
    kept: Arc<Kept>,
}

/// What becomes of a request that misses something.
pub(crate) enum Miss {
    /// So many wait already that this one must not.
    Crowded,
    /// The issuer is asked; nothing can be said before that succeeds.
    Unavailable { retry_in: Duration },
    /// The key is unknown, and the issuer is not asked again so soon.
    Unknown,
    /// It is worth looking again once this is ready.
    Wait(Arrival),
}

impl Keeper {
    /// Starts keeping the keys of `issuer`. Inside a runtime the first fetch starts at once,
    /// elsewhere with the first request.
    pub(crate) fn new(
        issuer: &str,
        source: Arc<dyn KeySource>,
        allowed: AllowedAlgorithms,
        times: Times,
        clock: Clock,
        listener: Listener,
    ) -> Result<Self, KeyFetchError> {
        let kept = Kept::new(issuer, source, allowed, times, clock, listener)?;
        let kept = Arc::new(kept);
        kept.ensure_task();
        Ok(Self { kept })
    }

    /// The keys, if there are any that may be used `now`.
    pub(crate) fn keys(&self, now: Moment) -> Option<Guard<Arc<Loaded>>> {
        if milliseconds(now) >= self.kept.look_at.load(Ordering::Relaxed) {
            self.kept.look_after_task(now);
        }
        let loaded = self.kept.loaded.load();
        loaded.is_usable(now).then_some(loaded)
    }

    /// Whether there are keys that may be used.
    pub(crate) fn has_keys(&self) -> bool {
        self.keys(self.kept.clock.steady()).is_some()
    }

    /// What to do about a request that found no usable keys. `may_wait` is false for one that has
    /// waited as long as it may.
    pub(crate) fn miss_keys(&self, may_wait: bool) -> Miss {
        self.miss(None, may_wait)
    }

    /// What to do about a request whose key is not in the set that it has `seen`.
    pub(crate) fn miss_key(&self, seen: &Arc<Loaded>, may_wait: bool) -> Miss {
        if self.kept.is_static {
            return Miss::Unknown;
        }
        let now = milliseconds(self.kept.clock.steady());
        let blocked = now < self.kept.unknown_keys_blocked_until.load(Ordering::Relaxed);
        if may_wait && blocked && Arc::ptr_eq(seen, &self.kept.loaded.load()) {
            // A flood ends here. One that has waited deserves to know what for.
            return Miss::Unknown;
        }
        self.miss(Some(seen), may_wait)
    }

    fn miss(&self, seen: Option<&Arc<Loaded>>, may_wait: bool) -> Miss {
        let kept = &self.kept;
        kept.ensure_task();
        let now = kept.clock.steady();
        let mut state = kept.state();
        if !may_wait {
            return final_word(&state, seen.is_some(), now);
        }
        if !state.has_task() {
            return Miss::Unavailable {
                retry_in: Duration::from_secs(1),
            };
        }
        if seen.is_some_and(|seen| !Arc::ptr_eq(seen, &kept.loaded.load())) {
            // Another set has come since the request looked.
            return Miss::Wait(Arrival::now(kept));
        }
        let (event, sort) = match seen {
            Some(_) => (Event::UnknownKey, Sort::UnknownKey),
            None => (Event::Needed, Sort::Cold),
        };
        let action = kept.on(&mut state, event, now);
        let expired = state.notice_expiry(now);
        let is_flood = action == Action::Unknown && !std::mem::replace(&mut state.told.flood, true);
        if is_flood {
            kept.block_unknown_keys(&state);
        }
        let flight = state.took_off;
        drop(state);
        for (happened, kind) in [
            (expired, KeyEventKind::StaleExpired),
            (is_flood, KeyEventKind::FloodSuppressed),
        ] {
            if happened {
                kept.tell(kind);
            }
        }
        let joined = match action {
            Action::Serve | Action::Idle => return Miss::Wait(Arrival::now(kept)),
            Action::Refuse { retry_in } => return Miss::Unavailable { retry_in },
            Action::Unknown => return Miss::Unknown,
            Action::Fetch => false,
            Action::Wait => true,
        };
        match Flights::wait_for(&kept.flights, flight, sort) {
            Some(landing) => Miss::Wait(Arrival::of(kept, landing, joined)),
            None => Miss::Crowded,
        }
    }

    /// Waits until there are keys that may be used.
    pub(crate) async fn ready(&self) {
        while !self.has_keys() {
            let kept = &self.kept;
            kept.ensure_task();
            let flight = {
                let state = kept.state();
                if state.refresh.is_flying() {
                    state.took_off
                } else {
                    state.next_flight()
                }
            };
            if let Some(landing) = Flights::wait_for(&kept.flights, flight, Sort::Operator) {
                Arrival::of(kept, landing, true).await;
            }
        }
    }

    /// Starts a fetch now; the future waits for its end. One that is under way already does not
    /// count: its answer may be older than the call.
    pub(crate) fn refresh_now(&self) -> impl Future<Output = Result<(), KeyFetchError>> {
        let kept = &self.kept;
        let called_at = kept.clock.steady();
        let flight = (!kept.is_static).then(|| kept.force(called_at));
        async move {
            let Some(flight) = flight else {
                return Ok(());
            };
            // The one under way and the one that was asked for.
            for _ in 0..2 {
                if let Some(landing) = Flights::wait_for(&kept.flights, flight, Sort::Operator) {
                    Arrival::of(kept, landing, true).await;
                }
                if kept.flights.has_landed(flight) {
                    break;
                }
            }
            let state = kept.state();
            match &state.last_error {
                _ if state.refresh.fetched_at() >= Some(called_at) => Ok(()),
                Some(error) => Err(error.clone().of_issuer(&kept.issuer)),
                None => Err(KeyFetchError::new(
                    KeyFetchErrorKind::Other,
                    "the fetch was given up; it needs a Tokio runtime that goes on",
                )
                .of_issuer(&kept.issuer)),
            }
        }
    }

    pub(crate) fn status(&self) -> KeyStatus {
        let now = self.kept.clock.steady();
        let keys = self.keys(now).map_or(0, |loaded| loaded.keys().len());
        let state = self.kept.state();
        let refresh = &state.refresh;
        let age = refresh.fetched_at().map(|since| now.saturating_sub(since));
        KeyStatus {
            issuer: self.kept.issuer.to_string(),
            keys,
            age: age.filter(|_| keys > 0),
            next_refresh: (!self.kept.is_static).then(|| refresh.wakes_at().saturating_sub(now)),
            last_error: state.last_error.as_ref().map(KeyFetchError::kind),
            is_stale: refresh.stale_at().is_some_and(|at| now >= at),
        }
    }
}

/// For a request that has waited already.
fn final_word(state: &State, has_keys: bool, now: Moment) -> Miss {
    if has_keys && state.refresh.is_certain() && !state.refresh.is_flying() {
        Miss::Unknown
    } else {
        let retry_in = state.refresh.wakes_at().saturating_sub(now);
        Miss::Unavailable { retry_in }
    }
}

/// Ready when it is worth looking for the keys again.
pub(crate) struct Arrival {
    kept: Arc<Kept>,
    /// `None` if it is worth it now.
    landing: Option<Landing>,
    /// A fetch that does not end in time is not under way: its task has nobody to run it.
    deadline: Option<Pin<Box<Sleep>>>,
    /// The fetch was under way before the request came, so its answer may be too old for it.
    pub(crate) joined: bool,
}

impl Arrival {
    fn now(kept: &Arc<Kept>) -> Self {
        Self {
            kept: Arc::clone(kept),
            landing: None,
            deadline: None,
            joined: true,
        }
    }

    fn of(kept: &Arc<Kept>, landing: Landing, joined: bool) -> Self {
        let deadline = Handle::try_current().ok();
        let deadline = deadline.map(|_| Box::pin(sleep(LOST_AFTER)));
        Self {
            kept: Arc::clone(kept),
            landing: Some(landing),
            deadline,
            joined,
        }
    }
}

impl Future for Arrival {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(landing) = &mut self.landing else {
            return Poll::Ready(());
        };
        if Pin::new(landing).poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let deadline = self.deadline.as_mut();
        if deadline.is_some_and(|deadline| deadline.as_mut().poll(cx).is_ready()) {
            let now = self.kept.clock.steady();
            self.kept.look_after_task(now);
            return Poll::Ready(());
        }
        Poll::Pending
    }
}
