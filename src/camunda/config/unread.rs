//! Variables with configuration that is not read.

use crate::camunda::config::{
    locations,
    properties::{Origin, Property},
    setting::{Form, NameKind},
};

/// Variables with options of a Java process.
const JAVA_OPTIONS: [&str; 5] = [
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "JAVA_OPTIONS",
    "JAVA_OPTS",
    "_JAVA_OPTIONS",
];

/// Returns descriptions of the configuration that the property stands for and that is not read.
pub(super) fn unread(property: &Property) -> Vec<String> {
    let Origin::Variable(name) = &property.origin else {
        return Vec::new();
    };
    if Form::Variable.is_same(name, "spring.application.json") {
        return vec![property.origin.to_string()];
    }
    if !JAVA_OPTIONS.contains(&name.as_str()) {
        return Vec::new();
    }
    let options = property.text.as_deref().unwrap_or_default();
    let options = options.split_whitespace();
    let names = options.filter_map(|option| {
        let option = option.trim_matches(['"', '\'']).strip_prefix("-D")?;
        Some(option.split_once('=').map_or(option, |(name, _)| name))
    });
    let is_ours = |name: &&str| {
        Form::Key.classify(name) != NameKind::Foreign || locations::is_about_files(name)
    };
    let ours = names.filter(is_ours);
    ours.map(|option| {
        format!(
            "option -D{} of {}",
            crate::url::shown(option),
            property.origin
        )
    })
    .collect()
}
