//! Rejections as problem details.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::{
    auth::request_view::RequestView,
    reject::{Reject, Rejection, path},
};

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Renderer of rejections with a body of type `application/problem+json`
/// ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
///
/// The Web Modeler API uses the same form:
/// `{"type":"about:blank","title":"Forbidden","status":403,"detail":"…","instance":"/api/v2/files"}`.
///
/// The detail is [`Rejection::description`], the instance is [`Rejection::path`].
/// [`HubProblem`](crate::camunda::HubProblem) has the texts of the Hub API.
///
/// ```
/// use modeler_auth::{AuthLayer, Issuer, TokenValidator, reject::Problem};
///
/// let validator = TokenValidator::builder().issuer(Issuer::saas("org")).build()?;
/// let layer = AuthLayer::new(validator).reject_with(Problem);
/// # let _: axum::Router = axum::Router::new().layer(layer);
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
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
        let body = details(self.status(), detail, &self.path());
        let mut response = self.response(body);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, MEDIA_TYPE);
        response
    }
}

/// Returns a response with problem details for a request whose token is accepted.
pub(crate) fn problem(
    status: StatusCode,
    detail: &str,
    request: &RequestView<'_>,
) -> Response<String> {
    let body = details(status, detail, &path::relative(request.path()));
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, MEDIA_TYPE);
    response
}

fn details(status: StatusCode, detail: &str, instance: &str) -> String {
    #[derive(Serialize)]
    struct Details<'a> {
        #[serde(rename = "type")]
        kind: &'static str,
        title: &'static str,
        status: u16,
        detail: &'a str,
        instance: &'a str,
    }
    let details = Details {
        kind: "about:blank",
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        detail,
        instance,
    };
    serde_json::to_string(&details).expect("strings and a number are JSON")
}
