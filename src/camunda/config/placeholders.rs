//! Placeholders in values: `${NAME}` and `${NAME:default}`.

use crate::url::shown;

/// Most placeholders that one value may lead to, and most bytes of the result.
const MAX_REPLACED: usize = 100;
const MAX_BYTES: usize = 8 << 10;

/// Replaces the placeholders in `text`, with the values that `value_of` returns for their names.
///
/// 1. A name and a default may contain placeholders themselves, and so may values.
/// 2. A name ends at the first colon outside an inner placeholder; the rest is the default.
/// 3. `${` without `}` stays as it is.
///
/// The error names the problem.
pub(super) fn replace(
    text: &str,
    value_of: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    // The innermost placeholder that ends first is replaced, until none is left. Only what follows
    // an unclosed `${` is left over.
    let mut text = text.to_owned();
    for _ in 0..=MAX_REPLACED {
        let Some((start, end)) = innermost(&text) else {
            return Ok(text);
        };
        let inner = text.get(start.saturating_add(2)..end).unwrap_or_default();
        let value = if let Some(value) = value_of(inner) {
            value
        } else if let Some((name, default)) = inner.split_once(':') {
            value_of(name).unwrap_or_else(|| default.to_owned())
        } else {
            let inner = shown(inner);
            return Err(format!(
                "the placeholder ${{{inner}}} has no value: set the variable {inner}, or write a \
                 default as in ${{{inner}:default}}"
            ));
        };
        text.replace_range(start..=end, &value);
        if text.len() > MAX_BYTES {
            return Err(format!(
                "its placeholders make it longer than {MAX_BYTES} bytes"
            ));
        }
    }
    Err(format!(
        "it leads to more than {MAX_REPLACED} placeholders: one may contain itself"
    ))
}

/// Returns the first `}` that ends a placeholder, and the `${` before it.
fn innermost(text: &str) -> Option<(usize, usize)> {
    let first = text.find("${")?;
    let end = first.saturating_add(text.get(first..)?.find('}')?);
    Some((text.get(..end)?.rfind("${")?, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(text: &str) -> Result<String, String> {
        replace(text, &|name| {
            let value = match name {
                "HOST" => "keycloak",
                "NAME" => "HOST",
                "EMPTY" => "",
                "INDIRECT" => "${HOST}:${PORT:80}",
                "LOOP" => "${LOOP}",
                "TWICE" => "${TWICE}${TWICE}",
                "LONG" => return Some("x".repeat(5000)),
                _ => return None,
            };
            Some(value.to_owned())
        })
    }

    #[test]
    fn placeholders_are_replaced() {
        for (text, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("http://${HOST}/a", "http://keycloak/a"),
            ("http://${HOST:localhost}:18080", "http://keycloak:18080"),
            ("http://${OTHER:localhost}:18080", "http://localhost:18080"),
            ("${OTHER:}", ""),
            ("${EMPTY:default}", ""),
            ("${OTHER:http://a:1/b}", "http://a:1/b"),
            ("${OTHER:${HOST}}", "keycloak"),
            ("${OTHER:${ANOTHER:${THIRD:c}}}", "c"),
            ("${${NAME}}", "keycloak"),
            ("${INDIRECT}", "keycloak:80"),
            ("${HOST}${HOST}", "keycloakkeycloak"),
            ("$HOST {HOST} }", "$HOST {HOST} }"),
            ("a } ${HOST}", "a } keycloak"),
            ("${HOST", "${HOST"),
        ] {
            assert_eq!(replaced(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_placeholder_without_a_value_is_an_error_that_names_it() {
        for (text, name) in [("a${OTHER}b", "OTHER"), ("${HOST}${ANOTHER}", "ANOTHER")] {
            let error = replaced(text).unwrap_err();
            assert!(
                error.contains(&format!("set the variable {name},")),
                "{error}"
            );
        }
    }

    #[test]
    fn a88_placeholders_are_bounded() {
        for text in ["${LOOP}", "${TWICE}", &"${LOOP}".repeat(10)] {
            assert!(
                replaced(text).unwrap_err().contains("contain itself"),
                "{text}"
            );
        }
        assert!(replaced("${LONG}${LONG}").unwrap_err().contains("longer"));
        assert!(replaced(&"${".repeat(100_000)).is_ok());
        assert!(replaced(&"}".repeat(100_000)).is_ok());
    }
}
