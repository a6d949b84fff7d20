//! Comparison of two threads with one, without the token cache and with one shared token.
//!
//! ```text
//! cargo bench --bench threads
//! ```

mod support;

use std::{
    hint::black_box,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use support::{Signer, keycloak_claims, validate};

/// The time that `threads` threads take to do `work` so often each.
fn time(threads: usize, times: u64, work: &(impl Fn() + Sync)) -> Duration {
    let barrier = Barrier::new(threads + 1);
    thread::scope(|scope| {
        let run = || {
            barrier.wait();
            for _ in 0..times {
                work();
            }
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        barrier.wait();
        let started = Instant::now();
        for thread in running {
            thread.join().expect("it does not panic");
        }
        started.elapsed()
    })
}

fn threads(criterion: &mut Criterion) {
    let signer = Signer::new("RS256");
    let token = signer.sign(&keycloak_claims(0));
    let floor = signer.floor(&token);
    let (cold, warm) = (signer.validator(0), signer.validator(16 << 20));
    let check = |validator| {
        black_box(validate(validator, black_box(&token))).expect("accepted");
    };
    let cases: [(&str, &(dyn Fn() + Sync)); 3] = [
        ("floor", &floor),
        ("cold", &|| check(&cold)),
        ("one cached token", &|| check(&warm)),
    ];
    for (name, work) in cases {
        let mut group = criterion.benchmark_group(name);
        for threads in [1_u8, 2] {
            group.throughput(Throughput::Elements(threads.into()));
            group.bench_function(format!("{threads} threads"), |bencher| {
                bencher.iter_custom(|times| time(threads.into(), times, &work));
            });
        }
    }
}

criterion_group!(benches, threads);
criterion_main!(benches);
