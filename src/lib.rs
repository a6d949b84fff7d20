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

mod access;
mod auth;
mod builder;
mod camunda;
mod clock;
mod confirm;
mod error;
#[cfg(feature = "axum")]
mod extract;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod hot;
mod issuer;
mod json;
mod keys;
mod mapping;
mod refuse;
mod request;
mod require;
mod revocation;
mod telemetry;
#[cfg(feature = "test-util")]
pub mod test_util;
mod token;
mod trusted;
mod validator;
mod verdicts;

pub use crate::{
    access::{Access, AuthorizedOrganization, Permission, Permissions},
    auth::{Auth, AuthLayer, ResponseFuture},
    builder::TokenValidatorBuilder,
    camunda::{InfoService, PermissionNames, SaasClaims, SelfManagedClaims},
    confirm::{Confirm, ConfirmError},
    error::{AuthError, AuthErrorKind, ConfigError},
    issuer::Issuer,
    keys::{
        Algorithm, KeyEvent, KeyEventKind, KeyFetch, KeyFetchError, KeyFetchErrorKind, KeyFuture,
        KeyRequest, KeySource, KeyStatus, Revalidation, StaticKeys,
    },
    mapping::{ClaimError, Grant, MapClaims},
    refuse::{Bare, Grpc, GrpcByContentType, Problem, Refusal, Reject},
    request::RequestView,
    require::{
        ByMethod, Missing, PermissionRule, RequirePermission, RequirePermissionFuture,
        RequirePermissionLayer, SearchIsRead,
    },
    revocation::{Revocation, RevocationList, TokenIdentity},
    token::{ClaimPath, Claims},
    validator::TokenValidator,
};
