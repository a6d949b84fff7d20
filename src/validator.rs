//! The one decision: is this token acceptable, and what does it grant?

use std::{
    collections::HashMap, fmt, future::Future as _, ops::RangeInclusive, sync::Arc, task::Poll,
    time::Duration,
};

use crate::{
    access::Access,
    clock::Clock,
    error::{AuthError, ConfigError, Reason},
    issuer::{Issuer, Trusted},
    keys::{Arrival, KeyEvent, KeyFetchError, KeyStatus, Listener, Miss, NoKey, Times},
    telemetry::{self, QuietLogs},
    token::{Signed, Unverified},
};

/// Decides about tokens. Cheap to clone; all clones share their keys.
///
/// ```
/// use modeler_auth::{Issuer, TokenValidator};
///
/// let validator = TokenValidator::builder()
///     .issuer(Issuer::saas("12345678-ABCD-DCBA-ABCD-123456789ABC"))
///     .issuer(Issuer::self_managed("http://localhost:18080/auth/realms/camunda-platform")?)
///     .build()?;
/// assert!(!validator.is_ready()); // keys come with the first request, or with a runtime at hand
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct TokenValidator {
    inner: Arc<Inner>,
}

struct Inner {
    issuers: Vec<Trusted>,
    /// Positions in `issuers` by exact `iss`.
    by_name: HashMap<Box<str>, usize>,
    leeway: Duration,
    clock: Clock,
    logs: QuietLogs,
}

/// What is to be done about a token.
pub(crate) enum Decision {
    Accepted(Access),
    Refused(AuthError),
    /// Decide again once this is ready.
    Wait(Arrival),
}

/// How often a token may still be put off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Attempt {
    #[default]
    First,
    /// It waited for a fetch that had begun before it came, and may wait for one more.
    Second,
    Last,
}

impl Attempt {
    fn may_wait(self) -> bool {
        self != Self::Last
    }

    /// The attempt after having waited for `arrival`.
    pub(crate) fn after(self, arrival: &Arrival) -> Self {
        if self == Self::First && arrival.joined {
            Self::Second
        } else {
            Self::Last
        }
    }
}

impl TokenValidator {
    /// Starts to configure a validator.
    pub fn builder() -> TokenValidatorBuilder {
        TokenValidatorBuilder::default()
    }

    /// Validates `token`, the text after `Bearer `. If the keys of its issuer are not known yet or
    /// do not hold the one it names, waits for the fetch under way and, if that had begun before,
    /// for one more: 5 seconds each at the most.
    ///
    /// # Errors
    /// [`AuthError`], of the kinds [`InvalidToken`](crate::AuthErrorKind::InvalidToken) and
    /// [`Unavailable`](crate::AuthErrorKind::Unavailable).
    pub async fn validate(&self, token: &str) -> Result<Access, AuthError> {
        let mut attempt = Attempt::First;
        loop {
            match self.decide(token, attempt) {
                Decision::Accepted(access) => return Ok(access),
                Decision::Refused(error) => return Err(error),
                Decision::Wait(arrival) => {
                    attempt = attempt.after(&arrival);
                    arrival.await;
                }
            }
        }
    }

    /// Whether the keys of every issuer are at hand.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let mut issuers = self.inner.issuers.iter();
        issuers.all(|issuer| issuer.keeper.keys().is_some())
    }

    /// Waits until the keys of every issuer are at hand, for as long as that takes. Needs a Tokio
    /// runtime with time and I/O enabled.
    pub async fn ready(&self) {
        for issuer in &self.inner.issuers {
            issuer.keeper.ready().await;
        }
    }

    /// Waits until the keys of at least one issuer are at hand; else as [`ready`](Self::ready).
    pub async fn ready_any(&self) {
        let issuers = self.inner.issuers.iter();
        let mut waiting: Vec<_> = issuers
            .map(|issuer| Box::pin(issuer.keeper.ready()))
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
            .map(|issuer| issuer.keeper.refresh_now())
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
        issuers.map(|issuer| issuer.keeper.status()).collect()
    }

    /// Logs the refusal of a request.
    pub(crate) fn tell_refusal(&self, error: &AuthError) {
        telemetry::refused(error, &self.inner.logs, || self.inner.clock.steady());
    }

    /// Decides without waiting.
    pub(crate) fn decide(&self, token: &str, attempt: Attempt) -> Decision {
        self.inner
            .decide(token, attempt)
            .unwrap_or_else(Decision::Refused)
    }
}

impl Inner {
    fn decide(&self, token: &str, attempt: Attempt) -> Result<Decision, AuthError> {
        let mut scratch = Vec::new();
        let unverified = Unverified::read(Signed::read(token, &mut scratch)?)?;
        let issuer = self.issuer(unverified.issuer()?)?;

        // Everything that needs no key comes first, so that junk costs nothing and starts nothing.
        let header = &unverified.signed().header;
        if !issuer.algorithms.contains(header.algorithm) {
            return Err(Reason::UnsupportedAlgorithm.into());
        }
        let now = self.clock.wall();
        let checked = match unverified.check(&issuer.expected, now, self.leeway) {
            Ok(checked) => checked,
            Err(Reason::WrongAudience) => return Err(wrong_audience(issuer, &unverified)),
            Err(reason) => return Err(reason.into()),
        };

        let Some(loaded) = issuer.keeper.keys() else {
            return missed(issuer.keeper.miss_keys(attempt.may_wait()));
        };
        let key_id = header.key_id.as_deref();
        let mut candidates = match loaded.keys().candidates(key_id, header.algorithm) {
            Ok(candidates) => candidates,
            Err(NoKey::Unknown) => {
                return missed(issuer.keeper.miss_key(&loaded, attempt.may_wait()));
            }
            Err(NoKey::Ambiguous) => return Err(Reason::AmbiguousKey.into()),
            Err(NoKey::OtherAlgorithm) => return Err(Reason::UnsupportedAlgorithm.into()),
        };
        let claims = candidates
            .find_map(|key| unverified.verify(&checked, key, &issuer.expected))
            .ok_or(Reason::BadSignature)?;

        let grant = issuer.grant(&claims).map_err(|error| {
            AuthError::verified(Reason::ClaimsRefused).with_detail(error.to_string())
        })?;
        Ok(Decision::Accepted(Access::new(claims, grant)))
    }

    fn issuer(&self, name: &str) -> Result<&Trusted, AuthError> {
        let position = self.by_name.get(name);
        position
            .and_then(|&position| self.issuers.get(position))
            .ok_or_else(|| {
                let error = AuthError::from(Reason::UnknownIssuer);
                match self.near_miss(name) {
                    Some(hint) => error.with_detail(hint),
                    None => error,
                }
            })
    }

    /// What may be wrong with `name`, in words that hold nothing of it.
    fn near_miss(&self, name: &str) -> Option<String> {
        if name.starts_with("https://sts.windows.net/") {
            return Some(
                "it is a version 1 token of Microsoft Entra: \
                 set `requestedAccessTokenVersion` to 2 in the manifest of the API's app"
                    .to_owned(),
            );
        }
        let core = |name: &str| {
            let name = name.trim_end_matches('/');
            let name = name.split_once("://").map_or(name, |(_, rest)| rest);
            name.to_ascii_lowercase()
        };
        let close = |known: &&str| core(known) == core(name);
        let known = self.by_name.keys().map(AsRef::as_ref).find(close)?;
        Some(format!(
            "it differs from `{known}` only in scheme, case or a slash at the end"
        ))
    }
}

impl fmt::Debug for TokenValidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenValidator")
            .field("issuers", &self.inner.by_name.keys())
            .finish_non_exhaustive()
    }
}

/// The decision about a token for which there is no key at hand.
fn missed(miss: Miss) -> Result<Decision, AuthError> {
    match miss {
        Miss::Wait(arrival) => Ok(Decision::Wait(arrival)),
        Miss::Unknown => Err(Reason::UnknownKey.into()),
        Miss::Unavailable { retry_in } => {
            Err(AuthError::unavailable(Reason::KeysUnavailable, retry_in))
        }
        Miss::Crowded => Err(AuthError::unavailable(
            Reason::TooManyWaiting,
            Duration::from_secs(1),
        )),
    }
}

/// A token for another service is the commonest trouble there is, so it is worth a look at the
/// signature: only if that holds may its audiences be logged.
fn wrong_audience(issuer: &Trusted, unverified: &Unverified<'_>) -> AuthError {
    let header = &unverified.signed().header;
    let loaded = issuer.keeper.keys();
    let holds = loaded.is_some_and(|loaded| {
        let candidates = loaded
            .keys()
            .candidates(header.key_id.as_deref(), header.algorithm);
        candidates.is_ok_and(|mut keys| keys.any(|key| unverified.signed().holds_for(key)))
    });
    if !holds {
        return Reason::WrongAudience.into();
    }
    AuthError::verified(Reason::WrongAudience).with_detail(format!(
        "found {:?}, expected {:?}",
        excerpt(unverified.audiences()),
        excerpt(issuer.expected.audiences.iter().map(AsRef::as_ref)),
    ))
}

/// At most 4 values of 64 characters, for a log.
fn excerpt<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    values
        .take(4)
        .map(|value| value.chars().take(64).collect())
        .collect()
}

/// Configures a [`TokenValidator`].
#[derive(Clone, Debug)]
#[must_use]
pub struct TokenValidatorBuilder {
    issuers: Vec<Issuer>,
    leeway: Duration,
    times: Times,
    clock: Clock,
    listener: Listener,
}

impl Default for TokenValidatorBuilder {
    fn default() -> Self {
        Self {
            issuers: Vec::new(),
            leeway: Duration::from_secs(60),
            times: Times {
                refresh_after: Duration::from_secs(5 * 60),
                refresh_within: Duration::from_secs(60)..=Duration::from_secs(15 * 60),
                keep_stale_for: Duration::from_secs(60 * 60),
                cooldown: Duration::from_secs(30),
            },
            clock: Clock::default(),
            listener: Listener::default(),
        }
    }
}

impl TokenValidatorBuilder {
    /// Accepts tokens of `issuer`. May be called several times.
    pub fn issuer(mut self, issuer: Issuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// How far the clocks of issuer and service may be apart: `exp`, `nbf` and `iat` are taken
    /// that much more kindly. Default 60 s, at most 300 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// The age at which keys are stale, if their issuer does not say otherwise. They are fetched
    /// again in the background when a fifth of it is left, so a withdrawn key is trusted no longer
    /// than this, and the 5 s that a fetch may take, while its issuer answers. Default 5 minutes;
    /// 1 s to 24 h.
    pub fn refresh_after(mut self, age: Duration) -> Self {
        self.times.refresh_after = age;
        self
    }

    /// The ages that an issuer may ask for instead, with `Cache-Control: max-age` or `Expires`; what
    /// it asks beyond is cut. Default 1 to 15 minutes; 1 s to 24 h.
    pub fn refresh_within(mut self, ages: RangeInclusive<Duration>) -> Self {
        self.times.refresh_within = ages;
        self
    }

    /// The age up to which keys are used while their issuer does not answer; then requests get
    /// 503. Default 1 h; up to 7 days. What is less than the age at which keys are stale, or than
    /// 10 s, means that.
    pub fn keep_stale_for(mut self, age: Duration) -> Self {
        self.times.keep_stale_for = age;
        self
    }

    /// The time between two fetches that are caused by unknown key ids. Default 30 s; 1 s to 1 h.
    pub fn cooldown(mut self, pause: Duration) -> Self {
        self.times.cooldown = pause;
        self
    }

    /// Calls `listener` whenever something happens to the keys of an issuer, e.g. to count it. It
    /// runs where that happens, in a request or in the task that fetches keys, so it should not
    /// block.
    ///
    /// ```
    /// use modeler_auth::{Issuer, KeyEvent, KeyEventKind, TokenValidator};
    ///
    /// let validator = TokenValidator::builder()
    ///     .issuer(Issuer::saas("12345678-ABCD-DCBA-ABCD-123456789ABC"))
    ///     .on_key_event(|event: &KeyEvent<'_>| {
    ///         if let KeyEventKind::Failed(error) = event.kind {
    ///             eprintln!("{}: {}", event.issuer, error.name());
    ///         }
    ///     })
    ///     .build()?;
    /// # Ok::<(), modeler_auth::ConfigError>(())
    /// ```
    pub fn on_key_event(
        mut self,
        listener: impl Fn(&KeyEvent<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.listener = Listener::new(listener);
        self
    }

    /// Tells the time by `clock`, for tests.
    #[cfg(feature = "test-util")]
    pub fn clock(mut self, clock: crate::test_util::TestClock) -> Self {
        self.clock = Clock::Test(clock);
        self
    }

    /// Builds the validator. Does no I/O itself; inside a Tokio runtime the keys are fetched in
    /// the background from now on, elsewhere from the first request on.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that cannot be used, and its value.
    pub fn build(self) -> Result<TokenValidator, ConfigError> {
        self.check()?;
        let mut by_name = HashMap::with_capacity(self.issuers.len());
        for (position, issuer) in self.issuers.iter().enumerate() {
            issuer.check()?;
            if by_name.insert(issuer.as_str().into(), position).is_some() {
                return Err(ConfigError::DuplicateIssuer {
                    issuer: issuer.as_str().to_owned(),
                });
            }
        }
        let issuers = self.issuers.into_iter().map(|issuer| {
            let listener = self.listener.clone();
            issuer.trust(self.times.clone(), self.clock.clone(), listener)
        });
        let issuers = issuers.collect::<Result<Vec<_>, _>>()?;
        Ok(TokenValidator {
            inner: Arc::new(Inner {
                issuers,
                by_name,
                leeway: self.leeway,
                clock: self.clock,
                logs: QuietLogs::default(),
            }),
        })
    }

    fn check(&self) -> Result<(), ConfigError> {
        const SECOND: Duration = Duration::from_secs(1);
        const HOUR: Duration = Duration::from_secs(60 * 60);
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
        if self.issuers.is_empty() {
            return Err(ConfigError::NoIssuer);
        }
        let times = &self.times;
        for (setting, value, allowed, bounds) in [
            (
                "leeway",
                self.leeway,
                Duration::ZERO..=Duration::from_secs(300),
                "0 s to 300 s",
            ),
            (
                "refresh_after",
                times.refresh_after,
                SECOND..=DAY,
                "1 s to 24 h",
            ),
            (
                "refresh_within",
                *times.refresh_within.start(),
                SECOND..=*times.refresh_within.end(),
                "1 s to its end",
            ),
            (
                "refresh_within",
                *times.refresh_within.end(),
                SECOND..=DAY,
                "1 s to 24 h",
            ),
            (
                "keep_stale_for",
                times.keep_stale_for,
                Duration::ZERO..=WEEK,
                "0 s to 7 days",
            ),
            ("cooldown", times.cooldown, SECOND..=HOUR, "1 s to 1 h"),
        ] {
            if !allowed.contains(&value) {
                return Err(ConfigError::OutOfBounds {
                    setting,
                    value: format!("{value:?}"),
                    bounds,
                });
            }
        }
        Ok(())
    }
}
