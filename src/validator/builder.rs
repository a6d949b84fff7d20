//! The settings of a validator, and their bounds.

use std::{collections::HashMap, ops::RangeInclusive, time::Duration};

use crate::{
    clock::Clock,
    error::config::ConfigError,
    issuer::Issuer,
    keys::{
        cache::schedule::RefreshSettings,
        event::{KeyCallback, KeyEvent},
    },
    validator::{TokenValidator, cache::TokenCache},
};

/// Configures a [`TokenValidator`].
#[derive(Clone, Debug)]
#[must_use]
pub struct TokenValidatorBuilder {
    issuers: Vec<Issuer>,
    leeway: Duration,
    settings: RefreshSettings,
    token_cache_bytes: u64,
    token_cache_max_age: Duration,
    clock: Clock,
    callback: KeyCallback,
}

impl Default for TokenValidatorBuilder {
    fn default() -> Self {
        Self {
            issuers: Vec::new(),
            leeway: Duration::from_secs(60),
            settings: RefreshSettings {
                key_max_age: Duration::from_secs(5 * 60),
                key_max_age_hints: None,
                key_max_stale: Duration::from_secs(60 * 60),
                unknown_kid_cooldown: Duration::from_secs(30),
            },
            token_cache_bytes: 16 << 20,
            token_cache_max_age: Duration::from_secs(5 * 60),
            clock: Clock::default(),
            callback: KeyCallback::default(),
        }
    }
}

impl TokenValidator {
    /// Starts to configure a validator.
    pub fn builder() -> TokenValidatorBuilder {
        TokenValidatorBuilder::default()
    }
}

impl TokenValidatorBuilder {
    /// Accepts tokens of `issuer`. May be called several settings.
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
    pub fn key_max_age(mut self, age: Duration) -> Self {
        self.settings.key_max_age = age;
        self
    }

    /// The ages that an issuer may ask for instead of [`key_max_age`](Self::key_max_age), with
    /// `Cache-Control: max-age` or `Expires`; what it asks beyond is cut. A longer age than
    /// `key_max_age` lengthens the time for which a withdrawn key is trusted by as much. Default
    /// 1 minute to `key_max_age`, so an issuer may only shorten it; 1 s to 24 h.
    pub fn key_max_age_hints(mut self, ages: RangeInclusive<Duration>) -> Self {
        self.settings.key_max_age_hints = Some(ages);
        self
    }

    /// The age up to which keys are used while their issuer does not answer; then requests get
    /// 503. Default 1 h; up to 7 days. What is less than the age at which keys are stale, or than
    /// 10 s, means that.
    pub fn key_max_stale(mut self, age: Duration) -> Self {
        self.settings.key_max_stale = age;
        self
    }

    /// The time between two fetches that are caused by unknown key ids. Default 30 s; 1 s to 1 h.
    pub fn unknown_kid_cooldown(mut self, pause: Duration) -> Self {
        self.settings.unknown_kid_cooldown = pause;
        self
    }

    /// Remembers accepted tokens in up to about so many bytes; the least recently used ones go
    /// first. A token that comes again costs no signature check, and its claims are not mapped
    /// again; all else is looked at as if it had never come before: time, keys,
    /// [`SenderConstraint`](crate::issuer::SenderConstraint) and [`Revocation`](crate::issuer::Revocation). Default 16 MiB, which
    /// hold some 6000 tokens of 2 kB; 0 remembers nothing.
    pub fn token_cache_bytes(mut self, bytes: u64) -> Self {
        self.token_cache_bytes = bytes;
        self
    }

    /// For how long at the most an accepted token is remembered. Default 5 minutes; 1 s to 24 h.
    pub fn token_cache_max_age(mut self, age: Duration) -> Self {
        self.token_cache_max_age = age;
        self
    }

    /// Calls `callback` whenever something happens to the keys of an issuer, e.g. to count it. It
    /// runs where that happens, in a request or in the task that fetches keys, so it should not
    /// block.
    ///
    /// ```
    /// use modeler_auth::{Issuer, keys::{KeyEvent, KeyEventKind}, TokenValidator};
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
        callback: impl Fn(&KeyEvent<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.callback = KeyCallback::new(callback);
        self
    }

    /// Tells the time by `clock`, for tests.
    #[cfg(feature = "test-util")]
    pub fn clock(mut self, clock: crate::test_util::TestClock) -> Self {
        self.clock = Clock::Test(clock);
        self
    }

    /// Builds the validator. Does no I/O itself; inside a Tokio runtime the keys are fetched in
    /// the background from now on, elsewhere from the first request on. The runtime must have time
    /// and I/O enabled.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that cannot be used, and its value.
    pub fn build(self) -> Result<TokenValidator, ConfigError> {
        self.check()?;
        self.clock.check()?;
        let issuers = self.issuers.into_iter();
        let issuers = issuers.map(|issuer| issuer.check(&self.clock));
        // All are checked before the first one starts a task.
        let issuers = issuers.collect::<Result<Vec<_>, _>>()?;
        let mut by_name = HashMap::with_capacity(issuers.len());
        for (position, issuer) in issuers.iter().enumerate() {
            let name = &issuer.requirements.issuer;
            if by_name.insert(name.clone(), position).is_some() {
                return Err(ConfigError::DuplicateIssuer {
                    issuer: name.to_string(),
                });
            }
        }
        let issuers = issuers.into_iter().map(|issuer| {
            let callback = self.callback.clone();
            issuer.trust(self.settings.clone(), self.clock.clone(), callback)
        });
        let issuers = issuers.collect::<Result<Vec<_>, _>>()?;
        Ok(TokenValidator::new(
            issuers,
            by_name,
            self.leeway,
            self.clock,
            TokenCache::new(self.token_cache_bytes, self.token_cache_max_age),
        ))
    }

    fn check(&self) -> Result<(), ConfigError> {
        const SECOND: Duration = Duration::from_secs(1);
        const HOUR: Duration = Duration::from_secs(60 * 60);
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
        if self.issuers.is_empty() {
            return Err(ConfigError::NoIssuer);
        }
        let settings = &self.settings;
        let key_max_age_hints = settings
            .key_max_age_hints
            .clone()
            .unwrap_or(SECOND..=SECOND);
        for (setting, value, allowed, bounds) in [
            (
                "leeway",
                self.leeway,
                Duration::ZERO..=Duration::from_secs(300),
                "0 s to 300 s",
            ),
            (
                "key_max_age",
                settings.key_max_age,
                SECOND..=DAY,
                "1 s to 24 h",
            ),
            (
                "key_max_age_hints",
                *key_max_age_hints.start(),
                SECOND..=*key_max_age_hints.end(),
                "1 s to its end",
            ),
            (
                "key_max_age_hints",
                *key_max_age_hints.end(),
                SECOND..=DAY,
                "1 s to 24 h",
            ),
            (
                "key_max_stale",
                settings.key_max_stale,
                Duration::ZERO..=WEEK,
                "0 s to 7 days",
            ),
            (
                "unknown_kid_cooldown",
                settings.unknown_kid_cooldown,
                SECOND..=HOUR,
                "1 s to 1 h",
            ),
            (
                "token_cache_max_age",
                self.token_cache_max_age,
                SECOND..=DAY,
                "1 s to 24 h",
            ),
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
