//! The two clocks: wall time for claims, steady time for keys.

use std::{
    io,
    time::{Duration, SystemTime},
};

#[cfg(feature = "test-util")]
use crate::test_util::TestClock;
use crate::{error::config::ConfigError, keys::cache::schedule::Moment};

/// Tells the time.
#[derive(Clone, Debug, Default)]
pub(crate) enum Clock {
    #[default]
    System,
    #[cfg(feature = "test-util")]
    Test(TestClock),
}

impl Clock {
    /// Whether it can be read: a sandbox may refuse the steady clock.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match self {
            Self::System => readable(read_boot_time()),
            #[cfg(feature = "test-util")]
            Self::Test(_) => Ok(()),
        }
    }

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

/// The steady clock of the system. Zero where it cannot be read, which [`Clock::check`] has
/// reported.
pub(crate) fn boot_time() -> Moment {
    read_boot_time().unwrap_or_default()
}

fn readable(read: io::Result<Moment>) -> Result<(), ConfigError> {
    match read {
        Ok(_) => Ok(()),
        Err(error) => Err(ConfigError::NoSteadyClock {
            reason: error.to_string(),
        }),
    }
}

/// Deliberately not `clock_gettime`, which panics where a sandbox refuses the clock.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn read_boot_time() -> io::Result<Moment> {
    use rustix::time::{DynamicClockId, clock_gettime_dynamic};

    let time = clock_gettime_dynamic(DynamicClockId::Boottime)?;
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
    Ok(Duration::new(seconds, nanoseconds))
}

/// Elsewhere `Instant` is what the platform offers through a safe interface.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[expect(clippy::unnecessary_wraps, reason = "other platforms can fail")]
fn read_boot_time() -> io::Result<Moment> {
    use std::{sync::LazyLock, time::Instant};
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    Ok(START.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_cannot_be_read_is_an_error_of_the_configuration() {
        assert!(Clock::System.check().is_ok());
        let refused = readable(Err(io::Error::from(io::ErrorKind::PermissionDenied)));
        let error = refused.unwrap_err().to_string();
        assert!(
            error.contains("CLOCK_BOOTTIME") && error.contains("permission denied"),
            "{error}"
        );
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
