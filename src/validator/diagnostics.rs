//! Details of rejections for the operator.

use std::sync::Arc;

use crate::{entra, url::shown};

/// Largest number of configured issuers in a log line.
const MAX_SHOWN_ISSUERS: usize = 4;

/// Returns a hint why `name` is none of the `known` issuers, which are configured. The hint contains no
/// part of `name`, which is unverified.
pub(super) fn near_miss<'k>(
    mut known: impl Iterator<Item = &'k str> + Clone,
    name: &str,
) -> Option<String> {
    if let Some(tenant) = entra::version_1_tenant(name) {
        // Only the tokens of a configured tenant can become acceptable.
        let is_its_tenant = |known| {
            entra::version_2_tenant(known).is_some_and(|(_, id)| id.eq_ignore_ascii_case(tenant))
        };
        if known.clone().any(is_its_tenant) {
            return Some(
                "it is a version 1 token of Microsoft Entra: \
                 set `requestedAccessTokenVersion` to 2 in the manifest of the API's app"
                    .to_owned(),
            );
        }
    }
    let is_same = |known: &&str| core(known).eq_ignore_ascii_case(core(name));
    if let Some(near) = known.clone().find(is_same) {
        return Some(format!(
            "it differs from `{}` only in scheme, case or a slash at the end",
            shown(near)
        ));
    }
    if let Some(near) = known.clone().find(|known| has_same_host(known, name)) {
        return Some(format!(
            "it has the host and path of `{}`, but another port",
            shown(near)
        ));
    }
    let near = known.find(|known| has_same_path(known, name))?;
    Some(format!(
        "it has the path of `{}`, but another host",
        shown(near)
    ))
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

/// Returns whether two issuer names have the same host and path.
fn has_same_host(known: &str, name: &str) -> bool {
    let [(known_host, known_path), (host, path)] = [known, name].map(host_and_path);
    known_host.eq_ignore_ascii_case(host) && known_path == path
}

/// Returns whether two issuer names have the same path, which is not empty.
fn has_same_path(known: &str, name: &str) -> bool {
    let [(_, known), (_, path)] = [known, name].map(host_and_path);
    known.is_some() && known == path
}

/// Returns the host without its port, and the path, of an issuer's name.
fn host_and_path(name: &str) -> (&str, Option<&str>) {
    let name = core(name);
    let (authority, path) = match name.split_once('/') {
        Some((authority, path)) => (authority, Some(path)),
        None => (name, None),
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    match authority.rsplit_once(':') {
        Some((host, port)) if is_port(port) => (host, path),
        _ => (authority, path),
    }
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
        for (near, text) in [
            ("https://b.example/realms/b", "but another host"),
            ("https://b.example:8443/realms/b", "but another host"),
            (
                "http://a.example:8080/realms/b/",
                "`https://a.example/realms/b`, but another port",
            ),
            (
                "https://c.example:8443",
                "`https://c.example/`, but another port",
            ),
            (
                "https://C.example:8443/",
                "`https://c.example/`, but another port",
            ),
        ] {
            assert!(hint(near).unwrap().contains(text), "{near}");
        }
        for other in [
            "",
            "https://d.example/",
            "https://a.example",
            "https://a.example:8443/realms",
            "https://c.example:x",
            "https://[c.example]:1",
            "https://a.example/realms/bb",
            "https://sts.windows.net/realms/",
            "://",
        ] {
            assert_eq!(hint(other), None, "{other}");
        }
    }

    #[test]
    fn the_version_of_entra_is_named_only_for_a_configured_tenant() {
        let hint = |known: &'static str, name| near_miss([known].into_iter(), name);
        let entra = "https://login.microsoftonline.com/ABC/v2.0";
        let found = hint(entra, "https://sts.windows.net/abc/").unwrap();
        assert!(found.contains("requestedAccessTokenVersion"), "{found}");
        for (known, name) in [
            (entra, "https://sts.windows.net/other/"),
            ("https://a.example/abc/v2.0", "https://sts.windows.net/abc/"),
            (
                "https://sts.windows.net/abc/",
                "https://sts.windows.net/other/",
            ),
        ] {
            assert_eq!(hint(known, name), None, "{known} {name}");
        }
    }

    #[test]
    fn audiences_are_cut_short() {
        let many = ["a", "b", "c", "d", "e"].into_iter();
        let long = "x".repeat(65);
        let text = other_audience(many, [long.as_str()].into_iter());
        let shown = "x".repeat(64);
        assert_eq!(
            text,
            format!("found [\"a\", \"b\", \"c\", \"d\"], expected [\"{shown}\"]")
        );
    }
}
