//! Every log line of the crate that an operator reads, in one place.
//!
//! No token, key id or signature is ever among the fields, and of the claims only `aud`, `iss`
//! and `ver`, and those only where the signature held.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{
    error::{AuthError, AuthErrorKind},
    keys::{KeyFetchError, Moment},
};

const TARGET: &str = "modeler_auth";

/// A request was refused.
///
/// A line about a genuine token points at a setting, so it is always told. What an unverified
/// token says of itself is anybody's claim and may come in floods: `may_speak` bounds it, and the
/// rest is for debugging.
pub(crate) fn refused(error: &AuthError, may_speak: impl FnOnce() -> bool) {
    let reason = error.reason();
    let status = error.kind().status().as_u16();
    let detail = error.detail();
    let verified = error.is_verified();
    match error.kind() {
        AuthErrorKind::LayerMissing => {
            tracing::error!(target: TARGET, reason, status, "request refused: {error}");
        }
        AuthErrorKind::MissingToken => {
            tracing::debug!(target: TARGET, reason, status, "request refused: {error}");
        }
        _ if verified || may_speak() => {
            tracing::info!(target: TARGET, reason, status, verified, detail, "request refused: {error}");
        }
        _ => {
            tracing::debug!(target: TARGET, reason, status, verified, detail, "request refused: {error}");
        }
    }
}

/// Lets one line through every ten seconds.
#[derive(Debug, Default)]
pub(crate) struct QuietLog(AtomicU64);

impl QuietLog {
    const PAUSE: u64 = 10;

    pub(crate) fn may_speak(&self, now: Moment) -> bool {
        let now = now.as_secs();
        let next = self.0.load(Ordering::Relaxed);
        now >= next
            && self
                .0
                .compare_exchange(
                    next,
                    now.saturating_add(Self::PAUSE),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                )
                .is_ok()
    }
}

/// A fetch brought keys.
pub(crate) fn keys_fetched(issuer: &str, keys: usize, was_failing: bool, is_first: bool) {
    if was_failing || is_first {
        tracing::info!(target: TARGET, issuer, keys, "key set fetched");
    } else {
        tracing::debug!(target: TARGET, issuer, keys, "key set refreshed");
    }
}

/// A fetch failed. The first failure of a kind is news; its repetitions are not.
pub(crate) fn keys_failed(
    issuer: &str,
    error: &KeyFetchError,
    usable_for: Option<Duration>,
    is_news: bool,
) {
    let class = error.kind().name();
    let usable_for = usable_for.map(|left| left.as_secs());
    if !is_news {
        tracing::debug!(target: TARGET, issuer, class, usable_for, "key set not fetched: {error}");
    } else if let Some(usable_for) = usable_for {
        tracing::warn!(
            target: TARGET, issuer, class,
            "key set not fetched, the known keys stay in use for {usable_for} s: {error}"
        );
    } else {
        tracing::error!(
            target: TARGET, issuer, class,
            "key set not fetched, and no keys are known, so tokens get 503: {error}"
        );
    }
}

/// Keys of an issuer are fetched without TLS because the operator's variables say so.
pub(crate) fn insecure_by_variables(issuer: &str, url: &str) {
    tracing::warn!(
        target: TARGET, issuer, url,
        "keys are fetched over http: whoever controls the network in between controls who gets in"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_log_lets_one_line_through_every_ten_seconds() {
        let log = QuietLog::default();
        let spoken: Vec<_> = (100..130)
            .filter(|&second| log.may_speak(Duration::from_secs(second)))
            .collect();
        assert_eq!(spoken, [100, 110, 120]);
    }
}
