//! Configurations as Camunda's releases, charts and operators write them.

mod files;
mod issuer;
mod locations;
mod placeholders;
mod profiles;
mod properties;
mod releases;
mod setting;
mod sources;
mod unread;
mod yaml;

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{
    from_variables_and_files,
    setting::{Form, Setting},
};
use crate::{error::config::ConfigError, issuer::Issuer};

const URL: &str = "http://localhost:18080/auth/realms/camunda-platform";
const BACKEND: &str = "http://keycloak:18080/auth/realms/camunda-platform";
const KEYS: &str =
    "http://keycloak:18080/auth/realms/camunda-platform/protocol/openid-connect/certs";

/// Variables and their values, or files and their texts.
type Pairs<'t> = &'t [(&'t str, &'t str)];

/// Folder that is removed at the end of a test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("modeler-auth-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(path.join("config")).unwrap();
        Self(path)
    }

    fn with(path: &str, text: &str) -> Self {
        Self::new().and(path, text)
    }

    fn and(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        fs::write(self.0.join(path), text).unwrap();
        self
    }

    fn name(&self) -> String {
        self.0.file_name().unwrap().to_string_lossy().into_owned()
    }

    fn read(&self, variables: &[(&str, &str)]) -> Result<Option<Issuer>, ConfigError> {
        let variables = variables.iter();
        let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        from_variables_and_files(variables.collect(), &self.0)
    }

    /// Returns the summary for the log.
    fn summary(&self, variables: &[(&str, &str)]) -> String {
        summary(&self.read(variables).unwrap().unwrap())
    }

    fn error(&self, variables: &[(&str, &str)]) -> String {
        self.read(variables).unwrap_err().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns issuer, audiences, place of the keys and algorithms.
fn summary(issuer: &Issuer) -> String {
    let summary = issuer.summary().unwrap();
    let algorithms: Vec<_> = summary.algorithms.iter().map(|one| one.name()).collect();
    format!(
        "{} | {} | {} | {}",
        summary.issuer,
        summary.audiences.join(", "),
        summary.keys,
        algorithms.join(", ")
    )
}

fn from(variables: &[(&str, &str)]) -> Result<Option<Issuer>, ConfigError> {
    Issuer::from_vars(|wanted| {
        let found = variables.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn variable(setting: Setting) -> String {
    Form::Variable.write(setting.key())
}

/// Writes a dotted key as nested mappings.
fn nested(key: &str, value: &str) -> String {
    let mut text = String::new();
    let segments: Vec<_> = key.split('.').collect();
    for (depth, segment) in segments.iter().enumerate() {
        let end = if depth + 1 == segments.len() {
            format!(" {value}")
        } else {
            String::new()
        };
        text.push_str(&format!("{}{segment}:{end}\n", "  ".repeat(depth)));
    }
    text
}
