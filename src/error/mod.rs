//! What can go wrong: [`AuthError`] with a request, [`ConfigError`] with a configuration.

pub(crate) mod auth;
pub(crate) mod claim;
pub(crate) mod config;

pub use self::{
    auth::{AuthError, AuthErrorKind},
    claim::ClaimError,
    config::ConfigError,
};
