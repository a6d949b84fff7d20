//! Permission rule of the Web Modeler API.

use std::borrow::Cow;

use http::Method;

use crate::{
    access::{Access, permission::Permission},
    auth::request_view::RequestView,
    require::{denied::Denied, rule::PermissionRule},
};

/// Rule that derives the needed permission from the HTTP method, as the Web Modeler API does
/// ([access management](https://docs.camunda.io/docs/self-managed/components/management-identity/access-management/access-management-overview/)).
///
/// | method | permission |
/// |---|---|
/// | `POST` | [`Create`](Permission::Create) |
/// | `GET`, `HEAD` | [`Read`](Permission::Read) |
/// | `PATCH`, `PUT` | [`Update`](Permission::Update) |
/// | `DELETE` | [`Delete`](Permission::Delete) |
/// | any other | rejected, whatever the token permits |
///
/// - A layer outside the [`AuthLayer`](crate::AuthLayer) must answer CORS preflight requests
///   (`OPTIONS`).
/// - Every gRPC call is a `POST`, so gRPC services need a rule on the path instead.
///
/// ```
/// use axum::{Router, routing::get};
/// use modeler_auth::{ByMethod, RequirePermissionLayer};
///
/// let app: Router = Router::new()
///     .route("/projects/{id}", get(async || "needs read:*").delete(async || "needs delete:*"))
///     .route_layer(RequirePermissionLayer::new(ByMethod::new()));
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct ByMethod {
    search_needs_read: bool,
}

impl ByMethod {
    /// Returns the rule as Camunda documents it: `POST …/search` needs `Create`, like any `POST`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requires only [`Read`](Permission::Read) for `POST` to a path that ends in `/search`.
    /// Default: `Create`.
    ///
    /// Camunda's documentation makes no such exception, but a search changes nothing.
    ///
    /// Use this only for routes whose last segment is fixed. With a route `POST /projects/{id}`, a
    /// client could send `POST /projects/search` and need only `Read` for an operation that
    /// creates. The Web Modeler API has no such route.
    pub fn search_needs_read(mut self) -> Self {
        self.search_needs_read = true;
        self
    }
}

impl PermissionRule for ByMethod {
    fn check(&self, access: &Access, request: &RequestView<'_>) -> Result<(), Denied> {
        let needed = self.needed(request).ok_or_else(Denied::always)?;
        access.require(needed)
    }

    fn scopes(&self, request: &RequestView<'_>) -> Cow<'_, str> {
        Cow::Borrowed(self.needed(request).map_or("", Permission::name))
    }
}

impl ByMethod {
    /// Returns the permission that the request needs; `None` if none suffices.
    fn needed(self, request: &RequestView<'_>) -> Option<Permission> {
        let is_search = self.search_needs_read && request.path().ends_with("/search");
        match *request.method() {
            Method::POST if is_search => Some(Permission::Read),
            Method::POST => Some(Permission::Create),
            // Deliberately not `Method::is_safe`: it also treats OPTIONS and TRACE as safe.
            Method::GET | Method::HEAD => Some(Permission::Read),
            Method::PATCH | Method::PUT => Some(Permission::Update),
            Method::DELETE => Some(Permission::Delete),
            _ => None,
        }
    }
}
