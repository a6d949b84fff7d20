//! Payload of a token before its signature is verified: checks of the registered claims
//! ([RFC 7519 §4.1](https://www.rfc-editor.org/rfc/rfc7519#section-4.1),
//! [RFC 9068 §4](https://www.rfc-editor.org/rfc/rfc9068#section-4)).

use std::{borrow::Cow, sync::Arc};

use crate::{
    clock::WallTime,
    error::{reason::Reason, token_kind::TokenKind},
    json::{Malformed, Reader},
    keys::jwk::VerifyingKey,
    token::{
        claim_index::{ClaimIndex, Entry, Span},
        claims::{ClaimRequirements, Claims, Validity},
        jws::ParsedJws,
        payload::{ClaimMembers, TextClaim},
        scratch::PayloadBuffers,
    },
};

/// 9999-12-31T23:59:59Z. A later `exp` is malformed.
const MAX_TIME: f64 = 253_402_300_799.0;

/// Token whose claims were read and whose signature is not verified.
pub(crate) struct Unverified<'s> {
    signed: ParsedJws<'s>,
    payload: &'s str,
    claims: ClaimMembers<'s>,
}

/// Result of the checks of the claims. The signature is not verified yet.
pub(crate) struct ValidatedClaims {
    validity: Validity,
    audiences: u64,
}

impl<'s> Unverified<'s> {
    /// Reads the claims, and writes their index to `buffers`.
    pub(crate) fn read(
        signed: ParsedJws<'s>,
        buffers: &mut PayloadBuffers,
    ) -> Result<Self, Reason> {
        let PayloadBuffers { entries, unescaped } = buffers;
        entries.clear();
        unescaped.clear();
        let payload = std::str::from_utf8(signed.payload()).map_err(|_| Reason::MalformedClaims)?;
        let mut unverified = Self {
            signed,
            payload,
            claims: ClaimMembers::default(),
        };
        let claims = &mut unverified.claims;
        let read = Reader::of(payload).whole_object(|member, value| {
            let start = value.position();
            claims.read(&member, value)?;
            let name = member.place.unwrap_or_else(|| {
                // After the payload, as in `Claims::text`.
                let start = payload.len().saturating_add(unescaped.len());
                unescaped.push_str(member.name);
                start..start.saturating_add(member.name.len())
            });
            let span = |range| Span::new(&range).ok_or(Malformed);
            entries.push(Entry {
                name: span(name)?,
                value: span(start..value.position())?,
            });
            Ok(())
        });
        match (read, claims.at) {
            (Ok(()), _) => Ok(unverified),
            (Err(Malformed), "") => Err(Reason::MalformedClaims),
            (Err(Malformed), name) => Err(Reason::MalformedClaim(name)),
        }
    }

    /// Returns the issuer that the token claims. The same value selects the key.
    pub(crate) fn issuer(&self) -> Result<&str, Reason> {
        let issuer = self.claims.issuer.as_deref();
        issuer.ok_or(Reason::MissingClaim("iss"))
    }

    pub(crate) fn signed(&self) -> &ParsedJws<'s> {
        &self.signed
    }

    /// Returns the audiences that the token claims.
    pub(crate) fn audiences(&self) -> impl Iterator<Item = &str> {
        self.claims.audiences.iter().map(AsRef::as_ref)
    }

    /// Runs every check that needs no key. The audience is checked last, so the error for a wrong
    /// audience means that all else is valid.
    pub(crate) fn check(
        &self,
        expected: &ClaimRequirements,
        now: WallTime,
    ) -> Result<ValidatedClaims, Reason> {
        let (claims, leeway) = (&self.claims, expected.leeway);
        self.check_kind()?;
        if claims
            .subject
            .as_ref()
            .is_some_and(|subject| subject.text.is_empty())
        {
            return Err(Reason::MalformedClaim("sub"));
        }
        if expected.at_jwt_only {
            self.check_rfc9068()?;
        }
        let mut ends_at = match claims.expires_at {
            Some(seconds) if (0.0..=MAX_TIME).contains(&seconds) => {
                WallTime::from_numeric_date(seconds)
            }
            Some(_) => return Err(Reason::MalformedClaim("exp")),
            None => return Err(Reason::MissingClaim("exp")),
        };
        if now >= ends_at.saturating_add(leeway) {
            return Err(Reason::Expired);
        }
        let not_before = claims
            .not_before
            .map_or(WallTime::EPOCH, WallTime::from_numeric_date);
        let issued_at = claims
            .issued_at
            .map_or(WallTime::EPOCH, WallTime::from_numeric_date);
        let latest = now.saturating_add(leeway);
        if not_before > latest {
            return Err(Reason::NotYetValid);
        }
        if issued_at > latest {
            return Err(Reason::IssuedInFuture);
        }
        if let Some(max_age) = expected.max_age {
            if claims.issued_at.is_none() {
                return Err(Reason::MissingClaim("iat"));
            }
            ends_at = ends_at.min(issued_at.saturating_add(max_age));
            if now >= ends_at.saturating_add(leeway) {
                return Err(Reason::TooOld);
            }
        }
        let validity = Validity {
            begins_at: not_before.max(issued_at),
            ends_at,
        };
        if claims.confirmation_at.is_some() && !expected.has_sender_constraints {
            let kind = self.is_bound_by_dpop().then_some(TokenKind::DpopBound);
            return Err(Reason::SenderConstrained(kind));
        }
        let audiences = self.accepted_audiences(expected)?;
        Ok(ValidatedClaims {
            validity,
            audiences,
        })
    }

    /// Rejects tokens of other kinds, which their issuer signs with the same keys
    /// ([RFC 8725 §3.12](https://www.rfc-editor.org/rfc/rfc8725#section-3.12)).
    fn check_kind(&self) -> Result<(), Reason> {
        let claims = &self.claims;
        let is_declared = match claims.kind.as_deref() {
            Some("Bearer") => true,
            Some(other) => return Err(Reason::PayloadTyp(TokenKind::from_typ(other))),
            None => self.signed.header.is_at_jwt,
        };
        if let Some(name) = claims.of_other_kind {
            return Err(Reason::NotAccessToken(name));
        }
        if is_declared {
            return Ok(());
        }
        if claims.has_nonce {
            return Err(Reason::NotAccessToken("nonce"));
        }
        match claims.response_parameter {
            Some(name) if claims.subject.is_none() => Err(Reason::NotAccessToken(name)),
            _ => Ok(()),
        }
    }

    /// Returns whether `cnf` names a key for DPoP
    /// ([RFC 9449 §6.1](https://www.rfc-editor.org/rfc/rfc9449#section-6.1)).
    fn is_bound_by_dpop(&self) -> bool {
        let mut is_bound = false;
        let confirmation = self.claims.confirmation_at;
        if let Some(json) = confirmation.and_then(|at| self.payload.get(at..)) {
            let read = Reader::of(json).object(|member, value| {
                is_bound |= member.name == "jkt";
                value.skip()
            });
            is_bound &= read.is_ok();
        }
        is_bound
    }

    /// Checks that `typ` is `at+jwt` and that the claims of RFC 9068 §2.2 are present.
    fn check_rfc9068(&self) -> Result<(), Reason> {
        if !self.signed.header.is_at_jwt {
            return Err(Reason::HeaderTyp(Some(TokenKind::NotRfc9068)));
        }
        let claims = &self.claims;
        for (name, present) in [
            ("sub", claims.subject.is_some()),
            ("client_id", claims.client_id.is_some()),
            ("iat", claims.issued_at.is_some()),
            ("jti", claims.token_id.is_some()),
        ] {
            if !present {
                return Err(Reason::MissingClaim(name));
            }
        }
        Ok(())
    }

    /// Returns the configured audiences that the token names, one bit each.
    fn accepted_audiences(&self, expected: &ClaimRequirements) -> Result<u64, Reason> {
        let found = &self.claims.audiences;
        if found.is_empty() {
            return Err(Reason::MissingClaim("aud"));
        }
        let accepted = expected
            .audiences
            .iter()
            .take(ClaimRequirements::MAX_AUDIENCES)
            .enumerate()
            .filter(|(_, audience)| found.iter().any(|one| one.as_ref() == audience.as_ref()))
            .fold(0, |bits, (index, _)| bits | 1_u64 << index);
        if accepted == 0 {
            return Err(Reason::WrongAudience);
        }
        Ok(accepted)
    }

    /// Creates [`Claims`] if `key` verifies the signature. There is no other way to create them.
    pub(crate) fn verify(
        &self,
        validated: &ValidatedClaims,
        key: &VerifyingKey,
        requirements: &Arc<ClaimRequirements>,
        buffers: &PayloadBuffers,
        text: &mut String,
    ) -> Option<Claims> {
        if !self.signed.verify(key) {
            return None;
        }
        let claims = &self.claims;
        let token = self.signed.compact().token;
        text.clear();
        text.push_str(token);
        text.push_str(self.payload);
        text.push_str(&buffers.unescaped);
        let shift = token.len();
        let mut keep = |claim: Option<&TextClaim<'_>>| {
            let Some(claim) = claim else {
                return Some(None);
            };
            // A value without escapes is kept in the payload, after its opening quote.
            let start = if let Cow::Borrowed(_) = claim.text {
                claim.at.checked_add(shift)?.checked_add(1)?
            } else {
                text.push_str(&claim.text);
                text.len().checked_sub(claim.text.len())?
            };
            Span::new(&(start..start.checked_add(claim.text.len())?)).map(Some)
        };
        let client_id = claims
            .client_id
            .as_ref()
            .or(claims.authorized_party.as_ref());
        let [subject, client_id, scope, token_id] = [
            keep(claims.subject.as_ref())?,
            keep(client_id)?,
            keep(claims.scope.as_ref())?,
            keep(claims.token_id.as_ref())?,
        ];
        Some(Claims {
            requirements: Arc::clone(requirements),
            token: Span::new(&(0..shift))?,
            payload: Span::new(&(shift..shift.checked_add(self.payload.len())?))?,
            index: ClaimIndex::new(&buffers.entries, shift)?,
            audiences: validated.audiences,
            subject,
            client_id,
            scope,
            token_id,
            issued_at: claims.issued_at.map(WallTime::from_numeric_date),
            validity: validated.validity,
            is_sender_constrained: claims.confirmation_at.is_some(),
            text: Arc::from(text.as_str()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::*;
    use crate::{clock::Clock, token::jws::CompactJws};

    const NOW: u64 = 1_762_180_200;
    const LEEWAY: u64 = 60;

    fn good() -> Value {
        json!({
            "iss": "https://issuer.example", "aud": "api", "sub": "someone",
            "exp": NOW + 300, "iat": NOW,
        })
    }

    /// The good claims with `name` set to `value`; `None` takes it away.
    fn with(name: &str, value: impl Into<Option<Value>>) -> Value {
        let mut claims = good();
        let members = claims.as_object_mut().unwrap();
        match value.into() {
            Some(value) => members.insert(name.to_owned(), value),
            None => members.remove(name),
        };
        claims
    }

    fn expectation(at_jwt_only: bool) -> ClaimRequirements {
        ClaimRequirements {
            issuer: "https://issuer.example".into(),
            audiences: ["other-api".into(), "api".into()].into(),
            at_jwt_only,
            has_sender_constraints: false,
            max_age: None,
            leeway: Duration::from_secs(LEEWAY),
            clock: Clock::System,
        }
    }

    fn judge_token(
        header: &str,
        payload: &str,
        expected: &ClaimRequirements,
    ) -> Result<u64, Reason> {
        let token = format!(
            "{}.{}.c2ln",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(payload)
        );
        let mut scratch = Vec::new();
        let signed = ParsedJws::read(CompactJws::split(&token)?, &mut scratch, &[])?;
        let mut buffers = PayloadBuffers::default();
        let unverified = Unverified::read(signed, &mut buffers)?;
        unverified.issuer()?;
        let now = WallTime::from_epoch(Duration::from_secs(NOW));
        let checked = unverified.check(expected, now)?;
        Ok(checked.audiences)
    }

    fn judge_text(payload: &str) -> Result<u64, Reason> {
        judge_token(r#"{"alg":"RS256"}"#, payload, &expectation(false))
    }

    fn judge(claims: &Value) -> Result<u64, Reason> {
        judge_text(&claims.to_string())
    }

    #[test]
    fn good_claims_pass() {
        assert_eq!(judge(&good()), Ok(0b10));
    }

    #[test]
    fn texts_with_escapes_are_what_they_mean() {
        let payload = good()
            .to_string()
            .replacen('{', "{\"scope\":\"a\\u0062 c\",", 1);
        let token = format!(
            "eyJhbGciOiJSUzI1NiJ9.{}.c2ln",
            URL_SAFE_NO_PAD.encode(payload)
        );
        let (mut scratch, mut buffers) = (Vec::new(), PayloadBuffers::default());
        let signed =
            ParsedJws::read(CompactJws::split(&token).unwrap(), &mut scratch, &[]).unwrap();
        let claims = Unverified::read(signed, &mut buffers).unwrap().claims;
        assert_eq!(claims.scope.unwrap().text, "ab c");
    }

    #[test]
    fn r14_the_payload_is_one_strict_object() {
        let text = good().to_string();
        for bad in [
            "[]".to_owned(),
            format!("[{text}]"),
            format!("{text}{text}"),
            text.replacen('{', "{\"x\":1,\"x\":1,", 1),
            text.replacen('{', "{\"permissions\":{\"a\":1,\"a\":2},", 1),
            format!("\u{feff}{text}"),
        ] {
            assert_eq!(judge_text(&bad), Err(Reason::MalformedClaims), "{bad}");
        }
        let twice = text.replacen('{', "{\"exp\":1,", 1);
        assert_eq!(judge_text(&twice), Err(Reason::MalformedClaims));
        let escaped = text.replacen('{', "{\"\\u0065xp\":1,", 1);
        assert_eq!(judge_text(&escaped), Err(Reason::MalformedClaims));
    }

    #[test]
    fn r27_exp_is_required_and_a_time() {
        assert_eq!(judge(&with("exp", None)), Err(Reason::MissingClaim("exp")));
        for (offset, accepted) in [(-1, false), (0, false), (1, true)] {
            let exp = i64::try_from(NOW).unwrap() - i64::try_from(LEEWAY).unwrap() + offset;
            let expected = if accepted {
                Ok(0b10)
            } else {
                Err(Reason::Expired)
            };
            assert_eq!(judge(&with("exp", json!(exp))), expected, "{offset}");
        }
        assert_eq!(judge(&with("exp", json!(NOW as f64 + 0.5))), Ok(0b10));
        assert_eq!(judge(&with("exp", json!(253_402_300_799_u64))), Ok(0b10));
        for bad in [
            json!(-1),
            json!(253_402_300_800_u64),
            json!(1e19),
            json!(u64::MAX),
            json!(null),
            json!(true),
            json!([NOW + 300]),
            json!({}),
            json!((NOW + 300).to_string()),
        ] {
            let outcome = judge(&with("exp", bad.clone()));
            assert_eq!(outcome, Err(Reason::MalformedClaim("exp")), "{bad}");
        }
        let huge = good()
            .to_string()
            .replace(&(NOW + 300).to_string(), "1e400");
        assert_eq!(judge_text(&huge), Err(Reason::MalformedClaim("exp")));
    }

    #[test]
    fn r28_nbf_and_iat_allow_the_leeway_and_no_more() {
        for (name, reason) in [
            ("nbf", Reason::NotYetValid),
            ("iat", Reason::IssuedInFuture),
        ] {
            for (offset, accepted) in [(LEEWAY - 1, true), (LEEWAY, true), (LEEWAY + 1, false)] {
                let expected = if accepted {
                    Ok(0b10)
                } else {
                    Err(reason.clone())
                };
                assert_eq!(judge(&with(name, json!(NOW + offset))), expected, "{name}");
            }
            assert_eq!(judge(&with(name, json!(-5))), Ok(0b10));
            assert_eq!(judge(&with(name, json!(1e300))), Err(reason));
        }
    }

    #[test]
    fn r83_iat_is_present_and_at_most_the_maximum_age_ago() {
        let age = 100;
        let expected = |max_age| ClaimRequirements {
            max_age,
            ..expectation(false)
        };
        let judge = |claims: &Value, max_age: Duration| {
            let header = r#"{"alg":"RS256"}"#;
            judge_token(header, &claims.to_string(), &expected(Some(max_age)))
        };
        let age_of = |iat: Value| judge(&with("iat", iat), Duration::from_secs(age));
        for accepted in [
            json!(NOW),
            json!(NOW + LEEWAY),
            json!(NOW - age),
            json!(NOW - age - LEEWAY + 1),
            json!((NOW - age - LEEWAY) as f64 + 0.5),
        ] {
            assert_eq!(age_of(accepted.clone()), Ok(0b10), "{accepted}");
        }
        for too_old in [
            json!(NOW - age - LEEWAY),
            json!((NOW - age - LEEWAY) as f64 - 0.5),
            json!(0),
            json!(-0.0),
            json!(-1),
            json!(-1e300),
            json!(i64::MIN),
            json!(1e-300),
        ] {
            assert_eq!(age_of(too_old.clone()), Err(Reason::TooOld), "{too_old}");
        }
        for future in [json!(NOW + LEEWAY + 1), json!(u64::MAX), json!(1e300)] {
            assert_eq!(
                age_of(future.clone()),
                Err(Reason::IssuedInFuture),
                "{future}"
            );
        }
        for bad in [
            json!(null),
            json!(NOW.to_string()),
            json!([NOW]),
            json!({}),
            json!(true),
        ] {
            assert_eq!(
                age_of(bad.clone()),
                Err(Reason::MalformedClaim("iat")),
                "{bad}"
            );
        }
        let absent = with("iat", None);
        let forever = Duration::MAX;
        assert_eq!(judge(&absent, forever), Err(Reason::MissingClaim("iat")));
        assert_eq!(judge(&with("iat", json!(0)), forever), Ok(0b10));
        // `exp` holds as well, and is checked first.
        let mut expired = with("exp", json!(NOW - LEEWAY));
        assert_eq!(judge(&expired, forever), Err(Reason::Expired));
        expired["iat"] = json!(0);
        assert_eq!(judge(&expired, Duration::ZERO), Err(Reason::Expired));
    }

    #[test]
    fn r29_a_registered_claim_of_the_wrong_type_is_never_absent() {
        for name in ["iss", "sub", "jti", "azp", "client_id", "typ"] {
            for bad in [json!(null), json!(1), json!([]), json!({}), json!(false)] {
                let outcome = judge(&with(name, bad));
                assert!(matches!(outcome, Err(Reason::MalformedClaim(at)) if at == name));
            }
        }
        for name in ["exp", "nbf", "iat"] {
            for bad in [json!(null), json!("1"), json!([1]), json!({}), json!(false)] {
                let outcome = judge(&with(name, bad));
                assert!(matches!(outcome, Err(Reason::MalformedClaim(at)) if at == name));
            }
        }
    }

    #[test]
    fn r30_iss_is_required() {
        assert_eq!(judge(&with("iss", None)), Err(Reason::MissingClaim("iss")));
    }

    #[test]
    fn r32_aud_is_a_string_or_strings_and_matches_exactly() {
        assert_eq!(judge(&with("aud", None)), Err(Reason::MissingClaim("aud")));
        for (good, bits) in [
            (json!("api"), 0b10),
            (json!(["x", "api"]), 0b10),
            (json!(["api", "other-api", "api"]), 0b11),
        ] {
            assert_eq!(judge(&with("aud", good)), Ok(bits));
        }
        for wrong in [
            json!("API"),
            json!("api "),
            json!("ap"),
            json!("api-2"),
            json!(["x", "y"]),
        ] {
            assert_eq!(judge(&with("aud", wrong)), Err(Reason::WrongAudience));
        }
        for bad in [
            json!(""),
            json!([]),
            json!([""]),
            json!(null),
            json!(7),
            json!({}),
            json!(["api", 7]),
            json!(["api", ""]),
            json!([["api"]]),
        ] {
            let outcome = judge(&with("aud", bad.clone()));
            assert_eq!(outcome, Err(Reason::MalformedClaim("aud")), "{bad}");
        }
    }

    #[test]
    fn r35_rfc_9068_mode_asks_for_all_of_it() {
        let mut claims = good();
        for (name, value) in [("client_id", "c"), ("jti", "1")] {
            claims[name] = json!(value);
        }
        let judge = |header: &str, claims: &Value| {
            judge_token(header, &claims.to_string(), &expectation(true))
        };
        let at_jwt = r#"{"alg":"RS256","typ":"at+jwt"}"#;
        assert_eq!(judge(at_jwt, &claims), Ok(0b10));
        for other in [r#"{"alg":"RS256"}"#, r#"{"alg":"RS256","typ":"JWT"}"#] {
            let expected = Reason::HeaderTyp(Some(TokenKind::NotRfc9068));
            assert_eq!(judge(other, &claims), Err(expected));
        }
        for name in ["sub", "client_id", "iat", "jti", "exp", "aud"] {
            let mut lacking = claims.clone();
            lacking.as_object_mut().unwrap().remove(name);
            assert_eq!(judge(at_jwt, &lacking), Err(Reason::MissingClaim(name)));
        }
    }

    #[test]
    fn r36_only_bearer_tokens_are_access_tokens() {
        assert_eq!(judge(&with("typ", json!("Bearer"))), Ok(0b10));
        for (typ, kind) in [
            ("ID", Some(TokenKind::Id)),
            ("Refresh", Some(TokenKind::Refresh)),
            ("Offline", Some(TokenKind::Refresh)),
            ("Logout", Some(TokenKind::Logout)),
            ("DPoP", Some(TokenKind::DpopBound)),
            ("bearer", None),
            ("", None),
        ] {
            let outcome = judge(&with("typ", json!(typ)));
            assert_eq!(outcome, Err(Reason::PayloadTyp(kind)), "{typ}");
        }
    }

    #[test]
    fn r36_claims_of_other_kinds_of_tokens_are_refused() {
        let at_jwt = r#"{"alg":"RS256","typ":"at+jwt"}"#;
        let bearer = |mut claims: Value| {
            claims["typ"] = json!("Bearer");
            claims
        };
        for name in ["at_hash", "c_hash", "s_hash", "events"] {
            for value in [json!("x"), json!({}), json!(null)] {
                let claims = with(name, value);
                let refused = Err(Reason::NotAccessToken(name));
                assert_eq!(judge(&claims), refused);
                let text = claims.to_string();
                assert_eq!(judge_token(at_jwt, &text, &expectation(false)), refused);
                assert_eq!(judge(&bearer(claims)), refused);
            }
        }
        // Keycloak before 24 writes the nonce of the login into access tokens.
        let nonce = with("nonce", json!("x"));
        assert_eq!(judge(&nonce), Err(Reason::NotAccessToken("nonce")));
        let text = nonce.to_string();
        assert_eq!(judge_token(at_jwt, &text, &expectation(false)), Ok(0b10));
        assert_eq!(judge(&bearer(nonce)), Ok(0b10));
        // An authorization response has no subject.
        for name in [
            "code",
            "state",
            "error",
            "access_token",
            "id_token",
            "response",
        ] {
            let mut response = with(name, json!("x"));
            assert_eq!(judge(&response), Ok(0b10));
            response.as_object_mut().unwrap().remove("sub");
            assert_eq!(judge(&response), Err(Reason::NotAccessToken(name)));
            assert_eq!(judge(&bearer(response)), Ok(0b10));
        }
    }

    #[test]
    fn r38_a_token_bound_by_dpop_is_refused() {
        for cnf in [json!({"jkt": "x"}), json!({"a": {"b": [1]}, "jkt": 7})] {
            let outcome = judge(&with("cnf", cnf));
            let refused = Reason::SenderConstrained(Some(TokenKind::DpopBound));
            assert_eq!(outcome, Err(refused));
        }
    }

    #[test]
    fn r39_a_token_bound_in_any_way_is_refused() {
        for cnf in [
            json!({"x5t#S256": "x"}),
            json!({"kid": "x"}),
            json!({}),
            json!(null),
            json!("x"),
        ] {
            let outcome = judge(&with("cnf", cnf));
            assert_eq!(outcome, Err(Reason::SenderConstrained(None)));
        }
    }

    #[test]
    fn r52_an_empty_subject_is_refused() {
        let outcome = judge(&with("sub", json!("")));
        assert_eq!(outcome, Err(Reason::MalformedClaim("sub")));
        assert_eq!(judge(&with("sub", None)), Ok(0b10));
    }
}
