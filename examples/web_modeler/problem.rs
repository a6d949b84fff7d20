//! Problem details, the bodies of all errors.

use axum::{
    Json,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// Problem details (RFC 9457).
#[derive(Serialize, ToSchema)]
pub(crate) struct ProblemDetail {
    /// A URI that identifies the problem type.
    #[serde(rename = "type")]
    #[schema(rename = "type", format = "uri", default = "about:blank")]
    kind: &'static str,
    /// A summary of the problem type.
    #[schema(example = "Forbidden")]
    title: &'static str,
    /// The HTTP status code.
    #[schema(value_type = i32, minimum = 400, maximum = 600, example = 403)]
    status: u16,
    /// An explanation of the problem.
    #[schema(example = "The token does not permit this operation")]
    detail: &'static str,
    /// The path of the request.
    #[schema(format = "uri-reference", example = "/api/v1/projects")]
    instance: String,
}

impl ProblemDetail {
    pub(crate) fn new(status: StatusCode, detail: &'static str, uri: &Uri) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail,
            instance: uri.path().to_owned(),
        }
    }

    pub(crate) fn not_found(uri: &Uri) -> Self {
        let detail = "The organization has no such project";
        Self::new(StatusCode::NOT_FOUND, detail, uri)
    }
}

impl IntoResponse for ProblemDetail {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).expect("it comes from a StatusCode");
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, kind, Json(self)).into_response()
    }
}
