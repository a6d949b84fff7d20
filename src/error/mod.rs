//! What can go wrong: [`AuthError`] with a request, [`ConfigError`] with a configuration.

mod auth;
mod config;

pub(crate) use self::auth::Reason;
pub use self::{
    auth::{AuthError, AuthErrorKind},
    config::ConfigError,
};
