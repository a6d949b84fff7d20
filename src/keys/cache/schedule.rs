//! When to fetch keys: a state machine without I/O, clock or runtime. Events and the time go in,
//! actions come out; the [`Keeper`](super::Keeper) does the rest.
//!
//! 1. At most one fetch is under way.
//! 2. A request that finds usable keys is served, however the issuer fares.
//! 3. A request for an unknown key may start one fetch per cooldown. The cooldown counts
//!    attempts, and is counted apart from scheduled and forced fetches, so that neither can
//!    starve the other.
//! 4. Keys are used for `key_max_stale` after the start of the fetch that brought them, and not
//!    a moment longer.

use std::{ops::RangeInclusive, time::Duration};

/// A moment on the steady clock: the time since an arbitrary start.
pub(crate) type Moment = Duration;

/// The times that govern a key set.
#[derive(Clone, Debug)]
pub(crate) struct Times {
    /// Age at which keys are due for a refresh, if their issuer says nothing of it.
    pub(crate) key_max_age: Duration,
    /// Bounds of what an issuer may say of it, if the operator set them.
    pub(crate) key_max_age_hints: Option<RangeInclusive<Duration>>,
    /// Age up to which keys are used while no refresh succeeds.
    pub(crate) key_max_stale: Duration,
    /// Between two fetches for unknown keys.
    pub(crate) unknown_kid_cooldown: Duration,
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
    /// Keys live at least for the time that two fetches may take, so that fetching never becomes
    /// all there is.
    const SHORTEST_LIFE: Duration = Duration::from_secs(10);
    /// The shortest age that an issuer may ask for, unless the operator says otherwise.
    const SHORTEST_HINT: Duration = Duration::from_secs(60);

    /// The age at which keys are due. Without bounds set by the operator an issuer may shorten it
    /// and never lengthen it: a withdrawn key lives no longer than the operator's own setting says.
    fn age(&self, fresh_for: Option<Duration>) -> Duration {
        let Some(hint) = fresh_for else {
            return self.key_max_age;
        };
        let (shortest, longest) = match &self.key_max_age_hints {
            Some(bounds) => (*bounds.start(), *bounds.end()),
            None => (Self::SHORTEST_HINT, self.key_max_age),
        };
        hint.max(shortest).min(longest)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The fetch was given up without an answer, e.g. because its runtime ended.
    Aborted,
    /// The fetch failed; the issuer may have asked for a pause.
    Failed { retry_after: Option<Duration> },
    /// The fetch brought keys; the issuer may have said for how long they are fresh.
    Fetched { fresh_for: Option<Duration> },
    /// Somebody wants new keys now.
    Forced,
    /// A request needs keys, of whatever age is allowed.
    Needed,
    /// The fetch found that the keys at hand still hold.
    NotModified { fresh_for: Option<Duration> },
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
    /// The key cannot be had, and there is no fetch now; the next one may start in so long.
    Refuse { retry_in: Duration },
    /// The keys at hand may be used.
    Serve,
    /// The key stays unknown: its issuer is not asked again so soon.
    Unknown,
    /// A fetch is under way: wait for it.
    Wait,
}

/// The state of one issuer's key set.
pub(crate) struct Refresh {
    times: Times,
    /// The keys at hand.
    held: Option<Held>,
    flight: Option<Flight>,
    /// Another fetch is to follow the one under way.
    again: bool,
    /// Failed fetches since the last success.
    failures: u32,
    /// The last fetch was given up.
    was_aborted: bool,
    /// The next scheduled fetch.
    due_at: Moment,
    /// The issuer asked not to be called before.
    hold_until: Moment,
    /// The next fetch that an unknown key may start.
    unknown_key_at: Moment,
    random: fastrand::Rng,
}

/// Keys, by their times.
#[derive(Clone, Copy)]
struct Held {
    /// Start of the fetch that brought them.
    since: Moment,
    /// Age at which they are stale.
    age: Duration,
}

/// A fetch under way.
struct Flight {
    since: Moment,
    /// What `unknown_key_at` was before, if an unknown key started it.
    refund: Option<Moment>,
    /// Somebody asked for new keys, and takes no answer of a cache.
    is_forced: bool,
}

impl Refresh {
    pub(crate) fn new(times: Times, seed: u64) -> Self {
        Self {
            times,
            held: None,
            flight: None,
            again: false,
            failures: 0,
            was_aborted: false,
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
            Event::Forced if self.flight.is_some() => {
                // The answer under way may be older than the wish.
                self.again = true;
                Action::Wait
            }
            Event::Forced => self.take_off(now, true),
            Event::Tick if self.flight.is_none() && now >= self.wakes_at() => {
                self.take_off(now, false)
            }
            Event::Tick => Action::Idle,
            Event::Fetched { fresh_for } | Event::NotModified { fresh_for } => {
                self.succeeded(fresh_for, now);
                self.land(now)
            }
            Event::Failed { retry_after } => {
                self.failed(retry_after, now);
                self.land(now)
            }
            Event::Aborted => {
                self.aborted();
                Action::Idle
            }
        }
    }

    /// When the next scheduled fetch is due.
    pub(crate) fn wakes_at(&self) -> Moment {
        self.due_at.max(self.hold_until)
    }

    /// Start of the fetch that brought the keys at hand.
    pub(crate) fn fetched_at(&self) -> Option<Moment> {
        self.held.map(|held| held.since)
    }

    /// When the keys at hand become stale.
    pub(crate) fn stale_at(&self) -> Option<Moment> {
        self.held.map(|held| held.since.saturating_add(held.age))
    }

    /// Until when the keys at hand may be used.
    pub(crate) fn usable_until(&self) -> Option<Moment> {
        let Held { since, age } = self.held?;
        let life = self.times.key_max_stale.max(age).max(Times::SHORTEST_LIFE);
        Some(since.saturating_add(life))
    }

    /// Until when unknown keys cannot start a fetch, nor join one.
    pub(crate) fn unknown_keys_blocked_until(&self) -> Moment {
        if self.flight.is_some() {
            Moment::ZERO
        } else {
            self.unknown_key_at.max(self.hold_until)
        }
    }

    /// Whether a fetch is under way.
    pub(crate) fn is_flying(&self) -> bool {
        self.flight.is_some()
    }

    /// Whether the fetch under way was asked for by [`Event::Forced`].
    pub(crate) fn is_forced(&self) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.is_forced)
    }

    /// Since when it is.
    pub(crate) fn flying_since(&self) -> Option<Moment> {
        self.flight.as_ref().map(|flight| flight.since)
    }

    /// Whether the last fetch failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// Whether the last fetch brought an answer at all.
    pub(crate) fn is_certain(&self) -> bool {
        self.failures == 0 && !self.was_aborted
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
            self.take_off(now, false)
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
        let blocked_until = self.unknown_keys_blocked_until();
        if now < blocked_until {
            // Only an issuer that answers can say that there is no such key.
            return if self.is_certain() {
                Action::Unknown
            } else {
                Action::Refuse {
                    retry_in: blocked_until.saturating_sub(now),
                }
            };
        }
        let refund = self.unknown_key_at;
        self.unknown_key_at = now.saturating_add(self.times.unknown_kid_cooldown);
        self.flight = Some(Flight {
            since: now,
            refund: Some(refund),
            is_forced: false,
        });
        Action::Fetch
    }

    fn take_off(&mut self, now: Moment, is_forced: bool) -> Action {
        self.flight = Some(Flight {
            since: now,
            refund: None,
            is_forced,
        });
        Action::Fetch
    }

    /// Ends the flight; another one may have to follow.
    fn land(&mut self, now: Moment) -> Action {
        self.flight = None;
        self.was_aborted = false;
        if std::mem::take(&mut self.again) {
            self.take_off(now, true)
        } else {
            Action::Idle
        }
    }

    fn succeeded(&mut self, fresh_for: Option<Duration>, now: Moment) {
        // The answer is no younger than the question.
        let since = self.flying_since().unwrap_or(now);
        let age = self.times.age(fresh_for);
        self.held = Some(Held { since, age });
        self.failures = 0;
        self.hold_until = Moment::ZERO;
        self.due_at = since.saturating_add(self.jittered(age.mul_f64(Times::AHEAD)));
    }

    fn failed(&mut self, retry_after: Option<Duration>, now: Moment) {
        let doubled = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        let pause = Times::FIRST_RETRY.saturating_mul(doubled);
        let latest = match self.usable_until() {
            // As long as there are keys there is time; but not once they have run out.
            Some(until) if now < until => now
                .saturating_add(Times::LAST_RETRY)
                .min(until.saturating_add(Times::LAST_COLD_RETRY)),
            _ => now.saturating_add(Times::LAST_COLD_RETRY),
        };
        let pause = self.jittered(pause.min(Times::LAST_RETRY));
        self.due_at = now.saturating_add(pause).min(latest);
        if let Some(wait) = retry_after {
            self.hold_until = now.saturating_add(wait.min(Times::LONGEST_RETRY_AFTER));
        }
    }

    fn aborted(&mut self) {
        self.again = false;
        self.was_aborted = true;
        let refund = self.flight.take().and_then(|flight| flight.refund);
        self.unknown_key_at = refund.unwrap_or(self.unknown_key_at);
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
    const FETCHED: Event = Event::Fetched { fresh_for: None };

    const fn seconds(seconds: u64) -> Moment {
        Duration::from_secs(seconds)
    }

    fn refresh() -> Refresh {
        let times = Times {
            key_max_age: seconds(300),
            key_max_age_hints: Some(seconds(60)..=seconds(900)),
            key_max_stale: seconds(3600),
            unknown_kid_cooldown: seconds(30),
        };
        Refresh::new(times, 7)
    }

    /// A machine whose keys were fetched at second 1000.
    fn warm() -> Refresh {
        let mut refresh = refresh();
        assert_eq!(refresh.on(Event::Needed, seconds(1000)), Action::Fetch);
        assert_eq!(refresh.on(FETCHED, seconds(1001)), Action::Idle);
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
        refresh.on(FETCHED, seconds(6));
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
            refresh.on(FETCHED, seconds(2001));
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
        for end in [FETCHED, FAILED] {
            let mut refresh = warm();
            assert_eq!(refresh.on(Event::UnknownKey, seconds(1010)), Action::Fetch);
            assert_eq!(refresh.on(Event::UnknownKey, seconds(1010)), Action::Wait);
            refresh.on(end, seconds(1011));
            for second in 1011..1040 {
                let action = refresh.on(Event::UnknownKey, seconds(second));
                let expected = if end == FETCHED {
                    Action::Unknown
                } else {
                    // Nobody can say that it does not exist.
                    Action::Refuse {
                        retry_in: seconds(1040 - second),
                    }
                };
                assert_eq!(action, expected, "{second}");
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
            let retry_in = seconds(granted);
            let action = refresh.on(Event::UnknownKey, now);
            assert_eq!(action, Action::Refuse { retry_in });
        }
    }

    #[test]
    fn f1_the_first_pause_after_the_keys_ran_out_is_short() {
        let mut refresh = warm();
        // Failing for so long that pauses have become a minute, until the keys run out.
        let mut now = refresh.wakes_at();
        while now < seconds(4600) {
            refresh.on(Event::Tick, now);
            refresh.on(FAILED, now);
            now = refresh.wakes_at();
        }
        assert!(now <= seconds(4605), "{now:?}");
    }

    #[test]
    fn f32_an_aborted_fetch_costs_nothing() {
        let mut refresh = refresh();
        assert_eq!(refresh.on(Event::Needed, seconds(1)), Action::Fetch);
        refresh.on(Event::Aborted, seconds(1));
        assert_eq!(refresh.on(Event::Needed, seconds(1)), Action::Fetch);

        let mut refresh = warm();
        assert_eq!(refresh.on(Event::UnknownKey, seconds(1010)), Action::Fetch);
        refresh.on(Event::Aborted, seconds(1010));
        assert!(!refresh.is_certain());
        assert_eq!(refresh.on(Event::UnknownKey, seconds(1011)), Action::Fetch);
    }

    #[test]
    fn a_forced_fetch_follows_the_one_under_way() {
        let mut refresh = warm();
        assert_eq!(refresh.on(Event::UnknownKey, seconds(1010)), Action::Fetch);
        assert_eq!(refresh.on(Event::Forced, seconds(1011)), Action::Wait);
        assert!(!refresh.is_forced());
        assert_eq!(refresh.on(FETCHED, seconds(1012)), Action::Fetch);
        assert!(refresh.is_forced());
        assert_eq!(refresh.on(FAILED, seconds(1013)), Action::Idle);
        assert!(!refresh.is_forced());
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
            let times = Times {
                key_max_age: seconds(key_max_age),
                key_max_age_hints: None,
                ..refresh().times
            };
            assert_eq!(
                times.age(Some(seconds(hint))),
                seconds(age),
                "{key_max_age} {hint}"
            );
            assert_eq!(times.age(None), seconds(key_max_age));
        }
    }

    proptest::proptest! {
        /// A key is withdrawn at some instant, and its issuer answers within 5 s, whatever it
        /// hints: the key is trusted no longer than the settings say, and 5 s.
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
            let times = Times {
                key_max_age: seconds(key_max_age),
                key_max_age_hints,
                key_max_stale: seconds(key_max_stale),
                unknown_kid_cooldown: seconds(30),
            };
            let latency = Duration::from_millis(latency);
            let mut refresh = Refresh::new(times, seed);
            let mut now = seconds(1000);
            // Fetch after fetch. The set that is in use was asked for at `asked_at`.
            for (number, hint) in hints.iter().enumerate() {
                let asked_at = now;
                assert_eq!(refresh.on(Event::Tick, now), Action::Fetch);
                let answered_at = now + latency;
                let fresh_for = hint.map(seconds);
                refresh.on(Event::Fetched { fresh_for }, answered_at);
                let next = refresh.wakes_at().max(answered_at);
                if number + 1 == hints.len() {
                    // Withdrawn right behind this fetch's question, or somewhat later.
                    let withdrawn_at = asked_at + (next - asked_at).mul_f64(withdrawn_after);
                    let gone_at = next + latency;
                    assert!(gone_at.saturating_sub(withdrawn_at) <= promised);
                    // Nor may it be used beyond that while the fetch fails and nothing is stale.
                    if key_max_stale == 0 {
                        let longest = promised.max(Times::SHORTEST_LIFE);
                        assert!(refresh.usable_until().unwrap() - asked_at <= longest);
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
            for not_modified in [false, true] {
                let mut refresh = warm();
                refresh.on(Event::Forced, seconds(2000));
                let fresh_for = hint.map(seconds);
                refresh.on(
                    if not_modified {
                        Event::NotModified { fresh_for }
                    } else {
                        Event::Fetched { fresh_for }
                    },
                    seconds(2001),
                );
                assert_eq!(refresh.stale_at(), Some(seconds(2000 + age)), "{hint:?}");
                assert_eq!(refresh.usable_until(), Some(seconds(5600)), "{hint:?}");
            }
        }
    }

    /// Holds a machine to its promises, whatever happens to it.
    struct Witness {
        refresh: Refresh,
        now: Moment,
        is_flying: bool,
        started: Moment,
        last_success: Option<Moment>,
        last_unknown: Option<Moment>,
        /// What `last_unknown` was before the flight, if an unknown key started it.
        refund: Option<Option<Moment>>,
        retry_after: bool,
    }

    impl Witness {
        fn new(seed: u64) -> Self {
            let mut refresh = refresh();
            refresh.random = fastrand::Rng::with_seed(seed);
            Self {
                refresh,
                now: seconds(1),
                is_flying: false,
                started: Moment::ZERO,
                last_success: None,
                last_unknown: None,
                refund: None,
                retry_after: false,
            }
        }

        fn is_usable(&self) -> bool {
            self.last_success
                .is_some_and(|since| self.now < since + seconds(3600))
        }

        fn see(&mut self, event: Event, wait: Duration) {
            self.now += wait;
            let ends_flight = matches!(
                event,
                Event::Aborted
                    | Event::Failed { .. }
                    | Event::Fetched { .. }
                    | Event::NotModified { .. }
            );
            if ends_flight && !self.is_flying {
                return;
            }
            let usable_before = self.refresh.usable_until();
            let action = self.refresh.on(event, self.now);
            match event {
                Event::Fetched { .. } | Event::NotModified { .. } => {
                    // A success always replaces, and counts from its start.
                    self.last_success = Some(self.started);
                    self.retry_after = false;
                }
                Event::Failed { retry_after } => {
                    self.retry_after |= retry_after.is_some();
                    let soon = if self.is_usable() { 60 } else { 5 };
                    assert!(
                        self.retry_after || self.refresh.wakes_at() <= self.now + seconds(soon)
                    );
                }
                Event::Aborted => {
                    self.last_unknown = self.refund.take().unwrap_or(self.last_unknown);
                }
                Event::Needed if self.is_usable() => assert_eq!(action, Action::Serve),
                Event::Needed => assert_ne!(action, Action::Serve),
                _ => {}
            }
            if !matches!(event, Event::Fetched { .. } | Event::NotModified { .. }) {
                // An outage never empties.
                assert_eq!(self.refresh.usable_until(), usable_before);
            }
            if ends_flight {
                self.is_flying = false;
            }
            match action {
                Action::Fetch => {
                    assert!(!self.is_flying, "a second fetch at once");
                    self.refund = None;
                    if event == Event::UnknownKey && self.is_usable() {
                        let last = self.last_unknown.replace(self.now);
                        self.refund = Some(last);
                        assert!(last.is_none_or(|last| self.now >= last + seconds(30)));
                    }
                    self.is_flying = true;
                    self.started = self.now;
                }
                Action::Wait => assert!(self.is_flying, "nothing to wait for"),
                Action::Refuse { retry_in } => {
                    assert!(!self.is_flying && !self.refresh.is_certain());
                    assert!(retry_in > Duration::ZERO && retry_in <= seconds(600));
                }
                Action::Unknown => {
                    assert!(!self.is_flying && self.is_usable());
                    assert!(self.refresh.is_certain());
                }
                Action::Idle | Action::Serve => {}
            }
            assert_eq!(self.refresh.is_flying(), self.is_flying);
        }
    }

    const EVENTS: [Event; 9] = [
        Event::Aborted,
        FAILED,
        Event::Failed {
            retry_after: Some(seconds(700)),
        },
        FETCHED,
        Event::NotModified {
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
