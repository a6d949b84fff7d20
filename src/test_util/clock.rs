//! Clock that a test sets.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

/// Clock that tests move; see
/// [`TokenValidatorBuilder::clock`](crate::TokenValidatorBuilder::clock).
///
/// It starts at the present time and runs with Tokio's clock, so pausing Tokio's clock also pauses
/// this clock.
///
/// ```
/// use std::time::Duration;
/// use modeler_auth::{TokenValidator, test_util::{TestClock, TestIssuer}};
///
/// let clock = TestClock::new();
/// let validator = TokenValidator::builder()
///     .issuer(TestIssuer::self_managed().issuer())
///     .clock(clock.clone())
///     .build()?;
/// clock.advance(Duration::from_secs(3600));
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TestClock {
    started: Instant,
    start: SystemTime,
    moved: Arc<Mutex<Moved>>,
}

/// Offsets that the test has added to the clock.
#[derive(Debug, Default)]
struct Moved {
    steady: Duration,
    wall_ahead: Duration,
    wall_back: Duration,
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl TestClock {
    /// Creates a clock that shows the present time.
    #[must_use]
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            start: SystemTime::now(),
            moved: Arc::default(),
        }
    }

    /// Advances both the wall clock and the steady clock by `time`.
    pub fn advance(&self, time: Duration) {
        let mut moved = self.moved();
        moved.steady = moved.steady.saturating_add(time);
        moved.wall_ahead = moved.wall_ahead.saturating_add(time);
    }

    /// Moves the wall clock forward by `step`, as an operator or a time server may do. The steady
    /// clock does not move.
    pub fn step_forward(&self, step: Duration) {
        let mut moved = self.moved();
        moved.wall_ahead = moved.wall_ahead.saturating_add(step);
    }

    /// Moves the wall clock back by `step`. The steady clock does not move.
    pub fn step_back(&self, step: Duration) {
        let mut moved = self.moved();
        moved.wall_back = moved.wall_back.saturating_add(step);
    }

    /// Returns the time of the wall clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        let moved = self.moved();
        let now = self
            .start
            .checked_add(self.started.elapsed().saturating_add(moved.wall_ahead))
            .unwrap_or(self.start);
        now.checked_sub(moved.wall_back)
            .unwrap_or(SystemTime::UNIX_EPOCH)
    }

    pub(crate) fn steady(&self) -> Duration {
        self.started.elapsed().saturating_add(self.moved().steady)
    }

    fn moved(&self) -> std::sync::MutexGuard<'_, Moved> {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
