//! Path of a rejected request, in a form that a response may contain.

use std::{borrow::Cow, fmt::Write as _};

/// Longest path in a rejection. A longer path is cut between two characters or escapes.
const MAX_BYTES: usize = 256;

/// Returns `path` as a relative reference of at most [`MAX_BYTES`] bytes, which cannot name a host
/// or a scheme ([RFC 3986 §4.2](https://www.rfc-editor.org/rfc/rfc3986#section-4.2)).
///
/// 1. Characters that a path may contain, and escapes, stay as they are.
/// 2. All others are percent-encoded.
/// 3. So is the second slash of a path that begins with two (`//host`), and a colon in a path that
///    begins with no slash (`scheme:`).
pub(super) fn relative(path: &str) -> Cow<'_, str> {
    let is_usual = path.len() <= MAX_BYTES
        && path.starts_with('/')
        && !path.starts_with("//")
        && path.chars().all(is_path_char);
    if is_usual {
        Cow::Borrowed(path)
    } else {
        Cow::Owned(escaped(path))
    }
}

fn escaped(path: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut escaped = String::with_capacity(path.len().min(MAX_BYTES));
    let mut rest = path;
    while let Some((unit, tail)) = split_unit(rest) {
        let is_kept = match unit {
            "/" => escaped != "/",
            ":" => is_absolute,
            _ => unit.len() == 3 && is_escape(unit) || unit.chars().all(is_path_char),
        };
        let bytes = if is_kept {
            unit.len()
        } else {
            unit.len().saturating_mul(3)
        };
        if escaped.len().saturating_add(bytes) > MAX_BYTES {
            break;
        }
        if is_kept {
            escaped.push_str(unit);
        } else {
            for byte in unit.bytes() {
                write!(escaped, "%{byte:02X}").expect("writing to a String does not fail");
            }
        }
        rest = tail;
    }
    escaped
}

/// Splits off the first escape, or else the first character.
fn split_unit(text: &str) -> Option<(&str, &str)> {
    let first = text.chars().next()?;
    text.split_at_checked(if is_escape(text) { 3 } else { first.len_utf8() })
}

/// Returns whether `text` begins with `pct-encoded` (RFC 3986 §2.1).
fn is_escape(text: &str) -> bool {
    matches!(text.as_bytes(), [b'%', high, low, ..]
        if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

/// Returns whether a path may contain the character: `pchar` without escapes, or `/` (RFC 3986
/// §3.3).
fn is_path_char(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/".contains(character)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn r64_usual_paths_stay_as_they_are() {
        for path in [
            "",
            "*",
            "/",
            "/api/v1/info",
            "/a/../b/./c",
            "/a//b",
            "/milestones/compare/1...2",
            "/files/%C3%A4%2f",
            "/~a-b_c.d/!$&'()*+,;=:@",
        ] {
            assert_eq!(relative(path), path);
        }
    }

    #[test]
    fn a89_other_characters_are_escaped() {
        for (path, expected) in [
            ("/\"}\\", "/%22%7D%5C"),
            ("/<script>", "/%3Cscript%3E"),
            ("/ä€", "/%C3%A4%E2%82%AC"),
            ("/%", "/%25"),
            ("/%4", "/%254"),
            ("/%g0%00", "/%25g0%00"),
            ("/%%41", "/%25%41"),
            ("/a b\r\n\0", "/a%20b%0D%0A%00"),
            ("/a?b#c", "/a%3Fb%23c"),
            ("//evil.example/", "/%2Fevil.example/"),
            ("///evil.example", "/%2F/evil.example"),
            ("/\\evil.example", "/%5Cevil.example"),
            ("javascript:alert(1)", "javascript%3Aalert(1)"),
        ] {
            assert_eq!(relative(path), expected);
        }
    }

    #[test]
    fn a89_a_long_path_is_cut_between_characters_and_escapes() {
        let long = format!("/{}", "a".repeat(8191));
        assert_eq!(relative(&long), long[..256]);
        for start in 0..6 {
            let start = "a".repeat(start);
            let escapes = escaped(&format!("/{start}{}", "%C3%A4".repeat(1365)));
            assert!((254..=256).contains(&escapes.len()), "{escapes}");
            assert_eq!((escapes.len() - start.len() - 1) % 3, 0, "{escapes}");
            let characters = escaped(&format!("/{start}{}", "ä".repeat(4096)));
            assert!((251..=256).contains(&characters.len()), "{characters}");
            assert_eq!((characters.len() - start.len() - 1) % 6, 0, "{characters}");
        }
    }

    proptest! {
        #[test]
        fn a89_no_path_leaves_its_place(path in "(/|//|)(\\PC|[%/:\"0-9A-F]){0,120}") {
            let escaped = relative(&path).into_owned();
            prop_assert!(escaped.len() <= MAX_BYTES);
            prop_assert!(escaped.bytes().all(|byte| byte == b'%' || is_path_char(byte.into())));
            prop_assert!(!escaped.starts_with("//"));
            let base = ::url::Url::parse("https://service.example/a").unwrap();
            let joined = base.join(&escaped).unwrap();
            prop_assert_eq!(joined.host_str(), Some("service.example"));
            prop_assert_eq!((joined.query(), joined.fragment()), (None, None));
        }
    }
}
