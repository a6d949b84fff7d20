//! Checks of the configuration.

use std::{
    env,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use modeler_auth::{ConfigError, Issuer, issuer::IssuerSummary};
use tracing::level_filters::LevelFilter;

use super::{
    fixes,
    report::{Report, shown},
    words,
};

/// Reads the configuration as the service does; `None` if there is none.
pub(super) fn check(report: &mut Report) -> Result<Option<(Issuer, IssuerSummary)>, ConfigError> {
    let (issuer, warnings) = with_warnings(Issuer::from_env);
    for warning in warnings.lines() {
        let warning = warning.trim_start().trim_start_matches("WARN ");
        report.warning("configuration_warning", warning);
    }
    let Some(issuer) = issuer? else {
        let folder = env::current_dir().unwrap_or_default();
        let found = format!(
            "no variable configures an issuer, nor does an application.yaml in {} or its config/",
            shown(&folder.to_string_lossy())
        );
        report.failed("configuration", found, fixes::NO_CONFIGURATION);
        return Ok(None);
    };
    let summary = issuer.summary()?;
    report.ok("configuration", "an issuer is configured");
    for line in settings(&summary) {
        report.ok("setting", line);
    }
    Ok(Some((issuer, summary)))
}

/// Returns a line for each setting: its value, and the variable or file of the value.
fn settings(summary: &IssuerSummary) -> Vec<String> {
    let algorithms = summary.algorithms.iter().map(|algorithm| algorithm.name());
    let values = [
        ("issuer", format!("\"{}\"", shown(&summary.issuer))),
        ("keys", shown(&summary.keys)),
        (
            "audiences",
            words::list(summary.audiences.iter().map(String::as_str)),
        ),
        ("algorithms", algorithms.collect::<Vec<_>>().join(", ")),
        ("permissions", format!("by {}", shown(&summary.claims))),
    ];
    let line = |(setting, value)| match origin(summary, setting) {
        Some(origin) => format!("{setting} {value}, from {origin}"),
        None => format!("{setting} {value}, by default"),
    };
    values.into_iter().map(line).collect()
}

/// Returns the variable or file of a setting.
pub(super) fn origin<'s>(summary: &'s IssuerSummary, setting: &str) -> Option<&'s str> {
    let mut origins = summary.origins.iter();
    let found = origins.find(|(name, _)| *name == setting);
    found.map(|(_, origin)| origin.as_str())
}

/// Runs `action`, and returns its outcome with the warnings that the service would log.
fn with_warnings<T>(action: impl FnOnce() -> T) -> (T, String) {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::WARN)
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .with_writer(move || writer.clone())
        .finish();
    let outcome = tracing::subscriber::with_default(subscriber, action);
    let bytes = lines.0.lock().unwrap_or_else(PoisonError::into_inner);
    (outcome, String::from_utf8_lossy(&bytes).into_owned())
}

/// Lines of the log.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
