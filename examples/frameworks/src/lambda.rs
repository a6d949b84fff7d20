//! `lambda_http` 1: a function behind API Gateway (HTTP API), a function URL or an Application Load
//! Balancer.
//!
//! A client may send the header `Authorization` twice:
//!
//! - API Gateway joins both values with a comma. The request is rejected with 400.
//! - A load balancer keeps only the last value, unless *multi-value headers* are enabled for its target
//!   group. Enable them; the request is then rejected with 400.
//! - In events with `headers` and `multiValueHeaders`, such as those of a REST API (feature
//!   `apigw_rest`), `lambda_http` 1.3 also keeps only one value.

use std::convert::Infallible;

use http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE, request::Parts};
use lambda_http::{Body, Request};
use modeler_auth::{AuthError, ByMethod, Permission, TokenValidator, reject::Problem};

/// Handles one invocation.
pub async fn handle(
    validator: &TokenValidator,
    request: Request,
) -> Result<Response<Body>, Infallible> {
    // `lambda_http` has the types of http 1: nothing is converted.
    let (parts, _) = request.into_parts();
    let response = respond(validator, &parts).await;
    Ok(response.unwrap_or_else(|error| {
        // `lambda_http` encodes the body for the event source, by its content type.
        let response = error.response(&Problem);
        response.map(|body| Body::from(Vec::from(body)))
    }))
}

async fn respond(validator: &TokenValidator, parts: &Parts) -> Result<Response<Body>, AuthError> {
    let path: Vec<_> = parts.uri.path().split('/').skip(1).collect();
    if let ("GET", ["health"]) = (parts.method.as_str(), path.as_slice()) {
        return Ok(text("ok"));
    }
    let access = validator.authenticate(parts).await?;
    match (parts.method.as_str(), path.as_slice()) {
        ("GET", ["hello"]) => {
            validator.authorize(parts, &access, &ByMethod::new())?;
            let subject = access.subject().unwrap_or("nobody");
            Ok(text(format!("Hello, {subject}!")))
        }
        ("DELETE", ["projects", id]) => {
            validator.authorize(parts, &access, &Permission::Delete)?;
            Ok(text(format!("deleted {id}")))
        }
        _ => {
            let mut response = text("no such route");
            *response.status_mut() = StatusCode::NOT_FOUND;
            Ok(response)
        }
    }
}

fn text(text: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(text.into());
    let value = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, value);
    response
}
