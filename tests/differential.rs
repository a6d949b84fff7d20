//! Comparison of the validator with `jsonwebtoken` in its strictest setting, on 100,000 mutated
//! tokens. `jsonwebtoken` must accept every token that the validator accepts. If only
//! `jsonwebtoken` accepts a token, the reason must be one that it does not check.
//!
//! `SEED` repeats a run, `TOKENS` sets its length. `DUMP` names a file for the key, the tokens and
//! the outcomes, which `tests/interop/jose` reads.

#[path = "support/target.rs"]
mod target;

use std::{
    collections::BTreeMap,
    env,
    fs::File,
    io::{BufWriter, Write as _},
};

use fastrand::Rng;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use modeler_auth_testkit::{
    poll::ready,
    signer::{ISSUER, Key, claims, encode, now},
};
use serde_json::{Value, json};
use target::Target;

/// Reasons that `jsonwebtoken` 11 does not check, or whose members it treats as absent.
const STRICTER: &[&str] = &[
    "unsupported_crit",   // `crit` and `b64`
    "issued_in_future",   // `iat`
    "malformed_claim",    // registered claims of the wrong type; `exp` out of bounds; no subject
    "malformed_claims",   // members twice, depth, arrays for objects
    "malformed_header",   // members twice, depth, key ids of any length
    "sender_constrained", // `cnf`
    "payload_typ",        // `typ` of the payload
    "header_typ",         // `typ` of the header
    "unknown_key",        // the test passes it the key
];

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().and_then(|value| value.parse().ok())
}

fn any_value(random: &mut Rng) -> Value {
    let exotic = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1e19),
        json!(0.5),
        json!(now() + 100),
        json!(now() - 1000),
        json!(now() + 1000),
        json!(""),
        json!("api"),
        json!(ISSUER),
        json!("Bearer"),
        json!("JWT"),
        json!("at+jwt"),
        json!("ID"),
        json!([]),
        json!(["api"]),
        json!(["api", 7]),
        json!([ISSUER, "x"]),
        json!({}),
        json!({"jkt": "x"}),
        json!({"a": {"b": [1, 2, {"c": null}]}}),
    ];
    exotic[random.usize(..exotic.len())].clone()
}

fn any_of<'a>(random: &mut Rng, names: &[&'a str]) -> &'a str {
    names[random.usize(..names.len())]
}

// Not `jwk`, `jku`, `cty`, `zip`: `jsonwebtoken` requires them to be well-formed, and the validator
// ignores them (RFC 8725 §3.10).
const HEADER: &[&str] = &["alg", "kid", "typ", "crit", "b64", "x"];
const CLAIMS: &[&str] = &[
    "iss",
    "aud",
    "exp",
    "nbf",
    "iat",
    "sub",
    "jti",
    "azp",
    "client_id",
    "typ",
    "cnf",
    "scope",
    "x",
];

/// JSON that differs from `json` in a byte or a member.
fn mutated_text(random: &mut Rng, json: &str, names: &[&str]) -> Vec<u8> {
    let mut bytes = json.as_bytes().to_vec();
    match random.u8(..6) {
        0 => {
            let member = format!("{{\"{}\":{},", any_of(random, names), any_value(random));
            return json.replacen('{', &member, 1).into_bytes();
        }
        1 => {
            let position = random.usize(..bytes.len());
            bytes[position] = random.u8(..);
        }
        2 => {
            bytes.extend_from_slice([" ", "\n", "{}", "\0", ",", "x"][random.usize(..6)].as_bytes())
        }
        3 => {
            let position = random.usize(..bytes.len());
            bytes.remove(position);
        }
        4 => bytes = format!("[{json}]").into_bytes(),
        _ => {
            let position = random.usize(..bytes.len());
            let added = ["\"", "\\", "\\u0000", "\\ud800", "1", "é"][random.usize(..6)];
            bytes.splice(position..position, added.bytes());
        }
    }
    bytes
}

fn token(random: &mut Rng, key: &Key) -> String {
    let (mut header, mut claims) = (key.header(), claims());
    for _ in 0..random.usize(..3) {
        let value = any_value(random);
        if random.u8(..4) == 0 {
            header[any_of(random, HEADER)] = value;
        } else {
            let name = any_of(random, CLAIMS);
            if random.u8(..8) == 0 {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value;
            }
        }
    }
    let (mut header, mut claims) = (
        header.to_string().into_bytes(),
        claims.to_string().into_bytes(),
    );
    match random.u8(..8) {
        0 => header = mutated_text(random, &String::from_utf8(header).unwrap(), HEADER),
        1 => claims = mutated_text(random, &String::from_utf8(claims).unwrap(), CLAIMS),
        _ => {}
    }
    let mut token = key.token(header, claims).into_bytes();
    if random.u8(..6) == 0 {
        let position = random.usize(..token.len());
        match random.u8(..4) {
            0 => token[position] = b"Aa0-_.=+/"[random.usize(..9)],
            1 => token.truncate(position),
            2 => token.insert(position, b"Aa0-_.="[random.usize(..7)]),
            _ => token.extend_from_slice(encode("x").as_bytes()),
        }
    }
    String::from_utf8(token).unwrap()
}

#[test]
fn m4_what_is_accepted_here_is_accepted_by_jsonwebtoken() {
    let seed = number("SEED").unwrap_or_else(|| fastrand::u64(..));
    let tokens = number("TOKENS").unwrap_or(100_000);
    println!("SEED={seed} TOKENS={tokens}");
    let mut random = Rng::with_seed(seed);
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let theirs = DecodingKey::from_ed_components(key.jwk["x"].as_str().unwrap()).unwrap();
    let mut strictest = Validation::new(Algorithm::EdDSA);
    strictest.set_required_spec_claims(&["exp", "iss", "aud"]);
    strictest.set_issuer(&[ISSUER]);
    strictest.set_audience(&["api"]);
    strictest.validate_nbf = true;
    strictest.leeway = 60;

    let (mut both, mut early) = (0, 0);
    let mut dump = env::var_os("DUMP").map(|path| BufWriter::new(File::create(path).unwrap()));
    if let Some(dump) = &mut dump {
        writeln!(dump, "{}", key.jwk).unwrap();
    }
    let mut stricter: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..tokens {
        let token = token(&mut random, &key);
        let ours = ready(target.validator.validate(&token)).map_err(|error| error.reason());
        if let Some(dump) = &mut dump {
            let outcome = ours.as_ref().map_or_else(|reason| *reason, |_| "accepted");
            writeln!(dump, "{outcome} {token}").unwrap();
        }
        let theirs = decode::<Value>(&token, &theirs, &strictest).is_ok();
        match (ours, theirs) {
            (Ok(_), true) => both += 1,
            // A time before 1970 is valid (RFC 7519 §2), but `jsonwebtoken` cannot represent it.
            (Ok(access), false) => {
                let not_before = access.claims().get::<f64>("nbf").unwrap();
                let is_early = not_before.is_some_and(|time| time < 0.0);
                assert!(is_early, "accepted here only, SEED={seed}: {token}");
                early += 1;
            }
            (Err(reason), true) => {
                assert!(STRICTER.contains(&reason), "{reason}, SEED={seed}: {token}");
                *stricter.entry(reason).or_default() += 1;
            }
            (Err(_), false) => {}
        }
    }
    println!("accepted by both: {both}; here only: {early}; there only: {stricter:?}");
    assert!(
        both * 20 > tokens,
        "most mutations must not be trivial: {both}"
    );
    assert!(tokens < 100_000 || stricter.len() >= 6, "{stricter:?}");
}
