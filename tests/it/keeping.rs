//! Tests of the key cache: fetch times, waiters, and outages of the issuer.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::support::{GatedKeys, ScriptedKeys, failure, gated, reason};
use modeler_auth::{
    Issuer, TokenValidator, TokenValidatorBuilder,
    keys::{KeyEvent, KeyEventKind, KeyFetch, KeyFetchError, KeyFetchErrorKind},
    test_util::{TestClock, TestIssuer},
};
use modeler_auth_testkit::{poll::ready, signer::Key};
use tokio::task::JoinSet;

const MINUTE: Duration = Duration::from_secs(60);

fn builder(issuer: &TestIssuer) -> TokenValidatorBuilder {
    TokenValidator::builder().issuer(issuer.issuer())
}

fn oidc() -> TestIssuer {
    TestIssuer::oidc("https://issuer.example/")
}

#[tokio::test]
async fn f26_ten_thousand_cold_requests_cause_one_fetch() {
    let keys = GatedKeys::new(&oidc());
    let validator = gated(&keys);
    let token: Arc<str> = keys.issuer.token().sign().into();
    let mut requests = JoinSet::new();
    for _ in 0..10_000 {
        let (validator, token) = (validator.clone(), Arc::clone(&token));
        requests.spawn(async move { validator.validate(&token).await.is_ok() });
    }
    tokio::task::yield_now().await;
    keys.open(1);
    let outcomes = requests.join_all().await;
    assert!(outcomes.into_iter().all(|accepted| accepted));
    assert_eq!(keys.started(), 1);
}

#[tokio::test(start_paused = true)]
async fn f1_an_issuer_that_is_down_at_start_is_found_once_it_is_up() {
    let issuer = oidc();
    issuer.fail_fetches(true);
    let validator = builder(&issuer).clock(TestClock::new()).build().unwrap();
    let token = issuer.token().sign();
    let error = validator.validate(&token).await.unwrap_err();
    assert_eq!(error.reason(), "keys_unavailable");
    assert!(error.retry_after().unwrap() >= Duration::from_secs(1));
    assert!(!validator.is_ready());
    issuer.fail_fetches(false);
    tokio::time::timeout(Duration::from_secs(6), validator.ready())
        .await
        .expect("the pause without any keys is at most 5 seconds");
    assert_eq!(reason(&validator, &token).await, None);
}

#[tokio::test(start_paused = true)]
async fn f2_an_outage_of_an_hour_costs_no_valid_request() {
    let issuer = oidc();
    let clock = TestClock::new();
    let validator = builder(&issuer)
        .clock(clock.clone())
        .key_max_stale(60 * MINUTE)
        .build()
        .unwrap();
    let token = issuer.token().expires_in(3 * 60 * MINUTE).sign();
    validator.ready().await;
    issuer.fail_fetches(true);
    for minute in 0..60 {
        assert_eq!(reason(&validator, &token).await, None, "minute {minute}");
        tokio::time::sleep(MINUTE - Duration::from_millis(1)).await;
    }
    tokio::time::sleep(MINUTE).await;
    for _ in 0..10 {
        assert_eq!(reason(&validator, &token).await, Some("keys_unavailable"));
    }
    issuer.fail_fetches(false);
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(reason(&validator, &token).await, None);
}

#[tokio::test(start_paused = true)]
async fn keys_are_refreshed_ahead_of_time_without_any_request() {
    let issuer = oidc();
    let validator = builder(&issuer).clock(TestClock::new()).build().unwrap();
    validator.ready().await;
    tokio::time::sleep(60 * MINUTE).await;
    // Every 4 minutes, plus or minus 10 percent.
    let fetches = issuer.fetches();
    assert!((14..=17).contains(&fetches), "{fetches}");
    drop(validator);
}

#[tokio::test(start_paused = true)]
async fn f22_a_token_of_a_new_key_waits_for_one_fetch_and_is_accepted() {
    let issuer = oidc();
    let validator = builder(&issuer).clock(TestClock::new()).build().unwrap();
    assert_eq!(reason(&validator, &issuer.token().sign()).await, None);
    issuer.rotate_keys();
    assert_eq!(reason(&validator, &issuer.token().sign()).await, None);
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn f41_a_key_that_is_replaced_under_its_id_or_has_none_costs_one_fetch() {
    for has_id in [true, false] {
        let jwk = |key: &mut Key| {
            let members = key.jwk.as_object_mut().unwrap();
            if has_id {
                members.insert("kid".to_owned(), "fixed".into());
            } else {
                members.remove("kid");
            }
            format!("{{\"keys\":[{}]}}", key.jwk)
        };
        let [mut old, mut new] = [Key::ed(), Key::ed()];
        let sets = [jwk(&mut old), jwk(&mut new)];
        let now = Arc::new(AtomicUsize::new(0));
        let published = Arc::clone(&now);
        let script = ScriptedKeys::new(move |_| {
            Ok(KeyFetch::fresh(
                sets[published.load(Ordering::SeqCst)].clone(),
            ))
        });
        let issuer = Issuer::oidc("https://issuer.example/").audience("api");
        let issuer = issuer.keys(script.clone());
        let validator = TokenValidator::builder().issuer(issuer).build().unwrap();
        validator.ready().await;
        let token = |key: &Key| {
            let header = match has_id {
                true => r#"{"alg":"EdDSA","kid":"fixed"}"#,
                false => r#"{"alg":"EdDSA"}"#,
            };
            let claims = r#"{"iss":"https://issuer.example/","aud":"api","exp":9999999999}"#;
            key.token(header, claims)
        };
        assert_eq!(reason(&validator, &token(&old)).await, None);
        now.store(1, Ordering::SeqCst);
        assert_eq!(reason(&validator, &token(&new)).await, None, "{has_id}");
        assert_eq!(script.asked(), 2, "{has_id}");
        assert_eq!(
            reason(&validator, &token(&old)).await,
            Some("bad_signature")
        );
    }
}

#[tokio::test]
async fn a84_forged_signatures_under_a_known_id_cost_one_fetch_and_no_valid_request() {
    let issuer = oidc();
    let validator = builder(&issuer).build().unwrap();
    let good = issuer.token().sign();
    assert_eq!(reason(&validator, &good).await, None);
    let attacker = TestIssuer::oidc(issuer.name());
    let forged = issuer.token().sign_by(&attacker);
    for round in 0..20_000 {
        assert_eq!(reason(&validator, &forged).await, Some("bad_signature"));
        if round % 1000 == 0 {
            assert_eq!(reason(&validator, &good).await, None);
        }
    }
    assert_eq!(issuer.fetches(), 2, "the first one, and one for the flood");
}

#[tokio::test]
async fn r58_while_an_issuer_does_not_answer_a_bad_signature_is_rejected_and_not_unavailable() {
    let issuer = oidc();
    let validator = builder(&issuer).build().unwrap();
    assert_eq!(reason(&validator, &issuer.token().sign()).await, None);
    issuer.fail_fetches(true);
    let attacker = TestIssuer::oidc(issuer.name());
    for _ in 0..3 {
        let forged = issuer.token().sign_by(&attacker);
        assert_eq!(reason(&validator, &forged).await, Some("bad_signature"));
    }
    assert_eq!(reason(&validator, &issuer.token().sign()).await, None);
}

#[tokio::test(start_paused = true)]
async fn f23_a_second_rotation_is_noticed_after_the_cooldown() {
    let issuer = oidc();
    let clock = TestClock::new();
    let validator = builder(&issuer).clock(clock.clone()).build().unwrap();
    assert_eq!(reason(&validator, &issuer.token().sign()).await, None);
    issuer.rotate_keys();
    assert_eq!(reason(&validator, &issuer.token().sign()).await, None);
    issuer.rotate_keys();
    let token = issuer.token().sign();
    assert_eq!(reason(&validator, &token).await, Some("unknown_key"));
    clock.advance(Duration::from_secs(30));
    assert_eq!(reason(&validator, &token).await, None);
}

#[tokio::test(start_paused = true)]
async fn f24_a_withdrawn_key_dies_with_the_refresh_or_at_once_by_hand() {
    for by_hand in [true, false] {
        let issuer = oidc();
        let validator = builder(&issuer).clock(TestClock::new()).build().unwrap();
        let old = issuer.token().expires_in(60 * MINUTE).sign();
        assert_eq!(reason(&validator, &old).await, None);
        issuer.rotate_keys();
        issuer.withdraw_old_keys();
        if by_hand {
            validator.refresh_now().await.unwrap();
        } else {
            tokio::time::sleep(5 * MINUTE).await;
        }
        // The cooldown permits one more fetch, which does not return the key.
        assert_eq!(reason(&validator, &old).await, Some("unknown_key"));
    }
}

#[tokio::test(start_paused = true)]
async fn f28_unknown_keys_cause_one_fetch_per_cooldown() {
    let issuer = oidc();
    let clock = TestClock::new();
    let validator = builder(&issuer).clock(clock.clone()).build().unwrap();
    validator.ready().await;
    for second in 0..60 {
        for n in 0..100 {
            let token = issuer.token().header("kid", format!("{second}-{n}")).sign();
            assert_eq!(reason(&validator, &token).await, Some("unknown_key"));
        }
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(issuer.fetches(), 1 + 2);
}

#[tokio::test(start_paused = true)]
async fn f29_a_rotation_in_a_flood_is_noticed_within_the_cooldown() {
    let issuer = oidc();
    let clock = TestClock::new();
    let validator = builder(&issuer).clock(clock.clone()).build().unwrap();
    validator.ready().await;
    let junk = issuer.token().header("kid", "junk").sign();
    assert_eq!(reason(&validator, &junk).await, Some("unknown_key"));
    issuer.rotate_keys();
    let token = issuer.token().sign();
    let mut refused = 0;
    while reason(&validator, &token).await.is_some() {
        refused += 1;
        clock.advance(Duration::from_secs(1));
        reason(&validator, &junk).await;
    }
    assert!(refused <= 30, "refused for {refused} s");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_that_cannot_be_looked_up_is_not_the_clients_fault() {
    let issuer = oidc();
    let validator = builder(&issuer).clock(TestClock::new()).build().unwrap();
    validator.ready().await;
    issuer.fail_fetches(true);
    issuer.rotate_keys();
    let token = issuer.token().sign();
    for _ in 0..3 {
        assert_eq!(reason(&validator, &token).await, Some("keys_unavailable"));
    }
    issuer.fail_fetches(false);
    tokio::time::sleep(MINUTE).await;
    assert_eq!(reason(&validator, &token).await, None);
}

#[tokio::test]
async fn f20_a_fetch_that_a_suspension_interrupts_is_given_up_and_followed_by_others() {
    let keys = GatedKeys::new(&oidc());
    let clock = TestClock::new();
    let issuer = Issuer::oidc(keys.issuer.name()).audience("test");
    let validator = TokenValidator::builder()
        .issuer(issuer.keys(keys.clone()))
        .clock(clock.clone())
        .build()
        .unwrap();
    keys.open(1);
    validator.ready().await;
    let old = keys.issuer.token().expires_in(60 * MINUTE).sign();
    keys.issuer.rotate_keys();
    let new = keys.issuer.token().expires_in(60 * MINUTE).sign();
    let waiting = tokio::spawn({
        let (validator, new) = (validator.clone(), new.clone());
        async move { reason(&validator, &new).await }
    });
    while keys.started() < 2 {
        tokio::task::yield_now().await;
    }
    clock.advance(Duration::from_secs(10));
    assert_eq!(reason(&validator, &old).await, None);
    assert_eq!(waiting.await.unwrap(), Some("keys_unavailable"));
    // Only the replacement task is woken.
    keys.open(100);
    for _ in 0..5 {
        validator.refresh_now().await.unwrap();
        assert_eq!(reason(&validator, &new).await, None);
    }
    let alive = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    while alive() > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_request_that_joined_an_older_fetch_may_wait_for_one_more() {
    let keys = GatedKeys::new(&oidc());
    let validator = gated(&keys);
    keys.open(1);
    validator.ready().await;
    // A running fetch will return the old keys...
    let stale = keys.issuer.jwks();
    let script = ScriptedKeys::new({
        let issuer = keys.issuer.clone();
        move |before| {
            Ok(KeyFetch::fresh(if before < 2 {
                stale.clone()
            } else {
                issuer.jwks()
            }))
        }
    });
    let issuer = Issuer::oidc(keys.issuer.name()).audience("test");
    let validator = TokenValidator::builder()
        .issuer(issuer.keys(script.clone()))
        .build()
        .unwrap();
    validator.ready().await;
    keys.issuer.rotate_keys();
    let token = keys.issuer.token().sign();
    let (refreshed, outcome) = tokio::join!(validator.refresh_now(), reason(&validator, &token));
    refreshed.unwrap();
    // ... so the request starts another fetch.
    assert_eq!(outcome, None);
    assert_eq!(script.asked(), 3);
}

#[tokio::test]
async fn f30_a_request_that_goes_away_cancels_nothing() {
    let keys = GatedKeys::new(&oidc());
    let validator = gated(&keys);
    let token = keys.issuer.token().sign();
    let leader = tokio::spawn({
        let (validator, token) = (validator.clone(), token.clone());
        async move { validator.validate(&token).await.is_ok() }
    });
    tokio::task::yield_now().await;
    let follower = tokio::spawn({
        let validator = validator.clone();
        async move { validator.validate(&token).await.is_ok() }
    });
    tokio::task::yield_now().await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    keys.open(1);
    assert!(follower.await.unwrap());
    assert_eq!(keys.started(), 1);
}

#[tokio::test(start_paused = true)]
async fn f31_a_source_that_panics_is_a_failure_like_any_other() {
    let issuer = oidc();
    let script = ScriptedKeys::new({
        let issuer = issuer.clone();
        move |before| match before {
            0 => panic!("the test says so"),
            1 => Err(failure()),
            _ => Ok(KeyFetch::fresh(issuer.jwks())),
        }
    });
    let trusted = Issuer::oidc(issuer.name()).audience("test");
    let validator = TokenValidator::builder()
        .issuer(trusted.keys(script))
        .clock(TestClock::new())
        .build()
        .unwrap();
    let token = issuer.token().sign();
    assert_eq!(reason(&validator, &token).await, Some("keys_unavailable"));
    let status = validator.key_status().remove(0);
    assert_eq!(status.last_error, Some(KeyFetchErrorKind::Panic));
    validator.ready().await;
    assert_eq!(reason(&validator, &token).await, None);
}

#[tokio::test]
async fn f32_the_task_ends_with_the_validator() {
    let alive = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let before = alive();
    let validator = builder(&oidc()).build().unwrap();
    validator.ready().await;
    assert!(alive() > before);
    drop(validator);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(alive(), before);

    // Also in the middle of a fetch.
    let keys = GatedKeys::new(&oidc());
    let validator = gated(&keys);
    while keys.started() == 0 {
        tokio::task::yield_now().await;
    }
    drop(validator);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(alive(), before);
}

#[test]
fn f33_a_validator_survives_the_runtime_it_was_used_on() {
    let issuer = oidc();
    let validator = builder(&issuer).build().unwrap();
    assert_eq!(
        issuer.fetches(),
        0,
        "outside a runtime nothing is fetched yet"
    );
    let token = issuer.token().sign();
    for round in 1..=3 {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            assert_eq!(reason(&validator, &token).await, None);
            validator.refresh_now().await.unwrap();
        });
        assert_eq!(issuer.fetches(), 1 + round);
    }
}

#[test]
fn f33_without_a_runtime_there_are_no_keys_but_no_panic_either() {
    let issuer = oidc();
    let validator = builder(&issuer).build().unwrap();
    let token = issuer.token().sign();
    let outcome = ready(validator.validate(&token));
    assert_eq!(outcome.unwrap_err().reason(), "keys_unavailable");
}

#[tokio::test(start_paused = true)]
async fn f34_a_dead_issuer_does_not_concern_the_others() {
    let dead = oidc();
    let keys = GatedKeys::new(&dead);
    let live = TestIssuer::oidc("https://live.example/");
    let validator = TokenValidator::builder()
        .issuer(
            Issuer::oidc(dead.name())
                .audience("test")
                .keys(keys.clone()),
        )
        .issuer(live.issuer())
        .clock(TestClock::new())
        .build()
        .unwrap();
    let waiting = tokio::spawn({
        let (validator, token) = (validator.clone(), dead.token().sign());
        async move { reason(&validator, &token).await }
    });
    tokio::task::yield_now().await;
    let started = tokio::time::Instant::now();
    assert_eq!(reason(&validator, &live.token().sign()).await, None);
    assert_eq!(started.elapsed(), Duration::ZERO);
    // A fetch is abandoned after 5 seconds.
    assert_eq!(waiting.await.unwrap(), Some("keys_unavailable"));
    assert!(
        started.elapsed() <= Duration::from_secs(6),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn f35_more_than_64_requests_do_not_wait_for_an_unknown_key() {
    let keys = GatedKeys::new(&oidc());
    let validator = gated(&keys);
    keys.open(1);
    validator.ready().await;
    keys.issuer.rotate_keys();
    let token: Arc<str> = keys.issuer.token().sign().into();
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let (validator, token) = (validator.clone(), Arc::clone(&token));
        requests.spawn(async move { reason(&validator, &token).await });
    }
    tokio::task::yield_now().await;
    keys.open(1);
    let outcomes = requests.join_all().await;
    let crowded = outcomes
        .iter()
        .filter(|one| **one == Some("too_many_waiting"));
    assert_eq!(crowded.count(), 36);
    let accepted = outcomes.iter().filter(|one| one.is_none());
    assert_eq!(accepted.count(), 64);
}

#[tokio::test(start_paused = true)]
async fn f19_a_step_of_the_wall_clock_moves_claims_and_not_keys() {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    let issuer = oidc();
    let clock = TestClock::new();
    let validator = builder(&issuer).clock(clock.clone()).build().unwrap();
    let token = issuer.token().sign();
    assert_eq!(reason(&validator, &token).await, None);
    clock.step_forward(HOUR);
    assert_eq!(reason(&validator, &token).await, Some("expired"));
    clock.step_back(2 * HOUR);
    assert_eq!(reason(&validator, &token).await, Some("issued_in_future"));
    clock.step_forward(HOUR);
    assert_eq!(reason(&validator, &token).await, None);
    clock.step_back(Duration::from_secs(u64::MAX / 4));
    assert_eq!(reason(&validator, &token).await, Some("issued_in_future"));
    assert_eq!(issuer.fetches(), 1);
    assert!(validator.is_ready());
}

#[tokio::test]
async fn f20_after_a_suspension_the_first_request_causes_a_refresh() {
    let issuer = oidc();
    let clock = TestClock::new();
    let validator = builder(&issuer).clock(clock.clone()).build().unwrap();
    let token = |issuer: &TestIssuer| issuer.token().expires_in(24 * 60 * MINUTE).sign();
    assert_eq!(reason(&validator, &token(&issuer)).await, None);
    // During suspension, timers stop but the clocks advance.
    clock.advance(120 * MINUTE);
    assert!(!validator.is_ready(), "too old by now");
    assert_eq!(reason(&validator, &token(&issuer)).await, None);
    assert_eq!(issuer.fetches(), 2);
    clock.advance(10 * MINUTE);
    assert_eq!(
        reason(&validator, &token(&issuer)).await,
        None,
        "old, but not too old"
    );
    while issuer.fetches() < 3 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn keep_stale_for_zero_means_no_longer_than_a_refresh() {
    let issuer = oidc();
    let validator = builder(&issuer)
        .clock(TestClock::new())
        .key_max_stale(Duration::ZERO)
        .build()
        .unwrap();
    let token = issuer.token().expires_in(60 * MINUTE).sign();
    validator.ready().await;
    issuer.fail_fetches(true);
    tokio::time::sleep(5 * MINUTE - Duration::from_secs(1)).await;
    assert_eq!(reason(&validator, &token).await, None);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(reason(&validator, &token).await, Some("keys_unavailable"));
}

#[tokio::test(start_paused = true)]
async fn key_status_tells_the_state_of_each_issuer() {
    let good = oidc();
    let bad = TestIssuer::oidc("https://bad.example/");
    bad.fail_fetches(true);
    let validator = builder(&good)
        .issuer(bad.issuer())
        .clock(TestClock::new())
        .build()
        .unwrap();
    let _ = validator.refresh_now().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let [ours, bad] = <[_; 2]>::try_from(validator.key_status()).unwrap();
    assert_eq!((&*ours.issuer, ours.keys), ("https://issuer.example/", 1));
    assert_eq!(ours.age, Some(Duration::from_millis(500)));
    assert!(ours.next_refresh.unwrap() > 3 * MINUTE);
    assert_eq!(ours.last_error, None);
    assert_eq!((bad.keys, bad.age), (0, None));
    assert_eq!(bad.last_error, Some(KeyFetchErrorKind::Other));

    good.fail_fetches(true);
    tokio::time::sleep(120 * MINUTE).await;
    let status = validator.key_status();
    let ours = status.first().unwrap();
    assert_eq!((ours.keys, ours.age, ours.is_stale), (0, None, true));
}

#[tokio::test(start_paused = true)]
async fn f3_a_flood_in_an_outage_costs_no_valid_request() {
    let issuer = oidc();
    let clock = TestClock::new();
    let validator = builder(&issuer).clock(clock.clone()).build().unwrap();
    let token = issuer.token().expires_in(3 * 60 * MINUTE).sign();
    let junk = issuer
        .token()
        .expires_in(3 * 60 * MINUTE)
        .header("kid", "junk")
        .sign();
    validator.ready().await;
    issuer.fail_fetches(true);
    for second in 0..3500 {
        assert_eq!(reason(&validator, &token).await, None, "second {second}");
        assert!(reason(&validator, &junk).await.is_some());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    // One attempt a minute by schedule, and two for the flood.
    let fetches = issuer.fetches();
    assert!(fetches <= 1 + 8 + 60 + 2 * 60, "{fetches}");
}

#[tokio::test]
async fn f21_a_rotation_with_overlap_refuses_nobody() {
    let issuer = oidc();
    let validator = builder(&issuer).build().unwrap();
    let old = issuer.token().sign();
    assert_eq!(reason(&validator, &old).await, None);
    issuer.rotate_keys();
    validator.refresh_now().await.unwrap();
    // The key cache has the new key before the first token that uses it arrives.
    for token in [old, issuer.token().sign()] {
        assert_eq!(reason(&validator, &token).await, None);
    }
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn f25_an_issuer_that_flaps_between_two_sets_causes_no_storm() {
    let (a, b) = (oidc(), oidc());
    let script = ScriptedKeys::new({
        let sets = [a.jwks(), b.jwks()];
        move |before| Ok(KeyFetch::fresh(sets[before % 2].clone()))
    });
    let trusted = Issuer::oidc(a.name()).audience("test");
    let validator = TokenValidator::builder()
        .issuer(trusted.keys(script.clone()))
        .clock(TestClock::new())
        .build()
        .unwrap();
    let tokens = [&a, &b].map(|one| one.token().expires_in(60 * MINUTE).sign());
    let mut refused = 0;
    for _ in 0..600 {
        for token in &tokens {
            refused += usize::from(reason(&validator, token).await.is_some());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    // 10 minutes: one fetch each 30 s for the set that is missing, and those by schedule.
    assert!(script.asked() <= 1 + 20 + 3, "{}", script.asked());
    assert!(
        refused <= 600,
        "{refused}: more than one set is refused at a time"
    );
}

#[tokio::test(start_paused = true)]
async fn f27_ten_thousand_requests_against_a_failing_issuer_get_503_fast() {
    let issuer = oidc();
    issuer.fail_fetches(true);
    let validator = builder(&issuer).clock(TestClock::new()).build().unwrap();
    let token: Arc<str> = issuer.token().sign().into();
    let started = tokio::time::Instant::now();
    let mut requests = JoinSet::new();
    for _ in 0..10_000 {
        let (validator, token) = (validator.clone(), Arc::clone(&token));
        requests.spawn(async move { reason(&validator, &token).await });
    }
    let outcomes = requests.join_all().await;
    assert!(outcomes.iter().all(|one| *one == Some("keys_unavailable")));
    assert!(started.elapsed() < Duration::from_secs(1));
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn f15_a_failing_look_up_is_tried_again_within_a_minute() {
    let issuer = oidc();
    let script = ScriptedKeys::new({
        let issuer = issuer.clone();
        move |before| {
            if before < 5 {
                Err(KeyFetchError::new(KeyFetchErrorKind::Dns, "NXDOMAIN"))
            } else {
                Ok(KeyFetch::fresh(issuer.jwks()))
            }
        }
    });
    let trusted = Issuer::oidc(issuer.name()).audience("test");
    let validator = TokenValidator::builder()
        .issuer(trusted.keys(script))
        .clock(TestClock::new())
        .build()
        .unwrap();
    let started = tokio::time::Instant::now();
    validator.ready().await;
    assert!(started.elapsed() <= MINUTE, "{:?}", started.elapsed());
}

/// Recorder of a validator's key events.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<KeyEventKind>>>);

impl Recorder {
    fn listen(&self, builder: TokenValidatorBuilder) -> TokenValidator {
        let told = self.clone();
        let builder = builder.on_key_event(move |event: &KeyEvent<'_>| {
            assert_eq!(event.issuer, "https://issuer.example/");
            told.0.lock().unwrap().push(event.kind);
        });
        builder.clock(TestClock::new()).build().unwrap()
    }

    /// The events since the last call.
    async fn take(&self) -> Vec<KeyEventKind> {
        // The task reports events after it has released all waiters.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn events_tell_what_happens_to_the_keys() {
    use KeyEventKind::{
        Failed, Fetched, FloodSuppressed, KeyAdded, KeyWithdrawn, StaleExpired, StaleServed,
    };
    let issuer = oidc();
    let told = Recorder::default();
    let validator = told.listen(builder(&issuer));
    validator.ready().await;
    assert_eq!(told.take().await, [KeyAdded, Fetched(1)]);

    issuer.rotate_keys();
    validator.refresh_now().await.unwrap();
    assert_eq!(told.take().await, [KeyAdded, Fetched(2)]);
    issuer.withdraw_old_keys();
    validator.refresh_now().await.unwrap();
    assert_eq!(told.take().await, [KeyWithdrawn, Fetched(1)]);

    let junk = issuer.token().header("kid", "junk").sign();
    for expected in [&[Fetched(1)][..], &[FloodSuppressed], &[]] {
        assert_eq!(reason(&validator, &junk).await, Some("unknown_key"));
        assert_eq!(told.take().await, expected);
    }

    issuer.fail_fetches(true);
    tokio::time::sleep(10 * MINUTE).await;
    let failed = Failed(KeyFetchErrorKind::Other);
    let during = told.take().await;
    assert!(
        during
            .iter()
            .all(|kind| *kind == failed || *kind == StaleServed)
    );
    assert_eq!(
        during.iter().filter(|kind| **kind == StaleServed).count(),
        1
    );
    // The scheduled refresh starts some time before the keys are stale.
    assert_eq!(during.get(..2), Some(&[failed; 2][..]));
    assert!(validator.key_status()[0].is_stale);

    tokio::time::sleep(60 * MINUTE).await;
    let after = told.take().await;
    assert_eq!(
        after.iter().filter(|kind| **kind == StaleExpired).count(),
        1
    );
    assert_eq!(validator.key_status()[0].keys, 0);
    issuer.fail_fetches(false);
    validator.ready().await;
    assert_eq!(told.take().await.last(), Some(&Fetched(1)));
    assert!(!validator.key_status()[0].is_stale);
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_key_set_is_reported_as_unchanged() {
    let issuer = oidc();
    let script = ScriptedKeys::new({
        let issuer = issuer.clone();
        move |before| {
            Ok(match before {
                1 => KeyFetch::not_modified(),
                _ => KeyFetch::fresh(issuer.jwks()),
            })
        }
    });
    let told = Recorder::default();
    let trusted = Issuer::oidc(issuer.name()).audience("test");
    let validator = told.listen(TokenValidator::builder().issuer(trusted.keys(script)));
    validator.ready().await;
    told.take().await;
    tokio::time::sleep(5 * MINUTE).await;
    assert_eq!(told.take().await, [KeyEventKind::NotModified]);
    assert_eq!(reason(&validator, &issuer.token().sign()).await, None);
}

#[tokio::test]
async fn f42_a_forced_refresh_is_not_answered_by_not_modified() {
    let issuer = oidc();
    let script = ScriptedKeys::new({
        let issuer = issuer.clone();
        move |before| {
            Ok(match before {
                0 => KeyFetch::fresh(issuer.jwks()),
                _ => KeyFetch::not_modified(),
            })
        }
    });
    let trusted = Issuer::oidc(issuer.name()).audience("test").keys(script);
    let validator = TokenValidator::builder().issuer(trusted).build().unwrap();
    validator.ready().await;
    let error = validator.refresh_now().await.unwrap_err();
    assert!(error.to_string().contains("without a condition"), "{error}");
    assert_eq!(reason(&validator, &issuer.token().sign()).await, None);
}

#[tokio::test]
async fn a_listener_that_panics_takes_nothing_along() {
    let issuer = oidc();
    let builder = builder(&issuer).on_key_event(|_: &KeyEvent<'_>| panic!("the test says so"));
    let validator = builder.build().unwrap();
    assert_eq!(reason(&validator, &issuer.token().sign()).await, None);
    validator.refresh_now().await.unwrap();
    assert_eq!(reason(&validator, &issuer.token().sign()).await, None);
}

#[tokio::test(start_paused = true)]
async fn any_ready_needs_one_issuer_and_ready_all() {
    let (good, bad) = (oidc(), TestIssuer::oidc("https://bad.example/"));
    bad.fail_fetches(true);
    let validator = builder(&good)
        .issuer(bad.issuer())
        .clock(TestClock::new())
        .build()
        .unwrap();
    good.fail_fetches(true);
    let any = tokio::time::timeout(10 * MINUTE, validator.any_ready()).await;
    assert!(any.is_err());
    good.fail_fetches(false);
    validator.any_ready().await;
    assert!(validator.key_status()[0].keys > 0);
    let all = tokio::time::timeout(10 * MINUTE, validator.ready()).await;
    assert!(all.is_err());
    assert!(!validator.is_ready());
    bad.fail_fetches(false);
    validator.ready().await;
    assert!(validator.is_ready());
}

#[tokio::test(start_paused = true)]
async fn m9_ten_thousand_requests_that_go_away_leave_no_fetch_and_no_task() {
    let alive = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let keys = GatedKeys::new(&oidc());
    let validator = gated(&keys);
    keys.open(1);
    validator.ready().await;
    let before = alive();
    keys.issuer.rotate_keys();
    let token: Arc<str> = keys.issuer.token().sign().into();
    let mut random = fastrand::Rng::with_seed(9);
    let mut requests = JoinSet::new();
    for _ in 0..10_000 {
        let (validator, token) = (validator.clone(), Arc::clone(&token));
        requests.spawn(async move { reason(&validator, &token).await });
        if random.bool() {
            tokio::task::yield_now().await;
        }
        if random.u8(..) < 64 {
            requests.abort_all();
        }
    }
    requests.shutdown().await;
    // Only the one fetch is under way.
    assert_eq!(keys.started(), 2);
    assert!(alive() <= before + 1, "{} {before}", alive());
    keys.open(1);
    assert_eq!(reason(&validator, &token).await, None);
    assert_eq!(keys.started(), 2);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(alive(), before);
}
