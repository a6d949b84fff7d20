//! Tokens that choose their algorithm or contain their key.

use modeler_auth::{
    Issuer,
    keys::{Algorithm, StaticKeys},
};
use modeler_auth_testkit::signer::{ISSUER, Key, claims, encode, hmac_token, jwks};
use serde_json::json;
use tokio::net::TcpListener;

use crate::target::Target;

#[tokio::test]
async fn a1_alg_none() {
    let key = Key::rsa();
    let target = Target::new(&[&key]);
    let good = key.good();
    let old_signature = good.rsplit_once('.').unwrap().1;
    let message = |alg: &str| {
        let header = json!({"alg": alg, "kid": key.id()});
        format!(
            "{}.{}",
            encode(header.to_string()),
            encode(claims().to_string())
        )
    };
    target.refuses(&format!("{}.", message("none"))).await;
    target.refuses(&message("none")).await;
    target
        .refuses(&format!("{}.{old_signature}", message("none")))
        .await;
}

#[tokio::test]
async fn a2_alg_none_in_any_case_and_dress() {
    let key = Key::rsa();
    let target = Target::new(&[&key]);
    let cases = (0..16_u8).map(|bits| {
        let letters = "none".chars().enumerate().map(|(position, letter)| {
            if bits >> position & 1 == 1 {
                letter.to_ascii_uppercase()
            } else {
                letter
            }
        });
        letters.collect::<String>()
    });
    let dressed = ["none ", " none", "none\0", "ｎｏｎｅ", "", "null"].map(String::from);
    for alg in cases.chain(dressed) {
        let header = json!({"alg": alg, "kid": key.id()}).to_string();
        let message = format!("{}.{}", encode(header), encode(claims().to_string()));
        target.refuses(&format!("{message}.")).await;
        target.refuses(&key.with_header("alg", alg)).await;
    }
}

#[tokio::test]
async fn a3_alg_that_is_no_string() {
    let key = Key::rsa();
    let target = Target::new(&[&key]);
    for alg in [
        json!(null),
        json!(256),
        json!(["RS256"]),
        json!({"alg": "RS256"}),
        json!(true),
    ] {
        target.refuses(&key.with_header("alg", alg)).await;
    }
    let missing = key.changed(|header, _| {
        header.as_object_mut().unwrap().remove("alg");
    });
    target.refuses(&missing).await;
}

#[tokio::test]
async fn a4_hmac_with_the_public_rsa_key() {
    let key = Key::rsa();
    let target = Target::new(&[&key]);
    let jwk = key.jwk.to_string();
    let n = key.jwk["n"].as_str().unwrap();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{n}\n-----END PUBLIC KEY-----\n");
    for secret in [
        jwk.as_bytes(),
        n.as_bytes(),
        pem.as_bytes(),
        pem.trim().as_bytes(),
        b"",
        b"AQAB",
    ] {
        target.refuses(&hmac_token(secret, key.id())).await;
    }
}

#[tokio::test]
async fn a5_a_key_type_is_fixed_when_the_set_is_read() {
    // No key is tried as one key type and then as another.
    for jwk in [
        json!({"kty": "RSA", "k": "AAAA"}),
        json!({"kty": " RSA", "n": "AQAB", "e": "AQAB"}),
        json!({"kty": "rsa", "n": "AQAB", "e": "AQAB"}),
    ] {
        let issuer = Issuer::oidc(ISSUER).audience("api");
        let issuer = issuer.keys(StaticKeys::from_jwks(jwks(&[&jwk])));
        let built = modeler_auth::TokenValidator::builder()
            .issuer(issuer)
            .build();
        assert!(built.is_err(), "{jwk}");
    }
}

#[tokio::test]
async fn a6_hmac_with_the_public_ec_key() {
    let key = Key::ec();
    let target = Target::new(&[&key]);
    let (x, y) = (
        key.jwk["x"].as_str().unwrap(),
        key.jwk["y"].as_str().unwrap(),
    );
    for secret in [x.to_owned(), format!("{x}{y}"), key.jwk.to_string()] {
        target
            .refuses(&hmac_token(secret.as_bytes(), key.id()))
            .await;
    }
}

#[tokio::test]
async fn a7_a_key_without_alg_does_not_let_the_token_choose() {
    let mut key = Key::rsa();
    key.jwk.as_object_mut().unwrap().remove("alg");
    let target = Target::new(&[&key]);
    target.accepts(&key.good()).await;
    for other in ["PS256", "RS512", "HS256", "RS384"] {
        let header = json!({"alg": other, "kid": key.id()}).to_string();
        let message = format!("{}.{}", encode(header), encode(claims().to_string()));
        let signature = encode(key.sign_as(message.as_bytes(), other));
        target.refuses(&format!("{message}.{signature}")).await;
    }
}

#[tokio::test]
async fn a8_rs256_for_a_ps256_key_and_back() {
    for (of_key, of_token) in [("PS256", "RS256"), ("RS256", "PS256")] {
        let mut key = Key::rsa();
        key.jwk["alg"] = json!(of_key);
        let target = Target::new(&[&key]);
        for claimed in [of_key, of_token] {
            let header = json!({"alg": claimed, "kid": key.id()}).to_string();
            let message = format!("{}.{}", encode(header), encode(claims().to_string()));
            let signature = encode(key.sign_as(message.as_bytes(), of_token));
            target.refuses(&format!("{message}.{signature}")).await;
        }
    }
}

#[tokio::test]
async fn a9_a_keys_own_alg_does_not_get_it_past_the_list() {
    let (allowed, other) = (Key::ec(), Key::ec384());
    let keys = StaticKeys::from_jwks(jwks(&[&allowed.jwk, &other.jwk]));
    let issuer = Issuer::oidc(ISSUER).keys(keys);
    let target = Target::trusting(issuer.algorithms([Algorithm::Es256]));
    target.accepts(&allowed.good()).await;
    target.refuses(&other.good()).await;
}

#[tokio::test]
async fn a10_a_curve_that_is_not_the_algorithms() {
    let key = Key::ec384();
    let target = Target::new(&[&key]);
    target.accepts(&key.good()).await;
    target.refuses(&key.with_header("alg", "ES256")).await;
    target.refuses(&key.with_header("alg", "ES512")).await;
}

#[tokio::test]
async fn a11_a_key_in_the_header() {
    let (key, mut attacker) = (Key::rsa(), Key::rsa());
    let target = Target::new(&[&key]);
    let jwk = attacker.jwk.clone();
    target
        .refuses(&attacker.with_header("jwk", jwk.clone()))
        .await;
    attacker.jwk["kid"] = json!("of the attacker");
    target
        .refuses(&attacker.with_header("jwk", jwk.clone()))
        .await;
    // A good token with this member is accepted, since the member is ignored.
    target.accepts(&key.with_header("jwk", jwk)).await;
}

#[tokio::test]
async fn a12_a_url_of_keys_in_the_header() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    let (key, attacker) = (Key::rsa(), Key::rsa());
    let target = Target::new(&[&key]);
    for name in ["jku", "x5u"] {
        for url in [
            url.as_str(),
            "http://169.254.169.254/",
            "file:///etc/passwd",
        ] {
            target.refuses(&attacker.with_header(name, url)).await;
            target.accepts(&key.with_header(name, url)).await;
        }
    }
    let connection = tokio::time::timeout(std::time::Duration::from_millis(50), listener.accept());
    assert!(connection.await.is_err(), "somebody came");
}

#[tokio::test]
async fn a13_a_certificate_chain_in_the_header() {
    let (key, attacker) = (Key::rsa(), Key::rsa());
    let target = Target::new(&[&key]);
    let certificate = {
        let pair = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(["issuer.example".to_owned()]).unwrap();
        let der = params.self_signed(&pair).unwrap().der().to_vec();
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der)
    };
    let chain = attacker.changed(|header, _| {
        header["x5c"] = json!([certificate]);
        header["x5t"] = json!("AAAA");
    });
    target.refuses(&chain).await;
}
