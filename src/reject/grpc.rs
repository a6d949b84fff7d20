//! Rejections of gRPC calls.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use crate::{
    auth::request_view::GRPC,
    error::auth::AuthErrorKind,
    reject::{Reject, Rejection},
};

/// Renderer of rejections as gRPC statuses: HTTP 200 and a `grpc-status`
/// ([gRPC over HTTP/2, responses](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses)).
///
/// | HTTP | `grpc-status` |
/// |---|---|
/// | 400, 401 | 16 `UNAUTHENTICATED` |
/// | 403 | 7 `PERMISSION_DENIED` |
/// | 503 | 14 `UNAVAILABLE` |
/// | 500 | 13 `INTERNAL` |
///
/// The response has no body, and the status is in its headers. Its content type is `application/grpc`,
/// and for gRPC-Web that of the call: `application/grpc-web` or `application/grpc-web-text`
/// ([gRPC-Web](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md)).
///
/// An [`AuthLayer`](crate::AuthLayer) renders 500 if a layer inside it removes the extensions of the
/// request. A service without any `AuthLayer` around it answers HTTP 500 without a `grpc-status`.
///
/// Do not use it for a service that a gateway asks for authorization decisions: the gateway reads
/// HTTP 200 as approval.
///
/// ```
/// use modeler_auth::{AuthLayer, Issuer, TokenValidator, reject::Grpc};
///
/// let validator = TokenValidator::builder().issuer(Issuer::saas("org")).build()?;
/// let layer = AuthLayer::new(validator).reject_with(Grpc);
/// # let _: axum::Router = axum::Router::new().layer(layer);
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Grpc;

impl Reject for Grpc {
    fn reject(&self, rejection: &Rejection<'_>) -> Response<Bytes> {
        let code = match rejection.error().kind() {
            AuthErrorKind::InsufficientAuthentication
            | AuthErrorKind::InvalidRequest
            | AuthErrorKind::InvalidToken
            | AuthErrorKind::MissingToken => "16",
            AuthErrorKind::ClaimsMismatch
            | AuthErrorKind::InsufficientScope
            | AuthErrorKind::NoOrganization => "7",
            AuthErrorKind::Unavailable => "14",
            AuthErrorKind::LayerMissing => "13",
        };
        let mut response = rejection.response(Bytes::new());
        *response.status_mut() = StatusCode::OK;
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, rejection.grpc.unwrap_or(GRPC)),
            (HeaderName::from_static("grpc-status"), code),
            // Printable ASCII without `%` needs no percent-encoding.
            (
                HeaderName::from_static("grpc-message"),
                rejection.description(),
            ),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// Renderer of rejections in the form of [`Grpc`] for gRPC calls, and of `R` for all others.
///
/// It is for services that serve both on one port; see
/// [`AuthLayer::grpc_by_content_type`](crate::AuthLayer::grpc_by_content_type).
///
/// Do not use it for a service that a gateway asks for authorization decisions. The gateway reads
/// HTTP 200 as approval, and here the client chooses the form of the response.
///
/// ```
/// use modeler_auth::{AuthLayer, Issuer, TokenValidator, reject::{Empty, GrpcByContentType}};
///
/// let validator = TokenValidator::builder().issuer(Issuer::saas("org")).build()?;
/// let layer: AuthLayer<GrpcByContentType<Empty>> =
///     AuthLayer::new(validator).reject_with(Empty).grpc_by_content_type();
/// # let _: axum::Router = axum::Router::new().layer(layer);
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct GrpcByContentType<R>(pub(crate) R);

impl<R: Reject> Reject for GrpcByContentType<R> {
    fn reject(&self, rejection: &Rejection<'_>) -> Response<Bytes> {
        if rejection.is_grpc() {
            Grpc.reject(rejection)
        } else {
            self.0.reject(rejection)
        }
    }
}
