//! Documents that are often found in place of a key set or discovery document.

use std::borrow::Cow;

use crate::{
    json::{read_object, without_bom},
    keys::error::{KeyFetchError, KeyFetchErrorKind},
    url::shown,
};

/// Document that an issuer publishes for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Discovery,
    KeySet,
}

/// Returns the error for `text`, which is not the document that was expected. It names the kind of `text`,
/// if that is known.
pub(super) fn unexpected(
    text: &[u8],
    expected: Expected,
    problem: impl Into<Cow<'static, str>>,
) -> KeyFetchError {
    KeyFetchError::new(KeyFetchErrorKind::Json, problem)
        .with_hint(recognized(text, expected).as_deref())
}

/// Returns what `text` is instead of the expected document, and what to do; `None` if it is unknown.
fn recognized(text: &[u8], expected: Expected) -> Option<String> {
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
        Some(url) if expected == Expected::KeySet => Some(format!(
            "it is a discovery document, whose key set is at {:?}",
            shown(&url)
        )),
        _ if has_realm && has_public_key => Some(
            "it is the document of a Keycloak realm: below its URL, the key set is at \
             /protocol/openid-connect/certs, and the discovery document at \
             /.well-known/openid-configuration"
                .to_owned(),
        ),
        _ if has_keys && expected == Expected::Discovery => Some(
            "it is a key set: set its URL as that of the key set \
             (SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWK_SET_URI), not as the issuer"
                .to_owned(),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_documents_are_recognized() {
        let html = Some("HTML");
        let realm = Some("document of a Keycloak realm");
        for (text, for_key_set, for_discovery) in [
            ("<!DOCTYPE html><html></html>", html, html),
            ("\u{feff} \n<html/>", html, html),
            (
                r#"{"issuer":"https://a","jwks_uri":"https://user:secret@a/jwks?x"}"#,
                Some("discovery document, whose key set is at \"https://a/jwks?...\""),
                None,
            ),
            (
                r#"{"realm":"camunda-platform","public_key":"MII","token-service":"https://a"}"#,
                realm,
                realm,
            ),
            (r#"{"keys":[]}"#, None, Some("it is a key set")),
            (r#"{"keys":7}"#, None, Some("it is a key set")),
            ("{}", None, None),
            ("[]", None, None),
            ("", None, None),
            (r#"{"jwks_uri":7}"#, None, None),
            (r#"{"realm":1,"realm":2,"public_key":3}"#, None, None),
        ] {
            for (expected, kind) in [
                (Expected::KeySet, for_key_set),
                (Expected::Discovery, for_discovery),
            ] {
                let found = recognized(text.as_bytes(), expected);
                match kind {
                    Some(kind) => assert!(found.unwrap().contains(kind), "{text}"),
                    None => assert_eq!(found, None, "{text}"),
                }
            }
        }
    }
}
