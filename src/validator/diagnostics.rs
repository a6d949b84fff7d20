//! Details of rejections for the operator.

/// Returns a hint why `name` is none of the `known` issuers, which are configured. The hint contains no
/// part of `name`, which is unverified.
pub(super) fn near_miss<'k>(
    mut known: impl Iterator<Item = &'k str>,
    name: &str,
) -> Option<String> {
    if name.starts_with("https://sts.windows.net/") {
        return Some(
            "it is a version 1 token of Microsoft Entra: \
             set `requestedAccessTokenVersion` to 2 in the manifest of the API's app"
                .to_owned(),
        );
    }
    let known = known.find(|known| core(known).eq_ignore_ascii_case(core(name)))?;
    Some(format!(
        "it differs from `{known}` only in scheme, case or a slash at the end"
    ))
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
        for other in [
            "",
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
