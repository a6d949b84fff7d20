//! Metrics of the feature `metrics`, on the facade [`metrics`](https://docs.rs/metrics).
//!
//! Without the feature, or without a recorder, these functions do nothing. No label holds a value that a
//! client chooses: labels are fixed names, reason codes and configured issuers. `docs/metrics.md` has
//! the table.

use std::time::Duration;

use crate::keys::event::{KeyEvent, KeyReport};

/// Outcome of a request, besides a rejection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    /// With a valid token.
    Accepted,
    /// Without credentials, through an optional layer.
    Anonymous,
}

#[cfg(feature = "metrics")]
mod facade {
    use std::time::{SystemTime, UNIX_EPOCH};

    use metrics::{counter, gauge, histogram};

    use super::{Duration, KeyEvent, KeyReport, Passed};
    use crate::keys::event::KeyEventKind;

    const REQUESTS: &str = "modeler_auth_requests_total";

    /// Counts a request that reached the inner service.
    pub(crate) fn request_passed(passed: Passed) {
        match passed {
            Passed::Accepted => counter!(REQUESTS, "outcome" => "accepted", "reason" => ""),
            Passed::Anonymous => counter!(REQUESTS, "outcome" => "anonymous", "reason" => ""),
        }
        .increment(1);
    }

    /// Counts a rejected request.
    pub(crate) fn request_rejected(reason: &'static str) {
        counter!(REQUESTS, "outcome" => "rejected", "reason" => reason).increment(1);
    }

    /// Counts a token that was in the cache.
    pub(crate) fn cache_hit() {
        counter!("modeler_auth_token_cache_lookups_total", "result" => "hit").increment(1);
    }

    /// Counts a token that was not in the cache, and records the time of its check.
    pub(crate) fn token_checked(took: Duration) {
        counter!("modeler_auth_token_cache_lookups_total", "result" => "miss").increment(1);
        histogram!("modeler_auth_token_check_duration_seconds").record(took);
    }

    /// Records the size of the token cache, and the limit of its bytes.
    #[expect(
        clippy::cast_precision_loss,
        reason = "gauges are floating-point numbers"
    )]
    pub(crate) fn cache_size(entries: u64, bytes: u64, limit: u64) {
        gauge!("modeler_auth_token_cache_entries").set(entries as f64);
        gauge!("modeler_auth_token_cache_bytes").set(bytes as f64);
        gauge!("modeler_auth_token_cache_limit_bytes").set(limit as f64);
    }

    /// Counts an event of an issuer's key set.
    #[expect(
        clippy::cast_precision_loss,
        reason = "gauges are floating-point numbers"
    )]
    pub(crate) fn key_event(event: &KeyEvent<'_>, report: &KeyReport) {
        let issuer = || event.issuer.to_owned();
        let class = match event.kind {
            KeyEventKind::Failed(class) => class.name(),
            _ => "",
        };
        counter!(
            "modeler_auth_key_events_total",
            "issuer" => issuer(), "event" => event.kind.name(), "class" => class
        )
        .increment(1);
        let keys = || gauge!("modeler_auth_keys", "issuer" => issuer());
        match event.kind {
            KeyEventKind::Fetched(_) | KeyEventKind::NotModified => {
                keys().set(report.keys as f64);
                let now = SystemTime::now().duration_since(UNIX_EPOCH);
                gauge!("modeler_auth_keys_fetched_timestamp_seconds", "issuer" => issuer())
                    .set(now.unwrap_or_default().as_secs_f64());
            }
            // Keys that are known stay in use.
            KeyEventKind::Failed(_) if report.usable_for.is_some() => {}
            KeyEventKind::Failed(_) | KeyEventKind::StaleExpired => keys().set(0.0),
            _ => {}
        }
    }

    /// Counts a call of an issuer's source of grants.
    pub(crate) fn grant_fetched(issuer: &str, outcome: &'static str) {
        counter!(
            "modeler_auth_grant_fetches_total",
            "issuer" => issuer.to_owned(), "outcome" => outcome
        )
        .increment(1);
    }
}

#[cfg(not(feature = "metrics"))]
mod facade {
    use super::{Duration, KeyEvent, KeyReport, Passed};

    pub(crate) fn request_passed(_: Passed) {}
    pub(crate) fn request_rejected(_: &'static str) {}
    pub(crate) fn cache_hit() {}
    pub(crate) fn token_checked(_: Duration) {}
    pub(crate) fn cache_size(_: u64, _: u64, _: u64) {}
    pub(crate) fn key_event(_: &KeyEvent<'_>, _: &KeyReport) {}
    pub(crate) fn grant_fetched(_: &str, _: &'static str) {}
}

pub(crate) use facade::*;

/// Runs `check`, and records the time that it takes.
pub(crate) fn timed<T>(check: impl FnOnce() -> T) -> T {
    if !cfg!(feature = "metrics") {
        return check();
    }
    let start = std::time::Instant::now();
    let checked = check();
    token_checked(start.elapsed());
    checked
}
