//! Rejections without a body.

use bytes::Bytes;
use http::Response;

use crate::reject::{Reject, Rejection};

/// Renderer of rejections without a body: the status and the headers alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Empty;

impl Reject for Empty {
    fn reject(&self, rejection: &Rejection<'_>) -> Response<Bytes> {
        rejection.response(Bytes::new())
    }
}
