//! Keys as an issuer publishes them, for tools.

use crate::keys::{
    jwk::VerifyingKey,
    key_problem::KeyProblem,
    rejected_jwk::{RejectedJwk, short_text},
};

/// Key in the key set of an issuer; see [`Issuer::inspect_keys`](crate::Issuer::inspect_keys).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishedKey {
    /// First 64 characters of the key id (`kid`).
    pub id: Option<String>,
    /// Algorithm to which the key is bound. For a key that is not used: first 64 characters of its
    /// `alg`.
    pub algorithm: Option<String>,
    /// `true` if tokens are verified with the key.
    pub is_used: bool,
    /// Property because of which the key is not used, or should not be; it completes "the key is".
    pub problem: Option<&'static str>,
    /// `true` if the operator of the issuer should mend the problem. A key for encryption or of an
    /// unsupported type, for example, is no mistake.
    pub is_mistake: bool,
}

impl PublishedKey {
    pub(super) fn of(jwk: &Result<VerifyingKey, RejectedJwk>) -> Self {
        match jwk {
            Ok(key) => {
                let is_private = key.has_private_members();
                Self {
                    id: key.id().map(|id| short_text(id).into()),
                    algorithm: Some(key.algorithm().name().to_owned()),
                    is_used: true,
                    problem: is_private.then(|| KeyProblem::private_members(key.id()).text),
                    is_mistake: is_private,
                }
            }
            Err(rejected) => Self {
                id: rejected.id.as_deref().map(str::to_owned),
                algorithm: rejected.algorithm.as_deref().map(str::to_owned),
                is_used: false,
                problem: Some(rejected.reason.text()),
                is_mistake: KeyProblem::of(rejected).is_some(),
            },
        }
    }
}
