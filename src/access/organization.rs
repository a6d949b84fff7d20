//! Organization that a token is authorized for.

use std::{fmt, sync::Arc};

use serde::Serialize;

use crate::error::config::ConfigError;

/// Organization that a token is authorized for.
///
/// An opaque identifier of 1 to 128 visible ASCII characters, compared byte for byte. On Camunda
/// SaaS it is the organization's id. A Self-Managed installation has a single organization,
/// [`AuthorizedOrganization::nil`] unless configured otherwise.
///
/// ```
/// use modeler_auth::AuthorizedOrganization;
///
/// let organization: AuthorizedOrganization = "12345678-ABCD-DCBA-ABCD-123456789ABC".parse()?;
/// assert_eq!(organization.as_str(), "12345678-ABCD-DCBA-ABCD-123456789ABC");
/// assert!("with space".parse::<AuthorizedOrganization>().is_err());
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthorizedOrganization(Arc<str>);

impl AuthorizedOrganization {
    const LONGEST: usize = 128;

    /// Returns the nil UUID, the organization of Self-Managed.
    #[must_use]
    pub fn nil() -> Self {
        Self(Arc::from("00000000-0000-0000-0000-000000000000"))
    }

    /// Returns the organization as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fits = (1..=Self::LONGEST).contains(&text.len());
        (fits && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| Self(Arc::from(text)))
    }
}

impl std::str::FromStr for AuthorizedOrganization {
    type Err = ConfigError;

    /// # Errors
    /// [`ConfigError::InvalidOrganization`] unless `text` is 1 to 128 visible ASCII characters.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        Self::parse(text).ok_or_else(|| ConfigError::InvalidOrganization {
            value: text.to_owned(),
        })
    }
}

impl AsRef<str> for AuthorizedOrganization {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AuthorizedOrganization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AuthorizedOrganization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizedOrganization(..)")
    }
}

impl Serialize for AuthorizedOrganization {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organizations_are_one_to_128_visible_ascii_characters() {
        for good in ["a", "org-mno-789", &"x".repeat(128)] {
            assert_eq!(AuthorizedOrganization::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", " ", "a b", "ä", "a\n", "a\u{7f}", &"x".repeat(129)] {
            assert!(AuthorizedOrganization::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn organizations_differ_by_case() {
        assert_ne!(
            AuthorizedOrganization::parse("ABC"),
            AuthorizedOrganization::parse("abc")
        );
    }
}
