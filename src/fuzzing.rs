//! The readers of the crate for the fuzz targets of `tests/fuzz`, in terms of public types. What
//! must hold of their results is said there, in the oracles.

use std::time::Duration;

use http::HeaderMap;
use url::Url;

use crate::{
    clock::{Clock, WallTime},
    json::read_object,
    keys::{algorithm::AllowedAlgorithms, http::discovery::Discovery, key_set::KeySet},
    token::{
        bearer::{self, Credentials, credentials},
        claims::ClaimRequirements,
        jws::{CompactJws, ParsedJws},
        scratch::PayloadBuffers,
        unverified::Unverified,
    },
    url::IssuerUrl,
};
pub use crate::{
    issuer::Issuer,
    keys::{algorithm::Algorithm, source::StaticKeys},
    validator::TokenValidator,
};

// The published package has no folder `tests`.
#[cfg(all(test, in_repository, feature = "yaml"))]
#[path = "../tests/fuzz/oracles/mod.rs"]
mod oracles;
#[cfg(all(test, in_repository, feature = "yaml"))]
use crate::fuzzing as readers;

#[cfg(all(test, in_repository, feature = "yaml"))]
pub use self::oracles::{claims, configuration, discovery, forged, header, json, jws, key_set};

/// Most bytes of a token.
pub const MAX_TOKEN_BYTES: usize = bearer::MAX_TOKEN_BYTES;

/// Returns the bearer token of a request with `headers`.
pub fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    match credentials(headers) {
        Ok(Credentials::Bearer(token)) => token.text().ok(),
        _ => None,
    }
}

/// Says whether `json` is one object and nothing else.
pub fn is_object(json: &[u8]) -> bool {
    read_object(json, |_, value| value.skip()).is_ok()
}

/// Holds what the header and the payload of a token say, before any key is asked for.
pub struct ReadJws {
    /// Algorithm of the header.
    pub algorithm: Algorithm,
    /// Key id of the header.
    pub key_id: Option<String>,
    /// Bytes of the payload.
    pub payload: Vec<u8>,
}

/// Reads `token` up to its header.
pub fn read_jws(token: &str) -> Option<ReadJws> {
    let mut scratch = Vec::new();
    let compact = CompactJws::split(token).ok()?;
    let jws = ParsedJws::read(compact, &mut scratch, &[]).ok()?;
    Some(ReadJws {
        algorithm: jws.header.algorithm,
        key_id: jws.header.key_id.as_deref().map(str::to_owned),
        payload: jws.payload().to_vec(),
    })
}

/// Holds what the payload of a token says, before its signature is checked.
pub struct ReadPayload {
    /// Issuer that the token names.
    pub issuer: Option<String>,
    /// Whether the claims are those of a good token.
    pub is_accepted: bool,
}

/// Reads `token` up to its signature, at `now`, the time since 1970.
pub fn read_payload(
    token: &str,
    issuer: &str,
    audience: &str,
    now: Duration,
    leeway: Duration,
) -> Option<ReadPayload> {
    let mut scratch = Vec::new();
    let mut buffers = PayloadBuffers::default();
    let compact = CompactJws::split(token).ok()?;
    let jws = ParsedJws::read(compact, &mut scratch, &[]).ok()?;
    let unverified = Unverified::read(jws, &mut buffers).ok()?;
    let named = unverified.issuer().ok().map(str::to_owned);
    let expected = ClaimRequirements {
        issuer: issuer.into(),
        audiences: [audience.into()].into(),
        at_jwt_only: false,
        has_sender_constraints: false,
        max_age: None,
        leeway,
        clock: Clock::System,
    };
    let checked = unverified.check(&expected, WallTime::from_epoch(now));
    Some(ReadPayload {
        issuer: named,
        is_accepted: checked.is_ok(),
    })
}

/// The usable keys of a key set.
pub struct ReadKeySet(KeySet);

/// A key that a token may be signed by.
pub struct Candidate {
    /// Algorithm that the key is bound to.
    pub algorithm: Algorithm,
    /// Id of the key.
    pub id: Option<String>,
}

impl ReadKeySet {
    /// Reads the key set `jwks`.
    pub fn parse(jwks: &[u8]) -> Option<Self> {
        KeySet::parse(jwks, AllowedAlgorithms::ALL).ok().map(Self)
    }

    /// Returns the ids of the keys.
    pub fn ids(&self) -> Vec<String> {
        self.0.ids().map(str::to_owned).collect()
    }

    /// Returns the number of keys.
    #[expect(
        clippy::len_without_is_empty,
        reason = "a key set without a usable key is none"
    )]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Verifies `signature` by every candidate for a token with this header, and returns them.
    pub fn verify(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Option<Vec<Candidate>> {
        let candidates = self.0.candidates(id, algorithm).ok()?;
        let verified = candidates.map(|key| {
            key.verifies(message, signature);
            Candidate {
                algorithm: key.algorithm(),
                id: key.id().map(str::to_owned),
            }
        });
        Some(verified.collect())
    }
}

/// Reads `document` as the discovery document of `issuer`, and returns where it was looked for and
/// where the keys are.
///
/// # Panics
///
/// Panics if `issuer` or `backend` is no URL of an issuer.
pub fn read_discovery(issuer: &str, backend: Option<&str>, document: &[u8]) -> Option<[Url; 2]> {
    let url = |text| IssuerUrl::parse("issuer", text).expect("the URL of an issuer");
    let discovery = Discovery {
        issuer: url(issuer),
        backend: backend.map(url),
    };
    let [place, _] = discovery.urls();
    let keys = discovery.read(document, &place).ok()?;
    Some([place, keys])
}

/// Properties of a document: keys and texts, where null is no text.
#[cfg(feature = "yaml")]
pub type ReadDocument = Vec<(String, Option<String>)>;

/// Reads the documents of a configuration file.
#[cfg(feature = "yaml")]
pub fn read_configuration(text: &str) -> Option<Vec<ReadDocument>> {
    crate::camunda::config::keys_and_texts(text).ok()
}

/// Replaces the placeholders in `text`, which all stand for `value`.
#[cfg(feature = "yaml")]
pub fn replace_placeholders(text: &str, value: &str) -> Option<String> {
    crate::camunda::config::replaced(text, value).ok()
}

/// Checks, where the oracle of this name does not exist, that an object is JSON to `serde_json`, too.
#[cfg(all(test, not(all(in_repository, feature = "yaml"))))]
pub fn json(json: &[u8]) {
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(json).is_ok();
    assert!(is_json || !is_object(json), "{}", json.escape_ascii());
}

#[cfg(all(test, in_repository, feature = "yaml"))]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn the_corpus_passes() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
        for (name, target) in [
            ("claims", claims as fn(&[u8])),
            ("configuration", configuration),
            ("discovery", discovery),
            ("forged", forged),
            ("header", header),
            ("json", json),
            ("jws", jws),
            ("key_set", key_set),
        ] {
            let files = fs::read_dir(corpus.join(name)).unwrap();
            let inputs = files.map(|file| fs::read(file.unwrap().path()).unwrap());
            let mut inputs = inputs.inspect(|input| target(input));
            assert!(inputs.by_ref().count() > 5, "{name}");
        }
    }
}
