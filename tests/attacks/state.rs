//! Attacks on state kept between requests, and on logs and errors.

use std::time::Duration;

use modeler_auth::{
    Issuer, TokenValidator,
    test_util::{TestClock, TestIssuer},
};
use modeler_auth_testkit::{
    server::Server,
    signer::{ISSUER, Key},
};
use serde_json::json;

use crate::{support::reason, target::Target};

fn validator(issuer: &TestIssuer, clock: &TestClock) -> TokenValidator {
    let builder = TokenValidator::builder().issuer(issuer.issuer());
    builder.clock(clock.clone()).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a69_a_hundred_thousand_unknown_key_ids() {
    let issuer = TestIssuer::oidc(ISSUER);
    let validator = validator(&issuer, &TestClock::new());
    validator.ready().await;
    let token = issuer.token().sign();
    let (_, rest) = token.split_once('.').unwrap();
    for number in 0..100_000 {
        let header = json!({"alg": "RS256", "kid": format!("junk-{number}")});
        let junk = format!(
            "{}.{rest}",
            modeler_auth_testkit::signer::encode(header.to_string())
        );
        assert_eq!(reason(&validator, &junk).await, Some("unknown_key"));
    }
    assert_eq!(issuer.fetches(), 2);
    assert_eq!(reason(&validator, &token).await, None);
}

#[tokio::test(start_paused = true)]
async fn a70_unknown_key_ids_fill_no_memory() {
    let issuer = TestIssuer::oidc(ISSUER);
    let validator = validator(&issuer, &TestClock::new());
    validator.ready().await;
    let token = issuer.token().sign();
    let (_, rest) = token.split_once('.').unwrap();
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let pages = status
            .split(' ')
            .nth(1)
            .and_then(|pages| pages.parse::<usize>().ok());
        pages.unwrap_or(0) * 4096
    };
    let mut before = 0;
    for number in 0..60_000 {
        let header = json!({"alg": "RS256", "kid": format!("{number:0200}")});
        let junk = format!(
            "{}.{rest}",
            modeler_auth_testkit::signer::encode(header.to_string())
        );
        reason(&validator, &junk).await;
        if number == 10_000 {
            before = resident();
        }
    }
    // 50,000 ids of 200 bytes would be 10 MB. Other tests run at the same time.
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown}");
}

#[tokio::test]
async fn a71_tokens_that_share_a_beginning_or_an_end() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let tokens: Vec<_> = (0..50)
        .map(|number| key.with_claim("sub", format!("{number:03}")))
        .collect();
    for _ in 0..3 {
        for (number, token) in tokens.iter().enumerate() {
            let access = target.validator.validate(token).await.unwrap();
            assert_eq!(access.subject(), Some(&*format!("{number:03}")));
        }
    }
}

#[tokio::test]
async fn a72_a_token_seen_before_expires_all_the_same() {
    let (issuer, clock) = (TestIssuer::oidc(ISSUER), TestClock::new());
    let validator = validator(&issuer, &clock);
    let token = issuer.token().expires_in(Duration::from_secs(100)).sign();
    let later = issuer
        .token()
        .claim("nbf", modeler_auth_testkit::signer::now() + 100)
        .sign();
    assert_eq!(reason(&validator, &token).await, None);
    assert_eq!(reason(&validator, &later).await, Some("not_yet_valid"));
    clock.advance(Duration::from_secs(99));
    assert_eq!(reason(&validator, &token).await, None);
    assert_eq!(reason(&validator, &later).await, None);
    clock.advance(Duration::from_secs(61));
    assert_eq!(reason(&validator, &token).await, Some("expired"));
}

#[tokio::test]
async fn a73_a_token_seen_before_dies_with_its_key() {
    let issuer = TestIssuer::oidc(ISSUER);
    let validator = validator(&issuer, &TestClock::new());
    let token = issuer.token().sign();
    assert_eq!(reason(&validator, &token).await, None);
    issuer.rotate_keys();
    issuer.withdraw_old_keys();
    validator.refresh_now().await.unwrap();
    assert_eq!(reason(&validator, &token).await, Some("unknown_key"));
}

#[tokio::test]
async fn a74_what_one_validator_accepts_is_nothing_to_another() {
    let key = Key::ed();
    let keys =
        modeler_auth::keys::StaticKeys::from_jwks(modeler_auth_testkit::signer::jwks(&[&key.jwk]));
    let trusting = |audience: &str| {
        let issuer = Issuer::oidc(ISSUER).audience(audience);
        let builder = TokenValidator::builder().issuer(issuer.keys(keys.clone()));
        builder.build().unwrap()
    };
    let (a, b) = (trusting("api"), trusting("another"));
    let token = key.good();
    for _ in 0..2 {
        assert_eq!(reason(&a, &token).await, None);
        assert_eq!(reason(&b, &token).await, Some("wrong_audience"));
    }
}

#[tokio::test(start_paused = true)]
async fn a75_a_refusal_is_not_remembered() {
    let issuer = TestIssuer::oidc(ISSUER);
    issuer.fail_fetches(true);
    let validator = validator(&issuer, &TestClock::new());
    let token = issuer.token().sign();
    assert_eq!(reason(&validator, &token).await, Some("keys_unavailable"));
    issuer.fail_fetches(false);
    validator.ready().await;
    assert_eq!(reason(&validator, &token).await, None);
}

#[tokio::test]
async fn a77_a_refresh_replaces_and_never_adds() {
    let issuer = TestIssuer::oidc(ISSUER);
    let validator = validator(&issuer, &TestClock::new());
    let mut old = Vec::new();
    for _ in 0..5 {
        old.push(issuer.token().sign());
        validator.refresh_now().await.unwrap();
        assert_eq!(validator.key_status()[0].keys, 1);
        issuer.rotate_keys();
        issuer.withdraw_old_keys();
    }
    validator.refresh_now().await.unwrap();
    for token in &old {
        assert!(reason(&validator, token).await.is_some());
    }
}

#[tokio::test]
async fn a78_keys_are_not_fetched_where_they_are_redirected() {
    let elsewhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}/jwks", elsewhere.local_addr().unwrap());
    let server = Server::start().await;
    let issuer = Issuer::oidc(ISSUER).audience("api");
    let builder = TokenValidator::builder().issuer(issuer.jwks_url(server.url("/jwks")));
    let validator = builder.build().unwrap();
    for (status, location) in [
        (302, target.as_str()),
        (307, "file:///etc/passwd"),
        (308, "http://169.254.169.254/"),
    ] {
        let before = server.count("/jwks");
        server.status("/jwks", status, Some(("location", location.to_owned())));
        assert!(validator.refresh_now().await.is_err());
        assert!(server.count("/jwks") > before);
    }
    assert!(server.asked().len() >= 3);
    let connection = tokio::time::timeout(Duration::from_millis(50), elsewhere.accept());
    assert!(connection.await.is_err(), "somebody came");
}

#[tokio::test]
async fn a81_no_text_makes_it_panic() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let good = key.good();
    let mut random = fastrand::Rng::with_seed(81);
    for _ in 0..20_000 {
        let mut token = good.clone().into_bytes();
        for _ in 0..random.usize(1..8) {
            let position = random.usize(..token.len());
            match random.u8(..4) {
                0 => token[position] = random.u8(..),
                1 => token.truncate(position.max(1)),
                2 => token.insert(position, b"._-aA0="[random.usize(..7)]),
                _ => token.extend_from_within(position..),
            }
        }
        let Ok(token) = String::from_utf8(token) else {
            continue;
        };
        if token != good {
            assert!(target.validator.validate(&token).await.is_err(), "{token}");
        }
    }
}
