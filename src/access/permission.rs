//! Permissions of the Web Modeler API.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{error::config::ConfigError, url::shown};

/// Permission of the Web Modeler API.
///
/// ```
/// use modeler_auth::Permission;
///
/// assert_eq!(Permission::Create.name(), "create:*");
/// assert_eq!(Permission::ALL.len(), 4);
/// ```
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
    /// `delete:*`
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

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Permission {
    type Err = ConfigError;

    /// # Errors
    /// [`ConfigError::UnknownPermission`] for every text but the four names.
    fn from_str(name: &str) -> Result<Self, ConfigError> {
        let mut all = Self::ALL.into_iter();
        all.find(|permission| permission.name() == name)
            .ok_or_else(|| ConfigError::UnknownPermission { value: shown(name) })
    }
}

/// Serializes as the name.
impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Deserializes from the name.
impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(de::Error::custom)
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
    #[must_use]
    pub fn iter(self) -> PermissionsIter {
        PermissionsIter(self)
    }
}

/// Iterator over the permissions of a set.
///
/// ```
/// use modeler_auth::{Permission, Permissions};
///
/// let permissions: Permissions = [Permission::Read, Permission::Create].into_iter().collect();
/// let names: Vec<_> = permissions.iter().map(Permission::name).collect();
/// assert_eq!(names, ["create:*", "read:*"]);
/// ```
#[derive(Clone, Debug)]
pub struct PermissionsIter(Permissions);

impl Iterator for PermissionsIter {
    type Item = Permission;

    fn next(&mut self) -> Option<Permission> {
        let mut all = Permission::ALL.into_iter();
        let next = all.find(|&permission| self.0.contains(permission))?;
        self.0.0 &= !next.bit();
        Some(next)
    }
}

impl IntoIterator for Permissions {
    type Item = Permission;
    type IntoIter = PermissionsIter;

    fn into_iter(self) -> PermissionsIter {
        self.iter()
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
    fn a_permission_is_written_and_read_by_its_name() {
        for permission in Permission::ALL {
            assert_eq!(permission.to_string(), permission.name());
            assert_eq!(permission.name().parse(), Ok(permission));
            let json = serde_json::to_string(&permission).unwrap();
            assert_eq!(json, format!("{:?}", permission.name()));
            assert_eq!(
                serde_json::from_str::<Permission>(&json).unwrap(),
                permission
            );
        }
        for other in ["", "create", "CREATE:*", "create:* "] {
            assert!(other.parse::<Permission>().is_err(), "{other}");
        }
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
