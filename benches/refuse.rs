//! Benchmark of rejections.
//!
//! ```text
//! cargo bench --bench refuse
//! ```

mod support;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use support::{Signer, hostile_tokens, keycloak_claims, validate};

fn refuse(criterion: &mut Criterion) {
    let signer = Signer::new("RS256");
    let validator = signer.validator(16 << 20);
    let mut group = criterion.benchmark_group("refuse");
    group.throughput(Throughput::Elements(1));
    let floor = signer.floor(&signer.sign(&keycloak_claims(0)));
    group.bench_function("floor", |bencher| bencher.iter(&floor));
    for (name, token) in hostile_tokens(&signer) {
        group.bench_function(name, |bencher| {
            bencher.iter(|| validate(&validator, black_box(&token)).expect_err("refused"));
        });
    }
}

criterion_group!(benches, refuse);
criterion_main!(benches);
