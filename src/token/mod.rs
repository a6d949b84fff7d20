//! From the text of a token to [`Claims`], or to the reason of a rejection. Pure: no I/O, and time is an
//! argument.

pub(crate) mod bearer;
pub(crate) mod claim_index;
pub(crate) mod claim_path;
pub(crate) mod claims;
pub(crate) mod header;
pub(crate) mod header_cache;
pub(crate) mod jws;
mod payload;
pub(crate) mod presented_token;
pub(crate) mod scratch;
pub(crate) mod unverified;
#[cfg(test)]
mod vectors;

pub use self::{claim_path::ClaimPath, claims::Claims};
