//! Modulus and exponent of RSA keys.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use modeler_auth_testkit::signer::{Key, claims, encode, jwks};
use serde_json::{Value, json};

use crate::form::{ACCEPTED, EMPTY, Form, Keys, changed, without};

pub fn forms(keys: &Keys) -> Vec<Form> {
    let key = &keys.rsa;
    let n = key.jwk["n"].as_str().unwrap();
    let octets = URL_SAFE_NO_PAD.decode(n).unwrap();
    let zeros = |count: usize| encode([&vec![0; count], &octets[..]].concat());
    let mut forms: Vec<_> = [
        (
            "a leading zero octet in `n`",
            json!({"n": zeros(1)}),
            ACCEPTED,
        ),
        (
            "256 leading zero octets in `n`",
            json!({"n": zeros(256)}),
            ACCEPTED,
        ),
        (
            "`=` at the end of `n`",
            json!({"n": format!("{n}==")}),
            ACCEPTED,
        ),
        (
            "one `=` of two at the end of `n`",
            json!({"n": format!("{n}=")}),
            ACCEPTED,
        ),
        (
            "white space in `n`",
            json!({"n": format!("{} {}", &n[..76], &n[76..])}),
            ACCEPTED,
        ),
        (
            "line breaks in `n`",
            json!({"n": format!("{}\r\n{}", &n[..76], &n[76..])}),
            ACCEPTED,
        ),
        (
            "bits after the last octet of `n`",
            json!({"n": with_trailing_bits(n)}),
            ACCEPTED,
        ),
        (
            "a character outside base64 in `n`",
            json!({"n": format!("{}!{}", &n[..76], &n[76..])}),
            EMPTY,
        ),
        ("`n` is empty", json!({"n": ""}), EMPTY),
        ("`n` is null", json!({"n": null}), EMPTY),
        ("`n` is a number", json!({"n": 5}), EMPTY),
        (
            "a leading zero octet in `e`",
            json!({"e": "AAEAAQ"}),
            ACCEPTED,
        ),
        (
            "`e` of eight octets",
            json!({"e": encode(65537_u64.to_be_bytes())}),
            ACCEPTED,
        ),
        ("`e` is 0", json!({"e": "AA"}), EMPTY),
        ("`e` is even", json!({"e": "AQAC"}), EMPTY),
        ("`e` is a number", json!({"e": 65537}), EMPTY),
    ]
    .into_iter()
    .map(|(name, changes, expected)| Form::of_one(name, &changed(&key.jwk, changes), key, expected))
    .collect();
    forms.push(Form::of_one("no `n`", &without(&key.jwk, "n"), key, EMPTY));
    forms.push(Form::of_one("no `e`", &without(&key.jwk, "e"), key, EMPTY));
    forms.push(standard_alphabet());
    forms.push(exponent_of_one(key));
    forms.extend(of_foreign_keys());
    forms
}

/// Sets a bit of the last character that belongs to no octet.
fn with_trailing_bits(text: &str) -> String {
    let (start, last) = text.split_at(text.len() - 1);
    let last = match last {
        "A" => "B",
        "Q" => "R",
        "g" => "h",
        "w" => "x",
        other => panic!("{other} is no last character of 256 octets"),
    };
    format!("{start}{last}")
}

fn standard_alphabet() -> Form {
    let key = std::iter::repeat_with(Key::rsa)
        .find(|key| key.jwk["n"].as_str().unwrap().contains(['-', '_']))
        .unwrap();
    let n = key.jwk["n"]
        .as_str()
        .unwrap()
        .replace('-', "+")
        .replace('_', "/");
    let jwk = changed(&key.jwk, json!({"n": n}));
    Form::of_one(
        "`n` in the standard alphabet of base64",
        &jwk,
        &key,
        ACCEPTED,
    )
}

/// With this exponent, the encoded digest is the signature, so anyone can sign.
fn exponent_of_one(key: &Key) -> Form {
    const SHA256_INFO: &[u8] =
        b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    let message = format!(
        "{}.{}",
        encode(key.header().to_string()),
        encode(claims().to_string())
    );
    let digest = digest(&SHA256, message.as_bytes());
    let padding = vec![0xff; 256 - 3 - SHA256_INFO.len() - 32];
    let signature = [&[0, 1], &padding[..], &[0], SHA256_INFO, digest.as_ref()].concat();
    Form::new(
        "`e` is 1",
        jwks(&[&changed(&key.jwk, json!({"e": "AQ"}))]),
        format!("{message}.{}", encode(signature)),
        EMPTY,
    )
}

/// Keys that aws-lc does not generate or sign with. OpenSSL made them and their tokens, which expire in
/// the year 2100.
fn of_foreign_keys() -> Vec<Form> {
    let keys: Vec<Value> = serde_json::from_str(include_str!("rsa.json")).unwrap();
    let forms = keys.iter().map(|key| {
        let name = key["name"].as_str().unwrap();
        let expected = if name == "an RSA exponent of 3" {
            ACCEPTED
        } else {
            EMPTY
        };
        Form::new(
            name,
            jwks(&[&key["jwk"]]),
            key["token"].as_str().unwrap(),
            expected,
        )
    });
    let padded = keys
        .iter()
        .find(|key| key["name"] == "an RSA key of 1024 bits")
        .unwrap();
    let n = URL_SAFE_NO_PAD
        .decode(padded["jwk"]["n"].as_str().unwrap())
        .unwrap();
    let n = encode([&[0; 128], &n[..]].concat());
    let padded = Form::new(
        "an RSA key of 1024 bits with zeros to 2048",
        jwks(&[&changed(&padded["jwk"], json!({"n": n}))]),
        padded["token"].as_str().unwrap(),
        EMPTY,
    );
    forms.chain([padded]).collect()
}
