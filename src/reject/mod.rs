//! Rejections: an [`AuthError`] as an HTTP or gRPC response.

pub(crate) mod challenge;
pub(crate) mod empty;
pub(crate) mod grpc;
mod path;
pub(crate) mod problem;

use std::sync::Arc;

use http::{HeaderValue, Response, StatusCode, header};

pub use self::{
    empty::Empty,
    grpc::{Grpc, GrpcByContentType},
    problem::Problem,
};
use crate::error::auth::{AuthError, AuthErrorKind};

/// Renderer of rejections; see [`AuthLayer::reject_with`](crate::AuthLayer::reject_with).
///
/// Closures implement this trait:
///
/// ```
/// use axum::body::Body;
/// use modeler_auth::{AuthLayer, Issuer, reject::Rejection, TokenValidator};
///
/// # let validator = TokenValidator::builder().issuer(Issuer::saas("org")).build()?;
/// let layer = AuthLayer::new(validator).reject_with(|rejection: &Rejection<'_>| {
///     rejection.response(Body::from(format!("no: {}", rejection.status())))
/// });
/// let app: axum::Router = axum::Router::new().layer(layer);
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
pub trait Reject<B> {
    /// Returns the response to `rejection`.
    fn reject(&self, rejection: &Rejection<'_>) -> Response<B>;
}

impl<F, B> Reject<B> for F
where
    F: Fn(&Rejection<'_>) -> Response<B>,
{
    fn reject(&self, rejection: &Rejection<'_>) -> Response<B> {
        self(rejection)
    }
}

impl<R: Reject<B> + ?Sized, B> Reject<B> for Arc<R> {
    fn reject(&self, rejection: &Rejection<'_>) -> Response<B> {
        (**self).reject(rejection)
    }
}

/// Request that is rejected, and its error.
#[derive(Clone, Copy, Debug)]
pub struct Rejection<'e> {
    error: &'e AuthError,
    is_grpc: bool,
}

impl<'e> Rejection<'e> {
    pub(crate) fn new(error: &'e AuthError, is_grpc: bool) -> Self {
        Self { error, is_grpc }
    }

    /// Returns the error. It is for logs and metrics; a client gets the
    /// [`description`](Rejection::description).
    #[must_use]
    pub fn error(&self) -> &'e AuthError {
        self.error
    }

    /// Returns the HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.error.kind().status()
    }

    /// Returns whether the request is a gRPC call.
    #[must_use]
    pub fn is_grpc(&self) -> bool {
        self.is_grpc
    }

    /// Returns the path of the request, without its query, as a relative reference
    /// ([RFC 3986 §4.2](https://www.rfc-editor.org/rfc/rfc3986#section-4.2)).
    ///
    /// 1. It is the path of [`RequestView::uri`](crate::auth::RequestView::uri): the one that the
    ///    client sent.
    /// 2. Characters that a path cannot contain are percent-encoded. So is the second of two
    ///    leading slashes, which would begin the name of a host.
    /// 3. It has at most 256 bytes. A longer path is cut between two characters or escapes.
    /// 4. It is empty for `CONNECT`, and for an [`AuthError`] of
    ///    [`TokenValidator::validate`](crate::TokenValidator::validate) that a handler returned.
    #[must_use]
    pub fn path(&self) -> &'e str {
        self.error.path().unwrap_or_default()
    }

    /// Returns a fixed sentence for the client, in the characters that `error_description` allows
    /// (RFC 6750 §3).
    #[must_use]
    pub fn description(&self) -> &'static str {
        match self.error.kind() {
            AuthErrorKind::InsufficientScope => "The token does not permit this operation",
            AuthErrorKind::InvalidRequest => "The Authorization header is malformed",
            AuthErrorKind::InvalidToken if self.error.reason() == "expired" => {
                "The token has expired"
            }
            AuthErrorKind::InvalidToken => "The token is not valid for this service",
            AuthErrorKind::LayerMissing => "The service is misconfigured",
            AuthErrorKind::MissingToken => "A Bearer token is required",
            AuthErrorKind::NoOrganization => "The token is not authorized for an organization",
            AuthErrorKind::Unavailable => "The token cannot be checked right now",
        }
    }

    /// Returns a response with `body`, the status and the headers of RFC 6750 and RFC 9110:
    /// `WWW-Authenticate` for 400, 401 and 403, `Retry-After` for 503.
    pub fn response<B>(&self, body: B) -> Response<B> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status();
        self.add_headers(&mut response);
        response
    }

    fn add_headers<B>(&self, response: &mut Response<B>) {
        if let Some(challenge) = challenge::challenge(self) {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(wait) = self.error.retry_after() {
            let seconds = wait
                .as_secs()
                .saturating_add(u64::from(wait.subsec_nanos() > 0));
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
}

impl AuthError {
    /// Returns the form of a rejection inside the layer: a bare status, with the error in the
    /// extensions. The layer renders it.
    pub(crate) fn into_inner_response<B: Default>(self) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = self.kind().status();
        response.extensions_mut().insert(self);
        response
    }
}
