//! What an issuer calls the four permissions.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, SeqAccess, Visitor},
};

use crate::{
    access::{Permission, Permissions},
    json::Text,
};

/// What an issuer calls the four permissions.
///
/// The default is what Camunda documents for Self-Managed: `create:*`, `read:*`, `update:*` and
/// `delete:*`. Names match exactly; those that are not known are ignored. An empty name matches
/// nothing, so it switches its permission off.
///
/// ```
/// use modeler_auth::{Permission, PermissionNames};
///
/// let names = PermissionNames::default().with(Permission::Read, "modeler:read");
/// assert!(names.permissions(["modeler:read", "x"]).contains(Permission::Read));
/// assert!(!names.permissions(["read:*"]).contains(Permission::Read));
/// ```
#[derive(Clone, Debug)]
pub struct PermissionNames([(Permission, String); 4]);

impl Default for PermissionNames {
    fn default() -> Self {
        Self(Permission::ALL.map(|permission| (permission, permission.name().to_owned())))
    }
}

impl PermissionNames {
    /// Calls `permission` by another `name`.
    #[must_use]
    pub fn with(mut self, permission: Permission, name: impl Into<String>) -> Self {
        let name = name.into();
        self.0 = self.0.map(|(known, old)| {
            let name = if known == permission {
                name.clone()
            } else {
                old
            };
            (known, name)
        });
        self
    }

    /// The permissions that `names` stand for.
    pub fn permissions<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Permissions {
        let known = |name: &'a str| {
            let known = self.0.iter();
            known.filter(move |(_, known)| !known.is_empty() && known == name)
        };
        let found = names.into_iter().flat_map(known);
        found.map(|(permission, _)| *permission).collect()
    }
}

/// Reads the permissions that an array of names stands for.
impl<'de> DeserializeSeed<'de> for &PermissionNames {
    type Value = Permissions;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Permissions, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &PermissionNames {
    type Value = Permissions;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Permissions, A::Error> {
        let mut permissions = Permissions::NONE;
        while let Some(Text(name)) = names.next_element()? {
            let granted = self.permissions([name.as_ref()]);
            granted.iter().for_each(|one| permissions.insert(one));
        }
        Ok(permissions)
    }
}
