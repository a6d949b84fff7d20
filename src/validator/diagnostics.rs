//! Details of rejections for the operator.

use std::sync::Arc;

use crate::url::shown;

/// Largest number of configured issuers in a log line.
const MAX_SHOWN_ISSUERS: usize = 4;

/// Returns a hint why `name` is none of the `known` issuers, which are configured. The hint contains no
/// part of `name`, which is unverified.
pub(super) fn near_miss<'k>(
    mut known: impl Iterator<Item = &'k str> + Clone,
    name: &str,
) -> Option<String> {
    if name.starts_with("https://sts.windows.net/") {
        return Some(
            "it is a version 1 token of Microsoft Entra: \
             set `requestedAccessTokenVersion` to 2 in the manifest of the API's app"
                .to_owned(),
        );
    }
    let is_same = |known: &&str| core(known).eq_ignore_ascii_case(core(name));
    if let Some(near) = known.clone().find(is_same) {
        return Some(format!(
            "it differs from `{near}` only in scheme, case or a slash at the end"
        ));
    }
    let near = known.find(|known| has_same_path(known, name))?;
    Some(format!("it differs from `{near}` only in host or port"))
}

/// Returns a text that names up to 4 of the configured issuers.
pub(super) fn known_issuers<'k>(names: impl Iterator<Item = &'k str>) -> Arc<str> {
    let mut names: Vec<_> = names.map(shown).collect();
    names.sort_unstable();
    let hidden = names.len().saturating_sub(MAX_SHOWN_ISSUERS);
    names.truncate(MAX_SHOWN_ISSUERS);
    match hidden {
        0 => format!("configured: {names:?}"),
        _ => format!("configured: {names:?} and {hidden} more"),
    }
    .into()
}

/// Returns whether two issuer names differ only in host or port.
fn has_same_path(one: &str, other: &str) -> bool {
    fn path(name: &str) -> Option<&str> {
        core(name).split_once('/').map(|(_, path)| path)
    }
    path(one).is_some_and(|one| path(other) == Some(one))
}

/// Returns an issuer's name without its scheme and final slashes.
fn core(name: &str) -> &str {
    let name = name.trim_end_matches('/');
    name.split_once("://").map_or(name, |(_, rest)| rest)
}

/// Returns the audiences of a verified token and the expected ones, for a log line.
pub(super) fn other_audience<'a>(
    found: impl Iterator<Item = &'a str>,
    expected: impl Iterator<Item = &'a str>,
) -> String {
    format!(
        "found {:?}, expected {:?}",
        excerpt(found),
        excerpt(expected)
    )
}

/// Returns at most 4 values of at most 64 characters each.
fn excerpt<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    values
        .take(4)
        .map(|value| value.chars().take(64).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_of_the_configured_issuers_are_named() {
        let names = [
            "https://b/",
            "https://a/",
            "https://u:secret@c/",
            "https://d/",
            "https://e/",
        ];
        assert_eq!(
            &*known_issuers(names.into_iter()),
            r#"configured: ["https://a/", "https://b/", "https://c/", "https://d/"] and 1 more"#
        );
        assert_eq!(
            &*known_issuers(["https://a/"].into_iter()),
            r#"configured: ["https://a/"]"#
        );
    }

    #[test]
    fn a_near_miss_has_a_hint_and_nothing_else_has() {
        let known = ["https://a.example/realms/b", "https://c.example/"];
        let hint = |name| near_miss(known.into_iter(), name);
        for near in [
            "http://a.example/realms/b",
            "https://a.example/realms/b/",
            "https://A.example/Realms/b",
            "a.example/realms/b",
        ] {
            assert!(
                hint(near).unwrap().contains("`https://a.example/realms/b`"),
                "{near}"
            );
        }
        assert!(
            hint("https://c.example")
                .unwrap()
                .contains("`https://c.example/`")
        );
        assert!(
            hint("https://sts.windows.net/x/")
                .unwrap()
                .contains("Entra")
        );
        for near in [
            "https://b.example/realms/b",
            "http://a.example:8080/realms/b/",
        ] {
            assert!(
                hint(near).unwrap().contains("only in host or port"),
                "{near}"
            );
        }
        for other in [
            "",
            "https://d.example/",
            "https://a.example",
            "https://a.example/realms/bb",
            "://",
        ] {
            assert_eq!(hint(other), None, "{other}");
        }
    }

    #[test]
    fn audiences_are_cut_short() {
        let many = ["a", "b", "c", "d", "e"].into_iter();
        let long = "x".repeat(65);
        let told = other_audience(many, [long.as_str()].into_iter());
        let shown = "x".repeat(64);
        assert_eq!(
            told,
            format!("found [\"a\", \"b\", \"c\", \"d\"], expected [\"{shown}\"]")
        );
    }
}
