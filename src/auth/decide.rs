//! Repeated decision about a request that has waited.

use http::Request;

use crate::{
    access::Access,
    auth::request_view::RequestView,
    error::reason::Reason,
    token::bearer::{Credentials, credentials},
    validator::{
        TokenValidator,
        check::{NotAccepted, WaitsLeft},
    },
};

/// Decides about `request` again after a wait; `waits_left` limits further waits.
pub(super) fn decide_again<B>(
    validator: &TokenValidator,
    request: &Request<B>,
    waits_left: &WaitsLeft,
) -> Result<Access, NotAccepted> {
    match credentials(request.headers()) {
        Ok(Credentials::Bearer(token)) => {
            validator.decide(token, Some(&RequestView::of(request)), waits_left)
        }
        _ => Err(Reason::MissingToken.into()),
    }
}
