//! One fetch of a key set, step by step.

use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderMap;
use url::Url;

use crate::keys::{
    error::KeyFetchError,
    http::{HttpKeys, Location, MAX_KEY_SET_BYTES, caching, deadline::Deadline},
};

/// Facts of a fetch, as far as it went.
#[derive(Default)]
pub(crate) struct Steps {
    /// URL of the discovery document.
    pub(crate) discovery: Option<Url>,
    /// URL of the key set.
    pub(crate) key_set: Option<Url>,
    pub(crate) server_time: Option<SystemTime>,
}

impl HttpKeys {
    /// Fetches the key set as for a first request, and records each step in `steps`.
    pub(crate) async fn inspect(&self, steps: &mut Steps) -> Result<Bytes, KeyFetchError> {
        let deadline = Deadline::of_fetch();
        let url = match &self.location {
            Location::KeySet(url) => url.url().clone(),
            Location::Discovery(discovery) => {
                let [appended, _] = discovery.urls();
                steps.discovery = Some(appended);
                let (place, document) = self.document(discovery, deadline).await?;
                let key_set = discovery.read(&document, &place);
                steps.discovery = Some(place);
                key_set?
            }
        };
        steps.key_set = Some(url.clone());
        let response = self.get(&url, MAX_KEY_SET_BYTES, HeaderMap::new(), deadline);
        let (headers, jwks) = response
            .await
            .map_err(|failure| self.no_key_set(failure, &url))?;
        steps.server_time = caching::server_time(&headers);
        Ok(jwks)
    }
}
