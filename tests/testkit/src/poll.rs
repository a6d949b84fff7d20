//! One poll of a future, without a runtime.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

/// Polls `future` once and drops it.
pub fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Returns the output of `future`.
///
/// # Panics
///
/// Panics if `future` is not ready at its first poll.
#[track_caller]
pub fn ready<F: Future>(future: F) -> F::Output {
    match poll_once(future) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits"),
    }
}
