//! The `Authorization` header of a request
//! ([RFC 6750 §2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1),
//! [RFC 9110 §11](https://www.rfc-editor.org/rfc/rfc9110#section-11)).

use http::{HeaderMap, header::AUTHORIZATION};

use crate::{error::reason::Reason, token::presented_token::PresentedToken};

/// Longer tokens are rejected before anything is decoded.
pub(crate) const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Credentials in the `Authorization` header of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Credentials<'r> {
    /// Token whose characters are not checked yet.
    Bearer(PresentedToken<'r>),
    /// Another scheme, e.g. Basic.
    Other,
    Absent,
}

/// Returns the credentials of a request. Only the header counts: a token in a query string, a cookie
/// or a form is never read (RFC 6750 §5.3).
pub(crate) fn credentials(headers: &HeaderMap) -> Result<Credentials<'_>, Reason> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(Credentials::Absent);
    };
    if values.next().is_some() {
        // Two parties could otherwise read different tokens (RFC 9110 §5.5).
        return Err(Reason::SeveralAuthorizations);
    }
    parse(value.as_bytes())
}

fn parse(value: &[u8]) -> Result<Credentials<'_>, Reason> {
    const SCHEME: &[u8] = b"bearer";
    let Some((scheme, rest)) = value.split_at_checked(SCHEME.len()) else {
        return Ok(Credentials::Other);
    };
    // A longer scheme name such as `BearerX` is another scheme.
    if !scheme.eq_ignore_ascii_case(SCHEME) || rest.first().is_some_and(|&byte| is_tchar(byte)) {
        return Ok(Credentials::Other);
    }
    let token = without_leading_spaces(rest);
    if token.len() == rest.len() {
        return Err(Reason::MalformedAuthorization);
    }
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Reason::TokenTooLong);
    }
    Ok(Credentials::Bearer(PresentedToken::Header(token)))
}

/// Returns the mistake in an `Authorization` header that has a token in a wrong form, and its correction.
/// The text contains no part of the header.
pub(crate) fn header_mistake(headers: &HeaderMap) -> Option<&'static str> {
    // Beginning of every JWS, the base64url form of `{"`.
    const JWS: &[u8] = b"eyJ";
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    if value.starts_with(JWS) {
        return Some(
            "the header has a token without a scheme: send `Authorization: Bearer <token>`",
        );
    }
    if value.starts_with(b"\"") || value.starts_with(b"'") {
        return Some(
            "the header is in quotes: send `Authorization: Bearer <token>`, without quotes",
        );
    }
    if after(value, b"DPoP ").is_some() {
        return Some(
            "the scheme is `DPoP`, which is not supported: send an unbound token as `Bearer`",
        );
    }
    if after(value, b"Token ").is_some() || after(value, b"JWT ").is_some() {
        return Some("the scheme is not `Bearer`: send `Authorization: Bearer <token>`");
    }
    let rest = after(value, b"Bearer")?;
    if rest.starts_with(JWS) {
        return Some("the space after `Bearer` is missing: send `Authorization: Bearer <token>`");
    }
    if rest.starts_with(b"%20") || rest.starts_with(b"+") {
        return Some(
            "the space after `Bearer` is URL-encoded: send `Authorization: Bearer <token>`",
        );
    }
    if rest.starts_with(b":") || rest.starts_with(b"=") {
        return Some("a colon or `=` follows `Bearer`: send `Authorization: Bearer <token>`");
    }
    let token = without_leading_spaces(rest);
    if let [b'"' | b'\'' | b'<' | b'[' | b'{', ..] = token {
        return Some("the token is in quotes or brackets: send the token alone after `Bearer `");
    }
    after(token, b"Bearer ").map(|_| "`Bearer` is repeated: send `Authorization: Bearer <token>`")
}

/// Returns the text after `start`, which is compared without case.
fn after<'v>(value: &'v [u8], start: &[u8]) -> Option<&'v [u8]> {
    let (found, rest) = value.split_at_checked(start.len())?;
    found.eq_ignore_ascii_case(start).then_some(rest)
}

/// Deliberately not `trim_ascii_start`: `1*SP` allows no tab.
fn without_leading_spaces(mut text: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] = text {
        text = rest;
    }
    text
}

/// Returns whether `byte` is a character of a scheme's name (RFC 9110 §5.6.2).
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// Reads a header and the text of its token.
    fn read(value: &[u8]) -> Result<Credentials<'_>, Reason> {
        match parse(value)? {
            Credentials::Bearer(token) => Ok(bearer(token.text()?)),
            other => Ok(other),
        }
    }

    fn bearer(token: &str) -> Credentials<'_> {
        Credentials::Bearer(PresentedToken::Text(token))
    }

    #[test]
    fn r1_the_scheme_is_case_insensitive() {
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
            let value = format!("{scheme} abc.def.ghi");
            assert_eq!(read(value.as_bytes()), Ok(bearer("abc.def.ghi")));
        }
    }

    #[test]
    fn a_token_in_a_wrong_form_is_a_mistake_with_a_hint() {
        let mistake = |value: &str| {
            let value = HeaderValue::from_str(value).unwrap();
            header_mistake(&HeaderMap::from_iter([(AUTHORIZATION, value)]))
        };
        for (value, hint) in [
            ("eyJhbGciOiJ9.secret.x", "without a scheme"),
            ("BearereyJhbGciOiJ9.secret.x", "space"),
            ("bearereyJhbGciOiJ9.secret.x", "space"),
            ("DPoP eyJhbGciOiJ9.secret.x", "DPoP"),
            ("Token eyJhbGciOiJ9.secret.x", "not `Bearer`"),
            ("jwt eyJhbGciOiJ9.secret.x", "not `Bearer`"),
            ("Bearer%20eyJhbGciOiJ9.secret.x", "URL-encoded"),
            ("bearer+eyJhbGciOiJ9.secret.x", "URL-encoded"),
            ("Bearer: eyJhbGciOiJ9.secret.x", "a colon"),
            ("Bearer=eyJhbGciOiJ9.secret.x", "a colon"),
            ("Bearer \"eyJhbGciOiJ9.secret.x\"", "token is in quotes"),
            ("Bearer  'eyJhbGciOiJ9.secret.x'", "token is in quotes"),
            ("Bearer <eyJhbGciOiJ9.secret.x>", "brackets"),
            ("Bearer [eyJhbGciOiJ9.secret.x]", "brackets"),
            ("Bearer {\"access_token\":\"eyJ.secret.x\"}", "brackets"),
            ("\"Bearer eyJhbGciOiJ9.secret.x\"", "header is in quotes"),
            ("'Bearer eyJhbGciOiJ9.secret.x'", "header is in quotes"),
            ("Bearer bearer eyJhbGciOiJ9.secret.x", "repeated"),
        ] {
            let found = mistake(value).unwrap();
            assert!(found.contains(hint) && !found.contains("secret"), "{found}");
        }
        for other in [
            "Basic dXNlcjpwYXNz",
            "Negotiate eyJ",
            "",
            "Bearer",
            "Bearer ",
            "Bearer eyJ,",
            "Bearer eyJ eyJ",
            "BearerX eyJ",
            "Tokens x",
            "ey",
        ] {
            assert_eq!(mistake(other), None, "{other}");
        }
    }

    #[test]
    fn r2_one_or_more_spaces_and_nothing_else_stand_before_the_token() {
        assert_eq!(read(b"Bearer    abc"), Ok(bearer("abc")));
        for malformed in [
            &b"Bearer"[..],
            b"Bearer ",
            b"Bearer    ",
            b"Bearer\tabc",
            b"Bearer \tabc",
            b"Bearer\xa0abc",
            b"Bearer \xc2\xa0abc",
            b"Bearer:abc",
            b"Bearer=abc",
            b"Bearer,abc",
        ] {
            assert_eq!(
                read(malformed),
                Err(Reason::MalformedAuthorization),
                "{malformed:?}"
            );
        }
        for other in [&b"Bearerabc.def.ghi"[..], b"Bearer-abc", b"BearerX abc"] {
            assert_eq!(read(other), Ok(Credentials::Other), "{other:?}");
        }
    }

    #[test]
    fn r3_anything_outside_token68_is_malformed() {
        for malformed in [
            "Bearer {\"alg\":1}",
            "Bearer a,b",
            "Bearer a b",
            "Bearer a ",
            "Bearer a=b",
            "Bearer =",
            "Bearer a%20b",
            "Bearer \"a\"",
            "Bearer a\tb",
        ] {
            assert_eq!(
                read(malformed.as_bytes()),
                Err(Reason::MalformedAuthorization),
                "{malformed}"
            );
        }
        let all = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";
        let header = format!("Bearer {all}==");
        assert_eq!(read(header.as_bytes()), Ok(bearer(&header[7..])));
        for byte in 0..=u8::MAX {
            let header = [b"Bearer aaaaaaaaaaaaaaaaaaaa", &[byte][..], b"aaaa"].concat();
            let is_allowed = all.as_bytes().contains(&byte);
            assert_eq!(read(&header).is_ok(), is_allowed, "{byte}");
        }
    }

    #[test]
    fn r4_another_scheme_or_no_header_is_no_token() {
        assert_eq!(credentials(&HeaderMap::new()), Ok(Credentials::Absent));
        for other in ["Basic YTpi", "Digest username=\"a\", realm=\"b\"", "", "B"] {
            assert_eq!(read(other.as_bytes()), Ok(Credentials::Other), "{other}");
        }
    }

    #[test]
    fn r5_two_headers_or_a_list_are_an_invalid_request() {
        let mut headers = HeaderMap::new();
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer a.b.c"));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Basic YTpi"));
        assert_eq!(credentials(&headers), Err(Reason::SeveralAuthorizations));
        assert_eq!(
            read(b"Bearer a.b.c, Bearer d.e.f"),
            Err(Reason::MalformedAuthorization)
        );
    }

    #[test]
    fn r11_bytes_beyond_ascii_are_malformed() {
        for byte in 0x80..=0xff_u8 {
            assert_eq!(
                read(&[b"Bearer a.b.c".as_slice(), &[byte]].concat()),
                Err(Reason::MalformedAuthorization)
            );
            assert_eq!(read(&[byte; 9]), Ok(Credentials::Other));
        }
    }

    #[test]
    fn a36_a_token_of_more_than_16_kib_is_too_long() {
        let longest = format!("Bearer {}", "a".repeat(MAX_TOKEN_BYTES));
        assert!(matches!(
            read(longest.as_bytes()),
            Ok(Credentials::Bearer(_))
        ));
        let longer = format!("{longest}a");
        assert_eq!(read(longer.as_bytes()), Err(Reason::TokenTooLong));
    }
}
