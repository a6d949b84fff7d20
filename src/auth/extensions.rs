//! Values that the layer stores in the extensions of a request.

use http::{Extensions, Request};

use crate::{
    access::{Access, organization::AuthorizedOrganization},
    error::{auth::AuthError, reason::Reason},
    telemetry,
};

/// Extension of a request that an optional layer passed on without a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Anonymous;

/// Returns the access that a layer inserted into `extensions`.
///
/// Without a layer nothing is known about the request, so it must never count as anonymous.
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

/// Returns the organization of `access`, or the error that rejects a request that needs one.
pub(crate) fn required_organization(access: &Access) -> Result<&AuthorizedOrganization, AuthError> {
    access.organization().ok_or_else(|| {
        AuthError::verified(Reason::NoOrganization).of_issuer(access.claims().shared_issuer())
    })
}

/// Stores `access` in the extensions and, if `is_recorded`, in fields of the current span.
pub(super) fn pass<B>(request: &mut Request<B>, access: Access, is_recorded: bool) {
    if is_recorded {
        telemetry::span::record(&access);
    }
    request.extensions_mut().remove::<Anonymous>();
    request.extensions_mut().insert(access);
}

/// Stores [`Anonymous`] in the extensions, and removes the access that an outer layer may have stored.
pub(super) fn pass_anonymously<B>(request: &mut Request<B>) {
    request.extensions_mut().remove::<Access>();
    request.extensions_mut().insert(Anonymous);
}
