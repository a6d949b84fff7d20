use std::borrow::Cow;

use http::Method;

use crate::{
    access::{Access, permission::Permission},
    auth::request_view::RequestView,
    error::auth::{AuthError, Reason},
};

/// Decides whether an access suffices for a request.
///
/// A [`Permission`] is the rule that it is needed for everything; closures implement the trait, too:
///
/// ```
/// use modeler_auth::{
///     Access, require::Missing, Permission, auth::RequestView, RequirePermissionLayer,
/// };
///
/// let layer = RequirePermissionLayer::new(|access: &Access, request: &RequestView<'_>| {
///     match request.path() {
///         "/modeler.v1.Projects/Get" => access.require(Permission::Read),
///         "/modeler.v1.Projects/Export" if access.has_scope("export") => Ok(()),
///         _ => Err(Missing::scope("export")),
///     }
/// });
/// ```
pub trait PermissionRule {
    /// Checks whether `access` suffices for `request`.
    ///
    /// # Errors
    /// What is [`Missing`]; the request is rejected with 403.
    fn check(&self, access: &Access, request: &RequestView<'_>) -> Result<(), Missing>;
}

impl<F> PermissionRule for F
where
    F: Fn(&Access, &RequestView<'_>) -> Result<(), Missing>,
{
    fn check(&self, access: &Access, request: &RequestView<'_>) -> Result<(), Missing> {
        self(access, request)
    }
}

impl PermissionRule for Permission {
    fn check(&self, access: &Access, _: &RequestView<'_>) -> Result<(), Missing> {
        access.require(*self)
    }
}

/// What an access lacks. It refuses a request only as the error of a rule:
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// # use modeler_auth::{Access, require::Missing};
/// fn rule(access: &Access) -> Result<(), Missing> {
///     if !access.has_scope("orders") {
///         Missing::scope("orders"); // an error: the rule lets everybody in
///     }
///     Ok(())
/// }
/// ```
///
/// ```
/// # use modeler_auth::{Access, require::Missing};
/// fn rule(access: &Access) -> Result<(), Missing> {
///     if !access.has_scope("orders") {
///         return Err(Missing::scope("orders"));
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a request is rejected only if the rule returns this as an error"]
pub struct Missing(Cow<'static, str>);

impl Missing {
    /// It lacks `scope`, which the rejection names to the client.
    pub fn scope(scope: impl Into<Cow<'static, str>>) -> Self {
        Self(scope.into())
    }

    /// Nothing suffices: the request is rejected whatever the token permits.
    pub fn anything() -> Self {
        Self::scope("")
    }

    /// What is lacking, as in the `scope` of the rejection's challenge.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Permission> for Missing {
    fn from(permission: Permission) -> Self {
        Self::scope(permission.name())
    }
}

impl From<Missing> for AuthError {
    fn from(missing: Missing) -> Self {
        Self::verified(Reason::InsufficientScope(missing.0))
    }
}

impl Access {
    /// `Ok` if the token permits `permission`.
    ///
    /// # Errors
    /// The permission as [`Missing`].
    pub fn require(&self, permission: Permission) -> Result<(), Missing> {
        if self.allows(permission) {
            Ok(())
        } else {
            Err(permission.into())
        }
    }
}

/// The rule of the Web Modeler API
/// ([access management](https://docs.camunda.io/docs/self-managed/components/management-identity/access-management/access-management-overview/)):
/// `POST` needs [`Create`](Permission::Create), `GET` and `HEAD` [`Read`](Permission::Read),
/// `PATCH` and `PUT` [`Update`](Permission::Update), `DELETE` [`Delete`](Permission::Delete).
///
/// Other methods are rejected, whatever the token permits; CORS preflight is answered by a layer
/// outside the [`AuthLayer`](crate::AuthLayer). Every gRPC call is a `POST`: use a rule on its path
/// instead. Read literally, the search operations of
/// the API, which are `POST` as well, need `Create`; see [`SearchIsRead`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ByMethod;

impl PermissionRule for ByMethod {
    fn check(&self, access: &Access, request: &RequestView<'_>) -> Result<(), Missing> {
        let needed = match *request.method() {
            Method::POST => Permission::Create,
            // Deliberately not `Method::is_safe`, which takes OPTIONS and TRACE for reading, too.
            Method::GET | Method::HEAD => Permission::Read,
            Method::PATCH | Method::PUT => Permission::Update,
            Method::DELETE => Permission::Delete,
            _ => return Err(Missing::anything()),
        };
        access.require(needed)
    }
}

/// As [`ByMethod`], but `POST` to a path that ends in `/search` needs [`Read`](Permission::Read):
/// Camunda's documentation makes no such exception, but searching changes nothing.
///
/// Only for routes whose last segment is fixed: with `POST /projects/{id}` a client that sends
/// `POST /projects/search` needs `Read` for what creates. The API of Web Modeler has no such route.
#[derive(Clone, Copy, Debug, Default)]
pub struct SearchIsRead;

impl PermissionRule for SearchIsRead {
    fn check(&self, access: &Access, request: &RequestView<'_>) -> Result<(), Missing> {
        if request.method() == Method::POST && request.path().ends_with("/search") {
            access.require(Permission::Read)
        } else {
            ByMethod.check(access, request)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_by_its_name() {
        assert_eq!(Missing::from(Permission::Update).as_str(), "update:*");
        assert_eq!(Missing::scope("a:b").as_str(), "a:b");
        assert_eq!(Missing::anything().as_str(), "");
    }
}
