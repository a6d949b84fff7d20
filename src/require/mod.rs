//! Which permission a request needs.

mod future;
mod layer;
mod rule;
mod service;

pub use self::{
    future::RequirePermissionFuture,
    layer::RequirePermissionLayer,
    rule::{ByMethod, Missing, PermissionRule, SearchIsRead},
    service::RequirePermission,
};
