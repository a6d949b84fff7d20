//! Names that an issuer gives the four permissions.

use crate::{
    access::permission::{Permission, Permissions},
    json::{Malformed, Reader},
};

/// Names that an issuer gives the four permissions.
///
/// The default is the names that Camunda documents for Self-Managed: `create:*`, `read:*`,
/// `update:*` and `delete:*`. Names match exactly, and unknown names are ignored. An empty name
/// matches nothing, so it disables its permission.
///
/// ```
/// use modeler_auth::{Permission, camunda::PermissionNames};
///
/// let names = PermissionNames::default().with(Permission::Read, "modeler:read");
/// assert!(names.permissions(["modeler:read", "x"]).contains(Permission::Read));
/// assert!(!names.permissions(["read:*"]).contains(Permission::Read));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PermissionNames([(Permission, String); 4]);

impl Default for PermissionNames {
    fn default() -> Self {
        Self(Permission::ALL.map(|permission| (permission, permission.name().to_owned())))
    }
}

impl PermissionNames {
    /// Sets the name of `permission`.
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

    /// Returns the permissions that `names` denote.
    pub fn permissions<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Permissions {
        let known = |name: &'a str| {
            let known = self.0.iter();
            known.filter(move |(_, known)| !known.is_empty() && known == name)
        };
        let found = names.into_iter().flat_map(known);
        found.map(|(permission, _)| *permission).collect()
    }

    /// Reads an array of names, and returns the permissions that they denote.
    pub(crate) fn read(&self, value: &mut Reader<'_>) -> Result<Permissions, Malformed> {
        let mut permissions = Permissions::NONE;
        value.array(|element| {
            let name = element.text()?;
            permissions.insert_all(self.permissions([name.as_ref()]));
            Ok(())
        })?;
        Ok(permissions)
    }
}
