//! Failures of GET requests.

use std::{error::Error, io, time::Duration};

use http::HeaderMap;
use url::Url;

use crate::keys::{
    error::{KeyFetchError, KeyFetchErrorKind},
    http::cert_file,
};

/// Failure of a GET request.
pub(crate) enum HttpFailure {
    Failed(KeyFetchErrorKind, String),
    /// Status 304, with its headers.
    NotModified(HeaderMap),
    Status {
        status: u16,
        retry_after: Option<Duration>,
    },
    TooLarge(usize),
}

impl HttpFailure {
    /// Returns whether a proxy may have caused the failure.
    pub(super) fn may_come_from_proxy(&self) -> bool {
        match self {
            Self::Failed(kind, _) => *kind != KeyFetchErrorKind::Url,
            Self::NotModified(_) | Self::TooLarge(_) => false,
            // A proxy refuses the client or the target, or does not reach it (RFC 9110 §15.5, §15.6).
            Self::Status { status, .. } => matches!(status, 403 | 407 | 502..=504),
        }
    }

    /// Converts the failure into the error of a fetch of `url`.
    pub(crate) fn at(self, url: &Url) -> KeyFetchError {
        let error = match self {
            Self::Failed(kind, problem) => KeyFetchError::new(kind, problem),
            // The request had no condition, so 304 is not a valid response.
            Self::NotModified(_) => KeyFetchError::new(KeyFetchErrorKind::Status, "status 304"),
            Self::Status {
                status,
                retry_after,
            } => {
                let hint = if (300..400).contains(&status) {
                    ": redirects are not followed"
                } else {
                    ""
                };
                let problem = format!("status {status}{hint}");
                let error = KeyFetchError::new(KeyFetchErrorKind::Status, problem);
                match retry_after {
                    Some(wait) => error.with_retry_after(wait),
                    None => error,
                }
            }
            Self::TooLarge(most) => KeyFetchError::new(
                KeyFetchErrorKind::TooLarge,
                format!("the response has more than {most} bytes"),
            ),
        };
        error.at(url.as_str())
    }
}

impl From<reqwest::Error> for HttpFailure {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let kind = classify(&error);
        let mut problem = with_causes(&error);
        let hint = match kind {
            KeyFetchErrorKind::Tls => tls_hint(&problem),
            _ => "",
        };
        problem.push_str(hint);
        Self::Failed(kind, problem)
    }
}

/// Converts the error of a client that could not be built. This happens if the CA certificates of the
/// machine cannot be read.
pub(super) fn no_client(error: &reqwest::Error) -> HttpFailure {
    let problem = with_causes(error);
    let problem = match cert_file::problem() {
        Some(cause) => format!("{problem}; {cause}"),
        None => format!(
            "{problem}; without CA certificates no issuer can be trusted: install those of the \
             operating system, name a file with SSL_CERT_FILE, or set `ca_certificate`"
        ),
    };
    HttpFailure::Failed(KeyFetchErrorKind::Tls, problem)
}

/// Returns what to do about the TLS error `problem`, a text of rustls.
fn tls_hint(problem: &str) -> &'static str {
    if problem.contains("CaUsedAsEndEntity") {
        "; the server presents the certificate of a CA, e.g. a self-signed one: give the server a \
         certificate for its host name that a CA signed, and trust that CA with `ca_certificate` or \
         SSL_CERT_FILE"
    } else if problem.contains("UnknownIssuer") {
        "; the CA that signed the server's certificate is not trusted: trust it with \
         `ca_certificate` or SSL_CERT_FILE (a self-signed certificate is its own CA)"
    } else if problem.contains("not valid for") || problem.contains("NotValidForName") {
        "; the server's certificate is for another host name: use a URL with a name in the \
         certificate, or a certificate for this host"
    } else if problem.contains("Expired") || problem.contains("expired") {
        "; renew the server's certificate, or correct the clock of this machine"
    } else {
        "; for a private CA set `ca_certificate` or SSL_CERT_FILE"
    }
}

/// Returns the text of `error` and its causes.
fn with_causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn classify(error: &reqwest::Error) -> KeyFetchErrorKind {
    // `IssuerUrl` rejects such URLs before.
    if error.is_builder() {
        return KeyFetchErrorKind::Url;
    }
    if error.is_timeout() {
        return KeyFetchErrorKind::Timeout;
    }
    if !error.is_connect() {
        return KeyFetchErrorKind::Body;
    }
    let mut source = error.source();
    while let Some(cause) = source {
        // rustls reports through `io::Error`. hyper-util names DNS errors only in their text.
        if cause.downcast_ref::<io::Error>().is_some_and(is_tls) {
            return KeyFetchErrorKind::Tls;
        }
        if cause.to_string().starts_with("dns error") {
            return KeyFetchErrorKind::Dns;
        }
        source = cause.source();
    }
    KeyFetchErrorKind::Connect
}

/// Returns whether rustls reported the error. An `io::Error` inside another is not among its
/// sources.
fn is_tls(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    error.kind() == io::ErrorKind::InvalidData || inner.is_some_and(is_tls)
}
