//! A form of a key set, and the keys that the forms share.

use modeler_auth_testkit::signer::{Key, jwks};
use serde_json::Value;

/// Key set, token and outcome.
pub struct Form {
    /// The name, which `tests/interop/key_sets/differences.json` and SECURITY.md use as well.
    pub name: String,
    pub jwks: Vec<u8>,
    pub token: String,
    /// `accepted`, the reason of the rejection, or [`NO_KEYS`] and the kind of the error.
    pub expected: &'static str,
}

/// Beginning of the outcome for a key set that the crate rejects as a whole.
pub const NO_KEYS: &str = "key set: ";

/// Outcome for a key set without a usable key.
pub const EMPTY: &str = "key set: empty";
/// Outcome for a text that is no key set.
pub const JSON: &str = "key set: json";
pub const ACCEPTED: &str = "accepted";

/// Keys that sign the tokens.
pub struct Keys {
    pub rsa: Key,
    pub other_rsa: Key,
    pub ec: Key,
    pub ed: Key,
}

impl Keys {
    pub fn generate() -> Self {
        Self {
            rsa: Key::rsa(),
            other_rsa: Key::rsa(),
            ec: Key::ec(),
            ed: Key::ed(),
        }
    }
}

impl Form {
    pub fn new(
        name: impl Into<String>,
        jwks: impl Into<Vec<u8>>,
        token: impl Into<String>,
        expected: &'static str,
    ) -> Self {
        Self {
            name: name.into(),
            jwks: jwks.into(),
            token: token.into(),
            expected,
        }
    }

    /// A key set of the key `jwk` alone, and a token of `key`.
    pub fn of_one(name: impl Into<String>, jwk: &Value, key: &Key, expected: &'static str) -> Self {
        Self::new(name, jwks(&[jwk]), key.good(), expected)
    }
}

/// Returns `jwk` with the members of `changes` in place of its own.
pub fn changed(jwk: &Value, changes: Value) -> Value {
    let mut jwk = jwk.clone();
    let Value::Object(changes) = changes else {
        panic!("the changes are an object");
    };
    jwk.as_object_mut().unwrap().extend(changes);
    jwk
}

pub fn without(jwk: &Value, name: &str) -> Value {
    let mut jwk = jwk.clone();
    jwk.as_object_mut().unwrap().remove(name).unwrap();
    jwk
}
