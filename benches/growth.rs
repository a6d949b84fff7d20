//! Benchmark of time and memory by the number of live tokens, issuers and keys, and by token size.
//!
//! ```text
//! cargo bench --bench growth
//! ```

#[path = "support/measure.rs"]
mod measure;
mod support;

use std::hint::black_box;

use measure::{in_turn, median};
use modeler_auth::{Issuer, TokenValidator, TokenValidatorBuilder, keys::StaticKeys};
use modeler_auth_testkit::heap::{ByThread, CountingAllocator, held};
use serde_json::json;
use support::{ORGANIZATION, REALM, SAAS, Signer, keycloak_claims, ranks, saas_claims, validate};

#[global_allocator]
static ALLOCATOR: CountingAllocator<ByThread> = CountingAllocator::new();

const ROUNDS: usize = 21;

fn main() {
    // The kind of signature that is made fastest; a hit does not depend on it.
    let signer = Signer::new("EdDSA");
    live_tokens(&signer);
    issuers(&signer);
    keys(&signer);
    token_size();
}

fn accept(validator: &TokenValidator, token: &str) {
    assert!(validate(validator, black_box(token)).is_ok());
}

fn live_tokens(signer: &Signer) {
    println!(
        "| live tokens | bytes each, beside the token | again, all remembered, ns | again, 16 MiB, by Zipf, µs |"
    );
    println!("|---:|---:|---:|---:|");
    for count in [1, 10, 100, 1000, 10_000, 100_000, 1_000_000] {
        let tokens: Vec<_> = (0..count)
            .map(|number| signer.sign(&saas_claims(number)))
            .collect();
        let (roomy, usual) = (signer.validator(16 << 30), signer.validator(16 << 20));
        let before = held();
        tokens.iter().for_each(|token| accept(&roomy, token));
        let texts: usize = tokens.iter().map(String::len).sum();
        let beside = (held() - before - texts.cast_signed()) / count.cast_signed();
        tokens.iter().for_each(|token| accept(&usual, token));

        let mut any = fastrand::Rng::with_seed(1);
        let mut ranks = ranks(count);
        let mut remembered = || accept(&roomy, &tokens[any.usize(..count)]);
        let mut by_zipf = || accept(&usual, &tokens[ranks.next().expect("a rank")]);
        let rounds = in_turn(ROUNDS, &mut [&mut remembered, &mut by_zipf]);
        let remembered = median(rounds.iter().map(|[time, _]| time * 1e9));
        let by_zipf = median(rounds.iter().map(|[_, time]| time * 1e6));
        println!("| {count} | {beside} | {remembered:.0} | {by_zipf:.2} |");
    }
}

fn issuers(signer: &Signer) {
    let name = |number: usize| format!("https://issuer-{number}.example/realms/camunda-platform");
    let keys = signer.jwks();
    let validator = |count, cache| {
        let builder = TokenValidator::builder().token_cache_bytes(cache);
        let issuers = (0..count).map(|number| {
            let issuer = Issuer::self_managed(name(number));
            issuer.keys(StaticKeys::from_jwks(keys.clone()))
        });
        let builder = issuers.fold(builder, TokenValidatorBuilder::issuer);
        builder.build().expect("a good configuration")
    };
    heading("issuers");
    for count in [1, 10, 100] {
        let mut claims = keycloak_claims(0);
        claims["iss"] = json!(name(count - 1));
        row(count, &signer.sign(&claims), |cache| {
            validator(count, cache)
        });
    }
}

fn keys(signer: &Signer) {
    heading("keys of an issuer");
    for count in [1, 10, 100] {
        let others = (1..count).map(|number| {
            let mut key = Signer::new("EdDSA").jwk();
            key["kid"] = json!(number.to_string());
            key
        });
        let keys: Vec<_> = others.chain([signer.jwk()]).collect();
        let keys = json!({ "keys": keys }).to_string();
        let token = signer.sign(&keycloak_claims(0));
        row(count, &token, |cache| {
            let realm = Issuer::self_managed(REALM);
            let realm = realm.keys(StaticKeys::from_jwks(keys.clone()));
            let builder = TokenValidator::builder()
                .issuer(realm)
                .token_cache_bytes(cache);
            builder.build().expect("a good configuration")
        });
    }
}

fn heading(what: &str) {
    println!("\n| {what} | bytes each | cold, µs | again, ns |\n|---:|---:|---:|---:|");
}

fn row(count: usize, token: &str, validator: impl Fn(u64) -> TokenValidator) {
    let before = held();
    let cold = validator(0);
    let bytes = (held() - before) / count.cast_signed();
    let warm = validator(16 << 20);
    let [cold, again] = cold_and_again(&cold, &warm, token);
    println!(
        "| {count} | {bytes} | {:.1} | {:.0} |",
        cold * 1e6,
        again * 1e9
    );
}

fn token_size() {
    println!("\n| bytes of the token | bare check, µs | cold, ratio | again, ns |");
    println!("|---:|---:|---:|---:|");
    let signer = Signer::new("RS256");
    let (cold, warm) = (signer.validator(0), signer.validator(16 << 20));
    // Nothing but what a token must have, and as much again as makes it just so large.
    let mut claims = json!({
        "iss": SAAS, "aud": "api.cloud.camunda.io", "exp": 4_102_444_800_u64,
        "https://camunda.com/orgId": ORGANIZATION,
    });
    let smallest = signer.sign(&claims).len();
    for size in [0_usize, 1, 2, 4, 8, 16] {
        let missing = (size * 1024).saturating_sub(smallest + 40);
        if missing > 0 {
            claims["padding"] = json!("x".repeat(missing * 3 / 4));
        }
        let token = signer.sign(&claims);
        let floor = signer.floor(&token);
        let rounds = in_turn(
            ROUNDS,
            &mut [&mut || floor(), &mut || accept(&cold, &token), &mut || {
                accept(&warm, &token)
            }],
        );
        let floor = median(rounds.iter().map(|[floor, ..]| floor * 1e6));
        let ratio = median(rounds.iter().map(|[floor, cold, _]| cold / floor));
        let again = median(rounds.iter().map(|[.., again]| again * 1e9));
        println!("| {} | {floor:.1} | {ratio:.3} | {again:.0} |", token.len());
    }
}

fn cold_and_again(cold: &TokenValidator, warm: &TokenValidator, token: &str) -> [f64; 2] {
    let works: &mut [&mut dyn FnMut(); 2] =
        &mut [&mut || accept(cold, token), &mut || accept(warm, token)];
    let rounds = in_turn(ROUNDS, works);
    [0, 1].map(|which| median(rounds.iter().map(|round: &[f64; 2]| round[which])))
}
