//! Check of a token: the one decision whether it is acceptable, and what it grants.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use crate::{
    access::Access,
    auth::request_view::RequestView,
    clock::SteadyTime,
    error::{
        auth::AuthError,
        reason::{AlgorithmMismatch, Reason},
    },
    issuer::{
        grants::{Answer, Decision, GrantWait},
        trusted::TrustedIssuer,
    },
    keys::{
        cache::{Miss, shared::KeysInUse, waiters},
        key_set::KeyLookupError,
    },
    telemetry::metrics,
    token::{
        bearer::MAX_TOKEN_BYTES,
        claims::Claims,
        jws::{CompactJws, ParsedJws},
        presented_token::PresentedToken,
        scratch::{Buffers, PayloadBuffers, Scratch},
        unverified::Unverified,
    },
    validator::{
        Inner,
        cache::{entry::CachedToken, ungranted::Ungranted},
        diagnostics,
    },
};

/// Outcome for a token that is rejected, or has to wait.
pub(crate) enum NotAccepted {
    Rejected(AuthError),
    /// The decision must be taken again once this is ready.
    Wait(Wait),
}

impl NotAccepted {
    /// Names the configured issuer of the token.
    fn of_issuer(self, issuer: &Arc<str>) -> Self {
        match self {
            Self::Rejected(error) => Self::Rejected(error.of_issuer(issuer)),
            Self::Wait(wait) => Self::Wait(wait),
        }
    }
}

impl<E: Into<AuthError>> From<E> for NotAccepted {
    fn from(error: E) -> Self {
        Self::Rejected(error.into())
    }
}

/// Future that is ready when the decision must be taken again.
pub(crate) enum Wait {
    Grant(Box<GrantWait>),
    Keys(waiters::Wait),
}

/// Result of a wait.
pub(crate) enum Waited {
    Grant(Arc<Answer>),
    Keys {
        /// `true` if the fetch began before the request.
        joined: bool,
    },
}

impl Future for Wait {
    type Output = Waited;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Waited> {
        Poll::Ready(match self.get_mut() {
            Self::Grant(wait) => Waited::Grant(ready!(Pin::new(wait).poll(cx))),
            Self::Keys(wait) => {
                ready!(Pin::new(&mut *wait).poll(cx));
                Waited::Keys {
                    joined: wait.joined,
                }
            }
        })
    }
}

/// Number of times that a request may still wait for keys, and the answer of the source of grants that it
/// has waited for.
#[derive(Clone)]
pub(crate) struct WaitsLeft {
    keys: u8,
    answer: Option<Arc<Answer>>,
}

impl WaitsLeft {
    pub(crate) const ALL: Self = Self {
        keys: 2,
        answer: None,
    };

    pub(super) fn may_wait(&self) -> bool {
        self.keys > 0
    }

    /// Returns what is left when no more wait for keys is allowed.
    pub(crate) fn none(self) -> Self {
        Self { keys: 0, ..self }
    }

    /// Returns what is left after a wait. If its fetch of keys began before the request, the response may
    /// lack a new key, so one more wait is allowed; otherwise none.
    pub(crate) fn after(self, waited: Waited) -> Self {
        match waited {
            Waited::Grant(answer) => Self {
                answer: Some(answer),
                ..self
            },
            Waited::Keys { joined: true } => Self {
                keys: self.keys.saturating_sub(1),
                ..self
            },
            Waited::Keys { joined: false } => self.none(),
        }
    }
}

/// Token whose signature was verified.
struct VerifiedToken<'v> {
    claims: Claims,
    issuer: &'v TrustedIssuer,
    /// Position of the issuer.
    position: usize,
    /// Generation of the issuer's key set.
    generation: u64,
}

impl Inner {
    /// Decides about `token` without waiting.
    pub(super) fn decide(
        &self,
        token: PresentedToken<'_>,
        request: Option<&RequestView<'_>>,
        waits_left: &WaitsLeft,
    ) -> Result<Access, NotAccepted> {
        // Before the look-up, which may allocate.
        if token.as_bytes().len() > MAX_TOKEN_BYTES {
            return Err(Reason::TokenTooLong.into());
        }
        let now = self.clock.steady();
        if let Some((access, issuer)) = self.cached(token.as_bytes(), now) {
            metrics::cache_hit();
            issuer.check_request(access.claims(), request)?;
            return Ok(access);
        }
        let compact = CompactJws::split(token.text()?)?;
        let checked = metrics::timed(|| self.check(compact, request, waits_left, now))?;
        let access = checked.access.clone();
        self.tokens.insert(checked);
        Ok(access)
    }

    /// Returns the access of a cached token whose times and keys are still valid. The caller checks
    /// the sender constraint and the revocation.
    pub(super) fn cached(&self, token: &[u8], now: SteadyTime) -> Option<(Access, &TrustedIssuer)> {
        let found = self.tokens.get(token, now)?;
        let issuer = self.issuers.get(found.issuer)?;
        let loaded = issuer.keys.keys(now)?;
        let validity = found.access.claims().validity();
        let holds = found.generation == loaded.keys().generation()
            && validity.covers(self.clock.wall(), issuer.requirements.leeway);
        holds.then_some((found.access, issuer))
    }

    /// Checks a token in full.
    pub(super) fn check(
        &self,
        compact: CompactJws<'_>,
        request: Option<&RequestView<'_>>,
        waits_left: &WaitsLeft,
        now: SteadyTime,
    ) -> Result<CachedToken, NotAccepted> {
        let verified = self.verify(compact, Scratch::take().buffers(), waits_left, now)?;
        let issuer = verified.issuer;
        issuer.check_request(&verified.claims, request)?;
        let fresh_until = self.tokens.fresh_until(now);
        if let Some(grants) = &issuer.grants {
            grants
                .check_claims(&verified.claims)
                .map_err(|error| issuer.claims_refused(&error))?;
            let ungranted = Ungranted {
                claims: verified.claims,
                issuer: verified.position,
                generation: verified.generation,
                fresh_until,
                cache: self.tokens.shared().cloned(),
            };
            return match grants.decide(&ungranted, waits_left.answer.as_deref(), now) {
                Decision::Granted(grant) => Ok(ungranted.granted(grant)),
                Decision::Rejected(error) => Err(NotAccepted::Rejected(error)),
                Decision::Wait(wait) => Err(NotAccepted::Wait(Wait::Grant(Box::new(wait)))),
            };
        }
        let grant = issuer.grant(&verified.claims)?;
        Ok(CachedToken {
            access: Access::new(verified.claims, grant),
            issuer: verified.position,
            generation: verified.generation,
            fresh_until,
            granted_at: None,
        })
    }

    fn verify(
        &self,
        compact: CompactJws<'_>,
        buffers: &mut Buffers,
        waits_left: &WaitsLeft,
        now: SteadyTime,
    ) -> Result<VerifiedToken<'_>, NotAccepted> {
        let Buffers {
            bytes,
            payload,
            text,
        } = buffers;
        let known = self.headers.load();
        let signed = ParsedJws::read(compact, bytes, &known)?;
        let unverified = Unverified::read(signed, payload)?;
        let (position, issuer) = self.issuer(unverified.issuer()?)?;
        let verified = self.verify_for(issuer, &unverified, (payload, text), waits_left, now);
        let (claims, generation) =
            verified.map_err(|refused| refused.of_issuer(&issuer.requirements.issuer))?;
        self.headers
            .insert(compact.header, &unverified.signed().header);
        Ok(VerifiedToken {
            claims,
            issuer,
            position,
            generation,
        })
    }

    /// Returns the claims of a token of `issuer`, and the generation of the key set that verified them.
    fn verify_for(
        &self,
        issuer: &TrustedIssuer,
        unverified: &Unverified<'_>,
        (payload, text): (&PayloadBuffers, &mut String),
        waits_left: &WaitsLeft,
        now: SteadyTime,
    ) -> Result<(Claims, u64), NotAccepted> {
        // Checks that need no key come first: an unacceptable token then starts no fetch.
        let header = &unverified.signed().header;
        if !issuer.algorithms.contains(header.algorithm) {
            return Err(Reason::UnsupportedAlgorithm(AlgorithmMismatch::Issuer).into());
        }
        let checked = match unverified.check(&issuer.requirements, self.clock.wall()) {
            Ok(checked) => checked,
            Err(Reason::WrongAudience) => {
                return Err(wrong_audience(issuer, unverified, now).into());
            }
            Err(reason) => return Err(reason.into()),
        };

        let Some(loaded) = issuer.keys.keys(now) else {
            return Err(missed(issuer.keys.miss_keys(waits_left.may_wait())));
        };
        let key_id = header.key_id.as_deref();
        let mut candidates = match loaded.keys().candidates(key_id, header.algorithm) {
            Ok(candidates) => candidates,
            Err(KeyLookupError::Unknown) => {
                return Err(missed(issuer.keys.miss_key(&loaded, waits_left.may_wait())));
            }
            Err(KeyLookupError::Ambiguous) => return Err(Reason::AmbiguousKey.into()),
            Err(KeyLookupError::OtherAlgorithm) => {
                return Err(replaced(
                    issuer,
                    &loaded,
                    waits_left,
                    Reason::UnsupportedAlgorithm(AlgorithmMismatch::Key),
                ));
            }
        };
        let verify = |key| unverified.verify(&checked, key, &issuer.requirements, payload, text);
        let Some(claims) = candidates.find_map(verify) else {
            return Err(replaced(issuer, &loaded, waits_left, Reason::BadSignature));
        };
        Ok((claims, loaded.keys().generation()))
    }

    /// Returns the issuer called `name`, and its position.
    fn issuer(&self, name: &str) -> Result<(usize, &TrustedIssuer), AuthError> {
        let position = self.by_name.get(name);
        position
            .and_then(|&position| Some((position, self.issuers.get(position)?)))
            .ok_or_else(|| {
                let error = AuthError::from(Reason::UnknownIssuer);
                // Anyone can cause this error, so the hint is made only for a line that is logged.
                let hint = || diagnostics::near_miss(self.by_name.keys().map(AsRef::as_ref), name);
                match self.logs.would_allow(&error).then(hint).flatten() {
                    Some(hint) => error.with_detail(format!("{hint}; {}", self.known_issuers)),
                    None => error.with_detail(Arc::clone(&self.known_issuers)),
                }
            })
    }
}

/// Returns the outcome for a token whose key is not known.
fn missed(miss: Miss) -> NotAccepted {
    match miss {
        Miss::Wait(wait) => NotAccepted::Wait(Wait::Keys(wait)),
        Miss::UnknownKey => Reason::UnknownKey.into(),
        Miss::Unavailable { retry_in } => {
            AuthError::unavailable(Reason::KeysUnavailable, retry_in).into()
        }
        Miss::TooManyWaiters => {
            AuthError::unavailable(Reason::TooManyWaiting, Duration::from_secs(1)).into()
        }
    }
}

/// Returns the outcome for a token whose key does not verify it.
///
/// The issuer may have replaced the key under its id, so it is asked as for an unknown key, within the
/// same limits. If it cannot be asked now, the token is rejected. Forged tokens are more frequent than
/// such rotations, and must not look like an outage.
fn replaced(
    issuer: &TrustedIssuer,
    seen: &Arc<KeysInUse>,
    waits_left: &WaitsLeft,
    reason: Reason,
) -> NotAccepted {
    match issuer.keys.miss_key(seen, waits_left.may_wait()) {
        Miss::Wait(wait) => NotAccepted::Wait(Wait::Keys(wait)),
        Miss::TooManyWaiters | Miss::Unavailable { .. } | Miss::UnknownKey => reason.into(),
    }
}

/// Returns the error for a token for another service.
///
/// The signature is checked, too: only if it is good may the audiences of the token be logged.
fn wrong_audience(
    issuer: &TrustedIssuer,
    unverified: &Unverified<'_>,
    now: SteadyTime,
) -> AuthError {
    let header = &unverified.signed().header;
    let loaded = issuer.keys.keys(now);
    let holds = loaded.is_some_and(|loaded| {
        let candidates = loaded
            .keys()
            .candidates(header.key_id.as_deref(), header.algorithm);
        candidates.is_ok_and(|mut keys| keys.any(|key| unverified.signed().verify(key)))
    });
    if !holds {
        return Reason::WrongAudience.into();
    }
    AuthError::verified(Reason::WrongAudience).with_detail(diagnostics::other_audience(
        unverified.audiences(),
        issuer.requirements.audiences.iter().map(AsRef::as_ref),
    ))
}
