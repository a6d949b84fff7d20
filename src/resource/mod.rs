//! Protected resource metadata ([RFC 9728](https://www.rfc-editor.org/rfc/rfc9728)): a client that knows
//! only the URL of this service finds the authorization servers whose tokens it needs.

pub(crate) mod metadata_service;
pub(crate) mod protected_resource;
pub(crate) mod published;

pub use self::{metadata_service::MetadataService, protected_resource::ProtectedResource};
