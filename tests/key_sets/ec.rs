//! Curves and coordinates of EC keys.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use modeler_auth_testkit::signer::{Key, encode};
use serde_json::json;

use crate::form::{ACCEPTED, EMPTY, Form, Keys, changed, without};

pub fn forms(keys: &Keys) -> Vec<Form> {
    let key = &keys.ec;
    let (x, y) = (
        key.jwk["x"].as_str().unwrap(),
        key.jwk["y"].as_str().unwrap(),
    );
    let octets = coordinate(key, "x");
    let mut forms: Vec<_> = [
        (
            "a sign octet in `x`",
            json!({"x": encode([&[0], &octets[..]].concat())}),
            ACCEPTED,
        ),
        (
            "`=` at the end of `x` and `y`",
            json!({"x": format!("{x}="), "y": format!("{y}=")}),
            ACCEPTED,
        ),
        ("`x` in the place of `y`", json!({"x": y, "y": x}), EMPTY),
        ("a point beside the curve", json!({"y": x}), EMPTY),
        ("`x` is 0", json!({"x": encode([0; 32])}), EMPTY),
        (
            "`x` and `y` are 0",
            json!({"x": encode([0; 32]), "y": encode([0; 32])}),
            EMPTY,
        ),
        (
            "`x` is the largest number of 32 octets",
            json!({"x": encode([0xff; 32])}),
            EMPTY,
        ),
        ("`x` is empty", json!({"x": ""}), EMPTY),
        ("the curve in lower case", json!({"crv": "p-256"}), EMPTY),
        ("another curve", json!({"crv": "P-384"}), EMPTY),
        ("a curve of another type", json!({"crv": "Ed25519"}), EMPTY),
    ]
    .into_iter()
    .map(|(name, changes, expected)| Form::of_one(name, &changed(&key.jwk, changes), key, expected))
    .collect();
    forms.push(Form::of_one("no `y`", &without(&key.jwk, "y"), key, EMPTY));
    forms.push(Form::of_one(
        "no `crv`",
        &without(&key.jwk, "crv"),
        key,
        EMPTY,
    ));
    forms.extend(["ES256", "ES384", "ES512"].map(without_leading_zeros));
    forms.push(x_beyond_the_field());
    forms
}

fn coordinate(key: &Key, name: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD
        .decode(key.jwk[name].as_str().unwrap())
        .unwrap()
}

fn without_leading_zeros(algorithm: &'static str) -> Form {
    let key = std::iter::repeat_with(|| Key::generate(algorithm))
        .find(|key| coordinate(key, "x")[0] == 0)
        .unwrap();
    let x = encode(&coordinate(&key, "x")[1..]);
    let jwk = changed(&key.jwk, json!({"x": x}));
    Form::of_one(
        format!("`x` without its leading zero octet, {algorithm}"),
        &jwk,
        &key,
        ACCEPTED,
    )
}

/// The prime of P-521 is 2^521 - 1, and 66 octets hold larger numbers.
fn x_beyond_the_field() -> Form {
    let key = Key::generate("ES512");
    let mut x = coordinate(&key, "x");
    for octet in x.iter_mut().rev() {
        let borrows = *octet == 0;
        *octet = octet.wrapping_sub(1);
        if !borrows {
            break;
        }
    }
    x[0] |= 0x02;
    let jwk = changed(&key.jwk, json!({"x": encode(x)}));
    Form::of_one(
        "the prime of the field added to `x`, ES512",
        &jwk,
        &key,
        EMPTY,
    )
}
