//! Extractors for axum.

use axum_core::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::request::Parts;

use crate::{
    access::{Access, organization::AuthorizedOrganization},
    auth::extensions::{Anonymous, authenticated},
    error::auth::{AuthError, Reason},
};

/// Below an [`AuthLayer`](crate::AuthLayer) this becomes the response that the layer makes of it.
impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        self.into_inner_response::<Body>()
    }
}

/// The access that the layer found. Refuses with 401 what an optional layer let pass, and with
/// 500 if there is no layer.
impl<S: Sync> FromRequestParts<S> for Access {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthError> {
        authenticated(&parts.extensions).cloned()
    }
}

/// `None` for a request that an optional layer let pass without a token. Still 500 if there is no
/// layer.
impl<S: Sync> OptionalFromRequestParts<S> for Access {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, AuthError> {
        match authenticated(&parts.extensions) {
            Ok(access) => Ok(Some(access.clone())),
            Err(_) if parts.extensions.get::<Anonymous>().is_some() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The organization of the access. Refuses with 403 a token whose issuer's mapping names none.
impl<S: Sync> FromRequestParts<S> for AuthorizedOrganization {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthError> {
        let organization = authenticated(&parts.extensions)?.organization();
        organization
            .cloned()
            .ok_or_else(|| AuthError::verified(Reason::NoOrganization))
    }
}
