#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![warn(missing_docs, unreachable_pub, clippy::pedantic)]
#![warn(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![cfg_attr(
    test,
    allow(
        clippy::pedantic,
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

pub mod access;
pub mod auth;
#[cfg(feature = "axum")]
mod axum;
pub mod camunda;
mod clock;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod issuer;
mod json;
pub mod keys;
pub mod reject;
pub mod require;
mod telemetry;
#[cfg(feature = "test-util")]
pub mod test_util;
mod token;
mod url;
mod validator;

pub use crate::{
    access::{Access, AuthorizedOrganization, Permission, Permissions},
    auth::AuthLayer,
    camunda::InfoService,
    error::{AuthError, AuthErrorKind, ConfigError},
    issuer::Issuer,
    require::{ByMethod, RequirePermissionLayer},
    token::{ClaimPath, Claims},
    validator::{TokenValidator, TokenValidatorBuilder},
};
