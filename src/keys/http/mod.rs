//! Key sets over HTTP, with a limit on the size of every response.

pub(crate) mod caching;
mod cert_file;
pub(crate) mod client;
pub(crate) mod deadline;
pub(crate) mod discovery;
pub(crate) mod error;
mod get;
pub(crate) mod inspect;
mod proxy;

use std::{
    fmt,
    pin::pin,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use url::Url;

use crate::{
    clock::Clock,
    keys::{
        error::{KeyFetchError, KeyFetchErrorKind},
        http::{
            client::{Clients, Transport},
            deadline::Deadline,
            discovery::Discovery,
            error::HttpFailure,
        },
        source::{CacheValidators, KeyFetch, KeyFuture, KeyRequest, KeySource},
    },
    telemetry::{self, limit::LogLimit},
    url::{IssuerUrl, shown},
};

const MAX_KEY_SET_BYTES: usize = 256 * 1024;
const MAX_DISCOVERY_BYTES: usize = 64 * 1024;

/// Location of the key set.
pub(crate) enum Location {
    /// The issuer's discovery document names the location.
    Discovery(Discovery),
    KeySet(IssuerUrl),
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discovery(discovery) => {
                let [url, _] = discovery.urls();
                write!(f, "by discovery at {}", shown(url.as_str()))
            }
            Self::KeySet(url) => write!(f, "at {}", shown(url.as_str())),
        }
    }
}

/// Key source that fetches the key set of an issuer over HTTP.
pub(crate) struct HttpKeys {
    location: Location,
    clients: Clients,
    /// URL of the last key set that discovery located and a fetch returned.
    discovered: Mutex<Option<Url>>,
    log: LogLimit,
    clock: Clock,
}

impl HttpKeys {
    pub(crate) fn new(location: Location, transport: Transport, clock: Clock) -> Self {
        Self {
            location,
            clients: Clients::new(transport),
            discovered: Mutex::new(None),
            log: LogLimit::new(60 * 60, clock.clone()),
            clock,
        }
    }

    async fn fetch_keys(&self, request: KeyRequest<'_>) -> Result<KeyFetch, KeyFetchError> {
        let deadline = Deadline::of_fetch();
        let discovery = match &self.location {
            Location::KeySet(url) => {
                return self.key_set(url.url(), request.validators, deadline).await;
            }
            Location::Discovery(discovery) => discovery,
        };
        let Some(known) = self.discovered() else {
            let url = self.discover(discovery, deadline).await?;
            return self.move_to(url, deadline).await;
        };
        // The issuer may move its key set. Discovery runs concurrently with the fetch, so it costs
        // no round trip while the location is unchanged.
        let mut discover = pin!(self.discover(discovery, Deadline::of_discovery()));
        let mut key_set = pin!(self.key_set(&known, request.validators, deadline));
        let (found, key_set) = tokio::select! {
            found = &mut discover => match found {
                // The known location is obsolete, and may not even respond.
                Ok(url) if url != known => return self.move_to(url, deadline).await,
                Err(error) if is_misleading(error.kind()) => return Err(error),
                found => (found, key_set.await),
            },
            key_set = &mut key_set => (discover.await, key_set),
        };
        match found {
            Ok(url) if url != known => self.move_to(url, deadline).await,
            Ok(_) => key_set,
            Err(error) if is_misleading(error.kind()) => Err(error),
            Err(error) => {
                telemetry::discovery_failed(discovery.issuer.as_str(), &error, &self.log);
                key_set
            }
        }
    }

    /// Fetches the key set from a new location, which becomes the known location on success.
    async fn move_to(&self, url: Url, deadline: Deadline) -> Result<KeyFetch, KeyFetchError> {
        let key_set = self.key_set(&url, None, deadline).await?;
        *self
            .discovered
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(url);
        Ok(key_set)
    }

    fn discovered(&self) -> Option<Url> {
        self.discovered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    /// Returns the URL of the key set, as discovery names it.
    async fn discover(
        &self,
        discovery: &Discovery,
        deadline: Deadline,
    ) -> Result<Url, KeyFetchError> {
        let (place, document) = self.document(discovery, deadline).await?;
        discovery.read(&document, &place)
    }

    /// Returns the URL of the discovery document, and the document.
    async fn document(
        &self,
        discovery: &Discovery,
        deadline: Deadline,
    ) -> Result<(Url, Bytes), KeyFetchError> {
        let [appended, inserted] = discovery.urls();
        let get = |url| self.get(url, MAX_DISCOVERY_BYTES, HeaderMap::new(), deadline);
        let mut place = &appended;
        let mut document = get(place).await;
        if matches!(document, Err(HttpFailure::Status { status: 404, .. })) {
            let second = get(&inserted).await;
            if second.is_ok() {
                (place, document) = (&inserted, second);
            }
        }
        let (_, document) = document.map_err(|failure| {
            let proxy = self.clients.proxy_hint(&failure, place);
            let error = failure.at(place);
            let lacks_backend = discovery.backend.is_none() && is_out_of_reach(error.kind());
            let backend = lacks_backend.then_some(
                "if the issuer is reached under another URL from here, set the backend URL \
                 (CAMUNDA_MODELER_SECURITY_JWT_ISSUER_BACKEND_URL)",
            );
            error.with_hint(proxy.as_deref().or(backend))
        })?;
        Ok((place.clone(), document))
    }

    async fn key_set(
        &self,
        url: &Url,
        validators: Option<&CacheValidators>,
        deadline: Deadline,
    ) -> Result<KeyFetch, KeyFetchError> {
        let is_of_this_place =
            |known: &&CacheValidators| known.place.as_deref() == Some(url.as_str());
        let validators = validators.filter(is_of_this_place);
        let answer = self
            .get(url, MAX_KEY_SET_BYTES, conditions(validators), deadline)
            .await;
        match answer {
            Ok((headers, jwks)) => Ok(KeyFetch::Fresh {
                jwks,
                validators: caching::validators(&headers, url),
                fresh_for: caching::fresh_for(&headers, self.clock.system_time()),
                location: Some(url.as_str().to_owned()),
            }),
            Err(HttpFailure::NotModified(headers)) if validators.is_some() => {
                Ok(KeyFetch::NotModified {
                    fresh_for: caching::fresh_for(&headers, self.clock.system_time()),
                })
            }
            Err(failure) => Err(self.no_key_set(failure, url)),
        }
    }

    /// Returns the error of a fetch of the key set at `url`.
    fn no_key_set(&self, failure: HttpFailure, url: &Url) -> KeyFetchError {
        let proxy = self.clients.proxy_hint(&failure, url);
        failure.at(url).with_hint(proxy.as_deref())
    }

    /// Sends a GET of `url`, and returns the headers and the body of the response.
    async fn get(
        &self,
        url: &Url,
        largest: usize,
        mut headers: HeaderMap,
        deadline: Deadline,
    ) -> Result<(HeaderMap, Bytes), HttpFailure> {
        // Some servers offer a key set only as its own media type (RFC 7517 §8.5.2).
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("application/json, application/jwk-set+json"),
        );
        let response = self.clients.get(url, largest, headers, &self.clock);
        deadline.limit(response).await
    }
}

impl KeySource for HttpKeys {
    fn fetch<'a>(&'a self, request: KeyRequest<'a>) -> KeyFuture<'a> {
        Box::pin(self.fetch_keys(request))
    }
}

/// Returns whether the issuer responded wrongly. An issuer that does not respond may still publish
/// its keys at the known location.
fn is_misleading(kind: KeyFetchErrorKind) -> bool {
    matches!(
        kind,
        KeyFetchErrorKind::IssuerMismatch | KeyFetchErrorKind::Url
    )
}

/// Returns whether the issuer could not be reached.
fn is_out_of_reach(kind: KeyFetchErrorKind) -> bool {
    matches!(
        kind,
        KeyFetchErrorKind::Connect | KeyFetchErrorKind::Dns | KeyFetchErrorKind::Timeout
    )
}

/// Returns headers that request a document only if it changed since `validators`
/// ([RFC 9110 §13.1](https://www.rfc-editor.org/rfc/rfc9110#section-13.1)).
fn conditions(validators: Option<&CacheValidators>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let Some(validators) = validators else {
        return headers;
    };
    for (name, value) in [
        (header::IF_NONE_MATCH, &validators.etag),
        (header::IF_MODIFIED_SINCE, &validators.last_modified),
    ] {
        if let Some(value) = value.as_ref().and_then(|value| value.parse().ok()) {
            headers.insert(name, value);
        }
    }
    headers
}
