//! The decision about a request, again.

use http::Request;

use crate::{
    auth::request_view::RequestView,
    error::auth::{AuthError, Reason},
    token::bearer::{Credentials, credentials},
    validator::{Attempt, Decision, TokenValidator},
};

/// Decides about `request` again, after its `attempt` waited.
pub(super) fn decide_again<B>(
    validator: &TokenValidator,
    request: &Request<B>,
    attempt: Attempt,
) -> Decision {
    match credentials(request.headers()) {
        Ok(Credentials::Bearer(token)) => {
            validator.decide(token, Some(&RequestView::of(request)), attempt)
        }
        _ => Decision::Rejected(AuthError::from(Reason::MissingToken)),
    }
}
