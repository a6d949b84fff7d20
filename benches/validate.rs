//! Benchmark of checks for new tokens, for repeated tokens, and for tokens among many others. It
//! includes the bare signature check for comparison. `ratios` measures the two in turn.
//!
//! ```text
//! cargo bench --bench validate
//! ```

mod support;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use support::{Signer, keycloak_claims, ranks, saas_claims, validate};

fn one_token(criterion: &mut Criterion) {
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let signer = Signer::new(algorithm);
        for (payload, claims) in [("keycloak", keycloak_claims(0)), ("saas", saas_claims(0))] {
            let token = signer.sign(&claims);
            let mut group = criterion.benchmark_group(format!("{algorithm} {payload}"));
            group.throughput(Throughput::Elements(1));
            let floor = signer.floor(&token);
            group.bench_function("floor", |bencher| bencher.iter(&floor));
            for (name, cache) in [("cold", 0), ("hit", 16 << 20)] {
                let validator = signer.validator(cache);
                group.bench_function(name, |bencher| {
                    bencher.iter(|| validate(&validator, black_box(&token)).expect("accepted"));
                });
            }
        }
    }
}

/// What a hit costs does not depend on the signature, so the tokens are of the kind that is made
/// fastest.
fn many_tokens(criterion: &mut Criterion) {
    let signer = Signer::new("EdDSA");
    let mut group = criterion.benchmark_group("hits among many tokens");
    group.throughput(Throughput::Elements(1));
    for count in [1000, 100_000] {
        let tokens: Vec<_> = (0..count)
            .map(|number| signer.sign(&keycloak_claims(number)))
            .collect();
        let validator = signer.validator(1 << 30);
        for token in &tokens {
            validate(&validator, token).expect("accepted");
        }
        let mut ranks = ranks(count);
        group.bench_function(format!("{count}"), |bencher| {
            bencher.iter(|| {
                let token = ranks.next().and_then(|rank| tokens.get(rank));
                validate(&validator, token.expect("a rank")).expect("accepted")
            });
        });
    }
}

criterion_group!(benches, one_token, many_tokens);
criterion_main!(benches);
