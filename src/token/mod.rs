//! A token as text becomes [`Claims`], or a reason why not. Pure: no I/O, and time is an argument.

pub(crate) mod bearer;
mod claims;
mod jws;
mod unverified;
#[cfg(test)]
mod vectors;

pub use self::claims::{ClaimPath, Claims};
pub(crate) use self::{claims::Expectation, jws::Signed, unverified::Unverified};
