//! Kinds of documents that are often found in place of a key set or discovery document.

use std::borrow::Cow;

use crate::{
    json::{read_object, without_bom},
    keys::error::{KeyFetchError, KeyFetchErrorKind},
    url::shown,
};

/// Returns the error for `text`, which is not the expected document. It names the kind of `text`, if that
/// is known.
pub(super) fn unexpected(text: &[u8], problem: impl Into<Cow<'static, str>>) -> KeyFetchError {
    let error = KeyFetchError::new(KeyFetchErrorKind::Json, problem);
    match recognized(text) {
        Some(kind) => error.with_hint(&kind),
        None => error,
    }
}

/// Returns what `text` is instead of the expected document, and what to do; `None` if it is unknown.
fn recognized(text: &[u8]) -> Option<String> {
    let text = without_bom(text);
    if text.trim_ascii_start().first() == Some(&b'<') {
        return Some(
            "it is an HTML or XML page: check the URL, and whether a login page or proxy answers"
                .to_owned(),
        );
    }
    let (mut key_set, mut has_keys, mut has_realm, mut has_public_key) =
        (None, false, false, false);
    let read = read_object(text, |member, value| {
        match member.name {
            "jwks_uri" => key_set = Some(value.text()?.into_owned()),
            name => {
                has_keys |= name == "keys";
                has_realm |= name == "realm";
                has_public_key |= name == "public_key";
                value.skip()?;
            }
        }
        Ok(())
    });
    read.ok()?;
    match key_set {
        Some(url) => Some(format!(
            "it is a discovery document, whose key set is at {:?}",
            shown(&url)
        )),
        None if has_realm && has_public_key => Some(
            "it is the document of a Keycloak realm: the key set is at \
             /protocol/openid-connect/certs below its URL"
                .to_owned(),
        ),
        None if has_keys => Some("it is a key set".to_owned()),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_documents_are_recognized() {
        for (text, kind) in [
            ("<!DOCTYPE html><html></html>", Some("HTML")),
            ("\u{feff} \n<html/>", Some("HTML")),
            (
                r#"{"issuer":"https://a","jwks_uri":"https://user:secret@a/jwks?x"}"#,
                Some("discovery document, whose key set is at \"https://a/jwks?...\""),
            ),
            (
                r#"{"realm":"camunda-platform","public_key":"MII","token-service":"https://a"}"#,
                Some("/protocol/openid-connect/certs"),
            ),
            (r#"{"keys":[]}"#, Some("key set")),
            ("{}", None),
            ("[]", None),
            ("", None),
            (r#"{"jwks_uri":7}"#, None),
            (r#"{"realm":1,"realm":2,"public_key":3}"#, None),
        ] {
            let found = recognized(text.as_bytes());
            match kind {
                Some(kind) => assert!(found.unwrap().contains(kind), "{text}"),
                None => assert_eq!(found, None, "{text}"),
            }
        }
    }
}
