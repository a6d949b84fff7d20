//! Camunda presets: the claims of its tokens, its variables and its info endpoint.
//!
//! [docs/troubleshooting.md]: https://docs.rs/crate/modeler-auth/latest/source/docs/troubleshooting.md
//!
#![doc = include_str!("../../docs/self-managed.md")]

pub(crate) mod claim_rules;
pub(crate) mod config;
pub(crate) mod deprecation;
pub(crate) mod hub_problem;
pub(crate) mod identity;
pub(crate) mod info;
pub(crate) mod info_version;
pub(crate) mod permission_names;
pub(crate) mod saas;
pub(crate) mod self_managed;

pub use self::{
    claim_rules::{ClaimRule, ClaimRules},
    deprecation::Deprecation,
    hub_problem::HubProblem,
    identity::ManagementIdentity,
    info::InfoService,
    info_version::InfoVersion,
    permission_names::PermissionNames,
    saas::SaasClaims,
    self_managed::SelfManagedClaims,
};
