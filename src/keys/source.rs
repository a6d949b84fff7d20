//! Where a key set comes from.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;

use crate::keys::error::KeyFetchError;

/// Gets the key set of one issuer. Implement it to bring a transport of your own; see
/// [`Issuer::keys`](crate::Issuer::keys).
///
/// Parsing, caching, refreshing, backing off and bounding concurrency are not its duty: at most
/// one fetch runs at a time, in a task of its own, and it is given up after 5 seconds.
///
/// ```
/// use modeler_auth::keys::{
///     KeyFetch, KeyFetchError, KeyFetchErrorKind, KeyFuture, KeyRequest, KeySource,
/// };
///
/// struct File(std::path::PathBuf);
///
/// impl KeySource for File {
///     fn fetch<'a>(&'a self, _request: KeyRequest<'a>) -> KeyFuture<'a> {
///         Box::pin(async {
///             let jwks = tokio::fs::read(&self.0).await.map_err(|error| {
///                 KeyFetchError::new(KeyFetchErrorKind::Other, error.to_string())
///             })?;
///             Ok(KeyFetch::fresh(jwks))
///         })
///     }
/// }
/// ```
pub trait KeySource: Send + Sync + 'static {
    /// Fetches the key set.
    ///
    /// # Errors
    /// [`KeyFetchError`]; the keys known so far stay in use, and the fetch is tried again later.
    fn fetch<'a>(&'a self, request: KeyRequest<'a>) -> KeyFuture<'a>;

    /// The key set, if it never changes. Then it is read when the validator is built, and
    /// [`fetch`](KeySource::fetch) is never called.
    fn static_jwks(&self) -> Option<Bytes> {
        None
    }
}

impl<S: KeySource + ?Sized> KeySource for Arc<S> {
    fn fetch<'a>(&'a self, request: KeyRequest<'a>) -> KeyFuture<'a> {
        (**self).fetch(request)
    }

    fn static_jwks(&self) -> Option<Bytes> {
        (**self).static_jwks()
    }
}

/// Future of [`KeySource::fetch`].
pub type KeyFuture<'a> = Pin<Box<dyn Future<Output = Result<KeyFetch, KeyFetchError>> + Send + 'a>>;

/// Request for a key set.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct KeyRequest<'a> {
    /// Validators of the keys in use, from the last [`KeyFetch::Fresh`]: with them the answer may be
    /// [`KeyFetch::NotModified`]. `None` asks for the key set itself: at first, after a failed fetch
    /// and for [`refresh_now`](crate::TokenValidator::refresh_now).
    pub validators: Option<&'a CacheValidators>,
    /// The operator asks by [`refresh_now`](crate::TokenValidator::refresh_now), and wants the key set
    /// itself: [`KeyFetch::NotModified`] is an error.
    pub is_forced: bool,
}

/// Answer to a [`KeyRequest`].
#[derive(Clone)]
#[non_exhaustive]
pub enum KeyFetch {
    /// A key set.
    Fresh {
        /// The JWKS text ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
        jwks: Bytes,
        /// What to send next time to learn whether it changed.
        validators: Option<CacheValidators>,
        /// For how long the issuer calls it fresh.
        fresh_for: Option<Duration>,
    },
    /// The key set is the one of the last fetch.
    NotModified {
        /// For how long the issuer calls it fresh.
        fresh_for: Option<Duration>,
    },
}

/// Shows no key set: it may hold private members.
impl fmt::Debug for KeyFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fresh { jwks, .. } => f
                .debug_struct("Fresh")
                .field("bytes", &jwks.len())
                .finish_non_exhaustive(),
            Self::NotModified { .. } => f.debug_struct("NotModified").finish_non_exhaustive(),
        }
    }
}

impl KeyFetch {
    /// A key set about whose freshness nothing is known.
    pub fn fresh(jwks: impl Into<Bytes>) -> Self {
        Self::Fresh {
            jwks: jwks.into(),
            validators: None,
            fresh_for: None,
        }
    }

    /// The key set did not change.
    #[must_use]
    pub fn not_modified() -> Self {
        Self::NotModified { fresh_for: None }
    }
}

/// The validators of a key set as the issuer sent them
/// ([RFC 9110 §8.8](https://www.rfc-editor.org/rfc/rfc9110#section-8.8)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheValidators {
    /// `ETag`, for `If-None-Match`.
    pub etag: Option<String>,
    /// `Last-Modified`, for `If-Modified-Since`.
    pub last_modified: Option<String>,
    /// Where it came from: what one place says of its version means nothing at another.
    pub(crate) place: Option<String>,
}

/// A key set that is known from the start and never changes, for tests and for services that
/// cannot reach the issuer.
///
/// ```
/// use modeler_auth::{Issuer, keys::StaticKeys, TokenValidator};
///
/// let jwks = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1",
///     "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
/// let validator = TokenValidator::builder()
///     .issuer(
///         Issuer::oidc("https://login.example.com/")
///             .audience("modeler")
///             .keys(StaticKeys::from_jwks(jwks)),
///     )
///     .build()?;
/// assert!(validator.is_ready());
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct StaticKeys(Bytes);

impl StaticKeys {
    /// The keys of `jwks`, a JWKS text. Building a validator fails if none of them can be used.
    pub fn from_jwks(jwks: impl Into<Bytes>) -> Self {
        Self(jwks.into())
    }
}

/// Whoever has only the file at hand may have put private members into it.
impl fmt::Debug for StaticKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticKeys").finish_non_exhaustive()
    }
}

impl KeySource for StaticKeys {
    fn fetch<'a>(&'a self, _request: KeyRequest<'a>) -> KeyFuture<'a> {
        Box::pin(std::future::ready(Ok(KeyFetch::fresh(self.0.clone()))))
    }

    fn static_jwks(&self) -> Option<Bytes> {
        Some(self.0.clone())
    }
}
