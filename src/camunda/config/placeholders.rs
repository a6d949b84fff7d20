//! Placeholders in values: `${NAME}` and `${NAME:default}`.

use crate::url::shown;

/// Most placeholders that one value may lead to, and most bytes of the result.
const MAX_REPLACED: usize = 100;
const MAX_BYTES: usize = 8 << 10;

/// Replaces the placeholders in `text`, with the values that `value_of` returns for their names.
///
/// 1. A name ends at the first colon outside an inner placeholder; the rest is the default. It is
///    read only if the name has no value.
/// 2. A name and a default may contain placeholders themselves, and so may values.
/// 3. A placeholder ends at the `}` that closes it. `${` without that stays as it is, and so does
///    all that follows.
/// 4. `\${` stands for `${`.
///
/// This is what Spring Framework 6.2 does. The error names the problem, and shows no default.
pub(super) fn replace(
    text: &str,
    value_of: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let mut replaced = 0;
    Replacement {
        value_of,
        replaced: &mut replaced,
    }
    .text(text)
}

/// Returns `text` for an error, without the defaults of its placeholders: one may be a password.
pub(super) fn without_defaults(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        shown.push_str(before);
        shown.push_str("${");
        let (inner, end, after) = match end_of(after) {
            Some(end) => {
                let (inner, after) = after.split_at(end);
                (inner, "}", after.get(1..).unwrap_or_default())
            }
            None => (after, "", ""),
        };
        match inner.split_once(':') {
            Some((name, _)) => {
                shown.push_str(name);
                shown.push_str(":...");
            }
            None => shown.push_str(inner),
        }
        shown.push_str(end);
        rest = after;
    }
    shown.push_str(rest);
    shown
}

struct Replacement<'r> {
    value_of: &'r dyn Fn(&str) -> Option<String>,
    /// Number of placeholders so far, which also bounds the recursion.
    replaced: &'r mut usize,
}

impl Replacement<'_> {
    fn text(&mut self, text: &str) -> Result<String, String> {
        let mut whole = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            if let Some(before) = before.strip_suffix('\\') {
                whole.push_str(before);
                whole.push_str("${");
                rest = after;
                continue;
            }
            let Some(end) = end_of(after) else { break };
            let (inner, after) = after.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            whole.push_str(before);
            whole.push_str(&self.placeholder(inner)?);
            if whole.len().saturating_add(rest.len()) > MAX_BYTES {
                return Err(format!(
                    "its placeholders make it longer than {MAX_BYTES} bytes"
                ));
            }
        }
        whole.push_str(rest);
        Ok(whole)
    }

    /// Returns the value of the placeholder `${inner}`.
    fn placeholder(&mut self, inner: &str) -> Result<String, String> {
        *self.replaced = self.replaced.saturating_add(1);
        if *self.replaced > MAX_REPLACED {
            return Err(format!(
                "it leads to more than {MAX_REPLACED} placeholders: one may contain itself"
            ));
        }
        let (name, default) = split(inner);
        let name = self.text(name)?;
        let name = name.trim();
        match ((self.value_of)(name), default) {
            (Some(value), _) => self.text(&value),
            (None, Some(default)) => self.text(default),
            (None, None) => {
                let name = shown(name);
                Err(format!(
                    "the placeholder ${{{name}}} has no value: set the variable {name}, or write a \
                     default as in ${{{name}:default}}"
                ))
            }
        }
    }
}

/// Returns the place of the `}` that closes the placeholder in which `text` begins.
fn end_of(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (place, byte) in text.bytes().enumerate() {
        match (byte, open) {
            (b'{', _) => open = open.saturating_add(1),
            (b'}', 0) => return Some(place),
            (b'}', _) => open = open.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Splits the inside of a placeholder at the first colon outside an inner placeholder.
fn split(inner: &str) -> (&str, Option<&str>) {
    let mut open = 0_usize;
    for (place, byte) in inner.bytes().enumerate() {
        match (byte, open) {
            (b'{', _) => open = open.saturating_add(1),
            (b'}', _) => open = open.saturating_sub(1),
            (b':', 0) => {
                let (name, default) = inner.split_at(place);
                return (name, default.get(1..));
            }
            _ => {}
        }
    }
    (inner, None)
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
                "OPEN" => "${",
                "CLOSE" => "a}b",
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
            ("${HOST:${NONE}}", "keycloak"),
            ("${HOST ${HOST}", "${HOST ${HOST}"),
            ("${NONE:{\"a\":1}}", "{\"a\":1}"),
            ("${ HOST :b}", "keycloak"),
            ("${OPEN}HOST}", "${HOST}"),
            ("${OTHER:${CLOSE}y}", "a}by"),
            ("a\\${HOST:b}\\c ${HOST}", "a${HOST:b}\\c keycloak"),
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
    fn r50_defaults_are_not_shown() {
        for (text, expected) in [
            ("plain: text", "plain: text"),
            (
                "https://${HOST}:${PW:s3cret}/",
                "https://${HOST}:${PW:...}/",
            ),
            ("${A:${B:s3cret}} ${C:x}", "${A:...} ${C:...}"),
            ("${${A:s3cret}}", "${${A:...}"),
            ("${A:s3cret", "${A:..."),
        ] {
            assert_eq!(without_defaults(text), expected);
        }
        let error = replaced("${NONE}${PW:s3cret}").unwrap_err();
        assert!(!error.contains("s3cret"), "{error}");
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
        for (open, close) in [("${", "}"), ("${NONE:", "}"), ("${a", ":}")] {
            let deep = open.repeat(50_000) + &close.repeat(50_000);
            assert!(replaced(&deep).unwrap_err().contains("contain itself"));
        }
        assert!(replaced(&"}".repeat(100_000)).is_ok());
    }
}
