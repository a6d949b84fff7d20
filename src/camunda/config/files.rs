//! Configuration files, found and read as Spring Boot does.

use std::{
    fs::File,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use crate::{
    camunda::config::{
        placeholders,
        properties::{Origin, Property},
        setting::Form,
    },
    error::config::ConfigError,
    url::shown,
};

/// Largest file.
const MAX_BYTES: u64 = 1 << 20;
const EXTENSIONS: [&str; 2] = ["yml", "yaml"];

/// Most files that other files import.
const MAX_IMPORTS: usize = 32;

/// One document of a file.
struct Document {
    properties: Vec<Property>,
    /// Folder of the file.
    folder: PathBuf,
}

/// Returns the properties of the documents of all configuration files, those that win last.
///
/// Relative paths begin in `folder`.
pub(super) fn sources(
    variables: &[Property],
    folder: &Path,
) -> Result<Vec<Vec<Property>>, ConfigError> {
    let names = texts(variables, "spring.config.name");
    let names = if names.is_empty() {
        vec!["application".to_owned()]
    } else {
        names
    };
    let groups = groups(variables, folder)?;
    let mut files = Vec::new();
    for group in &groups {
        files.push(read_group(group, &names, None)?);
    }
    let profiles = Profiles::active(variables, files.iter().flatten());
    let mut all = Vec::new();
    for (group, mut documents) in groups.iter().zip(files) {
        for profile in &profiles.0 {
            documents.extend(read_group(group, &names, Some(profile))?);
        }
        all.append(&mut documents);
    }
    // The last one is taken first. Imported documents win over the one that imports them.
    all.reverse();
    let mut sources = Vec::new();
    let mut imports = 0_usize;
    while let Some(document) = all.pop() {
        if !profiles.activate(&document)? {
            continue;
        }
        let folders = Folders {
            process: folder,
            file: &document.folder,
        };
        let mut imported = Vec::new();
        let properties = &document.properties;
        for import in properties
            .iter()
            .filter(|property| is_entry(property, IMPORT))
        {
            imports = imports.saturating_add(1);
            if imports > MAX_IMPORTS {
                return Err(ConfigError::InvalidSetting {
                    setting: import.origin.to_string(),
                    value: import.text.as_deref().map_or_else(String::new, shown),
                    reason: format!(
                        "more than {MAX_IMPORTS} files are imported; one may import itself"
                    ),
                });
            }
            for group in locations(import, variables, &folders)? {
                imported.extend(read_group(&group, &names, None)?);
            }
        }
        all.extend(imported.into_iter().rev());
        sources.push(document.properties);
    }
    Ok(sources)
}

const IMPORT: &str = "spring.config.import";

/// File or folder with configuration.
struct Location {
    path: PathBuf,
    is_folder: bool,
    is_optional: bool,
}

/// Locations of one rank: a file for a profile in one of them wins over all other files.
type Group = Vec<Location>;

fn groups(variables: &[Property], folder: &Path) -> Result<Vec<Group>, ConfigError> {
    let mut groups = Vec::new();
    let is_default = !variables
        .iter()
        .any(|variable| variable.is_of("spring.config.location"));
    if is_default {
        let location = |path: &str| Location {
            path: folder.join(path),
            is_folder: true,
            is_optional: true,
        };
        groups.push(vec![location(""), location("config")]);
    }
    for key in [
        "spring.config.location",
        "spring.config.additional-location",
        IMPORT,
    ] {
        for variable in variables.iter().filter(|variable| variable.is_of(key)) {
            let folders = Folders {
                process: folder,
                file: folder,
            };
            groups.extend(locations(variable, variables, &folders)?);
        }
    }
    Ok(groups)
}

/// Folders in which relative locations begin.
struct Folders<'f> {
    /// For locations that begin with `file:`.
    process: &'f Path,
    /// For other locations: the folder of the file that names them.
    file: &'f Path,
}

/// Reads the groups of locations that a property names. They may contain placeholders for variables.
fn locations(
    property: &Property,
    variables: &[Property],
    folders: &Folders<'_>,
) -> Result<Vec<Group>, ConfigError> {
    let text = property.text.as_deref().unwrap_or_default();
    let value_of = |name: &str| {
        let variable = variables.iter().find(|one| one.origin.name() == name);
        variable.and_then(|variable| variable.text.clone())
    };
    let replaced = placeholders::replace(text, &value_of);
    let replaced = replaced.map_err(|reason| ConfigError::InvalidSetting {
        setting: property.origin.to_string(),
        value: shown(text),
        reason,
    })?;
    let group = |group: &str| {
        let locations = group.split(';');
        let locations = locations.filter_map(|text| location(property, text.trim(), folders));
        locations.collect()
    };
    replaced.split(',').map(group).collect()
}

/// Reads a location; `None` if it is inside Web Modeler's own program, or empty.
fn location(
    property: &Property,
    text: &str,
    folders: &Folders<'_>,
) -> Option<Result<Location, ConfigError>> {
    let (rest, is_optional) = match text.strip_prefix("optional:") {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    if rest.is_empty() || rest.starts_with("classpath:") {
        return None;
    }
    let invalid = |reason: &str| {
        Some(Err(ConfigError::InvalidSetting {
            setting: property.origin.to_string(),
            value: shown(text),
            reason: reason.to_owned(),
        }))
    };
    let (path, folder) = match rest.strip_prefix("file:") {
        Some(path) => (path.strip_prefix("//").unwrap_or(path), folders.process),
        None if rest
            .split('/')
            .next()
            .is_some_and(|start| start.contains(':')) =>
        {
            return invalid(
                "only locations of files are supported, e.g. file:/config/application.yaml",
            );
        }
        None => (rest, folders.file),
    };
    if path.contains('*') {
        return invalid("locations with `*` are not supported; name each folder");
    }
    Some(Ok(Location {
        path: folder.join(path),
        is_folder: path.ends_with('/'),
        is_optional,
    }))
}

/// Reads the files of all locations in a group, or those for a profile.
fn read_group(
    group: &[Location],
    names: &[String],
    profile: Option<&str>,
) -> Result<Vec<Document>, ConfigError> {
    let mut documents = Vec::new();
    let suffix = profile.map_or_else(String::new, |profile| format!("-{profile}"));
    for location in group {
        if !location.is_folder {
            let path = match profile {
                Some(_) => for_profile(&location.path, &suffix),
                None => location.path.clone(),
            };
            match read_file(&path)? {
                Some(read) => documents.extend(read),
                None if location.is_optional || profile.is_some() => {}
                None => return Err(invalid(&path, "it does not exist")),
            }
            continue;
        }
        if !location.is_optional && profile.is_none() && !location.path.is_dir() {
            return Err(invalid(&location.path, "this folder does not exist"));
        }
        for name in names {
            let unread = location.path.join(format!("{name}{suffix}.properties"));
            if unread.exists() {
                return Err(invalid(
                    &unread,
                    "only YAML is read: write these settings as YAML",
                ));
            }
            for extension in EXTENSIONS {
                let path = location.path.join(format!("{name}{suffix}.{extension}"));
                documents.extend(read_file(&path)?.into_iter().flatten());
            }
        }
    }
    Ok(documents)
}

fn for_profile(path: &Path, suffix: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}{suffix}.{extension}"))
}

/// Returns the documents of a file; `None` if it does not exist.
fn read_file(path: &Path) -> Result<Option<Vec<Document>>, ConfigError> {
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
            "it is a folder, not a file; a container runtime creates such a folder if the file that it should mount is missing",
        ));
    }
    if !metadata.is_file() {
        return Err(invalid(path, "it is not a regular file"));
    }
    let is_yaml = path
        .extension()
        .is_some_and(|found| EXTENSIONS.iter().any(|known| found == *known));
    if !is_yaml {
        return Err(invalid(
            path,
            "only YAML is read, from files that end with .yaml or .yml",
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
            reason: "it is not UTF-8".to_owned(),
        }
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let documents = documents(path, text)?.into_iter();
    let document = |properties| Document {
        properties,
        folder: folder.to_owned(),
    };
    Ok(Some(documents.map(document).collect()))
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

fn invalid(path: &Path, reason: &str) -> ConfigError {
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

/// Active profiles.
struct Profiles(Vec<String>);

impl Profiles {
    /// Variables win over files, as for other settings. Included profiles come before the others.
    fn active<'d>(variables: &[Property], documents: impl Iterator<Item = &'d Document>) -> Self {
        let unconditional = |document: &&Document| !document.properties.iter().any(is_condition);
        let documents = documents.filter(unconditional);
        let files: Vec<_> = documents
            .flat_map(|document| document.properties.clone())
            .collect();
        let found = |key| {
            let texts_of_variables = texts(variables, key);
            if texts_of_variables.is_empty() {
                texts(&files, key)
            } else {
                texts_of_variables
            }
        };
        let mut profiles = found("spring.profiles.include");
        profiles.extend(found("spring.profiles.active"));
        // Profiles are parts of file names.
        profiles.retain(|profile| !profile.contains(['/', '\\', '$']));
        Self(profiles)
    }

    /// Returns whether the document counts.
    fn activate(&self, document: &Document) -> Result<bool, ConfigError> {
        let conditions = document.properties.iter();
        for property in conditions.filter(|property| is_condition(property)) {
            let text = property.text.as_deref().unwrap_or_default();
            if !is_profile_condition(property) || text.contains(['&', '|', '(', '$']) {
                return Err(ConfigError::InvalidSetting {
                    setting: property.origin.to_string(),
                    value: shown(text),
                    reason: "only on-profile with names, `!` and commas is supported".to_owned(),
                });
            }
        }
        let conditions = texts(&document.properties, ON_PROFILE);
        Ok(conditions.is_empty() || conditions.iter().any(|condition| self.fits(condition)))
    }

    fn fits(&self, condition: &str) -> bool {
        match condition.strip_prefix('!') {
            Some(name) => !self.is_active(name.trim()),
            None => self.is_active(condition),
        }
    }

    /// Without an active profile the profile `default` is active.
    fn is_active(&self, name: &str) -> bool {
        self.0.iter().any(|active| active == name) || (self.0.is_empty() && name == "default")
    }
}

const ON_PROFILE: &str = "spring.config.activate.on-profile";

fn is_condition(property: &Property) -> bool {
    let is_condition = Form::Key.rest(property.origin.name(), "spring.config.activate.");
    is_condition.is_some() && property.text.is_some()
}

fn is_profile_condition(property: &Property) -> bool {
    is_entry(property, ON_PROFILE)
}

/// Returns the entries of a list, or the parts of a text separated by commas. Of several properties
/// of one name the last counts.
fn texts(properties: &[Property], key: &str) -> Vec<String> {
    let is_whole = |property: &&Property| property.is_of(key);
    let found: Vec<&Property> = match properties.iter().rfind(is_whole) {
        Some(whole) => vec![whole],
        None => properties
            .iter()
            .filter(|property| is_entry(property, key))
            .collect(),
    };
    let texts = found
        .into_iter()
        .filter_map(|property| property.text.as_deref());
    let parts = texts.flat_map(|text| text.split(',')).map(str::trim);
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Returns whether the property is of `key`, or an entry of its list.
fn is_entry(property: &Property, key: &str) -> bool {
    let origin = &property.origin;
    origin.form().is_of(origin.name(), key)
}

/// Returns whether the property names files.
pub(super) fn is_location(origin: &Origin) -> bool {
    let keys = [
        "spring.config.location",
        "spring.config.additional-location",
        IMPORT,
        "spring.application.json",
    ];
    keys.iter()
        .any(|key| origin.form().is_of(origin.name(), key))
}

/// Returns whether the property stands for configuration that is not read.
pub(super) fn is_unread(origin: &Origin) -> bool {
    matches!(origin, Origin::Variable(name) if Form::Variable.is_of(name, "spring.application.json"))
}
