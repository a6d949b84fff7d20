//! Compact serialization: three parts in strict base64url, and a header without unsupported extensions
//! ([RFC 7515 §7.1](https://www.rfc-editor.org/rfc/rfc7515#section-7.1)).

use std::sync::Arc;

use base64_simd::URL_SAFE_NO_PAD;
use memchr::{memchr, memrchr};

use crate::{
    error::{reason::Reason, token_kind::TokenKind},
    keys::jwk::VerifyingKey,
    token::{
        bearer::MAX_TOKEN_BYTES,
        header::Header,
        header_cache::{self, CachedHeader},
    },
};

/// Three parts of a token as text.
#[derive(Clone, Copy)]
pub(crate) struct CompactJws<'s> {
    pub(crate) token: &'s str,
    /// Signed text: header, dot and payload.
    message: &'s str,
    pub(crate) header: &'s str,
    payload: &'s str,
    signature: &'s str,
}

impl<'s> CompactJws<'s> {
    pub(crate) fn split(token: &'s str) -> Result<Self, Reason> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Reason::TokenTooLong);
        }
        let split_at = |text: &'s str, dot: Option<usize>| {
            let (before, after) = text.split_at_checked(dot?)?;
            Some((before, after.strip_prefix('.')?))
        };
        let last = memrchr(b'.', token.as_bytes());
        let (message, signature) = split_at(token, last).ok_or_else(|| malformed(token))?;
        let first = memchr(b'.', message.as_bytes());
        let (header, payload) = split_at(message, first).ok_or_else(|| malformed(token))?;
        // Another dot in the payload fails as base64url, and an empty payload fails as JSON.
        if header.is_empty() || signature.is_empty() {
            return Err(malformed(token));
        }
        Ok(Self {
            token,
            message,
            header,
            payload,
            signature,
        })
    }
}

/// Parsed token. Nothing of it is verified yet.
pub(crate) struct ParsedJws<'s> {
    pub(crate) header: Header<'s>,
    compact: CompactJws<'s>,
    payload: &'s [u8],
    signature: &'s [u8],
}

impl<'s> ParsedJws<'s> {
    /// Decodes the parts into `bytes`. A header in `known` is not parsed again.
    pub(crate) fn read(
        compact: CompactJws<'s>,
        bytes: &'s mut Vec<u8>,
        known: &'s [Arc<CachedHeader>],
    ) -> Result<Self, Reason> {
        bytes.clear();
        let known_header = header_cache::find(known, compact.header);
        let mut decode =
            |segment| decode_onto(segment, bytes).ok_or_else(|| malformed(compact.token));
        let header_end = match known_header {
            Some(_) => 0,
            None => decode(compact.header)?,
        };
        let payload_end = decode(compact.payload)?;
        decode(compact.signature)?;
        let (header, rest) = bytes.split_at(header_end);
        let (payload, signature) = rest.split_at(payload_end.saturating_sub(header_end));
        Ok(Self {
            header: match known_header {
                Some(header) => header,
                None => Header::read(header)?,
            },
            compact,
            payload,
            signature,
        })
    }

    pub(crate) fn compact(&self) -> &CompactJws<'s> {
        &self.compact
    }

    /// Returns the decoded payload.
    pub(crate) fn payload(&self) -> &'s [u8] {
        self.payload
    }

    /// Returns whether `key` verifies the signature. A key of another algorithm never does.
    pub(crate) fn verify(&self, key: &VerifyingKey) -> bool {
        key.algorithm() == self.header.algorithm
            && key.verifies(self.compact.message.as_bytes(), self.signature)
    }
}

/// Appends the decoded `segment` and returns the new length. Padding, white space, `+`, `/` and bits
/// after the last byte are rejected (RFC 7515 §2, RFC 4648 §3.5).
fn decode_onto(segment: &str, bytes: &mut Vec<u8>) -> Option<usize> {
    URL_SAFE_NO_PAD.decode_append(segment, bytes).ok()?;
    Some(bytes.len())
}

/// Returns the error for `token`, which is not three parts in base64url.
fn malformed(token: &str) -> Reason {
    Reason::MalformedToken(TokenKind::of_malformed(token))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::{error::reason::AlgorithmMismatch, keys::algorithm::Algorithm};

    fn token(header: &str) -> String {
        format!("{}.e30.c2ln", URL_SAFE_NO_PAD.encode_to_string(header))
    }

    fn read(token: &str) -> Result<(Algorithm, Option<String>, bool), Reason> {
        let mut scratch = Vec::new();
        let signed = ParsedJws::read(CompactJws::split(token)?, &mut scratch, &[])?;
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
        assert!(CompactJws::split(&of(MAX_TOKEN_BYTES)).is_ok());
        let longer = of(MAX_TOKEN_BYTES + 1);
        assert_eq!(CompactJws::split(&longer).err(), Some(Reason::TokenTooLong));
    }

    #[test]
    fn r12_exactly_three_segments() {
        for (bad, kind) in [
            ("", Some(TokenKind::Opaque)),
            (".", None),
            ("..", None),
            ("...", None),
            ("a", Some(TokenKind::Opaque)),
            ("a.b", None),
            ("a.b.c.d", None),
            ("a.b.c.d.e", Some(TokenKind::Encrypted)),
            (
                "eyJhbGciOiJkaXIifQ..e30.e30.e30",
                Some(TokenKind::Encrypted),
            ),
            ("a.b.c.d.e.f", None),
            ("eyJhbGciOiJSUzI1NiJ9.e30.", None),
            (".e30.c2ln", None),
            (
                r#"{"payload":"e30","signatures":[]}"#,
                Some(TokenKind::Opaque),
            ),
        ] {
            assert_eq!(read(bad), Err(Reason::MalformedToken(kind)), "{bad}");
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
            assert_eq!(
                reason(bad),
                Some(Reason::UnsupportedAlgorithm(AlgorithmMismatch::Crate)),
                "{bad}"
            );
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
            assert_eq!(reason(bad), Some(Reason::UnsupportedCrit), "{bad}");
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
        for (bad, kind) in [
            ("", None),
            ("JWT ", None),
            ("JOSE", None),
            ("dpop+jwt", Some(TokenKind::DpopProof)),
            ("logout+jwt", Some(TokenKind::Logout)),
            ("id+jwt", None),
            ("x/jwt", None),
            ("application!jwt", None),
            ("bpplication/jwt", None),
        ] {
            assert_eq!(with(bad), Err(Reason::HeaderTyp(kind)), "{bad}");
        }
    }
}
