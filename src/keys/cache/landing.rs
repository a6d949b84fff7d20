//! What comes of a fetch.

use std::{sync::Arc, time::Duration};

use crate::{
    keys::{
        cache::{
            schedule::{Event, Moment},
            shared::{Kept, Loaded, State, Told},
            task::Fetched,
        },
        error::{KeyFetchError, KeyFetchErrorKind},
        event::KeyEventKind,
        key_set::KeySet,
        source::CacheValidators,
    },
    telemetry,
};

/// A key set that is to be used from now on.
struct Accepted {
    keys: Arc<KeySet>,
    event: Event,
    /// What to ask with next time. Kept as it is if the key set did not change.
    validators: Option<CacheValidators>,
}

/// What is logged once the lock is released.
enum Line {
    Failed {
        error: KeyFetchError,
        usable_for: Option<Duration>,
        is_news: bool,
    },
    Fetched {
        keys: usize,
        is_news: bool,
    },
}

impl Kept {
    /// The fetch of the task `number` has ended.
    pub(super) fn land(&self, number: u64, fetched: Result<Fetched, KeyFetchError>) {
        let mut told = Vec::new();
        let (landed, line) = {
            let mut state = self.state();
            if !state.is_acting(number) {
                return;
            }
            let landed = state.took_off;
            let now = self.clock.steady();
            let line = match self.accept(fetched, &mut told) {
                Ok(accepted) => self.succeed(&mut state, accepted, now),
                Err(error) => self.fail(&mut state, error, now, &mut told),
            };
            (landed, line)
        };
        // Neither wakers, nor the log, nor a listener may find the lock held.
        self.flights.land(landed);
        match line {
            Line::Fetched { keys, is_news } => {
                telemetry::keys_fetched(&self.issuer, keys, is_news, &told);
            }
            Line::Failed {
                error,
                usable_for,
                is_news,
            } => telemetry::keys_failed(&self.issuer, &error, usable_for, is_news),
        }
        for kind in told {
            self.tell(kind);
        }
    }

    /// Tells the log and the listener. Never called with a lock held.
    pub(super) fn tell(&self, kind: KeyEventKind) {
        if kind == KeyEventKind::StaleExpired {
            telemetry::keys_expired(&self.issuer);
        }
        self.listener.tell(&self.issuer, kind);
    }

    /// The keys that a fetch stands for.
    fn accept(
        &self,
        fetched: Result<Fetched, KeyFetchError>,
        told: &mut Vec<KeyEventKind>,
    ) -> Result<Accepted, KeyFetchError> {
        let known = Arc::clone(&self.loaded.load().keys);
        match fetched? {
            Fetched::Keys {
                mut keys,
                validators,
                fresh_for,
            } => {
                let change = keys.succeed(&known);
                told.extend(std::iter::repeat_n(KeyEventKind::KeyAdded, change.added));
                told.extend(std::iter::repeat_n(
                    KeyEventKind::KeyWithdrawn,
                    change.withdrawn,
                ));
                told.push(KeyEventKind::Fetched(keys.len()));
                Ok(Accepted {
                    keys: Arc::new(keys),
                    event: Event::Fetched { fresh_for },
                    validators,
                })
            }
            Fetched::NotModified { .. } if known.len() == 0 => Err(KeyFetchError::new(
                KeyFetchErrorKind::Other,
                "`not modified` before any key set",
            )),
            Fetched::NotModified { fresh_for } => {
                told.push(KeyEventKind::NotModified);
                Ok(Accepted {
                    keys: known,
                    event: Event::NotModified { fresh_for },
                    validators: None,
                })
            }
        }
    }

    fn succeed(&self, state: &mut State, accepted: Accepted, now: Moment) -> Line {
        let is_news = state.refresh.is_failing() || state.refresh.fetched_at().is_none();
        self.on(state, accepted.event, now);
        state.last_error = None;
        state.told = Told::default();
        if matches!(accepted.event, Event::Fetched { .. }) {
            state.validators = accepted.validators;
        }
        let count = accepted.keys.len();
        self.loaded.store(Arc::new(Loaded {
            keys: accepted.keys,
            usable_until: state.refresh.usable_until().unwrap_or(now),
        }));
        Line::Fetched {
            keys: count,
            is_news,
        }
    }

    fn fail(
        &self,
        state: &mut State,
        error: KeyFetchError,
        now: Moment,
        told: &mut Vec<KeyEventKind>,
    ) -> Line {
        told.push(KeyEventKind::Failed(error.kind()));
        // It may be the condition that the server cannot handle, so the next attempt has none.
        state.validators = None;
        let retry_after = error.retry_after();
        self.on(state, Event::Failed { retry_after }, now);
        let is_stale = state.refresh.stale_at().is_some_and(|at| now >= at);
        if state.notice_expiry(now) {
            told.push(KeyEventKind::StaleExpired);
        } else if is_stale && !std::mem::replace(&mut state.told.stale, true) {
            told.push(KeyEventKind::StaleServed);
        }
        let last = state.last_error.replace(error.clone());
        let usable_until = state.refresh.usable_until();
        let usable_for = usable_until.and_then(|until| until.checked_sub(now));
        let is_news = match last {
            None => true,
            // As long as there are keys, one line is enough to know that something is wrong.
            Some(last) => usable_for.is_none() && last.kind() != error.kind(),
        };
        Line::Failed {
            error,
            usable_for,
            is_news,
        }
    }
}
