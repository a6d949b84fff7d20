//! The refusal without a body.

use http::Response;

use crate::reject::{Refusal, Reject};

/// Answers with the status and the headers alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bare;

impl<B: Default> Reject<B> for Bare {
    fn reject(&self, refusal: &Refusal<'_>) -> Response<B> {
        refusal.response(B::default())
    }
}
