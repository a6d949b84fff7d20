//! Claims of a payload with their types, before any check.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::json::{Malformed, Member, Reader};

/// Claims that are checked or kept.
#[derive(Default)]
pub(super) struct ClaimMembers<'s> {
    pub(super) audiences: SmallVec<[Cow<'s, str>; 4]>,
    pub(super) authorized_party: Option<TextClaim<'s>>,
    pub(super) client_id: Option<TextClaim<'s>>,
    pub(super) expires_at: Option<f64>,
    /// `nonce` (OpenID Connect Core §2). Older Keycloak versions also write it into access tokens.
    pub(super) has_nonce: bool,
    /// Position of the value of `cnf`.
    pub(super) confirmation_at: Option<usize>,
    pub(super) issued_at: Option<f64>,
    pub(super) issuer: Option<Cow<'s, str>>,
    pub(super) kind: Option<Cow<'s, str>>,
    pub(super) not_before: Option<f64>,
    /// Claim that no access token has: of an ID token (OpenID Connect Core §3.1.3.6, §3.3.2.11), or of
    /// a security event or logout token (RFC 8417 §2.2).
    pub(super) of_other_kind: Option<&'static str>,
    /// Parameter of a signed authorization response (JARM §2.1). Such a response has no subject.
    pub(super) response_parameter: Option<&'static str>,
    pub(super) scope: Option<TextClaim<'s>>,
    pub(super) subject: Option<TextClaim<'s>>,
    pub(super) token_id: Option<TextClaim<'s>>,
    /// Registered claim that is being read, for the error.
    pub(super) at: &'static str,
}

impl<'s> ClaimMembers<'s> {
    /// Reads one claim. A wrong JSON type of a registered claim is an error, and never the same as an
    /// absent claim (CVE-2026-25537).
    pub(super) fn read(
        &mut self,
        member: &Member<'_>,
        value: &mut Reader<'s>,
    ) -> Result<(), Malformed> {
        let (at, slot) = match member.name {
            "iss" => ("iss", Slot::Text(&mut self.issuer)),
            "sub" => ("sub", Slot::Stored(&mut self.subject)),
            "jti" => ("jti", Slot::Stored(&mut self.token_id)),
            "azp" => ("azp", Slot::Stored(&mut self.authorized_party)),
            "client_id" => ("client_id", Slot::Stored(&mut self.client_id)),
            "typ" => ("typ", Slot::Text(&mut self.kind)),
            "exp" => ("exp", Slot::Time(&mut self.expires_at)),
            "nbf" => ("nbf", Slot::Time(&mut self.not_before)),
            "iat" => ("iat", Slot::Time(&mut self.issued_at)),
            "aud" => ("aud", Slot::Audiences(&mut self.audiences)),
            // RFC 7519 does not register it, and some issuers write a list. The mapping checks its
            // type.
            "scope" => {
                let at = value.position();
                self.scope = value.text_if_any()?.map(|text| TextClaim { text, at });
                return Ok(());
            }
            other => {
                match other {
                    "cnf" => self.confirmation_at = Some(value.position()),
                    "nonce" => self.has_nonce = true,
                    "at_hash" => self.of_other_kind = Some("at_hash"),
                    "c_hash" => self.of_other_kind = Some("c_hash"),
                    "s_hash" => self.of_other_kind = Some("s_hash"),
                    "events" => self.of_other_kind = Some("events"),
                    "code" => self.response_parameter = Some("code"),
                    "state" => self.response_parameter = Some("state"),
                    "error" => self.response_parameter = Some("error"),
                    "access_token" => self.response_parameter = Some("access_token"),
                    "id_token" => self.response_parameter = Some("id_token"),
                    "response" => self.response_parameter = Some("response"),
                    _ => {}
                }
                return value.skip();
            }
        };
        self.at = at;
        match slot {
            Slot::Stored(claim) => {
                let at = value.position();
                let text = value.text()?;
                *claim = Some(TextClaim { text, at });
            }
            Slot::Text(text) => *text = Some(value.text()?),
            Slot::Time(time) => *time = Some(value.number()?),
            Slot::Audiences(audiences) => read_audiences(value, audiences)?,
        }
        self.at = "";
        Ok(())
    }
}

/// Claim that is kept as a text.
pub(super) struct TextClaim<'s> {
    pub(super) text: Cow<'s, str>,
    /// Position of its value in the payload.
    pub(super) at: usize,
}

enum Slot<'m, 's> {
    Stored(&'m mut Option<TextClaim<'s>>),
    Text(&'m mut Option<Cow<'s, str>>),
    Time(&'m mut Option<f64>),
    Audiences(&'m mut SmallVec<[Cow<'s, str>; 4]>),
}

/// Reads `aud`: a string or an array of strings, none of them empty (RFC 7519 §4.1.3).
fn read_audiences<'s>(
    value: &mut Reader<'s>,
    audiences: &mut SmallVec<[Cow<'s, str>; 4]>,
) -> Result<(), Malformed> {
    let mut read_one = |value: &mut Reader<'s>| {
        let one = value.text()?;
        if one.is_empty() {
            return Err(Malformed);
        }
        audiences.push(one);
        Ok(())
    };
    if value.is_at_array() {
        value.array(&mut read_one)?;
    } else {
        read_one(value)?;
    }
    if audiences.is_empty() {
        return Err(Malformed);
    }
    Ok(())
}
