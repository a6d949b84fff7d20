//! The verified claims.

use std::{
    fmt,
    ops::Range,
    sync::Arc,
    time::{Duration, SystemTime},
};

use base64_simd::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;

use crate::{
    clock::WallTime,
    error::claim::ClaimError,
    json::{Malformed, Reader},
    token::{
        claim_path::ClaimPath,
        scratch::{Place, Scratch},
    },
};

/// What the claims of an issuer's tokens are held against.
pub(crate) struct ClaimRequirements {
    pub(crate) issuer: Box<str>,
    /// At most [`ClaimRequirements::MAX_AUDIENCES`].
    pub(crate) audiences: Box<[Box<str>]>,
    /// Only access tokens as RFC 9068 has them.
    pub(crate) at_jwt_only: bool,
    /// Tokens that are bound to their sender can be confirmed.
    pub(crate) has_sender_constraints: bool,
}

impl ClaimRequirements {
    /// The audiences a token matched are kept as bits.
    pub(crate) const MAX_AUDIENCES: usize = u64::BITS as usize;
}

/// The verified claims of a token.
///
/// Only the validator makes this value, and only after the signature held and every registered
/// claim was checked: holding it is the proof.
pub struct Claims {
    verified: Verified,
    /// What the token was decoded into, as long as it is being decided about.
    scratch: Scratch,
}

/// What is kept of a token whose signature held.
#[derive(Clone)]
pub(crate) struct Verified {
    pub(super) expected: Arc<ClaimRequirements>,
    /// The token, and behind it the texts that are kept of its claims: one allocation for all.
    pub(super) text: Arc<str>,
    pub(super) token: Span,
    /// Claims are decoded from here when asked for, which keeps this value small.
    pub(super) payload_segment: Span,
    /// Which of the configured audiences the token names, one bit each.
    pub(super) audiences: u64,
    pub(super) subject: Option<Span>,
    pub(super) client_id: Option<Span>,
    pub(super) scope: Option<Span>,
    pub(super) token_id: Option<Span>,
    pub(super) issued_at: Option<WallTime>,
    pub(super) validity: Validity,
    pub(super) is_sender_constrained: bool,
}

impl Verified {
    /// Its claims; `scratch` is what the token was decoded into.
    pub(crate) fn into_claims(self, scratch: Scratch) -> Claims {
        Claims {
            verified: self,
            scratch,
        }
    }

    fn text_at(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }
}

/// A part of a text of less than 64 KiB.
#[derive(Clone, Copy)]
pub(super) struct Span {
    start: u16,
    end: u16,
}

impl Span {
    pub(super) fn new(range: &Range<usize>) -> Option<Self> {
        Some(Self {
            start: range.start.try_into().ok()?,
            end: range.end.try_into().ok()?,
        })
    }

    fn range(self) -> Range<usize> {
        usize::from(self.start)..usize::from(self.end)
    }
}

/// When a token is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    /// The later of `nbf` and `iat`.
    pub(crate) begins_at: WallTime,
    /// `exp`
    pub(crate) ends_at: WallTime,
}

impl Validity {
    /// Whether `now` is within, or near by as the leeway says.
    pub(crate) fn covers(self, now: WallTime, leeway: Duration) -> bool {
        self.begins_at <= now.saturating_add(leeway) && now < self.ends_at.saturating_add(leeway)
    }
}

impl Claims {
    /// Gives up what makes reading claims cheap. It belongs to the thread that checks tokens.
    pub(crate) fn settle(&mut self) {
        self.scratch = Scratch::default();
    }

    /// The same, in a place of their own but for the texts.
    pub(crate) fn detached(&self) -> Self {
        Self {
            verified: self.verified.clone(),
            scratch: Scratch::default(),
        }
    }

    /// The whole token.
    pub(crate) fn token(&self) -> &str {
        self.verified.text_at(self.verified.token)
    }

    /// The bytes of the token and of the texts that are kept of its claims.
    pub(crate) fn text_length(&self) -> usize {
        self.verified.text.len()
    }

    /// When `exp`, `nbf` and `iat` hold.
    pub(crate) fn validity(&self) -> Validity {
        self.verified.validity
    }

    /// The issuer, exactly as configured.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.verified.expected.issuer
    }

    /// The audiences that are both configured and in the token. Never empty.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        let bits = self.verified.audiences;
        let configured = self.verified.expected.audiences.iter().enumerate();
        configured
            .filter(move |(index, _)| bits & 1 << index != 0)
            .map(|(_, audience)| audience.as_ref())
    }

    /// The `sub` claim. Never empty.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.verified
            .subject
            .map(|span| self.verified.text_at(span))
    }

    /// The client the token was issued to: `client_id`
    /// ([RFC 9068 §2.2](https://www.rfc-editor.org/rfc/rfc9068#section-2.2)), else `azp`.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.verified
            .client_id
            .map(|span| self.verified.text_at(span))
    }

    /// The `scope` claim, if it is a string.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.verified.scope.map(|span| self.verified.text_at(span))
    }

    /// The `jti` claim.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.verified
            .token_id
            .map(|span| self.verified.text_at(span))
    }

    /// When the token was issued (`iat`).
    #[must_use]
    pub fn issued_at(&self) -> Option<SystemTime> {
        self.verified.issued_at?.to_system_time()
    }

    /// Whether there is a `cnf` claim.
    pub(crate) fn is_sender_constrained(&self) -> bool {
        self.verified.is_sender_constrained
    }

    /// When the token expires (`exp`, without leeway).
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        // `exp` was bounded by the year 9999, which every platform's `SystemTime` can hold.
        let ends_at = self.verified.validity.ends_at.to_system_time();
        ends_at.unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// The claim at `path`: one member name, or a list of names that leads into nested objects.
    /// A name is never split: `https://camunda.com/orgId` is one name, dots and all.
    ///
    /// `Ok(None)` means that the claim, or an object on the way to it, is absent. Mind that a
    /// struct with a derived `Deserialize` reads itself from an array, too.
    ///
    /// # Errors
    /// [`ClaimError`] if the claim, or something on the way to it, has another JSON type.
    ///
    /// ```
    /// # use modeler_auth::{access::ClaimError, Claims};
    /// # fn example(claims: &Claims) -> Result<(), ClaimError> {
    /// let organization = claims.get::<String>("https://camunda.com/orgId")?;
    /// let permitted = claims.get::<Vec<String>>(&["permissions", "web-modeler-public-api"])?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn get<'p, T: DeserializeOwned>(
        &self,
        path: impl Into<ClaimPath<'p>>,
    ) -> Result<Option<T>, ClaimError> {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method alone is for one lifetime"
        )]
        self.find(path, |value| value.deserialize())
    }

    /// What `read` makes of the claim at `path`; else as [`get`](Claims::get).
    pub(crate) fn find<'p, T>(
        &self,
        path: impl Into<ClaimPath<'p>>,
        read: impl FnOnce(&mut Reader<'_>) -> Result<T, Malformed>,
    ) -> Result<Option<T>, ClaimError> {
        let path = path.into();
        let names = path.names();
        let found = match (self.scratch.buffers(), names.split_first()) {
            (Some(buffers), Some((first, rest))) => match buffers.place_of(first) {
                Place::At(value) => find_within(value, rest, read),
                Place::Nowhere => return Ok(None),
                Place::Unknown => find_within(buffers.payload(), names, read),
            },
            _ => find_within(&self.payload(), names, read),
        };
        found.map_err(|Malformed| ClaimError::new(names.join("."), "has the wrong JSON type"))
    }

    /// All claims at once, as a type of your own.
    ///
    /// # Errors
    /// [`ClaimError`] if the claims do not fit `T`.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, ClaimError> {
        serde_json::from_slice(&self.payload())
            .map_err(|_| ClaimError::new("*", "do not fit the type asked for"))
    }

    /// What was decoded once decodes again.
    fn payload(&self) -> Vec<u8> {
        let segment = self.verified.text_at(self.verified.payload_segment);
        URL_SAFE_NO_PAD.decode_to_vec(segment).unwrap_or_default()
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims").finish_non_exhaustive()
    }
}

/// What `read` makes of the value that is found by following `path` from the value `json`.
fn find_within<T>(
    json: &[u8],
    path: &[&str],
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, Malformed>,
) -> Result<Option<T>, Malformed> {
    follow(&mut Reader::new(json)?, path, read)
}

fn follow<T>(
    value: &mut Reader<'_>,
    path: &[&str],
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, Malformed>,
) -> Result<Option<T>, Malformed> {
    let Some((wanted, path)) = path.split_first() else {
        return read(value).map(Some);
    };
    let (mut read, mut found) = (Some(read), None);
    value.object(|member, value| {
        match read.take_if(|_| member.name == *wanted) {
            Some(read) => found = follow(value, path, read)?,
            None => value.skip()?,
        }
        Ok(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r48_a_hit_is_valid_from_and_until_the_very_instants_of_a_check() {
        let seconds = Duration::from_secs;
        let validity = Validity {
            begins_at: WallTime::from_epoch(seconds(100)),
            ends_at: WallTime::from_epoch(seconds(200)),
        };
        let covers = |now| validity.covers(WallTime::from_epoch(now), seconds(10));
        let nanosecond = Duration::from_nanos(1);
        assert!(covers(seconds(90)) && covers(seconds(210) - nanosecond));
        assert!(!covers(seconds(90) - nanosecond) && !covers(seconds(210)));
    }
}
