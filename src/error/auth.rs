//! Errors of requests.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use http::StatusCode;

/// Error that rejects a request.
///
/// It is opaque: [`kind`](AuthError::kind) is for code, [`reason`](AuthError::reason) for metrics
/// and searches, and the text for operators. It never contains the token, nor a claim value from a
/// token without a valid signature.
#[derive(Clone)]
pub struct AuthError {
    reason: Reason,
    detail: Option<Arc<str>>,
    retry_after: Option<Duration>,
    verified: bool,
}

/// Class of an [`AuthError`], which determines the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthErrorKind {
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
    /// Lack of usable keys, so the token cannot be checked. 503.
    Unavailable,
}

impl AuthErrorKind {
    /// Returns the HTTP status of the class.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::InsufficientScope | Self::NoOrganization => StatusCode::FORBIDDEN,
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::InvalidToken | Self::MissingToken => StatusCode::UNAUTHORIZED,
            Self::LayerMissing => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
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

    pub(crate) fn unavailable(reason: Reason, retry_after: Duration) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::from(reason)
        }
    }

    /// Returns the class of the rejection.
    #[must_use]
    pub fn kind(&self) -> AuthErrorKind {
        self.reason.kind()
    }

    /// Returns a stable code such as `expired` or `unknown_key`, for a metric label.
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
    /// [`AuthErrorKind::InsufficientScope`].
    #[must_use]
    pub fn needed_scope(&self) -> Option<&str> {
        match &self.reason {
            Reason::InsufficientScope(scope) => Some(scope),
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

    /// Returns the values found and expected, for logs but not for clients. They come from the
    /// configuration and, only for a verified token, from the claim `aud`. Claim values are escaped
    /// and cut short.
    pub(crate) fn detail(&self) -> Option<&str> {
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

/// Reason of a rejection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    AmbiguousKey,
    BadSignature,
    ClaimsRefused,
    Expired,
    HeaderTyp,
    InsufficientScope(Cow<'static, str>),
    IssuedInFuture,
    KeysUnavailable,
    LayerMissing,
    MalformedAuthorization,
    MalformedClaim(&'static str),
    MalformedClaims,
    MalformedHeader,
    MalformedToken,
    MissingClaim(&'static str),
    MissingToken,
    NoOrganization,
    NotAccessToken(&'static str),
    NotYetValid,
    PayloadTyp,
    Revoked,
    SenderConstrained,
    SeveralAuthorizations,
    TokenTooLong,
    TooManyWaiting,
    Unconfirmed,
    UnknownIssuer,
    UnknownKey,
    UnsupportedAlgorithm,
    UnsupportedCrit,
    WrongAudience,
}

impl Reason {
    const fn kind(&self) -> AuthErrorKind {
        match self {
            Self::InsufficientScope(_) => AuthErrorKind::InsufficientScope,
            Self::MalformedAuthorization | Self::SeveralAuthorizations => {
                AuthErrorKind::InvalidRequest
            }
            Self::LayerMissing => AuthErrorKind::LayerMissing,
            Self::MissingToken => AuthErrorKind::MissingToken,
            Self::NoOrganization => AuthErrorKind::NoOrganization,
            Self::KeysUnavailable | Self::TooManyWaiting => AuthErrorKind::Unavailable,
            Self::AmbiguousKey
            | Self::BadSignature
            | Self::ClaimsRefused
            | Self::Expired
            | Self::IssuedInFuture
            | Self::MalformedClaim(_)
            | Self::MalformedClaims
            | Self::MalformedHeader
            | Self::MalformedToken
            | Self::MissingClaim(_)
            | Self::NotYetValid
            | Self::Revoked
            | Self::SenderConstrained
            | Self::NotAccessToken(_)
            | Self::PayloadTyp
            | Self::HeaderTyp
            | Self::UnsupportedCrit
            | Self::TokenTooLong
            | Self::Unconfirmed
            | Self::UnknownIssuer
            | Self::UnknownKey
            | Self::UnsupportedAlgorithm
            | Self::WrongAudience => AuthErrorKind::InvalidToken,
        }
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::AmbiguousKey => "ambiguous_key",
            Self::BadSignature => "bad_signature",
            Self::ClaimsRefused => "claims_refused",
            Self::Expired => "expired",
            Self::HeaderTyp => "header_typ",
            Self::InsufficientScope(_) => "insufficient_scope",
            Self::IssuedInFuture => "issued_in_future",
            Self::KeysUnavailable => "keys_unavailable",
            Self::LayerMissing => "layer_missing",
            Self::MalformedAuthorization => "malformed_authorization",
            Self::MalformedClaim(_) => "malformed_claim",
            Self::MalformedClaims => "malformed_claims",
            Self::MalformedHeader => "malformed_header",
            Self::MalformedToken => "malformed_token",
            Self::MissingClaim(_) => "missing_claim",
            Self::MissingToken => "missing_token",
            Self::NoOrganization => "no_organization",
            Self::NotAccessToken(_) => "not_access_token",
            Self::NotYetValid => "not_yet_valid",
            Self::PayloadTyp => "payload_typ",
            Self::Revoked => "revoked",
            Self::SenderConstrained => "sender_constrained",
            Self::SeveralAuthorizations => "several_authorizations",
            Self::TokenTooLong => "token_too_long",
            Self::TooManyWaiting => "too_many_waiting",
            Self::Unconfirmed => "unconfirmed",
            Self::UnknownIssuer => "unknown_issuer",
            Self::UnknownKey => "unknown_key",
            Self::UnsupportedAlgorithm => "unsupported_algorithm",
            Self::UnsupportedCrit => "unsupported_crit",
            Self::WrongAudience => "wrong_audience",
        }
    }

    /// Codes of all reasons, in alphabetical order.
    pub(crate) const CODES: [&'static str; 31] = [
        "ambiguous_key",
        "bad_signature",
        "claims_refused",
        "expired",
        "header_typ",
        "insufficient_scope",
        "issued_in_future",
        "keys_unavailable",
        "layer_missing",
        "malformed_authorization",
        "malformed_claim",
        "malformed_claims",
        "malformed_header",
        "malformed_token",
        "missing_claim",
        "missing_token",
        "no_organization",
        "not_access_token",
        "not_yet_valid",
        "payload_typ",
        "revoked",
        "sender_constrained",
        "several_authorizations",
        "token_too_long",
        "too_many_waiting",
        "unconfirmed",
        "unknown_issuer",
        "unknown_key",
        "unsupported_algorithm",
        "unsupported_crit",
        "wrong_audience",
    ];

    const fn message(&self) -> &'static str {
        match self {
            Self::AmbiguousKey => {
                "the token has no key id (`kid`), and several keys of its issuer fit"
            }
            Self::BadSignature => "the token's signature is not valid for the issuer's key",
            Self::ClaimsRefused => {
                "the token is genuine, but its claims do not fit the issuer's mapping"
            }
            Self::UnsupportedCrit => {
                "the token's header requires an unsupported extension (`crit` or `b64`)"
            }
            Self::Expired => "the token has expired",
            Self::InsufficientScope(_) => {
                "the token lacks the permission that this operation needs"
            }
            Self::IssuedInFuture => {
                "the token was issued in the future (`iat`): compare the clocks of issuer and service, or raise the leeway"
            }
            Self::KeysUnavailable => {
                "no key of the token's issuer is available: see the log lines about its key set"
            }
            Self::LayerMissing => "no AuthLayer wraps this service; add one outside it",
            Self::MalformedAuthorization => {
                "the Authorization header is not `Bearer`, a space and one token"
            }
            Self::MalformedClaim(_) => "a claim of the token has the wrong JSON type or value",
            Self::MalformedClaims => {
                "the token's claims are not a valid JSON object without duplicate names"
            }
            Self::MalformedHeader => {
                "the token's header is not a valid JSON object without duplicate names"
            }
            Self::MalformedToken => {
                "the token is not three base64url parts separated by dots; encrypted tokens, which have five, are not supported"
            }
            Self::MissingClaim(_) => "the token lacks a required claim",
            Self::MissingToken => "the request carries no Bearer token",
            Self::NoOrganization => {
                "the token is valid, but its issuer's mapping names no organization"
            }
            Self::NotYetValid => {
                "the token is not valid yet (`nbf`): compare the clocks of issuer and service, or raise the leeway"
            }
            Self::PayloadTyp => {
                "the token is not an access token: its payload `typ` is that of an ID, refresh or logout token"
            }
            Self::Revoked => "the token is revoked",
            Self::SenderConstrained => {
                "the token is bound to its sender (`cnf`), but its issuer has no sender constraint configured"
            }
            Self::SeveralAuthorizations => "the request carries several Authorization headers",
            Self::NotAccessToken(_) => {
                "the token is not an access token: a claim belongs to an ID, refresh, logout or security event token"
            }
            Self::TokenTooLong => "the token is longer than 16 KiB",
            Self::HeaderTyp => "the token's header `typ` is not that of an access token",
            Self::TooManyWaiting => "too many requests already wait for the issuer's keys",
            Self::Unconfirmed => {
                "the request does not fulfil the token's sender constraint (`cnf`)"
            }
            Self::UnknownIssuer => "the token's issuer (`iss`) is not configured",
            Self::UnknownKey => "the issuer publishes no usable key for this token",
            Self::UnsupportedAlgorithm => {
                "the token's signature algorithm is not allowed for its issuer and key: see `Issuer::algorithms`"
            }
            Self::WrongAudience => {
                "none of the token's audiences (`aud`) is configured for its issuer"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_codes_is_sorted_and_complete() {
        let source = include_str!("auth.rs");
        let (_, source) = source.split_once("const fn code(").unwrap();
        let (source, _) = source.split_once("const CODES").unwrap();
        let mut codes: Vec<_> = source.split('"').skip(1).step_by(2).collect();
        codes.sort_unstable();
        assert_eq!(codes, Reason::CODES);
    }
}
