//! What happens to a key set, for whoever wants to know.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use crate::keys::error::KeyFetchErrorKind;

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

type Listen = dyn Fn(&KeyEvent<'_>) + Send + Sync;

/// Who is told.
#[derive(Clone, Default)]
pub(crate) struct Listener(Option<Arc<Listen>>);

impl Listener {
    pub(crate) fn new(listener: impl Fn(&KeyEvent<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    /// Tells. Never called with a lock held.
    pub(super) fn tell(&self, issuer: &str, kind: KeyEventKind) {
        if let Some(listener) = &self.0 {
            let event = KeyEvent { issuer, kind };
            // A listener that panics must not take the keys along; the panic hook has told of it.
            let _ = catch_unwind(AssertUnwindSafe(|| listener(&event)));
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listener").field(&self.0.is_some()).finish()
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
