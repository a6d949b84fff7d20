//! Rejections: an [`AuthError`] as an HTTP or gRPC response.

pub(crate) mod body;
pub(crate) mod challenge;
pub(crate) mod empty;
pub(crate) mod grpc;
mod path;
pub(crate) mod problem;

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};

pub use self::{
    body::ResponseBody,
    empty::Empty,
    grpc::{Grpc, GrpcByContentType},
    problem::Problem,
};
use crate::{
    auth::request_view::RequestView,
    error::auth::{AuthError, AuthErrorKind},
};

/// Renderer of rejections; see [`AuthLayer::reject_with`](crate::AuthLayer::reject_with).
///
/// Closures implement this trait; see [`AuthLayer::reject_with_fn`](crate::AuthLayer::reject_with_fn).
///
/// ```
/// use bytes::Bytes;
/// use http::Response;
/// use modeler_auth::{AuthLayer, Issuer, TokenValidator, reject::{Reject, Rejection}};
///
/// #[derive(Clone)]
/// struct Plain;
///
/// impl Reject for Plain {
///     fn reject(&self, rejection: &Rejection<'_>) -> Response<Bytes> {
///         rejection.response(rejection.description())
///     }
/// }
///
/// # let validator = TokenValidator::builder().issuer(Issuer::saas("org")).build()?;
/// let app: axum::Router = axum::Router::new().layer(AuthLayer::new(validator).reject_with(Plain));
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not render rejections",
    label = "not a renderer of rejections",
    note = "use `Problem`, `Empty`, `Grpc`, or a function `fn(&Rejection<'_>) -> Response<Bytes>`; pass a closure to `reject_with_fn`"
)]
pub trait Reject {
    /// Returns the response to `rejection`.
    fn reject(&self, rejection: &Rejection<'_>) -> Response<Bytes>;
}

impl<F> Reject for F
where
    F: Fn(&Rejection<'_>) -> Response<Bytes>,
{
    fn reject(&self, rejection: &Rejection<'_>) -> Response<Bytes> {
        self(rejection)
    }
}

impl<R: Reject + ?Sized> Reject for Arc<R> {
    fn reject(&self, rejection: &Rejection<'_>) -> Response<Bytes> {
        (**self).reject(rejection)
    }
}

/// Request that is rejected, and its error.
#[derive(Clone, Copy, Debug)]
pub struct Rejection<'e> {
    error: &'e AuthError,
    request: Option<RequestView<'e>>,
    /// Media type of a gRPC call.
    grpc: Option<&'static str>,
    /// URL of the metadata of the resource.
    resource_metadata: Option<&'e str>,
}

impl<'e> Rejection<'e> {
    pub(crate) fn new(
        error: &'e AuthError,
        request: Option<RequestView<'e>>,
        grpc: Option<&'static str>,
    ) -> Self {
        Self {
            error,
            request,
            grpc,
            resource_metadata: None,
        }
    }

    /// Names the URL of the metadata of the resource.
    pub(crate) fn of_resource(self, metadata_url: Option<&'e str>) -> Self {
        Self {
            resource_metadata: metadata_url,
            ..self
        }
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

    /// Returns whether the request is a gRPC call; see
    /// [`RequestView::is_grpc`](crate::auth::RequestView::is_grpc).
    #[must_use]
    pub fn is_grpc(&self) -> bool {
        self.grpc.is_some()
    }

    /// Returns the request; `None` for an [`AuthError`] of
    /// [`TokenValidator::validate`](crate::TokenValidator::validate) that a handler returned.
    ///
    /// A request that a rule, an extractor or [`InfoService`](crate::InfoService) rejected has no header
    /// `Authorization` here, and no extensions.
    ///
    /// ```
    /// use modeler_auth::{AuthLayer, Issuer, TokenValidator};
    ///
    /// # let validator = TokenValidator::builder().issuer(Issuer::saas("org")).build()?;
    /// let layer = AuthLayer::new(validator).reject_with_fn(|rejection| {
    ///     let id = rejection.request().and_then(|request| request.headers().get("x-request-id"));
    ///     let mut response = rejection.response(rejection.description());
    ///     if let Some(id) = id {
    ///         response.headers_mut().insert("x-request-id", id.clone());
    ///     }
    ///     response
    /// });
    /// # let _: axum::Router = axum::Router::new().layer(layer);
    /// # Ok::<(), modeler_auth::ConfigError>(())
    /// ```
    #[must_use]
    pub fn request(&self) -> Option<&RequestView<'e>> {
        self.request.as_ref()
    }

    /// Returns the path of the request, without its query, as a relative reference
    /// ([RFC 3986 §4.2](https://www.rfc-editor.org/rfc/rfc3986#section-4.2)).
    ///
    /// 1. It is the path of [`RequestView::uri`](crate::auth::RequestView::uri): the one that the
    ///    client sent.
    /// 2. Characters that a path cannot contain are percent-encoded. So is the second of two
    ///    leading slashes, which would begin the name of a host.
    /// 3. It has at most 256 bytes. A longer path is cut between two characters or escapes.
    /// 4. It is empty for `CONNECT`, and without a [`request`](Rejection::request).
    #[must_use]
    pub fn path(&self) -> Cow<'e, str> {
        match &self.request {
            Some(request) => path::relative(request.path()),
            None => Cow::Borrowed(""),
        }
    }

    /// Returns a fixed sentence for the client, in the characters that `error_description` allows
    /// (RFC 6750 §3).
    #[must_use]
    pub fn description(&self) -> &'static str {
        match self.error.kind() {
            AuthErrorKind::ClaimsMismatch => "The token lacks claims that this operation needs",
            AuthErrorKind::InsufficientAuthentication => {
                "A stronger or more recent authentication is required"
            }
            AuthErrorKind::InsufficientScope => "The token does not permit this operation",
            AuthErrorKind::InvalidRequest => "The Authorization header is malformed",
            AuthErrorKind::InvalidToken if matches!(self.error.reason(), "expired" | "too_old") => {
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
    pub fn response(&self, body: impl Into<Bytes>) -> Response<Bytes> {
        let mut response = Response::new(body.into());
        *response.status_mut() = self.status();
        self.add_headers(&mut response);
        response
    }

    fn add_headers(&self, response: &mut Response<Bytes>) {
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
    /// Stores the request that is rejected, without its credentials, for the layer that renders the
    /// rejection.
    pub(crate) fn of_request(self, request: &RequestView<'_>) -> Self {
        let mut stored = Request::new(());
        *stored.method_mut() = request.method().clone();
        *stored.uri_mut() = request.uri().clone();
        *stored.version_mut() = request.version();
        *stored.headers_mut() = request.headers().clone();
        stored.headers_mut().remove(header::AUTHORIZATION);
        self.with_request(Arc::new(stored))
    }

    /// Returns the form of a rejection inside the layer: a bare status, with the error in the
    /// extensions. The layer renders it.
    pub(crate) fn into_inner_response<B: Default>(self) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = self.kind().status();
        response.extensions_mut().insert(self.with_rendered(false));
        response
    }
}
