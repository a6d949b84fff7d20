//! Rejections as problem details.

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use serde::Serialize;

use crate::reject::{Reject, Rejection};

/// Renderer of rejections with a body of type `application/problem+json`
/// ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
///
/// The Web Modeler API uses the same form:
/// `{"type":"about:blank","title":"Forbidden","status":403,"detail":"…","instance":"/api/v2/files"}`.
///
/// The detail is [`Rejection::description`], the instance is [`Rejection::path`].
/// [`HubProblem`](crate::camunda::HubProblem) has the texts of the Hub API.
#[derive(Clone, Copy, Debug, Default)]
pub struct Problem;

impl Reject for Problem {
    fn reject(&self, rejection: &Rejection<'_>) -> Response<Bytes> {
        rejection.problem(rejection.description())
    }
}

impl Rejection<'_> {
    /// Returns a response with problem details.
    pub(crate) fn problem(&self, detail: &str) -> Response<Bytes> {
        #[derive(Serialize)]
        struct Details<'a> {
            #[serde(rename = "type")]
            kind: &'static str,
            title: &'static str,
            status: u16,
            detail: &'a str,
            instance: &'a str,
        }
        let status = self.status();
        let details = Details {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail,
            instance: &self.path(),
        };
        let body = serde_json::to_string(&details).expect("strings and a number are JSON");
        let mut response = self.response(body);
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}
