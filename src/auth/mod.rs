//! The layer: a request with an acceptable token goes on, with an [`Access`](crate::Access); any other is answered.

pub(crate) mod decide;
pub(crate) mod extensions;
pub(crate) mod future;
pub(crate) mod layer;
pub(crate) mod request_view;
pub(crate) mod reserved;
pub(crate) mod service;

pub use self::{
    future::ResponseFuture, layer::AuthLayer, request_view::RequestView, service::Auth,
};
