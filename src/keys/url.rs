//! URLs that keys may be fetched from.

use url::{Host, Url};

use crate::error::ConfigError;

/// An `http` or `https` URL, kept as it was written: an issuer is compared byte for byte, and
/// parsing would normalise it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IssuerUrl {
    text: String,
    url: Url,
}

impl IssuerUrl {
    /// Reads `text`, the value of `setting`.
    pub(crate) fn parse(setting: &'static str, text: &str) -> Result<Self, ConfigError> {
        Self::read(text).map_err(|reason| ConfigError::InvalidUrl {
            setting,
            value: without_credentials(text),
            reason,
        })
    }

    /// Reads `text`; the error says what is wrong with it, and holds nothing of it.
    pub(crate) fn read(text: &str) -> Result<Self, &'static str> {
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("it holds white space");
        }
        let url = Url::parse(text).map_err(|_| "it is not an absolute URL")?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("its scheme is neither https nor http");
        }
        if has_credentials(&url) {
            return Err("it holds a user name or password");
        }
        if url.fragment().is_some() {
            return Err("it has a fragment");
        }
        Ok(Self {
            text: text.to_owned(),
            url,
        })
    }

    /// The URL as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// https, or http that does not leave the machine.
    pub(crate) fn is_secure(&self) -> bool {
        self.url.scheme() == "https" || is_loopback(&self.url)
    }

    /// Whether an issuer may look like this (RFC 8414 §2).
    pub(crate) fn has_query(&self) -> bool {
        self.url.query().is_some()
    }
}

fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// `text` as it may be shown: a password in a URL is one still.
pub(crate) fn without_credentials(text: &str) -> String {
    match Url::parse(text) {
        Ok(mut url) if has_credentials(&url) => {
            // Neither fails for a URL that has them.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.to_string()
        }
        _ => text.to_owned(),
    }
}

/// `127.0.0.0/8`, `::1`, or exactly `localhost`.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<IssuerUrl, ConfigError> {
        IssuerUrl::parse("issuer", text)
    }

    #[test]
    fn r30_the_text_is_kept_as_written() {
        for text in [
            "https://weblogin.cloud.camunda.io/",
            "https://weblogin.cloud.camunda.io",
            "https://EXAMPLE.com:443/a/../b",
        ] {
            assert_eq!(parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn r43_only_http_and_https_without_credentials() {
        for bad in [
            "",
            "localhost",
            "/realms/x",
            "file:///etc/passwd",
            "ftp://a/",
            "https://user@a/",
            "https://user:secret@a/",
            "https://:secret@a/",
            "https://a/#x",
            " https://a/",
            "https://a/\n",
            "https://",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn r50_an_error_does_not_show_a_password() {
        let error = parse("https://admin:s3cret@keycloak/realms/x").unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains("s3cret") && !shown.contains("admin"),
            "{shown}"
        );
        assert!(shown.contains("https://keycloak/realms/x"), "{shown}");
    }

    #[test]
    fn r43_http_is_secure_on_loopback_only() {
        for secure in [
            "https://a/",
            "http://localhost:18080/auth",
            "http://127.0.0.1/",
            "http://127.9.9.9/",
            "http://[::1]:80/",
        ] {
            assert!(parse(secure).unwrap().is_secure(), "{secure}");
        }
        for insecure in [
            "http://a/",
            "http://localhost.example.com/",
            "http://localhost./",
            "http://128.0.0.1/",
            "http://[::2]/",
            "http://127.0.0.1.example.com/",
            "http://0.0.0.0/",
        ] {
            assert!(!parse(insecure).unwrap().is_secure(), "{insecure}");
        }
    }
}
