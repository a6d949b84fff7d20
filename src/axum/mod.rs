//! Extractors for axum (feature `axum`).
//!
#![doc = include_str!("../../docs/axum.md")]

mod access;
mod authorized;
mod organization;
mod rejection;
mod typed_claims;

use ::axum::extract::OriginalUri;
use http::{Extensions, Uri, request::Parts};

pub use self::{
    authorized::{Authorized, Create, Delete, Read, Requirement, Update},
    typed_claims::TypedClaims,
};
use crate::{
    access::Access,
    auth::{
        extensions::{Anonymous, authenticated},
        request_view::RequestView,
    },
    error::auth::AuthError,
};

/// Returns the URI that the outermost `Router` received.
pub(crate) fn original_uri(extensions: &Extensions) -> Option<&Uri> {
    extensions.get::<OriginalUri>().map(|OriginalUri(uri)| uri)
}

/// Returns the access that the layer inserted.
fn access_of(parts: &Parts) -> Result<&Access, AuthError> {
    authenticated(&parts.extensions).map_err(|error| rejected(error, parts))
}

/// Returns whether an optional layer passed the request on without credentials.
fn is_anonymous(parts: &Parts) -> bool {
    parts.extensions.get::<Anonymous>().is_some()
}

/// Names the request that an extractor rejects.
fn rejected(error: AuthError, parts: &Parts) -> AuthError {
    error.of_request(&RequestView::of_parts(parts))
}
