//! Checks of the issuer and its keys.

use std::time::{Duration, SystemTime};

use modeler_auth::{
    issuer::{IssuerSummary, KeyInspection},
    keys::{KeyFetchErrorKind, PublishedKey},
};

use super::{
    configuration::origin,
    fixes,
    report::{Report, shown},
    words,
};

/// Most keys with a line.
const MAX_KEYS: usize = 20;
/// Difference of the clocks that a service allows by default.
const LEEWAY: Duration = Duration::from_secs(60);

/// Reports the steps of a fetch of the key set, each key and the clock.
pub(super) fn check(report: &mut Report, found: &KeyInspection, summary: &IssuerSummary) {
    if fetch(report, found, summary) {
        for key in found.keys.iter().take(MAX_KEYS) {
            check_key(report, key);
        }
        let more = found.keys.len().saturating_sub(MAX_KEYS);
        if more > 0 {
            report.not_checked("key", format!("{more} more keys are not listed"));
        }
    }
    check_clock(report, found.server_time);
}

/// Reports the steps of the fetch, and returns whether it led to a key set.
fn fetch(report: &mut Report, found: &KeyInspection, summary: &IssuerSummary) -> bool {
    let setting = origin(summary, "keys").or_else(|| origin(summary, "issuer"));
    let setting = setting.unwrap_or("the issuer");
    let error = found.error.as_ref();
    // The document at which the fetch ended. Without discovery, the key set is the first.
    let at_first = found.key_set.is_none() || found.discovery.is_none();
    if let Some(error) = error.filter(|error| at_first && is_unreachable(error.kind())) {
        let fix = fixes::of_fetch(error.kind(), setting);
        report.failed("issuer_reachable", error.to_string(), fix);
        report.not_checked("key_set", "the issuer is not reachable");
        return false;
    }
    report.ok("issuer_reachable", "the server responds");
    match (&found.discovery, error) {
        (None, _) => report.not_checked("discovery", "the URL of the key set is configured"),
        (Some(_), Some(error)) if found.key_set.is_none() => {
            let fix = fixes::of_fetch(error.kind(), setting);
            report.failed("discovery", error.to_string(), fix);
            report.not_checked("key_set", "discovery does not name it");
            return false;
        }
        (Some(url), _) => report.ok("discovery", url),
    }
    match (error, &found.key_set) {
        (Some(error), _) => {
            let fix = fixes::of_fetch(error.kind(), setting);
            report.failed("key_set", error.to_string(), fix);
        }
        (None, place) => report.ok("key_set", place.as_deref().unwrap_or("found")),
    }
    true
}

fn is_unreachable(kind: KeyFetchErrorKind) -> bool {
    matches!(
        kind,
        KeyFetchErrorKind::Connect
            | KeyFetchErrorKind::Dns
            | KeyFetchErrorKind::Timeout
            | KeyFetchErrorKind::Tls
    )
}

fn check_key(report: &mut Report, key: &PublishedKey) {
    let id = key.id.as_deref().map_or_else(
        || "without id".to_owned(),
        |id| format!("\"{}\"", shown(id)),
    );
    let algorithm = shown(key.algorithm.as_deref().unwrap_or("without `alg`"));
    let use_of_key = if key.is_used { "used" } else { "not used" };
    let line = match key.problem {
        Some(problem) => format!("{id}, {algorithm}: {use_of_key}; it is {problem}"),
        None => format!("{id}, {algorithm}: {use_of_key}"),
    };
    match (key.is_mistake, key.is_used) {
        (true, _) => report.failed("key", line, fixes::KEY),
        (false, true) => report.ok("key", line),
        (false, false) => report.not_checked("key", line),
    }
}

fn check_clock(report: &mut Report, server_time: Option<SystemTime>) {
    let Some(server_time) = server_time else {
        report.not_checked("clock", "there is no `Date` of the issuer to compare with");
        return;
    };
    let (difference, direction) = match SystemTime::now().duration_since(server_time) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    if difference <= Duration::from_secs(2) {
        report.ok("clock", "the clock here agrees with the issuer's");
        return;
    }
    let line = format!(
        "the clock here is {} {direction} the issuer's",
        words::length(difference)
    );
    if difference <= LEEWAY {
        report.ok("clock", line);
    } else {
        report.failed("clock", line, fixes::CLOCK);
    }
}
