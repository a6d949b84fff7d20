//! One service, written for three frameworks without tower.
//!
//! | route | access |
//! |---|---|
//! | `GET /health` | public |
//! | `GET /hello` | the permission that `ByMethod` requires |
//! | `DELETE /projects/{id}` | the permission to delete |
//!
//! Each module has the parts that its framework needs: the head of a request as
//! [`http::request::Parts`], an extractor, a middleware or a function that rejects requests, and the
//! response for a rejection. The tests send one set of requests to each service, and to one that uses
//! the layer.

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
