//! Ratios of the cost of a check to the cost of the bare signature check, measured in turn:
//!
//! ```text
//! cargo bench --bench ratios --all-features [-- PART OF A NAME...]
//! ```

#[path = "support/calls.rs"]
mod calls;
#[path = "support/measure.rs"]
mod measure;
mod support;

use std::hint::black_box;

use calls::{axum, bare, call, request};
use measure::{in_turn, median};
use modeler_auth::{AuthLayer, TokenValidator};
use support::{Signer, hostile_tokens, keycloak_claims, ranks, saas_claims, validate};
use tower::Layer as _;

const ROUNDS: usize = 41;
const CACHE: u64 = 16 << 20;

fn main() {
    println!("| what | floor µs | ratio |\n|---|---:|---:|");
    let rsa = Signer::new("RS256");
    let token = rsa.sign(&keycloak_claims(0));
    let floor = rsa.floor(&token);

    accepted("RS256 Keycloak", &rsa, &token);
    accepted("RS256 SaaS", &rsa, &rsa.sign(&saas_claims(0)));
    for algorithm in ["ES256", "EdDSA"] {
        let signer = Signer::new(algorithm);
        let token = signer.sign(&keycloak_claims(0));
        accepted(&format!("{algorithm} Keycloak"), &signer, &token);
    }
    among_many(&floor);

    let validator = rsa.validator(CACHE);
    for (name, token) in hostile_tokens(&rsa) {
        row(&format!("refused: {name}"), &floor, || {
            assert!(validate(&validator, black_box(&token)).is_err());
        });
    }
    behind_layers(&rsa, &token, &floor);
}

fn accepted(name: &str, signer: &Signer, token: &str) {
    let floor = signer.floor(token);
    for (what, cache) in [("cold", 0), ("again", CACHE)] {
        let validator = signer.validator(cache);
        let name = format!("{what}, {name} ({} bytes)", token.len());
        row(&name, &floor, || accept(&validator, token));
    }
}

fn accept(validator: &TokenValidator, token: &str) {
    assert!(validate(validator, black_box(token)).is_ok());
}

/// What a hit costs does not depend on the signature, so the tokens are of the kind that is made
/// fastest.
fn among_many(floor: &dyn Fn()) {
    const TOKENS: usize = 100_000;
    let name = "again, among 100,000 tokens by Zipf";
    if !is_wanted(name) {
        return;
    }
    let signer = Signer::new("EdDSA");
    let validator = signer.validator(1 << 30);
    let tokens = (0..TOKENS).map(|number| signer.sign(&keycloak_claims(number)));
    let tokens: Vec<_> = tokens.inspect(|token| accept(&validator, token)).collect();
    let ranks: Vec<_> = ranks(TOKENS).take(10 * TOKENS).collect();
    let receive = |turn: &mut usize| {
        *turn += 1;
        let rank = ranks.get(*turn % ranks.len());
        let token = rank.and_then(|rank| tokens.get(*rank)).expect("a rank");
        // What was just received is in the processor's cache.
        black_box(token.bytes().fold(0, |all, byte| all ^ byte));
        token
    };
    let [mut first, mut second] = [0, 0];
    let mut base = || {
        receive(&mut first);
    };
    row_beyond(name, floor, &mut base, || {
        accept(&validator, receive(&mut second));
    });
}

/// Whole calls, but for making the request.
fn behind_layers(signer: &Signer, token: &str, floor: &dyn Fn()) {
    let mut open = bare();
    let open = &mut || drop(black_box(call(&mut open, request(token))));
    let layers = [("cold", 0), ("again", CACHE)]
        .map(|(name, cache)| (name, AuthLayer::new(signer.validator(cache))));
    for (name, layer) in &layers {
        let mut guarded = layer.layer(bare());
        let name = format!("{name}, what the layer adds to a bare service");
        row_beyond(&name, floor, open, || {
            assert!(call(&mut guarded, request(token)).status().is_success());
        });
    }
    let make = &mut || drop(black_box(request(token)));
    let mut open = axum().into_service();
    row_beyond("axum, open", floor, make, || {
        assert!(call(&mut open, request(token)).status().is_success());
    });
    for (name, layer) in layers {
        let mut guarded = axum().layer(layer).into_service();
        row_beyond(&format!("axum, {name}"), floor, make, || {
            assert!(call(&mut guarded, request(token)).status().is_success());
        });
    }
}

fn row(name: &str, floor: &dyn Fn(), ours: impl FnMut()) {
    row_beyond(name, floor, &mut || (), ours);
}

/// The median of the ratios of rounds in which all are measured one after the other; what `base`
/// takes is not counted.
fn row_beyond(name: &str, floor: &dyn Fn(), base: &mut dyn FnMut(), mut ours: impl FnMut()) {
    if !is_wanted(name) {
        return;
    }
    let rounds = in_turn(ROUNDS, &mut [&mut || floor(), base, &mut ours]);
    let floor = median(rounds.iter().map(|[floor, ..]| *floor));
    let ratio = median(
        rounds
            .iter()
            .map(|[floor, base, ours]| (ours - base) / floor),
    );
    println!("| {name} | {:.1} | {ratio:.4} |", floor * 1e6);
}

/// Whether the arguments select `name`. `cargo bench` adds an option to the arguments.
fn is_wanted(name: &str) -> bool {
    let filters = std::env::args().skip(1);
    let mut filters = filters.filter(|filter| filter != "--bench").peekable();
    filters.peek().is_none() || filters.any(|filter| name.contains(&filter))
}
