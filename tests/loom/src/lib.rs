//! Runs `src/keys/cache/waiters.rs` through every interleaving of its threads:
//!
//! ```text
//! RUSTFLAGS='--cfg loom' cargo test --release --manifest-path tests/loom/Cargo.toml
//! ```
#![cfg(all(loom, test))]

#[path = "../../../src/keys/cache/waiters.rs"]
#[allow(dead_code)]
mod waiters;

use waiters::{Wait, WaiterKind, Waiters};
use loom::{future::block_on, sync::Arc, thread};

/// A future that is ready once fetch 1 has ended.
fn wait(waiters: &Arc<Waiters>, kind: WaiterKind) -> Wait {
    let registration = Waiters::wait_for(waiters, 1, kind).unwrap();
    Wait::new(registration, None, true)
}

#[test]
fn no_end_of_a_fetch_is_missed() {
    loom::model(|| {
        let waiters = Arc::new(Waiters::default());
        let future = wait(&waiters, WaiterKind::Cold);
        let waiter = thread::spawn(move || block_on(future));
        waiters.end(1);
        waiter.join().unwrap();
    });
}

#[test]
fn the_end_of_a_later_fetch_wakes_as_well() {
    loom::model(|| {
        let waiters = Arc::new(Waiters::default());
        let future = wait(&waiters, WaiterKind::Operator);
        let waiter = thread::spawn(move || block_on(future));
        let other = {
            let waiters = Arc::clone(&waiters);
            thread::spawn(move || waiters.end(1))
        };
        waiters.end(2);
        waiter.join().unwrap();
        other.join().unwrap();
        assert!(waiters.has_ended(2));
    });
}

#[test]
fn a_waiter_that_goes_away_takes_no_other_along() {
    loom::model(|| {
        let waiters = Arc::new(Waiters::default());
        let leaving = wait(&waiters, WaiterKind::UnknownKey);
        let staying = wait(&waiters, WaiterKind::UnknownKey);
        let leaver = thread::spawn(move || drop(leaving));
        let waiter = thread::spawn(move || block_on(staying));
        waiters.end(1);
        leaver.join().unwrap();
        waiter.join().unwrap();
    });
}

#[test]
fn a_waiter_that_comes_late_does_not_wait() {
    loom::model(|| {
        let waiters = Arc::new(Waiters::default());
        let waiter = {
            let waiters = Arc::clone(&waiters);
            thread::spawn(move || {
                let future = wait(&waiters, WaiterKind::Cold);
                block_on(future);
            })
        };
        waiters.end(1);
        waiter.join().unwrap();
    });
}
