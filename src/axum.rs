//! Extractors for axum, and the URI before `Router::nest` changes it.

use ::axum::extract::OriginalUri;
use axum_core::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::{Extensions, Uri, request::Parts};

use crate::{
    access::{Access, organization::AuthorizedOrganization},
    auth::{
        extensions::{Anonymous, authenticated, required_organization},
        request_view::RequestView,
    },
    error::auth::AuthError,
};

/// Returns the URI that the outermost `Router` received.
pub(crate) fn original_uri(extensions: &Extensions) -> Option<&Uri> {
    extensions.get::<OriginalUri>().map(|OriginalUri(uri)| uri)
}

/// Bare response, which an [`AuthLayer`](crate::AuthLayer) outside renders.
impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        self.into_inner_response::<Body>()
    }
}

/// Extractor of the access that the layer inserted.
///
/// Rejects with 401 a request that an optional layer passed on without a token, and with 500 any
/// request without a layer.
impl<S: Sync> FromRequestParts<S> for Access {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthError> {
        access(parts).cloned()
    }
}

/// Extractor of the access, if any: `None` for a request that an optional layer passed on without a
/// token.
///
/// Rejects with 500 any request without a layer.
impl<S: Sync> OptionalFromRequestParts<S> for Access {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, AuthError> {
        match authenticated(&parts.extensions) {
            Ok(access) => Ok(Some(access.clone())),
            Err(_) if parts.extensions.get::<Anonymous>().is_some() => Ok(None),
            Err(error) => Err(error.of_request(&RequestView::of_parts(parts))),
        }
    }
}

/// Extractor of the organization of the access. Rejects with 403 a token whose issuer's mapping
/// names none.
impl<S: Sync> FromRequestParts<S> for AuthorizedOrganization {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthError> {
        required_organization(access(parts)?)
            .cloned()
            .map_err(|error| error.of_request(&RequestView::of_parts(parts)))
    }
}

/// Returns the access that the layer inserted.
fn access(parts: &Parts) -> Result<&Access, AuthError> {
    authenticated(&parts.extensions)
        .map_err(|error| error.of_request(&RequestView::of_parts(parts)))
}
