//! The catalogue of attacks: each row is a test, and its id stands first in the test's name. They go
//! through the layer, as requests.

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
