//! The layer: a request with an acceptable token goes on, with an [`Access`]; any other is answered.

mod future;
mod layer;
mod service;

use std::mem;

use http::Extensions;

pub use self::{future::ResponseFuture, layer::AuthLayer, service::Auth};
use crate::{
    access::Access,
    error::{AuthError, Reason},
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

/// Replaces `service` by a clone, which is not ready, and so releases what the service reserved when
/// it became ready, e.g. a permit. For a request that is not passed on: a server may keep the service
/// for as long as its client likes.
pub(crate) fn release<S: Clone>(service: &mut S) {
    let unready = service.clone();
    drop(mem::replace(service, unready));
}
