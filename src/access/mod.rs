//! Access: the organization, permissions and claims that a handler may rely on.

use std::{fmt, sync::Arc, time::SystemTime};

pub(crate) mod grant;
pub(crate) mod grant_source;
pub(crate) mod mapping;
pub(crate) mod organization;
pub(crate) mod permission;

pub use self::{
    grant::Grant,
    grant_source::{GrantError, GrantErrorKind, GrantFuture, GrantRequest, GrantSource},
    mapping::MapClaims,
    organization::AuthorizedOrganization,
    permission::{Permission, Permissions, PermissionsIter},
};
pub use crate::error::ClaimError;
use crate::token::claims::Claims;

/// Access of a request: the organization, the permissions and the verified claims of its token.
///
/// Only a [`TokenValidator`](crate::TokenValidator) creates an `Access`, so the value proves that a
/// token was verified. The layer inserts it into the request's extensions. With the feature `axum`
/// it is also an extractor. A clone increments one reference count.
///
/// ```
/// use modeler_auth::{Access, Permission};
///
/// async fn handler(access: Access) -> String {
///     let may_read = access.allows(Permission::Read);
///     format!("{:?} of {:?}: {may_read}", access.subject(), access.organization())
/// }
/// ```
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

    /// Returns a copy that shares no reference count with `self`.
    pub(crate) fn unshared(&self) -> Self {
        Self::new(self.inner.claims.clone(), self.inner.grant.clone())
    }

    /// Returns whether both values are clones of one access.
    #[cfg(feature = "axum")]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    pub(crate) fn grant(&self) -> &Grant {
        &self.inner.grant
    }

    /// Returns the organization that the token is authorized for; `None` if the issuer's mapping
    /// names none.
    #[must_use]
    pub fn organization(&self) -> Option<&AuthorizedOrganization> {
        self.inner.grant.organization.as_ref()
    }

    /// Returns all permissions of the token.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        self.inner.grant.permissions
    }

    /// Returns whether the token permits `permission`.
    #[must_use]
    pub fn allows(&self, permission: Permission) -> bool {
        self.inner.grant.permissions.contains(permission)
    }

    /// Returns whether the `scope` claim contains `scope`.
    ///
    /// The claim is split at single spaces, and the parts are compared exactly
    /// ([RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)).
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        !scope.is_empty()
            && self
                .inner
                .claims
                .scope()
                .is_some_and(|scopes| scopes.split(' ').any(|one| one == scope))
    }

    /// Returns the `sub` claim. Never empty.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.inner.claims.subject()
    }

    /// Returns the client that the token was issued to: `client_id`, else `azp`.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.inner.claims.client_id()
    }

    /// Returns the issuer, exactly as configured.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.inner.claims.issuer()
    }

    /// Returns the time at which the token expires, without leeway: `exp`, or earlier by
    /// [`Issuer::token_max_age`](crate::Issuer::token_max_age).
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.inner.claims.expires_at()
    }

    /// Returns all verified claims.
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
