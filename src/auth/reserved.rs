//! Guard for a service that became ready.

/// Guard for a ready service, which may hold a reservation such as a permit.
///
/// Unless the service was taken to be called, dropping the guard replaces the service with a clone,
/// even during a panic. The clone is not ready, so the reservation is released. Without the guard,
/// a server could hold the reservation for as long as its client keeps the connection open.
pub(crate) struct Reserved<'s, S: Clone>(Option<&'s mut S>);

impl<'s, S: Clone> Reserved<'s, S> {
    pub(crate) fn new(service: &'s mut S) -> Self {
        Self(Some(service))
    }

    /// Returns the service for the call.
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
