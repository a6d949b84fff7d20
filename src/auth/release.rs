//! Giving back what a service reserved.

use std::mem;

/// Replaces `service` by a clone, which is not ready, and so releases what the service reserved when
/// it became ready, e.g. a permit. For a request that is not passed on: a server may keep the service
/// for as long as its client likes.
pub(crate) fn release<S: Clone>(service: &mut S) {
    let unready = service.clone();
    drop(mem::replace(service, unready));
}
