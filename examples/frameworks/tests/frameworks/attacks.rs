//! The catalogue of attacks of the crate, except for attacks on a validator alone (`state.rs`). Its
//! tests use the `Target` of this folder.

#[path = "../../../../tests/attacks/accepted.rs"]
mod accepted;
#[path = "../../../../tests/attacks/algorithms.rs"]
mod algorithms;
#[path = "../../../../tests/attacks/claims.rs"]
mod claims;
#[path = "../../../../tests/attacks/encoding.rs"]
mod encoding;
#[path = "../../../../tests/attacks/headers.rs"]
mod headers;
#[path = "../../../../tests/attacks/keys.rs"]
mod keys;
#[path = "../../../../tests/attacks/sender_constraint_and_revocation.rs"]
mod sender_constraint_and_revocation;
#[path = "../../../../tests/attacks/signatures.rs"]
mod signatures;
