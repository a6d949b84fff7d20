//! [docs/troubleshooting.md]: https://docs.rs/crate/modeler-auth/latest/source/docs/troubleshooting.md
//!
#![doc = include_str!("../docs/metrics.md")]

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Describes the metrics to the recorder, so that the exporter publishes what each means, and its unit.
///
/// Call it once, after the recorder is installed.
///
/// ```
/// // metrics_exporter_prometheus::PrometheusBuilder::new().install()?;
/// modeler_auth::metrics::describe();
/// ```
pub fn describe() {
    describe_counter!(
        "modeler_auth_requests_total",
        Unit::Count,
        "Requests by outcome and reason of rejection"
    );
    describe_counter!(
        "modeler_auth_token_cache_lookups_total",
        Unit::Count,
        "Look-ups in the token cache"
    );
    describe_histogram!(
        "modeler_auth_token_check_duration_seconds",
        Unit::Seconds,
        "Time of the check of a token that was not in the cache"
    );
    describe_gauge!(
        "modeler_auth_token_cache_entries",
        Unit::Count,
        "Entries of the token cache"
    );
    describe_gauge!(
        "modeler_auth_token_cache_bytes",
        Unit::Bytes,
        "Bytes of the entries of the token cache"
    );
    describe_gauge!(
        "modeler_auth_token_cache_limit_bytes",
        Unit::Bytes,
        "Limit of the bytes of the entries of the token cache"
    );
    describe_gauge!("modeler_auth_keys", Unit::Count, "Usable keys of an issuer");
    describe_gauge!(
        "modeler_auth_keys_fetched_timestamp_seconds",
        Unit::Seconds,
        "Unix time of the last successful fetch of an issuer's key set"
    );
    describe_counter!(
        "modeler_auth_key_events_total",
        Unit::Count,
        "Events of an issuer's key set"
    );
    describe_counter!(
        "modeler_auth_grant_fetches_total",
        Unit::Count,
        "Calls of an issuer's source of grants"
    );
}
