//! Reader of one configuration file.

use std::{
    fs::File,
    io::{ErrorKind, Read as _},
    path::Path,
};

use crate::{camunda::config::properties::Property, error::config::ConfigError, url::shown};

/// Largest file.
const MAX_BYTES: u64 = 1 << 20;

/// Extensions of files that are read. Of two files in one folder the later one wins.
pub(super) const EXTENSIONS: [&str; 2] = ["yaml", "yml"];

/// Returns the properties of each document of a file; `None` if it does not exist. A file with a hint
/// is YAML, whatever its name.
pub(super) fn read(path: &Path, has_hint: bool) -> Result<Option<Vec<Vec<Property>>>, ConfigError> {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Ok(None),
        _ => Err(invalid(path, &format!("it cannot be read: {error}"))),
    };
    // A file of another kind, e.g. a pipe, could block when it is opened.
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) => return failed(error),
    };
    if metadata.is_dir() {
        return Err(invalid(
            path,
            "it is a folder, not a file: end a location with `/` to read the files in a folder; a container runtime creates a folder if the file that it should mount is missing",
        ));
    }
    if !metadata.is_file() {
        return Err(invalid(path, "it is not a regular file"));
    }
    let is_yaml = path
        .extension()
        .is_some_and(|found| EXTENSIONS.iter().any(|known| found == *known));
    if !is_yaml && !has_hint {
        return Err(invalid(
            path,
            "only YAML is read, from files that end with .yaml or .yml, or whose location ends with [.yaml]",
        ));
    }
    let mut bytes = Vec::new();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return failed(error),
    };
    if let Err(error) = file
        .take(MAX_BYTES.saturating_add(1))
        .read_to_end(&mut bytes)
    {
        return failed(error);
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(invalid(
            path,
            &format!("it has more than {MAX_BYTES} bytes"),
        ));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to());
        let lines = valid
            .unwrap_or_default()
            .iter()
            .filter(|byte| **byte == b'\n');
        ConfigError::InvalidFile {
            file: displayed(path),
            line: Some(lines.count().saturating_add(1)),
            reason: "it is not UTF-8: save it in that encoding".to_owned(),
        }
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let documents = documents(path, text)?;
    for document in &documents {
        refuse_manifest(document)?;
    }
    Ok(Some(documents))
}

/// Returns an error if the document is a Kubernetes object, e.g. a whole `ConfigMap` instead of the
/// file in it.
fn refuse_manifest(document: &[Property]) -> Result<(), ConfigError> {
    let find = |key: &str| {
        document
            .iter()
            .find(|property| property.origin.name() == key)
    };
    match (find("apiVersion"), find("kind")) {
        (Some(_), Some(kind)) => Err(kind.invalid(
            "the file is a Kubernetes manifest: use the text under its key `data` instead, as Kubernetes does when it mounts a ConfigMap",
        )),
        _ => Ok(()),
    }
}

#[cfg(feature = "yaml")]
fn documents(path: &Path, text: &str) -> Result<Vec<Vec<Property>>, ConfigError> {
    crate::camunda::config::yaml::documents(&displayed(path), text)
}

#[cfg(not(feature = "yaml"))]
fn documents(path: &Path, _: &str) -> Result<Vec<Vec<Property>>, ConfigError> {
    Err(invalid(
        path,
        "this program cannot read it: build it with the feature `yaml` of modeler-auth",
    ))
}

pub(super) fn invalid(path: &Path, reason: &str) -> ConfigError {
    ConfigError::InvalidFile {
        file: displayed(path),
        line: None,
        reason: reason.to_owned(),
    }
}

/// Returns the absolute path, since the folder of the process may not be known to a reader.
fn displayed(path: &Path) -> String {
    let absolute = std::path::absolute(path);
    shown(&absolute.as_deref().unwrap_or(path).to_string_lossy())
}
