//! The rule that needs a claim or a value of it.

use modeler_auth::require::{ClaimValue, RequireClaim};
use modeler_auth::{Issuer, TokenValidator, keys::StaticKeys};
use modeler_auth_testkit::signer::{ISSUER, Key, claims, jwks};
use serde_json::{Value, json};

use crate::authorization::{Rule, Service};

const NONE: [&str; 0] = [];

async fn accepts(service: &Service, rule: impl Rule, claims: Value) {
    let rejected = service.rejection(rule, &service.token(&claims)).await;
    assert_eq!(rejected, None, "{claims}");
}

/// Asserts that the rejection is 403 and names no scope.
async fn rejects(service: &Service, rule: impl Rule, claims: Value) {
    let rejected = service.rejection(rule, &service.token(&claims)).await;
    let (status, challenge) = rejected.unwrap();
    let found = (status, challenge.error(), &*challenge.needs());
    assert_eq!(found, (403, Some("insufficient_scope"), ""), "{claims}");
}

#[tokio::test]
async fn r82_a_claim_has_a_value_of_the_same_type() {
    let service = Service::new();
    let text = || RequireClaim::equals(["a"], "2");
    let integer = || RequireClaim::equals(["a"], 2);
    let truth = || RequireClaim::equals(["a"], true);
    accepts(&service, text(), json!({"a": "2"})).await;
    accepts(&service, integer(), json!({"a": 2})).await;
    accepts(&service, truth(), json!({"a": true})).await;
    for other in [
        json!("2 "),
        json!("true"),
        json!("True"),
        json!(""),
        json!(2.0),
        json!(2.5),
        json!(-2),
        json!(1),
        json!(false),
        json!(["2"]),
        json!([2]),
        json!([true]),
        json!({"2": 2}),
        json!({}),
        json!([]),
    ] {
        for rule in [text(), integer(), truth()] {
            rejects(&service, rule, json!({"a": other})).await;
        }
    }
    rejects(&service, text(), json!({"a": 2})).await;
    rejects(&service, integer(), json!({"a": "2"})).await;
    rejects(&service, truth(), json!({"a": 1})).await;
    rejects(&service, text(), json!({})).await;
}

#[tokio::test]
async fn r82_one_of_several_values_suffices() {
    let service = Service::new();
    let rule = || RequireClaim::any(["a", "b.c"], ["x".to_owned(), "y".to_owned()]);
    accepts(&service, rule(), json!({"a": {"b.c": "x"}})).await;
    accepts(&service, rule(), json!({"a": {"b.c": "y"}})).await;
    for rejected in [
        json!({"a": {"b.c": "z"}}),
        json!({"a": {"b.c": "x y"}}),
        json!({"a": {"b": {"c": "x"}}}),
        json!({"a.b.c": "x"}),
        json!({"A": {"b.c": "x"}}),
        json!({"a": "x"}),
        json!({"a": ["x"]}),
        json!({"b.c": "x"}),
    ] {
        rejects(&service, rule(), rejected).await;
    }
    let mixed = || RequireClaim::any(["a"], [ClaimValue::from("x"), true.into(), 7_i64.into()]);
    for accepted in [json!("x"), json!(true), json!(7)] {
        accepts(&service, mixed(), json!({"a": accepted})).await;
    }
    rejects(&service, mixed(), json!({"a": false})).await;
}

#[tokio::test]
async fn r82_a_claim_is_present_unless_it_is_null() {
    let service = Service::new();
    let rule = || RequireClaim::present(["act", "sub"]);
    for present in [
        json!("x"),
        json!(""),
        json!(0),
        json!(false),
        json!([]),
        json!({}),
    ] {
        accepts(&service, rule(), json!({"act": {"sub": present}})).await;
    }
    for absent in [
        json!({}),
        json!({"act": {"sub": null}}),
        json!({"act": {"Sub": "x"}}),
        json!({"act": {}}),
        json!({"act": "sub"}),
        json!({"act": [{"sub": "x"}]}),
        json!({"act.sub": "x"}),
    ] {
        rejects(&service, rule(), absent).await;
    }
}

#[tokio::test]
async fn r82_a_rule_without_a_name_or_a_value_rejects_every_request() {
    let service = Service::new();
    let claims = || json!({"a": "x"});
    rejects(&service, RequireClaim::present(NONE), claims()).await;
    rejects(&service, RequireClaim::any(NONE, ["x"]), claims()).await;
    rejects(&service, RequireClaim::any(["a"], NONE), claims()).await;
    rejects(&service, RequireClaim::present([""]), claims()).await;
}

#[tokio::test]
async fn a95_required_claims_in_disguise() {
    let key = Key::ed();
    let issuer = Issuer::oidc(ISSUER).keys(StaticKeys::from_jwks(jwks(&[&key.jwk])));
    let builder = TokenValidator::builder().issuer(issuer.audience("api"));
    let service = Service {
        validator: builder.build().unwrap(),
        ..Service::new()
    };
    let token = |members: &str| {
        let payload = claims()
            .to_string()
            .replacen('{', &format!("{{{members},"), 1);
        key.token(key.header().to_string(), payload)
    };
    let largest = || RequireClaim::equals(["n"], i64::MAX);
    let good = token("\"n\":9223372036854775807");
    assert_eq!(service.rejection(largest(), &good).await, None);
    for other in [
        "9223372036854775806",
        "9223372036854775808",
        "-9223372036854775808",
        "9223372036854775807.0",
        "9.223372036854775807e18",
        "9223372036854775807e0",
        "\"9223372036854775807\"",
        "1e300",
    ] {
        let token = token(&format!("\"n\":{other}"));
        let (status, challenge) = service.rejection(largest(), &token).await.unwrap();
        assert_eq!(
            (status, challenge.error()),
            (403, Some("insufficient_scope")),
            "{other}"
        );
    }
    let zero = || RequireClaim::equals(["n"], 0);
    for other in [
        "-0", "0.0", "0e1", "false", "\"0\"", "\"\"", "[]", "[0]", "null",
    ] {
        let token = token(&format!("\"n\":{other}"));
        assert_eq!(
            service.rejection(zero(), &token).await.unwrap().0,
            403,
            "{other}"
        );
    }
    // A token that two readers could read differently is not accepted at all.
    for twice in [
        "\"n\":0,\"n\":0",
        "\"n\":1,\"\\u006e\":0",
        "\"n\":0,\"o\":{\"n\":0,\"n\":1}",
        "\"n\":00",
        "\"n\":1e400",
    ] {
        let (status, challenge) = service.rejection(zero(), &token(twice)).await.unwrap();
        assert_eq!(
            (status, challenge.error()),
            (401, Some("invalid_token")),
            "{twice}"
        );
    }
}
