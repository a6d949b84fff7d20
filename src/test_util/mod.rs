//! Issuers for tests: keys, tokens and, on request, an HTTP server on loopback.
//!
#![doc = include_str!("../../docs/testing.md")]

mod client;
mod clock;
mod development_issuer;
mod issuer;
mod server;
pub(crate) mod signing_key;
mod token;
mod token_endpoint;

pub use self::{
    client::TestClient,
    clock::TestClock,
    development_issuer::{DevelopmentClient, DevelopmentIssuer},
    issuer::TestIssuer,
    server::TestServer,
    token::TokenBuilder,
};
