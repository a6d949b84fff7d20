//! Errors of fetches of key sets.

use std::{borrow::Cow, fmt, time::Duration};

use crate::url::shown;

/// Error of a fetch of a key set.
///
/// ```
/// use modeler_auth::keys::{KeyFetchError, KeyFetchErrorKind};
///
/// let error = KeyFetchError::new(KeyFetchErrorKind::Status, "the store responded with 500");
/// assert_eq!(error.kind().name(), "status");
/// assert_eq!(error.to_string(), "the store responded with 500");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFetchError {
    kind: KeyFetchErrorKind,
    message: Cow<'static, str>,
    retry_after: Option<Duration>,
}

/// The class of a [`KeyFetchError`].
///
/// ```
/// use modeler_auth::keys::KeyFetchErrorKind;
///
/// assert_eq!(KeyFetchErrorKind::TooLarge.name(), "too_large");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyFetchErrorKind {
    /// Response that broke off.
    Body,
    /// No connection.
    Connect,
    /// Unknown host name.
    Dns,
    /// Key set without a usable key.
    Empty,
    /// Discovery document of another issuer.
    IssuerMismatch,
    /// Response that is not the expected JSON.
    Json,
    /// Any other failure.
    Other,
    /// Panic of the fetch.
    Panic,
    /// Status other than 200.
    Status,
    /// No response within the time limit.
    Timeout,
    /// No TLS connection, e.g. because of an untrusted certificate, or because the CA certificates of
    /// this machine cannot be read.
    Tls,
    /// Response larger than the limit.
    TooLarge,
    /// URL in the discovery document that must not be used.
    Url,
}

impl KeyFetchErrorKind {
    /// Returns a stable name, for a metric label.
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
    /// Creates an error of class `kind`; `message` goes to the log.
    pub fn new(kind: KeyFetchErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            message: message.into(),
            retry_after: None,
        }
    }

    /// Asks for a pause of `wait` before the next fetch. A longer `wait` than 10 minutes counts as
    /// 10 minutes.
    #[must_use]
    pub fn with_retry_after(self, wait: Duration) -> Self {
        Self {
            retry_after: Some(wait),
            ..self
        }
    }

    /// Returns the class of the error.
    #[must_use]
    pub fn kind(&self) -> KeyFetchErrorKind {
        self.kind
    }

    /// Names the issuer in the message.
    pub(crate) fn of_issuer(self, issuer: &str) -> Self {
        Self {
            message: format!("keys of `{issuer}`: {}", self.message).into(),
            ..self
        }
    }

    /// Names the location of the key set in the message.
    pub(crate) fn at(self, location: &str) -> Self {
        Self {
            message: format!("{}: {}", shown(location), self.message).into(),
            ..self
        }
    }

    /// Appends `hint` to the message, if there is one.
    pub(crate) fn with_hint(self, hint: Option<&str>) -> Self {
        match hint {
            Some(hint) => Self {
                message: format!("{}; {hint}", self.message).into(),
                ..self
            },
            None => self,
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
    fn names_are_stable_and_those_of_the_troubleshooting_page() {
        use KeyFetchErrorKind as Kind;
        let page = include_str!("../../docs/troubleshooting.md");
        let (_, table) = page.split_once("## Key fetches").unwrap();
        let mut rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
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
            let row = rows.next().unwrap_or_default();
            assert!(row.starts_with(&format!("{name}` |")), "{name}: {row}");
        }
        assert_eq!(rows.next(), None);
    }
}
