//! Rejections as problem details.

use http::{HeaderValue, Response, header};
use serde::Serialize;

use crate::reject::{Reject, Rejection};

/// Renderer of rejections with a body of type `application/problem+json`
/// ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
///
/// The Web Modeler API uses the same form:
/// `{"type":"about:blank","title":"Forbidden","status":403,"detail":"…"}`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Problem;

impl<B: From<String>> Reject<B> for Problem {
    fn reject(&self, rejection: &Rejection<'_>) -> Response<B> {
        #[derive(Serialize)]
        struct Details {
            #[serde(rename = "type")]
            kind: &'static str,
            title: &'static str,
            status: u16,
            detail: &'static str,
        }
        let status = rejection.status();
        let details = Details {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: rejection.description(),
        };
        let body = serde_json::to_string(&details).expect("strings and a number are JSON");
        let mut response = rejection.response(B::from(body));
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}
