//! Locations of configuration files.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use crate::{
    camunda::config::{
        files::{EXTENSIONS, invalid},
        properties::{Origin, Properties, Property, entries},
        setting::Form,
    },
    error::config::ConfigError,
    telemetry,
    url::shown,
};

const NAME: &str = "spring.config.name";
const LOCATION: &str = "spring.config.location";
const ADDITIONAL_LOCATION: &str = "spring.config.additional-location";
const IMPORT: &str = "spring.config.import";

/// Extensions that Spring reads and this crate does not.
const UNREAD_EXTENSIONS: [&str; 2] = ["properties", "xml"];

/// File or folder with configuration.
pub(super) struct Location {
    folder: PathBuf,
    /// Whether the subfolders are meant and not the folder.
    in_subfolders: bool,
    /// Name of the file; `None` for the files with the configured names.
    file: Option<String>,
    /// Whether the file is YAML, whatever its extension.
    has_hint: bool,
    is_optional: bool,
}

/// Locations of one rank: a file for a profile in one of them wins over all other files.
pub(super) type Group = Vec<Location>;

/// File that may exist.
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    pub(super) has_hint: bool,
}

/// Folders in which relative locations begin.
pub(super) struct Folders<'f> {
    /// For locations that begin with `file:`.
    pub(super) process: &'f Path,
    /// For other locations: the folder of the file that names them.
    pub(super) file: &'f Path,
}

/// Returns the names of files in folders, without extension.
pub(super) fn names(
    variables: &[Property],
    properties: &Properties<'_>,
) -> Result<Vec<String>, ConfigError> {
    let mut names = Vec::new();
    for variable in entries(variables, NAME)? {
        let text = properties.set_text(variable)?.unwrap_or_default();
        if text.contains(['/', '\\', '*']) {
            return Err(variable.invalid(
                "it names files without their folder and extension, e.g. `application`; use SPRING_CONFIG_LOCATION for a path",
            ));
        }
        names.extend(parts(&text));
    }
    if names.is_empty() {
        names.push("application".to_owned());
    }
    Ok(names)
}

/// Returns the locations that variables name, and the default ones; those that win last.
pub(super) fn groups(
    variables: &[Property],
    properties: &Properties<'_>,
    folder: &Path,
) -> Result<Vec<Group>, ConfigError> {
    let mut groups = Vec::new();
    if !variables
        .iter()
        .any(|variable| variable.is_of_list(LOCATION))
    {
        let location = |path: &str, in_subfolders| Location {
            folder: folder.join(path),
            in_subfolders,
            file: None,
            has_hint: false,
            is_optional: true,
        };
        groups.push(vec![
            location("", false),
            location("config", false),
            location("config", true),
        ]);
    }
    let folders = Folders {
        process: folder,
        file: folder,
    };
    for key in [LOCATION, ADDITIONAL_LOCATION, IMPORT] {
        for variable in entries(variables, key)? {
            groups.extend(locations(variable, properties, &folders)?);
        }
    }
    Ok(groups)
}

/// Returns the locations that a document imports; those that win last.
pub(super) fn imports(
    document: &[Property],
    properties: &Properties<'_>,
    folders: &Folders<'_>,
) -> Result<Vec<Group>, ConfigError> {
    let mut groups = Vec::new();
    for import in entries(document, IMPORT)? {
        groups.extend(locations(import, properties, folders)?);
    }
    Ok(groups)
}

/// Returns whether the property names files.
pub(super) fn is_location(origin: &Origin) -> bool {
    [NAME, LOCATION, ADDITIONAL_LOCATION, IMPORT]
        .iter()
        .any(|key| origin.form().is_of_list(origin.name(), key))
}

/// Returns whether `key` is that of a property which names files or profiles.
pub(super) fn is_about_files(key: &str) -> bool {
    ["spring.config.", "spring.profiles."]
        .iter()
        .any(|prefix| Form::Key.rest(key, prefix).is_some())
}

fn locations(
    property: &Property,
    properties: &Properties<'_>,
    folders: &Folders<'_>,
) -> Result<Vec<Group>, ConfigError> {
    let text = properties.set_text(property)?.unwrap_or_default();
    let mut groups = Vec::new();
    for group in text.split(',') {
        let mut locations = Group::new();
        for text in group.split(';') {
            locations.extend(location(property, text.trim(), folders)?);
        }
        groups.push(locations);
    }
    Ok(groups)
}

/// Reads a location; `None` if it is inside Web Modeler's own program, or empty.
fn location(
    property: &Property,
    text: &str,
    folders: &Folders<'_>,
) -> Result<Option<Location>, ConfigError> {
    let (rest, is_optional) = match text.strip_prefix("optional:") {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    if rest.is_empty() || rest.starts_with("classpath:") {
        return Ok(None);
    }
    let (path, base) = match rest.strip_prefix("file:") {
        Some(path) => (path.strip_prefix("//").unwrap_or(path), folders.process),
        None if has_scheme(rest) && is_optional => {
            telemetry::skipped_location(&property.origin.to_string(), &shown(text));
            return Ok(None);
        }
        None if has_scheme(rest) => {
            return Err(property.invalid(
                "only locations of files are supported, e.g. file:/config/application.yaml: remove the others, or begin them with `optional:` to go without them",
            ));
        }
        None => (rest, folders.file),
    };
    let is_yaml = |path: &&str| {
        let extension = path.rsplit_once("[.").map(|(_, extension)| extension);
        extension.is_some_and(|hint| EXTENSIONS.iter().any(|known| hint == format!("{known}]")))
    };
    let hinted = Some(path).filter(is_yaml);
    let path = hinted
        .and_then(|path| path.rsplit_once("[."))
        .map_or(path, |(path, _)| path);
    let path = Path::new(path);
    let (folder, file) = if rest.ends_with('/') {
        (path, None)
    } else {
        let Some(file) = path.file_name() else {
            return Err(property.invalid("a location that is a folder ends with `/`"));
        };
        let file = file.to_string_lossy().into_owned();
        (path.parent().unwrap_or_else(|| Path::new("")), Some(file))
    };
    let in_subfolders = folder.file_name().is_some_and(|name| name == "*");
    let folder = if in_subfolders {
        folder.parent().unwrap_or_else(|| Path::new(""))
    } else {
        folder
    };
    let has_star = folder.to_string_lossy().contains('*');
    if has_star || file.as_ref().is_some_and(|file| file.contains('*')) {
        return Err(property.invalid(
            "`*` is supported only in place of the last folder, as in config/*/ or config/*/application.yaml: name each file or folder",
        ));
    }
    Ok(Some(Location {
        folder: base.join(folder),
        in_subfolders,
        file,
        has_hint: hinted.is_some(),
        is_optional,
    }))
}

fn has_scheme(location: &str) -> bool {
    let start = location.split('/').next();
    start.is_some_and(|start| start.contains(':'))
}

impl Location {
    /// Returns the files of the location, or those for a profile; those that win last.
    pub(super) fn files(
        &self,
        names: &[String],
        profile: Option<&str>,
    ) -> Result<Vec<Candidate>, ConfigError> {
        let is_required = !self.is_optional && profile.is_none();
        let folders = self.folders(is_required)?;
        let suffix = profile.map_or_else(String::new, |profile| format!("-{profile}"));
        let candidate = |path| Candidate {
            path,
            has_hint: self.has_hint,
        };
        if let Some(file) = &self.file {
            let file = match file.rsplit_once('.') {
                Some((stem, extension)) if !self.has_hint => format!("{stem}{suffix}.{extension}"),
                _ => format!("{file}{suffix}"),
            };
            let paths = folders.iter().map(|folder| folder.join(&file));
            let paths: Vec<_> = paths.collect();
            let is_missing = |path: &&PathBuf| matches!(path.try_exists(), Ok(false));
            if let Some(missing) = paths.iter().find(is_missing)
                && is_required
                && !self.in_subfolders
            {
                return Err(invalid(
                    missing,
                    "it does not exist: correct its location, or begin it with `optional:`; the location of a folder ends with `/`",
                ));
            }
            return Ok(paths.into_iter().map(candidate).collect());
        }
        let mut candidates = Vec::new();
        for name in names {
            for folder in &folders {
                for extension in UNREAD_EXTENSIONS {
                    let unread = folder.join(format!("{name}{suffix}.{extension}"));
                    if unread.exists() {
                        return Err(invalid(
                            &unread,
                            "only YAML is read: write these settings as YAML",
                        ));
                    }
                }
            }
            for extension in EXTENSIONS {
                let file = format!("{name}{suffix}.{extension}");
                let paths = folders.iter().map(|folder| folder.join(&file));
                candidates.extend(paths.map(candidate));
            }
        }
        Ok(candidates)
    }

    /// Returns the files for profiles in folders, whatever the profile is called.
    pub(super) fn files_for_profiles(&self, names: &[String]) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        if self.file.is_some() {
            return candidates;
        }
        for folder in self.folders(false).unwrap_or_default() {
            let listed = fs::read_dir(listed(&folder))
                .into_iter()
                .flatten()
                .flatten();
            for entry in listed {
                let path = folder.join(entry.file_name());
                let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                let is_of_profile = names.iter().any(|name| {
                    let rest = stem.strip_prefix(name.as_str());
                    rest.is_some_and(|rest| rest.starts_with('-'))
                });
                let extension = path.extension().unwrap_or_default();
                if is_of_profile && EXTENSIONS.iter().any(|known| extension == *known) {
                    candidates.push(Candidate {
                        path,
                        has_hint: false,
                    });
                }
            }
        }
        candidates.sort_by(|one, other| one.path.cmp(&other.path));
        candidates
    }

    fn folders(&self, is_required: bool) -> Result<Vec<PathBuf>, ConfigError> {
        if is_required && self.file.is_none() && !self.folder.is_dir() {
            return Err(invalid(
                &self.folder,
                "this folder does not exist: correct its location, or begin it with `optional:`",
            ));
        }
        if !self.in_subfolders {
            return Ok(vec![self.folder.clone()]);
        }
        let folders = subfolders(&self.folder)
            .map_err(|error| invalid(&self.folder, &format!("it cannot be listed: {error}")))?;
        if is_required && folders.is_empty() {
            return Err(invalid(
                &self.folder,
                "it has no subfolder for the `*` of the location: correct the location, or begin it with `optional:`",
            ));
        }
        Ok(folders)
    }
}

/// Returns the subfolders in the order of their names. As in Spring, names that begin with `..` are
/// left out: Kubernetes uses them for the versions of a mounted volume.
fn subfolders(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(listed(folder)) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?;
        let is_version = entry.file_name().to_string_lossy().starts_with("..");
        if !is_version && entry.path().is_dir() {
            folders.push(folder.join(entry.file_name()));
        }
    }
    folders.sort();
    Ok(folders)
}

/// Returns the path under which a folder is listed: an empty path is the folder of the process.
fn listed(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    }
}

/// Returns the parts of a list that is separated by commas.
pub(super) fn parts(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split(',').map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned)
}
