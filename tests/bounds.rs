//! Memory and time costs of the worst inputs. Bytes are exact and asserted; times are only printed:
//!
//! ```text
//! cargo test --release --all-features --test bounds -- --nocapture
//! ```
//!
//! The only test of its process, since it counts what the process allocates.

#[path = "support/target.rs"]
mod target;

use std::{task::Poll, time::Instant};

use modeler_auth_testkit::{
    heap::{ByThread, CountingAllocator, peak},
    poll::poll_once,
    signer::{ISSUER, Key, claims},
};
use serde_json::json;
use target::Target;

#[global_allocator]
static ALLOCATOR: CountingAllocator<ByThread> = CountingAllocator::new();

/// A number close to the midpoint between two `f64`s. Parsing it as an `f64` takes about 10 µs.
const HALF_WAY: &str = "24703282292062327208e-343";

/// Member names cost most: the parser keeps each name while it reads the object.
fn key_sets_cost_a_multiple_of_their_size() {
    let names = |write: fn(usize) -> String| {
        let mut names = String::new();
        while names.len() < 250_000 {
            let number = names.len();
            names.push_str(&format!("\"{}\":0,", write(number)));
        }
        format!("{{{names}\"keys\":[]}}")
    };
    for (name, set) in [
        ("short names", names(|number| format!("{number:x}"))),
        (
            "escaped names",
            names(|number| format!("\\u0061{number:x}")),
        ),
    ] {
        let parse = || {
            let issuer = modeler_auth::Issuer::oidc(ISSUER).audience("api");
            let keys = modeler_auth::keys::StaticKeys::from_jwks(set.clone());
            let builder = modeler_auth::TokenValidator::builder().issuer(issuer.keys(keys));
            builder.build().is_err()
        };
        let (held, is_rejected) = peak(parse);
        println!(
            "| {name} of a key set | {} | {is_rejected} | {held} | |",
            set.len()
        );
        // The count includes the clone of the set that this test makes.
        assert!(
            is_rejected && held <= 7 * isize::try_from(set.len()).unwrap(),
            "{name}: {held}"
        );
    }
}

#[test]
fn the_nastiest_inputs_cost_little() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let header = key.header().to_string();
    let payload = |member: &str| {
        claims()
            .to_string()
            .replacen('{', &format!("{{{member},"), 1)
    };
    let with = |member: &str| key.token(&header, payload(member));
    let list = |element: &str, times: usize| vec![element; times].join(",");
    let names = |times: usize| {
        let members = (0..times).map(|number| format!("\"{number:x}\":0"));
        members.collect::<Vec<_>>().join(",")
    };
    let nasty = [
        ("a good token", key.good()),
        (
            "the largest good token",
            key.with_claim("x", "y".repeat(11_800)),
        ),
        ("a megabyte of dots", ".".repeat(1 << 20)),
        ("16 KiB of dots", ".".repeat(16 * 1024)),
        ("a megabyte of text", "a".repeat(1 << 20)),
        (
            "three large parts",
            format!("{0}.{0}.{0}", "A".repeat(5400)),
        ),
        (
            "deep arrays",
            with(&format!("\"x\":{}{}", "[".repeat(5500), "]".repeat(5500))),
        ),
        (
            "deep objects",
            with(&format!(
                "\"x\":{}1{}",
                "{\"a\":".repeat(1800),
                "}".repeat(1800)
            )),
        ),
        (
            "the deepest allowed",
            with(&format!("\"x\":{}{}", "[".repeat(31), "]".repeat(31))),
        ),
        (
            "deep in the header",
            key.token(format!("{{\"x\":{}", "[".repeat(11_000)), "{}"),
        ),
        ("many audiences", key.with_claim("aud", vec!["a"; 2800])),
        ("many members", with(&names(1000))),
        (
            "many members in the header",
            key.token(format!("{{{},\"alg\":\"EdDSA\"}}", names(1000)), "{}"),
        ),
        (
            "a member twice, at the end",
            with(&format!("{},\"0\":1", names(1000))),
        ),
        (
            "a long number",
            with(&format!("\"x\":{}", "9".repeat(11_000))),
        ),
        (
            "a long fraction",
            with(&format!("\"x\":0.{}", "9".repeat(11_000))),
        ),
        ("a huge exponent", with("\"x\":1e999999999")),
        (
            "numbers half way between two",
            with(&format!("\"x\":[{}]", list(HALF_WAY, 450))),
        ),
        (
            "numbers half way between two, in the header",
            key.token(format!("{{\"x\":[{}]}}", list(HALF_WAY, 450)), "{}"),
        ),
        (
            "many escapes",
            with(&format!("\"x\":\"{}\"", "\\u0061".repeat(1800))),
        ),
        (
            "escaped names",
            with(&format!("\"{}\":1", "\\u0061".repeat(1800))),
        ),
        (
            "many small arrays",
            with(&format!("\"x\":[{}]", list("[]", 3600))),
        ),
        (
            "many empty strings",
            with(&format!("\"x\":[{}]", list("\"\"", 3600))),
        ),
        ("a long issuer", key.with_claim("iss", "x".repeat(11_000))),
        ("a long key id", key.with_header("kid", "k".repeat(11_000))),
        (
            "a good token for another audience",
            key.with_claim("aud", "x".repeat(11_000)),
        ),
        ("a broken signature", {
            let good = key.good();
            format!("{}AAAA", &good[..good.len() - 4])
        }),
        (
            "not for HTTP at all",
            json!({"payload": "x", "signatures": []}).to_string(),
        ),
    ];
    println!(
        "| input | bytes of input | outcome | most bytes held | µs |\n|---|---:|---|---:|---:|"
    );
    for (name, token) in &nasty {
        let decide = || match poll_once(target.validator.validate(token)) {
            Poll::Ready(Ok(_)) => "accepted",
            Poll::Ready(Err(error)) => error.reason(),
            Poll::Pending => "waits",
        };
        let (held, outcome) = peak(decide);
        let started = Instant::now();
        let rounds = 20;
        for _ in 0..rounds {
            decide();
        }
        let micros = started.elapsed().as_micros() / rounds;
        println!(
            "| {name} | {} | {outcome} | {held} | {micros} |",
            token.len()
        );
        // A token is at most 16 KiB; its memory is a small multiple of that for any content.
        assert!(held <= 12 * 16 * 1024, "{name}: {held}");
        if token.len() > 16 * 1024 {
            assert!(held <= 1024, "{name}: {held}");
        }
    }
    key_sets_cost_a_multiple_of_their_size();
}
