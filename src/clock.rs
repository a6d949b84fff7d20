//! The two clocks: wall time for claims, steady time for keys.

use std::time::{Duration, SystemTime};

use crate::keys::Moment;
#[cfg(feature = "test-util")]
use crate::test_util::TestClock;

/// Tells the time.
#[derive(Clone, Debug, Default)]
pub(crate) enum Clock {
    #[default]
    System,
    #[cfg(feature = "test-util")]
    Test(TestClock),
}

impl Clock {
    /// The time since the Unix epoch; zero before it.
    pub(crate) fn wall(&self) -> Duration {
        let now = match self {
            Self::System => SystemTime::now(),
            #[cfg(feature = "test-util")]
            Self::Test(clock) => clock.now(),
        };
        now.duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
    }

    /// The time since an arbitrary start. Never steps, and counts the time for which the machine
    /// was suspended: `Instant` stops then, and keys must not.
    pub(crate) fn steady(&self) -> Moment {
        match self {
            Self::System => boot_time(),
            #[cfg(feature = "test-util")]
            Self::Test(clock) => clock.steady(),
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn boot_time() -> Moment {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanoseconds)
}

/// Elsewhere `Instant` is what the platform offers through a safe interface.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn boot_time() -> Moment {
    use std::{sync::LazyLock, time::Instant};
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r54_the_steady_clock_never_goes_back() {
        let clock = Clock::System;
        let mut last = clock.steady();
        for _ in 0..1000 {
            let now = clock.steady();
            assert!(now >= last);
            last = now;
        }
    }
}
