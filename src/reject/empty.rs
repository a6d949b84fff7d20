//! Rejections without a body.

use http::Response;

use crate::reject::{Reject, Rejection};

/// Renderer of rejections without a body: the status and the headers alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Empty;

impl<B: Default> Reject<B> for Empty {
    fn reject(&self, rejection: &Rejection<'_>) -> Response<B> {
        rejection.response(B::default())
    }
}
