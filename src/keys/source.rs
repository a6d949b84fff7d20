//! Sources of key sets.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;

use crate::keys::error::KeyFetchError;

/// Source of an issuer's key set. Implement it to use another transport; see
/// [`Issuer::keys`](crate::Issuer::keys).
///
/// The key cache parses, caches and refreshes the key set, and backs off after failures. At most
/// one fetch runs at a time, in a separate task. A fetch that takes longer than 5 seconds is
/// aborted and counts as failed.
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no source of a key set",
    note = "use `keys::StaticKeys`, or implement `KeySource`"
)]
pub trait KeySource: Send + Sync + 'static {
    /// Fetches the key set.
    ///
    /// # Errors
    /// [`KeyFetchError`]; the known keys stay in use, and the key cache tries again later.
    fn fetch<'a>(&'a self, request: KeyRequest<'a>) -> KeyFuture<'a>;

    /// Returns the key set, if it never changes. Default: `None`.
    ///
    /// A validator reads such a key set when it is built, and never calls
    /// [`fetch`](KeySource::fetch).
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
///
/// ```
/// use modeler_auth::keys::{KeyFetch, KeyFuture};
///
/// fn fetch<'a>() -> KeyFuture<'a> {
///     Box::pin(async { Ok(KeyFetch::fresh(r#"{"keys":[]}"#)) })
/// }
/// ```
pub type KeyFuture<'a> = Pin<Box<dyn Future<Output = Result<KeyFetch, KeyFetchError>> + Send + 'a>>;

/// Request for a key set.
///
/// ```
/// use modeler_auth::keys::KeyRequest;
///
/// /// Returns the value of `If-None-Match`.
/// fn etag<'a>(request: &KeyRequest<'a>) -> Option<&'a str> {
///     request.validators?.etag.as_deref()
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct KeyRequest<'a> {
    /// Validators of the keys in use, from the last [`KeyFetch::Fresh`]; they allow the response
    /// [`KeyFetch::NotModified`]. `None` requests the key set itself: at first, after a failed
    /// fetch and for [`refresh_now`](crate::TokenValidator::refresh_now).
    pub validators: Option<&'a CacheValidators>,
    /// `true` for [`refresh_now`](crate::TokenValidator::refresh_now), which needs the key set
    /// itself: [`KeyFetch::NotModified`] is then an error.
    pub is_forced: bool,
}

/// Response to a [`KeyRequest`].
///
/// ```
/// use modeler_auth::keys::KeyFetch;
///
/// let fetched = KeyFetch::fresh(r#"{"keys":[]}"#);
/// assert!(matches!(fetched, KeyFetch::Fresh { .. }));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum KeyFetch {
    /// A key set.
    Fresh {
        /// The JWKS text ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
        jwks: Bytes,
        /// Validators for the next request, if the source has any.
        validators: Option<CacheValidators>,
        /// Time for which the issuer declares the key set fresh, if it does.
        fresh_for: Option<Duration>,
        /// URL or file of the key set, for error messages. They show a URL without credentials and
        /// query.
        location: Option<String>,
    },
    /// Key set that is unchanged since the last fetch.
    NotModified {
        /// Time for which the issuer declares the key set fresh, if it does.
        fresh_for: Option<Duration>,
    },
}

/// Omits the key set, since it may contain private members.
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
    /// Creates a response with a key set of unknown freshness.
    pub fn fresh(jwks: impl Into<Bytes>) -> Self {
        Self::Fresh {
            jwks: jwks.into(),
            validators: None,
            fresh_for: None,
            location: None,
        }
    }

    /// Creates a response that the key set has not changed.
    #[must_use]
    pub fn not_modified() -> Self {
        Self::NotModified { fresh_for: None }
    }
}

/// Validators of a key set, as the issuer sent them
/// ([RFC 9110 §8.8](https://www.rfc-editor.org/rfc/rfc9110#section-8.8)).
///
/// ```
/// use modeler_auth::keys::CacheValidators;
///
/// let mut validators = CacheValidators::default();
/// validators.etag = Some("\"a\"".to_owned());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheValidators {
    /// `ETag`, for `If-None-Match`.
    pub etag: Option<String>,
    /// `Last-Modified`, for `If-Modified-Since`.
    pub last_modified: Option<String>,
    /// URL that sent them. Validators of one URL mean nothing at another.
    pub(crate) place: Option<String>,
}

/// Key set that never changes, for tests and for services that cannot reach the issuer.
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
    /// Creates a key source from `jwks`, a JWKS text. Building the validator fails if no key is
    /// usable.
    pub fn from_jwks(jwks: impl Into<Bytes>) -> Self {
        Self(jwks.into())
    }
}

/// Omits the keys, since the text may contain private members.
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
