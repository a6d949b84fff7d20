//! The rejection of a gRPC call.

use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use crate::{
    error::auth::AuthErrorKind,
    reject::{Reject, Rejection},
};

/// Answers as gRPC does: HTTP 200 and a `grpc-status`
/// ([gRPC over HTTP/2, responses](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses)):
///
/// | HTTP | `grpc-status` |
/// |---|---|
/// | 400, 401 | 16 `UNAUTHENTICATED` |
/// | 403 | 7 `PERMISSION_DENIED` |
/// | 503 | 14 `UNAVAILABLE` |
/// | 500 | 13 `INTERNAL` |
///
/// Not for services that a gateway asks whether to let a request in: it takes HTTP 200 for a yes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grpc;

impl<B: Default> Reject<B> for Grpc {
    fn reject(&self, rejection: &Rejection<'_>) -> Response<B> {
        let code = match rejection.error().kind() {
            AuthErrorKind::InvalidRequest
            | AuthErrorKind::InvalidToken
            | AuthErrorKind::MissingToken => "16",
            AuthErrorKind::InsufficientScope | AuthErrorKind::NoOrganization => "7",
            AuthErrorKind::Unavailable => "14",
            AuthErrorKind::LayerMissing => "13",
        };
        let mut response = rejection.response(B::default());
        *response.status_mut() = StatusCode::OK;
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, "application/grpc"),
            (HeaderName::from_static("grpc-status"), code),
            // Printable ASCII without `%` needs no encoding.
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

/// Answers gRPC calls as [`Grpc`] does, and all others as `R` does, for services that speak both
/// on one port. See [`AuthLayer::grpc_by_content_type`](crate::AuthLayer::grpc_by_content_type).
///
/// Not for services that a gateway asks whether to let a request in: it takes HTTP 200 for a yes, and
/// here the client chooses the form of the answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct GrpcByContentType<R>(pub(crate) R);

impl<R: Reject<B>, B: Default> Reject<B> for GrpcByContentType<R> {
    fn reject(&self, rejection: &Rejection<'_>) -> Response<B> {
        if rejection.is_grpc() {
            Grpc.reject(rejection)
        } else {
            self.0.reject(rejection)
        }
    }
}
