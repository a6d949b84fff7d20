//! Maximum age of tokens.

use std::time::Duration;

use modeler_auth::{ConfigError, Issuer, Permission, TokenValidator, test_util::TestIssuer};
use serde_json::{Value, json};

use crate::{authorization::Service, support::reason};

const AGE: Duration = Duration::from_secs(100);
const LEEWAY: Duration = Duration::from_secs(60);

fn service() -> Service {
    Service::with(|issuer| issuer.token_max_age(AGE))
}

/// Returns a token that expires in an hour.
fn token(service: &Service, iat: Value) -> String {
    service.token(&json!({"iat": iat, "exp": service.now() + 3600}))
}

#[tokio::test(start_paused = true)]
async fn r83_a_token_is_rejected_from_the_maximum_age_on_cached_or_not() {
    let service = service();
    let cached = token(&service, json!(service.now()));
    let fresh = token(&service, json!(service.now()));
    for _ in 0..5 {
        assert_eq!(reason(&service.validator, &cached).await, None);
    }
    service.clock.advance(AGE + LEEWAY - Duration::from_secs(1));
    assert_eq!(reason(&service.validator, &cached).await, None);
    service.clock.advance(Duration::from_secs(1));
    for token in [&cached, &cached, &fresh] {
        assert_eq!(reason(&service.validator, token).await, Some("too_old"));
    }
    // A clock that goes back does not leave a rejection behind.
    service.clock.step_back(Duration::from_secs(1));
    for token in [&cached, &fresh] {
        assert_eq!(reason(&service.validator, token).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn r83_a_rejection_is_invalid_token_in_every_form() {
    let service = service();
    let old = token(&service, json!(service.now() - 1000));
    let (status, challenge) = service.rejection(Permission::Read, &old).await.unwrap();
    assert_eq!((status, challenge.error()), (401, Some("invalid_token")));
    assert_eq!(
        challenge.param("error_description"),
        Some("The token has expired")
    );
    let absent = service.token(&json!({"iat": null}));
    let (status, challenge) = service.rejection(Permission::Read, &absent).await.unwrap();
    assert_eq!((status, challenge.error()), (401, Some("invalid_token")));
    let good = token(&service, json!(service.now()));
    assert_eq!(service.rejection(Permission::Read, &good).await, None);
}

#[tokio::test(start_paused = true)]
async fn r83_an_access_ends_with_the_age_or_with_exp() {
    let service = service();
    let now = service.clock.now();
    let expires_at = async |claims: Value| {
        let access = service.validator.validate(&service.token(&claims)).await;
        access.unwrap().expires_at()
    };
    let seconds = service.now();
    let long = json!({"iat": seconds, "exp": seconds + 3600});
    assert_eq!(expires_at(long).await, now + AGE);
    let short = json!({"iat": seconds, "exp": seconds + 5});
    assert_eq!(expires_at(short).await, now + Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn r83_the_age_is_that_of_one_issuer() {
    let service = service();
    let other = TestIssuer::oidc("https://other.example/");
    let limited = service.issuer.issuer().token_max_age(AGE);
    let builder = TokenValidator::builder()
        .issuer(limited)
        .issuer(other.issuer());
    let validator = builder.clock(service.clock.clone()).build().unwrap();
    let old = token(&service, json!(service.now() - 1000));
    assert_eq!(reason(&validator, &old).await, Some("too_old"));
    let token = other
        .token()
        .claim("iat", 0)
        .claim("exp", service.now() + 5);
    assert_eq!(reason(&validator, &token.sign()).await, None);
}

#[test]
fn r83_an_age_outside_its_bounds_is_an_error_of_the_configuration() {
    let build = |age| {
        let issuer = Issuer::saas("12345678-ABCD-DCBA-ABCD-123456789ABC").token_max_age(age);
        TokenValidator::builder().issuer(issuer).build()
    };
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    for good in [Duration::from_secs(1), year] {
        assert!(build(good).is_ok(), "{good:?}");
    }
    let nanosecond = Duration::from_nanos(1);
    let second = Duration::from_secs(1);
    for bad in [
        Duration::ZERO,
        second - nanosecond,
        year + nanosecond,
        Duration::MAX,
    ] {
        let error = build(bad).unwrap_err();
        assert!(matches!(error, ConfigError::OutOfBounds { .. }), "{error}");
        let text = error.to_string();
        let says = ["token_max_age", "1 s to 365 days", &format!("{bad:?}")];
        assert!(says.iter().all(|words| text.contains(words)), "{text}");
    }
}
