//! Limits on log lines.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    clock::{Clock, SteadyTime},
    error::{auth::AuthError, reason::Reason},
};

/// Limit on a log line: after one line, none for the duration of a pause.
#[derive(Debug)]
pub(crate) struct LogLimit {
    /// Pause in seconds.
    pause: u64,
    /// Time of the next line, in seconds of steady time.
    next: AtomicU64,
    /// Number of lines that were not allowed since the last one.
    suppressed: AtomicU64,
    clock: Clock,
}

impl LogLimit {
    pub(crate) const fn new(pause: u64, clock: Clock) -> Self {
        Self {
            pause,
            next: AtomicU64::new(0),
            suppressed: AtomicU64::new(0),
            clock,
        }
    }

    /// Returns the number of lines that were not allowed since the last one, if a line is allowed now.
    pub(super) fn allows_line(&self) -> Option<u64> {
        self.allows_line_at(self.clock.steady())
    }

    /// Returns whether a line is allowed now, without taking it.
    fn would_allow(&self) -> bool {
        self.clock.steady().as_secs() >= self.next.load(Ordering::Relaxed)
    }

    fn allows_line_at(&self, now: SteadyTime) -> Option<u64> {
        let now = now.as_secs();
        let next = self.next.load(Ordering::Relaxed);
        let later = now.saturating_add(self.pause);
        let is_allowed = now >= next
            && self
                .next
                .compare_exchange(next, later, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if is_allowed {
            Some(self.suppressed.swap(0, Ordering::Relaxed))
        } else {
            self.suppressed.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

/// Limits on lines about rejected requests, one for each issuer and reason: a flood of one must not hide
/// another.
#[derive(Debug)]
pub(crate) struct LogLimits {
    by_issuer: HashMap<Arc<str>, ReasonLimits>,
    /// For requests whose token names no configured issuer.
    without_issuer: ReasonLimits,
}

impl LogLimits {
    pub(crate) fn new<'i>(clock: &Clock, issuers: impl Iterator<Item = &'i Arc<str>>) -> Self {
        let limits = |issuer: &Arc<str>| (Arc::clone(issuer), ReasonLimits::new(clock));
        Self {
            by_issuer: issuers.map(limits).collect(),
            without_issuer: ReasonLimits::new(clock),
        }
    }

    /// Returns whether a line about `error` is allowed now.
    pub(crate) fn would_allow(&self, error: &AuthError) -> bool {
        self.of(error).would_allow()
    }

    pub(super) fn of(&self, error: &AuthError) -> &LogLimit {
        let limits = error
            .issuer()
            .and_then(|issuer| self.by_issuer.get(issuer))
            .unwrap_or(&self.without_issuer);
        limits.of(error)
    }
}

/// Limits by reason.
#[derive(Debug)]
struct ReasonLimits {
    verified: [LogLimit; Reason::CODES.len()],
    unverified: [LogLimit; Reason::CODES.len()],
    /// For a code that is not in the list.
    other: LogLimit,
}

impl ReasonLimits {
    fn new(clock: &Clock) -> Self {
        let limits = |pause| Reason::CODES.map(|_| LogLimit::new(pause, clock.clone()));
        Self {
            verified: limits(1),
            unverified: limits(10),
            other: LogLimit::new(10, clock.clone()),
        }
    }

    fn of(&self, error: &AuthError) -> &LogLimit {
        let limits = if error.is_verified() {
            &self.verified
        } else {
            &self.unverified
        };
        let position = Reason::CODES.binary_search(&error.reason()).ok();
        position
            .and_then(|position| limits.get(position))
            .unwrap_or(&self.other)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_limit_allows_one_line_per_pause_and_counts_the_others() {
        let log = LogLimit::new(10, Clock::System);
        let at = |second| log.allows_line_at(SteadyTime::from_start(Duration::from_secs(second)));
        let allowed: Vec<_> = (100..130)
            .filter_map(|second| Some((second, at(second)?)))
            .collect();
        assert_eq!(allowed, [(100, 0), (110, 9), (120, 9)]);
    }

    #[test]
    fn a_flood_of_one_reason_or_issuer_hides_no_other() {
        let issuers: [Arc<str>; 2] = ["https://a".into(), "https://b".into()];
        let logs = LogLimits::new(&Clock::System, issuers.iter());
        let allows = |error: AuthError| {
            let would_allow = logs.would_allow(&error);
            assert_eq!(logs.of(&error).allows_line().is_some(), would_allow);
            would_allow
        };
        let expired = || AuthError::from(Reason::Expired);
        for first in [
            expired(),
            expired().of_issuer(&issuers[0]),
            expired().of_issuer(&issuers[1]),
            Reason::UnknownIssuer.into(),
            Reason::MissingToken.into(),
            AuthError::verified(Reason::Expired),
            AuthError::verified(Reason::Expired).of_issuer(&issuers[1]),
        ] {
            assert!(allows(first.clone()), "{first:?}");
            assert!(!allows(first));
        }
        // A name that is not configured has no limit of its own.
        assert!(!allows(expired().of_issuer(&"https://c".into())));
    }
}
