//! [`Access`]: crate::Access
//! [`AuthLayer`]: crate::AuthLayer
//! [`InfoService`]: crate::InfoService
//! [`Issuer::from_env`]: crate::Issuer::from_env
//! [`RequirePermissionLayer`]: crate::RequirePermissionLayer
//! [docs/metrics.md]: https://docs.rs/modeler-auth/latest/modeler_auth/metrics/index.html
//! [docs/axum.md]: https://docs.rs/modeler-auth/latest/modeler_auth/axum/index.html
//! [docs/migration.md]: https://docs.rs/modeler-auth/latest/modeler_auth/migration/index.html
//! [docs/openid.md]: crate::issuer
//! [docs/providers.md]: https://docs.rs/crate/modeler-auth/latest/source/docs/providers.md
//! [docs/recipes.md]: https://docs.rs/modeler-auth/latest/modeler_auth/recipes/index.html
//! [docs/reliability.md]: crate::keys
//! [docs/self-managed.md]: crate::camunda
//! [docs/testing.md]: https://docs.rs/modeler-auth/latest/modeler_auth/test_util/index.html
//! [docs/tonic.md]: crate::auth
//! [docs/troubleshooting.md]: https://docs.rs/crate/modeler-auth/latest/source/docs/troubleshooting.md
//! [ARCHITECTURE.md]: https://docs.rs/crate/modeler-auth/latest/source/ARCHITECTURE.md
//! [CHANGELOG.md]: https://docs.rs/crate/modeler-auth/latest/source/CHANGELOG.md
//! [CONTRIBUTING.md]: https://docs.rs/crate/modeler-auth/latest/source/CONTRIBUTING.md
//! [LICENSE-APACHE]: https://docs.rs/crate/modeler-auth/latest/source/LICENSE-APACHE
//! [LICENSE-MIT]: https://docs.rs/crate/modeler-auth/latest/source/LICENSE-MIT
//! [SECURITY.md]: https://docs.rs/crate/modeler-auth/latest/source/SECURITY.md
//! [benches/README.md]: https://docs.rs/crate/modeler-auth/latest/source/benches/README.md
//!
// rustdoc uses the first definition of a link, so these replace the file links at the end of the README.
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
pub mod axum;
mod calls;
pub mod camunda;
mod clock;
mod entra;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod issuer;
mod json;
pub mod keys;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(all(any(doc, doctest), feature = "axum"))]
pub mod migration {
    //! [docs/providers.md]: https://docs.rs/crate/modeler-auth/latest/source/docs/providers.md
    //! [docs/self-managed.md]: crate::camunda
    //!
    #![doc = include_str!("../docs/migration.md")]
}
#[cfg(feature = "utoipa")]
pub mod openapi;
#[cfg(all(doc, feature = "axum", feature = "test-util"))]
pub mod recipes;
pub mod reject;
pub mod require;
pub mod resource;
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
