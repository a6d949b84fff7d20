//! Metrics: the table of `docs/metrics.md` against those that a recorder gets.
#![cfg(all(feature = "metrics", feature = "test-util"))]

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    time::Duration,
};

use http::{Request, Response, StatusCode};
use metrics_util::{
    MetricKind,
    debugging::{DebugValue, DebuggingRecorder, Snapshotter},
};
use modeler_auth::{
    AuthLayer, Permission, RequirePermissionLayer, TokenValidator,
    access::{Grant, GrantError, GrantFuture, GrantRequest, GrantSource},
    test_util::{TestClock, TestIssuer},
};
use tower::{Layer as _, ServiceExt as _, service_fn};

/// Runs `test` with a recorder for this thread.
fn recorded(test: impl AsyncFnOnce()) -> Snapshotter {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        modeler_auth::metrics::describe();
        runtime.block_on(test());
    });
    snapshotter
}

/// Series as `name{label=value,..}` with its kind and value.
fn series(snapshotter: &Snapshotter) -> BTreeMap<String, (&'static str, f64)> {
    let snapshot = snapshotter.snapshot().into_vec().into_iter();
    snapshot
        .map(|(key, _, description, value)| {
            assert!(description.is_some(), "{key:?}");
            let kind = match key.kind() {
                MetricKind::Counter => "counter",
                MetricKind::Gauge => "gauge",
                MetricKind::Histogram => "histogram",
            };
            let labels: Vec<_> = key
                .key()
                .labels()
                .map(|label| format!("{}={}", label.key(), label.value()))
                .collect();
            let value = match value {
                DebugValue::Counter(count) => f64::from(u32::try_from(count).unwrap()),
                DebugValue::Gauge(value) => value.into_inner(),
                DebugValue::Histogram(values) => f64::from(u32::try_from(values.len()).unwrap()),
            };
            let name = format!("{}{{{}}}", key.key().name(), labels.join(","));
            (name, (kind, value))
        })
        .collect()
}

async fn send(layer: &AuthLayer, authorization: Option<&str>) -> StatusCode {
    let inner =
        service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new())));
    let inner = RequirePermissionLayer::new(Permission::Read).layer(inner);
    let mut request = Request::builder();
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    let response = layer.layer(inner).oneshot(request.body(()).unwrap()).await;
    response.unwrap().status()
}

struct Source;

impl GrantSource for Source {
    fn fetch<'a>(&'a self, request: GrantRequest<'a>) -> GrantFuture<'a> {
        Box::pin(async move {
            match request.claims().subject() {
                Some("refused") => Err(GrantError::refused("the test says so")),
                Some("unavailable") => Err(GrantError::unavailable("the test says so")),
                _ => {
                    let mut grant = Grant::default();
                    grant.permissions.insert(Permission::Read);
                    Ok(grant)
                }
            }
        })
    }
}

#[test]
fn each_metric_is_recorded_with_its_labels() {
    let snapshotter = recorded(async || {
        let issuer = TestIssuer::self_managed();
        let clock = TestClock::new();
        let granting = TestIssuer::oidc("https://granting.example/");
        let validator = TokenValidator::builder()
            .issuer(issuer.issuer())
            .issuer(granting.issuer().grants_from(Source))
            .clock(clock.clone())
            .build()
            .unwrap();
        let layer = AuthLayer::new(validator.clone());
        let bearer = |token: String| format!("Bearer {token}");
        let good = bearer(issuer.token().sign());
        let creator = issuer.token().permissions([Permission::Create]);
        let creator = bearer(creator.sign());
        for (authorization, status) in [
            (Some(&*good), 200),
            (Some(&good), 200),
            (Some(&good), 200),
            (Some(&creator), 403),
            (Some("Bearer junk"), 401),
            (None, 401),
        ] {
            assert_eq!(send(&layer, authorization).await, status);
        }
        let optional = AuthLayer::new(validator.clone()).optional();
        let inner = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(())));
        let response = optional.layer(inner).oneshot(Request::new(())).await;
        assert_eq!(response.unwrap().status(), 200);
        for (subject, status) in [("granted", 200), ("refused", 401), ("unavailable", 503)] {
            let token = granting.token().subject(subject).sign();
            assert_eq!(send(&layer, Some(&bearer(token))).await, status);
        }
        issuer.fail_fetches(true);
        assert!(validator.refresh_now().await.is_err());
        clock.advance(Duration::from_secs(24 * 60 * 60));
        assert!(validator.refresh_now().await.is_err());
    });
    let found = series(&snapshotter);
    let issuer = TestIssuer::self_managed();
    let of = |name: &str| {
        let name = name.replace("ISSUER", issuer.name());
        found.get(&name).map(|(_, value)| *value)
    };
    for (name, expected) in [
        ("modeler_auth_requests_total{outcome=accepted,reason=}", 4.0),
        (
            "modeler_auth_requests_total{outcome=anonymous,reason=}",
            1.0,
        ),
        (
            "modeler_auth_requests_total{outcome=rejected,reason=insufficient_scope}",
            1.0,
        ),
        (
            "modeler_auth_requests_total{outcome=rejected,reason=malformed_token}",
            1.0,
        ),
        (
            "modeler_auth_requests_total{outcome=rejected,reason=missing_token}",
            1.0,
        ),
        (
            "modeler_auth_requests_total{outcome=rejected,reason=grant_refused}",
            1.0,
        ),
        (
            "modeler_auth_requests_total{outcome=rejected,reason=grant_unavailable}",
            1.0,
        ),
        ("modeler_auth_token_cache_lookups_total{result=hit}", 3.0),
        (
            "modeler_auth_key_events_total{issuer=ISSUER,event=failed,class=other}",
            2.0,
        ),
        (
            "modeler_auth_key_events_total{issuer=ISSUER,event=fetched,class=}",
            1.0,
        ),
        (
            "modeler_auth_key_events_total{issuer=ISSUER,event=stale_expired,class=}",
            1.0,
        ),
        ("modeler_auth_keys{issuer=ISSUER}", 0.0),
        (
            "modeler_auth_grant_fetches_total{issuer=https://granting.example/,outcome=granted}",
            1.0,
        ),
        (
            "modeler_auth_grant_fetches_total{issuer=https://granting.example/,outcome=refused}",
            1.0,
        ),
        (
            "modeler_auth_grant_fetches_total{issuer=https://granting.example/,outcome=unavailable}",
            1.0,
        ),
    ] {
        assert_eq!(of(name), Some(expected), "{name}: {found:#?}");
    }
    let fetched_at = of("modeler_auth_keys_fetched_timestamp_seconds{issuer=ISSUER}").unwrap();
    assert!(fetched_at > 1.7e9, "{fetched_at}");
    let limit = of("modeler_auth_token_cache_limit_bytes{}").unwrap();
    assert!(of("modeler_auth_token_cache_bytes{}").unwrap() < limit);
    let checks = of("modeler_auth_token_check_duration_seconds{}");
    assert_eq!(
        checks,
        of("modeler_auth_token_cache_lookups_total{result=miss}")
    );

    // The table has exactly these names, kinds and labels.
    let recorded: BTreeSet<_> = found
        .iter()
        .map(|(name, (kind, _))| {
            let (name, labels) = name.split_once('{').unwrap();
            let labels: Vec<_> = labels
                .trim_end_matches('}')
                .split(',')
                .filter_map(|label| Some(format!("`{}`", label.split_once('=')?.0)))
                .collect();
            let labels = match labels.join(", ") {
                none if none.is_empty() => "none".to_owned(),
                labels => labels,
            };
            format!("| `{name}` | {kind} | {labels} |")
        })
        .collect();
    let page = include_str!("../docs/metrics.md");
    let documented = page
        .lines()
        .filter(|line| line.starts_with("| `modeler_auth_"));
    let documented: BTreeSet<_> = documented
        .map(|line| {
            let columns: Vec<_> = line.split('|').take(4).collect();
            format!("{}|", columns.join("|"))
        })
        .collect();
    assert_eq!(recorded, documented);
}

#[test]
fn the_dashboard_and_the_alerts_use_the_metrics_of_the_table() {
    let names = |text: &str| -> BTreeSet<String> {
        let names = text.split(|char: char| char != '_' && !char.is_ascii_alphanumeric());
        let names = names.filter(|name| name.starts_with("modeler_auth_"));
        names
            .map(|name| name.trim_end_matches("_bucket").to_owned())
            .collect()
    };
    let table = include_str!("../docs/metrics.md");
    let table = table.lines().filter(|line| line.starts_with("| `modeler"));
    let table = table.filter_map(|line| line.split('`').nth(1));
    let table: BTreeSet<_> = table.map(str::to_owned).collect();
    assert_eq!(
        names(include_str!("../examples/operate/dashboard.json")),
        table
    );
    let alerts = names(include_str!("../examples/operate/alerts.yml"));
    assert!(alerts.len() > 4 && alerts.is_subset(&table), "{alerts:?}");
}

#[test]
fn an_issuer_without_usable_keys_has_a_series_with_0_keys() {
    let issuer = TestIssuer::self_managed();
    let name = format!("modeler_auth_keys{{issuer={}}}", issuer.name());
    let keys = |fetches_before: usize| {
        let snapshotter = recorded(async || {
            let validator = TokenValidator::builder().issuer(issuer.issuer());
            let validator = validator.build().unwrap();
            issuer.fail_fetches(false);
            for _ in 0..fetches_before {
                validator.refresh_now().await.unwrap();
            }
            issuer.fail_fetches(true);
            assert!(validator.refresh_now().await.is_err());
        });
        series(&snapshotter)[&name].1
    };
    issuer.fail_fetches(true);
    assert_eq!(keys(0), 0.0);
    // Known keys stay in use.
    assert_eq!(keys(1), 1.0);
}

#[test]
fn a97_requests_create_no_series_of_their_own() {
    let count = |requests: usize| {
        let snapshotter = recorded(async || {
            let issuer = TestIssuer::self_managed();
            let validator = TokenValidator::builder().issuer(issuer.issuer());
            let layer = AuthLayer::new(validator.build().unwrap());
            for number in 0..requests {
                let odd = format!("odd \"{number}\n{{}}");
                let token = issuer.token();
                let token = match number % 8 {
                    0 => token.claim("iss", &*odd),
                    1 => token.claim("aud", &*odd),
                    2 => token.claim("sub", &*odd),
                    3 => token.claim("azp", &*odd),
                    4 => token.claim("scope", &*odd),
                    5 => token.header("kid", &*odd),
                    6 => token.header("alg", &*odd),
                    _ => token.header("typ", &*odd),
                };
                let scheme = if number % 3 == 0 {
                    "Bearer"
                } else {
                    &*format!("S{number}")
                };
                send(&layer, Some(&format!("{scheme} {}", token.sign()))).await;
            }
        });
        series(&snapshotter).len()
    };
    let few = count(48);
    assert!(few > 8, "{few}");
    assert_eq!(count(480), few);
}
