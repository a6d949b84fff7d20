//! Keys of each algorithm, and the member `alg`.

use modeler_auth_testkit::signer::{Key, encode, hmac_token, jwks};
use serde_json::json;

use crate::form::{ACCEPTED, EMPTY, Form, Keys, changed, without};

pub fn forms(keys: &Keys) -> Vec<Form> {
    let mut forms: Vec<_> = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    ]
    .map(|algorithm| {
        let key = Key::generate(algorithm);
        Form::of_one(format!("plain, {algorithm}"), &key.jwk, &key, ACCEPTED)
    })
    .into();
    let (rsa, ec, ed) = (&keys.rsa, &keys.ec, &keys.ed);
    let unlabelled_rsa = without(&rsa.jwk, "alg");
    let ps256 = Key::generate("PS256");
    forms.extend([
        Form::new(
            "`alg` of key and token is `Ed25519`",
            jwks(&[&changed(&ed.jwk, json!({"alg": "Ed25519"}))]),
            ed.with_header("alg", "Ed25519"),
            ACCEPTED,
        ),
        Form::of_one(
            "`alg` is `Ed25519`, that of the token is `EdDSA`",
            &changed(&ed.jwk, json!({"alg": "Ed25519"})),
            ed,
            ACCEPTED,
        ),
        Form::of_one("no `alg`, RS256", &unlabelled_rsa, rsa, ACCEPTED),
        Form::of_one(
            "no `alg`, PS256",
            &without(&ps256.jwk, "alg"),
            &ps256,
            "unsupported_algorithm",
        ),
        Form::of_one(
            "`alg` is null, RS256",
            &changed(&rsa.jwk, json!({"alg": null})),
            rsa,
            ACCEPTED,
        ),
        Form::of_one(
            "`alg` is null, ES256",
            &changed(&ec.jwk, json!({"alg": null})),
            ec,
            ACCEPTED,
        ),
        Form::of_one(
            "`alg` is empty",
            &changed(&ec.jwk, json!({"alg": ""})),
            ec,
            EMPTY,
        ),
        Form::of_one(
            "`alg` is a number",
            &changed(&ec.jwk, json!({"alg": 5})),
            ec,
            EMPTY,
        ),
        Form::of_one(
            "`alg` is another one of the type",
            &changed(&rsa.jwk, json!({"alg": "RS384"})),
            rsa,
            "unsupported_algorithm",
        ),
        Form::of_one(
            "`alg` in lower case",
            &changed(&rsa.jwk, json!({"alg": "rs256"})),
            rsa,
            EMPTY,
        ),
        Form::of_one(
            "`alg` of another type",
            &changed(&ec.jwk, json!({"alg": "RS256"})),
            ec,
            EMPTY,
        ),
        Form::of_one(
            "`alg` of another curve",
            &changed(&ec.jwk, json!({"alg": "ES384"})),
            ec,
            EMPTY,
        ),
        Form::of_one(
            "`alg` of encryption",
            &changed(&rsa.jwk, json!({"alg": "RSA-OAEP"})),
            rsa,
            EMPTY,
        ),
        Form::of_one(
            "`alg` of encryption, `use` of signatures",
            &changed(&rsa.jwk, json!({"alg": "RSA-OAEP", "use": "sig"})),
            rsa,
            EMPTY,
        ),
        Form::new(
            "a symmetric key signs",
            jwks(&[
                &json!({"kty": "oct", "kid": "oct", "alg": "HS256", "k": encode([7; 32])}),
                &rsa.jwk,
            ]),
            hmac_token(&[7; 32], "oct"),
            "unsupported_algorithm",
        ),
    ]);
    forms
}
