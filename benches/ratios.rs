//! What a check costs beside the bare signature check, measured in turn and given as ratios:
//!
//! ```text
//! cargo bench --bench ratios --all-features [-- PART OF A NAME...]
//! ```

mod support;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use support::{Signer, hostile_tokens, keycloak_claims, saas_claims, validate};

const ROUNDS: usize = 41;

fn main() {
    let rsa = Signer::new("RS256");
    let rows: [(&str, &Signer, String); 4] = [
        ("RS256 Keycloak", &rsa, rsa.sign(&keycloak_claims(0))),
        ("RS256 SaaS", &rsa, rsa.sign(&saas_claims(0))),
        ("ES256 Keycloak", &Signer::new("ES256"), String::new()),
        ("EdDSA Keycloak", &Signer::new("EdDSA"), String::new()),
    ];
    println!("| what | floor µs | ratio |\n|---|---:|---:|");
    for (name, signer, token) in rows {
        let token = if token.is_empty() {
            signer.sign(&keycloak_claims(0))
        } else {
            token
        };
        let floor = signer.floor(&token);
        let validator = signer.validator(0);
        row(
            &format!("cold, {name} ({} bytes)", token.len()),
            &floor,
            || {
                let access = validate(&validator, black_box(&token));
                assert!(access.is_ok());
            },
        );
        let validator = signer.validator(16 << 20);
        row(&format!("again, {name}"), &floor, || {
            let access = validate(&validator, black_box(&token));
            assert!(access.is_ok());
        });
    }
    let floor = rsa.floor(&rsa.sign(&keycloak_claims(0)));
    let validator = rsa.validator(16 << 20);
    for (name, token) in hostile_tokens(&rsa) {
        row(&format!("refused: {name}"), &floor, || {
            let access = validate(&validator, black_box(&token));
            assert!(access.is_err());
        });
    }
}

/// The median of the ratios of rounds in which both are measured one after the other.
fn row(name: &str, floor: &dyn Fn(), mut ours: impl FnMut()) {
    // `cargo bench` adds an option of its own.
    let mut filters = std::env::args()
        .skip(1)
        .filter(|filter| filter != "--bench")
        .peekable();
    if filters.peek().is_some() && !filters.any(|filter| name.contains(&filter)) {
        return;
    }
    let (mut floors, mut ratios) = (Vec::new(), Vec::new());
    let per_round = |work: &mut dyn FnMut()| {
        // As many repetitions as take some milliseconds.
        let started = Instant::now();
        let mut repetitions = 0_u32;
        while started.elapsed() < Duration::from_millis(5) {
            work();
            repetitions += 1;
        }
        let repetitions = repetitions.max(1);
        let started = Instant::now();
        for _ in 0..repetitions {
            work();
        }
        started.elapsed().as_secs_f64() / f64::from(repetitions)
    };
    for _ in 0..ROUNDS {
        let floor = per_round(&mut || floor());
        let ours = per_round(&mut ours);
        floors.push(floor);
        ratios.push(ours / floor);
    }
    floors.sort_by(f64::total_cmp);
    ratios.sort_by(f64::total_cmp);
    let [floor, ratio] = [&floors, &ratios].map(|sorted| sorted[ROUNDS / 2]);
    println!("| {name} | {:.1} | {ratio:.4} |", floor * 1e6);
}
