//! The responses of rejected requests.

use std::collections::BTreeMap;

use http::StatusCode;
use utoipa::{
    IntoResponses, PartialSchema as _, ToSchema as _,
    openapi::{
        Content, Header, Ref, RefOr,
        header::HeaderBuilder,
        response::{Response, ResponseBuilder},
    },
};

use crate::openapi::ProblemDetail;

/// Responses of an [`AuthLayer`](crate::AuthLayer) without a rule: 400, 401 and 503.
///
/// For operations that every valid token may call. An operation with a rule, or with an extractor
/// that rejects with 403, has the [`PermissionResponses`].
///
/// ```
/// use modeler_auth::openapi::AuthResponses;
/// use utoipa::IntoResponses;
///
/// let statuses: Vec<_> = AuthResponses::responses().into_keys().collect();
/// assert_eq!(statuses, ["400", "401", "503"]);
/// ```
#[derive(Clone, Copy, Debug)]
pub enum AuthResponses {}

/// Responses of an [`AuthLayer`](crate::AuthLayer) and of the services inside it that reject with
/// 403: 400, 401, 403 and 503.
///
/// For operations below a [`RequirePermissionLayer`](crate::RequirePermissionLayer), for
/// [`InfoService`](crate::InfoService), and for handlers with one of the extractors
/// [`AuthorizedOrganization`](crate::AuthorizedOrganization), `Authorized` and `TypedClaims`.
///
/// ```
/// use modeler_auth::openapi::PermissionResponses;
/// use utoipa::IntoResponses;
///
/// let statuses: Vec<_> = PermissionResponses::responses().into_keys().collect();
/// assert_eq!(statuses, ["400", "401", "403", "503"]);
/// ```
#[derive(Clone, Copy, Debug)]
pub enum PermissionResponses {}

impl IntoResponses for AuthResponses {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        described([
            (StatusCode::BAD_REQUEST, "Malformed Authorization header"),
            (
                StatusCode::UNAUTHORIZED,
                "No valid token, or an authentication that is too weak or too old",
            ),
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "The token cannot be checked right now",
            ),
        ])
    }
}

impl IntoResponses for PermissionResponses {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut responses = AuthResponses::responses();
        responses.append(&mut described([(
            StatusCode::FORBIDDEN,
            "The token lacks a permission, a scope or claims, or is not authorized for an organization",
        )]));
        responses
    }
}

fn described<const N: usize>(
    rejections: [(StatusCode, &str); N],
) -> BTreeMap<String, RefOr<Response>> {
    rejections
        .into_iter()
        .map(|(status, description)| {
            let (name, header) = header(status);
            let schema = Ref::from_schema_name(ProblemDetail::name());
            let response = ResponseBuilder::new()
                .description(description)
                .header(name, header)
                .content("application/problem+json", Content::new(Some(schema)));
            (status.as_str().to_owned(), response.into())
        })
        .collect()
}

/// Returns the header of a rejection with `status`, as `Rejection::response` adds it.
fn header(status: StatusCode) -> (&'static str, Header) {
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let seconds = HeaderBuilder::new()
            .schema(Some(u32::schema()))
            .description(Some("Time in seconds before another attempt."));
        ("Retry-After", seconds.build())
    } else {
        let challenge = HeaderBuilder::new()
            .schema(Some(String::schema()))
            .description(Some(
                "Challenge with the cause and the needed scopes (RFC 6750).",
            ));
        ("WWW-Authenticate", challenge.build())
    }
}
