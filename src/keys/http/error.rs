//! Failures of GET requests.

use std::{error::Error, io, time::Duration};

use http::HeaderMap;
use url::Url;

use crate::keys::{
    error::{KeyFetchError, KeyFetchErrorKind},
    http::cert_file,
};

/// Longest text of a failure. A longer text is cut.
const MAX_PROBLEM_CHARS: usize = 500;

/// Failure of a GET request.
pub(crate) enum HttpFailure {
    Failed(KeyFetchErrorKind, String),
    /// No request was sent, since the CA certificates of the machine cannot be read.
    NoClient(String),
    /// Status 304, with its headers.
    NotModified(HeaderMap),
    Status {
        status: u16,
        retry_after: Option<Duration>,
    },
    TooLarge(usize),
}

impl HttpFailure {
    /// Returns whether a proxy may have caused the failure of a request to `url`.
    pub(super) fn may_come_from_proxy(&self, url: &Url) -> bool {
        match self {
            Self::Failed(kind, _) => *kind != KeyFetchErrorKind::Url,
            Self::NoClient(_) | Self::NotModified(_) | Self::TooLarge(_) => false,
            // A proxy refuses the client or the target, or does not reach it (RFC 9110 §15.5, §15.6).
            // Behind a tunnel the status is that of the server: there a proxy that refuses is no
            // connection.
            Self::Status { status, .. } => {
                url.scheme() == "http" && matches!(status, 403 | 407 | 502..=504)
            }
        }
    }

    /// Converts the failure into the error of a fetch of `url`.
    pub(crate) fn at(self, url: &Url) -> KeyFetchError {
        let error = match self {
            Self::Failed(kind, problem) => KeyFetchError::new(kind, problem),
            Self::NoClient(problem) => KeyFetchError::new(KeyFetchErrorKind::Tls, problem),
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
    HttpFailure::NoClient(problem)
}

/// Returns what to do about the TLS error `problem`, a text of rustls; empty if that is not known.
fn tls_hint(problem: &str) -> &'static str {
    // First, since this text contains names that the server chose.
    if problem.contains("not valid for") || problem.contains("NotValidForName") {
        "; the server's certificate is for another host name: use a URL with a name in the \
         certificate, or a certificate for this host"
    } else if problem.contains("CaUsedAsEndEntity") {
        "; the server presents the certificate of a CA, e.g. a self-signed one: give the server a \
         certificate for its host name that a CA signed, and trust that CA with `ca_certificate` or \
         SSL_CERT_FILE"
    } else if problem.contains("UnknownIssuer") {
        "; the CA that signed the server's certificate is not trusted: trust it with \
         `ca_certificate` or SSL_CERT_FILE (a self-signed certificate is its own CA)"
    } else if problem.contains("BadSignature") {
        "; the trusted CA of this name did not sign the server's certificate, e.g. because the CA has \
         a new key: trust the current CA with `ca_certificate` or SSL_CERT_FILE"
    } else if problem.contains("not valid yet") {
        "; correct the clock of this machine, or the start of the server's certificate"
    } else if problem.contains("xpired") {
        "; renew the server's certificate, or correct the clock of this machine"
    } else if problem.contains("corrupt message") {
        "; the server does not answer with TLS: check the port, and whether its URL begins with http:"
    } else {
        ""
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
    // A certificate may have many names, and rustls lists them all.
    let end = text.char_indices().nth(MAX_PROBLEM_CHARS);
    if let Some((end, _)) = end {
        text.truncate(end);
        text.push_str("...");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_cannot_be_built_is_no_failure_of_a_proxy() {
        let failure = HttpFailure::NoClient("no certificates".to_owned());
        let url = Url::parse("https://a/jwks").unwrap();
        assert!(!failure.may_come_from_proxy(&url));
        let error = failure.at(&url);
        assert_eq!(error.kind(), KeyFetchErrorKind::Tls);
        assert_eq!(error.to_string(), "https://a/jwks: no certificates");
    }

    #[test]
    fn a_status_behind_a_tunnel_is_no_failure_of_a_proxy() {
        let may_come_from_proxy = |url: &str, status| {
            let failure = HttpFailure::Status {
                status,
                retry_after: None,
            };
            failure.may_come_from_proxy(&Url::parse(url).unwrap())
        };
        for status in [403, 407, 502, 503, 504] {
            assert!(may_come_from_proxy("http://a/jwks", status), "{status}");
            assert!(!may_come_from_proxy("https://a/jwks", status), "{status}");
        }
        assert!(!may_come_from_proxy("http://a/jwks", 404));
    }

    #[test]
    fn names_in_a_certificate_choose_no_hint() {
        let problem = "invalid peer certificate: certificate not valid for name \"a\"; \
                       certificate is only valid for UnknownIssuer or CaUsedAsEndEntity";
        assert!(tls_hint(problem).contains("another host name"));
    }

    #[test]
    fn each_cause_has_its_own_hint() {
        for (problem, words) in [
            ("invalid peer certificate: UnknownIssuer", "not trusted"),
            ("invalid peer certificate: BadSignature", "has a new key"),
            (
                "certificate expired: verification time 1 (UNIX), but",
                "renew",
            ),
            (
                "certificate not valid yet: verification time 1",
                "clock of this machine, or the start",
            ),
            (
                "received corrupt message of type InvalidContentType",
                "does not answer with TLS",
            ),
        ] {
            assert!(tls_hint(problem).contains(words), "{problem}");
        }
        assert_eq!(tls_hint("received fatal alert: HandshakeFailure"), "");
    }
}
