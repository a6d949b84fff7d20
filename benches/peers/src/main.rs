//! Benchmark of a whole call in an axum service behind this crate, and behind other crates that
//! validate JWTs with the keys of an issuer.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml --target-dir target/peers
//! ```
//!
//! Every contender is one route with a handler that does nothing, behind the contender's layer or
//! extractor, set up as its own documentation has it: keys fetched over HTTP from a server in this
//! process, issuer and audience checked wherever that is possible. Before it is measured it has to
//! accept a good token, and to refuse an expired one and one with a broken signature.
//!
//! What is measured is `tower::Service::call` until the response is dropped, without a socket; the
//! requests are built before. Contenders run in turn, round by round, and a ratio is the median of
//! the ratios to the bare signature check (aws-lc-rs, key parsed once) of the same round. Prints a
//! table and draws `chart.svg` beside this package's manifest. Needs Linux and the headers of
//! OpenSSL, which one of the peers fetches keys with.

mod chart;
mod contender;
mod crypto;
mod issuer;
mod measure;
mod peers;
mod report;
#[path = "../../support/mod.rs"]
mod support;

use std::time::Duration;

use contender::Contender;
use issuer::{Setup, SetupKind};
use modeler_auth_testkit::heap::{ByProcess, CountingAllocator};
use report::{Column, Report};

#[global_allocator]
static ALLOCATOR: CountingAllocator<ByProcess> = CountingAllocator::new();

fn main() {
    crypto::install();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut report = Report::default();
    for (column, kind) in [
        (Column::Keycloak, SetupKind::Keycloak("RS256")),
        (Column::Auth0, SetupKind::Auth0("RS256")),
        (Column::Es256, SetupKind::Keycloak("ES256")),
        (Column::EdDsa, SetupKind::Keycloak("EdDSA")),
    ] {
        let setup = runtime.block_on(Setup::start(kind));
        let mut contenders = runtime.block_on(peers::all(&setup));
        for contender in &mut contenders {
            runtime.block_on(show_that_it_works(contender, &setup));
        }
        let accepted = measure::rounds(&runtime, &mut contenders, &setup.good);
        report.add(column, &contenders, &accepted);
        if let Column::Keycloak = column {
            let refused = measure::rounds(&runtime, &mut contenders, &setup.expired);
            report.add(Column::Expired, &contenders, &refused);
            for contender in &mut contenders {
                let count = measure::allocations(&runtime, contender, &setup.good);
                report.add_allocations(contender, count);
            }
        }
    }
    println!("{}", report.markdown());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/chart.svg");
    std::fs::write(path, chart::draw(&report)).expect("the chart can be written");
}

/// Panics unless `contender` accepts what it must and refuses what it must.
async fn show_that_it_works(contender: &mut Contender, setup: &Setup) {
    // Some fetch their keys in the background.
    for _ in 0..100 {
        if contender.status(&setup.good).await.is_success() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for (what, token) in [
        ("good", &setup.good),
        ("expired", &setup.expired),
        ("broken", &setup.broken),
    ] {
        let status = contender.status(token).await;
        let right = if contender.accepts(token) {
            status == 200
        } else {
            status.is_client_error()
        };
        assert!(right, "{}, {what} token: {status}", contender.name());
    }
}
