//! Genuine tokens that must be rejected: bound to another sender, or revoked.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{body::Body, http::Request};
use modeler_auth::{
    Claims, Issuer, TokenValidator,
    auth::RequestView,
    issuer::{RevocationList, SenderConstraintError, TokenIdentity},
    keys::StaticKeys,
};
use modeler_auth_testkit::signer::{ISSUER, Key, encode, jwks, now};
use serde_json::{Value, json};

use crate::target::Target;

const METHOD: &str = "x5t#S256";

fn trusted(key: &Key) -> Issuer {
    let keys = StaticKeys::from_jwks(jwks(&[&key.jwk]));
    Issuer::oidc(ISSUER).keys(keys)
}

/// Confirms the sender by a header that a proxy sets.
fn by_thumbprint(claims: &Claims, request: &RequestView<'_>) -> Result<(), SenderConstraintError> {
    let expected = claims.get::<String>(&["cnf", METHOD]).ok().flatten();
    let found = request.headers().get("x-thumbprint");
    match (expected, found) {
        (Some(expected), Some(found)) if found.as_bytes() == expected.as_bytes() => Ok(()),
        _ => Err(SenderConstraintError::new("another certificate")),
    }
}

async fn status(target: &Target, token: &str, thumbprint: &str) -> u16 {
    let request = Request::get("/")
        .header("authorization", format!("Bearer {token}"))
        .header("x-thumbprint", thumbprint)
        .body(Body::empty())
        .unwrap();
    let response = target.send(request).await;
    response.status().as_u16()
}

#[tokio::test]
async fn r39_a_bound_token_is_accepted_from_its_sender_only() {
    let key = Key::ed();
    let target = Target::trusting(trusted(&key).sender_constraint(METHOD, by_thumbprint));
    let bound = key.with_claim("cnf", json!({METHOD: "mine"}));
    // The second request uses the token cache.
    for _ in 0..2 {
        assert_eq!(status(&target, &bound, "mine").await, 200);
        assert_eq!(status(&target, &bound, "stolen").await, 401);
        assert_eq!(status(&target, &bound, "").await, 401);
    }
    assert_eq!(status(&target, &key.good(), "whatever").await, 200);
    for unknown in [
        json!({METHOD: "mine", "jkt": "x"}),
        json!({"jkt": "x"}),
        json!({"x5t": "mine"}),
        json!({}),
        json!("mine"),
        json!(null),
        json!([METHOD]),
        json!({METHOD: 5}),
    ] {
        let token = key.with_claim("cnf", unknown.clone());
        assert_eq!(status(&target, &token, "mine").await, 401, "{unknown}");
    }
    let error = target.validator.validate(&bound).await.unwrap_err();
    assert_eq!(error.reason(), "unconfirmed", "there is no request");
}

#[tokio::test]
async fn r38_dpop_cannot_be_confirmed_for_a_bearer_token() {
    let key = Key::ed();
    let confirm = |_: &Claims, _: &RequestView<'_>| Ok::<_, SenderConstraintError>(());
    let issuer = trusted(&key)
        .audience("api")
        .sender_constraint("jkt", confirm);
    let built = TokenValidator::builder().issuer(issuer).build();
    assert!(built.unwrap_err().to_string().contains("jkt"));
}

#[tokio::test]
async fn r49_withdrawn_tokens_are_known_by_what_they_say_and_not_by_their_text() {
    let key = Key::ed();
    let list = Arc::new(RevocationList::default());
    let target = Target::trusting(trusted(&key).revocation(Arc::clone(&list)));
    let token = |change: fn(&mut Value)| {
        key.changed(|_, claims| {
            claims["jti"] = json!("1");
            claims["azp"] = json!("client");
            change(claims);
        })
    };
    let plain = token(|_| {});
    target.accepts(&plain).await;
    list.revoke_token("https://other.example/", "1");
    list.revoke_token(ISSUER, "2");
    target.accepts(&plain).await;
    list.revoke_token(ISSUER, "1");
    target.refuses(&plain).await;
    let error = target.validator.validate(&plain).await.unwrap_err();
    assert_eq!(error.reason(), "revoked");
    target
        .accepts(&token(|claims| claims["jti"] = json!("3")))
        .await;
    target.accepts(&key.good()).await;

    // The clock of an issuer may be up to 60 s ahead.
    let at = now() - 100;
    let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(at);
    let older = |claims: &mut Value| {
        claims["jti"] = json!("4");
        claims["iat"] = json!(now() - 50);
    };
    let younger = |claims: &mut Value| {
        claims["jti"] = json!("4");
        claims["iat"] = json!(now() - 30);
    };
    let undated = |claims: &mut Value| {
        claims["jti"] = json!("4");
        claims.as_object_mut().unwrap().remove("iat");
    };
    for (revoke, spare) in [
        (
            RevocationList::revoke_subject as fn(&RevocationList, &str, &str, SystemTime),
            "someone",
        ),
        (RevocationList::revoke_client, "client"),
    ] {
        list.clear();
        target.accepts(&token(older)).await;
        revoke(&list, ISSUER, spare, moment);
        // A revocation with an earlier time does not replace one with a later time.
        revoke(&list, ISSUER, spare, SystemTime::UNIX_EPOCH);
        target.refuses(&token(older)).await;
        target.refuses(&token(undated)).await;
        target.accepts(&token(younger)).await;
        let issued = |iat: u64| {
            key.changed(|_, claims| {
                claims["azp"] = json!("client");
                claims["iat"] = json!(iat);
            })
        };
        list.clear();
        revoke(&list, ISSUER, spare, moment);
        target.refuses(&issued(at + 59)).await;
        target.accepts(&issued(at + 60)).await;
        // A revocation as of now also covers tokens from an issuer whose clock is ahead.
        list.clear();
        let ahead = issued(now() + 50);
        target.accepts(&ahead).await;
        revoke(&list, ISSUER, spare, SystemTime::now());
        target.refuses(&ahead).await;
    }
}

#[tokio::test]
async fn a25_another_form_of_a_signature_does_not_bring_a_withdrawn_token_back() {
    let key = Key::ec();
    let list = Arc::new(RevocationList::default());
    let target = Target::trusting(trusted(&key).revocation(Arc::clone(&list)));
    let token = key.with_claim("jti", "1");
    let (message, text) = token.rsplit_once('.').unwrap();
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let signature = base64::Engine::decode(&engine, text).unwrap();
    let (r, s) = signature.split_at(32);
    let twin = format!("{message}.{}", encode([r, &order_minus(s)].concat()));
    assert_ne!(twin, token);
    // Both are signatures of the same text by the same key.
    target.accepts(&token).await;
    target.accepts(&twin).await;
    list.revoke_token(ISSUER, "1");
    target.refuses(&token).await;
    target.refuses(&twin).await;
}

/// `n - s`, where n is the order of P-256.
fn order_minus(s: &[u8]) -> Vec<u8> {
    let order = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let mut borrow = 0;
    let mut digits: Vec<u8> = order
        .iter()
        .zip(s)
        .rev()
        .map(|(n, s): (&u8, &u8)| {
            let difference = i16::from(*n) - i16::from(*s) - borrow;
            borrow = i16::from(difference < 0);
            u8::try_from(difference.rem_euclid(256)).unwrap()
        })
        .collect();
    digits.reverse();
    digits
}

#[tokio::test]
async fn a_closure_may_say_what_is_withdrawn() {
    let key = Key::ed();
    let issuer = trusted(&key).revocation(|token: &TokenIdentity<'_>| {
        token.issuer() == ISSUER && token.subject() == Some("someone")
    });
    let target = Target::trusting(issuer);
    target.refuses(&key.good()).await;
    target
        .accepts(&key.with_claim("sub", "somebody else"))
        .await;
}
