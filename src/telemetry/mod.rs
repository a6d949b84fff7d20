//! Log lines about requests and fetches of keys, for operators.
//!
//! Fields never contain a token, its key id or its signature. They contain no claims except `aud` and the
//! name of a member that does not fit the type of a handler, and these only after the signature was
//! verified. `issuer` is a configured issuer. `key_id` is from a
//! key set.

pub(crate) mod limit;
pub(crate) mod metrics;
pub(crate) mod span;

use std::time::Duration;

use crate::{
    access::grant_source::GrantError,
    clock::Clock,
    error::{
        auth::{AuthError, AuthErrorKind},
        reason::Reason,
    },
    issuer::summary::IssuerSummary,
    keys::{
        error::KeyFetchError,
        event::{KeyEvent, KeyEventKind, KeyReport},
        key_problem::KeyProblem,
    },
    telemetry::limit::{LogLimit, LogLimits},
};

const TARGET: &str = "modeler_auth";

/// Logs that a request was rejected.
///
/// A line about a verified token points to a setting, whereas anyone can write an unverified token.
/// Both may come in floods, so `logs` limits the lines at level info. All others are at level
/// debug.
pub(crate) fn rejected(error: &AuthError, logs: &LogLimits) {
    let reason = error.reason();
    let status = error.kind().status().as_u16();
    let detail = error.detail();
    let issuer = error.issuer();
    let verified = error.is_verified();
    let is_mistake = error.kind() != AuthErrorKind::MissingToken || detail.is_some();
    match is_mistake.then(|| logs.of(error).allows_line()).flatten() {
        Some(suppressed) => {
            tracing::info!(
                target: TARGET, reason, status, issuer, verified, detail, suppressed,
                "request rejected: {error}"
            );
        }
        None => {
            tracing::debug!(target: TARGET, reason, status, issuer, verified, detail, "request rejected: {error}");
        }
    }
}

/// Logs that a request reached a service without the [`AuthLayer`](crate::AuthLayer) that it needs.
pub(crate) fn layer_missing() {
    static LOG: LogLimit = LogLimit::new(1, Clock::System);
    let error = AuthError::from(Reason::LayerMissing);
    let (reason, status) = (error.reason(), error.kind().status().as_u16());
    metrics::request_rejected(reason);
    if let Some(suppressed) = LOG.allows_line() {
        tracing::error!(
            target: TARGET, reason, status, suppressed,
            "request rejected: {error}. The AuthLayer must be outside RequirePermissionLayer, InfoService, \
             the extractors and axum's from_fn: in a Router the layer added last is outermost, \
             in a ServiceBuilder the layer added first"
        );
    } else {
        tracing::debug!(target: TARGET, reason, status, "request rejected: {error}");
    }
}

/// Logs that a verified token grants no permission because it lacks the claim for it.
pub(crate) fn nothing_granted(issuer: &str, claims: &str, log: &LogLimit) {
    if let Some(suppressed) = log.allows_line() {
        tracing::info!(
            target: TARGET, issuer, suppressed,
            "a valid token grants no permission, since it has no claim {claims}: with Keycloak, assign the \
             client scope `camunda-identity` to its client, and grant the client a permission; with another \
             provider, fetch the permissions from Management Identity (CAMUNDA_IDENTITY_TYPE, \
             CAMUNDA_IDENTITY_BASEURL), or use `ClaimRules`"
        );
    }
}

/// Logs a failed call for a grant; returns whether the line is above level debug. That is the first
/// failure of an outage, as `log` limits it.
pub(crate) fn grants_failed(
    issuer: &str,
    error: &GrantError,
    is_known: bool,
    log: &LogLimit,
) -> bool {
    let is_news = !is_known && log.allows_line().is_some();
    if is_news {
        tracing::warn!(
            target: TARGET, issuer,
            "grant not fetched: known grants stay in use for a limited time, and other tokens get 503: {error}"
        );
    } else {
        tracing::debug!(target: TARGET, issuer, "grant not fetched: {error}");
    }
    is_news
}

/// Logs the end of an outage of the source of grants.
pub(crate) fn grants_available(issuer: &str) {
    tracing::info!(target: TARGET, issuer, "grants are fetched again");
}

/// Logs an event of an issuer's key set.
pub(crate) fn key_event(event: &KeyEvent<'_>, report: &KeyReport) {
    let (issuer, keys, is_news) = (event.issuer, report.keys, report.is_news);
    match event.kind {
        KeyEventKind::Fetched(_) | KeyEventKind::NotModified => {
            let count = |kind| report.events.iter().filter(|event| **event == kind).count();
            let added = count(KeyEventKind::KeyAdded);
            let withdrawn = count(KeyEventKind::KeyWithdrawn);
            if is_news {
                tracing::info!(target: TARGET, issuer, keys, "key set fetched");
            } else if added.max(withdrawn) > 0 {
                tracing::info!(target: TARGET, issuer, keys, added, withdrawn, "key set changed");
            } else {
                tracing::debug!(target: TARGET, issuer, keys, "key set refreshed");
            }
        }
        KeyEventKind::Failed(_) => {
            if let Some(error) = &report.error {
                keys_failed(issuer, error, report.usable_for, is_news);
            }
        }
        KeyEventKind::StaleExpired => {
            let class = report.error.as_ref().map(|error| error.kind().name());
            let cause = report.error.as_ref().map(tracing::field::display);
            tracing::error!(
                target: TARGET, issuer, class, cause,
                "the known keys are too old to be used: tokens get 503 until the key set is fetched"
            );
        }
        KeyEventKind::FloodSuppressed
        | KeyEventKind::KeyAdded
        | KeyEventKind::KeyWithdrawn
        | KeyEventKind::StaleServed => {}
    }
}

/// Logs a failed fetch. Above level debug are the first failure of an outage and, while no keys
/// are usable, each failure of another kind than the one before it.
fn keys_failed(issuer: &str, error: &KeyFetchError, usable_for: Option<Duration>, is_news: bool) {
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
            "key set not fetched, and there are no usable keys, so tokens get 503: {error}"
        );
    }
}

/// Logs that discovery failed while the location of the key set is known.
pub(crate) fn discovery_failed(issuer: &str, error: &KeyFetchError, log: &LogLimit) {
    let class = error.kind().name();
    if let Some(suppressed) = log.allows_line() {
        tracing::warn!(target: TARGET, issuer, class, suppressed, "discovery failed, so the key set is fetched from its known location: {error}");
    } else {
        tracing::debug!(target: TARGET, issuer, class, "discovery failed: {error}");
    }
}

/// Logs that keys are fetched without TLS because the operator's configuration says so.
pub(crate) fn insecure_by_configuration(issuer: &str, url: &str) {
    tracing::warn!(
        target: TARGET, issuer, url,
        "keys are fetched over http: whoever controls the network controls which tokens are accepted; use https if possible"
    );
}

/// Logs that tokens are sent to Management Identity without TLS because the operator's configuration
/// says so.
pub(crate) fn insecure_identity(issuer: &str, url: &str) {
    tracing::warn!(
        target: TARGET, issuer, url,
        "tokens are sent to Management Identity over http: whoever controls the network reads them and controls the permissions; use https if possible"
    );
}

/// Logs a setting that nobody reads although its name looks like one.
pub(crate) fn unknown_setting(setting: &str, nearest: &str) {
    tracing::warn!(
        target: TARGET,
        "{setting} is not a known setting, so it has no effect: correct its name or remove it; the nearest known name is {nearest}"
    );
}

/// Logs a setting of Camunda's Orchestration Cluster.
pub(crate) fn orchestration_cluster_setting(setting: &str, counterpart: &str) {
    tracing::warn!(
        target: TARGET,
        "{setting} configures Camunda's Orchestration Cluster and has no effect here: use {counterpart}"
    );
}

/// Logs a setting of the web app that Web Modeler had beside its API.
pub(crate) fn web_app_setting(setting: &str, counterpart: &str) {
    tracing::warn!(
        target: TARGET,
        "{setting} configures the web app of Web Modeler up to 8.8 and has no effect here: use {counterpart}"
    );
}

/// Logs a location of configuration that Spring Boot reads and this crate does not.
pub(crate) fn skipped_location(setting: &str, location: &str) {
    tracing::warn!(
        target: TARGET,
        "{setting}: the optional location `{location}` is not read, since only files are supported: write its settings as variables or into a file"
    );
}

/// Logs a backend URL that is not used because the URL of the key set is configured as well.
pub(crate) fn unused_backend_url(backend: &str, keys: &str) {
    tracing::warn!(
        target: TARGET,
        "{backend} has no effect, since {keys} names the URL of the key set: correct that URL, or remove it"
    );
}

/// Logs the number of settings without effect that have no line.
pub(crate) fn more_unknown_settings(count: usize) {
    tracing::warn!(target: TARGET, count, "more settings are not known and have no effect");
}

/// Logs a setting that stands for more configuration, which is not read.
pub(crate) fn unread_configuration(setting: &str) {
    tracing::warn!(
        target: TARGET,
        "{setting} stands for configuration that is not read: write it as variables, or name its file in SPRING_CONFIG_ADDITIONAL_LOCATION"
    );
}

/// Logs the settings of an issuer.
pub(crate) fn issuer_configured(summary: &IssuerSummary) {
    let IssuerSummary {
        issuer,
        audiences,
        keys,
        algorithms,
        claims,
        origins,
    } = summary;
    let audiences = audiences.join(", ");
    let algorithms: Vec<_> = algorithms
        .iter()
        .map(|algorithm| algorithm.name())
        .collect();
    let algorithms = algorithms.join(", ");
    let origins: Vec<_> = origins
        .iter()
        .map(|(setting, origin)| format!("{setting} from {origin}"))
        .collect();
    let configured_by = (!origins.is_empty()).then(|| origins.join("; "));
    tracing::info!(target: TARGET, issuer, audiences, keys, algorithms, claims, configured_by, "issuer configured");
}

/// Logs a problem of a published key.
pub(crate) fn key_problem(issuer: &str, problem: &KeyProblem) {
    let key_id = problem.key_id.as_deref().map(tracing::field::debug);
    let effect = if problem.is_used {
        "used, although it is"
    } else {
        "not used, since it is"
    };
    tracing::warn!(target: TARGET, issuer, key_id, "a key in the issuer's key set is {effect} {}", problem.text);
}
