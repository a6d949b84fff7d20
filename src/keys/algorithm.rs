//! Signature algorithms.
//!
//! HMAC and `none` do not exist here, so no configuration can use a public key as an HMAC secret.

use std::{fmt, str::FromStr};

use crate::{error::config::ConfigError, url::shown};

/// Signature algorithm that a key is bound to
/// ([RFC 7518 §3.1](https://www.rfc-editor.org/rfc/rfc7518#section-3.1),
/// [RFC 8037 §3.1](https://www.rfc-editor.org/rfc/rfc8037#section-3.1)).
///
/// ```
/// use modeler_auth::{Issuer, keys::Algorithm};
///
/// let issuer = Issuer::oidc("https://login.example.com/")
///     .audience("orders")
///     .algorithms([Algorithm::Es256]);
/// assert_eq!(Algorithm::Es256.name(), "ES256");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// Ed25519, named `EdDSA` or, by [RFC 9864](https://www.rfc-editor.org/rfc/rfc9864), `Ed25519`.
    EdDsa,
}

impl Algorithm {
    /// Returns every supported algorithm.
    pub fn all() -> impl Iterator<Item = Self> {
        std::iter::successors(Some(Self::Rs256), |algorithm| algorithm.next())
    }

    /// Returns the algorithm after this one in [`all`](Self::all). A new algorithm must be added here,
    /// or this does not compile.
    const fn next(self) -> Option<Self> {
        Some(match self {
            Self::Rs256 => Self::Rs384,
            Self::Rs384 => Self::Rs512,
            Self::Rs512 => Self::Ps256,
            Self::Ps256 => Self::Ps384,
            Self::Ps384 => Self::Ps512,
            Self::Ps512 => Self::Es256,
            Self::Es256 => Self::Es384,
            Self::Es384 => Self::Es512,
            Self::Es512 => Self::EdDsa,
            Self::EdDsa => return None,
        })
    }

    /// Returns the registered name, as in the header of a token.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Returns the algorithm with exactly this name; names are case-sensitive.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(Self::EdDsa);
        }
        Self::all().find(|algorithm| algorithm.name() == name)
    }

    pub(crate) const fn is_rsa(self) -> bool {
        matches!(
            self,
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512
        )
    }
}

impl FromStr for Algorithm {
    type Err = ConfigError;

    /// # Errors
    /// [`ConfigError::UnknownAlgorithm`] for every name but those of [`Algorithm::all`] and `Ed25519`.
    fn from_str(name: &str) -> Result<Self, ConfigError> {
        Self::from_name(name).ok_or_else(|| ConfigError::UnknownAlgorithm { value: shown(name) })
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Algorithms that an issuer may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AllowedAlgorithms(u16);

impl AllowedAlgorithms {
    /// Every algorithm, those of later versions included.
    pub(crate) const ALL: Self = Self(u16::MAX);

    pub(crate) const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & 1 << algorithm as u16 != 0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the algorithm of an RSA key without `alg`: the only RSA algorithm that is allowed,
    /// else RS256. The token's own `alg` never chooses it.
    pub(crate) fn for_unlabelled_rsa_key(self) -> Algorithm {
        let mut rsa =
            Algorithm::all().filter(|&algorithm| algorithm.is_rsa() && self.contains(algorithm));
        match (rsa.next(), rsa.next()) {
            (Some(only), None) => only,
            _ => Algorithm::Rs256,
        }
    }
}

impl FromIterator<Algorithm> for AllowedAlgorithms {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        Self(
            algorithms
                .into_iter()
                .fold(0, |bits, one| bits | 1 << one as u16),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_are_case_sensitive() {
        assert_eq!(Algorithm::all().count(), Algorithm::EdDsa as usize + 1);
        for algorithm in Algorithm::all() {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
            let lower = algorithm.name().to_lowercase();
            assert_eq!(Algorithm::from_name(&lower), None);
        }
        assert_eq!(Algorithm::from_name("Ed25519"), Some(Algorithm::EdDsa));
    }

    #[test]
    fn r15_none_and_hmac_are_not_representable() {
        for name in [
            "none", "None", "NONE", "HS256", "HS384", "HS512", "ES256K", "",
        ] {
            assert_eq!(Algorithm::from_name(name), None);
            assert!(name.parse::<Algorithm>().is_err());
        }
    }

    #[test]
    fn an_unlabelled_rsa_key_is_rs256_unless_one_other_is_allowed() {
        let bound = |algorithms: &[Algorithm]| {
            AllowedAlgorithms::from_iter(algorithms.iter().copied()).for_unlabelled_rsa_key()
        };
        assert_eq!(
            bound(&Algorithm::all().collect::<Vec<_>>()),
            Algorithm::Rs256
        );
        assert_eq!(
            bound(&[Algorithm::Ps256, Algorithm::Es256]),
            Algorithm::Ps256
        );
        assert_eq!(
            bound(&[Algorithm::Ps256, Algorithm::Rs512]),
            Algorithm::Rs256
        );
        assert_eq!(bound(&[Algorithm::Es256]), Algorithm::Rs256);
        // A repeated algorithm counts once.
        assert_eq!(bound(&[Algorithm::Ps256; 2]), Algorithm::Ps256);
    }
}
