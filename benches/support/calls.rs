//! Services for the layer to wrap, and calls of them as a server would make, without waiting.

use std::{convert::Infallible, future::poll_fn};

use axum::{Router, body::Body, routing::get};
use http::{Request, Response};
use modeler_auth_testkit::poll::ready;
use tower::{Service, service_fn};

/// Answers with nothing.
pub fn bare() -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone
{
    service_fn(async |_: Request<Body>| Ok(Response::new(Body::empty())))
}

/// A router with one route, which answers with nothing.
pub fn axum() -> Router {
    Router::new().route("/", get(async || ()))
}

pub fn request(token: &str) -> Request<Body> {
    Request::get("/")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::empty())
        .expect("a good request")
}

pub fn call<S, B>(service: &mut S, request: Request<B>) -> S::Response
where
    S: Service<Request<B>, Error = Infallible>,
{
    let Ok(()) = ready(poll_fn(|context| service.poll_ready(context)));
    let Ok(response) = ready(service.call(request));
    response
}
