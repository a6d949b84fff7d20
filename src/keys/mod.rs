//! Who signs: from JWK text to keys that verify, and keeping them fresh.

mod algorithm;
mod flights;
mod http;
mod keeper;
mod key;
mod refresh;
mod set;
mod source;
mod url;

pub use self::{
    algorithm::Algorithm,
    keeper::KeyStatus,
    source::{KeyFetch, KeyFetchError, KeyFetchErrorKind, KeySource, Revalidation, StaticKeys},
};
pub(crate) use self::{
    algorithm::AllowedAlgorithms,
    http::{HttpKeys, Location},
    keeper::{Arrival, Keeper, Miss, Missing},
    key::VerifyingKey,
    refresh::{Moment, Times},
    set::{KeySet, NoKey},
    url::IssuerUrl,
};
