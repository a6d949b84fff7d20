//! Measurements of the statements in `docs/reliability.md`, printed as a table:
//!
//! ```text
//! cargo bench --bench reliability --all-features
//! ```

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use modeler_auth::{
    Issuer, TokenValidator,
    test_util::{TestClock, TestIssuer},
};
use modeler_auth_testkit::server::Server;
use tokio::{runtime::Builder, task::JoinSet};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

fn main() {
    println!("| what | measured |\n|---|---|");
    cold_herd();
    unknown_key_flood();
    outage(false);
    outage(true);
    withdrawal();
    cancellation();
    isolation();
}

fn row(what: &str, measured: &str) {
    println!("| {what} | {measured} |");
}

fn oidc() -> TestIssuer {
    TestIssuer::oidc("https://issuer.example/")
}

fn validator(issuer: &TestIssuer) -> TokenValidator {
    let builder = TokenValidator::builder().issuer(issuer.issuer());
    builder.build().expect("a good configuration")
}

async fn reason(validator: &TokenValidator, token: &str) -> Option<&'static str> {
    let outcome = validator.validate(token).await;
    outcome.err().map(|error| error.reason())
}

fn quantile(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a position in a short list"
    )]
    let position = (times.len() as f64 * share) as usize;
    times.get(position).copied().unwrap_or_default()
}

/// Requests that all come before the first key, over real HTTP.
fn cold_herd() {
    let runtime = Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let server = Server::start().await;
        let url = server.url("");
        let issuer = TestIssuer::oidc(&url);
        server.discovery("", &url, &server.url("/jwks"));
        server.slow_text("/jwks", Duration::from_millis(100), issuer.jwks());

        let trusted = Issuer::oidc(&url).audience("test");
        let validator = TokenValidator::builder().issuer(trusted).build();
        let validator = validator.expect("a good configuration");
        let token: Arc<str> = issuer.token().sign().into();
        let mut requests = JoinSet::new();
        for _ in 0..10_000 {
            let (validator, token) = (validator.clone(), Arc::clone(&token));
            requests.spawn(async move {
                let started = Instant::now();
                (reason(&validator, &token).await, started.elapsed())
            });
        }
        let outcomes = requests.join_all().await;
        let errors = outcomes
            .iter()
            .filter(|(reason, _)| reason.is_some())
            .count();
        let mut times: Vec<_> = outcomes.into_iter().map(|(_, time)| time).collect();
        row(
            "10,000 concurrent requests, no keys yet, the key set takes 100 ms",
            &format!(
                "{} discovery, {} fetch, {errors} errors, p99 {} ms",
                server.count("/.well-known/openid-configuration"),
                server.count("/jwks"),
                quantile(&mut times, 0.99).as_millis(),
            ),
        );
    });
}

/// Valid requests on one thread, alone and, in turn, while another one sends 50,000 tokens with
/// unknown key ids a second.
fn unknown_key_flood() {
    let issuer = oidc();
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let validator = runtime.block_on(async {
        let validator = validator(&issuer);
        validator.ready().await;
        validator
    });
    let token = issuer.token().sign();
    let (message, signature) = token.rsplit_once('.').expect("a token");
    let (_, claims) = message.split_once('.').expect("a token");
    // 100,000 different ids, made before the clock starts.
    let junk: Vec<String> = (0..100_000)
        .map(|number| {
            let header = format!("{{\"alg\":\"RS256\",\"kid\":\"junk-{number}\"}}");
            format!("{}.{claims}.{signature}", URL_SAFE_NO_PAD.encode(header))
        })
        .collect();
    let block_on = |token: &str| {
        let handle = runtime.handle();
        handle.block_on(reason(&validator, token))
    };
    let measure = || {
        let mut times = Vec::with_capacity(20_000);
        for _ in 0..20_000 {
            let started = Instant::now();
            assert_eq!(block_on(&token), None);
            times.push(started.elapsed());
        }
        quantile(&mut times, 0.5)
    };
    let flooded = || {
        let stop = AtomicBool::new(false);
        let sent = AtomicUsize::new(0);
        let median = std::thread::scope(|scope| {
            scope.spawn(|| {
                for token in junk.iter().cycle() {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    block_on(token);
                    if sent.fetch_add(1, Ordering::Relaxed).is_multiple_of(50) {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                }
            });
            let median = measure();
            while sent.load(Ordering::Relaxed) < junk.len() {
                std::thread::yield_now();
            }
            stop.store(true, Ordering::Relaxed);
            median
        });
        (median, sent.into_inner())
    };
    let fetches = issuer.fetches();
    let mut ratios = Vec::new();
    let mut sent = 0;
    let started = Instant::now();
    for _ in 0..5 {
        let calm = measure();
        let (median, count) = flooded();
        sent += count;
        ratios.push(median.as_secs_f64() / calm.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    row(
        "valid requests during bursts of 100,000 unknown key ids",
        &format!(
            "{} extra fetch for {sent} ids in {:.0} s, median {:+.0} % (of 5 rounds)",
            issuer.fetches() - fetches,
            started.elapsed().as_secs_f64(),
            (ratios[2] - 1.0) * 100.0
        ),
    );
}

/// An hour without the issuer, and what comes after.
fn outage(with_flood: bool) {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(async {
        let issuer = oidc();
        let builder = TokenValidator::builder().issuer(issuer.issuer());
        let validator = builder.clock(TestClock::new()).build();
        let validator = validator.expect("a good configuration");
        let token = issuer.token().expires_in(3 * HOUR).sign();
        let junk = issuer
            .token()
            .expires_in(3 * HOUR)
            .header("kid", "junk")
            .sign();
        validator.ready().await;
        issuer.fail_fetches(true);
        let (mut requests, mut failed) = (0, 0);
        let start = tokio::time::Instant::now();
        while start.elapsed() < HOUR - Duration::from_secs(1) {
            if with_flood {
                reason(&validator, &junk).await;
            }
            requests += 1;
            failed += usize::from(reason(&validator, &token).await.is_some());
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let fetches = issuer.fetches() - 1;
        tokio::time::sleep(MINUTE).await;
        let mut after = Vec::new();
        for _ in 0..100 {
            after.push(reason(&validator, &token).await);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let unavailable = after.iter().filter(|one| **one == Some("keys_unavailable"));
        let unavailable = unavailable.count();
        let flood = if with_flood {
            ", unknown key ids all the while"
        } else {
            ""
        };
        row(
            &format!("an issuer that is down for an hour{flood}"),
            &format!(
                "{failed} of {requests} valid requests failed, {fetches} attempts; \
                 after `key_max_stale` {unavailable} % 503, {} % 401",
                100 - unavailable
            ),
        );
    });
}

/// How long a withdrawn key is trusted.
fn withdrawal() {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(async {
        let mut longest = Duration::ZERO;
        for _ in 0..20 {
            let issuer = oidc();
            let builder = TokenValidator::builder().issuer(issuer.issuer());
            let validator = builder.clock(TestClock::new()).build();
            let validator = validator.expect("a good configuration");
            let token = issuer.token().expires_in(HOUR).sign();
            validator.ready().await;
            issuer.rotate_keys();
            issuer.withdraw_old_keys();
            let start = tokio::time::Instant::now();
            while reason(&validator, &token).await.is_none() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            longest = longest.max(start.elapsed());
        }
        row(
            "a withdrawn key, `key_max_age` 300 s, 20 rounds",
            &format!("trusted for {:.0} s at the most", longest.as_secs_f64()),
        );
    });
}

/// Requests that are dropped while they wait.
fn cancellation() {
    let runtime = Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let issuer = oidc();
        let validator = validator(&issuer);
        validator.ready().await;
        let alive = || {
            tokio::runtime::Handle::current()
                .metrics()
                .num_alive_tasks()
        };
        let before = (issuer.fetches(), alive());
        let token: Arc<str> = issuer.token().header("kid", "junk").sign().into();
        let mut random = fastrand::Rng::with_seed(1);
        let mut requests = JoinSet::new();
        for _ in 0..10_000 {
            let (validator, token) = (validator.clone(), Arc::clone(&token));
            requests.spawn(async move { reason(&validator, &token).await });
            if random.u8(..) < 32 {
                requests.abort_all();
            }
        }
        requests.shutdown().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        row(
            "10,000 requests for an unknown key, dropped at random",
            &format!(
                "{} extra fetch, {} more tasks afterwards",
                issuer.fetches() - before.0,
                alive() - before.1
            ),
        );
    });
}

/// Seven issuers that answer, with an eighth one that does or does not.
fn isolation() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let setup = |dead: bool| {
        let issuers: Vec<_> = (0..8)
            .map(|number| TestIssuer::oidc(&format!("https://{number}.example/")))
            .collect();
        issuers[7].fail_fetches(dead);
        let builder = issuers
            .iter()
            .fold(TokenValidator::builder(), |builder, issuer| {
                builder.issuer(issuer.issuer())
            });
        let validator = runtime.block_on(async {
            let validator = builder.build().expect("a good configuration");
            validator.any_ready().await;
            for issuer in &issuers {
                reason(&validator, &issuer.token().sign()).await;
            }
            validator
        });
        (validator, issuers)
    };
    let (calm, troubled) = (setup(false), setup(true));
    let measure = |(validator, issuers): &(TokenValidator, Vec<TestIssuer>)| {
        let tokens: Vec<_> = issuers.iter().map(|issuer| issuer.token().sign()).collect();
        let mut times = Vec::new();
        for round in 0..3000 {
            runtime.block_on(reason(validator, &tokens[7]));
            let started = Instant::now();
            let outcome = runtime.block_on(reason(validator, &tokens[round % 7]));
            times.push(started.elapsed());
            assert_eq!(outcome, None);
        }
        quantile(&mut times, 0.5)
    };
    let mut ratios: Vec<_> = (0..7)
        .map(|_| {
            let calm = measure(&calm).as_secs_f64();
            measure(&troubled).as_secs_f64() / calm
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    row(
        "one dead issuer of eight, requests for it in between",
        &format!(
            "median of the others {:+.0} % (of 7 rounds)",
            (ratios[3] - 1.0) * 100.0
        ),
    );
}
