//! Issuers for tests: keys, tokens and, on request, an HTTP server on loopback.
//!
#![doc = include_str!("../../docs/testing.md")]

mod clock;
mod issuer;
mod server;
pub(crate) mod signing_key;
mod token;
mod token_endpoint;

pub use self::{
    clock::TestClock,
    issuer::TestIssuer,
    server::{TestClient, TestServer},
    token::TokenBuilder,
};
