//! The compact serialization: three parts, each strict base64url, and a header that asks for
//! nothing we do not do ([RFC 7515 §7.1](https://www.rfc-editor.org/rfc/rfc7515#section-7.1)).

use std::{borrow::Cow, ops::Range, sync::Arc};

use base64_simd::URL_SAFE_NO_PAD;
use memchr::{memchr, memrchr};

use crate::{
    error::Reason,
    json::{Malformed, Member, Reader, read_object},
    keys::{Algorithm, VerifyingKey},
    token::{
        bearer::LONGEST_TOKEN,
        headers::{self, KnownHeader},
    },
};

/// Longer key ids are refused.
const LONGEST_KEY_ID: usize = 256;

/// The three parts of a token as text.
#[derive(Clone, Copy)]
pub(crate) struct Compact<'s> {
    pub(crate) token: &'s str,
    /// The header and the payload with the dot between them, which is what was signed.
    message: &'s str,
    pub(crate) header: &'s str,
    payload: &'s str,
    signature: &'s str,
}

impl<'s> Compact<'s> {
    pub(crate) fn split(token: &'s str) -> Result<Self, Reason> {
        if token.len() > LONGEST_TOKEN {
            return Err(Reason::TokenTooLong);
        }
        let split_at = |text: &'s str, dot: Option<usize>| {
            let (before, after) = text.split_at_checked(dot?)?;
            Some((before, after.strip_prefix('.')?))
        };
        let last = memrchr(b'.', token.as_bytes());
        let (message, signature) = split_at(token, last).ok_or(Reason::MalformedToken)?;
        let first = memchr(b'.', message.as_bytes());
        let (header, payload) = split_at(message, first).ok_or(Reason::MalformedToken)?;
        // A dot that is left in the payload is no base64url. An empty payload is none of JWS's
        // business, and no JSON object.
        if header.is_empty() || signature.is_empty() {
            return Err(Reason::MalformedToken);
        }
        Ok(Self {
            token,
            message,
            header,
            payload,
            signature,
        })
    }

    /// Where the payload stands in the token.
    pub(crate) fn payload_segment(&self) -> Range<usize> {
        let end = self.message.len();
        end.saturating_sub(self.payload.len())..end
    }
}

/// A token taken apart. Nothing of it is trusted yet.
pub(crate) struct Signed<'s> {
    pub(crate) header: Header<'s>,
    compact: Compact<'s>,
    payload: &'s [u8],
    /// Where the payload stands among the decoded bytes.
    payload_range: Range<usize>,
    signature: &'s [u8],
}

/// The members of the header that matter. `jwk`, `jku`, `x5u`, `x5c` and `x5t` are not among
/// them: they are read as any unknown member and never looked at.
#[derive(Debug)]
pub(crate) struct Header<'s> {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<Cow<'s, str>>,
    /// Whether `typ` is `at+jwt` (RFC 9068) and not merely `JWT` or absent.
    pub(crate) is_at_jwt: bool,
}

impl<'s> Signed<'s> {
    /// Decodes the parts into `bytes`. A header that is `known` need not be read.
    pub(crate) fn read(
        compact: Compact<'s>,
        bytes: &'s mut Vec<u8>,
        known: &'s [Arc<KnownHeader>],
    ) -> Result<Self, Reason> {
        bytes.clear();
        let known_header = headers::find(known, compact.header);
        let header_end = match known_header {
            Some(_) => 0,
            None => decode_onto(compact.header, bytes)?,
        };
        let payload_end = decode_onto(compact.payload, bytes)?;
        decode_onto(compact.signature, bytes)?;
        let (header, rest) = bytes.split_at(header_end);
        let (payload, signature) = rest.split_at(payload_end.saturating_sub(header_end));
        Ok(Self {
            header: match known_header {
                Some(header) => header,
                None => Header::read(header)?,
            },
            compact,
            payload,
            payload_range: header_end..payload_end,
            signature,
        })
    }

    pub(crate) fn compact(&self) -> &Compact<'s> {
        &self.compact
    }

    /// The payload, decoded.
    pub(crate) fn payload(&self) -> &'s [u8] {
        self.payload
    }

    /// Where the payload stands among the decoded bytes.
    pub(super) fn payload_range(&self) -> Range<usize> {
        self.payload_range.clone()
    }

    /// Whether the signature holds for `key`. A key of another algorithm never fits.
    pub(crate) fn holds_for(&self, key: &VerifyingKey) -> bool {
        key.algorithm() == self.header.algorithm
            && key.verifies(self.compact.message.as_bytes(), self.signature)
    }
}

impl<'s> Header<'s> {
    pub(super) fn to_owned(&self) -> Header<'static> {
        Header {
            algorithm: self.algorithm,
            key_id: self.key_id.as_deref().map(|id| Cow::Owned(id.to_owned())),
            is_at_jwt: self.is_at_jwt,
        }
    }

    pub(super) fn borrowed(&self) -> Header<'_> {
        Header {
            algorithm: self.algorithm,
            key_id: self.key_id.as_deref().map(Cow::Borrowed),
            is_at_jwt: self.is_at_jwt,
        }
    }

    fn read(json: &'s [u8]) -> Result<Self, Reason> {
        let mut members = HeaderMembers::default();
        read_object(json, |member, value| members.read(&member, value))
            .map_err(|Malformed| Reason::MalformedHeader)?;
        if members.critical {
            return Err(Reason::Critical);
        }
        let algorithm = members.algorithm.as_deref().and_then(Algorithm::from_name);
        let is_at_jwt = match members.kind.as_deref().map(token_type) {
            None | Some(Some(TokenType::Jwt)) => false,
            Some(Some(TokenType::AtJwt)) => true,
            Some(None) => return Err(Reason::TokenType),
        };
        if members
            .key_id
            .as_deref()
            .is_some_and(|id| id.len() > LONGEST_KEY_ID)
        {
            return Err(Reason::MalformedHeader);
        }
        Ok(Self {
            algorithm: algorithm.ok_or(Reason::UnsupportedAlgorithm)?,
            key_id: members.key_id,
            is_at_jwt,
        })
    }
}

#[derive(Default)]
struct HeaderMembers<'s> {
    algorithm: Option<Cow<'s, str>>,
    critical: bool,
    key_id: Option<Cow<'s, str>>,
    kind: Option<Cow<'s, str>>,
}

impl<'s> HeaderMembers<'s> {
    fn read(&mut self, member: &Member<'_>, value: &mut Reader<'s>) -> Result<(), Malformed> {
        let text = match member.name {
            "alg" => &mut self.algorithm,
            "kid" => &mut self.key_id,
            "typ" => &mut self.kind,
            name => {
                // No extension is understood here, so each one that must be understood is a
                // refusal (RFC 7515 §4.1.11). RFC 7797's `b64` changes what is signed; it is
                // refused even where the token forgets to call it critical.
                self.critical |= matches!(name, "crit" | "b64");
                return value.skip();
            }
        };
        *text = Some(value.text()?);
        Ok(())
    }
}

enum TokenType {
    AtJwt,
    Jwt,
}

/// `typ` is a media type; `application/` may be left out, and case does not count
/// (RFC 7515 §4.1.9).
fn token_type(value: &str) -> Option<TokenType> {
    const PREFIX: &str = "application/";
    let short = match value.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        _ => value,
    };
    if short.eq_ignore_ascii_case("jwt") {
        Some(TokenType::Jwt)
    } else if short.eq_ignore_ascii_case("at+jwt") {
        Some(TokenType::AtJwt)
    } else {
        None
    }
}

/// Appends the decoded `segment` and gives the new length. Padding, white space, the characters
/// `+` and `/`, and bits behind the last byte are refused (RFC 7515 §2, RFC 4648 §3.5).
fn decode_onto(segment: &str, bytes: &mut Vec<u8>) -> Result<usize, Reason> {
    URL_SAFE_NO_PAD
        .decode_append(segment, bytes)
        .map_err(|_| Reason::MalformedToken)?;
    Ok(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str) -> String {
        format!("{}.e30.c2ln", URL_SAFE_NO_PAD.encode_to_string(header))
    }

    fn read(token: &str) -> Result<(Algorithm, Option<String>, bool), Reason> {
        let mut scratch = Vec::new();
        let signed = Signed::read(Compact::split(token)?, &mut scratch, &[])?;
        let header = signed.header;
        Ok((
            header.algorithm,
            header.key_id.map(Cow::into_owned),
            header.is_at_jwt,
        ))
    }

    fn reason(header: &str) -> Option<Reason> {
        read(&token(header)).err()
    }

    #[test]
    fn the_header_of_keycloak_is_read() {
        let header = r#"{"alg":"RS256","typ" : "JWT","kid" : "W9q0"}"#;
        assert_eq!(
            read(&token(header)),
            Ok((Algorithm::Rs256, Some("W9q0".to_owned()), false))
        );
    }

    #[test]
    fn a36_a_token_has_at_most_16_kib() {
        let of = |bytes| format!("a.b.{}", "c".repeat(bytes - 4));
        assert!(Compact::split(&of(LONGEST_TOKEN)).is_ok());
        let longer = of(LONGEST_TOKEN + 1);
        assert_eq!(Compact::split(&longer).err(), Some(Reason::TokenTooLong));
    }

    #[test]
    fn r12_exactly_three_segments() {
        for bad in [
            "",
            ".",
            "..",
            "...",
            "a",
            "a.b",
            "a.b.c.d",
            "a.b.c.d.e",
            "a.b.c.d.e.f",
            "eyJhbGciOiJSUzI1NiJ9.e30.",
            ".e30.c2ln",
            r#"{"payload":"e30","signatures":[]}"#,
        ] {
            assert_eq!(read(bad), Err(Reason::MalformedToken), "{bad}");
        }
        assert_eq!(
            read(&".".repeat(1 << 20)),
            Err(Reason::TokenTooLong),
            "megabytes of dots"
        );
    }

    #[test]
    fn r13_base64url_is_strict() {
        let good = token(r#"{"alg":"ES256"}"#);
        assert!(read(&good).is_ok());
        let (header, rest) = good.split_once('.').unwrap();
        for bad in [
            format!("{header}=.{rest}"),
            format!("{header}\n.{rest}"),
            format!(" {header}.{rest}"),
            format!("{header}A.{rest}"),
            good.replace("c2ln", "c2+n"),
            good.replace("c2ln", "c2/n"),
            good.replace("c2ln", "c2l"),
            good.replace("c2ln", "c2lnA"),
            good.replace("c2ln", "c2lnAB"),
            good.replace("e30", "e31"),
        ] {
            assert!(read(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn r14_the_header_is_one_strict_object() {
        for bad in [
            r#"["RS256"]"#,
            r#""RS256""#,
            r#"{"alg":"RS256","alg":"RS256"}"#,
            r#"{"alg":"RS256","\u0061lg":"none"}"#,
            r#"{"alg":"RS256","x":{"y":1,"y":2}}"#,
            r#"{"alg":"RS256"} "#,
            r#"{"alg":"RS256"}{}"#,
            "\u{feff}{\"alg\":\"RS256\"}",
        ] {
            let expected = (!bad.ends_with("} ")).then_some(Reason::MalformedHeader);
            assert_eq!(reason(bad), expected, "{bad}");
        }
    }

    #[test]
    fn r15_alg_is_a_known_name_in_exact_case() {
        for bad in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"HS256"}"#,
            r#"{"alg":"rs256"}"#,
            r#"{"alg":"RS256 "}"#,
            r#"{"alg":""}"#,
            r"{}",
        ] {
            assert_eq!(reason(bad), Some(Reason::UnsupportedAlgorithm), "{bad}");
        }
        for bad in [r#"{"alg":null}"#, r#"{"alg":["RS256"]}"#, r#"{"alg":256}"#] {
            assert_eq!(reason(bad), Some(Reason::MalformedHeader), "{bad}");
        }
    }

    #[test]
    fn r16_nothing_critical_is_understood() {
        for bad in [
            r#"{"alg":"RS256","crit":["x"],"x":1}"#,
            r#"{"alg":"RS256","crit":[]}"#,
            r#"{"alg":"RS256","crit":null}"#,
            r#"{"alg":"RS256","crit":["b64"],"b64":false}"#,
            r#"{"alg":"RS256","b64":false}"#,
        ] {
            assert_eq!(reason(bad), Some(Reason::Critical), "{bad}");
        }
    }

    #[test]
    fn r17_keys_in_the_header_are_not_looked_at() {
        let header = r#"{"alg":"RS256","jwk":{"kty":"oct"},"jku":"http://127.0.0.1/","x5u":1,"x5c":["x"],"x5t":"y"}"#;
        assert_eq!(read(&token(header)), Ok((Algorithm::Rs256, None, false)));
    }

    #[test]
    fn r18_kid_is_a_string_of_at_most_256_bytes() {
        let with = |id: &str| format!(r#"{{"alg":"RS256","kid":{id}}}"#);
        assert_eq!(reason(&with(&format!("{:?}", "k".repeat(256)))), None);
        for bad in ["5", "null", "[\"a\"]", &format!("{:?}", "k".repeat(257))] {
            assert_eq!(reason(&with(bad)), Some(Reason::MalformedHeader), "{bad}");
        }
    }

    #[test]
    fn r34_typ_is_absent_jwt_or_at_jwt() {
        let with = |kind: &str| read(&token(&format!(r#"{{"alg":"RS256","typ":{kind:?}}}"#)));
        for jwt in ["JWT", "jwt", "application/jwt"] {
            assert_eq!(with(jwt), Ok((Algorithm::Rs256, None, false)), "{jwt}");
        }
        for at in [
            "at+jwt",
            "AT+JWT",
            "application/at+jwt",
            "Application/At+Jwt",
        ] {
            assert_eq!(with(at), Ok((Algorithm::Rs256, None, true)), "{at}");
        }
        for bad in [
            "",
            "JWT ",
            "JOSE",
            "dpop+jwt",
            "logout+jwt",
            "id+jwt",
            "x/jwt",
            "application!jwt",
            "bpplication/jwt",
        ] {
            assert_eq!(with(bad), Err(Reason::TokenType), "{bad}");
        }
    }
}
