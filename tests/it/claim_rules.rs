//! Permissions by rules about claims, through a validator.

use axum::{Router, routing::get as get_route};
use modeler_auth::{
    Access, AuthError, AuthLayer, Permission, Permissions,
    camunda::{ClaimRule, ClaimRules},
    test_util::TestIssuer,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;

use crate::{
    log::Log,
    support::{get, validator},
};

const READ: [Permission; 1] = [Permission::Read];

async fn access_at(name: &str, rules: ClaimRules, claims: &Value) -> Result<Access, AuthError> {
    let issuer = TestIssuer::oidc(name);
    let trusted = issuer.issuer().map_claims(rules);
    let mut token = issuer.token();
    for (name, value) in claims.as_object().unwrap() {
        token = token.claim(name, value);
    }
    validator([trusted]).validate(&token.sign()).await
}

async fn access(rules: ClaimRules, claims: &Value) -> Result<Access, AuthError> {
    access_at("https://login.example", rules, claims).await
}

async fn permissions(rules: ClaimRules, claims: &Value) -> Option<Permissions> {
    let access = access(rules, claims).await.ok()?;
    Some(access.permissions())
}

fn reading() -> Permissions {
    READ.into_iter().collect()
}

#[tokio::test]
async fn equals_needs_exactly_this_text() {
    let rules = || ClaimRules::new([ClaimRule::equals(["a", "b.c"], "x").grants(READ)]).unwrap();
    let fits = json!({"a": {"b.c": "x"}});
    assert_eq!(permissions(rules(), &fits).await, Some(reading()));
    for other in [
        json!({}),
        json!({"a": {}}),
        json!({"a": {"b": {"c": "x"}}}),
        json!({"a.b.c": "x"}),
        json!({"a": {"b.c": "X"}}),
        json!({"a": {"b.c": "x "}}),
        json!({"a": {"b.c": "x x"}}),
        json!({"a": {"b.c": ""}}),
    ] {
        assert_eq!(
            permissions(rules(), &other).await,
            Some(Permissions::NONE),
            "{other}"
        );
    }
    for wrong in [json!(1), json!(["x"]), json!({"x": true}), json!(true)] {
        let wrong = json!({"a": {"b.c": wrong}});
        let error = access(rules(), &wrong).await.unwrap_err();
        assert_eq!(error.reason(), "claims_refused", "{wrong}");
    }
    let error = access(rules(), &json!({"a": "x"})).await.unwrap_err();
    assert_eq!(error.reason(), "claims_refused");
}

#[tokio::test]
async fn contains_needs_an_entry_or_a_word() {
    let rules = || ClaimRules::new([ClaimRule::contains(["groups"], "x y").grants(READ)]).unwrap();
    for fits in [json!(["x y"]), json!(["a", "x y"])] {
        let fits = json!({ "groups": fits });
        assert_eq!(permissions(rules(), &fits).await, Some(reading()), "{fits}");
    }
    // A value with a space is no word.
    for other in [json!("x y"), json!([]), json!(["x", "y"]), json!(["X Y"])] {
        let other = json!({ "groups": other });
        assert_eq!(
            permissions(rules(), &other).await,
            Some(Permissions::NONE),
            "{other}"
        );
    }
    let words = || ClaimRules::new([ClaimRule::contains(["scope"], "read").grants(READ)]).unwrap();
    for (scope, expected) in [
        ("read", reading()),
        ("a read b", reading()),
        ("reader", Permissions::NONE),
        ("a,read", Permissions::NONE),
        ("", Permissions::NONE),
    ] {
        let claims = json!({ "scope": scope });
        assert_eq!(
            permissions(words(), &claims).await,
            Some(expected),
            "{scope}"
        );
    }
    for wrong in [
        json!(1),
        json!([1]),
        json!(["x y", 1]),
        json!({"x y": 1}),
        json!([["x y"]]),
    ] {
        let wrong = json!({ "groups": wrong });
        assert!(access(rules(), &wrong).await.is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn grants_add_up_and_no_rule_grants_nothing() {
    let rules = || {
        ClaimRules::new([
            ClaimRule::contains(["groups"], "a").grants(READ),
            ClaimRule::contains(["groups"], "b").grants([Permission::Create, Permission::Delete]),
        ])
        .unwrap()
    };
    let both = permissions(rules(), &json!({"groups": ["a", "b"]}))
        .await
        .unwrap();
    let expected = [Permission::Create, Permission::Read, Permission::Delete];
    assert_eq!(both, expected.into_iter().collect());
    let none = permissions(rules(), &json!({"groups": ["c"]})).await;
    assert_eq!(none, Some(Permissions::NONE));
    let claims = json!({"groups": ["a"], "permissions": {"test": ["create:*"]}});
    assert_eq!(permissions(rules(), &claims).await, Some(reading()));
    let empty = ClaimRules::new([]).unwrap();
    assert_eq!(
        permissions(empty, &json!({"groups": ["a"]})).await,
        Some(Permissions::NONE)
    );
}

#[tokio::test]
async fn the_organization_is_fixed_or_that_of_a_claim() {
    let rules = || ClaimRules::new([]).unwrap();
    let organization = async |rules, claims| {
        let access = access(rules, &claims).await?;
        Ok::<_, AuthError>(access.organization().unwrap().to_string())
    };
    let nil = organization(rules(), json!({})).await.unwrap();
    assert_eq!(nil, "00000000-0000-0000-0000-000000000000");
    let fixed = rules().organization("one".parse().unwrap());
    assert_eq!(
        organization(fixed, json!({"tid": "two"})).await.unwrap(),
        "one"
    );
    let claimed = || rules().organization_claim(["tid"]);
    assert_eq!(
        organization(claimed(), json!({"tid": "two"}))
            .await
            .unwrap(),
        "two"
    );
    for bad in [
        json!({}),
        json!({"tid": ""}),
        json!({"tid": "a b"}),
        json!({"tid": 1}),
        json!({"tid": ["two"]}),
    ] {
        let error = organization(claimed(), bad.clone()).await.unwrap_err();
        assert_eq!(error.reason(), "claims_refused", "{bad}");
    }
    let nameless: [&str; 0] = [];
    assert!(
        organization(rules().organization_claim(nameless), json!({}))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn version_1_tokens_of_entra_are_rejected_with_the_setting_to_change() {
    let rules = || ClaimRules::new([ClaimRule::contains(["roles"], "a").grants(READ)]).unwrap();
    let version = |version: &str| json!({"ver": version, "roles": ["a"]});
    let tenant = "https://login.microsoftonline.com/t/v2.0";
    for (issuer, claims) in [
        ("https://sts.windows.net/t/", json!({"roles": ["a"]})),
        ("https://sts.windows.net/t/", version("1.0")),
        (tenant, version("1.0")),
    ] {
        let error = access_at(issuer, rules(), &claims).await.unwrap_err();
        assert_eq!(error.reason(), "claims_refused", "{issuer}");
    }
    let issuer = TestIssuer::oidc(tenant);
    let token = issuer.token().claim("ver", "1.0").sign();
    let (log, _guard) = Log::capture(LevelFilter::INFO);
    let app = Router::new().route("/", get_route(async || ""));
    let trusted = issuer.issuer().map_claims(rules());
    let app = app.layer(AuthLayer::new(validator([trusted])));
    assert_eq!(get(&app, "/", &token).await.status, 401);
    let lines = log.text();
    let advice = "set `requestedAccessTokenVersion` to 2 in the manifest";
    assert!(lines.contains(advice), "{lines}");
    for (issuer, claims) in [
        (tenant, version("2.0")),
        ("https://login.example", version("1.0")),
    ] {
        assert!(
            access_at(issuer, rules(), &claims).await.is_ok(),
            "{issuer}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// A second reading of the rules: never a permission that no rule names for this token.
    #[test]
    fn no_token_gets_a_permission_that_no_rule_grants_it(
        rules in proptest::collection::vec(("[ab]", "[xy]{1,2}", 0_usize..4), 0..5),
        a in proptest::option::of(proptest::collection::vec("[xy]{1,2}", 0..3)),
        b in proptest::option::of("[xy]{1,2}"),
    ) {
        let made = rules.iter().map(|(claim, value, permission)| {
            let claim = [claim.as_str()];
            // `a` is an array and `b` a text, so the operators that read them are known.
            let rule = if claim == ["a"] {
                ClaimRule::contains(claim, value)
            } else {
                ClaimRule::equals(claim, value)
            };
            rule.grants([Permission::ALL[*permission]])
        });
        let mut claims = serde_json::Map::new();
        if let Some(a) = &a {
            claims.insert("a".to_owned(), json!(a));
        }
        if let Some(b) = &b {
            claims.insert("b".to_owned(), json!(b));
        }
        let expected: Permissions = rules.iter().filter(|(claim, value, _)| {
            match claim.as_str() {
                "a" => a.as_ref().is_some_and(|a| a.contains(value)),
                _ => b.as_ref() == Some(value),
            }
        }).map(|(_, _, permission)| Permission::ALL[*permission]).collect();
        let made = ClaimRules::new(made).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(permissions(made, &Value::Object(claims)));
        prop_assert_eq!(found, Some(expected));
    }
}
