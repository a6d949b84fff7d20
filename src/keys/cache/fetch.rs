//! Fetch of a key set: the request, its time limit, and the parsed response.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use crate::keys::{
    algorithm::AllowedAlgorithms,
    error::{KeyFetchError, KeyFetchErrorKind},
    key_set::KeySet,
    source::{CacheValidators, KeyFetch, KeyRequest, KeySource},
};

/// Longest fetch, discovery included. A longer fetch is aborted and counts as failed.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Fetch to make.
pub(super) struct Launch {
    pub(super) validators: Option<CacheValidators>,
    pub(super) is_forced: bool,
}

/// Parsed response of a fetch.
pub(super) struct Fetched {
    /// `None` if the key set is the known one.
    pub(super) keys: Option<KeySet>,
    pub(super) validators: Option<CacheValidators>,
    pub(super) fresh_for: Option<Duration>,
}

/// Calls the source and parses the response. It runs in a separate task, so that a panic becomes an
/// error.
pub(super) async fn fetch_and_parse(
    source: Arc<dyn KeySource>,
    launch: Launch,
    allowed: AllowedAlgorithms,
) -> Result<Fetched, KeyFetchError> {
    let request = KeyRequest {
        validators: launch.validators.as_ref(),
        is_forced: launch.is_forced,
    };
    Ok(match ask(source.as_ref(), request).await? {
        KeyFetch::Fresh {
            jwks,
            validators,
            fresh_for,
            location,
        } => Fetched {
            keys: Some(
                KeySet::parse(&jwks, allowed).map_err(|error| match location {
                    Some(location) => error.at(&location),
                    None => error,
                })?,
            ),
            validators,
            fresh_for,
        },
        KeyFetch::NotModified { .. } if launch.is_forced => return Err(not_conditional()),
        KeyFetch::NotModified { fresh_for } => Fetched {
            keys: None,
            validators: None,
            fresh_for,
        },
    })
}

/// Calls the source, and waits for it at most 5 seconds.
pub(crate) async fn ask(
    source: &dyn KeySource,
    request: KeyRequest<'_>,
) -> Result<KeyFetch, KeyFetchError> {
    let fetched = timeout(FETCH_TIMEOUT, source.fetch(request)).await;
    fetched.unwrap_or_else(|_| {
        Err(KeyFetchError::new(
            KeyFetchErrorKind::Timeout,
            "the key source gave no response within 5 seconds",
        ))
    })
}

/// Returns the error for a key set that is reported as unchanged although the request has no condition.
pub(crate) fn not_conditional() -> KeyFetchError {
    KeyFetchError::new(
        KeyFetchErrorKind::Other,
        "the source reports `not modified` for a request without a condition",
    )
}
