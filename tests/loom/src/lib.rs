//! Runs `src/keys/cache/waiters.rs` through every interleaving of its threads:
//!
//! ```text
//! RUSTFLAGS='--cfg loom' cargo test --release --manifest-path tests/loom/Cargo.toml
//! ```
#![cfg(all(loom, test))]

#[path = "../../../src/keys/cache/waiters.rs"]
#[allow(dead_code)]
mod flights;

use flights::{Flights, Sort};
use loom::{future::block_on, sync::Arc, thread};

#[test]
fn no_landing_is_missed() {
    loom::model(|| {
        let flights = Arc::new(Flights::default());
        let landing = Flights::wait_for(&flights, 1, Sort::Cold).unwrap();
        let waiter = thread::spawn(move || block_on(landing));
        flights.land(1);
        waiter.join().unwrap();
    });
}

#[test]
fn a_later_landing_wakes_as_well() {
    loom::model(|| {
        let flights = Arc::new(Flights::default());
        let landing = Flights::wait_for(&flights, 1, Sort::Operator).unwrap();
        let waiter = thread::spawn(move || block_on(landing));
        let pilot = {
            let flights = Arc::clone(&flights);
            thread::spawn(move || flights.land(1))
        };
        flights.land(2);
        waiter.join().unwrap();
        pilot.join().unwrap();
        assert!(flights.has_landed(2));
    });
}

#[test]
fn a_waiter_that_goes_away_takes_no_other_along() {
    loom::model(|| {
        let flights = Arc::new(Flights::default());
        let leaving = Flights::wait_for(&flights, 1, Sort::UnknownKey).unwrap();
        let staying = Flights::wait_for(&flights, 1, Sort::UnknownKey).unwrap();
        let leaver = thread::spawn(move || drop(leaving));
        let waiter = thread::spawn(move || block_on(staying));
        flights.land(1);
        leaver.join().unwrap();
        waiter.join().unwrap();
    });
}

#[test]
fn a_waiter_that_comes_late_does_not_wait() {
    loom::model(|| {
        let flights = Arc::new(Flights::default());
        let waiter = {
            let flights = Arc::clone(&flights);
            thread::spawn(move || {
                let landing = Flights::wait_for(&flights, 1, Sort::Cold).unwrap();
                block_on(landing);
            })
        };
        flights.land(1);
        waiter.join().unwrap();
    });
}
