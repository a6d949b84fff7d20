//! What the fuzz targets of `tests/fuzz` run. Each takes any bytes, and holds what the crate makes
//! of them against a second, simpler reading. As tests they run over the corpus.
#![allow(
    clippy::missing_panics_doc,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::{
    future::Future as _,
    pin::pin,
    sync::LazyLock,
    task::{Context, Poll, Waker},
    time::Duration,
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Value, json};

use crate::{
    clock::WallTime,
    issuer::Issuer,
    json::read_object,
    keys::{
        algorithm::{Algorithm, AllowedAlgorithms},
        http::discovery::Discovery,
        key_set::KeySet,
        source::StaticKeys,
    },
    token::{
        bearer::{Credentials, MAX_TOKEN_BYTES, credentials},
        claims::ClaimRequirements,
        jws::{CompactJws, ParsedJws},
        scratch::PayloadBuffers,
        unverified::Unverified,
    },
    url::IssuerUrl,
    validator::TokenValidator,
};

const ISSUER: &str = "https://issuer.example";

/// `Authorization` headers, one a line.
pub fn header(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|&byte| byte == b'\n') {
        let Ok(value) = HeaderValue::from_bytes(line) else {
            return;
        };
        headers.append(AUTHORIZATION, value);
    }
    let Ok(Credentials::Bearer(token)) = credentials(&headers) else {
        return;
    };
    assert_eq!(headers.len(), 1);
    let (scheme, rest) = std::str::from_utf8(data).unwrap().split_once(' ').unwrap();
    assert!(scheme.eq_ignore_ascii_case("bearer"));
    assert_eq!(rest.trim_start_matches(' '), token);
    assert!(token.len() <= MAX_TOKEN_BYTES);
    let body = token.trim_end_matches('=');
    let is_allowed = |char: char| char.is_ascii_alphanumeric() || "-._~+/".contains(char);
    assert!(!body.is_empty() && body.chars().all(is_allowed));
}

/// A token as text, up to its header.
pub fn jws(data: &[u8]) {
    let Ok(token) = std::str::from_utf8(data) else {
        return;
    };
    let mut scratch = Vec::new();
    let signed =
        CompactJws::split(token).and_then(|compact| ParsedJws::read(compact, &mut scratch, &[]));
    let Ok(signed) = signed else {
        return;
    };
    let segments: Vec<_> = token.split('.').collect();
    let [header, payload, signature] = *segments.as_slice() else {
        panic!("{} segments", segments.len());
    };
    // One text for one meaning.
    for segment in segments {
        let bytes = URL_SAFE_NO_PAD.decode(segment).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.encode(bytes), segment);
    }
    assert!(!signature.is_empty());
    assert_eq!(signed.payload(), URL_SAFE_NO_PAD.decode(payload).unwrap());
    let header = URL_SAFE_NO_PAD.decode(header).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    let found = &signed.header;
    let name = header["alg"].as_str().unwrap();
    assert!(name == found.algorithm.name() || name == "Ed25519");
    assert_eq!(
        header.get("kid").map(|id| id.as_str().unwrap()),
        found.key_id.as_deref()
    );
    assert!(header.get("crit").or(header.get("b64")).is_none());
}

/// Any JSON: what is taken for an object, against `serde_json`, both ways.
pub fn json(data: &[u8]) {
    let is_object = read_object(data, |_, value| value.skip()).is_ok();
    let expected = reference(data);
    // Ours refuses a few numbers that `serde_json` can just hold.
    let has_exponent =
        |pair: &[u8]| pair[0].is_ascii_digit() && pair[1].eq_ignore_ascii_case(&b'e');
    let may_be_great = data.len() > 300 || data.windows(2).any(has_exponent);
    let as_expected = is_object == expected || (!is_object && may_be_great);
    assert!(as_expected, "{}", data.escape_ascii());
}

/// What `serde_json` says, with members that come twice and depth looked after.
fn reference(json: &[u8]) -> bool {
    const MAX_DEPTH: u8 = 32;

    struct Any(u8);
    impl<'de> DeserializeSeed<'de> for Any {
        type Value = ();
        fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
            json.deserialize_any(self)
        }
    }
    impl<'de> Visitor<'de> for Any {
        type Value = ();
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a value")
        }
        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }
        fn visit_bool<E>(self, _: bool) -> Result<(), E> {
            Ok(())
        }
        fn visit_u64<E>(self, _: u64) -> Result<(), E> {
            Ok(())
        }
        fn visit_i64<E>(self, _: i64) -> Result<(), E> {
            Ok(())
        }
        fn visit_f64<E>(self, _: f64) -> Result<(), E> {
            Ok(())
        }
        fn visit_str<E>(self, _: &str) -> Result<(), E> {
            Ok(())
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
            let inner = self.0.checked_sub(1).ok_or(A::Error::custom("deep"))?;
            while list.next_element_seed(Any(inner))?.is_some() {}
            Ok(())
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            let inner = self.0.checked_sub(1).ok_or(A::Error::custom("deep"))?;
            let mut names = std::collections::HashSet::new();
            while let Some(name) = map.next_key::<String>()? {
                map.next_value_seed(Any(inner))?;
                let is_reserved = name.starts_with("$serde_json::private::");
                if is_reserved || !names.insert(name) {
                    return Err(A::Error::custom("reserved, or twice"));
                }
            }
            Ok(())
        }
    }

    let mut values = serde_json::Deserializer::from_slice(json);
    let start = json.iter().find(|byte| !byte.is_ascii_whitespace());
    start == Some(&b'{') && Any(MAX_DEPTH).deserialize(&mut values).is_ok() && values.end().is_ok()
}

/// A payload, up to the signature.
pub fn claims(data: &[u8]) {
    const NOW: u64 = 1_762_180_200;
    const LEEWAY: u64 = 60;
    let payload = URL_SAFE_NO_PAD.encode(data);
    // {"alg":"EdDSA"}
    let token = format!("eyJhbGciOiJFZERTQSJ9.{payload}.c2ln");
    let mut scratch = Vec::new();
    let mut buffers = PayloadBuffers::default();
    let read = CompactJws::split(&token)
        .and_then(|compact| ParsedJws::read(compact, &mut scratch, &[]))
        .and_then(|signed| Unverified::read(signed, &mut buffers));
    let Ok(unverified) = read else {
        return;
    };
    let claims: Value = serde_json::from_slice(data).unwrap();
    assert_eq!(
        unverified.issuer().ok(),
        claims.get("iss").map(|name| name.as_str().unwrap())
    );
    let expected = ClaimRequirements {
        issuer: ISSUER.into(),
        audiences: ["api".into()].into(),
        at_jwt_only: false,
        has_sender_constraints: false,
    };
    let (now, leeway) = (Duration::from_secs(NOW), Duration::from_secs(LEEWAY));
    if unverified
        .check(&expected, WallTime::from_epoch(now), leeway)
        .is_err()
    {
        return;
    }
    let time = |name: &str| claims.get(name).map(|time| time.as_f64().unwrap());
    let (now, leeway) = (now.as_secs_f64(), leeway.as_secs_f64());
    assert!(time("exp").unwrap() + leeway > now);
    assert!(time("nbf").is_none_or(|time| time <= now + leeway));
    assert!(time("iat").is_none_or(|time| time <= now + leeway));
    match &claims["aud"] {
        Value::Array(names) => assert!(names.contains(&json!("api"))),
        name => assert_eq!(name, "api"),
    }
    assert!(claims.get("typ").is_none_or(|kind| kind == "Bearer"));
    assert!(claims.get("cnf").is_none());
    for name in ["at_hash", "c_hash", "s_hash", "events"] {
        assert!(claims.get(name).is_none());
    }
    assert!(claims.get("nonce").is_none() || claims["typ"] == "Bearer");
    assert!(
        claims
            .get("sub")
            .is_none_or(|name| name.as_str() != Some(""))
    );
}

/// A key set.
pub fn key_set(data: &[u8]) {
    let Ok(set) = KeySet::parse(data, AllowedAlgorithms::ALL) else {
        return;
    };
    // Never `Value`, which recurses without bound where a key that is not used makes it.
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Published {
        keys: Vec<serde::de::IgnoredAny>,
    }
    let published = serde_json::from_slice::<Published>(data).unwrap();
    assert!((1..=published.keys.len().min(100)).contains(&set.len()));
    let ids: Vec<_> = set.ids().map(str::to_owned).collect();
    let ids = ids.iter().map(String::as_str);
    for id in ids.map(Some).chain([None]) {
        for algorithm in Algorithm::all() {
            let Ok(candidates) = set.candidates(id, algorithm) else {
                continue;
            };
            let mut found = 0;
            for key in candidates {
                assert!(key.algorithm() == algorithm);
                assert!(id.is_none() || key.id() == id);
                // Whatever the material, verifying by it ends.
                key.verifies(b"message", &[0x5a; 64]);
                found += 1;
            }
            assert!((1..=4).contains(&found));
        }
    }
}

/// A discovery document.
pub fn discovery(data: &[u8]) {
    const BACKEND: &str = "http://keycloak:8080/realms/a";
    let url = |text| IssuerUrl::parse("issuer", text).unwrap();
    for backend in [None, Some(BACKEND)] {
        let asked = Discovery {
            issuer: url(ISSUER),
            backend: backend.map(url),
        };
        let [place, _] = asked.urls();
        let Ok(found) = asked.read(data, &place) else {
            continue;
        };
        let document: Value = serde_json::from_slice(data).unwrap();
        let speaks_for = document["issuer"].as_str().unwrap();
        assert!(speaks_for == ISSUER || Some(speaks_for) == backend);
        assert!(found.scheme() == "https" || found.origin() == place.origin());
        assert!(found.username().is_empty() && found.password().is_none());
    }
}

/// A program that takes genuine tokens apart and puts something together from them: whatever it
/// makes, only a genuine token is accepted.
pub fn forged(data: &[u8]) {
    static GENUINE: LazyLock<Genuine> = LazyLock::new(Genuine::new);
    let genuine = &*GENUINE;
    let token = genuine.forge(data);
    let Ok(token) = std::str::from_utf8(&token) else {
        return;
    };
    let verdict = pin!(genuine.validator.validate(token));
    let verdict = verdict.poll(&mut Context::from_waker(Waker::noop()));
    let is_accepted = matches!(verdict, Poll::Ready(Ok(_)));
    let is_genuine = genuine.tokens.iter().any(|one| one == token);
    assert_eq!(is_accepted, is_genuine, "{token}");
}

struct Genuine {
    validator: TokenValidator,
    tokens: Vec<String>,
    /// Signs whatever it is given, and is not trusted.
    attacker: Ed25519KeyPair,
}

impl Genuine {
    fn new() -> Self {
        let pair = |seed| Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let keys = [pair(1), pair(2)];
        let jwk = |(id, key): (usize, &Ed25519KeyPair)| {
            let x = URL_SAFE_NO_PAD.encode(key.public_key());
            json!({"kty": "OKP", "crv": "Ed25519", "kid": id.to_string(), "x": x})
        };
        let jwks: Vec<_> = keys.iter().enumerate().map(jwk).collect();
        let issuer = Issuer::oidc(ISSUER).audience("api");
        let issuer = issuer.keys(StaticKeys::from_jwks(json!({"keys": jwks}).to_string()));
        let tokens = (0..8_usize).map(|number| {
            let id = number % keys.len();
            let header = match number / 2 {
                0 => json!({"alg": "EdDSA", "kid": id.to_string()}),
                1 => json!({"typ": "at+jwt", "alg": "Ed25519", "kid": id.to_string()}),
                2 => json!({"kid": id.to_string(), "typ": "JWT", "alg": "EdDSA", "x": [{}]}),
                _ => json!({"kid": id.to_string(), "alg": "EdDSA", "jwk": jwks[id]}),
            };
            let claims = json!({
                "iss": ISSUER, "aud": ["x", "api"], "exp": 253_402_300_799_u64,
                "sub": "x".repeat(number + 1), "scope": "read write",
            });
            sign(&keys[id], header.to_string(), claims.to_string())
        });
        Self {
            tokens: tokens.collect(),
            validator: TokenValidator::builder().issuer(issuer).build().unwrap(),
            attacker: pair(3),
        }
    }

    /// Runs `program`: four bytes an instruction, and text where one takes it.
    fn forge(&self, mut program: &[u8]) -> Vec<u8> {
        let mut token = self.tokens[0].clone().into_bytes();
        while let [instruction, a, b, c, rest @ ..] = program {
            program = rest;
            let other = self.tokens[usize::from(*a) % self.tokens.len()].as_bytes();
            let at = usize::from(u16::from_le_bytes([*b, *c]));
            let at = at % (token.len() + 1);
            match instruction % 8 {
                0 => token = other.to_vec(),
                1 => token.insert(at, *a),
                2 => drop(token.drain(at..(at + usize::from(*a)).min(token.len()))),
                3 => {
                    if let Some(byte) = token.get_mut(at) {
                        *byte ^= a;
                    }
                }
                4 => {
                    // A part of another token.
                    let mut parts: Vec<_> = token.split(|&byte| byte == b'.').collect();
                    let theirs: Vec<_> = other.split(|&byte| byte == b'.').collect();
                    let (to, from) = (usize::from(*b) % parts.len(), usize::from(*c) % 3);
                    parts[to] = theirs[from];
                    token = parts.join(&b'.');
                }
                5 => {
                    // Text in the header or in the claims.
                    let (text, rest) = program.split_at(program.len().min(usize::from(*a)));
                    program = rest;
                    token = change_part(&token, usize::from(*b), |bytes| {
                        let at = usize::from(*c) % (bytes.len() + 1);
                        bytes.splice(at..at, text.iter().copied());
                    });
                }
                6 => {
                    token = change_part(&token, usize::from(*b), |bytes| {
                        if let Some(byte) = bytes.get_mut(usize::from(*c)) {
                            *byte ^= a;
                        }
                    })
                }
                _ => {
                    let end = token.iter().rposition(|&byte| byte == b'.');
                    token.truncate(end.unwrap_or(token.len()));
                    let signature = URL_SAFE_NO_PAD.encode(self.attacker.sign(&token));
                    token.push(b'.');
                    token.extend(signature.bytes());
                }
            }
            token.truncate(2048);
        }
        token
    }
}

/// Decodes a part of `token`, changes it, and encodes it again; what does not decode stays.
fn change_part(token: &[u8], which: usize, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut parts: Vec<_> = token
        .split(|&byte| byte == b'.')
        .map(<[u8]>::to_vec)
        .collect();
    let which = which % parts.len();
    if let Ok(mut bytes) = URL_SAFE_NO_PAD.decode(&parts[which]) {
        change(&mut bytes);
        parts[which] = URL_SAFE_NO_PAD.encode(bytes).into_bytes();
    }
    parts.join(&b'.')
}

fn sign(key: &Ed25519KeyPair, header: String, claims: String) -> String {
    let message = [header, claims]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".");
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn the_corpus_passes() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
        for (name, target) in [
            ("claims", claims as fn(&[u8])),
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
