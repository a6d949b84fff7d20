//! The one decision: is this token acceptable, and what does it grant?

pub(crate) mod builder;
pub(crate) mod cache;
mod diagnostics;

pub use self::builder::TokenValidatorBuilder;

use std::{collections::HashMap, fmt, future::Future as _, sync::Arc, task::Poll, time::Duration};

use crate::{
    access::Access,
    auth::request_view::RequestView,
    clock::{Clock, SteadyTime},
    error::auth::{AuthError, Reason},
    issuer::trusted::TrustedIssuer,
    keys::{
        cache::{Miss, waiters::Wait},
        error::KeyFetchError,
        event::KeyStatus,
        key_set::KeyLookupError,
    },
    telemetry::{self, QuietLogs},
    token::{
        claims::Claims,
        header_cache::HeaderCache,
        jws::{CompactJws, ParsedJws},
        scratch::{Buffers, Scratch},
        unverified::Unverified,
    },
    validator::cache::{Verdict, Verdicts},
};

/// Decides about tokens. Cheap to clone; all clones share their keys.
///
/// ```
/// use modeler_auth::{Issuer, TokenValidator};
///
/// let validator = TokenValidator::builder()
///     .issuer(Issuer::saas("12345678-ABCD-DCBA-ABCD-123456789ABC"))
///     .issuer(Issuer::self_managed("http://localhost:18080/auth/realms/camunda-platform"))
///     .build()?;
/// assert!(!validator.is_ready()); // keys come with the first request, or with a runtime at hand
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct TokenValidator {
    inner: Arc<Inner>,
}

struct Inner {
    issuers: Vec<TrustedIssuer>,
    /// Positions in `issuers` by exact `iss`.
    by_name: HashMap<Box<str>, usize>,
    leeway: Duration,
    clock: Clock,
    headers: HeaderCache,
    verdicts: Verdicts,
    logs: QuietLogs,
}

/// What is to be done about a token.
pub(crate) enum Decision {
    Accepted(Access),
    Rejected(AuthError),
    /// Decide again once this is ready.
    Wait(Wait),
}

/// Why a token is not accepted, for now or for good.
enum Stop {
    Rejected(AuthError),
    Wait(Wait),
}

impl<E: Into<AuthError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Rejected(error.into())
    }
}

/// A token whose signature held.
struct VerifiedToken<'v> {
    claims: Claims,
    issuer: &'v TrustedIssuer,
    /// The position of the issuer.
    position: usize,
    /// Of the issuer's key set.
    generation: u64,
}

/// How often a token may still be put off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    First,
    /// It waited for a fetch that had begun before it came, and may wait for one more.
    Second,
    Last,
}

impl Attempt {
    fn may_wait(self) -> bool {
        self != Self::Last
    }

    /// The attempt after having waited for a fetch, which it `joined` if that had begun before.
    pub(crate) fn after_waiting(self, joined: bool) -> Self {
        if self == Self::First && joined {
            Self::Second
        } else {
            Self::Last
        }
    }
}

impl TokenValidator {
    pub(crate) fn new(
        issuers: Vec<TrustedIssuer>,
        by_name: HashMap<Box<str>, usize>,
        leeway: Duration,
        clock: Clock,
        verdicts: Verdicts,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                issuers,
                by_name,
                leeway,
                logs: QuietLogs::new(&clock),
                clock,
                headers: HeaderCache::default(),
                verdicts,
            }),
        }
    }

    /// Validates `token`, the text after `Bearer `. If the keys of its issuer are not known yet or
    /// do not hold the one it names, waits for the fetch under way and, if that had begun before,
    /// for one more: 5 seconds each at the most. Waiting needs a Tokio runtime with time and I/O
    /// enabled. A token that is bound to its sender is rejected, since there is no request to confirm
    /// that by.
    ///
    /// # Errors
    /// [`AuthError`], of the kinds [`InvalidToken`](crate::AuthErrorKind::InvalidToken) and
    /// [`Unavailable`](crate::AuthErrorKind::Unavailable).
    pub async fn validate(&self, token: &str) -> Result<Access, AuthError> {
        let mut attempt = Attempt::First;
        loop {
            match self.decide(token, None, attempt) {
                Decision::Accepted(access) => return Ok(access),
                Decision::Rejected(error) => return Err(error),
                Decision::Wait(wait) => {
                    attempt = attempt.after_waiting(wait.joined);
                    wait.await;
                }
            }
        }
    }

    /// Whether the keys of every issuer are at hand.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let mut issuers = self.inner.issuers.iter();
        issuers.all(|issuer| issuer.keys.has_keys())
    }

    /// Waits until the keys of every issuer are at hand, for as long as that takes. Needs a Tokio
    /// runtime with time and I/O enabled.
    pub async fn ready(&self) {
        for issuer in &self.inner.issuers {
            issuer.keys.ready().await;
        }
    }

    /// Waits until the keys of at least one issuer are at hand; else as [`ready`](Self::ready).
    pub async fn any_ready(&self) {
        let issuers = self.inner.issuers.iter();
        let mut waiting: Vec<_> = issuers
            .map(|issuer| Box::pin(issuer.keys.ready()))
            .collect();
        std::future::poll_fn(|cx| {
            if waiting
                .iter_mut()
                .any(|one| one.as_mut().poll(cx).is_ready())
            {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Fetches the keys of every issuer now, e.g. after one was revoked, whatever the schedule
    /// and the cooldown say. `Ok` means that the keys now in use were asked for after the call.
    /// Needs a Tokio runtime with time and I/O enabled.
    ///
    /// # Errors
    /// The first [`KeyFetchError`], after all issuers were tried. Their known keys stay in use.
    pub async fn refresh_now(&self) -> Result<(), KeyFetchError> {
        let started: Vec<_> = self
            .inner
            .issuers
            .iter()
            .map(|issuer| issuer.keys.refresh_now())
            .collect();
        let mut outcome = Ok(());
        for refreshed in started {
            let refreshed = refreshed.await;
            outcome = outcome.and(refreshed);
        }
        outcome
    }

    /// The state of each issuer's key set, in the order of configuration.
    #[must_use]
    pub fn key_status(&self) -> Vec<KeyStatus> {
        let issuers = self.inner.issuers.iter();
        issuers.map(|issuer| issuer.keys.status()).collect()
    }

    /// Logs the rejection of a request.
    pub(crate) fn log_rejection(&self, error: &AuthError) {
        telemetry::rejected(error, &self.inner.logs);
    }

    /// Decides without waiting.
    pub(crate) fn decide(
        &self,
        token: &str,
        request: Option<&RequestView<'_>>,
        attempt: Attempt,
    ) -> Decision {
        match self.inner.decide(token, request, attempt) {
            Ok(access) => Decision::Accepted(access),
            Err(Stop::Rejected(error)) => Decision::Rejected(error),
            Err(Stop::Wait(wait)) => Decision::Wait(wait),
        }
    }
}

impl Inner {
    fn decide(
        &self,
        token: &str,
        request: Option<&RequestView<'_>>,
        attempt: Attempt,
    ) -> Result<Access, Stop> {
        let compact = CompactJws::split(token)?;
        let now = self.clock.steady();
        if let Some((access, issuer)) = self.recall(token, now) {
            issuer.check_request(access.claims(), request, self.leeway)?;
            return Ok(access);
        }
        let verdict = self.check(compact, request, attempt, now)?;
        let access = verdict.access.clone();
        self.verdicts.insert(verdict);
        Ok(access)
    }

    /// What a check would find about a token that was accepted before, if that is certain.
    fn recall(&self, token: &str, now: SteadyTime) -> Option<(Access, &TrustedIssuer)> {
        let verdict = self.verdicts.get(token, now)?;
        let issuer = self.issuers.get(verdict.issuer)?;
        let loaded = issuer.keys.keys(now)?;
        let validity = verdict.access.claims().validity();
        let holds = verdict.generation == loaded.keys().generation()
            && validity.covers(self.clock.wall(), self.leeway);
        holds.then_some((verdict.access, issuer))
    }

    /// Checks a token as if it had never come before.
    fn check(
        &self,
        compact: CompactJws<'_>,
        request: Option<&RequestView<'_>>,
        attempt: Attempt,
        now: SteadyTime,
    ) -> Result<Verdict, Stop> {
        let found = self.verify(compact, Scratch::take().buffers(), attempt, now)?;
        let issuer = found.issuer;
        issuer.check_request(&found.claims, request, self.leeway)?;
        let grant = issuer.grant(&found.claims).map_err(|error| {
            AuthError::verified(Reason::ClaimsRefused).with_detail(error.to_string())
        })?;
        Ok(Verdict {
            access: Access::new(found.claims, grant),
            issuer: found.position,
            generation: found.generation,
            found_at: now,
        })
    }

    fn verify(
        &self,
        compact: CompactJws<'_>,
        buffers: &mut Buffers,
        attempt: Attempt,
        now: SteadyTime,
    ) -> Result<VerifiedToken<'_>, Stop> {
        let Buffers {
            bytes,
            payload,
            text,
        } = buffers;
        let known = self.headers.load();
        let signed = ParsedJws::read(compact, bytes, &known)?;
        let unverified = Unverified::read(signed, payload)?;
        let (position, issuer) = self.issuer(unverified.issuer()?)?;

        // Everything that needs no key comes first, so that junk costs nothing and starts nothing.
        let header = &unverified.signed().header;
        if !issuer.algorithms.contains(header.algorithm) {
            return Err(Reason::UnsupportedAlgorithm.into());
        }
        let checked = match unverified.check(&issuer.requirements, self.clock.wall(), self.leeway) {
            Ok(checked) => checked,
            Err(Reason::WrongAudience) => {
                return Err(wrong_audience(issuer, &unverified, now).into());
            }
            Err(reason) => return Err(reason.into()),
        };

        let Some(loaded) = issuer.keys.keys(now) else {
            return Err(missed(issuer.keys.miss_keys(attempt.may_wait())));
        };
        let key_id = header.key_id.as_deref();
        let mut candidates = match loaded.keys().candidates(key_id, header.algorithm) {
            Ok(candidates) => candidates,
            Err(KeyLookupError::Unknown) => {
                return Err(missed(issuer.keys.miss_key(&loaded, attempt.may_wait())));
            }
            Err(KeyLookupError::Ambiguous) => return Err(Reason::AmbiguousKey.into()),
            Err(KeyLookupError::OtherAlgorithm) => return Err(Reason::UnsupportedAlgorithm.into()),
        };
        let claims = candidates
            .find_map(|key| unverified.verify(&checked, key, &issuer.requirements, payload, text))
            .ok_or(Reason::BadSignature)?;
        self.headers.learn(compact.header, header);
        Ok(VerifiedToken {
            claims,
            issuer,
            position,
            generation: loaded.keys().generation(),
        })
    }

    /// The issuer called `name`, and its position.
    fn issuer(&self, name: &str) -> Result<(usize, &TrustedIssuer), AuthError> {
        let position = self.by_name.get(name);
        position
            .and_then(|&position| Some((position, self.issuers.get(position)?)))
            .ok_or_else(|| {
                let error = AuthError::from(Reason::UnknownIssuer);
                match diagnostics::near_miss(self.by_name.keys().map(AsRef::as_ref), name) {
                    Some(hint) => error.with_detail(hint),
                    None => error,
                }
            })
    }
}

impl fmt::Debug for TokenValidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenValidator")
            .field("issuers", &self.inner.by_name.keys())
            .finish_non_exhaustive()
    }
}

/// What becomes of a token for which there is no key at hand.
fn missed(miss: Miss) -> Stop {
    match miss {
        Miss::Wait(wait) => Stop::Wait(wait),
        Miss::UnknownKey => Reason::UnknownKey.into(),
        Miss::Unavailable { retry_in } => {
            AuthError::unavailable(Reason::KeysUnavailable, retry_in).into()
        }
        Miss::TooManyWaiters => {
            AuthError::unavailable(Reason::TooManyWaiting, Duration::from_secs(1)).into()
        }
    }
}

/// A token for another service is the commonest trouble there is, so it is worth a look at the
/// signature: only if that holds may its audiences be logged.
fn wrong_audience(
    issuer: &TrustedIssuer,
    unverified: &Unverified<'_>,
    now: SteadyTime,
) -> AuthError {
    let header = &unverified.signed().header;
    let loaded = issuer.keys.keys(now);
    let holds = loaded.is_some_and(|loaded| {
        let candidates = loaded
            .keys()
            .candidates(header.key_id.as_deref(), header.algorithm);
        candidates.is_ok_and(|mut keys| keys.any(|key| unverified.signed().verify(key)))
    });
    if !holds {
        return Reason::WrongAudience.into();
    }
    AuthError::verified(Reason::WrongAudience).with_detail(diagnostics::other_audience(
        unverified.audiences(),
        issuer.requirements.audiences.iter().map(AsRef::as_ref),
    ))
}

#[cfg(all(test, feature = "test-util"))]
mod tests;
