//! Tokens and key sets that must be accepted, so that a validator that refuses everything fails.

use modeler_auth::{
    Issuer,
    keys::{Algorithm, StaticKeys},
    test_util::TestIssuer,
};
use modeler_auth_testkit::signer::{ISSUER, Key, claims, encode, jwks, now};
use serde_json::{Value, json};

use crate::target::Target;

#[tokio::test]
async fn tokens_that_must_be_accepted() {
    let (rsa, ec, ed) = (Key::rsa(), Key::ec(), Key::ed());
    let target = Target::new(&[&rsa, &ec, &ed]);
    let mut accepted = 0;
    for key in [&rsa, &ec, &ed] {
        let mut tokens = vec![key.good()];
        for kind in [
            "JWT",
            "jwt",
            "at+jwt",
            "AT+JWT",
            "application/at+jwt",
            "application/jwt",
        ] {
            tokens.push(key.with_header("typ", kind));
        }
        tokens.push(key.changed(|header, _| {
            header.as_object_mut().unwrap().remove("typ");
        }));
        for (name, value) in [
            ("jwk", json!({"kty": "oct"})),
            ("x5c", json!(["AA"])),
            ("x5t#S256", json!("AA")),
            ("cty", json!("json")),
            ("nonce", json!([1, {"a": null}])),
            ("zip", json!("DEF")),
        ] {
            tokens.push(key.with_header(name, value));
        }
        for (name, value) in [
            ("aud", json!(["api"])),
            ("aud", json!(["account", "api", "m2m"])),
            ("nbf", json!(now() - 10)),
            ("nbf", json!(now() + 50)),
            ("nbf", json!(0)),
            ("iat", json!(now() + 50)),
            ("iat", json!(now() - 1_000_000)),
            ("exp", json!(now() - 50)),
            ("exp", json!(Value::from(now()).as_f64().unwrap() + 1.25)),
            ("exp", json!(253_402_300_799_u64)),
            ("sub", json!("grüße 🙂 \u{0} \" \\")),
            ("jti", json!("")),
            ("azp", json!("client")),
            ("client_id", json!("client")),
            ("typ", json!("Bearer")),
            ("scope", json!(["a", "b"])),
            ("scope", json!(null)),
            ("permissions", json!({"x": [1, 2, {"deep": [[[]]]}]})),
            ("https://camunda.com/orgId", json!("x")),
            ("realm_access", json!({"roles": []})),
            ("acr", json!(1)),
            ("email_verified", json!(false)),
            ("ISS", json!("https://evil.example/")),
            ("", json!("")),
        ] {
            tokens.push(key.with_claim(name, value));
        }
        for name in ["sub", "iat", "scope"] {
            tokens.push(key.without_claim(name));
        }
        tokens.push(key.changed(|header, _| {
            header.as_object_mut().unwrap().remove("kid");
        }));
        // Escapes and white space in the JSON.
        let escaped = claims().to_string().replace("\"exp\"", " \"\\u0065xp\" ");
        tokens.push(key.token(key.header().to_string(), escaped));
        for token in tokens {
            target.accepts(&token).await;
            accepted += 1;
        }
    }
    assert!(accepted >= 60, "{accepted}");
    let good = rsa.good();
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let value = format!("{scheme} {good}");
        assert_eq!(target.status_of(&[value.as_bytes()]).await, 200);
    }
}

#[tokio::test]
async fn every_algorithm_must_be_accepted() {
    for algorithm in Algorithm::all() {
        let issuer = TestIssuer::oidc(ISSUER);
        issuer.sign_with(algorithm);
        let trusted = Issuer::oidc(ISSUER).keys(issuer.clone());
        let target = Target::trusting(trusted);
        target.accepts(&issuer.token().audience("api").sign()).await;
    }
}

/// Key sets in the forms that providers publish, with one good key.
#[tokio::test]
async fn key_sets_of_providers_must_be_understood() {
    let key = Key::rsa();
    let with = |members: Value| {
        let mut jwk = key.jwk.clone();
        jwk.as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        jwk
    };
    let mut encryption = Key::rsa().jwk;
    encryption["use"] = json!("enc");
    encryption["alg"] = json!("RSA-OAEP");
    encryption["kid"] = json!("enc");
    let certificates = json!({"x5c": ["MIIC"], "x5t": "AA", "x5t#S256": "AA"});
    let without_alg = {
        let mut jwk = with(
            json!({"use": "sig", "issuer": "https://login.microsoftonline.com/x/v2.0", "x5c": ["MIIC"]}),
        );
        jwk.as_object_mut().unwrap().remove("alg");
        jwk
    };
    for (provider, keys) in [
        (
            "Keycloak",
            vec![
                encryption.clone(),
                with(json!({"use": "sig"})),
                with(certificates.clone()),
            ],
        ),
        (
            "Keycloak with odd curves",
            vec![
                json!({"kid": "448", "kty": "OKP", "alg": "EdDSA", "use": "sig", "crv": "Ed448", "x": encode([1; 57])}),
                with(json!({"use": "sig"})),
            ],
        ),
        (
            "Auth0",
            vec![with(json!({"use": "sig", "x5c": ["MIIC"], "x5t": "AA"}))],
        ),
        (
            "Entra",
            vec![
                without_alg.clone(),
                json!({"kty": "RSA", "use": "sig", "kid": "old"}),
            ],
        ),
        (
            "Okta",
            vec![with(
                json!({"status": "ACTIVE", "created": "2026-01-01T00:00:00.000Z", "use": "sig"}),
            )],
        ),
        (
            "with key_ops",
            vec![with(json!({"key_ops": ["verify"], "ext": true}))],
        ),
    ] {
        let keys: Vec<_> = keys.iter().collect();
        let issuer = Issuer::oidc(ISSUER).keys(StaticKeys::from_jwks(jwks(&keys)));
        let target = Target::trusting(issuer);
        assert_eq!(target.status(&key.good()).await, 200, "{provider}");
    }
}
