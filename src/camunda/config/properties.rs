//! Values of settings, and where each is written.

use std::{fmt, sync::Arc};

use crate::{
    camunda::config::{
        placeholders,
        setting::{Form, Setting},
    },
    error::config::ConfigError,
    url::{IssuerUrl, shown},
};

/// Place at which a value is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Variable(String),
    #[cfg_attr(
        not(feature = "yaml"),
        expect(dead_code, reason = "no file can be read")
    )]
    File {
        file: Arc<str>,
        line: usize,
        key: String,
    },
}

impl Origin {
    pub(super) fn form(&self) -> Form {
        match self {
            Self::Variable(_) => Form::Variable,
            Self::File { .. } => Form::Key,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Variable(name) => name,
            Self::File { key, .. } => key,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "variable {}", shown(name)),
            Self::File { file, line, key } => write!(f, "`{}` in {file}, line {line}", shown(key)),
        }
    }
}

/// Text under a name in one source; `None` for an empty list or a YAML null.
#[derive(Clone, Debug)]
pub(super) struct Property {
    pub(super) origin: Origin,
    pub(super) text: Option<String>,
}

impl Property {
    pub(super) fn is_of(&self, key: &str) -> bool {
        self.origin.form().is_same(self.origin.name(), key)
    }

    /// Returns the index of the property in the list under `key`.
    fn index_in(&self, key: &str) -> Option<usize> {
        let form = self.origin.form();
        let index = form.rest(self.origin.name(), key)?;
        match form {
            Form::Variable => index.parse().ok(),
            Form::Key => index.strip_prefix('[')?.strip_suffix(']')?.parse().ok(),
        }
    }

    /// Returns whether the property is an entry, or a part of one, of a list under `key`, or of a
    /// mapping.
    fn is_inside(&self, key: &str) -> bool {
        let Origin::File { key: name, .. } = &self.origin else {
            return false;
        };
        let rest = Form::Key.rest(name, key);
        rest.is_some_and(|rest| rest.starts_with(['.', '[']))
    }

    /// Returns whether the text is missing. In files that means that the setting is not set, since
    /// Camunda's charts write empty texts.
    fn is_unset(&self) -> bool {
        let is_file = matches!(self.origin, Origin::File { .. });
        self.text
            .as_deref()
            .is_none_or(|text| is_file && text.trim().is_empty())
    }
}

/// All properties. Those of a later source win over those of an earlier one.
pub(super) struct Properties<'v> {
    pub(super) sources: Vec<Vec<Property>>,
    /// Returns the value of the variable with exactly this name.
    pub(super) variable: &'v dyn Fn(&str) -> Option<String>,
}

/// Value of a setting.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// One text, or the entries of a list.
    texts: Vec<String>,
    origin: Origin,
    /// Index of the source.
    rank: usize,
}

impl Properties<'_> {
    pub(super) fn all(&self) -> impl Iterator<Item = &Property> {
        self.sources.iter().flatten()
    }

    /// Returns the value of `setting`.
    ///
    /// The first key that is set counts. Another key with another value is an error, unless the
    /// first key is from a source that wins over that of the other.
    pub(super) fn value(&self, setting: Setting) -> Result<Option<Value>, ConfigError> {
        let mut values = Vec::new();
        for key in setting.keys() {
            values.extend(self.values_of_key(setting, key)?);
        }
        let Some((first, others)) = values.split_first() else {
            return Ok(None);
        };
        for other in others {
            if first.rank <= other.rank && !first.is_same(setting, other) {
                return Err(first.conflict(other));
            }
        }
        Ok(Some(first.clone()))
    }

    /// Returns the values of `key` in the last source that has it: one for each spelling.
    fn values_of_key(&self, setting: Setting, key: &str) -> Result<Vec<Value>, ConfigError> {
        for (rank, source) in self.sources.iter().enumerate().rev() {
            let mut values = Vec::new();
            for property in source.iter().filter(|property| property.is_of(key)) {
                if property.is_unset() {
                    continue;
                }
                values.push(Value {
                    texts: vec![self.text(property)?],
                    origin: property.origin.clone(),
                    rank,
                });
            }
            if setting.is_list() && values.is_empty() {
                values.extend(self.indexed(source, rank, key)?);
            } else if let Some(inside) = source.iter().find(|property| property.is_inside(key)) {
                return Err(ConfigError::InvalidSetting {
                    setting: inside.origin.to_string(),
                    value: inside.text.as_deref().map_or_else(String::new, shown),
                    reason: format!("{key} needs a text, not a list or a mapping"),
                });
            }
            if !values.is_empty() {
                return Ok(values);
            }
        }
        Ok(Vec::new())
    }

    /// Returns the list under `key` whose entries have names of their own.
    fn indexed(
        &self,
        source: &[Property],
        rank: usize,
        key: &str,
    ) -> Result<Option<Value>, ConfigError> {
        let mut entries = Vec::new();
        for property in source {
            if let Some(index) = property.index_in(key) {
                entries.push((index, property));
            } else if property.is_inside(key) {
                return Err(ConfigError::InvalidSetting {
                    setting: property.origin.to_string(),
                    value: property.text.as_deref().map_or_else(String::new, shown),
                    reason: format!("{key} needs a list of texts"),
                });
            }
        }
        entries.sort_by_key(|(index, _)| *index);
        // A variable may be looked up under two spellings of its name.
        entries.dedup_by(|(one, entry), (other, first)| one == other && entry.text == first.text);
        let mut list: Option<Value> = None;
        let mut previous = None;
        for (index, entry) in entries {
            let text = self.text(entry)?;
            if previous == Some(index) {
                return Err(ConfigError::InvalidSetting {
                    setting: entry.origin.to_string(),
                    value: shown(&text),
                    reason: "the same entry has another value under another name".to_owned(),
                });
            }
            previous = Some(index);
            match &mut list {
                Some(list) => list.texts.push(text),
                None => {
                    list = Some(Value {
                        texts: vec![text],
                        origin: entry.origin.clone(),
                        rank,
                    });
                }
            }
        }
        Ok(list)
    }

    /// Returns the text of `property` with its placeholders replaced.
    fn text(&self, property: &Property) -> Result<String, ConfigError> {
        let text = property.text.as_deref().unwrap_or_default();
        let text =
            placeholders::replace(text, &|name| self.placeholder(name)).map_err(|reason| {
                ConfigError::InvalidSetting {
                    setting: property.origin.to_string(),
                    value: shown(text),
                    reason,
                }
            })?;
        match (text.trim(), &property.origin) {
            ("", Origin::Variable(name)) => Err(ConfigError::EmptyVariable { name: name.clone() }),
            (text, _) => Ok(text.to_owned()),
        }
    }

    /// Returns the value of a name in a placeholder: a variable or another key.
    fn placeholder(&self, name: &str) -> Option<String> {
        if let Some(value) = (self.variable)(name) {
            return Some(value);
        }
        let mut properties = self.sources.iter().rev().flatten();
        let property = properties.find(|property| property.is_of(name) && property.text.is_some());
        property.and_then(|property| property.text.clone())
    }
}

impl Value {
    /// Returns the one text.
    pub(super) fn text(&self) -> &str {
        self.texts.first().map(String::as_str).unwrap_or_default()
    }

    /// Returns the entries of a list; a single text is a list separated by commas.
    pub(super) fn list(&self) -> Result<Vec<String>, ConfigError> {
        let texts: Vec<String> = match self.texts.as_slice() {
            [text] => text
                .split(',')
                .map(|entry| entry.trim().to_owned())
                .collect(),
            texts => texts.to_vec(),
        };
        if texts.iter().any(String::is_empty) {
            return Err(self.invalid("it contains an empty entry; remove it"));
        }
        Ok(texts)
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(super) fn url(&self) -> Result<IssuerUrl, ConfigError> {
        IssuerUrl::read(self.text()).map_err(|reason| self.invalid(reason))
    }

    /// Converts the error of a setting in code into that of the place where the value is written.
    pub(super) fn refused(&self, error: &ConfigError) -> ConfigError {
        match error {
            ConfigError::InvalidUrl { reason, .. } => self.invalid(reason),
            other => self.invalid(other),
        }
    }

    pub(super) fn invalid(&self, reason: impl fmt::Display) -> ConfigError {
        ConfigError::InvalidSetting {
            setting: self.origin.to_string(),
            value: self.shown(),
            reason: reason.to_string(),
        }
    }

    pub(super) fn conflict(&self, other: &Self) -> ConfigError {
        ConfigError::ConflictingValues {
            first: self.origin.to_string(),
            first_value: self.shown(),
            second: other.origin.to_string(),
            second_value: other.shown(),
        }
    }

    fn shown(&self) -> String {
        shown(&self.texts.join(","))
    }

    fn is_same(&self, setting: Setting, other: &Self) -> bool {
        let is_same_address = || match (self.url(), other.url()) {
            (Ok(one), Ok(other)) => one.is_same_address(&other),
            _ => false,
        };
        self.texts == other.texts
            || match setting {
                Setting::JwksUrl | Setting::BackendUrl | Setting::IdentityUrl => is_same_address(),
                Setting::IdentityType => self.text().eq_ignore_ascii_case(other.text()),
                Setting::Issuer | Setting::Audience | Setting::Audiences | Setting::Algorithms => {
                    false
                }
            }
    }
}
