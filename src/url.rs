//! URLs of issuers and key sets.

use std::borrow::Cow;

use url::{Host, Url};

use crate::error::config::ConfigError;

/// Longest URL in errors and log lines. A longer URL is cut.
const MAX_SHOWN_CHARS: usize = 200;

/// `http` or `https` URL, kept as written: an issuer is compared byte for byte, and parsing would
/// normalise it.
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
            value: shown(text),
            reason,
        })
    }

    /// Reads `text`. The error names the problem, and contains nothing of the text.
    pub(crate) fn read(text: &str) -> Result<Self, &'static str> {
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("it contains white space or a control character");
        }
        let url = Url::parse(text).map_err(|_| "it is not an absolute URL")?;
        if url.as_str().parse::<http::Uri>().is_err() {
            return Err("it contains a character that a request cannot contain, e.g. `{` or `\"`");
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err("its scheme is neither https nor http");
        }
        if has_credentials(&url) {
            return Err("it contains a user name or password");
        }
        if url.fragment().is_some() {
            return Err("it has a fragment");
        }
        Ok(Self {
            text: text.to_owned(),
            url,
        })
    }

    /// Returns the URL as written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Returns whether both URLs are one address: without regard to the default port, the case of the
    /// host and a slash at the end.
    pub(crate) fn is_same_address(&self, other: &Self) -> bool {
        let address = |url: &Self| {
            let path = url.url.path();
            let path = path.strip_suffix('/').unwrap_or(path).to_owned();
            (url.url.origin(), path, url.url.query().map(str::to_owned))
        };
        address(self) == address(other)
    }

    /// Returns whether the host is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// Returns whether the URL has a query, which an issuer must not have (RFC 8414 §2).
    pub(crate) fn has_query(&self) -> bool {
        self.url.query().is_some()
    }
}

fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Returns a URL in the form for errors and log lines; `text` may be a malformed URL.
///
/// User name, password, query and fragment are removed, control characters are escaped, and the
/// rest is cut to [`MAX_SHOWN_CHARS`] characters. Every URL in an error or log line passes through
/// this function.
///
/// A text that is not a proper URL is cut at its last `@`, since a password before it may contain
/// an unescaped `/`, `?` or `#`.
pub(crate) fn shown(text: &str) -> String {
    let cut = match without_credentials(text) {
        Ok(text) => text,
        Err(Cut { scheme, after }) => Cow::Owned(format!("{scheme}...{after}")),
    };
    // The `?` or `#` stays, to show that there was a query or fragment.
    let end = cut.find(['?', '#']).map(|mark| mark.saturating_add(1));
    let hidden = if end.is_some() { "..." } else { "" };
    let cut = cut.get(..end.unwrap_or(cut.len())).unwrap_or_default();
    let mut shown = String::new();
    for char in cut.chars().take(MAX_SHOWN_CHARS) {
        if char.is_control() {
            shown.extend(char.escape_default());
        } else {
            shown.push(char);
        }
    }
    shown.push_str(match cut.chars().nth(MAX_SHOWN_CHARS) {
        Some(_) => "...",
        None => hidden,
    });
    shown
}

/// Parts that may be shown of a text whose credentials cannot be located.
struct Cut<'t> {
    /// The scheme with `://`, or empty.
    scheme: &'t str,
    /// The text from the `@` on, or empty.
    after: &'t str,
}

fn without_credentials(text: &str) -> Result<Cow<'_, str>, Cut<'_>> {
    // `@`, its percent-encoding, and its full-width form.
    const AT: [&str; 3] = ["@", "%40", "\u{ff20}"];
    let parsed = Url::parse(text).ok().filter(|url| {
        let is_http = matches!(url.scheme(), "http" | "https") && url.has_host();
        is_http && text.matches('@').count() == usize::from(has_credentials(url))
    });
    if let Some(mut url) = parsed {
        if !has_credentials(&url) {
            return Ok(Cow::Borrowed(text));
        }
        // Neither call fails for a URL with credentials.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        return Ok(Cow::Owned(url.into()));
    }
    let Some(at) = AT.iter().filter_map(|at| text.rfind(at)).max() else {
        return Ok(Cow::Borrowed(text));
    };
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    let scheme = before.find("://").filter(|&end| {
        let scheme = before.as_bytes().get(..end).unwrap_or_default();
        scheme.iter().all(u8::is_ascii_alphanumeric)
    });
    Err(Cut {
        scheme: scheme.map_or("", |end| {
            before.get(..end.saturating_add(3)).unwrap_or_default()
        }),
        // After a query or fragment either side may be the secret.
        after: if before.contains(['?', '#']) {
            ""
        } else {
            after
        },
    })
}

/// Returns whether the host is in `127.0.0.0/8`, `::1`, or exactly `localhost`.
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
            "https://${HOST}/",
            "https://{host}/",
            "https://\"a\"/",
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
    fn a85_no_secret_of_a_url_is_shown_however_it_is_written() {
        for secret in [
            "http://user:s3cret@proxy:3128",
            "http://user:s3/cret@proxy:3128",
            "http://user:1/s3cret@proxy:3128",
            "http://user:s3@cret@proxy:3128",
            "http://us/er:s3cret@proxy:3128",
            "http:user:s3cret@proxy:3128",
            "http:\\\\user:s3cret@proxy:3128",
            "user:s3cret@proxy:3128",
            "user:s3://cret@proxy:3128",
            "s3cret@proxy:3128",
            "s3 cret@proxy:3128",
            "//user:s3cret@proxy:3128",
            "ftp://user:s3cret@proxy:3128",
            "http://user:s3cret@proxy:99999",
            "http://user:s3cret@[proxy:3128",
            "https://proxy:3128/?key=s3cret",
            "https://proxy:3128/#s3cret",
            "proxy:3128?key=s3cret",
            "http://user:s3cret%40proxy:3128",
            "http%3A%2F%2Fuser:s3cret%40proxy:3128",
            "http://user:s3cret\u{ff20}proxy:3128",
        ] {
            let shown = shown(secret);
            for part in ["s3", "cret"] {
                assert!(!shown.contains(part), "{secret}: {shown}");
            }
            assert!(shown.contains("proxy"), "{secret}: {shown}");
        }
        for plain in [
            "localhost:18080",
            "https://a:1/b/c",
            "file:///jwks.json",
            "RS256,HS256",
            "",
        ] {
            assert_eq!(shown(plain), plain);
        }
        assert_eq!(
            shown("https://admin:s3cret@keycloak/realms/x"),
            "https://keycloak/realms/x"
        );
        assert_eq!(shown("https://a/b?c#d"), "https://a/b?...");
        assert_eq!(shown("https://a/b#d?c"), "https://a/b#...");
        assert_eq!(shown("http://a\nb\u{1b}[31m"), "http://a\\nb\\u{1b}[31m");
        let long = shown(&format!("https://a/{}", "x".repeat(60_000)));
        assert!(long.len() < 220 && long.ends_with("..."), "{long}");
    }

    #[test]
    fn r43_http_is_secure_on_loopback_only() {
        assert!(parse("https://a/").unwrap().is_https());
        for secure in [
            "http://localhost:18080/auth",
            "http://127.0.0.1/",
            "http://127.9.9.9/",
            "http://[::1]:80/",
        ] {
            assert!(parse(secure).unwrap().is_loopback(), "{secure}");
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
            let url = parse(insecure).unwrap();
            assert!(!url.is_loopback() && !url.is_https(), "{insecure}");
        }
    }
}
