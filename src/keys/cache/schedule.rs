//! Refresh schedule of an issuer's keys: a state machine without I/O, clock or runtime. Events and
//! the time go in, actions come out.
//!
//! 1. At most one fetch is under way.
//! 2. A request that finds usable keys is served, whatever the issuer does.
//! 3. A request for an unknown key may start one fetch per cooldown. The cooldown counts attempts, and
//!    it is separate from scheduled and forced fetches, so neither can starve the other.
//! 4. Keys are used for at most `key_max_stale` after the start of the fetch that brought them.

use std::{ops::RangeInclusive, time::Duration};

use crate::clock::SteadyTime;

/// Settings of the schedule.
#[derive(Clone, Debug)]
pub(crate) struct RefreshSettings {
    /// Age at which keys are due for a refresh, unless the issuer says otherwise.
    pub(crate) key_max_age: Duration,
    /// Bounds of the age that the issuer may ask for, if the operator set them.
    pub(crate) key_max_age_hints: Option<RangeInclusive<Duration>>,
    /// Age up to which keys are used while no refresh succeeds.
    pub(crate) key_max_stale: Duration,
    /// Pause between two fetches for unknown keys.
    pub(crate) unknown_kid_cooldown: Duration,
}

impl RefreshSettings {
    /// A refresh starts at this share of the age, before a request could find stale keys.
    const REFRESH_AT: f64 = 0.8;
    const JITTER: f64 = 0.1;
    const MIN_RETRY: Duration = Duration::from_secs(1);
    const MAX_RETRY: Duration = Duration::from_secs(60);
    /// Longest pause while there is no usable key: a service must become ready soon after its
    /// issuer does.
    const MAX_COLD_RETRY: Duration = Duration::from_secs(5);
    const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);
    /// With a shorter life, keys could expire during the fetch that replaces them, and fetches
    /// would never stop.
    const MIN_LIFE: Duration = Duration::from_secs(10);
    /// Shortest age that an issuer may ask for, unless the operator says otherwise.
    const MIN_HINT: Duration = Duration::from_secs(60);

    /// Returns the age at which keys are due for a refresh.
    ///
    /// Without bounds set by the operator an issuer can shorten the age but not lengthen it. A
    /// withdrawn key therefore lives no longer than the operator's setting allows.
    fn age(&self, fresh_for: Option<Duration>) -> Duration {
        let Some(hint) = fresh_for else {
            return self.key_max_age;
        };
        let (shortest, longest) = match &self.key_max_age_hints {
            Some(bounds) => (*bounds.start(), *bounds.end()),
            None => (Self::MIN_HINT, self.key_max_age),
        };
        hint.max(shortest).min(longest)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Abandoned fetch without a result, e.g. because its runtime ended.
    Aborted,
    /// Failed fetch. The issuer may have asked for a pause.
    Failed { retry_after: Option<Duration> },
    /// Request of the operator for new keys now.
    Forced,
    /// Request that needs keys of any usable age.
    Needed,
    /// Fetch that returned a key set, or found the known keys unchanged. The issuer may have
    /// declared how long they are fresh.
    Succeeded { fresh_for: Option<Duration> },
    /// Passage of time.
    Tick,
    /// Request for a key that is not in the set, or that does not verify a signature.
    UnknownKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start a fetch, and wait for it.
    Fetch,
    /// Nothing to do.
    Idle,
    /// The request cannot be answered, and no fetch may start before `retry_in`.
    Reject { retry_in: Duration },
    /// The known keys may be used.
    Serve,
    /// The key stays unknown: the cooldown forbids another fetch.
    Unknown,
    /// Wait for the fetch under way.
    Wait,
}

/// State of an issuer's refresh schedule.
pub(crate) struct Schedule {
    settings: RefreshSettings,
    /// Times of the known keys.
    held: Option<HeldKeys>,
    fetch: Option<Fetch>,
    /// `true` if another fetch follows the fetch under way.
    fetch_again: bool,
    /// Number of failed fetches since the last success.
    failures: u32,
    /// `true` if the last fetch was abandoned.
    was_aborted: bool,
    /// Time of the next scheduled fetch.
    due_at: SteadyTime,
    /// End of the pause that the issuer asked for.
    hold_until: SteadyTime,
    /// Time of the next fetch that an unknown key may start.
    unknown_key_at: SteadyTime,
    random: fastrand::Rng,
}

/// Times of known keys.
#[derive(Clone, Copy)]
struct HeldKeys {
    /// Start of the fetch that returned them.
    since: SteadyTime,
    /// Age at which they are stale.
    age: Duration,
}

/// A fetch under way.
struct Fetch {
    since: SteadyTime,
    /// Earlier value of `unknown_key_at`, if an unknown key started the fetch.
    previous_unknown_key_at: Option<SteadyTime>,
    /// `true` if the operator asked for the fetch, which no cache may answer.
    is_forced: bool,
}

impl Schedule {
    pub(crate) fn new(settings: RefreshSettings, seed: u64) -> Self {
        Self {
            settings,
            held: None,
            fetch: None,
            fetch_again: false,
            failures: 0,
            was_aborted: false,
            due_at: SteadyTime::ZERO,
            hold_until: SteadyTime::ZERO,
            unknown_key_at: SteadyTime::ZERO,
            random: fastrand::Rng::with_seed(seed),
        }
    }

    pub(crate) fn on(&mut self, event: Event, now: SteadyTime) -> Action {
        match event {
            Event::Needed => self.needed(now),
            Event::UnknownKey => self.unknown_key(now),
            Event::Forced if self.fetch.is_some() => {
                // The response under way may be older than the call.
                self.fetch_again = true;
                Action::Wait
            }
            Event::Forced => self.start_fetch(now, true),
            Event::Tick if self.fetch.is_none() && now >= self.wakes_at() => {
                self.start_fetch(now, false)
            }
            Event::Tick => Action::Idle,
            Event::Succeeded { fresh_for } => {
                self.succeeded(fresh_for, now);
                self.finish_fetch(now)
            }
            Event::Failed { retry_after } => {
                self.failed(retry_after, now);
                self.finish_fetch(now)
            }
            Event::Aborted => {
                self.aborted();
                Action::Idle
            }
        }
    }

    /// Returns when the next scheduled fetch is due.
    pub(crate) fn wakes_at(&self) -> SteadyTime {
        self.due_at.max(self.hold_until)
    }

    /// Returns the start of the fetch that returned the known keys.
    pub(crate) fn fetched_at(&self) -> Option<SteadyTime> {
        self.held.map(|held| held.since)
    }

    /// Returns when the known keys become stale.
    pub(crate) fn stale_at(&self) -> Option<SteadyTime> {
        self.held.map(|held| held.since.saturating_add(held.age))
    }

    /// Returns until when the known keys may be used.
    pub(crate) fn usable_until(&self) -> Option<SteadyTime> {
        let HeldKeys { since, age } = self.held?;
        let life = self
            .settings
            .key_max_stale
            .max(age)
            .max(RefreshSettings::MIN_LIFE);
        Some(since.saturating_add(life))
    }

    /// Returns until when unknown keys can neither start nor join a fetch.
    pub(crate) fn unknown_keys_blocked_until(&self) -> SteadyTime {
        if self.fetch.is_some() {
            SteadyTime::ZERO
        } else {
            self.unknown_key_at.max(self.hold_until)
        }
    }

    /// Returns whether a fetch is under way.
    pub(crate) fn is_fetching(&self) -> bool {
        self.fetch.is_some()
    }

    /// Returns whether [`Event::Forced`] started the fetch under way.
    pub(crate) fn is_forced(&self) -> bool {
        self.fetch.as_ref().is_some_and(|fetch| fetch.is_forced)
    }

    /// Returns the start of the fetch under way.
    pub(crate) fn fetching_since(&self) -> Option<SteadyTime> {
        self.fetch.as_ref().map(|fetch| fetch.since)
    }

    /// Returns whether the last fetch failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// Returns whether the last fetch ended with a success.
    pub(crate) fn last_fetch_succeeded(&self) -> bool {
        self.failures == 0 && !self.was_aborted
    }

    fn is_usable(&self, now: SteadyTime) -> bool {
        self.usable_until().is_some_and(|until| now < until)
    }

    fn needed(&mut self, now: SteadyTime) -> Action {
        if self.is_usable(now) {
            Action::Serve
        } else if self.fetch.is_some() {
            Action::Wait
        } else if now >= self.wakes_at() || self.failures == 0 {
            self.start_fetch(now, false)
        } else {
            Action::Reject {
                retry_in: self.wakes_at().saturating_since(now),
            }
        }
    }

    fn unknown_key(&mut self, now: SteadyTime) -> Action {
        if !self.is_usable(now) {
            return self.needed(now);
        }
        if self.fetch.is_some() {
            return Action::Wait;
        }
        let blocked_until = self.unknown_keys_blocked_until();
        if now < blocked_until {
            // Only a successful fetch shows that the key does not exist.
            return if self.last_fetch_succeeded() {
                Action::Unknown
            } else {
                Action::Reject {
                    retry_in: blocked_until.saturating_since(now),
                }
            };
        }
        let previous_unknown_key_at = self.unknown_key_at;
        self.unknown_key_at = now.saturating_add(self.settings.unknown_kid_cooldown);
        self.fetch = Some(Fetch {
            since: now,
            previous_unknown_key_at: Some(previous_unknown_key_at),
            is_forced: false,
        });
        Action::Fetch
    }

    fn start_fetch(&mut self, now: SteadyTime, is_forced: bool) -> Action {
        self.fetch = Some(Fetch {
            since: now,
            previous_unknown_key_at: None,
            is_forced,
        });
        Action::Fetch
    }

    /// Ends the fetch, and starts the fetch that has to follow, if any.
    fn finish_fetch(&mut self, now: SteadyTime) -> Action {
        self.fetch = None;
        self.was_aborted = false;
        if std::mem::take(&mut self.fetch_again) {
            self.start_fetch(now, true)
        } else {
            Action::Idle
        }
    }

    fn succeeded(&mut self, fresh_for: Option<Duration>, now: SteadyTime) {
        // The response may be as old as the request.
        let since = self.fetching_since().unwrap_or(now);
        let age = self.settings.age(fresh_for);
        self.held = Some(HeldKeys { since, age });
        self.failures = 0;
        self.hold_until = SteadyTime::ZERO;
        self.due_at = since.saturating_add(self.jittered(age.mul_f64(RefreshSettings::REFRESH_AT)));
    }

    fn failed(&mut self, retry_after: Option<Duration>, now: SteadyTime) {
        let doubled = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        let pause = RefreshSettings::MIN_RETRY.saturating_mul(doubled);
        let latest = match self.usable_until() {
            // Pauses may be long while there are keys, and must be short once they have expired.
            Some(until) if now < until => now
                .saturating_add(RefreshSettings::MAX_RETRY)
                .min(until.saturating_add(RefreshSettings::MAX_COLD_RETRY)),
            _ => now.saturating_add(RefreshSettings::MAX_COLD_RETRY),
        };
        let pause = self.jittered(pause.min(RefreshSettings::MAX_RETRY));
        self.due_at = now.saturating_add(pause).min(latest);
        if let Some(wait) = retry_after {
            self.hold_until = now.saturating_add(wait.min(RefreshSettings::MAX_RETRY_AFTER));
        }
    }

    fn aborted(&mut self) {
        self.fetch_again = false;
        self.was_aborted = true;
        let previous_unknown_key_at = self
            .fetch
            .take()
            .and_then(|fetch| fetch.previous_unknown_key_at);
        self.unknown_key_at = previous_unknown_key_at.unwrap_or(self.unknown_key_at);
    }

    /// Changes `duration` by up to a tenth, so that many services do not call an issuer at once.
    fn jittered(&mut self, duration: Duration) -> Duration {
        let factor =
            1.0 - RefreshSettings::JITTER + 2.0 * RefreshSettings::JITTER * self.random.f64();
        duration.mul_f64(factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Event = Event::Failed { retry_after: None };
    const FETCHED: Event = Event::Succeeded { fresh_for: None };

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const fn at(second: u64) -> SteadyTime {
        SteadyTime::from_start(seconds(second))
    }

    fn schedule() -> Schedule {
        let settings = RefreshSettings {
            key_max_age: seconds(300),
            key_max_age_hints: Some(seconds(60)..=seconds(900)),
            key_max_stale: seconds(3600),
            unknown_kid_cooldown: seconds(30),
        };
        Schedule::new(settings, 7)
    }

    /// A machine whose keys were fetched at second 1000.
    fn warm() -> Schedule {
        let mut schedule = schedule();
        assert_eq!(schedule.on(Event::Needed, at(1000)), Action::Fetch);
        assert_eq!(schedule.on(FETCHED, at(1001)), Action::Idle);
        schedule
    }

    #[test]
    fn f26_one_fetch_serves_everybody_who_needs_keys() {
        let mut schedule = schedule();
        assert_eq!(schedule.on(Event::Needed, at(5)), Action::Fetch);
        for event in [Event::Needed, Event::UnknownKey, Event::Forced] {
            assert_eq!(schedule.on(event, at(6)), Action::Wait);
        }
        assert_eq!(schedule.on(Event::Tick, at(6)), Action::Idle);
        schedule.on(FETCHED, at(6));
        assert_eq!(schedule.on(Event::Needed, at(6)), Action::Serve);
    }

    #[test]
    fn f27_a_failing_cold_start_is_tried_once_per_pause_of_at_most_5_seconds() {
        let mut schedule = schedule();
        let mut now = at(0);
        for _ in 0..10 {
            assert_eq!(schedule.on(Event::Needed, now), Action::Fetch);
            schedule.on(FAILED, now);
            let Action::Reject { retry_in } = schedule.on(Event::Needed, now) else {
                panic!("a second attempt without a pause");
            };
            assert!(retry_in <= seconds(5), "{retry_in:?}");
            assert!(retry_in >= Duration::from_millis(900), "{retry_in:?}");
            now = now + retry_in;
        }
    }

    #[test]
    fn refreshing_starts_at_four_fifths_of_the_age_give_or_take_a_tenth() {
        for seed in 0..100 {
            let mut schedule = warm();
            schedule.random = fastrand::Rng::with_seed(seed);
            schedule.on(Event::Forced, at(2000));
            schedule.on(FETCHED, at(2001));
            let due = schedule.wakes_at();
            assert!((at(2216)..=at(2264)).contains(&due), "seed {seed}: {due:?}");
            assert_eq!(
                schedule.on(Event::Tick, due - Duration::from_millis(1)),
                Action::Idle
            );
            assert_eq!(schedule.on(Event::Tick, due), Action::Fetch);
        }
    }

    #[test]
    fn f2_an_outage_keeps_the_keys_until_they_are_too_old() {
        let mut schedule = warm();
        let mut now = schedule.wakes_at();
        while now < at(4600) {
            assert_eq!(schedule.on(Event::Tick, now), Action::Fetch);
            schedule.on(FAILED, now);
            assert_eq!(schedule.on(Event::Needed, now), Action::Serve);
            now = schedule.wakes_at();
        }
        assert_eq!(schedule.on(Event::Needed, at(4599)), Action::Serve);
        assert!(!matches!(
            schedule.on(Event::Needed, at(4600)),
            Action::Serve
        ));
    }

    #[test]
    fn r54_the_age_counts_from_the_start_of_the_fetch() {
        let schedule = warm();
        assert_eq!(schedule.usable_until(), Some(at(4600)));
    }

    #[test]
    fn f28_an_unknown_key_starts_one_fetch_per_cooldown_succeed_or_fail() {
        for end in [FETCHED, FAILED] {
            let mut schedule = warm();
            assert_eq!(schedule.on(Event::UnknownKey, at(1010)), Action::Fetch);
            assert_eq!(schedule.on(Event::UnknownKey, at(1010)), Action::Wait);
            schedule.on(end, at(1011));
            for second in 1011..1040 {
                let action = schedule.on(Event::UnknownKey, at(second));
                let expected = if end == FETCHED {
                    Action::Unknown
                } else {
                    // No response shows that the key does not exist.
                    Action::Reject {
                        retry_in: seconds(1040 - second),
                    }
                };
                assert_eq!(action, expected, "{second}");
            }
            assert_eq!(schedule.on(Event::UnknownKey, at(1040)), Action::Fetch);
        }
    }

    #[test]
    fn f22_the_cooldown_does_not_start_when_keys_are_first_loaded() {
        let mut schedule = warm();
        assert_eq!(schedule.on(Event::UnknownKey, at(1001)), Action::Fetch);
    }

    #[test]
    fn f3_a_spent_cooldown_starves_neither_scheduled_nor_forced_fetches() {
        let mut schedule = warm();
        let due = schedule.wakes_at();
        assert_eq!(schedule.on(Event::UnknownKey, due), Action::Fetch);
        schedule.on(FAILED, due);
        let now = schedule.wakes_at();
        assert!(now < due + seconds(30));
        assert_eq!(schedule.on(Event::Tick, now), Action::Fetch);
        schedule.on(FAILED, now);
        assert_eq!(schedule.on(Event::Forced, now), Action::Fetch);
    }

    #[test]
    fn f5_pauses_grow_from_one_second_to_a_minute() {
        let mut schedule = warm();
        let mut now = schedule.wakes_at();
        let mut pauses = Vec::new();
        for _ in 0..9 {
            assert_eq!(schedule.on(Event::Tick, now), Action::Fetch);
            schedule.on(FAILED, now);
            pauses.push((schedule.wakes_at() - now).as_secs_f64());
            now = schedule.wakes_at();
        }
        for (pause, nominal) in pauses.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0]) {
            assert!((pause / nominal - 1.0).abs() <= 0.1, "{pauses:?}");
        }
        assert!(pauses.iter().all(|&pause| pause <= 60.0), "{pauses:?}");
    }

    #[test]
    fn f6_retry_after_is_obeyed_up_to_ten_minutes() {
        for (asked, granted) in [(120, 120), (600, 600), (86_400, 600)] {
            let mut schedule = warm();
            let now = schedule.wakes_at();
            schedule.on(Event::Tick, now);
            let retry_after = Some(seconds(asked));
            schedule.on(Event::Failed { retry_after }, now);
            assert_eq!(schedule.wakes_at(), now + seconds(granted));
            let retry_in = seconds(granted);
            let action = schedule.on(Event::UnknownKey, now);
            assert_eq!(action, Action::Reject { retry_in });
        }
    }

    #[test]
    fn f1_the_first_pause_after_the_keys_ran_out_is_short() {
        let mut schedule = warm();
        // Fetches fail until the pauses are a minute long and the keys run out.
        let mut now = schedule.wakes_at();
        while now < at(4600) {
            schedule.on(Event::Tick, now);
            schedule.on(FAILED, now);
            now = schedule.wakes_at();
        }
        assert!(now <= at(4605), "{now:?}");
    }

    #[test]
    fn f32_an_aborted_fetch_costs_nothing() {
        let mut schedule = schedule();
        assert_eq!(schedule.on(Event::Needed, at(1)), Action::Fetch);
        schedule.on(Event::Aborted, at(1));
        assert_eq!(schedule.on(Event::Needed, at(1)), Action::Fetch);

        let mut schedule = warm();
        assert_eq!(schedule.on(Event::UnknownKey, at(1010)), Action::Fetch);
        schedule.on(Event::Aborted, at(1010));
        assert!(!schedule.last_fetch_succeeded());
        assert_eq!(schedule.on(Event::UnknownKey, at(1011)), Action::Fetch);
    }

    #[test]
    fn a_forced_fetch_follows_the_one_under_way() {
        let mut schedule = warm();
        assert_eq!(schedule.on(Event::UnknownKey, at(1010)), Action::Fetch);
        assert_eq!(schedule.on(Event::Forced, at(1011)), Action::Wait);
        assert!(!schedule.is_forced());
        assert_eq!(schedule.on(FETCHED, at(1012)), Action::Fetch);
        assert!(schedule.is_forced());
        assert_eq!(schedule.on(FAILED, at(1013)), Action::Idle);
        assert!(!schedule.is_forced());
    }

    #[test]
    fn r59_without_bounds_of_the_operator_a_hint_only_shortens() {
        for (key_max_age, hint, age) in [
            (300, 0, 60),
            (300, 120, 120),
            (300, 300, 300),
            (300, 900, 300),
            (30, 900, 30),
            (30, 5, 30),
            (86_400, 5, 60),
        ] {
            let settings = RefreshSettings {
                key_max_age: seconds(key_max_age),
                key_max_age_hints: None,
                ..schedule().settings
            };
            assert_eq!(
                settings.age(Some(seconds(hint))),
                seconds(age),
                "{key_max_age} {hint}"
            );
            assert_eq!(settings.age(None), seconds(key_max_age));
        }
    }

    proptest::proptest! {
        /// A key is withdrawn at some instant, and its issuer responds within 5 s. Whatever the
        /// issuer declares, the key is trusted no longer than the settings allow, plus 5 s.
        #[test]
        fn r59_a_withdrawn_key_outlives_no_setting(
            seed in 0_u64..u64::MAX,
            key_max_age in 1_u64..86_400,
            bounds in proptest::option::of((1_u64..86_400, 0_u64..86_400)),
            key_max_stale in 0_u64..604_800,
            hints in proptest::collection::vec(proptest::option::of(0_u64..200_000), 1..20),
            latency in 0_u64..=5000,
            withdrawn_after in 0.0..1.0,
        ) {
            let key_max_age_hints =
                bounds.map(|(start, more)| seconds(start)..=seconds((start + more).min(86_400)));
            let longest = key_max_age_hints.as_ref().map_or(Duration::ZERO, |bounds| *bounds.end());
            let promised = seconds(key_max_age).max(longest) + seconds(5);
            let settings = RefreshSettings {
                key_max_age: seconds(key_max_age),
                key_max_age_hints,
                key_max_stale: seconds(key_max_stale),
                unknown_kid_cooldown: seconds(30),
            };
            let latency = Duration::from_millis(latency);
            let mut schedule = Schedule::new(settings, seed);
            let mut now = at(1000);
            // One fetch follows another. The set in use was requested at `asked_at`.
            for (number, hint) in hints.iter().enumerate() {
                let asked_at = now;
                assert_eq!(schedule.on(Event::Tick, now), Action::Fetch);
                let answered_at = now + latency;
                let fresh_for = hint.map(seconds);
                schedule.on(Event::Succeeded { fresh_for }, answered_at);
                let next = schedule.wakes_at().max(answered_at);
                if number + 1 == hints.len() {
                    // The key is withdrawn right after this fetch's request, or somewhat later.
                    let withdrawn_at = asked_at + (next - asked_at).mul_f64(withdrawn_after);
                    let gone_at = next + latency;
                    assert!(gone_at.saturating_since(withdrawn_at) <= promised);
                    // The key is not used beyond that either while the fetch fails and nothing is
                    // stale.
                    if key_max_stale == 0 {
                        let longest = promised.max(RefreshSettings::MIN_LIFE);
                        assert!(schedule.usable_until().unwrap() - asked_at <= longest);
                    }
                }
                now = next;
            }
        }
    }

    #[test]
    fn what_the_issuer_says_of_freshness_counts_within_bounds() {
        for (hint, age) in [
            (None, 300),
            (Some(0), 60),
            (Some(120), 120),
            (Some(86_400), 900),
        ] {
            let mut schedule = warm();
            schedule.on(Event::Forced, at(2000));
            let fresh_for = hint.map(seconds);
            schedule.on(Event::Succeeded { fresh_for }, at(2001));
            assert_eq!(schedule.stale_at(), Some(at(2000 + age)), "{hint:?}");
            assert_eq!(schedule.usable_until(), Some(at(5600)), "{hint:?}");
        }
    }

    /// Checks the guarantees of a schedule after every event.
    struct Witness {
        schedule: Schedule,
        now: SteadyTime,
        is_fetching: bool,
        started: SteadyTime,
        last_success: Option<SteadyTime>,
        last_unknown: Option<SteadyTime>,
        /// Earlier value of `last_unknown`, if an unknown key started the fetch.
        previous_unknown_key_at: Option<Option<SteadyTime>>,
        retry_after: bool,
    }

    impl Witness {
        fn new(seed: u64) -> Self {
            let mut schedule = schedule();
            schedule.random = fastrand::Rng::with_seed(seed);
            Self {
                schedule,
                now: at(1),
                is_fetching: false,
                started: SteadyTime::ZERO,
                last_success: None,
                last_unknown: None,
                previous_unknown_key_at: None,
                retry_after: false,
            }
        }

        fn is_usable(&self) -> bool {
            self.last_success
                .is_some_and(|since| self.now < since + seconds(3600))
        }

        fn see(&mut self, event: Event, wait: Duration) {
            self.now = self.now + wait;
            let ends_fetch = matches!(
                event,
                Event::Aborted | Event::Failed { .. } | Event::Succeeded { .. }
            );
            if ends_fetch && !self.is_fetching {
                return;
            }
            let usable_before = self.schedule.usable_until();
            let action = self.schedule.on(event, self.now);
            match event {
                Event::Succeeded { .. } => {
                    // A success always replaces the times, which count from the start of the fetch.
                    self.last_success = Some(self.started);
                    self.retry_after = false;
                }
                Event::Failed { retry_after } => {
                    self.retry_after |= retry_after.is_some();
                    let soon = if self.is_usable() { 60 } else { 5 };
                    assert!(
                        self.retry_after || self.schedule.wakes_at() <= self.now + seconds(soon)
                    );
                }
                Event::Aborted => {
                    self.last_unknown = self
                        .previous_unknown_key_at
                        .take()
                        .unwrap_or(self.last_unknown);
                }
                Event::Needed if self.is_usable() => assert_eq!(action, Action::Serve),
                Event::Needed => assert_ne!(action, Action::Serve),
                _ => {}
            }
            if !matches!(event, Event::Succeeded { .. }) {
                // An outage never removes the keys.
                assert_eq!(self.schedule.usable_until(), usable_before);
            }
            if ends_fetch {
                self.is_fetching = false;
            }
            match action {
                Action::Fetch => {
                    assert!(!self.is_fetching, "a second fetch at once");
                    self.previous_unknown_key_at = None;
                    if event == Event::UnknownKey && self.is_usable() {
                        let last = self.last_unknown.replace(self.now);
                        self.previous_unknown_key_at = Some(last);
                        assert!(last.is_none_or(|last| self.now >= last + seconds(30)));
                    }
                    self.is_fetching = true;
                    self.started = self.now;
                }
                Action::Wait => assert!(self.is_fetching, "nothing to wait for"),
                Action::Reject { retry_in } => {
                    assert!(!self.is_fetching && !self.schedule.last_fetch_succeeded());
                    assert!(retry_in > Duration::ZERO && retry_in <= seconds(600));
                }
                Action::Unknown => {
                    assert!(!self.is_fetching && self.is_usable());
                    assert!(self.schedule.last_fetch_succeeded());
                }
                Action::Idle | Action::Serve => {}
            }
            assert_eq!(self.schedule.is_fetching(), self.is_fetching);
        }
    }

    const EVENTS: [Event; 9] = [
        Event::Aborted,
        FAILED,
        Event::Failed {
            retry_after: Some(seconds(700)),
        },
        FETCHED,
        Event::Succeeded {
            fresh_for: Some(seconds(10_000)),
        },
        Event::Forced,
        Event::Needed,
        Event::Tick,
        Event::UnknownKey,
    ];

    #[test]
    fn every_short_sequence_keeps_the_promises() {
        const LONGEST: u32 = 5;
        let waits = [seconds(0), seconds(31), seconds(3601)];
        let choices = EVENTS.len() * waits.len();
        for number in 0..choices.pow(LONGEST - 1) {
            let mut witness = Witness::new(1);
            witness.see(Event::Needed, seconds(0));
            let mut rest = number;
            for _ in 1..LONGEST {
                let choice = rest % choices;
                rest /= choices;
                let wait = waits[choice / EVENTS.len()];
                witness.see(EVENTS[choice % EVENTS.len()], wait);
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn random_sequences_keep_the_promises(
            seed in 0_u64..u64::MAX,
            steps in proptest::collection::vec((0..EVENTS.len(), 0_u64..4_000_000), 1..200),
        ) {
            let mut witness = Witness::new(seed);
            for (event, milliseconds) in steps {
                // Short waits are as likely as long ones.
                let wait = milliseconds / 10_u64.pow(u32::try_from(milliseconds % 7).unwrap());
                witness.see(EVENTS[event], Duration::from_millis(wait));
            }
        }
    }
}
