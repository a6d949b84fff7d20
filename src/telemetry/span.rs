//! Fields of the current span about an accepted request.

use tracing::Span;

use crate::access::Access;

/// Records `access` in those of the fields that the current span declares.
pub(crate) fn record(access: &Access) {
    let span = Span::current();
    for (field, value) in [
        ("subject", access.subject()),
        ("client", access.client_id()),
        ("organization", access.organization().map(AsRef::as_ref)),
    ] {
        // A span ignores a field that it does not declare.
        if let Some(value) = value {
            span.record(field, value);
        }
    }
}
