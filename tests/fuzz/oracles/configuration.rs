//! Oracle for configuration files.

use std::collections::BTreeMap;

use serde_json::Value;

use super::readers::{read_configuration, replace_placeholders};

/// A configuration file. A file that is also JSON has the leaves of the JSON value.
pub fn configuration(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Some(documents) = read_configuration(text) else {
        return;
    };
    for document in &documents {
        assert!(document.len() <= 10_000);
        for (key, text) in document {
            assert!((1..=1024).contains(&key.len()), "{key}");
            let Some(text) = text else { continue };
            for value in ["value", text, "${a}${a}"] {
                // Texts without placeholders have no bound but that of the file.
                let replaced = replace_placeholders(text, value);
                assert!(replaced.is_none_or(|replaced| replaced.len() <= text.len().max(8 << 10)));
            }
        }
    }
    // YAML has other escapes, and keys may contain what separates them.
    let Ok(Value::Object(root)) = serde_json::from_str(text) else {
        return;
    };
    if data.contains(&b'\\') || text.contains("<<") {
        return;
    }
    let mut leaves = BTreeMap::new();
    let mut waiting: Vec<_> = root
        .iter()
        .map(|(key, value)| (key.clone(), value))
        .collect();
    while let Some((key, value)) = waiting.pop() {
        match value {
            Value::Object(members) => {
                let dot = if key.is_empty() { "" } else { "." };
                let children = members.iter();
                waiting.extend(children.map(|(name, value)| (format!("{key}{dot}{name}"), value)));
            }
            Value::Array(values) => {
                let entries = values.iter().enumerate();
                waiting.extend(entries.map(|(index, value)| (format!("{key}[{index}]"), value)));
            }
            Value::String(text) => {
                leaves.insert(key, Some(text.clone()));
            }
            Value::Null => {
                leaves.insert(key, None);
            }
            Value::Bool(_) | Value::Number(_) => {
                leaves.insert(key, Some(String::new()));
            }
        }
    }
    let [document] = documents.as_slice() else {
        assert!(leaves.is_empty());
        return;
    };
    leaves.remove("");
    let mut found: BTreeMap<_, _> = document.iter().cloned().collect();
    for (key, text) in &leaves {
        let found = found.remove(key);
        match text.as_deref() {
            // The text of a number is as it is written.
            Some("") => assert!(found.is_some(), "{key}"),
            // YAML folds line breaks and strips white space around them.
            Some(text) if text.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) => {}
            text => assert_eq!(found, Some(text.map(str::to_owned)), "{key}"),
        }
    }
    assert!(found.is_empty(), "{found:?}");
}
