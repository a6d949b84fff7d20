//! One service, written for three frameworks without tower.
//!
//! | route | access |
//! |---|---|
//! | `GET /health` | public |
//! | `GET /hello` | the permission that `ByMethod` requires |
//! | `DELETE /projects/{id}` | the permission to delete |
//!
//! Each module has what its framework needs: the head of a request as [`http::request::Parts`], the
//! check of the request, and the response for a rejection. The tests send one set of requests to each
//! service, and to one that uses the layer.
//!
//! The programs `actix` and `salvo` read the configuration of Web Modeler:
//!
//! ```text
//! export SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI=http://localhost:18080/auth/realms/camunda-platform
//! cargo run --manifest-path examples/frameworks/Cargo.toml --bin actix
//! ```

use std::error::Error;

use modeler_auth::{Issuer, TokenValidator};

pub mod actix;
pub mod lambda;
pub mod salvo;

/// Builds a validator from the variables of Web Modeler. It needs a Tokio runtime.
pub fn validator() -> Result<TokenValidator, Box<dyn Error + Send + Sync>> {
    let issuer = Issuer::from_env()?.ok_or("no issuer is configured; see docs/self-managed.md")?;
    Ok(TokenValidator::builder().issuer(issuer).build()?)
}
