//! Problem details, the bodies of all errors.

use axum::{
    Json,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// Problem details (RFC 9457), which `modeler_auth::openapi::ProblemDetail` describes.
#[derive(Serialize)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: &'static str,
    instance: String,
}

impl Problem {
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

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).expect("it comes from a StatusCode");
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, kind, Json(self)).into_response()
    }
}
