//! What a layer leaves in the extensions of a request, and what others find there.

use http::{Extensions, Request};

use crate::{
    access::Access,
    error::auth::{AuthError, Reason},
    telemetry,
};

/// In the extensions of a request that an optional layer let pass without a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Anonymous;

/// What a layer found out about the request with these `extensions`. Without a layer nothing is
/// known, and that must never pass for "anonymous".
pub(crate) fn authenticated(extensions: &Extensions) -> Result<&Access, AuthError> {
    extensions.get::<Access>().ok_or_else(|| {
        if extensions.get::<Anonymous>().is_some() {
            Reason::MissingToken.into()
        } else {
            telemetry::layer_missing();
            Reason::LayerMissing.into()
        }
    })
}

/// Marks `request` as verified.
pub(super) fn pass<B>(request: &mut Request<B>, access: Access) {
    request.extensions_mut().remove::<Anonymous>();
    request.extensions_mut().insert(access);
}

/// Marks `request` as let through without a token; whatever a layer further out found is void.
pub(super) fn pass_anonymously<B>(request: &mut Request<B>) {
    request.extensions_mut().remove::<Access>();
    request.extensions_mut().insert(Anonymous);
}
