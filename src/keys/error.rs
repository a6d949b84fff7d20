//! Why no key set was fetched.

use std::{borrow::Cow, fmt, time::Duration};

/// Why no key set was had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFetchError {
    kind: KeyFetchErrorKind,
    message: Cow<'static, str>,
    retry_after: Option<Duration>,
}

/// The class of a [`KeyFetchError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyFetchErrorKind {
    /// The answer broke off.
    Body,
    /// No connection.
    Connect,
    /// The host's name is not known.
    Dns,
    /// The key set has no usable key.
    Empty,
    /// The discovery document speaks for another issuer.
    IssuerMismatch,
    /// The answer is not the JSON it should be.
    Json,
    /// Anything else.
    Other,
    /// The fetch panicked.
    Panic,
    /// The status was not 200.
    Status,
    /// No answer within the time limit.
    Timeout,
    /// No TLS connection, e.g. because the certificate is not trusted.
    Tls,
    /// The answer is larger than allowed.
    TooLarge,
    /// The discovery document names a URL that must not be used.
    Url,
}

impl KeyFetchErrorKind {
    /// A stable name, fit for a metric label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Connect => "connect",
            Self::Dns => "dns",
            Self::Empty => "empty",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::Json => "json",
            Self::Other => "other",
            Self::Panic => "panic",
            Self::Status => "status",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::TooLarge => "too_large",
            Self::Url => "url",
        }
    }
}

impl KeyFetchError {
    /// An error of class `kind`; `message` goes to the log.
    pub fn new(kind: KeyFetchErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            message: message.into(),
            retry_after: None,
        }
    }

    /// Asks not to be called again before `wait` has passed.
    #[must_use]
    pub fn with_retry_after(self, wait: Duration) -> Self {
        Self {
            retry_after: Some(wait),
            ..self
        }
    }

    /// The class of the error.
    #[must_use]
    pub fn kind(&self) -> KeyFetchErrorKind {
        self.kind
    }

    /// The same error, which says whose keys it is about.
    pub(crate) fn of_issuer(self, issuer: &str) -> Self {
        Self {
            message: format!("keys of `{issuer}`: {}", self.message).into(),
            ..self
        }
    }

    /// The same error, and what may help.
    pub(crate) fn with_hint(self, hint: &str) -> Self {
        Self {
            message: format!("{}; {hint}", self.message).into(),
            ..self
        }
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for KeyFetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for KeyFetchError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stable() {
        use KeyFetchErrorKind as Kind;
        for (kind, name) in [
            (Kind::Body, "body"),
            (Kind::Connect, "connect"),
            (Kind::Dns, "dns"),
            (Kind::Empty, "empty"),
            (Kind::IssuerMismatch, "issuer_mismatch"),
            (Kind::Json, "json"),
            (Kind::Other, "other"),
            (Kind::Panic, "panic"),
            (Kind::Status, "status"),
            (Kind::Timeout, "timeout"),
            (Kind::Tls, "tls"),
            (Kind::TooLarge, "too_large"),
            (Kind::Url, "url"),
        ] {
            assert_eq!(kind.name(), name);
        }
    }
}
