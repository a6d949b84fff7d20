//! Catalogue of attacks: each row is a test, and the test's name starts with the row's id. The
//! tests send requests through the layer.

mod accepted;
mod algorithms;
mod claims;
mod encoding;
mod headers;
mod keys;
mod sender_constraint_and_revocation;
mod signatures;
mod state;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/target.rs"]
mod target;
