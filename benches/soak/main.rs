//! Ten minutes of load on the release example `web_modeler`, with key rotations, an outage of the
//! issuer, a flood of bad tokens and slow clients. Prints a summary and draws `docs/soak.svg`:
//!
//! ```text
//! cargo bench --bench soak --all-features
//! ```
//!
//! `SOAK_MINUTES` sets another length, at least 2. The program fails if a valid request failed, or if
//! the service holds over 2 MB more at the end than after a fifth of the time. It reads `/proc`, so
//! it needs Linux.

mod chart;
mod issuer;
mod load;
mod sample;
mod service;

use std::{env, path::Path, process::ExitCode, sync::Arc, time::Duration};

use tokio::{
    runtime::Builder,
    time::{Instant, sleep_until},
};

use crate::{
    chart::Event,
    issuer::Issuer,
    sample::{Counts, Sample},
    service::Service,
};

/// Rotations, tenths of the time: none during the outage and just after it.
const ROTATIONS: [usize; 7] = [0, 1, 2, 3, 7, 8, 9];
const OUTAGE: [usize; 2] = [4, 6];

fn main() -> ExitCode {
    let minutes = env::var("SOAK_MINUTES").map_or(Ok(10), |text| text.parse());
    let Ok(minutes) = minutes.map(|minutes: usize| minutes.clamp(2, 24 * 60)) else {
        eprintln!("SOAK_MINUTES is not a number of minutes");
        return ExitCode::FAILURE;
    };
    let runtime = Builder::new_current_thread().enable_all().build();
    let tenth = minutes * 6;
    // The cache of tokens is full after a fifth of the time.
    let used = Duration::from_secs(u64::try_from(tenth / 5).expect("a short time"));
    let (samples, events) = runtime.expect("a runtime").block_on(run(tenth, used));
    let title = format!("{minutes} minutes: {}", load::description(used));
    let drawing = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/soak.svg");
    std::fs::write(&drawing, chart::draw(&title, &samples, &events)).expect("docs is writable");
    if report(&samples) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs all clients and the service for ten times `tenth` seconds. Returns a sample a second.
async fn run(tenth: usize, used: Duration) -> (Vec<Sample>, Vec<(usize, Event)>) {
    let issuer = Issuer::start().await;
    let seconds = tenth * 10;
    // The service reads an announced key well before the key signs.
    let refresh = u64::try_from(tenth / 6).expect("a short time");
    let service = Service::start(&issuer.url(), refresh);
    ready(&service).await;
    let counts = Arc::new(Counts::default());
    load::start(&issuer, service.address, used, &counts);

    let mut samples = Vec::with_capacity(seconds);
    let mut events = Vec::new();
    let start = Instant::now();
    for second in 0..seconds {
        if let Some(event) = due(second, tenth) {
            match event {
                Event::KeyAnnounced => issuer.announce_key(),
                Event::KeyInUse => issuer.use_announced_key(),
                Event::KeyWithdrawn => issuer.withdraw_key(),
                Event::OutageStart => issuer.fail(),
                Event::OutageEnd => issuer.publish(),
            }
            events.push((second, event));
        }
        let passed = Duration::from_secs(u64::try_from(second).expect("small") + 1);
        sleep_until(start + passed).await;
        samples.push(Sample::new(
            counts.take(),
            service.memory(),
            service.sockets(),
            issuer.fetches(),
        ));
    }
    (samples, events)
}

/// The event at `second`, if any. A key is announced at the start of a tenth, signs after a third of
/// it, and the previous key is withdrawn after five sixths. Its last token is replaced
/// long before.
fn due(second: usize, tenth: usize) -> Option<Event> {
    let (number, within) = (second / tenth, second % tenth);
    let [start, end] = OUTAGE;
    if within == 0 && number == start {
        return Some(Event::OutageStart);
    }
    if within == 0 && number == end {
        return Some(Event::OutageEnd);
    }
    if !ROTATIONS.contains(&number) {
        return None;
    }
    match within {
        0 => Some(Event::KeyAnnounced),
        _ if within == tenth / 3 => Some(Event::KeyInUse),
        _ if within == tenth * 5 / 6 => Some(Event::KeyWithdrawn),
        _ => None,
    }
}

async fn ready(service: &Service) {
    let client = reqwest::Client::builder().no_proxy().build();
    let client = client.expect("a client");
    let url = format!("http://{}/ready", service.address);
    for _ in 0..100 {
        let response = client.get(&url).send().await;
        if response.is_ok_and(|response| response.status().is_success()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the service is not ready after 10 s");
}

/// Prints the results. Returns whether they are good.
fn report(samples: &[Sample]) -> bool {
    let sum = |count: fn(&Sample) -> usize| samples.iter().map(count).sum::<usize>();
    let failed = sum(|sample| sample.second.valid_failed) + sum(|sample| sample.second.slow_failed);
    let accepted_or_lost = sum(|sample| sample.second.bad_other);
    let fifth = samples.len() / 5;
    let [early, late] = [fifth, samples.len() - 1].map(|second| memory(samples, second));
    let mut p99: Vec<_> = samples.iter().map(|sample| sample.p99).collect();
    p99.sort_by(f64::total_cmp);
    let sockets = samples.iter().map(|sample| sample.sockets);
    println!("| what | result |\n|---|---|");
    println!(
        "| valid requests | {} with 200, {failed} failed |",
        sum(|sample| sample.second.valid()) + sum(|sample| sample.second.slow)
    );
    println!(
        "| of these from slow clients | {} |",
        sum(|sample| sample.second.slow)
    );
    println!(
        "| bad tokens | {} with 401, {} with 503, {accepted_or_lost} others |",
        sum(|sample| sample.second.bad_401),
        sum(|sample| sample.second.bad_503),
    );
    println!(
        "| p99 of a second | median {:.1} ms, worst {:.1} ms |",
        p99.get(p99.len() / 2).copied().unwrap_or_default(),
        p99.last().copied().unwrap_or_default(),
    );
    println!("| memory after a fifth of the time, and at the end | {early:.1} MB, {late:.1} MB |");
    println!(
        "| open sockets | at most {} |",
        sockets.max().unwrap_or_default()
    );
    println!(
        "| fetches of the key set | {} |",
        samples.last().map_or(0, |sample| sample.fetches)
    );
    failed == 0 && accepted_or_lost == 0 && late < early + 2.0
}

/// Median of the ten seconds before `second`, in MB.
fn memory(samples: &[Sample], second: usize) -> f64 {
    let some = samples
        .get(second.saturating_sub(10)..second)
        .unwrap_or_default();
    let mut some: Vec<_> = some.iter().map(|sample| sample.memory).collect();
    some.sort_by(f64::total_cmp);
    some.get(some.len() / 2).copied().unwrap_or(f64::NAN)
}
