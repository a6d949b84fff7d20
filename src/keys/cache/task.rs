//! Fetch task of a key cache. Only this file spawns tasks and applies their results.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use tokio::{runtime::Handle, sync::Notify, task::JoinSet, time::sleep};

use crate::{
    clock::SteadyTime,
    keys::{
        cache::{
            fetch::{Fetched, Launch, fetch_and_parse},
            schedule::{Action, Event},
            shared::{CurrentTask, KeysInUse, MAX_FETCH_TIME, Reported, Shared, State},
        },
        error::{KeyFetchError, KeyFetchErrorKind},
        event::{KeyEvent, KeyEventKind, KeyReport},
    },
    telemetry,
};

/// Delay after which a due task is late.
const MAX_DELAY: Duration = Duration::from_secs(1);
/// Time for a woken task to act; after that it is replaced.
const MAX_WAKE_TIME: Duration = Duration::from_secs(5);

/// Run of the task. It exists before the task is spawned, so that nothing is missed if a runtime
/// drops the task unpolled. It holds the cache weakly, so it ends with the cache.
struct Task {
    shared: Weak<Shared>,
    number: u64,
    wake: Arc<Notify>,
}

/// Next step of the task.
enum Step {
    Fetch(Launch),
    Sleep(Duration),
    /// Another task has taken its place.
    Stop,
}

impl Shared {
    /// Starts a task if there is none, and a runtime to run it on.
    pub(super) fn ensure_task(self: &Arc<Self>) {
        let (runtime, task) = {
            let mut state = self.state();
            if self.is_static || state.task.is_some() {
                return;
            }
            let Ok(runtime) = Handle::try_current() else {
                return;
            };
            state.tasks = state.tasks.saturating_add(1);
            let task = Task {
                shared: Arc::downgrade(self),
                number: state.tasks,
                wake: Arc::new(Notify::new()),
            };
            state.task = Some(CurrentTask {
                number: task.number,
                wake: Arc::clone(&task.wake),
            });
            (runtime, task)
        };
        // A runtime that shuts down drops the task immediately, which takes the lock.
        runtime.spawn(task.run());
    }

    /// Wakes a task that is late, and replaces one that does not wake. Called by requests: the task
    /// may sleep too long, since timers stop while the machine is suspended, or its runtime may have
    /// ended.
    pub(super) fn supervise(self: &Arc<Self>, now: SteadyTime) {
        let abandoned = {
            let mut state = self.state();
            let must_act_by = match (state.schedule.fetching_since(), state.woken_at) {
                (Some(since), _) => Some(since.saturating_add(MAX_FETCH_TIME)),
                (None, woken_at) => woken_at.map(|at| at.saturating_add(MAX_WAKE_TIME)),
            };
            if must_act_by.is_some_and(|end| now >= end) {
                Some(self.abandon_fetch(&mut state, now))
            } else {
                if now >= state.schedule.wakes_at() {
                    state.woken_at = state.woken_at.or(Some(now));
                    state.wake_task();
                    self.supervise_again(now.saturating_add(MAX_WAKE_TIME));
                } else {
                    self.publish_supervision(&state);
                }
                None
            }
        };
        if let Some(fetch) = abandoned {
            self.waiters.end(fetch);
        }
        self.ensure_task();
    }

    /// Starts a fetch whatever the schedule says; returns its number.
    pub(super) fn force(self: &Arc<Self>, now: SteadyTime) -> u64 {
        self.ensure_task();
        let mut state = self.state();
        if state.task.is_none() {
            // Fetch 0 has always ended: there is nothing to wait for.
            return 0;
        }
        match self.on(&mut state, Event::Forced, now) {
            Action::Fetch => state.fetches,
            _ => state.next_fetch(),
        }
    }

    /// Publishes when requests should supervise the task.
    pub(super) fn publish_supervision(&self, state: &State) {
        self.supervise_again(match state.schedule.fetching_since() {
            Some(since) => since.saturating_add(MAX_FETCH_TIME),
            None => state.schedule.wakes_at().saturating_add(MAX_DELAY),
        });
    }

    fn supervise_again(&self, at: SteadyTime) {
        self.supervise_at.store(at.as_millis(), Ordering::Relaxed);
    }

    /// Forgets the task and its fetch. Returns the number of a fetch that the caller must end in
    /// [`Waiters`](super::waiters::Waiters). Whoever waits for the fetch, or for the next fetch,
    /// then looks again.
    fn abandon_fetch(&self, state: &mut State, now: SteadyTime) -> u64 {
        // A task that still runs learns that it is no longer needed.
        state.wake_task();
        state.task = None;
        state.is_launch_pending = false;
        state.woken_at = None;
        self.on(state, Event::Aborted, now);
        state.fetches = state.next_fetch();
        state.fetches
    }

    /// Called when the task `number` ends.
    fn task_ended(&self, number: u64) {
        let abandoned = {
            let mut state = self.state();
            if !state.is_acting(number) {
                return;
            }
            self.abandon_fetch(&mut state, self.clock.steady())
        };
        self.waiters.end(abandoned);
    }

    /// Returns the next step of the task `number`.
    fn next_step(&self, number: u64) -> Step {
        let mut state = self.state();
        if !state.is_acting(number) {
            return Step::Stop;
        }
        state.woken_at = None;
        let now = self.clock.steady();
        self.on(&mut state, Event::Tick, now);
        if !std::mem::take(&mut state.is_launch_pending) {
            return Step::Sleep(state.schedule.wakes_at().saturating_since(now));
        }
        let is_forced = state.schedule.is_forced();
        Step::Fetch(Launch {
            // A forced fetch requests the key set itself.
            validators: state.validators.clone().filter(|_| !is_forced),
            is_forced,
        })
    }

    /// Applies the outcome of the fetch that the task `number` made, and reports it.
    fn apply(&self, number: u64, outcome: Result<Fetched, KeyFetchError>) {
        let (fetch, report) = {
            let mut state = self.state();
            if !state.is_acting(number) {
                return;
            }
            let now = self.clock.steady();
            let fetch = state.fetches;
            let report = outcome.and_then(|fetched| self.succeed(&mut state, fetched, now));
            let report = report.unwrap_or_else(|error| self.fail(&mut state, error, now));
            (fetch, report)
        };
        // The lock is released, since wakers, the log and the callback may call this cache.
        self.waiters.end(fetch);
        self.report(&report);
    }

    /// Reports events to the log and to the callback. The caller must not hold the lock.
    pub(super) fn report(&self, report: &KeyReport) {
        for &kind in &report.events {
            let event = KeyEvent {
                issuer: &self.issuer,
                kind,
            };
            telemetry::key_event(&event, report);
            telemetry::metrics::key_event(&event, report);
            self.callback.call(&event);
        }
        for problem in &report.problems {
            telemetry::key_problem(&self.issuer, problem);
        }
    }

    fn succeed(
        &self,
        state: &mut State,
        fetched: Fetched,
        now: SteadyTime,
    ) -> Result<KeyReport, KeyFetchError> {
        let mut events = Vec::new();
        let mut problems = Vec::new();
        let is_news = state.schedule.is_failing() || state.schedule.fetched_at().is_none();
        let known = Arc::clone(&self.keys.load().keys);
        let keys = if let Some(mut keys) = fetched.keys {
            let change = keys.succeed(&known);
            events.extend(std::iter::repeat_n(KeyEventKind::KeyAdded, change.added));
            events.extend(std::iter::repeat_n(
                KeyEventKind::KeyWithdrawn,
                change.withdrawn,
            ));
            events.push(KeyEventKind::Fetched(keys.len()));
            problems = change.new_problems;
            state.validators = fetched.validators;
            Arc::new(keys)
        } else {
            if known.len() == 0 {
                return Err(KeyFetchError::new(
                    KeyFetchErrorKind::Other,
                    "the source reports `not modified`, but no key set was fetched before",
                ));
            }
            events.push(KeyEventKind::NotModified);
            known
        };
        let fresh_for = fetched.fresh_for;
        self.on(state, Event::Succeeded { fresh_for }, now);
        state.last_error = None;
        state.reported = Reported::default();
        let count = keys.len();
        self.keys.store(Arc::new(KeysInUse {
            keys,
            usable_until: state.schedule.usable_until().unwrap_or(now),
        }));
        Ok(KeyReport {
            events,
            keys: count,
            problems,
            is_news,
            ..KeyReport::default()
        })
    }

    fn fail(&self, state: &mut State, error: KeyFetchError, now: SteadyTime) -> KeyReport {
        let mut events = vec![KeyEventKind::Failed(error.kind())];
        // The server may not support the condition, so the next request has none.
        state.validators = None;
        let retry_after = error.retry_after();
        self.on(state, Event::Failed { retry_after }, now);
        let is_stale = state.schedule.stale_at().is_some_and(|at| now >= at);
        if state.notice_expiry(now) {
            events.push(KeyEventKind::StaleExpired);
        } else if is_stale && !std::mem::replace(&mut state.reported.is_stale, true) {
            events.push(KeyEventKind::StaleServed);
        }
        let usable_until = state.schedule.usable_until();
        let usable_for = usable_until
            .filter(|&until| until >= now)
            .map(|until| until.saturating_since(now));
        let is_news = match state.last_error.replace(error.clone()) {
            None => true,
            // While there are keys, the log has one line for each outage.
            Some(last) => usable_for.is_none() && last.kind() != error.kind(),
        };
        KeyReport {
            events,
            error: Some(error),
            usable_for,
            is_news,
            ..KeyReport::default()
        }
    }
}

impl Task {
    async fn run(self) {
        loop {
            let Some(shared) = self.shared.upgrade() else {
                return;
            };
            match shared.next_step(self.number) {
                Step::Stop => return,
                Step::Sleep(duration) => {
                    drop(shared);
                    tokio::select! {
                        () = sleep(duration) => {}
                        () = self.wake.notified() => {}
                    }
                }
                Step::Fetch(launch) => {
                    let source = Arc::clone(&shared.source);
                    let allowed = shared.allowed;
                    drop(shared);
                    let mut fetch = JoinSet::new();
                    fetch.spawn(fetch_and_parse(source, launch, allowed));
                    let Some(outcome) = self.outcome(&mut fetch).await else {
                        // Dropping the set aborts the fetch.
                        return;
                    };
                    let Some(shared) = self.shared.upgrade() else {
                        return;
                    };
                    shared.apply(self.number, outcome);
                }
            }
        }
    }

    /// Waits for the outcome of the fetch; `None` once the fetch is no longer needed.
    async fn outcome(
        &self,
        fetch: &mut JoinSet<Result<Fetched, KeyFetchError>>,
    ) -> Option<Result<Fetched, KeyFetchError>> {
        loop {
            tokio::select! {
                joined = fetch.join_next() => {
                    return match joined? {
                        Ok(outcome) => Some(outcome),
                        Err(error) if error.is_panic() => Some(Err(KeyFetchError::new(
                            KeyFetchErrorKind::Panic,
                            "the fetch panicked",
                        ))),
                        Err(_) => None,
                    };
                }
                () = self.wake.notified() => if !self.is_needed() {
                    return None;
                }
            }
        }
    }

    fn is_needed(&self) -> bool {
        let shared = self.shared.upgrade();
        shared.is_some_and(|shared| shared.state().is_acting(self.number))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.task_ended(self.number);
        }
    }
}
