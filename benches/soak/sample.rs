//! Counts of requests, and samples of them and of the service, one a second.

use std::{sync::Mutex, time::Duration};

/// Requests since the last sample.
#[derive(Default)]
pub struct Counts(Mutex<Second>);

/// What happened within a second.
#[derive(Clone, Default)]
pub struct Second {
    /// Times of valid requests that were answered with 200.
    times: Vec<Duration>,
    pub valid_failed: usize,
    pub bad_401: usize,
    pub bad_503: usize,
    /// Bad tokens with any other outcome: each one is an error.
    pub bad_other: usize,
    pub slow: usize,
    pub slow_failed: usize,
}

impl Counts {
    pub fn valid(&self, status: Option<u16>, time: Duration) {
        let mut second = self.0.lock().expect("no panic");
        if status == Some(200) {
            second.times.push(time);
        } else {
            eprintln!("a valid request failed: {status:?}");
            second.valid_failed += 1;
        }
    }

    pub fn bad(&self, status: Option<u16>) {
        let mut second = self.0.lock().expect("no panic");
        match status {
            Some(401) => second.bad_401 += 1,
            Some(503) => second.bad_503 += 1,
            _ => second.bad_other += 1,
        }
    }

    pub fn slow(&self, status: Option<u16>) {
        let mut second = self.0.lock().expect("no panic");
        if status == Some(200) {
            second.slow += 1;
        } else {
            eprintln!("a slow request failed: {status:?}");
            second.slow_failed += 1;
        }
    }

    /// Returns the counts so far and starts again.
    pub fn take(&self) -> Second {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

impl Second {
    pub fn valid(&self) -> usize {
        self.times.len()
    }
}

pub struct Sample {
    pub second: Second,
    pub p50: f64,
    pub p99: f64,
    /// Resident memory of the service in MB.
    pub memory: f64,
    pub sockets: usize,
    /// Fetches of the key set since the start.
    pub fetches: usize,
}

impl Sample {
    pub fn new(mut second: Second, memory: u64, sockets: usize, fetches: usize) -> Self {
        second.times.sort_unstable();
        let [p50, p99] = [50, 99].map(|percent| {
            let position = second.times.len() * percent / 100;
            second.times.get(position).copied().unwrap_or_default()
        });
        Self {
            p50: p50.as_secs_f64() * 1000.0,
            p99: p99.as_secs_f64() * 1000.0,
            second,
            #[expect(clippy::cast_precision_loss, reason = "a size in bytes")]
            memory: memory as f64 / 1e6,
            sockets,
            fetches,
        }
    }
}
