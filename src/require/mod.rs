//! Which permission a request needs.

pub(crate) mod future;
pub(crate) mod layer;
pub(crate) mod rule;
pub(crate) mod service;

pub use self::{
    future::RequirePermissionFuture,
    layer::RequirePermissionLayer,
    rule::{ByMethod, Missing, PermissionRule, SearchIsRead},
    service::RequirePermission,
};
