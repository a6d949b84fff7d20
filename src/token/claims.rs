//! Verified claims.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::de::DeserializeOwned;

use crate::{
    clock::{Clock, WallTime},
    error::claim::ClaimError,
    json::{Malformed, Reader},
    token::{
        claim_index::{ClaimIndex, Span},
        claim_path::ClaimPath,
    },
};

/// Requirements for the claims of an issuer's tokens.
pub(crate) struct ClaimRequirements {
    pub(crate) issuer: Arc<str>,
    /// At most [`ClaimRequirements::MAX_AUDIENCES`].
    pub(crate) audiences: Box<[Box<str>]>,
    /// Only access tokens as RFC 9068 defines them.
    pub(crate) at_jwt_only: bool,
    /// There are sender constraints that can be verified.
    pub(crate) has_sender_constraints: bool,
    /// Time since `iat` up to which a token is accepted.
    pub(crate) max_age: Option<Duration>,
    /// Clock skew that is allowed when times are compared.
    pub(crate) leeway: Duration,
    /// Clock of the validator, for times that are compared after the validation.
    pub(crate) clock: Clock,
}

impl ClaimRequirements {
    /// The audiences that a token matched are kept as bits.
    pub(crate) const MAX_AUDIENCES: usize = u64::BITS as usize;
}

/// Verified claims of a token.
///
/// Only the validator creates this value, after it verified the signature and checked every registered
/// claim: the value is the proof.
#[derive(Clone)]
pub struct Claims {
    pub(super) requirements: Arc<ClaimRequirements>,
    /// The token, the decoded payload, and the unescaped form of names and claims with escapes, one
    /// after another in one allocation.
    pub(super) text: Arc<str>,
    pub(super) token: Span,
    pub(super) payload: Span,
    pub(super) index: ClaimIndex,
    /// Configured audiences that the token names, one bit each.
    pub(super) audiences: u64,
    pub(super) subject: Option<Span>,
    pub(super) client_id: Option<Span>,
    pub(super) scope: Option<Span>,
    pub(super) token_id: Option<Span>,
    pub(super) issued_at: Option<WallTime>,
    pub(super) validity: Validity,
    pub(super) is_sender_constrained: bool,
}

/// Time in which a token is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    /// The later of `nbf` and `iat`.
    pub(crate) begins_at: WallTime,
    /// `exp`, or earlier by the maximum age.
    pub(crate) ends_at: WallTime,
}

impl Validity {
    /// Returns whether the token is valid `now`, with the leeway on both sides.
    pub(crate) fn covers(self, now: WallTime, leeway: Duration) -> bool {
        self.begins_at <= now.saturating_add(leeway) && now < self.ends_at.saturating_add(leeway)
    }
}

impl Claims {
    /// Returns the whole token.
    pub(crate) fn token(&self) -> &str {
        self.token.of(&self.text)
    }

    /// Returns the memory that the texts take.
    pub(crate) fn text_bytes(&self) -> usize {
        self.text.len().saturating_add(self.index.bytes())
    }

    /// Returns the name of the issuer, shared.
    pub(crate) fn shared_issuer(&self) -> &Arc<str> {
        &self.requirements.issuer
    }

    /// Returns the present time by the clock of the validator.
    pub(crate) fn now(&self) -> WallTime {
        self.requirements.clock.wall()
    }

    /// Returns the clock skew that the validator allows.
    pub(crate) fn leeway(&self) -> Duration {
        self.requirements.leeway
    }

    /// Returns the time in which `exp`, `nbf`, `iat` and the maximum age hold.
    pub(crate) fn validity(&self) -> Validity {
        self.validity
    }

    /// Returns whether there is a `cnf` claim.
    pub(crate) fn is_sender_constrained(&self) -> bool {
        self.is_sender_constrained
    }

    /// Returns the issuer, exactly as configured.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.requirements.issuer
    }

    /// Returns the audiences that are both configured and in the token. Never empty.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        let bits = self.audiences;
        let configured = self.requirements.audiences.iter().enumerate();
        configured
            .filter(move |(index, _)| bits & 1 << index != 0)
            .map(|(_, audience)| audience.as_ref())
    }

    /// Returns the `sub` claim. Never empty.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.map(|span| span.of(&self.text))
    }

    /// Returns the client the token was issued to: `client_id`
    /// ([RFC 9068 §2.2](https://www.rfc-editor.org/rfc/rfc9068#section-2.2)), else `azp`.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.map(|span| span.of(&self.text))
    }

    /// Returns the `scope` claim, if it is a string.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.scope.map(|span| span.of(&self.text))
    }

    /// Returns the `jti` claim.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.token_id.map(|span| span.of(&self.text))
    }

    /// Returns the time at which the token was issued (`iat`).
    #[must_use]
    pub fn issued_at(&self) -> Option<SystemTime> {
        self.issued_at?.to_system_time()
    }

    /// Returns the time at which the token expires, without leeway: `exp`, or earlier by
    /// [`Issuer::token_max_age`](crate::Issuer::token_max_age).
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        // `exp` was bounded by the year 9999, which every platform's `SystemTime` can hold.
        let ends_at = self.validity.ends_at.to_system_time();
        ends_at.unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Returns the claim at `path`: one member name, or a list of names that leads into nested
    /// objects. A name is never split: `https://camunda.com/orgId` is one name, dots included.
    ///
    /// `Ok(None)` means that the claim, or an object on the way to it, is absent. A struct with a
    /// derived `Deserialize` also accepts an array.
    ///
    /// # Errors
    /// [`ClaimError`] if the claim, or something on the way to it, has another JSON type.
    ///
    /// ```
    /// # use modeler_auth::{Claims, access::ClaimError};
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
        self.read(path, |value| value.deserialize())
    }

    /// Returns the result of `read` for the claim at `path`; otherwise as [`get`](Claims::get).
    pub(crate) fn read<'p, T>(
        &self,
        path: impl Into<ClaimPath<'p>>,
        read: impl FnOnce(&mut Reader<'_>) -> Result<T, Malformed>,
    ) -> Result<Option<T>, ClaimError> {
        let path = path.into();
        let names = path.names();
        let (value, rest) = match names.split_first() {
            Some((first, rest)) => match self.index.value(&self.text, first) {
                Some(value) => (value, rest),
                None => return Ok(None),
            },
            None => (self.payload(), names),
        };
        follow(&mut Reader::of(value), rest, read)
            .map_err(|Malformed| ClaimError::new(names.join("."), "has the wrong JSON type"))
    }

    /// Returns all claims as a type of the caller's choice.
    ///
    /// # Errors
    /// [`ClaimError`] if the claims do not fit `T`.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, ClaimError> {
        serde_json::from_str(self.payload())
            .map_err(|_| ClaimError::new("*", "do not fit the type asked for"))
    }

    /// Returns the JSON text of all claims.
    pub(crate) fn payload(&self) -> &str {
        self.payload.of(&self.text)
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims").finish_non_exhaustive()
    }
}

/// Returns the result of `read` for the value at `path`, starting at `value`.
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
