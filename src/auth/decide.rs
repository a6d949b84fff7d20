//! Decision about a request: its credentials, and the repeated decision after a wait.

use http::{HeaderMap, Request};

use crate::{
    access::Access,
    auth::request_view::RequestView,
    error::{auth::AuthError, reason::Reason},
    token::{
        bearer::{Credentials, credentials, header_mistake},
        presented_token::PresentedToken,
    },
    validator::{
        TokenValidator,
        check::{NotAccepted, WaitsLeft},
    },
};

/// Returns the Bearer token of a request; `None` if it has no `Authorization` header.
pub(super) fn bearer_token(headers: &HeaderMap) -> Result<Option<PresentedToken<'_>>, AuthError> {
    match credentials(headers) {
        Ok(Credentials::Bearer(token)) => Ok(Some(token)),
        Ok(Credentials::Absent) => Ok(None),
        Ok(Credentials::Other) => Err(Reason::MissingToken.into()),
        Err(reason) => Err(reason.into()),
    }
}

/// Names the mistake in the `Authorization` header, if it is a known one.
pub(super) fn with_mistake(error: AuthError, headers: &HeaderMap) -> AuthError {
    if !error.is_about_header() {
        return error;
    }
    match header_mistake(headers) {
        Some(mistake) => error.with_detail(mistake),
        None => error,
    }
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
