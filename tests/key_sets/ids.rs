//! Key ids of keys and of tokens.

use modeler_auth_testkit::signer::{Key, jwks};
use serde_json::{Value, json};

use crate::form::{ACCEPTED, EMPTY, Form, Keys, changed, without};

pub fn forms(keys: &Keys) -> Vec<Form> {
    let (rsa, other, ec) = (&keys.rsa, &keys.other_rsa, &keys.ec);
    let unnamed_token = rsa.changed(|header, _| {
        header.as_object_mut().unwrap().remove("kid");
    });
    let unnamed_key = without(&rsa.jwk, "kid");
    let named = |kid: Value| changed(&rsa.jwk, json!({"kid": kid}));
    let token = |kid: &str| rsa.with_header("kid", kid);
    let mut forms = vec![
        Form::new(
            "no `kid` in the token",
            jwks(&[&rsa.jwk]),
            &*unnamed_token,
            ACCEPTED,
        ),
        Form::new(
            "no `kid` in the token, a key of another type",
            jwks(&[&ec.jwk, &rsa.jwk]),
            &*unnamed_token,
            ACCEPTED,
        ),
        Form::new(
            "no `kid` in the token, two keys fit",
            jwks(&[&other.jwk, &rsa.jwk]),
            &*unnamed_token,
            "ambiguous_key",
        ),
        Form::new(
            "no `kid` in the key",
            jwks(&[&unnamed_key]),
            rsa.good(),
            "unknown_key",
        ),
        Form::new(
            "no `kid` in key and token",
            jwks(&[&unnamed_key]),
            &*unnamed_token,
            ACCEPTED,
        ),
        Form::new(
            "`kid` is null",
            jwks(&[&named(json!(null))]),
            &*unnamed_token,
            ACCEPTED,
        ),
        Form::new(
            "`kid` is a number",
            jwks(&[&named(json!(5))]),
            token("5"),
            EMPTY,
        ),
        Form::new(
            "`kid` is a number in one key of two",
            jwks(&[&changed(&ec.jwk, json!({"kid": 5})), &rsa.jwk]),
            rsa.good(),
            ACCEPTED,
        ),
        Form::new(
            "`kid` is empty in the key",
            jwks(&[&named(json!(""))]),
            rsa.good(),
            "unknown_key",
        ),
        Form::new(
            "`kid` is empty in key and token",
            jwks(&[&named(json!(""))]),
            token(""),
            ACCEPTED,
        ),
        Form::new(
            "`kid` is empty in the key and absent in the token",
            jwks(&[&named(json!(""))]),
            &*unnamed_token,
            ACCEPTED,
        ),
        Form::new(
            "`kid` in another case",
            jwks(&[&named(json!("RSA"))]),
            rsa.good(),
            "unknown_key",
        ),
        Form::new(
            "a space after `kid`",
            jwks(&[&named(json!("rsa "))]),
            rsa.good(),
            "unknown_key",
        ),
        Form::new(
            "`kid` with characters outside ASCII",
            jwks(&[&named(json!("schlüssel"))]),
            token("schlüssel"),
            ACCEPTED,
        ),
        Form::new(
            "`kid` of 256 bytes",
            jwks(&[&named(json!("k".repeat(256)))]),
            token(&"k".repeat(256)),
            ACCEPTED,
        ),
        Form::new(
            "`kid` of 257 bytes",
            jwks(&[&named(json!("k".repeat(257)))]),
            token(&"k".repeat(257)),
            "malformed_header",
        ),
        Form::new(
            "`kid` of 100,000 bytes beside",
            jwks(&[
                &changed(&ec.jwk, json!({"kid": "k".repeat(100_000)})),
                &rsa.jwk,
            ]),
            rsa.good(),
            ACCEPTED,
        ),
    ];
    forms.extend(of_one_id(keys));
    forms
}

/// Several keys with the id of the key that signs.
fn of_one_id(keys: &Keys) -> Vec<Form> {
    let (rsa, other) = (&keys.rsa, &keys.other_rsa);
    let ec = changed(&keys.ec.jwk, json!({"kid": rsa.id()}));
    let six = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
        .map(|algorithm| Key::generate(algorithm).with_id("one"));
    let six_jwks = six.each_ref().map(|key| &key.jwk);
    let with_others = |count: usize| {
        let others = (0..count).map(|_| &other.jwk);
        jwks(&others.chain([&rsa.jwk]).collect::<Vec<_>>())
    };
    vec![
        Form::new(
            "two types with one `kid`",
            jwks(&[&ec, &rsa.jwk]),
            rsa.good(),
            ACCEPTED,
        ),
        Form::new(
            "six algorithms with one `kid`, the first",
            jwks(&six_jwks),
            six[0].good(),
            ACCEPTED,
        ),
        Form::new(
            "six algorithms with one `kid`, the last",
            jwks(&six_jwks),
            six[5].good(),
            ACCEPTED,
        ),
        Form::new(
            "two keys with one `kid` and one algorithm",
            with_others(1),
            rsa.good(),
            ACCEPTED,
        ),
        Form::new(
            "the fourth of four keys with one `kid` and one algorithm",
            with_others(3),
            rsa.good(),
            ACCEPTED,
        ),
        Form::new(
            "the fifth of five keys with one `kid` and one algorithm",
            with_others(4),
            rsa.good(),
            "bad_signature",
        ),
        Form::new(
            "one key twice",
            jwks(&[&rsa.jwk, &rsa.jwk]),
            rsa.good(),
            ACCEPTED,
        ),
        Form::new(
            "only another key with the `kid`",
            jwks(&[&other.jwk]),
            rsa.good(),
            "bad_signature",
        ),
    ]
}
