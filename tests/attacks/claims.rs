//! Tokens with wrong or missing claims, or with claims of another kind of token.

use modeler_auth::{Issuer, TokenValidator};
use modeler_auth_testkit::signer::{ISSUER, Key, now};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{support::reason, target::Target};

#[tokio::test]
async fn a40_claims_in_another_case() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    for name in ["exp", "iss", "aud"] {
        let token = key.changed(|_, claims| {
            let members = claims.as_object_mut().unwrap();
            let value = members.remove(name).unwrap();
            members.insert(name.to_uppercase(), value);
        });
        target.refuses(&token).await;
    }
}

#[tokio::test]
async fn a45_odd_exp() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    for exp in [
        json!(null),
        json!("9999999999"),
        json!(true),
        json!([now() + 300]),
        json!({}),
        json!(-1),
        json!(1e19),
        json!(u64::MAX),
        json!(i64::MAX),
        json!(0),
        json!(253_402_300_800_u64),
    ] {
        target.refuses(&key.with_claim("exp", exp)).await;
    }
    target.refuses(&key.without_claim("exp")).await;
    target
        .accepts(&key.with_claim("exp", Value::from(now()).as_f64().unwrap() + 300.5))
        .await;
}

#[tokio::test]
async fn a46_times_at_the_edge_of_the_leeway() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    // Margins of two seconds or more, since the clock runs during the test.
    for (name, value, accepted) in [
        ("exp", now() - 62, false),
        ("exp", now() - 55, true),
        ("nbf", now() + 55, true),
        ("nbf", now() + 65, false),
        ("iat", now() + 55, true),
        ("iat", now() + 65, false),
    ] {
        let token = key.with_claim(name, value);
        let expected = if accepted { 200 } else { 401 };
        assert_eq!(target.status(&token).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a47_iss_that_is_no_string() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    target.refuses(&key.without_claim("iss")).await;
    for issuer in [
        json!(42),
        json!({"iss": ISSUER}),
        json!([ISSUER]),
        json!(["https://evil.example/", ISSUER]),
        json!(null),
    ] {
        target.refuses(&key.with_claim("iss", issuer)).await;
    }
}

#[tokio::test]
async fn a48_issuers_that_look_alike() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    for issuer in [
        "https://issuer.example/realms/a/",
        "https://issuer.example/realms/",
        "https://issuer.example/realms/ab",
        "https://issuer.example/realms/A",
        "HTTPS://issuer.example/realms/a",
        "http://issuer.example/realms/a",
        "https://issuer.example:443/realms/a",
        "https://issuer.example.evil.com/realms/a",
        "https://user@issuer.example/realms/a",
        "https://issuer.example/realms/%61",
        "https://issuer.example/realms/./a",
        "https://issuer.example/realms%2fa",
        "https://іssuer.example/realms/a",
        "https://xn--ssuer-dye.example/realms/a",
        " https://issuer.example/realms/a",
        "https://issuer.example/realms/a#x",
    ] {
        target.refuses(&key.with_claim("iss", issuer)).await;
    }
}

#[tokio::test]
async fn a50_an_unknown_issuer_is_never_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let key = Key::ed();
    let target = Target::new(&[&key]);
    target.refuses(&key.with_claim("iss", url)).await;
    let connection = tokio::time::timeout(std::time::Duration::from_millis(50), listener.accept());
    assert!(connection.await.is_err(), "somebody came");
}

#[tokio::test]
async fn a51_an_unknown_issuer_where_a_token_is_optional() {
    let key = Key::ed();
    let target = Target::optional(&[&key]);
    assert_eq!(target.status_of(&[]).await, 200);
    target
        .refuses(&key.with_claim("iss", "https://evil.example/"))
        .await;
    target.refuses("junk").await;
    target.accepts(&key.good()).await;
}

#[tokio::test]
async fn a52_odd_aud() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    target.refuses(&key.without_claim("aud")).await;
    for audience in [
        json!([]),
        json!([""]),
        json!(""),
        json!(null),
        json!(7),
        json!({}),
        json!({"api": true}),
        json!(["api", 7]),
        json!([["api"]]),
        json!(["evil", 7]),
    ] {
        target.refuses(&key.with_claim("aud", audience)).await;
    }
}

#[tokio::test]
async fn a53_audiences_that_look_alike() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    for audience in [
        "ap",
        "apis",
        "API",
        "api ",
        " api",
        "api,other",
        "other api",
        "аpi",
        "api\u{0}",
    ] {
        target.refuses(&key.with_claim("aud", audience)).await;
        target
            .refuses(&key.with_claim("aud", json!([audience])))
            .await;
    }
}

#[tokio::test]
async fn a54_no_audience_configured() {
    let built = TokenValidator::builder()
        .issuer(Issuer::oidc(ISSUER))
        .build();
    assert!(built.is_err());
}

#[tokio::test]
async fn a55_tokens_of_another_kind() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    for kind in [
        "ID",
        "Refresh",
        "Offline",
        "Logout",
        "Serialized-ID",
        "DPoP",
        "JWT",
        "BEARER",
    ] {
        target.refuses(&key.with_claim("typ", kind)).await;
    }
    target.accepts(&key.with_claim("typ", "Bearer")).await;
    // A token that another client obtained for another service.
    target
        .refuses(&key.with_claim("aud", "another-service"))
        .await;
}

#[tokio::test]
async fn a83_tokens_of_other_kinds_for_the_right_audience() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let with = |more: Value, without: &[&str]| {
        key.changed(|_, claims| {
            let members = claims.as_object_mut().unwrap();
            members.extend(more.as_object().unwrap().clone());
            for name in without {
                members.remove(*name);
            }
        })
    };
    for other in [
        // OpenID Connect Core, an ID token of each flow
        with(json!({"nonce": "n", "auth_time": 1}), &[]),
        with(json!({"at_hash": "x", "auth_time": 1}), &[]),
        with(json!({"c_hash": "x", "nonce": "n"}), &[]),
        with(json!({"s_hash": "x"}), &[]),
        // OpenID Connect Back-Channel Logout
        with(
            json!({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}, "sid": "x"}),
            &[],
        ),
        // RFC 8417
        with(
            json!({"events": {"urn:example:secevent": {}}, "txn": "x"}),
            &["exp"],
        ),
        with(json!({"events": {"urn:example:secevent": {}}}), &["sub"]),
        // JARM
        with(json!({"code": "x", "state": "y"}), &["sub"]),
        with(json!({"error": "access_denied", "state": "y"}), &["sub"]),
        with(json!({"error": "access_denied"}), &["sub"]),
        with(
            json!({"access_token": "x", "token_type": "Bearer"}),
            &["sub"],
        ),
        with(json!({"id_token": "x"}), &["sub"]),
        with(json!({"response": {}}), &["sub"]),
        // The claim identifies the kind of token even if its value is invalid.
        with(json!({"at_hash": null}), &[]),
        with(json!({"events": []}), &[]),
    ] {
        target.refuses(&other).await;
    }
    for access in [
        // Keycloak before 24, after a login with a nonce
        with(
            json!({"typ": "Bearer", "nonce": "n", "session_state": "x"}),
            &[],
        ),
        // An address of a user
        with(json!({"state": "Bavaria", "code": "80331"}), &[]),
        with(json!({"error": "none"}), &[]),
    ] {
        target.accepts(&access).await;
    }
}

#[tokio::test]
async fn a56_header_types_of_another_kind() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    for kind in [
        json!("dpop+jwt"),
        json!("secevent+jwt"),
        json!("logout+jwt"),
        json!("id_token+jwt"),
        json!("JOSE+JSON"),
        json!("application/dpop+jwt"),
        json!(""),
        json!(5),
        json!(["JWT"]),
        json!(null),
    ] {
        target.refuses(&key.with_header("typ", kind)).await;
    }
}

#[tokio::test]
async fn a57_tokens_that_are_bound_to_their_sender() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    for confirmation in [
        json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
        json!({"x5t#S256": "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"}),
        json!({"jwk": {}}),
        json!({}),
        json!(null),
        json!([]),
        json!("x"),
    ] {
        let token = key.with_claim("cnf", confirmation);
        target.refuses(&token).await;
        let reason = reason(&target.validator, &token).await;
        assert_eq!(reason, Some("sender_constrained"));
    }
}

#[tokio::test]
async fn a58_subjects_that_are_none() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    for subject in [
        json!(""),
        json!(0),
        json!(false),
        json!(null),
        json!(["a"]),
        json!({}),
    ] {
        target.refuses(&key.with_claim("sub", subject)).await;
    }
    let access = target
        .validator
        .validate(&key.with_claim("sub", "false"))
        .await;
    assert_eq!(access.unwrap().subject(), Some("false"));
}

#[tokio::test]
async fn a59_scopes_that_look_alike() {
    use modeler_auth::{Access, auth::RequestView, require::Denied};

    let key = Key::ed();
    let rule = |access: &Access, _: &RequestView<'_>| {
        if access.has_scope("read:all") {
            Ok(())
        } else {
            Err(Denied::needs("read:all"))
        }
    };
    let target = Target::requiring(&[&key], rule);
    target.accepts(&key.good()).await;
    for scope in [
        json!("read:allx"),
        json!("xread:all"),
        json!("read"),
        json!("READ:ALL"),
        json!("x\tread:all"),
        json!("x,read:all"),
        json!(["read:all"]),
        json!({"read:all": true}),
        json!(true),
        json!(""),
    ] {
        let token = key.with_claim("scope", scope.clone());
        assert_eq!(target.status(&token).await, 403, "{scope}");
    }
}
