//! What requests and the task of a key set share.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{runtime::Handle, sync::Notify};

use crate::{
    clock::Clock,
    keys::{
        algorithm::AllowedAlgorithms,
        cache::{
            schedule::{Action, Event, Moment, Refresh, Times},
            task::{Task, keep},
            waiters::Flights,
        },
        error::KeyFetchError,
        event::Listener,
        key_set::KeySet,
        source::{CacheValidators, KeySource},
    },
};

/// The task should have acted this long after it was due.
const LATE: Duration = Duration::from_secs(1);
/// A task that was woken has this long to act.
const PATIENCE: Duration = Duration::from_secs(5);
/// A fetch that has not ended by then has nobody to run it: it takes 5 seconds at the most, and a
/// busy runtime needs some time of its own.
pub(super) const LOST_AFTER: Duration = Duration::from_secs(8);

pub(super) struct Kept {
    pub(super) issuer: Box<str>,
    pub(super) source: Arc<dyn KeySource>,
    /// The keys never change: there is no task, and nothing is ever fetched.
    pub(super) is_static: bool,
    pub(super) allowed: AllowedAlgorithms,
    pub(super) clock: Clock,
    pub(super) listener: Listener,
    /// Read by every request, without a lock; written when a fetch lands.
    pub(super) loaded: ArcSwap<Loaded>,
    /// When a request should look after the task next, in milliseconds on the steady clock. The
    /// task's own timer stops while the machine is suspended, and its runtime may end or idle.
    pub(super) look_at: AtomicU64,
    /// Until when a request for an unknown key need not ask, in milliseconds on the steady clock.
    pub(super) unknown_keys_blocked_until: AtomicU64,
    /// Touched by requests that miss something, and by the task.
    state: Mutex<State>,
    pub(super) flights: Arc<Flights>,
}

/// Keys, and until when they may be used.
pub(crate) struct Loaded {
    pub(super) keys: Arc<KeySet>,
    pub(super) usable_until: Moment,
}

impl Loaded {
    pub(crate) fn keys(&self) -> &KeySet {
        &self.keys
    }

    pub(super) fn is_usable(&self, now: Moment) -> bool {
        now < self.usable_until
    }
}

pub(super) struct State {
    pub(super) refresh: Refresh,
    /// The number of fetches started so far.
    pub(super) took_off: u64,
    /// A fetch was started that the task does not know of yet.
    launch: bool,
    /// The task that acts. What others do has no effect.
    task: Option<Acting>,
    tasks: u64,
    /// When the task was woken because it was late, if it has not acted since.
    nudged_at: Option<Moment>,
    pub(super) validators: Option<CacheValidators>,
    pub(super) last_error: Option<KeyFetchError>,
    pub(super) told: Told,
}

/// The task that acts.
struct Acting {
    number: u64,
    /// Wakes this task and no other: one that was given up must not swallow what is meant for the
    /// one in its place.
    nudge: Arc<Notify>,
}

/// What was told since it began, and is not told again.
#[derive(Default)]
pub(super) struct Told {
    pub(super) flood: bool,
    pub(super) stale: bool,
    pub(super) expired: bool,
}

impl State {
    /// Whether it is news that the keys have run out.
    pub(super) fn notice_expiry(&mut self, now: Moment) -> bool {
        let expired = self
            .refresh
            .usable_until()
            .is_some_and(|until| now >= until);
        expired && !std::mem::replace(&mut self.told.expired, true)
    }

    /// The number of the next fetch.
    pub(super) fn next_flight(&self) -> u64 {
        self.took_off.saturating_add(1)
    }

    pub(super) fn has_task(&self) -> bool {
        self.task.is_some()
    }

    /// Whether the task `number` is the one that acts.
    pub(super) fn is_acting(&self, number: u64) -> bool {
        self.task.as_ref().is_some_and(|task| task.number == number)
    }

    fn nudge(&self) {
        if let Some(task) = &self.task {
            task.nudge.notify_one();
        }
    }
}

/// A fetch to be made.
pub(super) struct Order {
    pub(super) validators: Option<CacheValidators>,
    pub(super) is_forced: bool,
}

/// What the task does next.
pub(super) enum Step {
    Fetch(Order),
    Sleep(Duration),
    /// Another task has taken its place.
    Stop,
}

impl Kept {
    pub(super) fn new(
        issuer: &str,
        source: Arc<dyn KeySource>,
        allowed: AllowedAlgorithms,
        times: Times,
        clock: Clock,
        listener: Listener,
    ) -> Result<Self, KeyFetchError> {
        let static_jwks = source.static_jwks();
        let is_static = static_jwks.is_some();
        let loaded = match static_jwks {
            Some(jwks) => Loaded {
                keys: Arc::new(KeySet::parse(&jwks, allowed)?),
                usable_until: Moment::MAX,
            },
            None => Loaded {
                keys: Arc::default(),
                usable_until: Moment::ZERO,
            },
        };
        Ok(Self {
            issuer: issuer.into(),
            source,
            is_static,
            allowed,
            clock,
            listener,
            loaded: ArcSwap::from_pointee(loaded),
            look_at: AtomicU64::new(if is_static { u64::MAX } else { 0 }),
            unknown_keys_blocked_until: AtomicU64::new(0),
            state: Mutex::new(State {
                refresh: Refresh::new(times, fastrand::u64(..)),
                took_off: 0,
                launch: false,
                task: None,
                tasks: 0,
                nudged_at: None,
                validators: None,
                last_error: None,
                told: Told::default(),
            }),
            flights: Arc::default(),
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Feeds the state machine, and does what follows from its answer.
    pub(super) fn on(&self, state: &mut State, event: Event, now: Moment) -> Action {
        let action = state.refresh.on(event, now);
        if action == Action::Fetch {
            state.took_off = state.next_flight();
            state.launch = true;
            state.told.flood = false;
            state.nudge();
        }
        self.block_unknown_keys(state);
        let late = match state.refresh.flying_since() {
            Some(since) => since.saturating_add(LOST_AFTER),
            None => state.refresh.wakes_at().saturating_add(LATE),
        };
        self.look_again(late);
        action
    }

    /// Lets requests for unknown keys find out without a lock that asking is of no use. The first
    /// one of a flood is told of.
    pub(super) fn block_unknown_keys(&self, state: &State) {
        let until = if state.told.flood && state.refresh.is_certain() {
            state.refresh.unknown_keys_blocked_until()
        } else {
            Moment::ZERO
        };
        self.unknown_keys_blocked_until
            .store(milliseconds(until), Ordering::Relaxed);
    }

    fn look_again(&self, at: Moment) {
        self.look_at.store(milliseconds(at), Ordering::Relaxed);
    }

    /// A fetch that does not count what is under way; gives its number.
    pub(super) fn force(self: &Arc<Self>, now: Moment) -> u64 {
        self.ensure_task();
        let mut state = self.state();
        if !state.has_task() {
            // Already landed: there is nothing to wait for.
            return 0;
        }
        match self.on(&mut state, Event::Forced, now) {
            Action::Fetch => state.took_off,
            _ => state.next_flight(),
        }
    }

    /// Makes sure that there is a task, if there is a runtime to run it on.
    pub(super) fn ensure_task(self: &Arc<Self>) {
        let (runtime, task, nudge) = {
            let mut state = self.state();
            if self.is_static || state.task.is_some() {
                return;
            }
            let Ok(runtime) = Handle::try_current() else {
                return;
            };
            state.tasks = state.tasks.saturating_add(1);
            let number = state.tasks;
            let nudge = Arc::new(Notify::new());
            state.task = Some(Acting {
                number,
                nudge: Arc::clone(&nudge),
            });
            (runtime, Task::new(self, number), nudge)
        };
        // A runtime that is ending drops the task here and now, which takes the lock.
        runtime.spawn(keep(task, nudge));
    }

    /// Called by requests when the task is late: it sleeps too long, or it has nobody to run it.
    pub(super) fn look_after_task(self: &Arc<Self>, now: Moment) {
        let given_up = {
            let mut state = self.state();
            let patience_ends = state.nudged_at.map(|at| at.saturating_add(PATIENCE));
            let is_late = match state.refresh.flying_since() {
                Some(since) => now >= since.saturating_add(LOST_AFTER),
                None => patience_ends.is_some_and(|end| now >= end),
            };
            if is_late {
                Some(self.give_up(&mut state, now))
            } else {
                if now >= state.refresh.wakes_at() {
                    state.nudged_at = state.nudged_at.or(Some(now));
                    state.nudge();
                    self.look_again(now.saturating_add(PATIENCE));
                } else {
                    self.look_again(state.refresh.wakes_at().saturating_add(LATE));
                }
                None
            }
        };
        if let Some(flight) = given_up {
            self.flights.land(flight);
        }
        self.ensure_task();
    }

    /// The task is gone, and with it what it was about to fetch. Gives the number of the flight
    /// that the caller must land: whoever waits for the fetch, or for the one after it, looks
    /// again.
    fn give_up(&self, state: &mut State, now: Moment) -> u64 {
        // If it is still there it learns that it is not needed any more.
        state.nudge();
        state.task = None;
        state.launch = false;
        state.nudged_at = None;
        self.on(state, Event::Aborted, now);
        state.took_off = state.next_flight();
        state.took_off
    }

    /// Called when the task `number` ends.
    pub(super) fn task_ended(&self, number: u64) {
        let given_up = {
            let mut state = self.state();
            if !state.is_acting(number) {
                return;
            }
            let now = self.clock.steady();
            self.give_up(&mut state, now)
        };
        self.flights.land(given_up);
    }

    /// What the task `number` does next.
    pub(super) fn step(&self, number: u64) -> Step {
        let mut state = self.state();
        if !state.is_acting(number) {
            return Step::Stop;
        }
        state.nudged_at = None;
        let now = self.clock.steady();
        self.on(&mut state, Event::Tick, now);
        if std::mem::take(&mut state.launch) {
            let is_forced = state.refresh.is_forced();
            Step::Fetch(Order {
                // Whoever forces a fetch mistrusts what is known.
                validators: state.validators.clone().filter(|_| !is_forced),
                is_forced,
            })
        } else {
            Step::Sleep(state.refresh.wakes_at().saturating_sub(now))
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.state().nudge();
    }
}

pub(super) fn milliseconds(moment: Moment) -> u64 {
    u64::try_from(moment.as_millis()).unwrap_or(u64::MAX)
}
