//! Problems of published keys, for log lines.

use crate::keys::rejected_jwk::{JwkRejection, RejectedJwk, short_text};

/// Problem of a published key that the operator of the issuer should mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyProblem {
    /// First characters of the key id.
    pub(crate) key_id: Option<Box<str>>,
    /// Whether tokens are verified with the key.
    pub(crate) is_used: bool,
    pub(crate) text: &'static str,
}

impl KeyProblem {
    /// Returns the problem of a key whose JWK has private members.
    pub(crate) fn private_members(id: Option<&str>) -> Self {
        Self {
            key_id: id.map(short_text),
            is_used: true,
            text: "published with its private members: whoever can read them can sign, so the issuer should replace the key",
        }
    }

    /// Returns the problem of a key that is not used; `None` if that is no mistake of the issuer.
    pub(crate) fn of(rejected: &RejectedJwk) -> Option<Self> {
        match rejected.reason {
            JwkRejection::Malformed | JwkRejection::Symmetric | JwkRejection::Weak => Some(Self {
                key_id: rejected.id.clone(),
                is_used: false,
                text: rejected.reason.text(),
            }),
            JwkRejection::NotAllowed
            | JwkRejection::NotForSignatures
            | JwkRejection::Unsupported => None,
        }
    }
}
