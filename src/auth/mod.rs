//! Middleware that requires a token: layer, service and future, and the view of a request for
//! rules.
//!
#![doc = include_str!("../../docs/tonic.md")]

pub(crate) mod authenticate;
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
