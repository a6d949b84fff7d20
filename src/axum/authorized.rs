//! Extractor that requires permissions.

use std::{fmt, marker::PhantomData, ops::Deref};

use axum_core::extract::FromRequestParts;
use http::request::Parts;

use crate::{
    access::{Access, permission::Permission},
    auth::request_view::RequestView,
    axum::{access_of, rejected},
    error::auth::AuthError,
    require::rule::PermissionRule,
};

/// Extractor of an access that fulfils the requirement `R`, which the handler's signature shows.
///
/// - `Authorized<Create>`, and likewise [`Read`], [`Update`] and [`Delete`], needs a [`Permission`].
/// - `Authorized<(Read, Update)>` needs both.
/// - A type of your own that implements [`Requirement`] needs any rule, such as scopes.
///
/// Rejects as a [`RequirePermissionLayer`](crate::RequirePermissionLayer) with the same rule does: with
/// 403 and all needed scopes in one challenge. Otherwise it rejects as the extractor of [`Access`] does.
/// Two arguments `Authorized<Read>` and `Authorized<Update>` would reject one after another, so a client
/// without both would learn of one scope at a time.
///
/// The value dereferences to the [`Access`].
///
/// A handler without the argument is not protected. A
/// [`RequirePermissionLayer`](crate::RequirePermissionLayer) also covers the routes that somebody adds
/// later.
///
/// ```
/// use axum::{Router, routing::get};
/// use modeler_auth::axum::{Authorized, Create, Read};
///
/// async fn list(_: Authorized<Read>) -> &'static str {
///     "projects"
/// }
///
/// async fn create(access: Authorized<Create>) -> String {
///     format!("created by {:?}", access.subject())
/// }
///
/// let app: Router = Router::new().route("/projects", get(list).post(create));
/// ```
pub struct Authorized<R> {
    access: Access,
    requirement: PhantomData<fn() -> R>,
}

/// Requirement of a handler for the access; see [`Authorized`].
///
/// ```
/// use modeler_auth::{
///     axum::{Authorized, Requirement},
///     require::{PermissionRule, RequireScope},
/// };
///
/// struct WriteOrders;
///
/// impl Requirement for WriteOrders {
///     fn rule() -> impl PermissionRule {
///         RequireScope::all(["orders:read", "orders:write"])
///     }
/// }
///
/// async fn create_order(_: Authorized<WriteOrders>) {}
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::post(create_order));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no requirement of a handler",
    label = "not a requirement",
    note = "use `Create`, `Read`, `Update` or `Delete` of `modeler_auth::axum`, a pair of requirements, or implement `Requirement` for a type of your own"
)]
pub trait Requirement {
    /// Returns the rule that the access must fulfil. Called for each request.
    fn rule() -> impl PermissionRule;
}

/// Requirement of [`Permission::Create`].
#[derive(Clone, Copy, Debug)]
pub enum Create {}

/// Requirement of [`Permission::Read`].
#[derive(Clone, Copy, Debug)]
pub enum Read {}

/// Requirement of [`Permission::Update`].
#[derive(Clone, Copy, Debug)]
pub enum Update {}

/// Requirement of [`Permission::Delete`].
#[derive(Clone, Copy, Debug)]
pub enum Delete {}

impl Requirement for Create {
    fn rule() -> impl PermissionRule {
        Permission::Create
    }
}

impl Requirement for Read {
    fn rule() -> impl PermissionRule {
        Permission::Read
    }
}

impl Requirement for Update {
    fn rule() -> impl PermissionRule {
        Permission::Update
    }
}

impl Requirement for Delete {
    fn rule() -> impl PermissionRule {
        Permission::Delete
    }
}

/// Both requirements.
impl<A: Requirement, B: Requirement> Requirement for (A, B) {
    fn rule() -> impl PermissionRule {
        A::rule().and(B::rule())
    }
}

impl<R> Authorized<R> {
    /// Returns the access.
    #[must_use]
    pub fn into_access(self) -> Access {
        self.access
    }
}

impl<R> Deref for Authorized<R> {
    type Target = Access;

    fn deref(&self) -> &Access {
        &self.access
    }
}

impl<R> Clone for Authorized<R> {
    fn clone(&self) -> Self {
        Self {
            access: self.access.clone(),
            requirement: PhantomData,
        }
    }
}

impl<R> fmt::Debug for Authorized<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authorized").field(&self.access).finish()
    }
}

impl<S: Sync, R: Requirement> FromRequestParts<S> for Authorized<R> {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthError> {
        let access = access_of(parts)?;
        match R::rule().check(access, &RequestView::of_parts(parts)) {
            Ok(()) => Ok(Self {
                access: access.clone(),
                requirement: PhantomData,
            }),
            Err(denied) => {
                let error = AuthError::from(denied).of_issuer(access.claims().shared_issuer());
                Err(rejected(error, parts))
            }
        }
    }
}
