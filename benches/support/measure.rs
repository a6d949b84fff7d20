//! Measurements in turn, so that other load on the machine affects all of them equally.
#![allow(dead_code, reason = "each benchmark uses some of it")]

use std::time::{Duration, Instant};

/// Seconds that each of `works` takes, in as many rounds.
pub fn in_turn<const N: usize>(rounds: usize, works: &mut [&mut dyn FnMut(); N]) -> Vec<[f64; N]> {
    let round = |_| works.each_mut().map(|work| seconds(*work));
    (0..rounds).map(round).collect()
}

/// How long `work` takes, over some milliseconds.
fn seconds(work: &mut dyn FnMut()) -> f64 {
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
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<_> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
