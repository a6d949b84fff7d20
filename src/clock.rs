//! The two clocks: wall time for claims, steady time for the age of keys and cached tokens. Only
//! this file and `test_util` read them.

use std::{
    io,
    time::{Duration, SystemTime},
};

use crate::error::config::ConfigError;
#[cfg(feature = "test-util")]
use crate::test_util::TestClock;

/// Time since an arbitrary start. It never steps, and it counts the time for which the machine was
/// suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SteadyTime(Duration);

impl SteadyTime {
    pub(crate) const ZERO: Self = Self(Duration::ZERO);
    pub(crate) const MAX: Self = Self(Duration::MAX);

    #[cfg(test)]
    pub(crate) const fn from_start(duration: Duration) -> Self {
        Self(duration)
    }

    pub(crate) fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }

    /// Returns the time since `earlier`; zero if that is later.
    pub(crate) fn saturating_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// Returns the time in whole milliseconds, for an atomic.
    pub(crate) fn as_millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn as_secs(self) -> u64 {
        self.0.as_secs()
    }
}

/// Time since the Unix epoch, as claims have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WallTime(Duration);

impl WallTime {
    pub(crate) const EPOCH: Self = Self(Duration::ZERO);

    pub(crate) const fn from_epoch(duration: Duration) -> Self {
        Self(duration)
    }

    /// Returns the time of a claim, a number of seconds; the epoch for any earlier time. A number beyond
    /// the range is more than 500 billion years away.
    pub(crate) fn from_numeric_date(seconds: f64) -> Self {
        let since_epoch = Duration::try_from_secs_f64(seconds.max(0.0));
        Self::from_epoch(since_epoch.unwrap_or(Duration::MAX))
    }

    pub(crate) fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }

    /// Returns the time as the standard library has it; `None` if the platform cannot.
    pub(crate) fn to_system_time(self) -> Option<SystemTime> {
        SystemTime::UNIX_EPOCH.checked_add(self.0)
    }
}

/// Source of both times.
#[derive(Clone, Debug, Default)]
pub(crate) enum Clock {
    #[default]
    System,
    #[cfg(feature = "test-util")]
    Test(TestClock),
}

impl Clock {
    /// Checks that the clocks can be read: a sandbox may refuse the steady one.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match self {
            Self::System => readable(read_boot_time()),
            #[cfg(feature = "test-util")]
            Self::Test(_) => Ok(()),
        }
    }

    /// Returns the wall time; the epoch for any time before it.
    pub(crate) fn wall(&self) -> WallTime {
        let since_epoch = self.system_time().duration_since(SystemTime::UNIX_EPOCH);
        WallTime(since_epoch.unwrap_or_default())
    }

    /// Returns the wall time as HTTP dates are compared with it.
    pub(crate) fn system_time(&self) -> SystemTime {
        match self {
            Self::System => SystemTime::now(),
            #[cfg(feature = "test-util")]
            Self::Test(clock) => clock.now(),
        }
    }

    /// Returns the steady time; zero where it cannot be read, which [`check`](Clock::check) reports.
    ///
    /// Deliberately not `Instant`, which stops while the machine is suspended: keys age meanwhile.
    pub(crate) fn steady(&self) -> SteadyTime {
        match self {
            Self::System => SteadyTime(read_boot_time().unwrap_or_default()),
            #[cfg(feature = "test-util")]
            Self::Test(clock) => SteadyTime(clock.steady()),
        }
    }
}

fn readable(read: io::Result<Duration>) -> Result<(), ConfigError> {
    match read {
        Ok(_) => Ok(()),
        Err(error) => Err(ConfigError::NoSteadyClock {
            reason: error.to_string(),
        }),
    }
}

/// Deliberately not `clock_gettime`, which panics where a sandbox refuses the clock.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn read_boot_time() -> io::Result<Duration> {
    use rustix::time::{DynamicClockId, clock_gettime_dynamic};

    let time = clock_gettime_dynamic(DynamicClockId::Boottime)?;
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
    Ok(Duration::new(seconds, nanoseconds))
}

/// Elsewhere `Instant` is what the platform offers through a safe interface.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[expect(clippy::unnecessary_wraps, reason = "other platforms can fail")]
fn read_boot_time() -> io::Result<Duration> {
    use std::{sync::LazyLock, time::Instant};
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    Ok(START.elapsed())
}

#[cfg(test)]
mod arithmetic {
    use std::ops::{Add, Sub};

    use super::*;

    impl Add<Duration> for SteadyTime {
        type Output = Self;

        fn add(self, duration: Duration) -> Self {
            Self(self.0 + duration)
        }
    }

    impl Sub for SteadyTime {
        type Output = Duration;

        fn sub(self, earlier: Self) -> Duration {
            self.0 - earlier.0
        }
    }

    impl Sub<Duration> for SteadyTime {
        type Output = Self;

        fn sub(self, duration: Duration) -> Self {
            Self(self.0 - duration)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_cannot_be_read_is_an_error_of_the_configuration() {
        assert!(Clock::System.check().is_ok());
        let rejected = readable(Err(io::Error::from(io::ErrorKind::PermissionDenied)));
        let error = rejected.unwrap_err().to_string();
        let says = ["CLOCK_BOOTTIME", "permission denied"];
        assert!(says.iter().all(|words| error.contains(words)), "{error}");
    }

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
