//! Header of a token ([RFC 7515 §4](https://www.rfc-editor.org/rfc/rfc7515#section-4)).

use std::borrow::Cow;

use crate::{
    error::{
        reason::{AlgorithmMismatch, Reason},
        token_kind::TokenKind,
    },
    json::{Malformed, Member, Reader, read_object},
    keys::algorithm::Algorithm,
};

/// Longer key ids are rejected.
const MAX_KEY_ID_BYTES: usize = 256;

/// Members of the header that matter. `jwk`, `jku`, `x5u`, `x5c` and `x5t` are not among them: they
/// are skipped as any unknown member, so no key ever comes from a token.
#[derive(Debug)]
pub(crate) struct Header<'s> {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<Cow<'s, str>>,
    /// `typ` is `at+jwt` (RFC 9068); otherwise it is `JWT` or absent.
    pub(crate) is_at_jwt: bool,
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

    pub(super) fn read(json: &'s [u8]) -> Result<Self, Reason> {
        let mut members = HeaderMembers::default();
        read_object(json, |member, value| members.read(&member, value))
            .map_err(|Malformed| Reason::MalformedHeader)?;
        if members.critical {
            return Err(Reason::UnsupportedCrit);
        }
        let algorithm = members.algorithm.as_deref().and_then(Algorithm::from_name);
        let is_at_jwt = match members.kind.as_deref().map(token_type) {
            None | Some(Some(TokenType::Jwt)) => false,
            Some(Some(TokenType::AtJwt)) => true,
            Some(None) => {
                let kind = members.kind.as_deref().and_then(TokenKind::from_typ);
                return Err(Reason::HeaderTyp(kind));
            }
        };
        if members
            .key_id
            .as_deref()
            .is_some_and(|id| id.len() > MAX_KEY_ID_BYTES)
        {
            return Err(Reason::MalformedHeader);
        }
        Ok(Self {
            algorithm: algorithm.ok_or(Reason::UnsupportedAlgorithm(AlgorithmMismatch::Crate))?,
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
                // No extension is supported, so every critical one is rejected (RFC 7515 §4.1.11).
                // `b64` changes the signed bytes (RFC 7797); it is rejected even if the token does
                // not list it as critical.
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

/// Returns the token type that `typ` names. It is a media type: `application/` is optional, and case
/// does not matter (RFC 7515 §4.1.9).
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
