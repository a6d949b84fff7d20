//! Step-up authentication: the rule about `acr` and `auth_time`, alone and with other rules.

use std::time::Duration;

use modeler_auth::{
    Access, ConfigError, Issuer, TokenValidator,
    auth::RequestView,
    keys::StaticKeys,
    require::{Denied, PermissionRule as _, RequireAuthentication, RequireClient, RequireScope},
};
use modeler_auth_testkit::signer::{ISSUER, Key, claims, jwks};
use serde_json::{Value, json};

use crate::authorization::{Rule, Service};

/// The leeway of a validator, in seconds.
const LEEWAY: u64 = 60;

fn acr<const N: usize>(values: [&str; N]) -> RequireAuthentication {
    RequireAuthentication::new().acr_values(values).unwrap()
}

fn max_age(seconds: u64) -> RequireAuthentication {
    RequireAuthentication::new().max_age(Duration::from_secs(seconds))
}

/// Returns the status and what the client needs if `rule` rejects a token with these claims.
async fn rejected(service: &Service, rule: impl Rule, claims: &Value) -> Option<(u16, String)> {
    let (status, challenge) = service.rejection(rule, &service.token(claims)).await?;
    let error = match status {
        401 => "insufficient_user_authentication",
        403 => "insufficient_scope",
        other => panic!("{other}"),
    };
    assert_eq!(challenge.error(), Some(error));
    Some((status, challenge.needs()))
}

/// Asserts that the rejection is 401 and that the client needs `needs`.
async fn assert_challenged(service: &Service, rule: impl Rule, claims: &Value, needs: &str) {
    let rejected = rejected(service, rule, claims).await;
    assert_eq!(rejected, Some((401, needs.to_owned())), "{claims}");
}

#[tokio::test]
async fn r80_acr_is_one_of_the_accepted_values() {
    let service = Service::new();
    let rule = || acr(["urn:example:gold", "2"]);
    for accepted in ["urn:example:gold", "2"] {
        let claims = json!({"acr": accepted});
        assert_eq!(
            rejected(&service, rule(), &claims).await,
            None,
            "{accepted}"
        );
    }
    for other in [
        "1",
        "",
        "2 ",
        "22",
        "urn:example:Gold",
        "urn:example:gold 2",
    ] {
        let claims = json!({"acr": other});
        assert_challenged(&service, rule(), &claims, "acr_values=urn:example:gold 2").await;
    }
    let absent = json!({"acr": null});
    assert_challenged(&service, rule(), &absent, "acr_values=urn:example:gold 2").await;
}

#[tokio::test(start_paused = true)]
async fn r80_auth_time_is_at_most_max_age_ago_with_the_leeway_on_both_sides() {
    let service = Service::new();
    let now = service.now();
    for (auth_time, accepted) in [
        (json!(now), true),
        (json!(now - 300), true),
        (json!(now - 300 - LEEWAY), true),
        (json!(now - 300 - LEEWAY - 1), false),
        (json!(now as f64 - 360.5), false),
        (json!(now as f64 - 359.5), true),
        (json!(now + LEEWAY), true),
        (json!(now + LEEWAY + 1), false),
        (json!(now as f64 + 60.5), false),
        (json!(0), false),
        (Value::Null, false),
    ] {
        let claims = json!({"auth_time": auth_time});
        if accepted {
            assert_eq!(
                rejected(&service, max_age(300), &claims).await,
                None,
                "{claims}"
            );
        } else {
            assert_challenged(&service, max_age(300), &claims, "max_age=300").await;
        }
    }
    // Only whole seconds can be named, so the rule has no others.
    let fraction = RequireAuthentication::new().max_age(Duration::from_millis(1999));
    let late = json!({"auth_time": now - 2 - LEEWAY});
    assert_challenged(&service, fraction, &late, "max_age=1").await;
    let old = json!({"auth_time": 0});
    let forever = max_age(u64::MAX);
    assert_eq!(rejected(&service, forever, &old).await, None);
}

#[tokio::test(start_paused = true)]
async fn r80_a_token_that_is_cached_becomes_too_old() {
    let service = Service::new();
    let token = service.token(&json!({"auth_time": service.now()}));
    let late = Duration::from_secs(30 + LEEWAY);
    for _ in 0..3 {
        assert_eq!(service.rejection(max_age(30), &token).await, None);
    }
    service.clock.advance(late);
    assert_eq!(service.rejection(max_age(30), &token).await, None);
    service.clock.advance(Duration::from_secs(1));
    let (status, challenge) = service.rejection(max_age(30), &token).await.unwrap();
    assert_eq!((status, &*challenge.needs()), (401, "max_age=30"));
    // The token itself is still valid.
    assert!(service.validator.validate(&token).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn r80_one_challenge_names_acr_values_and_max_age() {
    let service = Service::new();
    let now = service.now();
    let rule = || acr(["b", "a"]).max_age(Duration::from_secs(5));
    let both = json!({"acr": "a", "auth_time": now});
    assert_eq!(rejected(&service, rule(), &both).await, None);
    for claims in [
        json!({"acr": null}),
        json!({"acr": "a"}),
        json!({"acr": "c", "auth_time": now}),
        json!({"acr": "a", "auth_time": now - 1000}),
    ] {
        assert_challenged(&service, rule(), &claims, "acr_values=b a, max_age=5").await;
    }
    // The last call counts.
    let replaced = rule().acr_values(["c"]).unwrap().max_age(Duration::ZERO);
    assert_challenged(&service, replaced, &both, "acr_values=c, max_age=0").await;
}

#[tokio::test]
async fn r80_a_rule_without_a_setting_rejects_every_request() {
    let service = Service::new();
    let claims = json!({"acr": "1", "auth_time": service.now()});
    let rejected = rejected(&service, RequireAuthentication::new(), &claims).await;
    assert_eq!(rejected, Some((403, String::new())));
}

#[tokio::test]
async fn r81_a_rejection_names_all_that_the_client_lacks_and_401_comes_first() {
    let service = Service::new();
    let (a, b) = (|| RequireScope::all(["a"]), || RequireScope::all(["b"]));
    let strong = || acr(["2"]);
    let claims = |scope: &str, acr: &str| json!({"scope": scope, "acr": acr});
    for (given, expected) in [
        (claims("a b", "2"), None),
        (claims("a b", "1"), Some((401, "acr_values=2"))),
        (claims("a", "2"), Some((403, "scope=a b"))),
        (claims("b", "2"), Some((403, "scope=a b"))),
        (claims("a", "1"), Some((401, "acr_values=2, scope=a b"))),
        (claims("", "1"), Some((401, "acr_values=2, scope=a b"))),
    ] {
        let expected = expected.map(|(status, needs)| (status, needs.to_owned()));
        for rejected in [
            rejected(&service, a().and(b()).and(strong()), &given).await,
            rejected(&service, a().and(strong()).and(b()), &given).await,
            rejected(&service, strong().and(a()).and(b()), &given).await,
            rejected(&service, a().and(strong().and(b())), &given).await,
        ] {
            assert_eq!(rejected, expected, "{given}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r81_two_rules_about_the_authentication_are_one_challenge() {
    let service = Service::new();
    let none = json!({"acr": null});
    let first = || acr(["3", "2"]).max_age(Duration::from_secs(60));
    let second = || acr(["2", "3", "1"]).max_age(Duration::from_secs(30));
    let needs = "acr_values=3 2, max_age=30";
    assert_challenged(&service, first().and(second()), &none, needs).await;
    let needs = "acr_values=3, max_age=60";
    assert_challenged(&service, acr(["3"]).and(max_age(60)), &none, needs).await;
    assert_challenged(&service, max_age(60).and(acr(["3"])), &none, needs).await;
}

#[tokio::test]
async fn r81_nobody_logs_in_again_in_vain() {
    let service = Service::new();
    let client = || RequireClient::any(["shop"]);
    let none = json!({"acr": null, "scope": ""});
    let forbidden = Some((403, String::new()));
    let strong = || acr(["2"]).and(RequireScope::all(["a"]));
    assert_eq!(
        rejected(&service, strong().and(client()), &none).await,
        forbidden
    );
    assert_eq!(
        rejected(&service, client().and(strong()), &none).await,
        forbidden
    );
}

#[tokio::test]
async fn r81_of_two_rules_the_first_that_can_be_satisfied_challenges() {
    let service = Service::new();
    let (strong, a) = (|| acr(["2"]), || RequireScope::all(["a"]));
    let client = || RequireClient::any(["shop"]);
    let none = json!({"acr": null, "scope": ""});
    assert_challenged(&service, strong().or(a()), &none, "acr_values=2").await;
    assert_challenged(&service, client().or(strong()), &none, "acr_values=2").await;
    let scope = Some((403, "scope=a".to_owned()));
    assert_eq!(rejected(&service, a().or(strong()), &none).await, scope);
    let strongly = json!({"acr": "2", "scope": ""});
    assert_eq!(rejected(&service, a().or(strong()), &strongly).await, None);
}

#[tokio::test]
async fn r80_a_function_may_ask_for_an_authentication() {
    fn only_for_deletion(access: &Access, request: &RequestView<'_>) -> Result<(), Denied> {
        if request.headers().contains_key("authorization") {
            acr(["2"]).check(access, request)?;
        }
        Ok(())
    }
    let service = Service::new();
    let weak = json!({"acr": "1"});
    assert_challenged(&service, only_for_deletion, &weak, "acr_values=2").await;
    let strong = json!({"acr": "2"});
    assert_eq!(rejected(&service, only_for_deletion, &strong).await, None);
}

#[tokio::test]
async fn a95_odd_claims_never_suffice() {
    let service = Service::new();
    for odd in [
        json!(2),
        json!(2.0),
        json!(true),
        json!(["2"]),
        json!({"2": "2"}),
        json!({"values": ["2"]}),
        json!("\u{0}2"),
        json!("2\u{200b}"),
        json!("２"),
        json!("2\"2"),
    ] {
        let claims = json!({"acr": odd});
        assert_challenged(&service, acr(["2"]), &claims, "acr_values=2").await;
    }
    let now = service.now();
    for odd in [
        json!(now.to_string()),
        json!(true),
        json!([now]),
        json!({"seconds": now}),
        json!(-1),
        json!(-0.5),
        json!(-1e300),
        json!(i64::MIN),
        json!(1e300),
        json!(u64::MAX),
        json!(i64::MAX),
        json!(now * 1000),
        json!(1e-300),
    ] {
        let claims = json!({"auth_time": odd});
        assert_challenged(&service, max_age(300), &claims, "max_age=300").await;
    }
    // Claims in another case, or elsewhere.
    for elsewhere in [
        json!({"acr": null, "ACR": "2"}),
        json!({"acr": null, "acr_values": "2"}),
        json!({"acr": null, "claims": {"acr": "2"}}),
    ] {
        assert_challenged(&service, acr(["2"]), &elsewhere, "acr_values=2").await;
    }
}

#[tokio::test]
async fn a95_a_claim_that_two_readers_could_read_differently_rejects_the_token() {
    let key = Key::ed();
    let issuer = Issuer::oidc(ISSUER).keys(StaticKeys::from_jwks(jwks(&[&key.jwk])));
    let builder = TokenValidator::builder().issuer(issuer.audience("api"));
    let service = Service {
        validator: builder.build().unwrap(),
        ..Service::new()
    };
    let now = service.now();
    let rule = || acr(["2"]).max_age(Duration::from_secs(300));
    let with = |members: &str| {
        let payload = claims()
            .to_string()
            .replacen('{', &format!("{{{members},"), 1);
        key.token(key.header().to_string(), payload)
    };
    let good = with(&format!("\"acr\":\"2\",\"auth_time\":{now}"));
    assert_eq!(service.rejection(rule(), &good).await, None);
    // Escapes are what they mean.
    let escaped = with(&format!("\"\\u0061cr\":\"\\u0032\",\"auth_time\":{now}"));
    assert_eq!(service.rejection(rule(), &escaped).await, None);
    for bad in [
        format!("\"acr\":\"2\",\"acr\":\"1\",\"auth_time\":{now}"),
        format!("\"acr\":\"1\",\"\\u0061cr\":\"2\",\"auth_time\":{now}"),
        format!("\"acr\":\"2\",\"auth_time\":{now},\"auth_time\":{now}"),
        format!("\"acr\":\"2\",\"auth_time\":0{now}"),
        format!("\"acr\":\"2\",\"auth_time\":+{now}"),
        "\"acr\":\"2\",\"auth_time\":1e400".to_owned(),
        "\"acr\":\"2\",\"auth_time\":NaN".to_owned(),
        format!("\"acr\":\"2\",\"auth_time\":{}", "9".repeat(400)),
        "\"acr\":\"\\ud800\"".to_owned(),
    ] {
        let (status, challenge) = service.rejection(rule(), &with(&bad)).await.unwrap();
        assert_eq!(
            (status, challenge.error()),
            (401, Some("invalid_token")),
            "{bad}"
        );
    }
    for weak in [
        format!("\"acr\":\"2\",\"auth_time\":1{}", "0".repeat(300)),
        format!("\"acr\":\"2\",\"auth_time\":-{now}"),
        "\"acr\":\"2\",\"auth_time\":-0".to_owned(),
        "\"acr\":\"2\",\"auth_time\":0.0000001".to_owned(),
    ] {
        let (status, challenge) = service.rejection(rule(), &with(&weak)).await.unwrap();
        let needs = challenge.needs();
        assert_eq!(
            (status, &*needs),
            (401, "acr_values=2, max_age=300"),
            "{weak}"
        );
    }
}

#[test]
fn a96_a_value_that_a_challenge_cannot_name_is_an_error_of_the_configuration() {
    for bad in [
        "",
        " ",
        "two words",
        "a\"b",
        "\"",
        "a\\b",
        "\\",
        "a\tb",
        "a\r\nb",
        "a\u{0}",
        "\u{7f}",
        "ä",
        "２",
        "a\u{200b}",
    ] {
        let error = RequireAuthentication::new()
            .acr_values(["1", bad])
            .unwrap_err();
        let text = error.to_string();
        assert!(
            matches!(error, ConfigError::InvalidAcrValue { .. }),
            "{text}"
        );
        let says = ["acr_values", bad, "visible ASCII"];
        assert!(says.iter().all(|words| text.contains(words)), "{text}");
    }
    let none: [&str; 0] = [];
    let error = RequireAuthentication::new().acr_values(none).unwrap_err();
    assert!(error.to_string().contains("at least one"), "{error}");
    let most: String = ('!'..='~').filter(|it| !['"', '\\'].contains(it)).collect();
    assert!(RequireAuthentication::new().acr_values([most]).is_ok());
}

#[tokio::test]
async fn a96_every_value_that_is_accepted_is_named_as_it_is() {
    let service = Service::new();
    let most: String = ('!'..='~').filter(|it| !['"', '\\'].contains(it)).collect();
    let rule = acr(["a,b=c;d", &most, "https://refeds.org/profile/mfa"]);
    let needs = format!("acr_values=a,b=c;d {most} https://refeds.org/profile/mfa");
    assert_challenged(&service, rule, &json!({"acr": null}), &needs).await;
}
