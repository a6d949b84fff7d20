//! Token from the standard input.

use std::io::{self, IsTerminal as _, Read};

use serde_json::Value;

use super::{options::TokenSource, report::shown};

/// Longest input. A service accepts tokens of 16 KiB.
const MAX_INPUT_BYTES: u64 = 64 * 1024;

/// What the standard input has.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// JSON without a token, with a text about it.
    NoToken(String),
    None,
    Token(String),
}

/// Reads the input, if the source says so.
pub(super) fn read(source: TokenSource) -> Result<Input, String> {
    let stdin = io::stdin();
    let is_read = match source {
        TokenSource::Always => true,
        TokenSource::Never => false,
        TokenSource::Piped => !stdin.is_terminal(),
    };
    if !is_read {
        return Ok(Input::None);
    }
    let mut bytes = Vec::new();
    let read = stdin.lock().take(MAX_INPUT_BYTES).read_to_end(&mut bytes);
    read.map_err(|error| format!("the standard input cannot be read: {error}"))?;
    match (input(&String::from_utf8_lossy(&bytes)), source) {
        (Input::None, TokenSource::Always) => {
            Err("--token -: the standard input is empty".to_owned())
        }
        (input, _) => Ok(input),
    }
}

/// Returns the token in `text`: the token itself, an `Authorization` header, or the response of a token
/// endpoint (RFC 6749 §5).
fn input(text: &str) -> Input {
    let text = text.trim();
    if text.starts_with('{') {
        let response: Value = serde_json::from_str(text).unwrap_or_default();
        return match (&response["access_token"], &response["error"]) {
            (Value::String(token), _) => Input::Token(token.clone()),
            (_, Value::String(error)) => Input::NoToken(format!(
                "the token endpoint responded with the error \"{}\"",
                shown(error)
            )),
            _ => Input::NoToken("the input is JSON without `access_token`".to_owned()),
        };
    }
    let text = strip(strip(text, "authorization:"), "bearer ");
    if text.is_empty() {
        Input::None
    } else {
        Input::Token(text.to_owned())
    }
}

fn strip<'t>(text: &'t str, prefix: &str) -> &'t str {
    match text.split_at_checked(prefix.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(prefix) => rest.trim_start(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_each_form_in_which_people_have_it() {
        for text in [
            "a.b.c",
            " a.b.c\r\n",
            "Bearer a.b.c",
            "Authorization: Bearer a.b.c\n",
            r#"{"access_token": "a.b.c", "token_type": "Bearer"}"#,
        ] {
            assert_eq!(input(text), Input::Token("a.b.c".to_owned()), "{text}");
        }
        for text in ["", "\n", "Authorization: "] {
            assert_eq!(input(text), Input::None, "{text:?}");
        }
        for (text, words) in [
            (r#"{"error": "invalid_client"}"#, "\"invalid_client\""),
            (r#"{"error": "\u001b[31m"}"#, "\"\\u{1b}[31m\""),
            ("{}", "without `access_token`"),
            ("{", "without `access_token`"),
            (r#"{"access_token": 7}"#, "without `access_token`"),
        ] {
            let Input::NoToken(found) = input(text) else {
                panic!("{text}");
            };
            assert!(found.contains(words), "{found}");
        }
    }
}
