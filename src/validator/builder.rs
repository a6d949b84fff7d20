//! Settings of a validator, and their bounds.

use std::{collections::HashMap, ops::RangeInclusive, time::Duration};

use crate::{
    clock::Clock,
    error::config::ConfigError,
    issuer::{Issuer, grants::Grants},
    keys::{
        cache::schedule::RefreshSettings,
        event::{KeyCallback, KeyEvent},
    },
    resource::{protected_resource::ProtectedResource, published::PublishedResources},
    telemetry,
    validator::{TokenValidator, cache::TokenCache},
};

/// Builder of a [`TokenValidator`].
///
/// A value outside the bounds of its setting is a [`ConfigError`] when the validator is built.
#[derive(Clone, Debug)]
#[must_use]
pub struct TokenValidatorBuilder {
    issuers: Vec<Issuer>,
    resources: Vec<ProtectedResource>,
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
            resources: Vec::new(),
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
    /// Creates a builder with default settings.
    pub fn builder() -> TokenValidatorBuilder {
        TokenValidatorBuilder::default()
    }
}

impl TokenValidatorBuilder {
    /// Accepts tokens of `issuer`. Each call adds an issuer; at least one is required.
    ///
    /// Two issuers with the same `iss` are a [`ConfigError`].
    pub fn issuer(mut self, issuer: Issuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// Names this service in challenges, and publishes its metadata with
    /// [`MetadataService`](crate::resource::MetadataService). Each call adds a resource. Default: none.
    ///
    /// The challenges of 400, 401 and 403 have the parameter `resource_metadata`
    /// ([RFC 9728 §5.1](https://www.rfc-editor.org/rfc/rfc9728#section-5.1)). It is the URL of the metadata
    /// of the resource whose path is that of the request or, of several, the longest path above it. If
    /// there is none, it is that of the first resource.
    ///
    /// The authorization servers in the metadata are the issuers of this validator.
    pub fn protected_resource(mut self, resource: ProtectedResource) -> Self {
        self.resources.push(resource);
        self
    }

    /// Sets the clock skew that is allowed when checking `exp`, `nbf` and `iat`. Default: 60 s.
    /// Bounds: 0 s to 300 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Sets the age at which keys are stale, if their issuer declares none. Default: 5 minutes.
    /// Bounds: 1 s to 24 h.
    ///
    /// A refresh starts in the background when a fifth of the age is left. While the issuer
    /// responds, a withdrawn key is trusted for at most this age, plus the 5 s that a fetch may
    /// take.
    pub fn key_max_age(mut self, age: Duration) -> Self {
        self.settings.key_max_age = age;
        self
    }

    /// Sets the ages that an issuer may declare instead of [`key_max_age`](Self::key_max_age), with
    /// `Cache-Control: max-age` or `Expires`. Default: 1 minute to `key_max_age`, so an issuer may
    /// only shorten the age. Bounds: 1 s to 24 h.
    ///
    /// A declared age outside the range counts as the nearest end of the range. If the range
    /// exceeds `key_max_age`, a withdrawn key may be trusted for that much longer.
    pub fn key_max_age_hints(mut self, ages: RangeInclusive<Duration>) -> Self {
        self.settings.key_max_age_hints = Some(ages);
        self
    }

    /// Sets the age up to which keys are used while no refresh succeeds. Default: 1 h. Bounds: 0 s
    /// to 7 days.
    ///
    /// Beyond this age requests get 503. The age is never less than 10 s, nor less than the age at
    /// which keys are stale; a smaller value has no effect.
    pub fn key_max_stale(mut self, age: Duration) -> Self {
        self.settings.key_max_stale = age;
        self
    }

    /// Sets the time between two fetches for unknown keys. Default: 30 s. Bounds: 1 s to 1 h.
    ///
    /// A key is unknown if its id is not in the key set, or if it does not verify the signature.
    /// Within this time such a request starts no fetch: it gets 401, or 503 if the last fetch failed
    /// and the key id is not in the set.
    pub fn unknown_kid_cooldown(mut self, pause: Duration) -> Self {
        self.settings.unknown_kid_cooldown = pause;
        self
    }

    /// Sets the approximate size of the token cache in bytes. Default: 16 MiB, about 3800 tokens of
    /// 2 kB. With 0 nothing is cached.
    ///
    /// Beyond this size the least recently used tokens are removed. A cache hit skips the signature
    /// check and the mapping of the claims. Time, keys,
    /// [`SenderConstraint`](crate::issuer::SenderConstraint) and
    /// [`Revocation`](crate::issuer::Revocation) are checked for every request.
    pub fn token_cache_bytes(mut self, bytes: u64) -> Self {
        self.token_cache_bytes = bytes;
        self
    }

    /// Sets the time after which a cached token is checked in full again. Default: 5 minutes.
    /// Bounds: 1 s to 24 h.
    pub fn token_cache_max_age(mut self, age: Duration) -> Self {
        self.token_cache_max_age = age;
        self
    }

    /// Sets a callback for key events, e.g. to count them. Default: none.
    ///
    /// The callback runs in a request or in the task that fetches keys, so it should not block.
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

    /// Sets the clock, for tests. Default: the clocks of the system.
    #[cfg(feature = "test-util")]
    pub fn clock(mut self, clock: crate::test_util::TestClock) -> Self {
        self.clock = Clock::Test(clock);
        self
    }

    /// Builds the validator. Does no I/O.
    ///
    /// Inside a Tokio runtime the first fetch of the keys starts at once in the background,
    /// elsewhere with the first request. The runtime must have time and I/O enabled.
    ///
    /// # Errors
    /// [`ConfigError`] with the setting that cannot be used, and its value.
    pub fn build(self) -> Result<TokenValidator, ConfigError> {
        self.check()?;
        self.clock.check()?;
        let issuers = self.issuers.into_iter();
        let issuers = issuers.map(|issuer| issuer.check(&self.clock, self.leeway));
        // All issuers are checked before the first starts a task.
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
        let names = issuers.iter().map(|issuer| &*issuer.requirements.issuer);
        let names: Vec<&str> = names.collect();
        let resources = PublishedResources::new(&self.resources, &names)?;
        for issuer in &issuers {
            telemetry::issuer_configured(&issuer.summary);
        }
        let issuers = issuers.into_iter().map(|issuer| {
            let callback = self.callback.clone();
            issuer.trust(self.settings.clone(), self.clock.clone(), callback)
        });
        let issuers = issuers.collect::<Result<Vec<_>, _>>()?;
        let grants = issuers.iter().filter_map(|issuer| issuer.grants.as_ref());
        let max_stale_grant = grants.map(Grants::max_stale).max().unwrap_or_default();
        Ok(TokenValidator::new(
            issuers,
            by_name,
            resources,
            self.clock,
            TokenCache::new(
                self.token_cache_bytes,
                self.token_cache_max_age,
                max_stale_grant,
            ),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the doc comment of the setter `name`, as one line.
    fn documentation(name: &str) -> String {
        let source = include_str!("builder.rs");
        let (before, _) = source.split_once(&format!("    pub fn {name}(")).unwrap();
        let (_, comment) = before.rsplit_once("\n\n").unwrap();
        let lines = comment
            .lines()
            .filter_map(|line| line.trim().strip_prefix("///"));
        lines.map(str::trim).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn documented_defaults_and_bounds_are_those_of_the_code() {
        let default = TokenValidatorBuilder::default();
        let settings = &default.settings;
        let minutes = |count: u64| Duration::from_secs(60 * count);
        for (setter, value, documented, duration) in [
            ("leeway", default.leeway, "Default: 60 s.", minutes(1)),
            (
                "key_max_age",
                settings.key_max_age,
                "Default: 5 minutes.",
                minutes(5),
            ),
            (
                "key_max_stale",
                settings.key_max_stale,
                "Default: 1 h.",
                minutes(60),
            ),
            (
                "unknown_kid_cooldown",
                settings.unknown_kid_cooldown,
                "Default: 30 s.",
                Duration::from_secs(30),
            ),
            (
                "token_cache_max_age",
                default.token_cache_max_age,
                "Default: 5 minutes.",
                minutes(5),
            ),
        ] {
            assert!(documentation(setter).contains(documented), "{setter}");
            assert_eq!(value, duration, "{setter}");
        }
        assert!(documentation("token_cache_bytes").contains("Default: 16 MiB,"));
        assert_eq!(default.token_cache_bytes, 16 << 20);
        assert!(documentation("key_max_age_hints").contains("Default: 1 minute to `key_max_age`"));
        assert_eq!(settings.key_max_age_hints, None);

        // A bound in an error is the bound in the documentation.
        let source = include_str!("builder.rs");
        let (_, checks) = source.split_once("fn check(&self)").unwrap();
        for (setter, bounds) in [
            ("leeway", "0 s to 300 s"),
            ("key_max_age", "1 s to 24 h"),
            ("key_max_age_hints", "1 s to 24 h"),
            ("key_max_stale", "0 s to 7 days"),
            ("unknown_kid_cooldown", "1 s to 1 h"),
            ("token_cache_max_age", "1 s to 24 h"),
        ] {
            let documented = format!("Bounds: {bounds}.");
            assert!(documentation(setter).contains(&documented), "{setter}");
            assert!(checks.contains(&format!("\"{bounds}\"")), "{setter}");
        }
    }
}
