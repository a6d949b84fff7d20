//! Keys: from JWK text to keys that verify, and the cache that keeps them fresh.
//!
//! [docs/troubleshooting.md]: https://docs.rs/crate/modeler-auth/latest/source/docs/troubleshooting.md
//!
#![doc = include_str!("../../docs/reliability.md")]

pub(crate) mod algorithm;
pub(crate) mod cache;
mod document;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod http;
pub(crate) mod jwk;
pub(crate) mod key_problem;
pub(crate) mod key_set;
pub(crate) mod published_key;
pub(crate) mod rejected_jwk;
pub(crate) mod source;

pub use self::{
    algorithm::Algorithm,
    error::{KeyFetchError, KeyFetchErrorKind},
    event::{KeyEvent, KeyEventKind, KeyStatus},
    published_key::PublishedKey,
    source::{CacheValidators, KeyFetch, KeyFuture, KeyRequest, KeySource, StaticKeys},
};
