//! Waiting for a fetch under way: any number of requests, one fetch.
//!
//! Flights are numbered in the order they take off. A waiter names the flight it waits for and
//! wakes when that one, or a later one, has landed.
//!
//! `tests/loom` runs this file through every interleaving of its threads.

#[cfg(loom)]
use loom::sync::{Arc, Mutex, MutexGuard};
#[cfg(not(loom))]
use std::sync::{Arc, Mutex, MutexGuard};
use std::{
    future::Future,
    pin::Pin,
    sync::PoisonError,
    task::{Context, Poll, Waker},
};

use slab::Slab;

/// The waiting room of one issuer.
#[derive(Default)]
pub(crate) struct Flights {
    board: Mutex<Board>,
}

#[derive(Default)]
struct Board {
    /// The number of flights that have landed.
    landed: u64,
    waiters: Slab<Waiter>,
    waiting_cold: usize,
    waiting_for_unknown_key: usize,
}

impl Board {
    /// How many of a capped sort wait, and how many may.
    fn counted(&mut self, sort: Sort) -> Option<(&mut usize, usize)> {
        match sort {
            Sort::Cold => Some((&mut self.waiting_cold, 16_384)),
            Sort::UnknownKey => Some((&mut self.waiting_for_unknown_key, 64)),
            Sort::Operator => None,
        }
    }
}

struct Waiter {
    flight: u64,
    waker: Option<Waker>,
}

/// Waiters are counted by sort, so that a flood of unknown keys cannot crowd out those who wait
/// for the first keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// A request for which there are no keys at all.
    Cold,
    /// The service itself, not a request.
    Operator,
    /// A request for a key that is not in the set.
    UnknownKey,
}

impl Flights {
    fn board(&self) -> MutexGuard<'_, Board> {
        // Nothing panics while it holds the lock, and the board is consistent between statements.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A future that is ready once `flight` has landed; `None` if too many wait already.
    pub(crate) fn wait_for(flights: &Arc<Self>, flight: u64, sort: Sort) -> Option<Landing> {
        let mut board = flights.board();
        if let Some((waiting, most)) = board.counted(sort) {
            if *waiting >= most {
                return None;
            }
            *waiting = waiting.saturating_add(1);
        }
        let place = board.waiters.insert(Waiter {
            flight,
            waker: None,
        });
        drop(board);
        Some(Landing {
            flights: Arc::clone(flights),
            place,
            sort,
        })
    }

    /// Says that all flights up to `flight` have landed, and wakes who waits for them.
    pub(crate) fn land(&self, flight: u64) {
        let mut board = self.board();
        board.landed = board.landed.max(flight);
        let landed = board.landed;
        let wakers: Vec<Waker> = board
            .waiters
            .iter_mut()
            .filter(|(_, waiter)| waiter.flight <= landed)
            .filter_map(|(_, waiter)| waiter.waker.take())
            .collect();
        // A waker may run the task, which comes back here.
        drop(board);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Whether `flight` has landed.
    pub(crate) fn has_landed(&self, flight: u64) -> bool {
        self.board().landed >= flight
    }

    #[cfg(test)]
    fn waiting(&self) -> usize {
        self.board().waiters.len()
    }
}

/// Ready once the flight it was made for has landed.
pub(crate) struct Landing {
    flights: Arc<Flights>,
    place: usize,
    sort: Sort,
}

impl Future for Landing {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut board = self.flights.board();
        let landed = board.landed;
        let Some(waiter) = board
            .waiters
            .get_mut(self.place)
            .filter(|waiter| waiter.flight > landed)
        else {
            return Poll::Ready(());
        };
        let known = waiter.waker.as_ref();
        if known.is_some_and(|waker| waker.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        let old = waiter.waker.replace(cx.waker().clone());
        drop(board);
        // Dropping a waker may run foreign code.
        drop(old);
        Poll::Pending
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut board = self.flights.board();
        let left = board.waiters.try_remove(self.place);
        if let Some((waiting, _)) = board.counted(self.sort) {
            *waiting = waiting.saturating_sub(1);
        }
        if board.waiters.is_empty() {
            // The room that a crowd needed is given back.
            board.waiters = Slab::new();
        }
        drop(board);
        // Dropping a waker may run foreign code.
        drop(left);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        task::Wake,
    };

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn poll(landing: &mut Landing, wakes: &Arc<Wakes>) -> Poll<()> {
        let waker = Waker::from(Arc::clone(wakes));
        Pin::new(landing).poll(&mut Context::from_waker(&waker))
    }

    #[test]
    fn a_waiter_wakes_when_its_flight_lands_and_not_before() {
        let flights = Arc::new(Flights::default());
        let wakes = Arc::new(Wakes::default());
        let mut landing = Flights::wait_for(&flights, 2, Sort::Cold).unwrap();
        assert_eq!(poll(&mut landing, &wakes), Poll::Pending);
        flights.land(1);
        assert_eq!(wakes.0.load(Ordering::Relaxed), 0);
        assert_eq!(poll(&mut landing, &wakes), Poll::Pending);
        flights.land(2);
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
        assert_eq!(poll(&mut landing, &wakes), Poll::Ready(()));
    }

    #[test]
    fn a_landing_before_the_first_poll_is_not_missed() {
        let flights = Arc::new(Flights::default());
        let mut landing = Flights::wait_for(&flights, 1, Sort::Cold).unwrap();
        flights.land(1);
        assert_eq!(poll(&mut landing, &Arc::default()), Poll::Ready(()));
    }

    #[test]
    fn f35_each_sort_of_waiter_is_capped_and_dropped_ones_make_room() {
        let flights = Arc::new(Flights::default());
        let mut unknown: Vec<_> = (0..64)
            .map(|_| Flights::wait_for(&flights, 1, Sort::UnknownKey).unwrap())
            .collect();
        assert!(Flights::wait_for(&flights, 1, Sort::UnknownKey).is_none());
        let cold: Vec<_> = (0..16_384)
            .map(|_| Flights::wait_for(&flights, 1, Sort::Cold).unwrap())
            .collect();
        assert!(Flights::wait_for(&flights, 1, Sort::Cold).is_none());
        unknown.pop();
        unknown.push(Flights::wait_for(&flights, 1, Sort::UnknownKey).unwrap());
        drop((unknown, cold));
        assert_eq!(flights.waiting(), 0);
        assert_eq!(flights.board().waiters.capacity(), 0);
    }
}
