//! Tokens with hostile key ids, and keys that must not verify.

use modeler_auth::{Issuer, TokenValidator, keys::StaticKeys};
use modeler_auth_testkit::signer::{ISSUER, Key, encode, hmac_token, jwks};
use serde_json::{Value, json};

use crate::target::Target;

/// Whether building fails, since the key set has no other key.
fn unusable(jwk: &Value) -> bool {
    let issuer = Issuer::oidc(ISSUER).audience("api");
    let issuer = issuer.keys(StaticKeys::from_jwks(jwks(&[jwk])));
    TokenValidator::builder().issuer(issuer).build().is_err()
}

#[tokio::test]
async fn a14_key_ids_that_mean_something_elsewhere() {
    let key = Key::rsa();
    let target = Target::new(&[&key]);
    for id in [
        "../../dev/null",
        "' OR 1=1 --",
        "*)(uid=*",
        "rsa\r\nX: y",
        "rsa\0",
        "🔑",
        "RSA",
        "rsa ",
        &"k".repeat(257),
        &"k".repeat(10_000),
    ] {
        target.refuses(&key.with_header("kid", id)).await;
    }
}

#[tokio::test]
async fn a15_a_key_id_that_is_no_string() {
    let key = Key::rsa();
    let target = Target::new(&[&key]);
    for id in [
        json!(5),
        json!(["rsa"]),
        json!(null),
        json!({"kid": "rsa"}),
        json!(false),
    ] {
        target.refuses(&key.with_header("kid", id)).await;
    }
}

#[tokio::test]
async fn a16_an_empty_or_missing_key_id_is_no_wildcard() {
    let (key, mut other) = (Key::rsa(), Key::rsa());
    other.jwk["kid"] = json!("other");
    let target = Target::new(&[&key, &other]);
    target.refuses(&key.with_header("kid", "")).await;
    let without = key.changed(|header, _| {
        header.as_object_mut().unwrap().remove("kid");
    });
    target.refuses(&without).await;
    // With only one suitable key, the choice is unambiguous.
    let alone = Target::new(&[&key, &Key::ec()]);
    alone.accepts(&without).await;
    alone.refuses(&key.with_header("kid", "")).await;
}

#[tokio::test]
async fn a17_the_key_for_encryption() {
    let (mut encryption, key) = (Key::rsa(), Key::ec());
    encryption.jwk["use"] = json!("enc");
    let target = Target::new(&[&encryption, &key]);
    target.refuses(&encryption.good()).await;
    encryption.jwk["alg"] = json!("RSA-OAEP");
    let target = Target::new(&[&encryption, &key]);
    target.refuses(&encryption.good()).await;
    target.accepts(&key.good()).await;
}

#[tokio::test]
async fn a18_a_key_that_is_not_for_verifying() {
    for operations in [json!(["sign"]), json!(["encrypt", "wrapKey"])] {
        let mut key = Key::rsa();
        key.jwk["key_ops"] = operations;
        assert!(unusable(&key.jwk));
    }
    // An empty list sets no restriction: Nimbus 10.3 also uses the key.
    let mut key = Key::rsa();
    key.jwk["key_ops"] = json!([]);
    Target::new(&[&key]).accepts(&key.good()).await;
}

#[tokio::test]
async fn a19_symmetric_keys_in_the_key_set() {
    let key = Key::rsa();
    for secret in ["", "AA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let symmetric = json!({"kty": "oct", "kid": "oct", "k": secret, "alg": "HS256"});
        let keys = StaticKeys::from_jwks(jwks(&[&symmetric, &key.jwk]));
        let target = Target::trusting(Issuer::oidc(ISSUER).keys(keys));
        target.refuses(&hmac_token(secret.as_bytes(), "oct")).await;
        target.refuses(&hmac_token(&[0; 32], "oct")).await;
        target.accepts(&key.good()).await;
    }
}

#[tokio::test]
async fn a20_weak_rsa_keys() {
    let modulus = |bytes: usize| encode([&vec![0xc1; bytes - 1], &[1][..]].concat());
    for (n, e) in [
        (modulus(128), "AQAB"),
        (modulus(255), "AQAB"),
        (modulus(1025), "AQAB"),
        (modulus(256), "AQ"),
        (modulus(256), "Ag"),
        (modulus(256), ""),
        (String::new(), "AQAB"),
        ("AQ".to_owned(), "AQ"),
    ] {
        assert!(
            unusable(&json!({"kty": "RSA", "kid": "rsa", "n": n, "e": e})),
            "{n} {e}"
        );
    }
}

#[tokio::test]
async fn a21_points_that_are_not_on_the_curve() {
    let key = Key::ec();
    for (name, value) in [
        ("x", encode([0; 32])),
        ("y", encode([0xff; 32])),
        ("x", encode([1; 31])),
        ("y", encode([1; 33])),
        ("crv", "P-384".to_owned()),
    ] {
        let mut jwk = key.jwk.clone();
        jwk[name] = json!(value);
        assert!(unusable(&jwk), "{jwk}");
    }
}

#[tokio::test]
async fn a49_the_right_issuer_with_the_key_of_another() {
    let (mut a, mut b) = (Key::rsa(), Key::rsa());
    // Both key sets use the same key id.
    a.jwk["kid"] = json!("1");
    b.jwk["kid"] = json!("1");
    let issuer = |name: &str, key: &Key| {
        let keys = StaticKeys::from_jwks(jwks(&[&key.jwk]));
        Issuer::oidc(name).audience("api").keys(keys)
    };
    let validator = TokenValidator::builder()
        .issuer(issuer(ISSUER, &a))
        .issuer(issuer("https://other.example/", &b))
        .build();
    let target = Target::of(validator.unwrap());
    target.accepts(&a.good()).await;
    target
        .accepts(&b.with_claim("iss", "https://other.example/"))
        .await;
    target.refuses(&b.good()).await;
    target
        .refuses(&a.with_claim("iss", "https://other.example/"))
        .await;
}
