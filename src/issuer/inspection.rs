//! Inspection of the keys of an issuer, for tools.

use std::time::SystemTime;

use bytes::Bytes;

use crate::{
    clock::Clock,
    error::config::ConfigError,
    issuer::Issuer,
    keys::{
        cache::fetch,
        error::KeyFetchError,
        http::inspect::Steps,
        key_set::KeySet,
        published_key::PublishedKey,
        source::{KeyFetch, KeyRequest},
    },
    url::shown,
};

/// Facts of one fetch of an issuer's key set, as far as it went; see [`Issuer::inspect_keys`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KeyInspection {
    /// URL of the discovery document, without credentials and query; `None` without discovery.
    pub discovery: Option<String>,
    /// URL or file of the key set, without credentials and query; `None` if discovery failed, or if a
    /// key source in code does not name it.
    pub key_set: Option<String>,
    /// Time of the server that sent the key set, by its `Date` header in whole seconds.
    pub server_time: Option<SystemTime>,
    /// Every key in the key set, in its order.
    pub keys: Vec<PublishedKey>,
    /// Error because of which a validator gets no usable key.
    pub error: Option<KeyFetchError>,
}

impl Issuer {
    /// Fetches the key set once, as a validator does at first, and returns the facts of each step. It is
    /// for tools that explain a configuration: a validator does not need it.
    ///
    /// It takes at most 5 s. It needs a Tokio runtime with time and I/O enabled.
    ///
    /// ```
    /// use modeler_auth::{Issuer, keys::StaticKeys};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let jwks = r#"{"keys":[{"kty":"oct","k":"AAAA","kid":"1"}]}"#;
    /// let issuer = Issuer::oidc("https://login.example.com/")
    ///     .audience("modeler")
    ///     .keys(StaticKeys::from_jwks(jwks));
    /// let found = issuer.inspect_keys().await?;
    /// assert!(found.keys[0].problem.is_some_and(|problem| problem.starts_with("symmetric")));
    /// assert!(found.error.is_some()); // there is no other key
    /// # Ok::<(), modeler_auth::ConfigError>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`] with the setting that cannot be used, and its value. A failed fetch is the
    /// [`error`](KeyInspection::error) of the facts.
    pub async fn inspect_keys(&self) -> Result<KeyInspection, ConfigError> {
        self.summary()?; // checks the settings
        let mut found = KeyInspection::default();
        let fetched = self.fetch_jwks(&mut found).await?;
        let parsed = fetched.and_then(|jwks| {
            found.keys = KeySet::published(&jwks, self.algorithms)?;
            let parsed = KeySet::parse(&jwks, self.algorithms);
            parsed.map_err(|error| match &found.key_set {
                Some(place) => error.at(place),
                None => error,
            })
        });
        found.error = parsed.err();
        Ok(found)
    }

    async fn fetch_jwks(
        &self,
        found: &mut KeyInspection,
    ) -> Result<Result<Bytes, KeyFetchError>, ConfigError> {
        let Some(source) = &self.source else {
            let mut steps = Steps::default();
            let jwks = self.http_keys(&Clock::System)?.inspect(&mut steps).await;
            let text = |url: url::Url| shown(url.as_str());
            found.discovery = steps.discovery.map(text);
            found.key_set = steps.key_set.map(text);
            found.server_time = steps.server_time;
            return Ok(jwks);
        };
        if let Some(jwks) = source.static_jwks() {
            return Ok(Ok(jwks));
        }
        let fetched = fetch::ask(source.as_ref(), KeyRequest::default()).await;
        Ok(match fetched {
            Ok(KeyFetch::Fresh { jwks, location, .. }) => {
                found.key_set = location.as_deref().map(shown);
                Ok(jwks)
            }
            Ok(KeyFetch::NotModified { .. }) => Err(fetch::not_conditional()),
            Err(error) => Err(error),
        })
    }
}
