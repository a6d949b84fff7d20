//! Keys over HTTP: OpenID Connect discovery
//! ([§4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig),
//! [RFC 8414 §3](https://www.rfc-editor.org/rfc/rfc8414#section-3)) and the JWKS, each with a limit
//! on everything that comes in.

use std::{
    error::Error,
    future::Future,
    io,
    pin::Pin,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use reqwest::{Client, header, redirect};
use serde::de::MapAccess;
use url::Url;

use crate::{
    json::{AnyValue, Members, Text, read_object},
    keys::{
        IssuerUrl, KeyFetch, KeyFetchError, KeyFetchErrorKind, KeySource, Revalidation,
        url::is_loopback,
    },
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const LARGEST_KEY_SET: usize = 256 * 1024;
const LARGEST_DISCOVERY: usize = 64 * 1024;

/// Where the key set is.
pub(crate) enum Location {
    /// The issuer says where.
    Discovery {
        issuer: IssuerUrl,
        /// Where the issuer is reached, if not by its own name.
        backend: Option<IssuerUrl>,
    },
    KeySet(IssuerUrl),
}

/// The key set of an issuer, fetched over HTTP.
pub(crate) struct HttpKeys {
    location: Location,
    clients: Clients,
    /// The URL that discovery named last.
    discovered: Mutex<Option<Url>>,
}

impl HttpKeys {
    pub(crate) fn new(location: Location) -> Self {
        Self {
            location,
            clients: Clients::default(),
            discovered: Mutex::new(None),
        }
    }

    async fn fetch_keys(&self) -> Result<KeyFetch, KeyFetchError> {
        let (issuer, backend) = match &self.location {
            Location::KeySet(url) => return self.key_set(url.url()).await,
            Location::Discovery { issuer, backend } => (issuer, backend.as_ref()),
        };
        let Some(known) = self.discovered() else {
            let url = self.discover(issuer, backend).await?;
            let key_set = self.key_set(&url).await?;
            self.set_discovered(url);
            return Ok(key_set);
        };
        // The issuer may move its keys. Asking again beside the fetch costs no time, and only a
        // changed answer matters.
        let (found, key_set) = tokio::join!(self.discover(issuer, backend), self.key_set(&known));
        match found {
            Ok(url) if url != known => {
                let key_set = self.key_set(&url).await?;
                self.set_discovered(url);
                Ok(key_set)
            }
            Err(error) if error.kind() == KeyFetchErrorKind::IssuerMismatch => Err(error),
            _ => key_set,
        }
    }

    fn discovered(&self) -> Option<Url> {
        self.discovered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_discovered(&self, url: Url) {
        *self
            .discovered
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(url);
    }

    /// Asks the issuer where its keys are.
    async fn discover(
        &self,
        issuer: &IssuerUrl,
        backend: Option<&IssuerUrl>,
    ) -> Result<Url, KeyFetchError> {
        let base = backend.unwrap_or(issuer);
        let [appended, inserted] = well_known(base.url());
        let document = match self.get(&appended, LARGEST_DISCOVERY).await {
            Err(Answer::NotFound) => self.get(&inserted, LARGEST_DISCOVERY).await,
            answer => answer,
        };
        let document = document.map_err(|answer| answer.at(&appended))?;
        let mut members = DiscoveryMembers::default();
        read_object(&document, &mut members).map_err(|_| {
            KeyFetchError::new(
                KeyFetchErrorKind::Json,
                format!("{appended} is not a discovery document"),
            )
        })?;
        let found = members.issuer.unwrap_or_default();
        let is_right =
            found == issuer.as_str() || backend.is_some_and(|backend| found == backend.as_str());
        if !is_right {
            return Err(KeyFetchError::new(
                KeyFetchErrorKind::IssuerMismatch,
                format!(
                    "{appended} speaks for issuer {:?} and not for {:?}: if the issuer is reached by \
                     another name than its own, set the backend URL",
                    abbreviated(&found),
                    issuer.as_str()
                ),
            ));
        }
        let text = members.jwks_uri.ok_or_else(|| {
            KeyFetchError::new(
                KeyFetchErrorKind::Json,
                format!("{appended} names no `jwks_uri`"),
            )
        })?;
        let url = match backend {
            Some(backend) => rebased(&text, issuer.as_str(), backend.as_str()),
            None => text,
        };
        judge(&url, [Some(issuer), backend])
    }

    async fn key_set(&self, url: &Url) -> Result<KeyFetch, KeyFetchError> {
        let jwks = self.get(url, LARGEST_KEY_SET).await;
        Ok(KeyFetch::fresh(jwks.map_err(|answer| answer.at(url))?))
    }

    /// The body that a GET of `url` is answered with.
    async fn get(&self, url: &Url, largest: usize) -> Result<Bytes, Answer> {
        let request = self.clients.of(url)?.get(url.clone());
        let request = request.header(header::ACCEPT, "application/json");
        let mut response = request.send().await.map_err(Answer::from)?;
        match response.status().as_u16() {
            200 => {}
            404 => return Err(Answer::NotFound),
            status => return Err(Answer::Status(status)),
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(Answer::from)? {
            if body.len().saturating_add(chunk.len()) > largest {
                return Err(Answer::TooLarge(largest));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

impl KeySource for HttpKeys {
    fn fetch(
        &self,
        _previous: Option<&Revalidation>,
    ) -> Pin<Box<dyn Future<Output = Result<KeyFetch, KeyFetchError>> + Send + '_>> {
        Box::pin(self.fetch_keys())
    }
}

/// Built when first needed: reading the machine's CA certificates can fail, and an issuer reached
/// over http needs none.
#[derive(Default)]
struct Clients {
    direct: OnceLock<Client>,
    by_environment: OnceLock<Client>,
}

impl Clients {
    /// The proxies that the environment names are not for this machine itself.
    fn of(&self, url: &Url) -> Result<&Client, Answer> {
        let (client, builder) = if is_loopback(url) {
            (&self.direct, Client::builder().no_proxy())
        } else {
            (&self.by_environment, Client::builder())
        };
        if let Some(client) = client.get() {
            return Ok(client);
        }
        let built = builder
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            // A fetch comes every few minutes. A connection kept for it would be closed by then,
            // and it would belong to a runtime that may end.
            .pool_max_idle_per_host(0)
            // Whatever other crates switch on: a small answer must not become a large one.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .user_agent(concat!("modeler-auth/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(Answer::from)?;
        Ok(client.get_or_init(|| built))
    }
}

/// Why a GET brought no body.
enum Answer {
    Failed(KeyFetchErrorKind, String),
    NotFound,
    Status(u16),
    TooLarge(usize),
}

impl Answer {
    fn at(self, url: &Url) -> KeyFetchError {
        let (kind, problem) = match self {
            Self::Failed(kind, problem) => (kind, problem),
            Self::NotFound => (KeyFetchErrorKind::Status, "status 404".to_owned()),
            Self::Status(status @ 300..400) => (
                KeyFetchErrorKind::Status,
                format!("status {status}: redirects are not followed"),
            ),
            Self::Status(status) => (KeyFetchErrorKind::Status, format!("status {status}")),
            Self::TooLarge(largest) => (
                KeyFetchErrorKind::TooLarge,
                format!("the answer has more than {largest} bytes"),
            ),
        };
        KeyFetchError::new(kind, format!("{url}: {problem}"))
    }
}

impl From<reqwest::Error> for Answer {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let kind = classify(&error);
        let mut problem = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            problem = format!("{problem}: {cause}");
            source = cause.source();
        }
        Self::Failed(kind, problem)
    }
}

fn classify(error: &reqwest::Error) -> KeyFetchErrorKind {
    let mut source = error.source();
    let mut kind = if error.is_builder() {
        KeyFetchErrorKind::Tls
    } else if error.is_timeout() {
        KeyFetchErrorKind::Timeout
    } else if error.is_connect() {
        KeyFetchErrorKind::Connect
    } else {
        KeyFetchErrorKind::Body
    };
    while let Some(cause) = source {
        if kind == KeyFetchErrorKind::Connect {
            // rustls reports through `io::Error`; hyper-util names look-ups in words only.
            let io = cause.downcast_ref::<io::Error>();
            if io.is_some_and(|io| io.kind() == io::ErrorKind::InvalidData) {
                kind = KeyFetchErrorKind::Tls;
            } else if cause.to_string() == "dns error" {
                kind = KeyFetchErrorKind::Dns;
            }
        }
        source = cause.source();
    }
    kind
}

/// Where discovery documents stand: OpenID Connect appends to the issuer's path, RFC 8414
/// inserts before it. An issuer that ends in a slash gives no double slash.
fn well_known(base: &Url) -> [Url; 2] {
    let path = base.path().trim_end_matches('/');
    let with_path = |path: String| {
        let mut url = base.clone();
        url.set_path(&path);
        url
    };
    [
        with_path(format!("{path}/.well-known/openid-configuration")),
        with_path(format!("/.well-known/oauth-authorization-server{path}")),
    ]
}

/// `text` with the issuer's own name, which may lead nowhere from here, replaced by the backend's.
fn rebased(text: &str, issuer: &str, backend: &str) -> String {
    let issuer = issuer.trim_end_matches('/');
    match text.strip_prefix(issuer) {
        Some(path) if path.starts_with('/') => {
            format!("{}{path}", backend.trim_end_matches('/'))
        }
        _ => text.to_owned(),
    }
}

/// A discovered URL is https, or has the origin of a URL that the operator configured with http.
fn judge(text: &str, configured: [Option<&IssuerUrl>; 2]) -> Result<Url, KeyFetchError> {
    let refuse = |reason: &str| {
        KeyFetchError::new(
            KeyFetchErrorKind::Url,
            format!(
                "discovery names the key set {:?}, which cannot be used: {reason}",
                abbreviated(text)
            ),
        )
    };
    let url = IssuerUrl::parse("jwks_uri", text)
        .map_err(|error| refuse(&error.to_string()))?
        .url()
        .clone();
    let is_allowed = url.scheme() == "https"
        || configured
            .into_iter()
            .flatten()
            .any(|known| known.url().origin() == url.origin());
    if is_allowed {
        Ok(url)
    } else {
        Err(refuse(
            "it is http and not where the issuer itself is reached",
        ))
    }
}

/// What comes from outside fills no log.
fn abbreviated(text: &str) -> String {
    text.chars().take(200).collect()
}

#[derive(Default)]
struct DiscoveryMembers {
    issuer: Option<String>,
    jwks_uri: Option<String>,
}

impl<'de> Members<'de> for DiscoveryMembers {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        let member = match name {
            "issuer" => &mut self.issuer,
            "jwks_uri" => &mut self.jwks_uri,
            _ => return map.next_value_seed(AnyValue::OF_MEMBER).map(drop),
        };
        let Text(value) = map.next_value()?;
        *member = Some(value.into_owned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> IssuerUrl {
        IssuerUrl::parse("issuer", text).unwrap()
    }

    #[test]
    fn r41_discovery_is_appended_or_inserted_without_a_double_slash() {
        for (issuer, appended, inserted) in [
            (
                "https://a",
                "https://a/.well-known/openid-configuration",
                "https://a/.well-known/oauth-authorization-server",
            ),
            (
                "https://a/",
                "https://a/.well-known/openid-configuration",
                "https://a/.well-known/oauth-authorization-server",
            ),
            (
                "http://localhost:18080/auth/realms/x",
                "http://localhost:18080/auth/realms/x/.well-known/openid-configuration",
                "http://localhost:18080/.well-known/oauth-authorization-server/auth/realms/x",
            ),
            (
                "https://a/b/",
                "https://a/b/.well-known/openid-configuration",
                "https://a/.well-known/oauth-authorization-server/b",
            ),
        ] {
            let found = well_known(url(issuer).url()).map(String::from);
            assert_eq!(found, [appended, inserted], "{issuer}");
        }
    }

    #[test]
    fn r42_a_key_set_under_the_issuers_name_is_fetched_from_the_backend() {
        let rebased = |text| {
            rebased(
                text,
                "https://public/realms/x",
                "http://keycloak:8080/realms/x",
            )
        };
        assert_eq!(
            rebased("https://public/realms/x/certs"),
            "http://keycloak:8080/realms/x/certs"
        );
        for other in [
            "https://public/realms/xy/certs",
            "https://public.evil/realms/x/certs",
            "http://keycloak:8080/realms/x/certs",
        ] {
            assert_eq!(rebased(other), other);
        }
    }

    #[test]
    fn r43_a_discovered_url_may_be_http_only_at_an_origin_that_was_configured() {
        let issuer = url("https://public/realms/x");
        let backend = url("http://keycloak:8080/realms/x");
        let judge = |text, backend| judge(text, [Some(&issuer), backend]).is_ok();
        assert!(judge("https://elsewhere/jwks", None));
        assert!(judge("http://keycloak:8080/certs", Some(&backend)));
        for bad in [
            "http://keycloak:8080/certs",
            "http://public/certs",
            "http://localhost/certs",
            "file:///etc/passwd",
            "https://user@public/certs",
            "/certs",
            "",
        ] {
            assert!(!judge(bad, None), "{bad}");
        }
        assert!(!judge("http://keycloak:8081/certs", Some(&backend)));
        assert!(!judge("http://169.254.169.254/", Some(&backend)));
    }
}
