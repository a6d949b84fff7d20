//! When to fetch keys: a state machine without I/O, clock or runtime. Events and the time go in,
//! actions come out; the [`Keeper`](super::Keeper) does the rest.
//!
//! 1. At most one fetch is under way.
//! 2. A request that finds usable keys is served, however the issuer fares.
//! 3. A request for an unknown key may start one fetch per cooldown. The cooldown counts
//!    attempts, and is counted apart from scheduled and forced fetches, so that neither can
//!    starve the other.
//! 4. Keys are used for `keep_stale_for` after the start of the fetch that brought them, and not
//!    a moment longer.

use std::time::Duration;

/// A moment on the steady clock: the time since an arbitrary start.
pub(crate) type Moment = Duration;

/// The times that govern a key set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// Age at which keys are due for a refresh, unless their issuer says otherwise.
    pub(crate) refresh_after: Duration,
    /// Age up to which keys are used while no refresh succeeds.
    pub(crate) keep_stale_for: Duration,
    /// Between two fetches for unknown keys.
    pub(crate) cooldown: Duration,
}

impl Times {
    /// Refreshing starts at this share of the age, so that keys are never due when needed.
    const AHEAD: f64 = 0.8;
    const JITTER: f64 = 0.1;
    const FIRST_RETRY: Duration = Duration::from_secs(1);
    const LAST_RETRY: Duration = Duration::from_secs(60);
    /// The longest pause while there is no usable key at all: a service that is not ready must
    /// become ready soon after its issuer.
    const LAST_COLD_RETRY: Duration = Duration::from_secs(5);
    const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(600);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The fetch was given up without an answer, e.g. because its runtime ended.
    Aborted,
    /// The fetch failed; the issuer may have asked for a pause.
    Failed { retry_after: Option<Duration> },
    /// The fetch brought keys, or said that the known ones still hold.
    Fetched,
    /// Somebody wants new keys now.
    Forced,
    /// A request needs keys, of whatever age is allowed.
    Needed,
    /// Time has passed.
    Tick,
    /// A request names a key that is not in the set.
    UnknownKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start a fetch. Whoever asked waits for it.
    Fetch,
    /// Nothing to do.
    Idle,
    /// No fetch now; the next one starts in so long.
    Refuse { retry_in: Duration },
    /// The keys at hand may be used.
    Serve,
    /// A fetch is under way: wait for it.
    Wait,
}

/// The state of one issuer's key set.
pub(crate) struct Refresh {
    times: Times,
    /// Start of the fetch that brought the keys at hand.
    fetched_at: Option<Moment>,
    /// Start of the fetch under way.
    flight: Option<Moment>,
    /// Failed fetches since the last success.
    failures: u32,
    /// The next scheduled fetch.
    due_at: Moment,
    /// The issuer asked not to be called before.
    hold_until: Moment,
    /// The next fetch that an unknown key may start.
    unknown_key_at: Moment,
    random: fastrand::Rng,
}

impl Refresh {
    pub(crate) fn new(times: Times, seed: u64) -> Self {
        Self {
            times,
            fetched_at: None,
            flight: None,
            failures: 0,
            due_at: Moment::ZERO,
            hold_until: Moment::ZERO,
            unknown_key_at: Moment::ZERO,
            random: fastrand::Rng::with_seed(seed),
        }
    }

    pub(crate) fn on(&mut self, event: Event, now: Moment) -> Action {
        match event {
            Event::Needed => self.needed(now),
            Event::UnknownKey => self.unknown_key(now),
            Event::Forced if self.flight.is_some() => Action::Wait,
            Event::Forced => self.take_off(now),
            Event::Tick if self.flight.is_none() && now >= self.wakes_at() => self.take_off(now),
            Event::Tick => Action::Idle,
            Event::Fetched => self.fetched(now),
            Event::Failed { retry_after } => self.failed(retry_after, now),
            Event::Aborted => {
                self.flight = None;
                Action::Idle
            }
        }
    }

    /// When the next scheduled fetch is due.
    pub(crate) fn wakes_at(&self) -> Moment {
        self.due_at.max(self.hold_until)
    }

    /// Until when the keys at hand may be used.
    pub(crate) fn usable_until(&self) -> Option<Moment> {
        let fetched_at = self.fetched_at?;
        Some(fetched_at.saturating_add(self.times.keep_stale_for.max(self.times.refresh_after)))
    }

    /// Whether a fetch is under way.
    pub(crate) fn is_flying(&self) -> bool {
        self.flight.is_some()
    }

    /// The start of the fetch that brought the keys at hand.
    pub(crate) fn fetched_at(&self) -> Option<Moment> {
        self.fetched_at
    }

    /// Whether the last fetch failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    fn is_usable(&self, now: Moment) -> bool {
        self.usable_until().is_some_and(|until| now < until)
    }

    fn needed(&mut self, now: Moment) -> Action {
        if self.is_usable(now) {
            Action::Serve
        } else if self.flight.is_some() {
            Action::Wait
        } else if now >= self.wakes_at() || self.failures == 0 {
            self.take_off(now)
        } else {
            Action::Refuse {
                retry_in: self.wakes_at().saturating_sub(now),
            }
        }
    }

    fn unknown_key(&mut self, now: Moment) -> Action {
        if !self.is_usable(now) {
            return self.needed(now);
        }
        if self.flight.is_some() {
            return Action::Wait;
        }
        let free_at = self.unknown_key_at.max(self.hold_until);
        if now < free_at {
            return Action::Refuse {
                retry_in: free_at.saturating_sub(now),
            };
        }
        self.unknown_key_at = now.saturating_add(self.times.cooldown);
        self.take_off(now)
    }

    fn take_off(&mut self, now: Moment) -> Action {
        self.flight = Some(now);
        Action::Fetch
    }

    fn fetched(&mut self, now: Moment) -> Action {
        // The answer is no younger than the question.
        let since = self.flight.take().unwrap_or(now);
        self.fetched_at = Some(since);
        self.failures = 0;
        self.hold_until = Moment::ZERO;
        let age = self.times.refresh_after.mul_f64(Times::AHEAD);
        self.due_at = since.saturating_add(self.jittered(age));
        Action::Idle
    }

    fn failed(&mut self, retry_after: Option<Duration>, now: Moment) -> Action {
        self.flight = None;
        let doubled = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        let longest = if self.is_usable(now) {
            Times::LAST_RETRY
        } else {
            Times::LAST_COLD_RETRY
        };
        let pause = Times::FIRST_RETRY.saturating_mul(doubled).min(longest);
        self.due_at = now.saturating_add(self.jittered(pause).min(longest));
        if let Some(wait) = retry_after {
            self.hold_until = now.saturating_add(wait.min(Times::LONGEST_RETRY_AFTER));
        }
        Action::Idle
    }

    /// `duration` give or take a tenth, so that many services do not call an issuer in step.
    fn jittered(&mut self, duration: Duration) -> Duration {
        let factor = 1.0 - Times::JITTER + 2.0 * Times::JITTER * self.random.f64();
        duration.mul_f64(factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Event = Event::Failed { retry_after: None };

    fn seconds(seconds: u64) -> Moment {
        Duration::from_secs(seconds)
    }

    fn refresh() -> Refresh {
        let times = Times {
            refresh_after: seconds(300),
            keep_stale_for: seconds(3600),
            cooldown: seconds(30),
        };
        Refresh::new(times, 7)
    }

    /// A machine whose keys were fetched at second 1000.
    fn warm() -> Refresh {
        let mut refresh = refresh();
        assert_eq!(refresh.on(Event::Needed, seconds(1000)), Action::Fetch);
        assert_eq!(refresh.on(Event::Fetched, seconds(1001)), Action::Idle);
        refresh
    }

    #[test]
    fn f26_one_fetch_serves_everybody_who_needs_keys() {
        let mut refresh = refresh();
        assert_eq!(refresh.on(Event::Needed, seconds(5)), Action::Fetch);
        for event in [Event::Needed, Event::UnknownKey, Event::Forced] {
            assert_eq!(refresh.on(event, seconds(6)), Action::Wait);
        }
        assert_eq!(refresh.on(Event::Tick, seconds(6)), Action::Idle);
        refresh.on(Event::Fetched, seconds(6));
        assert_eq!(refresh.on(Event::Needed, seconds(6)), Action::Serve);
    }

    #[test]
    fn f27_a_failing_cold_start_is_tried_once_per_pause_of_at_most_5_seconds() {
        let mut refresh = refresh();
        let mut now = seconds(0);
        for _ in 0..10 {
            assert_eq!(refresh.on(Event::Needed, now), Action::Fetch);
            refresh.on(FAILED, now);
            let Action::Refuse { retry_in } = refresh.on(Event::Needed, now) else {
                panic!("a second attempt without a pause");
            };
            assert!(retry_in <= seconds(5), "{retry_in:?}");
            assert!(retry_in >= Duration::from_millis(900), "{retry_in:?}");
            now += retry_in;
        }
    }

    #[test]
    fn refreshing_starts_at_four_fifths_of_the_age_give_or_take_a_tenth() {
        for seed in 0..100 {
            let mut refresh = warm();
            refresh.random = fastrand::Rng::with_seed(seed);
            refresh.on(Event::Forced, seconds(2000));
            refresh.on(Event::Fetched, seconds(2001));
            let due = refresh.wakes_at();
            assert!(
                (seconds(2216)..=seconds(2264)).contains(&due),
                "seed {seed}: {due:?}"
            );
            assert_eq!(
                refresh.on(Event::Tick, due - Duration::from_millis(1)),
                Action::Idle
            );
            assert_eq!(refresh.on(Event::Tick, due), Action::Fetch);
        }
    }

    #[test]
    fn f2_an_outage_keeps_the_keys_until_they_are_too_old() {
        let mut refresh = warm();
        let mut now = refresh.wakes_at();
        while now < seconds(4600) {
            assert_eq!(refresh.on(Event::Tick, now), Action::Fetch);
            refresh.on(FAILED, now);
            assert_eq!(refresh.on(Event::Needed, now), Action::Serve);
            now = refresh.wakes_at();
        }
        assert_eq!(refresh.on(Event::Needed, seconds(4599)), Action::Serve);
        assert!(!matches!(
            refresh.on(Event::Needed, seconds(4600)),
            Action::Serve
        ));
    }

    #[test]
    fn r54_the_age_counts_from_the_start_of_the_fetch() {
        let refresh = warm();
        assert_eq!(refresh.usable_until(), Some(seconds(4600)));
    }

    #[test]
    fn f28_an_unknown_key_starts_one_fetch_per_cooldown_succeed_or_fail() {
        for end in [Event::Fetched, FAILED] {
            let mut refresh = warm();
            assert_eq!(refresh.on(Event::UnknownKey, seconds(1010)), Action::Fetch);
            assert_eq!(refresh.on(Event::UnknownKey, seconds(1010)), Action::Wait);
            refresh.on(end, seconds(1011));
            for second in 1011..1040 {
                let Action::Refuse { retry_in } = refresh.on(Event::UnknownKey, seconds(second))
                else {
                    panic!("{second}: a second fetch within the cooldown");
                };
                assert_eq!(retry_in, seconds(1040 - second));
            }
            assert_eq!(refresh.on(Event::UnknownKey, seconds(1040)), Action::Fetch);
        }
    }

    #[test]
    fn f22_the_cooldown_does_not_start_when_keys_are_first_loaded() {
        let mut refresh = warm();
        assert_eq!(refresh.on(Event::UnknownKey, seconds(1001)), Action::Fetch);
    }

    #[test]
    fn f3_a_spent_cooldown_starves_neither_scheduled_nor_forced_fetches() {
        let mut refresh = warm();
        let due = refresh.wakes_at();
        assert_eq!(refresh.on(Event::UnknownKey, due), Action::Fetch);
        refresh.on(FAILED, due);
        let now = refresh.wakes_at();
        assert!(now < due + seconds(30));
        assert_eq!(refresh.on(Event::Tick, now), Action::Fetch);
        refresh.on(FAILED, now);
        assert_eq!(refresh.on(Event::Forced, now), Action::Fetch);
    }

    #[test]
    fn f5_pauses_grow_from_one_second_to_a_minute() {
        let mut refresh = warm();
        let mut now = refresh.wakes_at();
        let mut pauses = Vec::new();
        for _ in 0..9 {
            assert_eq!(refresh.on(Event::Tick, now), Action::Fetch);
            refresh.on(FAILED, now);
            pauses.push((refresh.wakes_at() - now).as_secs_f64());
            now = refresh.wakes_at();
        }
        for (pause, nominal) in pauses.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0]) {
            assert!((pause / nominal - 1.0).abs() <= 0.1, "{pauses:?}");
        }
        assert!(pauses.iter().all(|&pause| pause <= 60.0), "{pauses:?}");
    }

    #[test]
    fn f6_retry_after_is_obeyed_up_to_ten_minutes() {
        for (asked, granted) in [(120, 120), (600, 600), (86_400, 600)] {
            let mut refresh = warm();
            let now = refresh.wakes_at();
            refresh.on(Event::Tick, now);
            let retry_after = Some(seconds(asked));
            refresh.on(Event::Failed { retry_after }, now);
            assert_eq!(refresh.wakes_at(), now + seconds(granted));
            assert!(matches!(
                refresh.on(Event::UnknownKey, now),
                Action::Refuse { .. }
            ));
        }
    }

    #[test]
    fn f32_an_aborted_fetch_costs_nothing() {
        let mut refresh = refresh();
        assert_eq!(refresh.on(Event::Needed, seconds(1)), Action::Fetch);
        refresh.on(Event::Aborted, seconds(1));
        assert_eq!(refresh.on(Event::Needed, seconds(1)), Action::Fetch);
    }
}
