//! Grants of one issuer that come from a [`GrantSource`]: the calls, and the age of grants.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    time::{sleep, timeout},
};

use crate::{
    access::{
        grant::Grant,
        grant_source::{GrantError, GrantErrorKind, GrantRequest, GrantSource},
    },
    calls::{Call, Calls, Deadline, Joined, Waiter},
    clock::{Clock, SteadyTime},
    error::{auth::AuthError, claim::ClaimError, config::ConfigError, reason::Reason},
    telemetry::{self, limit::LogLimit},
    token::claims::Claims,
};

/// Longest call. A longer call is aborted and counts as failed.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Time after which a call that has not ended has lost its task. A busy runtime may delay a call.
const MAX_CALL_TIME: Duration = Duration::from_secs(8);
/// Time for which a grant serves on after a failed call, before the next call.
const RETRY_PAUSE: Duration = Duration::from_secs(5);
/// Longest `Retry-After` of a rejection.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// Checks the settings of `source`.
pub(super) fn check(source: &dyn GrantSource) -> Result<(), ConfigError> {
    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(60 * 60);
    let out_of_bounds = |setting, value: Duration, bounds| ConfigError::OutOfBounds {
        setting,
        value: format!("{value:?}"),
        bounds,
    };
    let (max_age, max_stale) = (source.max_age(), source.max_stale());
    if !(SECOND..=HOUR).contains(&max_age) {
        return Err(out_of_bounds("max_age", max_age, "1 s to 1 h"));
    }
    if max_stale > HOUR {
        return Err(out_of_bounds("max_stale", max_stale, "0 s to 1 h"));
    }
    source.check()
}

/// Source of an issuer's grants, with its calls.
pub(crate) struct Grants {
    shared: Arc<Shared>,
    calls: Arc<Calls<Arc<str>, Arc<Answer>>>,
    max_age: Duration,
    max_stale: Duration,
}

/// Part that the tasks of calls share.
struct Shared {
    issuer: Arc<str>,
    source: Arc<dyn GrantSource>,
    log: LogLimit,
    /// `true` from the log line about an outage to the line about its end.
    is_outage_logged: AtomicBool,
}

/// Outcome of a call.
pub(crate) struct Answer {
    asked_at: SteadyTime,
    outcome: Result<Grant, GrantError>,
}

/// Grant of a cached token.
pub(crate) struct KnownGrant {
    pub(crate) grant: Grant,
    pub(crate) granted_at: SteadyTime,
}

/// Decision about a token.
pub(crate) enum Decision {
    Granted {
        known: KnownGrant,
        /// Time of the next call.
        fresh_until: SteadyTime,
    },
    /// The source does not accept the token, so no earlier grant of it may be used.
    Refused(AuthError),
    /// There is no grant.
    Unavailable(AuthError),
    Wait(GrantWait),
}

impl Grants {
    pub(super) fn new(issuer: &Arc<str>, source: Arc<dyn GrantSource>, clock: Clock) -> Self {
        let max_age = source.max_age();
        Self {
            calls: Arc::default(),
            max_age,
            max_stale: source.max_stale().max(max_age),
            shared: Arc::new(Shared {
                issuer: Arc::clone(issuer),
                source,
                log: LogLimit::new(10, clock),
                is_outage_logged: AtomicBool::new(false),
            }),
        }
    }

    /// Returns the age up to which a grant may be used.
    pub(crate) fn max_stale(&self) -> Duration {
        self.max_stale
    }

    /// Checks the claims of a token, without a call.
    pub(crate) fn check_claims(&self, claims: &Claims) -> Result<(), ClaimError> {
        self.shared.source.check_claims(claims)
    }

    /// Decides about a verified token. `known` is its last grant, and `answer` the outcome of a call that
    /// the request waited for.
    pub(crate) fn decide(
        &self,
        claims: &Claims,
        known: Option<KnownGrant>,
        answer: Option<&Answer>,
        now: SteadyTime,
    ) -> Decision {
        let answer = answer.filter(|answer| self.is_fresh(answer.asked_at, now));
        match answer.map(|answer| (&answer.outcome, answer.asked_at)) {
            Some((Ok(grant), granted_at)) => {
                return self.granted(KnownGrant {
                    grant: grant.clone(),
                    granted_at,
                });
            }
            Some((Err(error), _)) if error.kind() == GrantErrorKind::Refused => {
                return Decision::Refused(self.refused(error));
            }
            Some((Err(error), _)) => return self.serve_stale(known, error, now),
            None => {}
        }
        match known {
            Some(known) if self.is_fresh(known.granted_at, now) => self.granted(known),
            known => self.ask(claims, known, now),
        }
    }

    /// Joins the call for the token, or starts one.
    fn ask(&self, claims: &Claims, known: Option<KnownGrant>, now: SteadyTime) -> Decision {
        let Ok(runtime) = Handle::try_current() else {
            let error = GrantError::unavailable("grants are fetched inside a Tokio runtime only");
            return self.serve_stale(known, &error, now);
        };
        let waiter = match Calls::join(&self.calls, claims.token().into()) {
            Joined::Joins(waiter) => waiter,
            Joined::Starts(call, waiter) => {
                let shared = Arc::clone(&self.shared);
                // The task outlives the request, since other requests may wait for its outcome.
                runtime.spawn(shared.call(call, claims.clone(), now));
                waiter
            }
            Joined::TooMany => {
                return match self.usable(known, now) {
                    Some(stale) => self.stale(stale, now),
                    None => Decision::Unavailable(
                        AuthError::unavailable(Reason::TooManyWaiting, Duration::from_secs(1))
                            .of_issuer(&self.shared.issuer),
                    ),
                };
            }
        };
        let deadline: Deadline = Box::pin(sleep(MAX_CALL_TIME));
        Decision::Wait(GrantWait {
            waiter: waiter.until(Some(deadline)),
            asked_at: now,
        })
    }

    fn granted(&self, known: KnownGrant) -> Decision {
        let fresh_until = known.granted_at.saturating_add(self.max_age);
        Decision::Granted { known, fresh_until }
    }

    /// Serves the last grant after a failed call, if it may still be used.
    fn serve_stale(
        &self,
        known: Option<KnownGrant>,
        error: &GrantError,
        now: SteadyTime,
    ) -> Decision {
        match self.usable(known, now) {
            Some(stale) => self.stale(stale, now),
            None => Decision::Unavailable(self.unavailable(error)),
        }
    }

    fn stale(&self, known: KnownGrant, now: SteadyTime) -> Decision {
        let usable_until = known.granted_at.saturating_add(self.max_stale);
        Decision::Granted {
            known,
            fresh_until: now.saturating_add(RETRY_PAUSE).min(usable_until),
        }
    }

    fn usable(&self, known: Option<KnownGrant>, now: SteadyTime) -> Option<KnownGrant> {
        known.filter(|known| now.saturating_since(known.granted_at) < self.max_stale)
    }

    fn is_fresh(&self, since: SteadyTime, now: SteadyTime) -> bool {
        now.saturating_since(since) < self.max_age
    }

    fn refused(&self, error: &GrantError) -> AuthError {
        AuthError::verified(Reason::GrantRefused)
            .with_detail(error.to_string())
            .of_issuer(&self.shared.issuer)
    }

    fn unavailable(&self, error: &GrantError) -> AuthError {
        let wait = error.retry_after().unwrap_or(RETRY_PAUSE);
        AuthError::unavailable(Reason::GrantUnavailable, wait.min(MAX_RETRY_AFTER))
            .with_detail(error.to_string())
            .of_issuer(&self.shared.issuer)
    }
}

impl Shared {
    /// Calls the source. If this panics or is dropped, `call` ends without an outcome.
    async fn call(
        self: Arc<Self>,
        call: Call<Arc<str>, Arc<Answer>>,
        claims: Claims,
        asked_at: SteadyTime,
    ) {
        let fetched = timeout(CALL_TIMEOUT, self.source.fetch(GrantRequest::new(&claims))).await;
        let outcome = fetched.unwrap_or_else(|_| {
            Err(GrantError::unavailable(
                "the source of grants gave no response within 5 seconds",
            ))
        });
        self.log(&outcome);
        call.end(Arc::new(Answer { asked_at, outcome }));
    }

    /// Logs the start and the end of an outage, at most one of each in 10 s. A refusal is a response, but
    /// it does not prove that grants are available.
    fn log(&self, outcome: &Result<Grant, GrantError>) {
        match outcome {
            Ok(_) => {
                if self.is_outage_logged.swap(false, Ordering::Relaxed) {
                    telemetry::grants_available(&self.issuer);
                }
            }
            Err(error) if error.kind() == GrantErrorKind::Unavailable => {
                let is_known = self.is_outage_logged.load(Ordering::Relaxed);
                let is_news = !is_known && telemetry::grants_failed(&self.issuer, error, &self.log);
                if is_news {
                    self.is_outage_logged.store(true, Ordering::Relaxed);
                }
            }
            Err(_) => {}
        }
    }
}

/// Future of the outcome of a call.
pub(crate) struct GrantWait {
    waiter: Waiter<Arc<str>, Arc<Answer>>,
    asked_at: SteadyTime,
}

impl Future for GrantWait {
    type Output = Arc<Answer>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Arc<Answer>> {
        let outcome = ready!(Pin::new(&mut self.waiter).poll(cx));
        Poll::Ready(outcome.unwrap_or_else(|| {
            Arc::new(Answer {
                asked_at: self.asked_at,
                outcome: Err(GrantError::unavailable(
                    "the call for a grant was lost: the source of grants panicked, or the Tokio runtime \
                     of the call does not run",
                )),
            })
        }))
    }
}
