//! Keys of Ed25519.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use modeler_auth_testkit::signer::{claims, encode, jwks};
use serde_json::json;

use crate::form::{ACCEPTED, EMPTY, Form, Keys, changed, without};

pub fn forms(keys: &Keys) -> Vec<Form> {
    let key = &keys.ed;
    let x = key.jwk["x"].as_str().unwrap();
    let octets = URL_SAFE_NO_PAD.decode(x).unwrap();
    let mut forms: Vec<_> = [
        (
            "`=` at the end of `x`, EdDSA",
            json!({"x": format!("{x}=")}),
            ACCEPTED,
        ),
        (
            "an octet before `x`, EdDSA",
            json!({"x": encode([&[0], &octets[..]].concat())}),
            EMPTY,
        ),
        (
            "an octet after `x`, EdDSA",
            json!({"x": encode([&octets[..], &[0]].concat())}),
            EMPTY,
        ),
        (
            "31 octets in `x`, EdDSA",
            json!({"x": encode(&octets[..31])}),
            EMPTY,
        ),
        ("`y` beside `x`, EdDSA", json!({"y": x}), ACCEPTED),
        ("the curve X25519", json!({"crv": "X25519"}), EMPTY),
        (
            "the type EC with the curve Ed25519",
            json!({"kty": "EC", "y": x}),
            EMPTY,
        ),
    ]
    .into_iter()
    .map(|(name, changes, expected)| Form::of_one(name, &changed(&key.jwk, changes), key, expected))
    .collect();
    forms.push(Form::of_one(
        "no `crv`, EdDSA",
        &without(&key.jwk, "crv"),
        key,
        EMPTY,
    ));
    // The neutral element as key and as R, and S = 0, satisfy the equation for every message.
    let neutral = [&[1][..], &[0; 31]].concat();
    let message = format!(
        "{}.{}",
        encode(key.header().to_string()),
        encode(claims().to_string())
    );
    let signature = encode([&neutral[..], &[0; 32]].concat());
    forms.push(Form::new(
        "`x` is the neutral element, EdDSA",
        jwks(&[&changed(&key.jwk, json!({"x": encode(neutral)}))]),
        format!("{message}.{signature}"),
        ACCEPTED,
    ));
    forms
}
