//! Runs `src/keys/cache/waiters.rs` and `src/calls.rs` through every interleaving of their threads:
//!
//! ```text
//! RUSTFLAGS='--cfg loom' cargo test --release --manifest-path tests/loom/Cargo.toml
//! ```
#![cfg(all(loom, test))]

#[path = "../../../src/calls.rs"]
#[allow(dead_code)]
mod calls;
#[path = "../../../src/keys/cache/waiters.rs"]
#[allow(dead_code)]
mod waiters;

use calls::{Call, Calls, Joined, Limits, Waiter};
use loom::{future::block_on, sync::Arc, thread};
use waiters::{Wait, WaiterKind, Waiters};

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

type Numbers = Calls<u8, u8>;

const LIMITS: Limits = Limits {
    running: 1,
    calls: 3,
    joined: 3,
};

fn start(calls: &Arc<Numbers>) -> (Call<u8, u8>, Waiter<u8, u8>) {
    start_for(calls, 1)
}

fn start_for(calls: &Arc<Numbers>, key: u8) -> (Call<u8, u8>, Waiter<u8, u8>) {
    match Calls::join(calls, key) {
        Joined::Starts(call, waiter) => (call, waiter),
        Joined::Joins(_) | Joined::TooMany => panic!("nothing else uses the key yet"),
    }
}

/// The outcome for a request that joins a call, or makes one with the outcome 20.
fn request(calls: &Arc<Numbers>) -> Option<u8> {
    match Calls::join(calls, 1) {
        Joined::Starts(call, waiter) => {
            call.end(20);
            block_on(waiter)
        }
        Joined::Joins(waiter) => block_on(waiter),
        Joined::TooMany => panic!("two requests are few"),
    }
}

#[test]
fn no_outcome_of_a_call_is_missed() {
    loom::model(|| {
        let calls = Arc::new(Numbers::new(LIMITS));
        let (call, waiter) = start(&calls);
        let waiter = thread::spawn(move || block_on(waiter));
        call.end(10);
        assert_eq!(waiter.join().unwrap(), Some(10));
        assert_eq!(calls.sizes(), (0, 0, 0));
    });
}

#[test]
fn a_request_joins_a_call_or_makes_the_next() {
    loom::model(|| {
        let calls = Arc::new(Numbers::new(LIMITS));
        let (call, first) = start(&calls);
        let joiner = {
            let calls = Arc::clone(&calls);
            thread::spawn(move || request(&calls))
        };
        call.end(10);
        assert!(matches!(joiner.join().unwrap(), Some(10 | 20)));
        drop(first);
        assert_eq!(calls.sizes(), (0, 0, 0));
    });
}

#[test]
fn a_request_that_goes_away_does_not_end_the_call() {
    loom::model(|| {
        let calls = Arc::new(Numbers::new(LIMITS));
        let (call, leaving) = start(&calls);
        let Joined::Joins(staying) = Calls::join(&calls, 1) else {
            panic!("the call is under way");
        };
        let leaver = thread::spawn(move || drop(leaving));
        call.end(10);
        assert_eq!(block_on(staying), Some(10));
        leaver.join().unwrap();
        assert_eq!(calls.sizes(), (0, 0, 0));
    });
}

#[test]
fn a_call_that_is_lost_wakes_its_waiters() {
    loom::model(|| {
        let calls = Arc::new(Numbers::new(LIMITS));
        let (call, waiter) = start(&calls);
        let waiter = thread::spawn(move || block_on(waiter));
        drop(call);
        assert_eq!(waiter.join().unwrap(), None);
        assert_eq!(calls.sizes(), (0, 0, 0));
    });
}

#[test]
fn the_next_request_after_a_lost_call_starts_another() {
    loom::model(|| {
        let calls = Arc::new(Numbers::new(LIMITS));
        let (call, waiter) = start(&calls);
        drop(waiter);
        let loser = thread::spawn(move || drop(call));
        assert!(matches!(request(&calls), None | Some(20)));
        loser.join().unwrap();
        assert_eq!(request(&calls), Some(20));
        assert_eq!(calls.sizes(), (0, 0, 0));
    });
}

#[test]
fn a_deadline_and_an_outcome_end_the_call_once() {
    loom::model(|| {
        let calls = Arc::new(Numbers::new(LIMITS));
        let (call, waiter) = start(&calls);
        let waiter = waiter.until(Some(Box::pin(std::future::ready(()))));
        let waiter = thread::spawn(move || block_on(waiter));
        call.end(10);
        assert!(matches!(waiter.join().unwrap(), None | Some(10)));
        assert_eq!(calls.sizes(), (0, 0, 0));
    });
}

#[test]
fn a_queued_call_gets_the_turn_of_the_call_that_ends() {
    loom::model(|| {
        let calls = Arc::new(Numbers::new(LIMITS));
        let (running, first) = start(&calls);
        let (queued, second) = start_for(&calls, 2);
        let task = thread::spawn(move || {
            assert!(block_on(queued.turn()));
            queued.end(20);
        });
        running.end(10);
        assert_eq!(block_on(first), Some(10));
        assert_eq!(block_on(second), Some(20));
        task.join().unwrap();
        assert_eq!(calls.sizes(), (0, 0, 0));
    });
}

#[test]
fn a_queued_call_that_is_dropped_loses_no_turn() {
    loom::model(|| {
        let calls = Arc::new(Numbers::new(LIMITS));
        let (running, _first) = start(&calls);
        let (dropped, _second) = start_for(&calls, 2);
        let (queued, _third) = start_for(&calls, 3);
        let dropper = thread::spawn(move || drop(dropped));
        running.end(10);
        assert!(block_on(queued.turn()));
        dropper.join().unwrap();
        assert_eq!(calls.sizes().1, 1);
    });
}

#[test]
fn a_queued_call_whose_deadline_passes_keeps_no_turn() {
    loom::model(|| {
        let calls = Arc::new(Numbers::new(LIMITS));
        let (running, _first) = start(&calls);
        let (queued, waiter) = start_for(&calls, 2);
        let waiter = waiter.until(Some(Box::pin(std::future::ready(()))));
        // The call gets its turn before or after its deadline, or never.
        let runner = thread::spawn(move || running.end(10));
        assert_eq!(block_on(waiter), None);
        assert!(!block_on(queued.turn()));
        runner.join().unwrap();
        assert_eq!(calls.sizes().1, 0);
    });
}
