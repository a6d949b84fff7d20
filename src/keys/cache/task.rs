//! The task of a key set: sleeps, fetches, and says what came of it.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::keys::{
    algorithm::AllowedAlgorithms,
    cache::shared::{Kept, Order, Step},
    error::{KeyFetchError, KeyFetchErrorKind},
    key_set::KeySet,
    source::{CacheValidators, KeyFetch, KeyRequest, KeySource},
};

/// A fetch, discovery included, takes no longer.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// What a fetch brought, read.
pub(super) enum Fetched {
    Keys {
        keys: KeySet,
        validators: Option<CacheValidators>,
        fresh_for: Option<Duration>,
    },
    NotModified {
        fresh_for: Option<Duration>,
    },
}

/// One run of the task. It exists from before the task is spawned, so that nothing is missed if a
/// runtime drops it unpolled, and holds what it works for weakly, so that the end of that is its
/// own.
pub(super) struct Task {
    kept: Weak<Kept>,
    number: u64,
}

impl Task {
    pub(super) fn new(kept: &Arc<Kept>, number: u64) -> Self {
        Self {
            kept: Arc::downgrade(kept),
            number,
        }
    }

    fn is_needed(&self) -> bool {
        let kept = self.kept.upgrade();
        kept.is_some_and(|kept| kept.state().is_acting(self.number))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(kept) = self.kept.upgrade() {
            kept.task_ended(self.number);
        }
    }
}

pub(super) async fn keep(task: Task, nudge: Arc<Notify>) {
    loop {
        let Some(kept) = task.kept.upgrade() else {
            return;
        };
        match kept.step(task.number) {
            Step::Stop => return,
            Step::Sleep(duration) => {
                drop(kept);
                tokio::select! {
                    () = sleep(duration) => {}
                    () = nudge.notified() => {}
                }
            }
            Step::Fetch(order) => {
                let source = Arc::clone(&kept.source);
                let allowed = kept.allowed;
                drop(kept);
                let mut fetch = JoinSet::new();
                fetch.spawn(fetch_and_read(source, order, allowed));
                let Some(fetched) = outcome(&mut fetch, &task, &nudge).await else {
                    // Dropping the set aborts the fetch.
                    return;
                };
                let Some(kept) = task.kept.upgrade() else {
                    return;
                };
                kept.land(task.number, fetched);
            }
        }
    }
}

/// Runs in a task of its own, so that a panic of the source, or of whoever reads what it brought,
/// is an error like any other.
async fn fetch_and_read(
    source: Arc<dyn KeySource>,
    order: Order,
    allowed: AllowedAlgorithms,
) -> Result<Fetched, KeyFetchError> {
    let request = KeyRequest {
        validators: order.validators.as_ref(),
        bypasses_caches: order.is_forced,
    };
    let fetched = timeout(FETCH_TIMEOUT, source.fetch(request)).await;
    let fetched = fetched.map_err(|_| {
        KeyFetchError::new(KeyFetchErrorKind::Timeout, "no answer within 5 seconds")
    })?;
    Ok(match fetched? {
        KeyFetch::Fresh {
            jwks,
            validators,
            fresh_for,
        } => Fetched::Keys {
            keys: KeySet::parse(&jwks, allowed)?,
            validators,
            fresh_for,
        },
        KeyFetch::NotModified { fresh_for } => Fetched::NotModified { fresh_for },
    })
}

/// What came of the fetch; `None` once nobody needs it any more.
async fn outcome(
    fetch: &mut JoinSet<Result<Fetched, KeyFetchError>>,
    task: &Task,
    nudge: &Notify,
) -> Option<Result<Fetched, KeyFetchError>> {
    loop {
        tokio::select! {
            joined = fetch.join_next() => {
                return match joined? {
                    Ok(fetched) => Some(fetched),
                    Err(error) if error.is_panic() => Some(Err(KeyFetchError::new(
                        KeyFetchErrorKind::Panic,
                        "the fetch panicked",
                    ))),
                    Err(_) => None,
                };
            }
            () = nudge.notified() => if !task.is_needed() {
                return None;
            }
        }
    }
}
