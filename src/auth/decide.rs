//! Decision about a request: its credentials, and the repeated decision after a wait.

use http::{HeaderMap, Request};

use crate::{
    access::Access,
    auth::request_view::RequestView,
    error::{auth::AuthError, reason::Reason},
    token::bearer::{Credentials, credentials, header_mistake},
    validator::{
        TokenValidator,
        check::{NotAccepted, WaitsLeft},
    },
};

/// Returns the Bearer token of a request; `None` if it has no `Authorization` header.
pub(super) fn bearer_token(headers: &HeaderMap) -> Result<Option<&str>, AuthError> {
    let reason = match credentials(headers) {
        Ok(Credentials::Bearer(token)) => return Ok(Some(token)),
        Ok(Credentials::Absent) => return Ok(None),
        Ok(Credentials::Other) => Reason::MissingToken,
        Err(Reason::MalformedAuthorization) => Reason::MalformedAuthorization,
        Err(reason) => return Err(reason.into()),
    };
    let error = AuthError::from(reason);
    Err(match header_mistake(headers) {
        Some(hint) => error.with_detail(hint),
        None => error,
    })
}

/// Decides about `request` again after a wait; `waits_left` limits further waits.
pub(super) fn decide_again<B>(
    validator: &TokenValidator,
    request: &Request<B>,
    waits_left: &WaitsLeft,
) -> Result<Access, NotAccepted> {
    match bearer_token(request.headers()) {
        Ok(Some(token)) => validator.decide(token, Some(&RequestView::of(request)), waits_left),
        _ => Err(Reason::MissingToken.into()),
    }
}
