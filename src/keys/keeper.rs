//! Keeps the key set of one issuer: drives [`Refresh`] with a task, a clock and a [`KeySource`].

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use arc_swap::{ArcSwap, Guard};
use tokio::{
    runtime::Handle,
    sync::Notify,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    clock::Clock,
    keys::{
        AllowedAlgorithms, KeyFetch, KeyFetchError, KeyFetchErrorKind, KeySet, KeySource,
        Revalidation,
        flights::{Flights, Landing, Sort},
        refresh::{Action, Event, Moment, Refresh, Times},
    },
    telemetry,
};

/// A fetch, discovery included, takes no longer.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// The key set of one issuer, kept fresh. Dropping it ends its task.
pub(crate) struct Keeper {
    shared: Arc<Shared>,
}

/// What a request misses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Any usable keys at all.
    Keys,
    /// The one key it names.
    Key,
}

/// What becomes of a request that misses something.
pub(crate) enum Miss {
    /// So many wait already that this one must not.
    Crowded,
    /// The issuer is asked; nothing can be said before that succeeds.
    Unavailable { retry_in: Duration },
    /// The key is unknown, and the issuer is not asked again so soon.
    Unknown,
    /// A fetch is under way.
    Wait(Arrival),
}

/// The state of one issuer's key set, as [`TokenValidator::key_status`](crate::TokenValidator::key_status) tells it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyStatus {
    /// The issuer.
    pub issuer: String,
    /// How many keys can be used now.
    pub keys: usize,
    /// How old they are; `None` if there are none, or if they never change.
    pub age: Option<Duration>,
    /// When they are fetched again; `None` if they never change.
    pub next_refresh: Option<Duration>,
    /// Why the last fetch failed; `None` if it succeeded.
    pub last_error: Option<KeyFetchErrorKind>,
}

struct Shared {
    issuer: Box<str>,
    source: Arc<dyn KeySource>,
    /// The keys never change: there is no task, and nothing is ever fetched.
    is_fixed: bool,
    allowed: AllowedAlgorithms,
    clock: Clock,
    /// Read by every request, without a lock; written when a fetch lands.
    loaded: ArcSwap<Loaded>,
    /// When a request should look after the task next, in milliseconds on the steady clock. The
    /// task's own timer stops while the machine is suspended, and the task ends with its runtime.
    look_at: AtomicU64,
    /// Touched by requests that miss something, and by the task.
    state: Mutex<State>,
    flights: Arc<Flights>,
    /// Wakes the task.
    nudge: Arc<Notify>,
}

/// Keys, and until when they may be used.
pub(crate) struct Loaded {
    keys: Arc<KeySet>,
    usable_until: Moment,
}

impl Loaded {
    pub(crate) fn keys(&self) -> &KeySet {
        &self.keys
    }
}

struct State {
    refresh: Refresh,
    /// The number of fetches started so far.
    took_off: u64,
    /// A fetch was started that the task does not know of yet.
    launch: bool,
    /// Another fetch is to follow the one under way.
    again: bool,
    has_task: bool,
    revalidation: Option<Revalidation>,
    last_error: Option<KeyFetchError>,
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
    ) -> Result<Self, KeyFetchError> {
        let fixed = source.fixed();
        let is_fixed = fixed.is_some();
        let loaded = match fixed {
            Some(jwks) => Loaded {
                keys: Arc::new(KeySet::parse(&jwks, allowed)?),
                usable_until: Moment::MAX,
            },
            None => Loaded {
                keys: Arc::default(),
                usable_until: Moment::ZERO,
            },
        };
        let keeper = Self {
            shared: Arc::new(Shared {
                issuer: issuer.into(),
                source,
                is_fixed,
                allowed,
                clock,
                loaded: ArcSwap::from_pointee(loaded),
                look_at: AtomicU64::new(if is_fixed { u64::MAX } else { 0 }),
                state: Mutex::new(State {
                    refresh: Refresh::new(times, fastrand::u64(..)),
                    took_off: 0,
                    launch: false,
                    again: false,
                    has_task: false,
                    revalidation: None,
                    last_error: None,
                }),
                flights: Arc::default(),
                nudge: Arc::default(),
            }),
        };
        if !is_fixed {
            keeper.shared.ensure_task(&mut keeper.shared.state());
        }
        Ok(keeper)
    }

    /// The keys, if there are any that may be used now.
    pub(crate) fn keys(&self) -> Option<Guard<Arc<Loaded>>> {
        let now = self.shared.clock.steady();
        if milliseconds(now) >= self.shared.look_at.load(Ordering::Relaxed) {
            self.shared.look_after_task(now);
        }
        let loaded = self.shared.loaded.load();
        (now < loaded.usable_until).then_some(loaded)
    }

    /// What to do about a request that misses something. `may_wait` is false for one that has
    /// waited as long as it may.
    pub(crate) fn miss(&self, missing: Missing, may_wait: bool) -> Miss {
        let shared = &self.shared;
        if shared.is_fixed {
            return Miss::Unknown;
        }
        let now = shared.clock.steady();
        let mut state = shared.state();
        let event = match missing {
            Missing::Keys => Event::Needed,
            Missing::Key => Event::UnknownKey,
        };
        if !may_wait {
            return state.final_word(missing, now);
        }
        let (flight, joined) = match state.refresh.on(event, now) {
            // The keys have come since the request looked: it need not wait to look again.
            Action::Serve | Action::Idle => (0, true),
            Action::Refuse { retry_in } if missing == Missing::Keys => {
                return Miss::Unavailable { retry_in };
            }
            Action::Refuse { .. } => return Miss::Unknown,
            Action::Fetch => {
                state.take_off();
                if !shared.ensure_task(&mut state) {
                    state.refresh.on(Event::Aborted, now);
                    return Miss::Unavailable {
                        retry_in: Duration::from_secs(1),
                    };
                }
                shared.nudge.notify_one();
                (state.took_off, false)
            }
            Action::Wait => (state.took_off, true),
        };
        let sort = match missing {
            Missing::Keys => Sort::Cold,
            Missing::Key => Sort::UnknownKey,
        };
        match shared.flights.wait_for(flight, sort) {
            Some(landing) => Miss::Wait(Arrival { landing, joined }),
            None => Miss::Crowded,
        }
    }

    /// Waits until there are keys that may be used.
    pub(crate) async fn ready(&self) {
        while self.keys().is_none() {
            let landing = {
                let mut state = self.shared.state();
                self.shared.ensure_task(&mut state);
                let flight = if state.refresh.is_flying() {
                    state.took_off
                } else {
                    state.next_flight()
                };
                self.shared.flights.wait_for(flight, Sort::Operator)
            };
            if let Some(landing) = landing {
                landing.await;
            }
        }
    }

    /// Starts a fetch now; the future waits for its end. One that is under way already does not
    /// count: its answer may be older than the call.
    pub(crate) fn refresh_now(&self) -> impl Future<Output = Result<(), KeyFetchError>> {
        let landing = self.start_refresh();
        async move {
            if let Some(landing) = landing? {
                landing.await;
            }
            self.shared.state().last_error.clone().map_or(Ok(()), Err)
        }
    }

    fn start_refresh(&self) -> Result<Option<Landing>, KeyFetchError> {
        let shared = &self.shared;
        if shared.is_fixed {
            return Ok(None);
        }
        let now = shared.clock.steady();
        let mut state = shared.state();
        if !shared.ensure_task(&mut state) {
            return Err(KeyFetchError::new(
                KeyFetchErrorKind::Other,
                "no Tokio runtime to fetch keys on",
            ));
        }
        if state.refresh.on(Event::Forced, now) == Action::Fetch {
            state.take_off();
            shared.nudge.notify_one();
        } else {
            state.again = true;
        }
        let flight = if state.again {
            state.next_flight()
        } else {
            state.took_off
        };
        Ok(shared.flights.wait_for(flight, Sort::Operator))
    }

    pub(crate) fn status(&self) -> KeyStatus {
        let now = self.shared.clock.steady();
        let keys = self.keys().map_or(0, |loaded| loaded.keys().len());
        let state = self.shared.state();
        KeyStatus {
            issuer: self.shared.issuer.to_string(),
            keys,
            age: state
                .refresh
                .fetched_at()
                .map(|since| now.saturating_sub(since)),
            next_refresh: (!self.shared.is_fixed)
                .then(|| state.refresh.wakes_at().saturating_sub(now)),
            last_error: state.last_error.as_ref().map(KeyFetchError::kind),
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes sure that the task runs; false if there is no runtime to run it on.
    fn ensure_task(self: &Arc<Self>, state: &mut State) -> bool {
        if state.has_task {
            return true;
        }
        let Ok(runtime) = Handle::try_current() else {
            return false;
        };
        state.has_task = true;
        runtime.spawn(keep(Arc::downgrade(self), Arc::clone(&self.nudge)));
        true
    }

    /// Called by requests now and then.
    fn look_after_task(self: &Arc<Self>, now: Moment) {
        let mut state = self.state();
        self.look_again(&state, now);
        if now >= state.refresh.wakes_at() && self.ensure_task(&mut state) {
            self.nudge.notify_one();
        }
    }

    /// Looking makes sense a second after the task should have acted, and once a second then.
    fn look_again(&self, state: &State, now: Moment) {
        let soon = state.refresh.wakes_at().max(now);
        let at = milliseconds(soon.saturating_add(Duration::from_secs(1)));
        self.look_at.store(at, Ordering::Relaxed);
    }

    fn step(&self) -> Step {
        let mut state = self.state();
        let now = self.clock.steady();
        let launched = std::mem::take(&mut state.launch);
        let due = !launched && state.refresh.on(Event::Tick, now) == Action::Fetch;
        if due {
            state.took_off = state.next_flight();
        }
        if launched || due {
            Step::Fetch(state.revalidation.clone())
        } else {
            Step::Sleep(state.refresh.wakes_at().saturating_sub(now))
        }
    }

    fn land(&self, fetched: Result<KeyFetch, KeyFetchError>) {
        let outcome = fetched.and_then(|fetch| self.read(fetch));
        let mut state = self.state();
        let now = self.clock.steady();
        let was_failing = state.refresh.is_failing();
        let is_first = state.refresh.fetched_at().is_none();
        match outcome {
            Ok((keys, revalidation)) => {
                state.refresh.on(Event::Fetched, now);
                state.last_error = None;
                state.revalidation = revalidation.or(state.revalidation.take());
                telemetry::keys_fetched(&self.issuer, keys.len(), was_failing, is_first);
                self.loaded.store(Arc::new(Loaded {
                    keys,
                    usable_until: state.refresh.usable_until().unwrap_or(now),
                }));
            }
            Err(error) => {
                let retry_after = error.retry_after();
                state.refresh.on(Event::Failed { retry_after }, now);
                let is_news = state
                    .last_error
                    .as_ref()
                    .is_none_or(|last| last.kind() != error.kind());
                let usable_for = state
                    .refresh
                    .usable_until()
                    .and_then(|until| until.checked_sub(now));
                telemetry::keys_failed(&self.issuer, &error, usable_for, is_news);
                state.last_error = Some(error);
            }
        }
        let landed = state.took_off;
        if std::mem::take(&mut state.again) && state.refresh.on(Event::Forced, now) == Action::Fetch
        {
            state.take_off();
        }
        self.look_again(&state, now);
        drop(state);
        self.flights.land(landed);
    }

    /// The keys that a fetch stands for.
    fn read(&self, fetch: KeyFetch) -> Result<(Arc<KeySet>, Option<Revalidation>), KeyFetchError> {
        match fetch {
            KeyFetch::Fresh {
                jwks, revalidation, ..
            } => {
                let keys = KeySet::parse(&jwks, self.allowed)?;
                Ok((Arc::new(keys), revalidation))
            }
            KeyFetch::NotModified { .. } => {
                let keys = Arc::clone(&self.loaded.load().keys);
                if keys.len() == 0 {
                    return Err(KeyFetchError::new(
                        KeyFetchErrorKind::Other,
                        "`not modified` before any key set",
                    ));
                }
                Ok((keys, None))
            }
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.nudge.notify_one();
    }
}

impl State {
    /// The number of the next fetch.
    fn next_flight(&self) -> u64 {
        self.took_off.saturating_add(1)
    }

    fn take_off(&mut self) {
        self.took_off = self.next_flight();
        self.launch = true;
    }

    /// For a request that has waited already.
    fn final_word(&self, missing: Missing, now: Moment) -> Miss {
        if missing == Missing::Keys || self.refresh.is_failing() {
            let retry_in = self.refresh.wakes_at().saturating_sub(now);
            Miss::Unavailable { retry_in }
        } else {
            Miss::Unknown
        }
    }
}

enum Step {
    Fetch(Option<Revalidation>),
    Sleep(Duration),
}

/// The task. It holds the keeper's state weakly, so that the state's end is its own.
async fn keep(shared: Weak<Shared>, nudge: Arc<Notify>) {
    let task = Task(shared);
    loop {
        let Some(shared) = task.0.upgrade() else {
            return;
        };
        match shared.step() {
            Step::Sleep(duration) => {
                drop(shared);
                tokio::select! {
                    () = sleep(duration) => {}
                    () = nudge.notified() => {}
                }
            }
            Step::Fetch(previous) => {
                let source = Arc::clone(&shared.source);
                drop(shared);
                let Some(fetched) = fetch(source, previous, &task, &nudge).await else {
                    return;
                };
                let Some(shared) = task.0.upgrade() else {
                    return;
                };
                shared.land(fetched);
            }
        }
    }
}

/// Fetches in a task of its own, so that a panic of the source is an error like any other.
/// `None` once the keeper is gone.
async fn fetch(
    source: Arc<dyn KeySource>,
    previous: Option<Revalidation>,
    task: &Task,
    nudge: &Notify,
) -> Option<Result<KeyFetch, KeyFetchError>> {
    let mut task_set = JoinSet::new();
    task_set.spawn(async move { timeout(FETCH_TIMEOUT, source.fetch(previous.as_ref())).await });
    let joined = loop {
        tokio::select! {
            joined = task_set.join_next() => break joined?,
            () = nudge.notified() => if task.0.strong_count() == 0 {
                // Dropping the set aborts the fetch.
                return None;
            }
        }
    };
    Some(match joined {
        Ok(Ok(fetched)) => fetched,
        Ok(Err(_)) => Err(KeyFetchError::new(
            KeyFetchErrorKind::Timeout,
            "no answer within 5 seconds",
        )),
        Err(error) if error.is_panic() => Err(KeyFetchError::new(
            KeyFetchErrorKind::Panic,
            "the fetch panicked",
        )),
        Err(_) => return None,
    })
}

/// Lives as long as the task, and notices when it ends before its time: with its runtime.
struct Task(Weak<Shared>);

impl Drop for Task {
    fn drop(&mut self) {
        let Some(shared) = self.0.upgrade() else {
            return;
        };
        let mut state = shared.state();
        state.has_task = false;
        state.launch = false;
        state.again = false;
        let now = shared.clock.steady();
        state.refresh.on(Event::Aborted, now);
        let landed = state.took_off;
        drop(state);
        shared.flights.land(landed);
    }
}

/// Ready when it is worth looking for the keys again.
pub(crate) struct Arrival {
    landing: Landing,
    /// The fetch was under way before the request came, so its answer may be too old for it.
    pub(crate) joined: bool,
}

impl Future for Arrival {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.landing).poll(cx)
    }
}

fn milliseconds(moment: Moment) -> u64 {
    u64::try_from(moment.as_millis()).unwrap_or(u64::MAX)
}
