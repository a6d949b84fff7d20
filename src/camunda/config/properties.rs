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

    /// Returns whether the property is the list under `key`, or an entry of it.
    pub(super) fn is_of_list(&self, key: &str) -> bool {
        self.origin.form().is_of_list(self.origin.name(), key)
    }

    /// Returns the error of a value that cannot be used. Defaults of placeholders are not shown.
    pub(super) fn invalid(&self, reason: impl Into<String>) -> ConfigError {
        let text = self.text.as_deref().unwrap_or_default();
        ConfigError::InvalidSetting {
            setting: self.origin.to_string(),
            value: shown(&placeholders::without_defaults(text)),
            reason: reason.into(),
        }
    }

    /// Returns an error if a list or mapping stands where `key` needs a text, or anything but a list
    /// of texts where it needs a list. The error shows no value: it may belong to something else.
    fn check_form(&self, key: &str, is_list: bool) -> Result<(), ConfigError> {
        let Origin::File {
            file,
            line,
            key: name,
        } = &self.origin
        else {
            return Ok(());
        };
        let rest = Form::Key.rest(name, key);
        let is_inside = rest.is_some_and(|rest| rest.starts_with(['.', '[']));
        if !is_inside || (is_list && Form::Key.index(name, key).is_some()) {
            return Ok(());
        }
        let needed = if is_list {
            "a text or a list of texts"
        } else {
            "a text, not a list or a mapping"
        };
        Err(ConfigError::InvalidFile {
            file: file.to_string(),
            line: Some(*line),
            reason: format!("`{}` cannot be used: {key} needs {needed}", shown(name)),
        })
    }
}

/// Returns the properties of the list under `key` in one source: the one with the whole list, or one
/// for each entry, in order.
pub(super) fn entries<'p>(
    source: &'p [Property],
    key: &str,
) -> Result<Vec<&'p Property>, ConfigError> {
    let indexed = source.iter().filter(|property| property.is_of_list(key));
    let mut found: Vec<_> = indexed
        .map(|property| {
            let origin = &property.origin;
            (origin.form().index(origin.name(), key), property)
        })
        .collect();
    // The whole list comes first.
    found.sort_by_key(|(index, _)| *index);
    // A variable may be looked up under two spellings of its name.
    found.dedup_by(|(one, entry), (other, first)| one == other && entry.text == first.text);
    let mut expected = 0_usize;
    let mut whole: Option<&Property> = None;
    for (index, property) in &found {
        match (index, whole) {
            (None, None) => whole = Some(property),
            (Some(_), Some(whole)) => {
                return Err(property.invalid(format!(
                    "{} has the whole list: write all entries there, or each with its index",
                    whole.origin
                )));
            }
            (Some(index), None) if *index == expected => {
                expected = expected.saturating_add(1);
            }
            (Some(index), None) if *index > expected => {
                return Err(property.invalid(format!(
                    "the list has no entry {expected}: number its entries from 0 without a gap"
                )));
            }
            (Some(_) | None, _) => {
                return Err(property.invalid(
                    "the same entry has another value under another name: remove one of them",
                ));
            }
        }
    }
    Ok(found.into_iter().map(|(_, property)| property).collect())
}

/// All properties. Those of a later source win over those of an earlier one.
pub(super) struct Properties<'v> {
    pub(super) sources: Vec<&'v [Property]>,
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

impl<'v> Properties<'v> {
    pub(super) fn all(&self) -> impl Iterator<Item = &'v Property> {
        self.sources.iter().copied().flatten()
    }

    /// Checks that each setting has a value of the right form, in every source.
    pub(super) fn check_forms(&self) -> Result<(), ConfigError> {
        for property in self.all() {
            for setting in Setting::ALL {
                for key in setting.keys() {
                    property.check_form(key, setting.is_list())?;
                }
            }
        }
        Ok(())
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
            if setting.is_list() {
                values.extend(self.list(source, rank, key)?);
            } else {
                for property in source.iter().filter(|property| property.is_of(key)) {
                    if let Some(text) = self.set_text(property)? {
                        values.push(Value {
                            texts: vec![text],
                            origin: property.origin.clone(),
                            rank,
                        });
                    }
                }
            }
            if !values.is_empty() {
                return Ok(values);
            }
        }
        Ok(Vec::new())
    }

    fn list(
        &self,
        source: &[Property],
        rank: usize,
        key: &str,
    ) -> Result<Option<Value>, ConfigError> {
        let entries = entries(source, key)?;
        let texts = entries.iter().map(|entry| self.set_text(entry));
        let texts: Vec<_> = texts.collect::<Result<_, _>>()?;
        let Some(first) = entries.first() else {
            return Ok(None);
        };
        if first.is_of(key) && texts.iter().all(Option::is_none) {
            return Ok(None);
        }
        Ok(Some(Value {
            texts: texts.into_iter().map(Option::unwrap_or_default).collect(),
            origin: first.origin.clone(),
            rank,
        }))
    }

    /// Returns the text of `property` with its placeholders replaced; `None` if it is not set. An
    /// empty text in a file means that, since Camunda's charts write such texts. In a variable it is
    /// an error.
    pub(super) fn set_text(&self, property: &Property) -> Result<Option<String>, ConfigError> {
        let text = self.text(property)?;
        match (text.as_str(), &property.origin) {
            ("", Origin::Variable(name)) => Err(ConfigError::EmptyVariable { name: name.clone() }),
            ("", Origin::File { .. }) => Ok(None),
            _ => Ok(Some(text)),
        }
    }

    /// Returns the text of `property` with its placeholders replaced.
    pub(super) fn text(&self, property: &Property) -> Result<String, ConfigError> {
        let text = property.text.as_deref().unwrap_or_default();
        let text = placeholders::replace(text, &|name| self.placeholder(name));
        let text = text.map_err(|reason| property.invalid(reason))?;
        Ok(text.trim().to_owned())
    }

    /// Returns the value of a name in a placeholder: a variable or another key.
    fn placeholder(&self, name: &str) -> Option<String> {
        if let Some(value) = (self.variable)(name) {
            return Some(value);
        }
        let mut properties = self.sources.iter().rev().copied().flatten();
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

    /// Returns whether the value is from a source that wins over that of `other`.
    pub(super) fn outranks(&self, other: &Self) -> bool {
        self.rank > other.rank
    }

    pub(super) fn shown(&self) -> String {
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
