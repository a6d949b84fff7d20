//! Service that publishes the metadata.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use http::{
    HeaderName, HeaderValue, Method, Request, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_TYPE,
    },
};
use tower_service::Service;

use crate::{
    auth::request_view::RequestView, error::config::ConfigError, validator::TokenValidator,
};

/// Service that answers `GET /.well-known/oauth-protected-resource` with the metadata of the protected
/// resources of a validator.
///
/// 1. A resource with the identifier `https://api.example.com/orders` has its metadata at
///    `/.well-known/oauth-protected-resource/orders`
///    ([RFC 9728 §3.1](https://www.rfc-editor.org/rfc/rfc9728#section-3.1)). A slash at the end makes no difference. If there is only one resource,
///    it is also at the path without `/orders`. Any other path gets 404.
/// 2. Only `GET`, `HEAD` and `OPTIONS` are allowed; other methods get 405.
/// 3. Scripts of any origin may read it (CORS), and it may be cached for an hour.
/// 4. All URLs in it come from the configuration. `Host`, `Forwarded` and the like have no influence.
///
/// The metadata is public: add the routes after [`AuthLayer`](crate::AuthLayer). The service reads the path
/// that the client sent.
///
/// ```
/// use axum::{Router, routing::get};
/// use modeler_auth::{
///     Access, AuthLayer, Issuer, TokenValidator,
///     resource::{MetadataService, ProtectedResource},
/// };
///
/// let validator = TokenValidator::builder()
///     .issuer(Issuer::oidc("https://login.example.com/").audience("https://api.example.com/orders"))
///     .protected_resource(ProtectedResource::new("https://api.example.com/orders"))
///     .build()?;
/// let metadata = MetadataService::new(&validator)?;
/// let app: Router = Router::new()
///     .route("/orders", get(async |_: Access| "orders"))
///     .layer(AuthLayer::new(validator))
///     .route_service("/.well-known/oauth-protected-resource", metadata.clone())
///     .route_service("/.well-known/oauth-protected-resource/{*resource}", metadata);
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct MetadataService {
    validator: TokenValidator,
}

impl MetadataService {
    /// Creates the service for the resources of `validator`.
    ///
    /// # Errors
    /// [`ConfigError::NoProtectedResource`] if the validator has none.
    pub fn new(validator: &TokenValidator) -> Result<Self, ConfigError> {
        if validator.resources().is_empty() {
            return Err(ConfigError::NoProtectedResource);
        }
        Ok(Self {
            validator: validator.clone(),
        })
    }

    fn answer<B>(&self, request: &Request<B>) -> Response<String> {
        let path = RequestView::of(request).path();
        let Some(document) = self.validator.resources().document(path) else {
            return response(StatusCode::NOT_FOUND, "", []);
        };
        match *request.method() {
            Method::GET | Method::HEAD => response(
                StatusCode::OK,
                document,
                [
                    (CONTENT_TYPE, "application/json"),
                    (CACHE_CONTROL, "public, max-age=3600"),
                ],
            ),
            // A preflight request of CORS. Clients of the Model Context Protocol send a header of its own.
            Method::OPTIONS => response(
                StatusCode::NO_CONTENT,
                "",
                [
                    (ALLOW, ALLOWED),
                    (ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"),
                    (ACCESS_CONTROL_ALLOW_HEADERS, "*"),
                    (ACCESS_CONTROL_MAX_AGE, "3600"),
                ],
            ),
            _ => response(StatusCode::METHOD_NOT_ALLOWED, "", [(ALLOW, ALLOWED)]),
        }
    }
}

const ALLOWED: &str = "GET, HEAD, OPTIONS";

fn response<const N: usize>(
    status: StatusCode,
    body: &str,
    headers: [(HeaderName, &'static str); N],
) -> Response<String> {
    let mut response = Response::new(body.to_owned());
    *response.status_mut() = status;
    for (name, value) in headers
        .into_iter()
        .chain([(ACCESS_CONTROL_ALLOW_ORIGIN, "*")])
    {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

impl<B> Service<Request<B>> for MetadataService {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.answer(&request)))
    }
}
