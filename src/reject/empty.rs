//! Rejections without a body.

use bytes::Bytes;
use http::Response;

use crate::reject::{Reject, Rejection};

/// Renderer of rejections without a body: the status and the headers alone.
///
/// ```
/// use modeler_auth::{AuthLayer, Issuer, TokenValidator, reject::Empty};
///
/// let validator = TokenValidator::builder().issuer(Issuer::saas("org")).build()?;
/// let layer = AuthLayer::new(validator).reject_with(Empty);
/// # let _: axum::Router = axum::Router::new().layer(layer);
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Empty;

impl Reject for Empty {
    fn reject(&self, rejection: &Rejection<'_>) -> Response<Bytes> {
        rejection.response(Bytes::new())
    }
}
