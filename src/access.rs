//! What a handler may rely on once a token was accepted.

use std::{fmt, sync::Arc, time::SystemTime};

use serde::Serialize;

use crate::{error::ConfigError, mapping::Grant, token::Claims};

/// What the service may rely on: whom the token speaks for and what it permits.
///
/// Only a [`TokenValidator`](crate::TokenValidator) makes one, so holding an `Access` is the proof
/// that a token was verified. The layer puts it into the request's extensions; with the feature
/// `axum` it is also an extractor. Cloning costs one reference count.
#[derive(Clone)]
pub struct Access {
    inner: Arc<Inner>,
}

struct Inner {
    claims: Claims,
    grant: Grant,
}

impl Access {
    pub(crate) fn new(claims: Claims, grant: Grant) -> Self {
        Self {
            inner: Arc::new(Inner { claims, grant }),
        }
    }

    /// The same, but sharing its count of references with no other.
    pub(crate) fn detached(&self) -> Self {
        Self::new(self.inner.claims.detached(), self.inner.grant.clone())
    }

    /// The organization the token is authorized for; `None` if the issuer's mapping knows none.
    #[must_use]
    pub fn organization(&self) -> Option<&AuthorizedOrganization> {
        self.inner.grant.organization.as_ref()
    }

    /// Everything the token permits.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        self.inner.grant.permissions
    }

    /// Whether the token permits `permission`.
    #[must_use]
    pub fn allows(&self, permission: Permission) -> bool {
        self.inner.grant.permissions.contains(permission)
    }

    /// Whether the `scope` claim names `scope` (split at single spaces, compared exactly;
    /// [RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)).
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        !scope.is_empty()
            && self
                .inner
                .claims
                .scope()
                .is_some_and(|scopes| scopes.split(' ').any(|one| one == scope))
    }

    /// The `sub` claim. Never empty.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.inner.claims.subject()
    }

    /// The client the token was issued to: `client_id`, else `azp`.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.inner.claims.client_id()
    }

    /// The issuer, exactly as configured.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.inner.claims.issuer()
    }

    /// When the token expires (`exp`, without leeway).
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.inner.claims.expires_at()
    }

    /// All verified claims.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.inner.claims
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("permissions", &self.permissions())
            .finish_non_exhaustive()
    }
}

/// The organization a token is authorized for: opaque, compared byte for byte,
/// 1 to 128 visible ASCII characters.
///
/// On Camunda SaaS it is the organization's id; on Self-Managed there is exactly one,
/// [`AuthorizedOrganization::nil`].
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

    /// The nil UUID, Self-Managed's only organization.
    #[must_use]
    pub fn nil() -> Self {
        Self(Arc::from("00000000-0000-0000-0000-000000000000"))
    }

    /// The organization as text.
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

/// One of the four permissions of the Web Modeler API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// `create:*`, needed for `POST`.
    Create,
    /// `read:*`, needed for `GET`.
    Read,
    /// `update:*`, needed for `PATCH` and `PUT`.
    Update,
    /// `delete:*`, needed for `DELETE`.
    Delete,
}

impl Permission {
    /// All four, in the order create, read, update, delete.
    pub const ALL: [Self; 4] = [Self::Create, Self::Read, Self::Update, Self::Delete];

    /// The name Camunda gives the permission: `create:*`, `read:*`, `update:*`, `delete:*`
    /// ([Management Identity, access management](https://docs.camunda.io/docs/self-managed/components/management-identity/access-management/access-management-overview/)).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create:*",
            Self::Read => "read:*",
            Self::Update => "update:*",
            Self::Delete => "delete:*",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of [`Permission`]s.
///
/// ```
/// use modeler_auth::{Permission, Permissions};
///
/// let permissions = Permissions::from_iter([Permission::Create, Permission::Read]);
/// assert!(permissions.contains(Permission::Read));
/// assert!(!permissions.contains(Permission::Delete));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Permissions(u8);

impl Permissions {
    /// No permission at all.
    pub const NONE: Self = Self(0);
    /// All four permissions.
    pub const ALL: Self = Self(0b1111);

    /// Whether the set holds `permission`.
    #[must_use]
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Adds `permission` to the set.
    pub fn insert(&mut self, permission: Permission) {
        self.0 |= permission.bit();
    }

    pub(crate) fn insert_all(&mut self, others: Self) {
        self.0 |= others.0;
    }

    /// The permissions of the set, in the order create, read, update, delete.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL
            .into_iter()
            .filter(move |&permission| self.contains(permission))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        let mut set = Self::NONE;
        for permission in permissions {
            set.insert(permission);
        }
        set
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
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

    #[test]
    fn a_permission_set_holds_exactly_what_was_inserted() {
        for subset in 0..16_u8 {
            let chosen: Vec<_> = Permission::ALL
                .into_iter()
                .enumerate()
                .filter(|(index, _)| subset >> index & 1 == 1)
                .map(|(_, permission)| permission)
                .collect();
            let set: Permissions = chosen.iter().copied().collect();
            assert_eq!(set.iter().collect::<Vec<_>>(), chosen);
            let mut both = Permissions::from_iter([Permission::Read]);
            both.insert_all(set);
            for permission in Permission::ALL {
                let expected = chosen.contains(&permission) || permission == Permission::Read;
                assert_eq!(both.contains(permission), expected);
            }
            for permission in Permission::ALL {
                assert_eq!(set.contains(permission), chosen.contains(&permission));
            }
        }
    }
}
