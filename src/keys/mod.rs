//! Who signs: from JWK text to keys that verify, and keeping them fresh.

mod algorithm;
mod event;
mod flights;
mod http;
mod keeper;
mod kept;
mod key;
mod landing;
mod refresh;
mod set;
mod source;
mod status;
mod task;
mod url;

pub use self::{
    algorithm::Algorithm,
    event::{KeyEvent, KeyEventKind},
    source::{
        KeyFetch, KeyFetchError, KeyFetchErrorKind, KeyFuture, KeyRequest, KeySource, Revalidation,
        StaticKeys,
    },
    status::KeyStatus,
};
pub(crate) use self::{
    algorithm::AllowedAlgorithms,
    event::Listener,
    http::{Discovery, HttpKeys, Location, Transport},
    keeper::{Arrival, Keeper, Miss},
    key::VerifyingKey,
    refresh::{Moment, Times},
    set::{KeySet, NoKey},
    url::{IssuerUrl, shown},
};
