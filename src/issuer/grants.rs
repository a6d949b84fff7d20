//! Grants of one issuer that come from a [`GrantSource`]: the calls, and the age of grants.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    thread,
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
        organization::AuthorizedOrganization,
    },
    calls::{Call, Calls, Deadline, Joined, Limits, Waiter},
    clock::{Clock, SteadyTime},
    error::{auth::AuthError, claim::ClaimError, config::ConfigError, reason::Reason},
    telemetry::{self, limit::LogLimit},
    token::claims::Claims,
    validator::cache::ungranted::Ungranted,
};

/// Bounds of the calls of one issuer.
const LIMITS: Limits = Limits {
    running: 32,
    calls: 256,
    joined: 4096,
};
/// Longest time for which a call waits for its turn. After that it fails.
const MAX_QUEUE_TIME: Duration = Duration::from_secs(3);
/// Longest call. A longer call is aborted and counts as failed.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Time after which a call that has not ended has lost its task. A busy runtime may delay a call.
const MAX_WAIT: Duration = Duration::from_secs(11);
/// Time for which a grant serves on after a failed call, before the next call.
const RETRY_PAUSE: Duration = Duration::from_secs(5);
/// Time after the end of that pause for which requests with the token do not wait for the next call.
const RECENT_FAILURE: Duration = Duration::from_secs(10);
/// Longest `Retry-After` of a rejection.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);
/// Shortest time between two log lines about outages, in seconds.
const LOG_PAUSE: u64 = 10;

/// Error of a call that has no outcome.
const LOST: &str = "the call for a grant was lost: the source of grants panicked, or the Tokio \
                    runtime of the call does not run";

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
    max_stale: Duration,
}

/// Part that the tasks of calls share.
struct Shared {
    issuer: Arc<str>,
    source: Arc<dyn GrantSource>,
    max_age: Duration,
    /// The only organization whose grants are accepted.
    organization: Option<AuthorizedOrganization>,
    clock: Clock,
    /// `true` from the log line about an outage to the line about its end. The tasks of calls write it.
    is_outage_logged: AtomicBool,
    log: LogLimit,
}

/// Answer to a call.
pub(crate) struct Answer {
    token: Arc<str>,
    at: SteadyTime,
    outcome: Result<Grant, GrantError>,
}

/// Grant of a cached token.
pub(crate) struct KnownGrant {
    pub(crate) grant: Grant,
    pub(crate) granted_at: SteadyTime,
    /// Time until which the token needed no call. If a call for the token failed, this is later than
    /// the age of the grant allows.
    pub(crate) fresh_until: SteadyTime,
}

/// Grant that needs no call for some time.
pub(crate) struct FreshGrant {
    pub(crate) known: KnownGrant,
    /// Time of the next call.
    pub(crate) fresh_until: SteadyTime,
}

/// Decision about a token.
pub(crate) enum Decision {
    Granted(FreshGrant),
    Rejected(AuthError),
    Wait(GrantWait),
}

impl Grants {
    pub(super) fn new(
        issuer: Arc<str>,
        source: Arc<dyn GrantSource>,
        organization: Option<AuthorizedOrganization>,
        clock: Clock,
    ) -> Self {
        let max_age = source.max_age();
        Self {
            calls: Arc::new(Calls::new(LIMITS)),
            max_stale: source.max_stale().max(max_age),
            shared: Arc::new(Shared {
                issuer,
                source,
                max_age,
                organization,
                is_outage_logged: AtomicBool::new(false),
                log: LogLimit::new(LOG_PAUSE, clock.clone()),
                clock,
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

    /// Decides about a verified token. `answer` is that of the call for which the request waited.
    pub(crate) fn decide(
        &self,
        token: &Ungranted,
        answer: Option<&Answer>,
        now: SteadyTime,
    ) -> Decision {
        let known = token.known();
        let is_usable = |answer: &&Answer| {
            // The request may have waited for its service since.
            *answer.token == *token.token() && self.shared.is_fresh(answer.at, now)
        };
        if let Some(Answer { at, outcome, .. }) = answer.filter(is_usable) {
            return match outcome {
                Ok(grant) => Decision::Granted(self.shared.granted(grant.clone(), *at)),
                Err(error) if error.kind() == GrantErrorKind::Refused => {
                    Decision::Rejected(self.refused(error))
                }
                Err(error) => self.serve_stale(known, error, now),
            };
        }
        match known {
            Some(known) if self.shared.is_fresh(known.granted_at, now) => {
                Decision::Granted(self.shared.granted(known.grant, known.granted_at))
            }
            known => self.ask(token, known, now),
        }
    }

    /// Joins the call for the token, or starts it.
    fn ask(&self, token: &Ungranted, known: Option<KnownGrant>, now: SteadyTime) -> Decision {
        let Ok(runtime) = Handle::try_current() else {
            let error = GrantError::unavailable("grants are fetched inside a Tokio runtime only");
            return self.serve_stale(known, &error, now);
        };
        let text: Arc<str> = token.token().into();
        let waiter = match Calls::join(&self.calls, Arc::clone(&text)) {
            Joined::Joins(waiter) => waiter,
            Joined::Starts(call, waiter) => {
                // A call may have ended since `known` was read. It has cached its grant before.
                if let Some(new) = token.known()
                    && self.shared.is_fresh(new.granted_at, now)
                {
                    call.end(Arc::new(Answer {
                        token: text,
                        at: new.granted_at,
                        outcome: Ok(new.grant.clone()),
                    }));
                    return Decision::Granted(self.shared.granted(new.grant, new.granted_at));
                }
                // A separate task, since requests that go away must not cancel the call for others.
                let shared = Arc::clone(&self.shared);
                runtime.spawn(shared.call(call, token.clone(), Arc::clone(&text)));
                waiter
            }
            Joined::TooMany => {
                return match self.usable(known, now) {
                    Some(stale) => self.stale(stale, now),
                    None => Decision::Rejected(
                        AuthError::unavailable(Reason::TooManyWaiting, Duration::from_secs(1))
                            .of_issuer(&self.shared.issuer),
                    ),
                };
            }
        };
        let is_failing = |known: &KnownGrant| self.shared.has_just_failed(known, now);
        if let Some(stale) = self.usable(known, now).filter(is_failing) {
            // No request needs to wait for an attempt that will probably fail, too. The call goes on
            // without it.
            return self.stale(stale, now);
        }
        let deadline: Deadline = Box::pin(sleep(MAX_WAIT));
        Decision::Wait(GrantWait {
            waiter: waiter.until(Some(deadline)),
            token: text,
            clock: self.shared.clock.clone(),
        })
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
            None => Decision::Rejected(self.unavailable(error)),
        }
    }

    fn stale(&self, known: KnownGrant, now: SteadyTime) -> Decision {
        let usable_until = known.granted_at.saturating_add(self.max_stale);
        Decision::Granted(FreshGrant {
            known,
            fresh_until: now.saturating_add(RETRY_PAUSE).min(usable_until),
        })
    }

    fn usable(&self, known: Option<KnownGrant>, now: SteadyTime) -> Option<KnownGrant> {
        known.filter(|known| now.saturating_since(known.granted_at) < self.max_stale)
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
    /// Calls the source and caches its grant. If the source panics or this is dropped, `call` ends
    /// without an outcome.
    async fn call(
        self: Arc<Self>,
        call: Call<Arc<str>, Arc<Answer>>,
        token: Ungranted,
        text: Arc<str>,
    ) {
        let _on_panic = OnPanic(&self);
        let outcome = match timeout(MAX_QUEUE_TIME, call.turn()).await {
            Ok(true) => self.fetch(&token.claims).await,
            Ok(false) => return,
            Err(_) => Err(GrantError::unavailable(
                "the call waited 3 seconds for 32 other calls: the source of grants is too slow",
            )),
        };
        self.report(&outcome);
        let at = self.clock.steady();
        match &outcome {
            // Before the call ends: the next request then finds either the call or its grant.
            Ok(grant) => token.keep(self.granted(grant.clone(), at)),
            Err(error) if error.kind() == GrantErrorKind::Refused => token.forget(),
            Err(_) => {}
        }
        call.end(Arc::new(Answer {
            token: text,
            at,
            outcome,
        }));
    }

    async fn fetch(&self, claims: &Claims) -> Result<Grant, GrantError> {
        let fetched = timeout(CALL_TIMEOUT, self.source.fetch(GrantRequest::new(claims))).await;
        let grant = fetched.unwrap_or_else(|_| {
            Err(GrantError::unavailable(
                "the source of grants gave no response within 5 seconds",
            ))
        })?;
        if self.organization.is_some() && grant.organization != self.organization {
            return Err(GrantError::refused(
                "the grant is not for the configured organization",
            ));
        }
        Ok(grant)
    }

    fn is_fresh(&self, since: SteadyTime, now: SteadyTime) -> bool {
        now.saturating_since(since) < self.max_age
    }

    /// Returns whether the last call for this token failed, a short time ago. The calls for other tokens
    /// do not count: whoever makes one of them fail must not extend the use of other grants.
    fn has_just_failed(&self, known: &KnownGrant, now: SteadyTime) -> bool {
        known.fresh_until > known.granted_at.saturating_add(self.max_age)
            && now.saturating_since(known.fresh_until) < RECENT_FAILURE
    }

    fn granted(&self, grant: Grant, granted_at: SteadyTime) -> FreshGrant {
        FreshGrant {
            known: KnownGrant {
                grant,
                granted_at,
                fresh_until: granted_at.saturating_add(self.max_age),
            },
            fresh_until: granted_at.saturating_add(self.max_age),
        }
    }

    /// Notes whether grants are available, and logs the start and the end of an outage. A refusal does
    /// not prove that grants are available.
    fn report(&self, outcome: &Result<Grant, GrantError>) {
        let name = match outcome {
            Ok(_) => "granted",
            Err(error) => match error.kind() {
                GrantErrorKind::Refused => "refused",
                GrantErrorKind::Unavailable => "unavailable",
            },
        };
        telemetry::metrics::grant_fetched(&self.issuer, name);
        match outcome {
            Ok(_) => {
                if self.is_outage_logged.swap(false, Ordering::Relaxed) {
                    telemetry::grants_available(&self.issuer);
                }
            }
            Err(error) if error.kind() == GrantErrorKind::Unavailable => {
                let is_known = self.is_outage_logged.load(Ordering::Relaxed);
                if telemetry::grants_failed(&self.issuer, error, is_known, &self.log) {
                    self.is_outage_logged.store(true, Ordering::Relaxed);
                }
            }
            Err(_) => {}
        }
    }
}

/// Reports the panic of a source when it is dropped.
struct OnPanic<'s>(&'s Shared);

impl Drop for OnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.report(&Err(GrantError::unavailable(LOST)));
        }
    }
}

/// Future of the answer to a call.
pub(crate) struct GrantWait {
    waiter: Waiter<Arc<str>, Arc<Answer>>,
    token: Arc<str>,
    clock: Clock,
}

impl Future for GrantWait {
    type Output = Arc<Answer>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Arc<Answer>> {
        let outcome = ready!(Pin::new(&mut self.waiter).poll(cx));
        Poll::Ready(outcome.unwrap_or_else(|| {
            Arc::new(Answer {
                token: Arc::clone(&self.token),
                at: self.clock.steady(),
                outcome: Err(GrantError::unavailable(LOST)),
            })
        }))
    }
}
