//! Tests of which tokens a validator accepts.

use std::time::Duration;

use crate::support::{reason, validator};
use modeler_auth::{
    Issuer, TokenValidator,
    keys::Algorithm,
    test_util::{TestClock, TestIssuer},
};

#[tokio::test]
async fn every_algorithm_is_accepted_and_bound_to_its_key() {
    for algorithm in Algorithm::all() {
        let issuer = TestIssuer::oidc("https://issuer.example/");
        issuer.sign_with(algorithm);
        let trusting = validator([issuer.issuer()]);
        assert_eq!(
            reason(&trusting, &issuer.token().sign()).await,
            None,
            "{algorithm}"
        );
        for other in Algorithm::all() {
            let token = issuer.token().header("alg", other.name()).sign();
            let expected = (other != algorithm).then_some("unsupported_algorithm");
            assert_eq!(
                reason(&trusting, &token).await,
                expected,
                "{algorithm} {other}"
            );
        }
        let others = Algorithm::all().filter(|one| *one != algorithm);
        let strict = validator([issuer.issuer().algorithms(others)]);
        let token = issuer.token().sign();
        let outcome = reason(&strict, &token).await;
        assert_eq!(outcome, Some("unsupported_algorithm"), "{algorithm}");
    }
}

#[tokio::test]
async fn r23_ed25519_tokens_go_by_either_name() {
    let issuer = TestIssuer::oidc("https://issuer.example/");
    issuer.sign_with(Algorithm::EdDsa);
    let validator = validator([issuer.issuer()]);
    for name in ["EdDSA", "Ed25519"] {
        let token = issuer.token().header("alg", name).sign();
        assert_eq!(reason(&validator, &token).await, None, "{name}");
    }
}

#[tokio::test]
async fn r30_the_issuer_is_compared_byte_for_byte() {
    let issuer = TestIssuer::oidc("https://issuer.example/realms/a");
    let validator = validator([issuer.issuer()]);
    for other in [
        "https://issuer.example/realms/a/",
        "https://issuer.example/realms/A",
        "https://ISSUER.example/realms/a",
        "https://issuer.example:443/realms/a",
        "https://issuer.example/realms/%61",
        "https://issuer.example/realms/b/../a",
        "https://issuer.example/realms/a ",
        "http://issuer.example/realms/a",
        "https://issuer.example.evil/realms/a",
        "",
    ] {
        let token = issuer.token().claim("iss", other).sign();
        assert_eq!(
            reason(&validator, &token).await,
            Some("unknown_issuer"),
            "{other}"
        );
    }
}

#[tokio::test]
async fn r31_each_issuer_is_known_by_its_own_keys_only() {
    let a = TestIssuer::oidc("https://a.example/");
    let b = TestIssuer::oidc("https://b.example/");
    let validator = validator([a.issuer(), b.issuer()]);
    for (claimed, signing) in [(&a, &b), (&b, &a)] {
        let own = claimed.token().sign();
        assert_eq!(reason(&validator, &own).await, None);
        let forged = claimed.token().sign_by(signing);
        assert_eq!(reason(&validator, &forged).await, Some("bad_signature"));
    }
}

#[tokio::test]
async fn r33_the_leeway_is_60_seconds_unless_configured_and_300_at_most() {
    let issuer = TestIssuer::oidc("https://issuer.example/");
    for (leeway, tolerated) in [(None, 60), (Some(0), 0), (Some(300), 300)] {
        let clock = TestClock::new();
        let mut builder = TokenValidator::builder()
            .issuer(issuer.issuer())
            .clock(clock.clone());
        if let Some(leeway) = leeway {
            builder = builder.leeway(Duration::from_secs(leeway));
        }
        let validator = builder.build().unwrap();
        let token = issuer.token().expires_in(Duration::from_secs(1000)).sign();
        clock.advance(Duration::from_secs(1000 + tolerated - 2));
        assert_eq!(reason(&validator, &token).await, None, "{leeway:?}");
        clock.advance(Duration::from_secs(3));
        assert_eq!(
            reason(&validator, &token).await,
            Some("expired"),
            "{leeway:?}"
        );
    }
    let too_much = TokenValidator::builder()
        .issuer(issuer.issuer())
        .leeway(Duration::from_secs(301))
        .build();
    assert!(too_much.unwrap_err().to_string().contains("leeway = 301s"));
}

#[tokio::test]
async fn r15_junk_starts_no_fetch() {
    let issuer = TestIssuer::oidc("https://issuer.example/");
    let trusted = Issuer::oidc(issuer.name())
        .audience("test")
        .algorithms([Algorithm::Es256])
        .keys(issuer.clone());
    // Built outside a runtime, so that nothing is fetched before a request needs it.
    let validator = std::thread::spawn(move || validator([trusted]))
        .join()
        .unwrap();
    let token = || issuer.token();
    for junk in [
        "a.b.c".to_owned(),
        token().sign(),
        token().header("alg", "none").sign(),
        token().header("alg", "ES256").expired().sign(),
        token().header("alg", "ES256").audience("other").sign(),
        token()
            .header("alg", "ES256")
            .claim("iss", "https://other.example/")
            .sign(),
        token().header("alg", "ES256").header("crit", ["x"]).sign(),
    ] {
        assert!(reason(&validator, &junk).await.is_some());
    }
    assert_eq!(issuer.fetches(), 0);
}

#[tokio::test]
async fn the_commonest_mistake_is_named_only_for_a_genuine_token() {
    let issuer = TestIssuer::self_managed();
    let forger = TestIssuer::self_managed();
    let validator = validator([issuer.issuer()]);
    assert_eq!(reason(&validator, &issuer.token().sign()).await, None);
    let internal = issuer.token().audience("web-modeler-api");
    let genuine = validator
        .validate(&internal.clone().sign())
        .await
        .unwrap_err();
    assert!(genuine.is_verified());
    let forged = validator
        .validate(&internal.sign_by(&forger))
        .await
        .unwrap_err();
    assert_eq!(forged.reason(), "wrong_audience");
    assert!(!forged.is_verified());
}
