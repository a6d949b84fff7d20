//! Extractors of the access.

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use crate::{
    access::Access,
    axum::{access_of, is_anonymous},
    error::auth::AuthError,
};

/// Extractor of the access that the layer inserted.
///
/// Rejects with 401 a request that an optional layer passed on without credentials, and with 500 any
/// request that passed no [`AuthLayer`](crate::AuthLayer). The log line about the 500 tells where to
/// add the layer.
///
/// Middleware of `axum::middleware::from_fn` with this argument belongs inside the layer: add it to the
/// `Router` before the layer.
///
/// ```
/// use modeler_auth::Access;
///
/// async fn me(access: Access) -> String {
///     access.subject().unwrap_or("a token without a subject").to_owned()
/// }
/// # let _: axum::Router = axum::Router::new().route("/me", axum::routing::get(me));
/// ```
impl<S: Sync> FromRequestParts<S> for Access {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthError> {
        access_of(parts).cloned()
    }
}

/// Extractor of the access, if any: `None` only for a request without an `Authorization` header
/// behind an [optional](crate::AuthLayer::optional) layer.
///
/// The layer itself rejects a request with unacceptable credentials, also if it is optional. A token
/// that expired is therefore never `None`. Behind a layer that is not optional, the access is always
/// `Some`. Rejects with 500 any request that passed no [`AuthLayer`](crate::AuthLayer).
///
/// ```
/// use modeler_auth::Access;
///
/// async fn greet(access: Option<Access>) -> String {
///     let subject = access.as_ref().and_then(Access::subject);
///     format!("hello {}", subject.unwrap_or("stranger"))
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(greet));
/// ```
impl<S: Sync> OptionalFromRequestParts<S> for Access {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, AuthError> {
        if is_anonymous(parts) {
            return Ok(None);
        }
        access_of(parts).cloned().map(Some)
    }
}
