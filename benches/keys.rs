//! Benchmarks of checks during key replacement, and of the replacement itself.
//!
//! ```text
//! cargo bench --bench keys --all-features
//! ```

mod support;

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use modeler_auth::{Issuer, TokenValidator, keys::StaticKeys, test_util::TestIssuer};
use serde_json::{Value, json};
use support::{Signer, validate};
use tokio::runtime::Builder;

/// A hit for which the keys are looked at, alone and while they are fetched all the time.
fn read_under_refresh(criterion: &mut Criterion) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let issuer = TestIssuer::self_managed();
    let builder = TokenValidator::builder().issuer(issuer.issuer());
    let validator = {
        let _entered = runtime.enter();
        builder.build().expect("a good configuration")
    };
    runtime.block_on(validator.ready());
    let token = issuer.token().sign();
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Elements(1));
    let mut read = |name: &str| {
        group.bench_function(name, |bencher| {
            bencher.iter(|| validate(&validator, black_box(&token)).expect("accepted"));
        });
    };
    read("at rest");
    let is_over = Arc::new(AtomicBool::new(false));
    let refreshing = {
        let (validator, is_over) = (validator.clone(), Arc::clone(&is_over));
        runtime.spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                validator.refresh_now().await.expect("refreshed");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
    };
    read("while keys are fetched 1000 times a second");
    is_over.store(true, Ordering::Relaxed);
    runtime.block_on(refreshing).expect("it ends");
}

/// A set of 100 keys is read.
fn read_key_set(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read 100 keys");
    group.throughput(Throughput::Elements(100));
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let key = Signer::new(algorithm).jwk();
        let keys: Vec<Value> = (0..100)
            .map(|number| {
                let mut key = key.clone();
                key["kid"] = json!(format!("key-{number}"));
                key
            })
            .collect();
        let keys = StaticKeys::from_jwks(json!({ "keys": keys }).to_string());
        group.bench_function(algorithm, |bencher| {
            bencher.iter(|| {
                let issuer = Issuer::oidc("https://issuer.example/");
                let issuer = issuer.audience("api").keys(keys.clone());
                TokenValidator::builder()
                    .issuer(issuer)
                    .build()
                    .expect("good keys")
            });
        });
    }
}

criterion_group!(benches, read_under_refresh, read_key_set);
criterion_main!(benches);
