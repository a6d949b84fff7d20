//! Authorization behind the [`AuthLayer`](crate::AuthLayer): rules, and the layer that applies
//! them.

pub(crate) mod by_method;
pub(crate) mod denied;
pub(crate) mod future;
pub(crate) mod layer;
pub(crate) mod rule;
pub(crate) mod service;

pub use self::{
    by_method::ByMethod, denied::Denied, future::RequirePermissionFuture,
    layer::RequirePermissionLayer, rule::PermissionRule, service::RequirePermission,
};
