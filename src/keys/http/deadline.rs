//! Time limits of the requests of one fetch, of keys or of a grant.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, timeout};

use crate::keys::{error::KeyFetchErrorKind, http::error::HttpFailure};

/// Longest fetch. It ends before the caller aborts it after 5 seconds, since only here the error can name
/// the URL.
const MAX_FETCH_TIME: Duration = Duration::from_millis(4900);
/// Longest wait for discovery if the key set's URL is known. After that a fetch uses the known URL.
const MAX_DISCOVERY_TIME: Duration = Duration::from_secs(4);

/// Time limit of several requests together.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    started_at: Instant,
    limit: Duration,
}

impl Deadline {
    /// Starts the time of a fetch.
    pub(crate) fn of_fetch() -> Self {
        Self::after(MAX_FETCH_TIME)
    }

    /// Starts the time of discovery beside a fetch from the known URL.
    pub(crate) fn of_discovery() -> Self {
        Self::after(MAX_DISCOVERY_TIME)
    }

    fn after(limit: Duration) -> Self {
        Self {
            started_at: Instant::now(),
            limit,
        }
    }

    /// Waits for `response` until the time is over.
    pub(crate) async fn limit<T>(
        self,
        response: impl Future<Output = Result<T, HttpFailure>>,
    ) -> Result<T, HttpFailure> {
        let left = self.limit.saturating_sub(self.started_at.elapsed());
        timeout(left, response).await.unwrap_or_else(|_| {
            Err(HttpFailure::Failed(
                KeyFetchErrorKind::Timeout,
                format!("no complete response within {:?}", self.limit),
            ))
        })
    }
}
