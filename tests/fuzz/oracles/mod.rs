//! Oracles of the fuzz targets. Each oracle takes any bytes and compares the crate's result with a
//! second, simpler parser. The unit tests of the crate run the oracles over the corpus.

mod configuration;
mod forged;
mod json;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use serde_json::{Value, json};
use url::Url;

pub use self::{configuration::configuration, forged::forged, json::json};
use super::readers::{
    self, Algorithm, MAX_TOKEN_BYTES, ReadKeySet, bearer_token, read_discovery, read_jws,
    read_payload,
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
    let Some(token) = bearer_token(&headers) else {
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
    let Some(found) = read_jws(token) else {
        return;
    };
    let segments: Vec<_> = token.split('.').collect();
    let [header, payload, signature] = *segments.as_slice() else {
        panic!("{} segments", segments.len());
    };
    // Each value has exactly one encoding.
    for segment in segments {
        let bytes = URL_SAFE_NO_PAD.decode(segment).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.encode(bytes), segment);
    }
    assert!(!signature.is_empty());
    assert_eq!(found.payload, URL_SAFE_NO_PAD.decode(payload).unwrap());
    let header = URL_SAFE_NO_PAD.decode(header).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    let name = header["alg"].as_str().unwrap();
    assert!(name == found.algorithm.name() || name == "Ed25519");
    assert_eq!(
        header.get("kid").map(|id| id.as_str().unwrap()),
        found.key_id.as_deref()
    );
    assert!(header.get("crit").or(header.get("b64")).is_none());
}

/// A payload, up to the signature.
pub fn claims(data: &[u8]) {
    const NOW: u64 = 1_762_180_200;
    const LEEWAY: u64 = 60;
    let payload = URL_SAFE_NO_PAD.encode(data);
    // {"alg":"EdDSA"}
    let token = format!("eyJhbGciOiJFZERTQSJ9.{payload}.c2ln");
    let (now, leeway) = (Duration::from_secs(NOW), Duration::from_secs(LEEWAY));
    let Some(found) = read_payload(&token, ISSUER, "api", now, leeway) else {
        return;
    };
    let claims: Value = serde_json::from_slice(data).unwrap();
    assert_eq!(
        found.issuer.as_deref(),
        claims.get("iss").map(|name| name.as_str().unwrap())
    );
    if !found.is_accepted {
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
    let Some(set) = ReadKeySet::parse(data) else {
        return;
    };
    // Not `Value`, which recurses without bound on the members of an unused key.
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Published {
        keys: Vec<serde::de::IgnoredAny>,
    }
    let published = serde_json::from_slice::<Published>(data).unwrap();
    assert!((1..=published.keys.len().min(100)).contains(&set.len()));
    let ids = set.ids();
    let ids = ids.iter().map(String::as_str);
    for id in ids.map(Some).chain([None]) {
        for algorithm in Algorithm::all() {
            // Verification must terminate for any key material.
            let Some(candidates) = set.verify(id, algorithm, b"message", &[0x5a; 64]) else {
                continue;
            };
            for candidate in &candidates {
                assert!(candidate.algorithm == algorithm);
                assert!(id.is_none() || candidate.id.as_deref() == id);
            }
            assert!((1..=4).contains(&candidates.len()));
        }
    }
}

/// A discovery document.
pub fn discovery(data: &[u8]) {
    const BACKEND: &str = "http://keycloak:8080/realms/a";
    for backend in [None, Some(BACKEND)] {
        let Some([place, found]) = read_discovery(ISSUER, backend, data) else {
            continue;
        };
        let document: Value = serde_json::from_slice(data).unwrap();
        let speaks_for = document["issuer"].as_str().unwrap();
        let is_backend = backend.is_some()
            && Url::parse(speaks_for).is_ok_and(|url| {
                url.scheme() == "http"
                    && url.host_str() == Some("keycloak")
                    && url.port() == Some(8080)
                    && ["/realms/a", "/realms/a/"].contains(&url.path())
                    && url.query().is_none()
            });
        assert!(speaks_for == ISSUER || is_backend, "{speaks_for}");
        assert!(found.scheme() == "https" || found.origin() == place.origin());
        assert!(found.username().is_empty() && found.password().is_none());
    }
}
