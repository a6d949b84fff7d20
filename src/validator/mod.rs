//! Validator: the decision about tokens, and the state that it needs.

pub(crate) mod builder;
pub(crate) mod cache;
pub(crate) mod check;
mod diagnostics;

use std::{collections::HashMap, fmt, future::Future as _, sync::Arc, task::Poll};

pub use self::builder::TokenValidatorBuilder;
use crate::{
    access::Access,
    auth::request_view::RequestView,
    clock::Clock,
    error::auth::AuthError,
    issuer::trusted::TrustedIssuer,
    keys::{error::KeyFetchError, event::KeyStatus},
    resource::published::PublishedResources,
    telemetry::{self, limit::LogLimits},
    token::{header_cache::HeaderCache, presented_token::PresentedToken},
    validator::{
        cache::TokenCache,
        check::{NotAccepted, WaitsLeft},
    },
};

/// Validator of tokens. A clone is cheap and shares all state.
///
/// ```
/// use modeler_auth::{Issuer, TokenValidator};
///
/// let validator = TokenValidator::builder()
///     .issuer(Issuer::saas("12345678-ABCD-DCBA-ABCD-123456789ABC"))
///     .issuer(Issuer::self_managed("http://localhost:18080/auth/realms/camunda-platform"))
///     .build()?;
/// assert!(!validator.is_ready()); // keys are fetched inside a runtime, or with the first request
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct TokenValidator {
    inner: Arc<Inner>,
}

/// State that all clones share.
struct Inner {
    issuers: Vec<TrustedIssuer>,
    /// Positions in `issuers` by exact `iss`.
    by_name: HashMap<Arc<str>, usize>,
    /// Names of the configured issuers, for log lines.
    known_issuers: Arc<str>,
    resources: PublishedResources,
    clock: Clock,
    headers: HeaderCache,
    tokens: TokenCache,
    logs: LogLimits,
}

impl TokenValidator {
    pub(crate) fn new(
        issuers: Vec<TrustedIssuer>,
        by_name: HashMap<Arc<str>, usize>,
        resources: PublishedResources,
        clock: Clock,
        tokens: TokenCache,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                logs: LogLimits::new(&clock, by_name.keys()),
                known_issuers: diagnostics::known_issuers(by_name.keys().map(AsRef::as_ref)),
                issuers,
                by_name,
                resources,
                clock,
                headers: HeaderCache::default(),
                tokens,
            }),
        }
    }

    pub(crate) fn resources(&self) -> &PublishedResources {
        &self.inner.resources
    }

    /// Validates `token`, the text after `Bearer `.
    ///
    /// If the keys of its issuer are not known yet, or none of them verifies its signature, this
    /// waits for the fetch under way and, if that had begun before, for one more: at most 5 s each, 8 s
    /// if the runtime of the fetch was lost. If its issuer has a
    /// [`GrantSource`](crate::access::GrantSource), this also waits for the grant: at most 8 s, 11 s if
    /// the runtime of the call was lost. Waiting needs a Tokio runtime with time and I/O enabled. A
    /// token that is bound to its sender is rejected, since there is no request by which to verify that.
    ///
    /// # Errors
    /// [`AuthError`], of the kinds [`InvalidToken`](crate::AuthErrorKind::InvalidToken) and
    /// [`Unavailable`](crate::AuthErrorKind::Unavailable).
    pub async fn validate(&self, token: &str) -> Result<Access, AuthError> {
        let validated = self.validate_for(PresentedToken::Text(token), None).await;
        validated.map_err(|error| error.of_resource(self.resources().metadata_url(None)))
    }

    /// Returns whether the keys of every issuer are known and usable.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let mut issuers = self.inner.issuers.iter();
        issuers.all(|issuer| issuer.keys.has_keys())
    }

    /// Waits until the keys of every issuer are known, without a time limit. Needs a Tokio runtime
    /// with time and I/O enabled.
    pub async fn ready(&self) {
        for issuer in &self.inner.issuers {
            issuer.keys.ready().await;
        }
    }

    /// Waits until the keys of at least one issuer are known; else as [`ready`](Self::ready).
    pub async fn any_ready(&self) {
        let issuers = self.inner.issuers.iter();
        let mut waiting: Vec<_> = issuers
            .map(|issuer| Box::pin(issuer.keys.ready()))
            .collect();
        std::future::poll_fn(|cx| {
            let mut issuers = waiting.iter_mut();
            if issuers.any(|issuer| issuer.as_mut().poll(cx).is_ready()) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Fetches the keys of every issuer now, e.g. after one was revoked. Schedule and cooldown do not
    /// matter, the request has no condition, and no cache answers it.
    ///
    /// `Ok` means that the keys in use were asked for after the call. Needs a Tokio runtime with time
    /// and I/O enabled.
    ///
    /// # Errors
    /// The first [`KeyFetchError`], after all issuers were asked. Their known keys stay in use.
    pub async fn refresh_now(&self) -> Result<(), KeyFetchError> {
        let issuers = self.inner.issuers.iter();
        let started: Vec<_> = issuers.map(|issuer| issuer.keys.refresh_now()).collect();
        let mut outcome = Ok(());
        for refreshed in started {
            let refreshed = refreshed.await;
            outcome = outcome.and(refreshed);
        }
        outcome
    }

    /// Returns the state of each issuer's key set, in the order of configuration.
    #[must_use]
    pub fn key_status(&self) -> Vec<KeyStatus> {
        let issuers = self.inner.issuers.iter();
        issuers.map(|issuer| issuer.keys.status()).collect()
    }

    /// Logs the rejection of a request.
    pub(crate) fn log_rejection(&self, error: &AuthError) {
        telemetry::rejected(error, &self.inner.logs);
        telemetry::metrics::request_rejected(error.reason());
    }

    /// Decides about `token` without waiting.
    pub(crate) fn decide(
        &self,
        token: PresentedToken<'_>,
        request: Option<&RequestView<'_>>,
        waits_left: &WaitsLeft,
    ) -> Result<Access, NotAccepted> {
        self.inner.decide(token, request, waits_left)
    }
}

impl fmt::Debug for TokenValidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenValidator")
            .field("issuers", &self.inner.by_name.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "test-util"))]
mod tests;
