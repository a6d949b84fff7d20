//! What is particular to Camunda: the shape of its tokens, its variables, its info endpoint.

mod info;
mod permission_names;
mod saas;
mod self_managed;
mod vars;

pub use self::{
    info::InfoService, permission_names::PermissionNames, saas::SaasClaims,
    self_managed::SelfManagedClaims,
};
