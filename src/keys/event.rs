//! Events of key sets, for the callback and the log.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use crate::keys::{
    error::{KeyFetchError, KeyFetchErrorKind},
    key_problem::KeyProblem,
};

/// Event of an issuer's key set; see
/// [`TokenValidatorBuilder::on_key_event`](crate::TokenValidatorBuilder::on_key_event).
///
/// ```
/// use modeler_auth::keys::KeyEvent;
///
/// fn count(event: &KeyEvent<'_>) {
///     println!("{} {}", event.issuer, event.kind.name());
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyEvent<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// Kind of the event.
    pub kind: KeyEventKind,
}

/// Kind of a [`KeyEvent`].
///
/// ```
/// use modeler_auth::keys::{KeyEventKind, KeyFetchErrorKind};
///
/// let failed = KeyEventKind::Failed(KeyFetchErrorKind::Dns);
/// assert_eq!(failed.name(), "failed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyEventKind {
    /// Failed fetch. The known keys stay in use.
    Failed(KeyFetchErrorKind),
    /// Successful fetch of a key set with this number of usable keys.
    Fetched(usize),
    /// Request for an unknown key that started no fetch, because the cooldown has not passed.
    /// Reported once between two fetches.
    FloodSuppressed,
    /// New key in the set. Reported for each key, before [`Fetched`](KeyEventKind::Fetched).
    KeyAdded,
    /// Key that is no longer in the set; tokens signed with it are rejected from now on. Reported
    /// for each key, before [`Fetched`](KeyEventKind::Fetched).
    KeyWithdrawn,
    /// Successful fetch of an unchanged key set.
    NotModified,
    /// Keys that were not refreshed within `key_max_stale` and are no longer used, so requests get
    /// 503. Reported once per outage.
    StaleExpired,
    /// Stale keys that stay in use because no refresh succeeded. Reported once per outage.
    StaleServed,
}

impl KeyEventKind {
    /// Returns a stable name, for a metric label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed(_) => "failed",
            Self::Fetched(_) => "fetched",
            Self::FloodSuppressed => "flood_suppressed",
            Self::KeyAdded => "key_added",
            Self::KeyWithdrawn => "key_withdrawn",
            Self::NotModified => "not_modified",
            Self::StaleExpired => "stale_expired",
            Self::StaleServed => "stale_served",
        }
    }
}

/// State of an issuer's key set; see
/// [`TokenValidator::key_status`](crate::TokenValidator::key_status).
///
/// ```
/// use modeler_auth::{Issuer, TokenValidator};
///
/// let validator = TokenValidator::builder().issuer(Issuer::saas("org")).build()?;
/// let status = validator.key_status();
/// assert_eq!(status[0].issuer, "https://weblogin.cloud.camunda.io/");
/// assert_eq!(status[0].keys, 0); // no fetch yet
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyStatus {
    /// The issuer.
    pub issuer: String,
    /// Number of keys that may be used now.
    pub keys: usize,
    /// Age of the keys; `None` if there are no keys, or if they never change.
    pub age: Option<Duration>,
    /// Time until the next scheduled fetch; `None` if the keys never change.
    pub next_refresh: Option<Duration>,
    /// Class of the last fetch's error; `None` if the fetch succeeded.
    pub last_error: Option<KeyFetchErrorKind>,
    /// `true` if the keys are stale: older than `key_max_age`, or than the age that the issuer
    /// asked for.
    pub is_stale: bool,
}

/// Events of one occasion, with further facts for the log.
#[derive(Default)]
pub(crate) struct KeyReport {
    /// Events in the order in which they happened.
    pub(crate) events: Vec<KeyEventKind>,
    /// Number of usable keys.
    pub(crate) keys: usize,
    /// Error of the last fetch.
    pub(crate) error: Option<KeyFetchError>,
    /// Problems of published keys that the set before did not have.
    pub(crate) problems: Vec<KeyProblem>,
    /// Time for which the known keys may still be used.
    pub(crate) usable_for: Option<Duration>,
    /// `true` if `error` or the success differs from the result before it, so that operators should
    /// read of it. Decided in `keys/cache/task.rs`.
    pub(crate) is_news: bool,
}

type Call = dyn Fn(&KeyEvent<'_>) + Send + Sync;

/// Callback for key events, if any.
#[derive(Clone, Default)]
pub(crate) struct KeyCallback(Option<Arc<Call>>);

impl KeyCallback {
    pub(crate) fn new(call: impl Fn(&KeyEvent<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(call)))
    }

    /// Calls the callback. The caller must not hold a lock.
    pub(super) fn call(&self, event: &KeyEvent<'_>) {
        if let Some(call) = &self.0 {
            // A callback that panics must not end the fetch task. The panic hook has reported the
            // panic.
            let _ = catch_unwind(AssertUnwindSafe(|| call(event)));
        }
    }
}

impl fmt::Debug for KeyCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyCallback")
            .field(&self.0.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stable() {
        use KeyEventKind as Kind;
        for (kind, name) in [
            (Kind::Failed(KeyFetchErrorKind::Connect), "failed"),
            (Kind::Fetched(1), "fetched"),
            (Kind::FloodSuppressed, "flood_suppressed"),
            (Kind::KeyAdded, "key_added"),
            (Kind::KeyWithdrawn, "key_withdrawn"),
            (Kind::NotModified, "not_modified"),
            (Kind::StaleExpired, "stale_expired"),
            (Kind::StaleServed, "stale_served"),
        ] {
            assert_eq!(kind.name(), name);
        }
    }
}
