//! Errors: [`AuthError`] of a request, [`ConfigError`] of a configuration, [`ClaimError`] of a
//! claim.

pub(crate) mod auth;
pub(crate) mod authentication;
pub(crate) mod claim;
pub(crate) mod config;
pub(crate) mod reason;
pub(crate) mod token_kind;

pub use self::{
    auth::{AuthError, AuthErrorKind},
    claim::ClaimError,
    config::ConfigError,
};
