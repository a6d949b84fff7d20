//! Authorization behind the [`AuthLayer`](crate::AuthLayer): rules, and the layer that applies
//! them.

pub(crate) mod authentication;
pub(crate) mod by_method;
pub(crate) mod claim;
pub(crate) mod claim_value;
pub(crate) mod client;
pub(crate) mod combined;
pub(crate) mod denied;
pub(crate) mod future;
pub(crate) mod layer;
pub(crate) mod role;
pub(crate) mod rule;
pub(crate) mod scope;
pub(crate) mod service;

pub use self::{
    authentication::RequireAuthentication,
    by_method::ByMethod,
    claim::RequireClaim,
    claim_value::ClaimValue,
    client::RequireClient,
    combined::{And, Or},
    denied::Denied,
    future::RequirePermissionFuture,
    layer::RequirePermissionLayer,
    role::RequireRole,
    rule::PermissionRule,
    scope::RequireScope,
    service::RequirePermission,
};
