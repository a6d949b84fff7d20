//! Permissions of the Web Modeler API.

use std::fmt;

/// Permission of the Web Modeler API.
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
    /// All four permissions, in the order create, read, update, delete.
    pub const ALL: [Self; 4] = [Self::Create, Self::Read, Self::Update, Self::Delete];

    /// Returns the name that Camunda gives the permission: `create:*`, `read:*`, `update:*`,
    /// `delete:*` ([Management Identity, access
    /// management](https://docs.camunda.io/docs/self-managed/components/management-identity/access-management/access-management-overview/)).
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

/// Set of [`Permission`]s.
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
    /// Set without any permission.
    pub const NONE: Self = Self(0);
    /// Set of all four permissions.
    pub const ALL: Self = Self(0b1111);

    /// Returns whether the set contains `permission`.
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

    /// Returns the permissions of the set, in the order create, read, update, delete.
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
