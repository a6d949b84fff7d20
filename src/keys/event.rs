//! What happens to a key set, for whoever wants to know.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use crate::keys::error::{KeyFetchError, KeyFetchErrorKind};

/// Something that happened to the keys of an issuer; see
/// [`TokenValidatorBuilder::on_key_event`](crate::TokenValidatorBuilder::on_key_event).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyEvent<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// What happened.
    pub kind: KeyEventKind,
}

/// What happened to a key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyEventKind {
    /// A fetch failed. The known keys stay in use.
    Failed(KeyFetchErrorKind),
    /// A fetch brought a key set with so many usable keys.
    Fetched(usize),
    /// A request named a key that is not in the set, and caused no fetch because another one did
    /// within the cooldown. Told once between two fetches.
    FloodSuppressed,
    /// A key is new in the set. Told for each one, before [`Fetched`](KeyEventKind::Fetched).
    KeyAdded,
    /// A key is no longer in the set; no token is accepted on it from now on. Told for each one,
    /// before [`Fetched`](KeyEventKind::Fetched).
    KeyWithdrawn,
    /// A fetch found that the key set is still the same.
    NotModified,
    /// The keys were not renewed within `key_max_stale` and are not used any more: requests get
    /// 503. Told once.
    StaleExpired,
    /// The keys are past the age at which they should have been renewed, and stay in use. Told
    /// once an outage.
    StaleServed,
}

impl KeyEventKind {
    /// A stable name, fit for a metric label.
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

/// The state of one issuer's key set; see
/// [`TokenValidator::key_status`](crate::TokenValidator::key_status).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyStatus {
    /// The issuer.
    pub issuer: String,
    /// How many keys can be used now.
    pub keys: usize,
    /// How old they are; `None` if there are none, or if they never change.
    pub age: Option<Duration>,
    /// When they are fetched again; `None` if they never change.
    pub next_refresh: Option<Duration>,
    /// Why the last fetch failed; `None` if it succeeded.
    pub last_error: Option<KeyFetchErrorKind>,
    /// They should have been renewed by now.
    pub is_stale: bool,
}

/// What the log says beside the events of one occasion.
#[derive(Default)]
pub(crate) struct KeyReport {
    /// In the order in which they happened.
    pub(crate) events: Vec<KeyEventKind>,
    /// Number of usable keys.
    pub(crate) keys: usize,
    /// Why the fetch failed.
    pub(crate) error: Option<KeyFetchError>,
    /// For how long the known keys may still be used.
    pub(crate) usable_for: Option<Duration>,
    /// Whether it is the first success or failure of its kind.
    pub(crate) is_news: bool,
}

type Call = dyn Fn(&KeyEvent<'_>) + Send + Sync;

/// Callback for key events, if there is one.
#[derive(Clone, Default)]
pub(crate) struct KeyCallback(Option<Arc<Call>>);

impl KeyCallback {
    pub(crate) fn new(call: impl Fn(&KeyEvent<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(call)))
    }

    /// Calls it. Never with a lock held.
    pub(super) fn call(&self, event: &KeyEvent<'_>) {
        if let Some(call) = &self.0 {
            // A callback that panics must not end the fetch task; the panic hook has reported it.
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
