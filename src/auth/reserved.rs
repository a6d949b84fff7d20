//! Reservation of a service that became ready.

/// A service that is ready, and so may have reserved something, e.g. a permit.
///
/// Unless the service is taken for the call, dropping this replaces the service by a clone, which is not
/// ready, and so gives back what it reserved: a server may keep the service for as long as its client
/// likes. That holds for a panic in between as well.
pub(crate) struct Reserved<'s, S: Clone>(Option<&'s mut S>);

impl<'s, S: Clone> Reserved<'s, S> {
    pub(crate) fn new(service: &'s mut S) -> Self {
        Self(Some(service))
    }

    /// Returns the service, to be called.
    pub(crate) fn take(mut self) -> &'s mut S {
        self.0.take().expect("only taken here")
    }
}

impl<S: Clone> Drop for Reserved<'_, S> {
    fn drop(&mut self) {
        if let Some(service) = &mut self.0 {
            let unready = service.clone();
            **service = unready;
        }
    }
}
