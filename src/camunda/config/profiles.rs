//! Profiles: which are active, and which documents count.

use crate::{
    camunda::config::{
        locations::parts,
        properties::{Properties, Property, entries},
        setting::Form,
    },
    error::config::ConfigError,
    url::shown,
};

/// Most active profiles.
const MAX_PROFILES: usize = 32;

const ACTIVE: &str = "spring.profiles.active";
const DEFAULT: &str = "spring.profiles.default";
const GROUP: &str = "spring.profiles.group.";
const INCLUDE: &str = "spring.profiles.include";
const ACTIVATE: &str = "spring.config.activate.";
const ON_PROFILE: &str = "spring.config.activate.on-profile";

/// Active profiles; files for later ones win.
pub(super) struct Profiles(Vec<String>);

impl Profiles {
    /// Reads the profiles in the order of Spring Boot.
    ///
    /// 1. The included ones of all sources, those of the source that wins first.
    /// 2. The active ones of the source that wins. If there are none in both lists, the default ones.
    /// 3. Each is followed by the profiles of its group.
    pub(super) fn read(properties: &Properties<'_>) -> Result<Self, ConfigError> {
        let mut first = Vec::new();
        for source in properties.sources.iter().rev() {
            first.extend(listed(properties, source, INCLUDE)?.unwrap_or_default());
        }
        first.extend(winning(properties, ACTIVE)?.unwrap_or_default());
        if first.is_empty() {
            first = winning(properties, DEFAULT)?.unwrap_or_else(|| vec!["default".to_owned()]);
        }
        let mut profiles: Vec<String> = Vec::new();
        // The last one is taken first.
        first.reverse();
        let mut waiting = first;
        while let Some(profile) = waiting.pop() {
            if profiles.contains(&profile) {
                continue;
            }
            let group = winning(properties, &format!("{GROUP}{profile}"))?;
            waiting.extend(group.unwrap_or_default().into_iter().rev());
            profiles.push(profile);
            if profiles.len() > MAX_PROFILES {
                return Err(ConfigError::InvalidSetting {
                    setting: ACTIVE.to_owned(),
                    value: shown(&profiles.join(",")),
                    reason: format!(
                        "with its groups and {INCLUDE} there are more than {MAX_PROFILES} active profiles: remove some"
                    ),
                });
            }
        }
        Ok(Self(profiles))
    }

    pub(super) fn names(&self) -> &[String] {
        &self.0
    }

    /// Returns whether the document counts.
    pub(super) fn activate(&self, document: &[Property]) -> Result<bool, ConfigError> {
        for property in document.iter().filter(|property| is_condition(property)) {
            let text = property.text.as_deref().unwrap_or_default();
            if !property.is_of_list(ON_PROFILE) {
                return Err(property.invalid(format!(
                    "this condition is not supported: use {ON_PROFILE}, or remove it"
                )));
            }
            if text.contains(['&', '|', '(', '$']) {
                return Err(property.invalid(
                    "only names of profiles, `!` and commas are supported: write a document for each case",
                ));
            }
        }
        let mut conditions = Vec::new();
        for property in entries(document, ON_PROFILE)? {
            conditions.extend(parts(property.text.as_deref().unwrap_or_default()));
        }
        Ok(conditions.is_empty() || conditions.iter().any(|condition| self.fits(condition)))
    }

    fn fits(&self, condition: &str) -> bool {
        let is_active = |name: &str| self.0.iter().any(|active| active == name);
        match condition.strip_prefix('!') {
            Some(name) => !is_active(name.trim()),
            None => is_active(condition),
        }
    }
}

/// Returns whether the document counts only under a condition.
pub(super) fn is_conditional(document: &[Property]) -> bool {
    document.iter().any(is_condition)
}

/// Returns an error if a document has a key about profiles where Spring Boot refuses it.
pub(super) fn check(document: &[Property], is_of_profile: bool) -> Result<(), ConfigError> {
    let is_specific = is_of_profile || is_conditional(document);
    for property in document {
        if property.is_of_list("spring.profiles") {
            return Err(property.invalid(format!(
                "Spring Boot 3 does not read this key: use {ON_PROFILE}"
            )));
        }
        let rest = Form::Key.rest(property.origin.name(), "spring.profiles.");
        if is_specific && rest.is_some() {
            return Err(property.invalid(
                "a document for a profile cannot select profiles: move it to a document for all profiles",
            ));
        }
    }
    Ok(())
}

fn is_condition(property: &Property) -> bool {
    let is_condition = Form::Key.rest(property.origin.name(), ACTIVATE);
    is_condition.is_some() && property.text.is_some()
}

/// Returns the profiles under `key` in the last source that has it.
fn winning(properties: &Properties<'_>, key: &str) -> Result<Option<Vec<String>>, ConfigError> {
    for source in properties.sources.iter().rev() {
        if let Some(profiles) = listed(properties, source, key)? {
            return Ok(Some(profiles));
        }
    }
    Ok(None)
}

fn listed(
    properties: &Properties<'_>,
    source: &[Property],
    key: &str,
) -> Result<Option<Vec<String>>, ConfigError> {
    let entries = entries(source, key)?;
    if entries.is_empty() {
        return Ok(None);
    }
    let mut profiles = Vec::new();
    for property in entries {
        let text = properties.text(property)?;
        if !parts(&text).all(|name| is_name(&name)) {
            return Err(property.invalid(
                "a profile has only letters, digits and `-`, `_`, `.`, `+`, `@` between them: correct its name",
            ));
        }
        profiles.extend(parts(&text));
    }
    Ok(Some(profiles))
}

/// Returns whether the text is the name of a profile, which is a part of file names.
fn is_name(text: &str) -> bool {
    let is_inside = |char: char| char.is_alphanumeric() || "-_.+@".contains(char);
    let has_ends = text.starts_with(char::is_alphanumeric) && text.ends_with(char::is_alphanumeric);
    has_ends && text.chars().all(is_inside)
}
