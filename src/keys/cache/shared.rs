//! State of a key cache that requests, the operator and the task share.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{runtime::Handle, sync::Notify, time::sleep};

use crate::{
    clock::{Clock, SteadyTime},
    keys::{
        algorithm::AllowedAlgorithms,
        cache::{
            schedule::{Action, Event, RefreshSettings, Schedule},
            waiters::{Deadline, Wait, WaiterKind, Waiters},
        },
        error::KeyFetchError,
        event::KeyCallback,
        key_set::KeySet,
        source::{CacheValidators, KeySource},
    },
    telemetry,
};

/// Time after which a fetch that has not ended has lost its task. A fetch takes at most 5 seconds,
/// and a busy runtime may delay it.
pub(super) const MAX_FETCH_TIME: Duration = Duration::from_secs(8);

/// Part of the key cache that requests, the operator and the task share.
pub(super) struct Shared {
    pub(super) issuer: Box<str>,
    pub(super) source: Arc<dyn KeySource>,
    /// The keys never change: there is no task, and nothing is fetched.
    pub(super) is_static: bool,
    pub(super) allowed: AllowedAlgorithms,
    pub(super) clock: Clock,
    pub(super) callback: KeyCallback,
    /// Keys in use. Read by every request, without the lock; written by the task when a fetch
    /// succeeded.
    pub(super) keys: ArcSwap<KeysInUse>,
    /// Milliseconds of steady time at which a request should supervise the task next. Read without
    /// the lock; written with it, after every event.
    pub(super) supervise_at: AtomicU64,
    /// Milliseconds of steady time until which a request for an unknown key is answered without the
    /// lock. Read without the lock; written with it, after every event.
    pub(super) unknown_key_blocked_until: AtomicU64,
    pub(super) state: Mutex<State>,
    pub(super) waiters: Arc<Waiters>,
}

/// Keys, and until when they may be used.
pub(crate) struct KeysInUse {
    pub(super) keys: Arc<KeySet>,
    pub(super) usable_until: SteadyTime,
}

/// State behind the lock. "Requests" are the callers of `miss_keys` and `miss_key`.
pub(super) struct State {
    /// Written by requests, the operator and the task, through [`Shared::on`].
    pub(super) schedule: Schedule,
    /// Number of fetches started so far. Written by whoever starts or abandons one.
    pub(super) fetches: u64,
    /// `true` from the start of a fetch until the task learns of it. Set by whoever starts the
    /// fetch, cleared by the task.
    pub(super) is_launch_pending: bool,
    /// The current task; results of earlier tasks are ignored. Written by whoever starts or abandons it.
    pub(super) task: Option<CurrentTask>,
    /// Number of tasks started so far. Written by whoever starts one.
    pub(super) tasks: u64,
    /// Time at which a request woke the late task. Set by requests, cleared by the task.
    pub(super) woken_at: Option<SteadyTime>,
    /// Validators for the next request to the issuer. Written by the task.
    pub(super) validators: Option<CacheValidators>,
    /// Error of the last fetch; `None` if it succeeded. Written by the task.
    pub(super) last_error: Option<KeyFetchError>,
    /// Reports since the last success, which are not repeated. Written by requests and the task.
    pub(super) reported: Reported,
}

/// Current task.
pub(super) struct CurrentTask {
    pub(super) number: u64,
    /// Wakes this task and no other: an abandoned one must not consume the wake-up of the next.
    pub(super) wake: Arc<Notify>,
}

#[derive(Default)]
pub(super) struct Reported {
    pub(super) is_expired: bool,
    pub(super) is_flooded: bool,
    pub(super) is_stale: bool,
}

impl KeysInUse {
    pub(crate) fn keys(&self) -> &KeySet {
        &self.keys
    }

    pub(super) fn are_usable(&self, now: SteadyTime) -> bool {
        now < self.usable_until
    }
}

impl Shared {
    pub(super) fn new(
        issuer: &str,
        source: Arc<dyn KeySource>,
        allowed: AllowedAlgorithms,
        settings: RefreshSettings,
        clock: Clock,
        callback: KeyCallback,
    ) -> Result<Self, KeyFetchError> {
        let static_jwks = source.static_jwks();
        let is_static = static_jwks.is_some();
        let keys = match static_jwks {
            Some(jwks) => {
                let keys = KeySet::parse(&jwks, allowed)?;
                for problem in keys.problems() {
                    telemetry::key_problem(issuer, problem);
                }
                KeysInUse {
                    keys: Arc::new(keys),
                    usable_until: SteadyTime::MAX,
                }
            }
            None => KeysInUse {
                keys: Arc::default(),
                usable_until: SteadyTime::ZERO,
            },
        };
        Ok(Self {
            issuer: issuer.into(),
            source,
            is_static,
            allowed,
            clock,
            callback,
            keys: ArcSwap::from_pointee(keys),
            supervise_at: AtomicU64::new(if is_static { u64::MAX } else { 0 }),
            unknown_key_blocked_until: AtomicU64::new(0),
            state: Mutex::new(State {
                schedule: Schedule::new(settings, fastrand::u64(..)),
                fetches: 0,
                is_launch_pending: false,
                task: None,
                tasks: 0,
                woken_at: None,
                validators: None,
                last_error: None,
                reported: Reported::default(),
            }),
            waiters: Arc::default(),
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports `event` to the schedule, and carries out the action.
    pub(super) fn on(&self, state: &mut State, event: Event, now: SteadyTime) -> Action {
        let action = state.schedule.on(event, now);
        if action == Action::Fetch {
            state.fetches = state.next_fetch();
            state.is_launch_pending = true;
            state.reported.is_flooded = false;
            state.wake_task();
        }
        self.publish_block(state);
        self.publish_supervision(state);
        action
    }

    /// Publishes until when no fetch for an unknown key may start, so that requests need no lock.
    /// The first request of a flood takes the lock and is reported.
    pub(super) fn publish_block(&self, state: &State) {
        let until = if state.reported.is_flooded && state.schedule.last_fetch_succeeded() {
            state.schedule.unknown_keys_blocked_until()
        } else {
            SteadyTime::ZERO
        };
        self.unknown_key_blocked_until
            .store(until.as_millis(), Ordering::Relaxed);
    }

    /// Returns a future that is ready once `fetch` has ended; `None` if too many requests already
    /// wait.
    pub(super) fn wait_for(
        self: &Arc<Self>,
        fetch: u64,
        kind: WaiterKind,
        joined: bool,
    ) -> Option<Wait> {
        let registration = Waiters::wait_for(&self.waiters, fetch, kind)?;
        // A fetch that does not end in time is not under way: its task was lost.
        let deadline = Handle::try_current().ok().map(|_| {
            let shared = Arc::clone(self);
            Box::pin(async move {
                sleep(MAX_FETCH_TIME).await;
                shared.supervise(shared.clock.steady());
            }) as Deadline
        });
        Some(Wait::new(registration, deadline, joined))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.state().wake_task();
    }
}

impl State {
    /// Returns whether the task `number` is the one that acts.
    pub(super) fn is_acting(&self, number: u64) -> bool {
        self.task.as_ref().is_some_and(|task| task.number == number)
    }

    /// Returns the number of the next fetch.
    pub(super) fn next_fetch(&self) -> u64 {
        self.fetches.saturating_add(1)
    }

    pub(super) fn wake_task(&self) {
        if let Some(task) = &self.task {
            task.wake.notify_one();
        }
    }

    /// Returns whether it is news that the keys have expired.
    pub(super) fn notice_expiry(&mut self, now: SteadyTime) -> bool {
        let usable_until = self.schedule.usable_until();
        let is_expired = usable_until.is_some_and(|until| now >= until);
        is_expired && !std::mem::replace(&mut self.reported.is_expired, true)
    }
}
