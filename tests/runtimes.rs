//! Tests with runtimes that end, are idle, or are absent. None of these may delay requests much.

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use modeler_auth::{
    TokenValidator,
    test_util::{TestClock, TestIssuer},
};
use modeler_auth_testkit::poll::poll_once;
use support::{GatedKeys, gated, reason};
use tokio::runtime::{Builder, Runtime};

fn oidc() -> TestIssuer {
    TestIssuer::oidc("https://issuer.example/")
}

fn validator(issuer: &TestIssuer) -> TokenValidator {
    let builder = TokenValidator::builder().issuer(issuer.issuer());
    builder.build().unwrap()
}

fn paused_runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Runs `work` with a timeout of 20 seconds, so that a hang fails the test.
fn block_on<T>(runtime: &Runtime, work: impl Future<Output = T>) -> T {
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(20), work)
            .await
            .expect("it must not hang")
    })
}

#[test]
fn f33_a_task_that_never_ran_is_replaced() {
    let issuer = oidc();
    // The runtime ends before it polls the task once.
    let validator = runtime().block_on(async { validator(&issuer) });
    let token = issuer.token().sign();
    assert_eq!(block_on(&runtime(), reason(&validator, &token)), None);
    assert_eq!(issuer.fetches(), 1);
    // The same applies to a task that `is_ready` started.
    let validator = self::validator(&issuer);
    runtime().block_on(async { assert!(!validator.is_ready()) });
    assert_eq!(block_on(&runtime(), reason(&validator, &token)), None);
}

#[test]
fn f33_a_request_without_a_runtime_leaves_nothing_behind() {
    let issuer = oidc();
    let validator = validator(&issuer);
    let token = issuer.token().sign();
    assert!(poll_once(validator.validate(&token)).is_ready());
    block_on(&runtime(), validator.ready());
    assert_eq!(issuer.fetches(), 1);
    assert_eq!(block_on(&runtime(), reason(&validator, &token)), None);
}

#[test]
fn f33_a_task_on_a_runtime_that_idles_is_replaced() {
    let issuer = oidc();
    let idle = runtime();
    let validator = idle.block_on(async {
        let builder = TokenValidator::builder().issuer(issuer.issuer());
        let validator = builder.clock(TestClock::new()).build().unwrap();
        validator.ready().await;
        validator
    });
    issuer.rotate_keys();
    let token = issuer.token().sign();
    let serving = paused_runtime();
    // The first request waits for a fetch that no runtime runs, and fails in bounded time.
    block_on(&serving, async {
        let started = tokio::time::Instant::now();
        let outcome = reason(&validator, &token).await;
        assert_eq!(outcome, Some("keys_unavailable"));
        assert!(started.elapsed() < Duration::from_secs(10));
        assert_eq!(reason(&validator, &token).await, None);
    });
    // The old task ends because the validator no longer needs it.
    block_on(&idle, async {
        while tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
            > 0
        {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn r55_waiting_for_keys_ends_even_if_nobody_fetches_them() {
    let keys = GatedKeys::new(&oidc());
    let idle = runtime();
    let validator = idle.block_on(async { gated(&keys) });
    let token = keys.issuer.token().sign();
    let serving = paused_runtime();
    block_on(&serving, async {
        let started = tokio::time::Instant::now();
        assert_eq!(reason(&validator, &token).await, Some("keys_unavailable"));
        assert!(started.elapsed() <= Duration::from_secs(10));
    });
}

#[test]
fn f33_a_refresh_on_a_runtime_that_idles_is_taken_over() {
    let issuer = oidc();
    let clock = TestClock::new();
    let idle = runtime();
    let validator = idle.block_on(async {
        let builder = TokenValidator::builder().issuer(issuer.issuer());
        let validator = builder.clock(clock.clone()).build().unwrap();
        validator.ready().await;
        validator
    });
    let token = issuer
        .token()
        .expires_in(Duration::from_secs(86_400))
        .sign();
    let serving = runtime();
    // The refresh is due; the task is woken, then abandoned, then replaced. No request waits.
    for _ in 0..5 {
        clock.advance(Duration::from_secs(300));
        assert_eq!(block_on(&serving, reason(&validator, &token)), None);
    }
    block_on(&serving, async {
        while issuer.fetches() < 2 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn f32_a_fetch_that_was_given_up_is_no_success() {
    let keys = GatedKeys::new(&oidc());
    let first = runtime();
    let validator = first.block_on(async { gated(&keys) });
    let called = Arc::new(AtomicBool::new(false));
    let waiting = {
        let (validator, called) = (validator.clone(), Arc::clone(&called));
        std::thread::spawn(move || {
            block_on(&runtime(), async {
                let mut refresh = std::pin::pin!(validator.refresh_now());
                let first = std::future::poll_fn(|cx| {
                    std::task::Poll::Ready(refresh.as_mut().poll(cx).is_ready())
                });
                assert!(!first.await);
                called.store(true, Ordering::SeqCst);
                refresh.await
            })
        })
    };
    let follower = {
        let validator = validator.clone();
        std::thread::spawn(move || block_on(&runtime(), validator.ready()))
    };
    first.block_on(async {
        while keys.started() == 0 || !called.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    drop(first);
    // An `Ok` here would wrongly report that a withdrawn key is no longer in use.
    let error = waiting.join().unwrap().unwrap_err();
    assert!(error.to_string().contains("abandoned"), "{error}");
    // A waiter that only needs keys retries, and fetches on its own runtime.
    keys.open(10);
    follower.join().unwrap();
}

#[test]
fn f32_an_unknown_key_whose_fetch_was_given_up_is_not_the_clients_fault() {
    let keys = GatedKeys::new(&oidc());
    keys.open(1);
    let first = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let validator = first.block_on(async {
        let validator = gated(&keys);
        validator.ready().await;
        validator
    });
    keys.issuer.rotate_keys();
    let token = keys.issuer.token().sign();
    let waiting = {
        let (validator, token) = (validator.clone(), token.clone());
        std::thread::spawn(move || {
            block_on(&runtime(), async move { reason(&validator, &token).await })
        })
    };
    while keys.started() < 2 {
        std::thread::sleep(Duration::from_millis(1));
    }
    first.shutdown_background();
    assert_eq!(waiting.join().unwrap(), Some("keys_unavailable"));
    keys.open(10);
    // The abandoned fetch did not start the cooldown.
    assert_eq!(block_on(&runtime(), reason(&validator, &token)), None);
}
