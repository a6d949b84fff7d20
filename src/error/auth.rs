//! Errors of requests.

use std::{fmt, sync::Arc, time::Duration};

use http::{Request, StatusCode};

use crate::error::{authentication::NeededAuthentication, reason::Reason};

/// Error that rejects a request.
///
/// It is opaque: [`kind`](AuthError::kind) is for code, [`reason`](AuthError::reason) for metrics
/// and searches, and the text for operators. It never contains the token, nor a claim value from a
/// token without a valid signature.
///
/// [`AuthLayer`](crate::AuthLayer) stores it in the extensions of a rejection, for layers outside,
/// such as an access log:
///
/// ```
/// # use modeler_auth::{AuthLayer, TokenValidator, test_util::TestIssuer};
/// use modeler_auth::AuthError;
/// # use tower::{Layer, ServiceExt};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let issuer = TestIssuer::self_managed();
/// # let validator = TokenValidator::builder().issuer(issuer.issuer()).build()?;
/// # let service = AuthLayer::new(validator).layer(axum::Router::new());
/// # let request = http::Request::new(axum::body::Body::empty());
/// let response = service.oneshot(request).await?;
/// let error = response.extensions().get::<AuthError>();
/// assert_eq!(error.map(AuthError::reason), Some("missing_token"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct AuthError {
    reason: Reason,
    detail: Option<Arc<str>>,
    /// Set in the extensions of a rendered rejection, which other layers leave as it is.
    is_rendered: bool,
    issuer: Option<Arc<str>>,
    request: Option<Arc<Request<()>>>,
    resource_metadata: Option<Arc<str>>,
    retry_after: Option<Duration>,
    verified: bool,
}

/// Class of an [`AuthError`], which determines the status.
///
/// ```
/// use modeler_auth::AuthErrorKind;
///
/// assert_eq!(AuthErrorKind::InvalidToken.status(), 401);
/// assert_eq!(AuthErrorKind::Unavailable.status(), 503);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthErrorKind {
    /// Valid token whose claims do not fit the type that a handler needs. 403, `insufficient_scope`.
    ClaimsMismatch,
    /// Valid token of a user who has not authenticated as the operation needs it. 401,
    /// `insufficient_user_authentication` ([RFC 9470](https://www.rfc-editor.org/rfc/rfc9470)).
    InsufficientAuthentication,
    /// Valid token without the needed permission. 403, `insufficient_scope`.
    InsufficientScope,
    /// `Authorization` header that does not follow RFC 6750. 400, `invalid_request`.
    InvalidRequest,
    /// Token that is not acceptable here. 401, `invalid_token`.
    InvalidToken,
    /// Service that needs the layer, but runs without it. 500.
    LayerMissing,
    /// Request without a Bearer token. 401 without an error code.
    MissingToken,
    /// Valid token without the organization that the service needs. 403, `insufficient_scope`.
    NoOrganization,
    /// Lack of usable keys, so the token cannot be checked, or of the token's grant. 503.
    Unavailable,
}

impl AuthErrorKind {
    /// Returns the HTTP status of the class.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::ClaimsMismatch | Self::InsufficientScope | Self::NoOrganization => {
                StatusCode::FORBIDDEN
            }
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::InsufficientAuthentication | Self::InvalidToken | Self::MissingToken => {
                StatusCode::UNAUTHORIZED
            }
            Self::LayerMissing => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Returns the class of `reason`.
    const fn of(reason: &Reason) -> Self {
        match reason {
            Reason::ClaimsMismatch => Self::ClaimsMismatch,
            Reason::InsufficientAuthentication { .. } => Self::InsufficientAuthentication,
            Reason::InsufficientScope(_) => Self::InsufficientScope,
            Reason::MalformedAuthorization | Reason::SeveralAuthorizations => Self::InvalidRequest,
            Reason::LayerMissing => Self::LayerMissing,
            Reason::MissingToken => Self::MissingToken,
            Reason::NoOrganization => Self::NoOrganization,
            Reason::GrantUnavailable | Reason::KeysUnavailable | Reason::TooManyWaiting => {
                Self::Unavailable
            }
            Reason::AmbiguousKey
            | Reason::BadSignature
            | Reason::ClaimsRefused
            | Reason::Expired
            | Reason::GrantRefused
            | Reason::IssuedInFuture
            | Reason::MalformedClaim(_)
            | Reason::MalformedClaims
            | Reason::MalformedHeader
            | Reason::MalformedToken(_)
            | Reason::MissingClaim(_)
            | Reason::NotYetValid
            | Reason::Revoked
            | Reason::SenderConstrained(_)
            | Reason::NotAccessToken(_)
            | Reason::PayloadTyp(_)
            | Reason::HeaderTyp(_)
            | Reason::UnsupportedCrit
            | Reason::TokenTooLong
            | Reason::TooOld
            | Reason::Unconfirmed
            | Reason::UnknownIssuer
            | Reason::UnknownKey
            | Reason::UnsupportedAlgorithm(_)
            | Reason::WrongAudience => Self::InvalidToken,
        }
    }
}

impl AuthError {
    pub(crate) fn verified(reason: Reason) -> Self {
        Self {
            verified: true,
            ..Self::from(reason)
        }
    }

    pub(crate) fn with_detail(self, detail: impl Into<Arc<str>>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }

    /// Names the configured issuer of the token.
    pub(crate) fn of_issuer(self, issuer: &Arc<str>) -> Self {
        Self {
            issuer: Some(Arc::clone(issuer)),
            ..self
        }
    }

    /// Stores the request, which must not carry credentials.
    pub(crate) fn with_request(self, request: Arc<Request<()>>) -> Self {
        Self {
            request: Some(request),
            ..self
        }
    }

    /// Stores the URL of the metadata of the resource.
    pub(crate) fn of_resource(self, metadata_url: Option<&str>) -> Self {
        Self {
            resource_metadata: metadata_url.map(Arc::from),
            ..self
        }
    }

    pub(crate) fn unavailable(reason: Reason, retry_after: Duration) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::from(reason)
        }
    }

    /// Returns the error for the extensions of a rendered rejection, or of one that a layer has to
    /// render.
    pub(crate) fn with_rendered(self, is_rendered: bool) -> Self {
        Self {
            is_rendered,
            ..self
        }
    }

    /// Returns whether the cause is that the `Authorization` header is absent, or has another form.
    pub(crate) fn is_about_header(&self) -> bool {
        matches!(
            self.reason,
            Reason::MalformedAuthorization | Reason::MissingToken
        )
    }

    pub(crate) fn is_rendered(&self) -> bool {
        self.is_rendered
    }

    /// Returns the class of the rejection.
    #[must_use]
    pub fn kind(&self) -> AuthErrorKind {
        AuthErrorKind::of(&self.reason)
    }

    /// Returns a stable code such as `expired` or `unknown_key`, for a metric label.
    /// [docs/troubleshooting.md](https://docs.rs/crate/modeler-auth/latest/source/docs/troubleshooting.md)
    /// has the cause and the correction for each.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason.code()
    }

    /// Returns the time to wait before another attempt, at least 1 s; `None` for any other kind
    /// than [`AuthErrorKind::Unavailable`].
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
            .map(|wait| wait.max(Duration::from_secs(1)))
    }

    /// Returns the scope that the request needs; `None` for any other kind than
    /// [`AuthErrorKind::InsufficientScope`], and for [`AuthErrorKind::InsufficientAuthentication`] of
    /// a token that has the scope.
    #[must_use]
    pub fn needed_scope(&self) -> Option<&str> {
        match &self.reason {
            Reason::InsufficientAuthentication { scope, .. } if scope.is_empty() => None,
            Reason::InsufficientAuthentication { scope, .. } | Reason::InsufficientScope(scope) => {
                Some(scope)
            }
            _ => None,
        }
    }

    /// Returns the authentication that the request needs, if the token's does not suffice.
    pub(crate) fn needed_authentication(&self) -> Option<&NeededAuthentication> {
        match &self.reason {
            Reason::InsufficientAuthentication { needed, .. } => Some(needed),
            _ => None,
        }
    }

    /// Returns whether the token's signature was verified.
    ///
    /// The reason of an unverified token depends on claims that anyone can write.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.verified
    }

    /// Returns the configured issuer that the token names; `None` if there is no such issuer, or the token
    /// was not read.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Returns the request that is rejected, if a service inside the layer rejected it.
    pub(crate) fn request(&self) -> Option<&Request<()>> {
        self.request.as_deref()
    }

    /// Returns the URL of the metadata of the resource, if the error is from a call without a layer.
    pub(crate) fn resource_metadata(&self) -> Option<&str> {
        self.resource_metadata.as_deref()
    }

    /// Returns the values found and expected, for logs but not for clients. They come from the
    /// configuration and, only for a verified token, from the claim `aud` and the name of a member that
    /// does not fit. Text from a token is escaped and cut short.
    ///
    /// ```
    /// use modeler_auth::{TokenValidator, test_util::TestIssuer};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let issuer = TestIssuer::oidc("https://login.example.com/");
    /// let validator = TokenValidator::builder().issuer(issuer.issuer()).build()?;
    /// validator.ready().await; // without keys the token is not verified, so its audience is not shown
    /// let token = issuer.token().audience("shop").sign();
    /// let error = validator.validate(&token).await.unwrap_err();
    /// assert_eq!(error.detail(), Some(r#"found ["shop"], expected ["test"]"#));
    /// # Ok::<(), modeler_auth::ConfigError>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match (&self.detail, &self.reason) {
            (Some(detail), _) => Some(detail),
            (
                None,
                Reason::MalformedClaim(name)
                | Reason::MissingClaim(name)
                | Reason::NotAccessToken(name),
            ) => Some(name),
            (None, Reason::InsufficientScope(scope)) => Some(scope),
            _ => None,
        }
    }
}

impl From<Reason> for AuthError {
    fn from(reason: Reason) -> Self {
        Self {
            reason,
            detail: None,
            is_rendered: false,
            issuer: None,
            request: None,
            resource_metadata: None,
            retry_after: None,
            verified: false,
        }
    }
}

impl fmt::Debug for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthError")
            .field("reason", &self.reason.code())
            .field("verified", &self.verified)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.message())
    }
}

impl std::error::Error for AuthError {}
