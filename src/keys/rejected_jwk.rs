//! JWKs that are not used.

use std::fmt;

/// JWK that is not used. The other keys of its set stay usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RejectedJwk {
    /// First characters of the key id.
    pub(crate) id: Option<Box<str>>,
    /// First characters of `alg`.
    pub(crate) algorithm: Option<Box<str>>,
    pub(crate) reason: JwkRejection,
}

/// Reason to ignore a JWK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JwkRejection {
    /// Not JSON, a member that is duplicate or of the wrong type, or material that is no key.
    Malformed,
    /// Key of an algorithm that the issuer may not use.
    NotAllowed,
    /// Key for encryption, not for signatures.
    NotForSignatures,
    /// Symmetric key: whoever can read it can sign.
    Symmetric,
    /// Unsupported key type, curve or algorithm, or an algorithm that does not fit the key type.
    Unsupported,
    /// RSA key with a modulus outside 2048 to 8192 bits, or an exponent that is even, below 3 or
    /// longer than 33 bits.
    Weak,
}

impl RejectedJwk {
    pub(super) fn new(id: Option<&str>, algorithm: Option<&str>, reason: JwkRejection) -> Self {
        Self {
            id: id.map(short_text),
            algorithm: algorithm.map(short_text),
            reason,
        }
    }
}

/// Returns the first 64 characters of `text`, since an issuer may publish any text.
pub(super) fn short_text(text: &str) -> Box<str> {
    text.chars().take(64).collect()
}

impl JwkRejection {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Malformed => {
                "malformed: a member is missing, repeated or of the wrong type, or the numbers are no public key"
            }
            Self::NotAllowed => {
                "of an algorithm that is not allowed for the issuer: see `Issuer::algorithms`"
            }
            Self::NotForSignatures => "not for signatures (`use` or `key_ops`)",
            Self::Symmetric => {
                "symmetric: whoever can read it can sign, so the issuer should not publish it"
            }
            Self::Unsupported => "of an unsupported type, curve or algorithm",
            Self::Weak => {
                "weak: its modulus must have 2048 to 8192 bits, and its exponent must be odd, at least 3 and at most 33 bits long"
            }
        }
    }
}

impl fmt::Display for RejectedJwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "{id:?} is {}", self.reason.text()),
            None => write!(f, "a key without id is {}", self.reason.text()),
        }
    }
}
