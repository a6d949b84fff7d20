//! The layer: a request with an acceptable token goes on, with an [`Access`]; any other is answered.

mod future;
mod layer;
mod service;

use http::Extensions;

pub use self::{future::ResponseFuture, layer::AuthLayer, service::Auth};
use crate::{
    access::Access,
    error::{AuthError, Reason},
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
            Reason::LayerMissing.into()
        }
    })
}
