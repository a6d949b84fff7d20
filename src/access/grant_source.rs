//! Sources of grants that are not in the token.

use std::{borrow::Cow, fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use crate::{
    access::grant::Grant,
    error::{claim::ClaimError, config::ConfigError},
    token::claims::Claims,
};

/// Source of grants that are not in the token, such as a service that is asked for them; see
/// [`Issuer::grants_from`](crate::Issuer::grants_from).
///
/// 1. The validator asks after it has verified the signature, all registered claims, the sender
///    constraint and the revocation.
/// 2. One call per token runs at a time, in a separate task; requests with the same token wait for
///    it. A call that takes longer than 5 s is aborted and counts as failed.
/// 3. For each issuer, at most 32 calls run at once. Others wait for their turn, at most 3 s. Calls
///    are under way for at most 256 tokens, and at most 4096 requests join calls of other requests.
///    Further requests get 503 at once.
/// 4. The grant is cached with the token for [`max_age`](GrantSource::max_age), and never longer
///    than the token is valid. Without a token cache, or if the token was evicted, each request
///    needs a call.
/// 5. If a later call fails, the last grant of the token stays in use until its age is
///    [`max_stale`](GrantSource::max_stale). A call is made every 5 s, and requests do not wait for
///    it. Without such a grant requests get 503 with `Retry-After`.
/// 6. A refused token is rejected with 401, and its last grant is removed.
///
/// [`ManagementIdentity`](crate::camunda::ManagementIdentity) asks Camunda's Management Identity.
///
/// ```
/// use modeler_auth::{
///     AuthorizedOrganization, Issuer, Permission,
///     access::{Grant, GrantError, GrantFuture, GrantRequest, GrantSource},
/// };
///
/// struct Table(std::collections::HashMap<String, Vec<Permission>>);
///
/// impl GrantSource for Table {
///     fn fetch<'a>(&'a self, request: GrantRequest<'a>) -> GrantFuture<'a> {
///         Box::pin(async move {
///             let client = request.claims().client_id().unwrap_or_default();
///             let granted = self.0.get(client);
///             let granted = granted.ok_or(GrantError::refused("the client is not in the table"))?;
///             let permissions = granted.iter().copied().collect();
///             Ok(Grant::new(AuthorizedOrganization::nil(), permissions))
///         })
///     }
/// }
///
/// let table = Table([("m2m".to_owned(), vec![Permission::Read])].into());
/// let issuer = Issuer::oidc("https://login.example.com/")
///     .audience("modeler")
///     .grants_from(table);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no source of grants",
    note = "implement `GrantSource`, or use `camunda::ManagementIdentity`"
)]
pub trait GrantSource: Send + Sync + 'static {
    /// Fetches the grant of a token.
    ///
    /// # Errors
    /// [`GrantError`]: refused is 401, unavailable is 503.
    fn fetch<'a>(&'a self, request: GrantRequest<'a>) -> GrantFuture<'a>;

    /// Checks the claims before the first call. It must depend only on the claims. Default: accepts
    /// all.
    ///
    /// # Errors
    /// [`ClaimError`] if no call is to be made for the token; the token is rejected with 401.
    fn check_claims(&self, claims: &Claims) -> Result<(), ClaimError> {
        let _ = claims;
        Ok(())
    }

    /// Returns the age up to which a grant is used without another call. Default: 60 s. Bounds: 1 s
    /// to 1 h.
    fn max_age(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// Returns the age up to which a grant is used while calls fail. Default: 5 minutes. Bounds: 0 s
    /// to 1 h. A value below [`max_age`](GrantSource::max_age) has no effect.
    fn max_stale(&self) -> Duration {
        Duration::from_secs(5 * 60)
    }

    /// Checks the settings when the validator is built. Default: accepts all.
    ///
    /// # Errors
    /// [`ConfigError`] with the setting that cannot be used.
    fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }
}

impl<S: GrantSource + ?Sized> GrantSource for Arc<S> {
    fn fetch<'a>(&'a self, request: GrantRequest<'a>) -> GrantFuture<'a> {
        (**self).fetch(request)
    }

    fn check_claims(&self, claims: &Claims) -> Result<(), ClaimError> {
        (**self).check_claims(claims)
    }

    fn max_age(&self) -> Duration {
        (**self).max_age()
    }

    fn max_stale(&self) -> Duration {
        (**self).max_stale()
    }

    fn check(&self) -> Result<(), ConfigError> {
        (**self).check()
    }
}

/// Future of [`GrantSource::fetch`].
///
/// ```
/// use modeler_auth::access::{Grant, GrantFuture};
///
/// fn nothing<'a>() -> GrantFuture<'a> {
///     Box::pin(async { Ok(Grant::default()) })
/// }
/// ```
pub type GrantFuture<'a> = Pin<Box<dyn Future<Output = Result<Grant, GrantError>> + Send + 'a>>;

/// Request for the grant of a verified token.
///
/// ```
/// use modeler_auth::access::GrantRequest;
///
/// /// Returns what a service of permissions is asked for.
/// fn key<'a>(request: &GrantRequest<'a>) -> Option<&'a str> {
///     request.claims().client_id()
/// }
/// ```
#[derive(Clone, Copy)]
pub struct GrantRequest<'a> {
    claims: &'a Claims,
}

impl<'a> GrantRequest<'a> {
    pub(crate) fn new(claims: &'a Claims) -> Self {
        Self { claims }
    }

    /// Returns the token, for the `Authorization` header of a call to a trusted service. It must not
    /// be logged.
    #[must_use]
    pub fn token(&self) -> &'a str {
        self.claims.token()
    }

    /// Returns the verified claims.
    #[must_use]
    pub fn claims(&self) -> &'a Claims {
        self.claims
    }
}

/// Omits the token.
impl fmt::Debug for GrantRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantRequest").finish_non_exhaustive()
    }
}

/// Error of a [`GrantSource`].
///
/// ```
/// use std::time::Duration;
/// use modeler_auth::access::{GrantError, GrantErrorKind};
///
/// let error = GrantError::unavailable("status 503").with_retry_after(Duration::from_secs(7));
/// assert_eq!(error.kind(), GrantErrorKind::Unavailable);
/// assert_eq!(error.to_string(), "status 503");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantError {
    kind: GrantErrorKind,
    message: Cow<'static, str>,
    retry_after: Option<Duration>,
}

/// Class of a [`GrantError`].
///
/// ```
/// use modeler_auth::access::{GrantError, GrantErrorKind};
///
/// assert_eq!(GrantError::refused("no such client").kind(), GrantErrorKind::Refused);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GrantErrorKind {
    /// The source does not accept the token. 401.
    Refused,
    /// The source gave no usable response. 503.
    Unavailable,
}

impl GrantError {
    /// Creates an error: the source does not accept the token. `message` goes to the log, so it must
    /// not contain the token.
    pub fn refused(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: GrantErrorKind::Refused,
            message: message.into(),
            retry_after: None,
        }
    }

    /// Creates an error: the source gave no usable response. `message` goes to the log, so it must
    /// not contain the token.
    pub fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: GrantErrorKind::Unavailable,
            message: message.into(),
            retry_after: None,
        }
    }

    /// Sets the `Retry-After` of the 503. Default: 5 s. A longer `wait` than 60 s counts as 60 s.
    #[must_use]
    pub fn with_retry_after(self, wait: Duration) -> Self {
        Self {
            retry_after: Some(wait),
            ..self
        }
    }

    /// Returns the class of the error.
    #[must_use]
    pub fn kind(&self) -> GrantErrorKind {
        self.kind
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for GrantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for GrantError {}
