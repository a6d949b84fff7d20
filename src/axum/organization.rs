//! Extractor of the organization.

use axum_core::extract::FromRequestParts;
use http::request::Parts;

use crate::{
    access::organization::AuthorizedOrganization,
    auth::extensions::required_organization,
    axum::{access_of, rejected},
    error::auth::AuthError,
};

/// Extractor of the organization of the access.
///
/// Rejects with 403 a token whose issuer's mapping names none; otherwise as the extractor of
/// [`Access`](crate::Access).
///
/// ```
/// use modeler_auth::AuthorizedOrganization;
///
/// async fn projects(organization: AuthorizedOrganization) -> String {
///     format!("projects of {organization}")
/// }
/// # let _: axum::Router = axum::Router::new().route("/projects", axum::routing::get(projects));
/// ```
impl<S: Sync> FromRequestParts<S> for AuthorizedOrganization {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthError> {
        required_organization(access_of(parts)?)
            .cloned()
            .map_err(|error| rejected(error, parts))
    }
}
