//! Sets: their members, and keys beside the one that signs.

use modeler_auth_testkit::signer::{encode, jwks};
use serde_json::{Value, json};

use crate::form::{ACCEPTED, EMPTY, Form, JSON, Keys, changed, without};

pub fn forms(keys: &Keys) -> Vec<Form> {
    let (rsa, ec) = (&keys.rsa, &keys.ec);
    let token = rsa.good();
    let n = rsa.jwk["n"].as_str().unwrap();
    let beside = [
        ("an unknown type", json!({"kty": "X", "kid": "x"})),
        (
            "the type AKP",
            json!({"kty": "AKP", "kid": "x", "alg": "ML-DSA-44", "pub": encode([1; 1312])}),
        ),
        ("a key without a type", json!({"kid": "x"})),
        ("a type that is a number", json!({"kty": 5, "kid": "x"})),
        (
            "a symmetric key",
            json!({"kty": "oct", "kid": "x", "alg": "HS256", "k": encode([7; 32])}),
        ),
        (
            "the curve secp256k1",
            json!({
                "kty": "EC", "kid": "x", "crv": "secp256k1",
                // The generator of the curve.
                "x": "eb5mfvncu6xVoGKVzocLBwKb_NstzijZWfKBWxb4F5g",
                "y": "SDradyajxGVdpPv8DhEIqP0XtEimhVQZnEfQj_sQ1Lg",
            }),
        ),
        (
            "an unknown curve",
            json!({"kty": "EC", "kid": "x", "crv": "P-1", "x": "AQ", "y": "AQ"}),
        ),
        (
            "the curve Ed448",
            json!({"kty": "OKP", "kid": "x", "crv": "Ed448", "x": encode([1; 57])}),
        ),
        (
            "an RSA key without `n`",
            without(&changed(&rsa.jwk, json!({"kid": "x"})), "n"),
        ),
        (
            "an RSA key with `n` outside base64",
            changed(&rsa.jwk, json!({"kid": "x", "n": "!"})),
        ),
        (
            "a point beside the curve",
            changed(&ec.jwk, json!({"kid": "x", "y": ec.jwk["x"]})),
        ),
        (
            "an encryption key",
            changed(
                &keys.other_rsa.jwk,
                json!({"kid": "x", "use": "enc", "alg": "RSA-OAEP"}),
            ),
        ),
        ("a key that is null", json!(null)),
        ("a key that is a string", json!(n)),
        ("a key set", json!({"keys": []})),
    ];
    let mut forms: Vec<_> = beside
        .into_iter()
        .map(|(name, other)| {
            Form::new(
                format!("beside: {name}"),
                jwks(&[&other, &rsa.jwk]),
                &*token,
                ACCEPTED,
            )
        })
        .collect();
    let set = |members: Value| members.to_string();
    let good = json!([rsa.jwk]);
    forms.extend([
        Form::new("`keys` is empty", set(json!({"keys": []})), &*token, EMPTY),
        Form::new(
            "`keys` is a key",
            set(json!({"keys": rsa.jwk})),
            &*token,
            JSON,
        ),
        Form::new(
            "`keys` is an object of keys by id",
            set(json!({"keys": {"rsa": rsa.jwk}})),
            &*token,
            JSON,
        ),
        Form::new("`keys` is null", set(json!({"keys": null})), &*token, JSON),
        Form::new(
            "no `keys`",
            set(json!({"issuer": "https://issuer.example"})),
            &*token,
            JSON,
        ),
        Form::new(
            "`keys` in upper case",
            set(json!({"KEYS": good})),
            &*token,
            JSON,
        ),
        Form::new(
            "a key in place of the set",
            rsa.jwk.to_string(),
            &*token,
            JSON,
        ),
        Form::new(
            "an array in place of the set",
            good.to_string(),
            &*token,
            JSON,
        ),
        Form::new(
            "other members in the set",
            set(json!({"a": 1, "keys": good, "b": {"keys": []}})),
            &*token,
            ACCEPTED,
        ),
        Form::new(
            "a type in lower case",
            jwks(&[&changed(&rsa.jwk, json!({"kty": "rsa"}))]),
            &*token,
            EMPTY,
        ),
        Form::new(
            "no type",
            jwks(&[&without(&rsa.jwk, "kty")]),
            &*token,
            EMPTY,
        ),
        Form::new(
            "100 keys, the last signs",
            many(100, &rsa.jwk),
            &*token,
            ACCEPTED,
        ),
        Form::new(
            "101 keys, the last signs",
            many(101, &rsa.jwk),
            &*token,
            "key set: too_large",
        ),
    ]);
    forms
}

fn many(count: usize, last: &Value) -> String {
    let others = (1..count).map(|number| changed(last, json!({"kid": number.to_string()})));
    let keys: Vec<_> = others.chain([last.clone()]).collect();
    jwks(&keys.iter().collect::<Vec<_>>())
}
