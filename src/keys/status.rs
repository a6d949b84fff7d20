//! The state of a key set, for whoever operates it.

use std::time::Duration;

use crate::keys::KeyFetchErrorKind;

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
