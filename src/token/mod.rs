//! A token as text becomes [`Claims`], or a reason why not. Pure: no I/O, and time is an argument.

pub(crate) mod bearer;
mod claims;
mod headers;
mod jws;
mod scratch;
mod unverified;
#[cfg(test)]
mod vectors;

pub use self::claims::{ClaimPath, Claims};
#[cfg(any(test, fuzzing))]
pub(crate) use self::scratch::Members;
pub(crate) use self::{
    claims::{Expectation, Verified},
    headers::KnownHeaders,
    jws::{Compact, Signed},
    scratch::{Buffers, Scratch},
    unverified::Unverified,
};
