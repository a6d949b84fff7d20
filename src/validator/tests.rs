//! A token that was accepted before is judged as one that never came.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::Request;
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::json;

use super::*;
use crate::{
    issuer::{revocation::RevocationList, sender_constraint::SenderConstraintError},
    keys::algorithm::Algorithm,
    test_util::{TestClock, TestIssuer, TokenBuilder},
    token::{claims::Claims, jws::CompactJws, presented_token::PresentedToken},
    validator::check::{NotAccepted, Waited, WaitsLeft},
};

#[test]
fn r55_a_token_waits_once_and_once_more_for_a_fetch_that_it_joined() {
    let [joined, started] = [true, false];
    let waits = |waited: &[bool]| {
        let waited = waited.iter().map(|&joined| Waited::Keys { joined });
        waited.fold(WaitsLeft::ALL, WaitsLeft::after).may_wait()
    };
    assert!(waits(&[]) && waits(&[joined]));
    assert!(!waits(&[joined, joined]) && !waits(&[joined, joined, joined]));
    // A fetch that began with the request is as new as can be.
    for waited in [
        &[started][..],
        &[joined, started],
        &[joined, joined, started],
    ] {
        assert!(!waits(waited), "{waited:?}");
    }
    assert!(!WaitsLeft::ALL.none().may_wait());
}

#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    GoBack(u64),
    GoForward(u64),
    Rotate,
    Withdraw,
    Refresh,
    Outage(bool),
    Revoke(usize),
    ClearRevocations,
    SenderConstraint(bool),
    Come(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        40 => (0..14_usize).prop_map(Step::Come),
        2 => prop_oneof![1..90_u64, 60..400_u64, 1000..5000_u64].prop_map(Step::Pass),
        1 => (1..200_u64).prop_map(Step::GoBack),
        1 => (1..200_u64).prop_map(Step::GoForward),
        1 => Just(Step::Rotate),
        1 => Just(Step::Withdraw),
        1 => Just(Step::Refresh),
        1 => any::<bool>().prop_map(Step::Outage),
        1 => (0..32_usize).prop_map(Step::Revoke),
        1 => Just(Step::ClearRevocations),
        1 => any::<bool>().prop_map(Step::SenderConstraint),
    ];
    vec(step, 1..400)
}

/// Outcome for a token, in words.
fn outcome(decided: Result<Access, NotAccepted>) -> String {
    match decided {
        Ok(access) => format!("{:?} {:?}", access.subject(), access.permissions()),
        Err(NotAccepted::Rejected(error)) => error.reason().to_owned(),
        Err(NotAccepted::Wait(_)) => "waits".to_owned(),
    }
}

struct World {
    issuer: TestIssuer,
    clock: TestClock,
    validator: TokenValidator,
    revoked: Arc<RevocationList>,
    confirms: Arc<AtomicBool>,
    tokens: Vec<String>,
}

impl World {
    fn new() -> Self {
        let (issuer, clock) = (TestIssuer::self_managed(), TestClock::new());
        issuer.sign_with(Algorithm::EdDsa);
        let revoked = Arc::new(RevocationList::default());
        let confirms = Arc::new(AtomicBool::new(true));
        let may = Arc::clone(&confirms);
        let constraint = move |_: &Claims, _: &RequestView<'_>| {
            let confirmed = may.load(Ordering::Relaxed).then_some(());
            confirmed.ok_or(SenderConstraintError::new("the test says so"))
        };
        let configured = issuer
            .issuer()
            .token_max_age(Duration::from_secs(1200))
            .revocation(Arc::clone(&revoked))
            .sender_constraint("x5t#S256", constraint);
        let builder = TokenValidator::builder().issuer(configured);
        let mut world = Self {
            validator: builder.clock(clock.clone()).build().unwrap(),
            issuer,
            clock,
            revoked,
            confirms,
            tokens: Vec::new(),
        };
        world.sign();
        world
    }

    /// Tokens by the issuer's present key.
    fn sign(&mut self) {
        let now = self.clock.now();
        let now_in_seconds = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let number = self.tokens.len();
        let token = || {
            let token = self.issuer.token().issued_at(now);
            token
                .claim("jti", number.to_string())
                .expires_in(Duration::from_secs(3600))
        };
        self.tokens.extend(
            [
                token(),
                token().expires_in(Duration::from_secs(100)),
                token().claim("nbf", now_in_seconds + 100),
                token().claim("cnf", json!({"x5t#S256": "x"})),
                token().header("kid", json!(null)),
                token().subject("another"),
                token().claim("iat", now_in_seconds - 1000),
            ]
            .map(TokenBuilder::sign),
        );
    }

    /// One of the tokens by the last two keys.
    fn recent(&self, number: usize) -> &str {
        let mut recent = self.tokens.iter().rev().take(14).cycle();
        recent.nth(number).unwrap()
    }

    async fn take(&mut self, step: &Step) {
        let seconds = Duration::from_secs;
        match *step {
            Step::Pass(time) => self.clock.advance(seconds(time)),
            Step::GoBack(time) => self.clock.step_back(seconds(time)),
            Step::GoForward(time) => self.clock.step_forward(seconds(time)),
            Step::Rotate => {
                self.issuer.rotate_keys();
                self.sign();
            }
            Step::Withdraw => self.issuer.withdraw_old_keys(),
            Step::Refresh => drop(self.validator.refresh_now().await),
            Step::Outage(is_out) => self.issuer.fail_fetches(is_out),
            Step::Revoke(number) => {
                let number = number % self.tokens.len() / 7 * 7;
                self.revoked
                    .revoke_token(self.issuer.name(), &number.to_string());
            }
            Step::ClearRevocations => self.revoked.clear(),
            Step::SenderConstraint(may) => self.confirms.store(may, Ordering::Relaxed),
            Step::Come(_) => {}
        }
        // What it caused in the background is done before the next step.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
}

#[test]
fn r48_a_hit_equals_a_cold_check() {
    let [hits, refused_hits, too_old] = [const { AtomicUsize::new(0) }; 3];
    let mut runner = TestRunner::new(Config {
        cases: 60,
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&steps(), |steps| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            world.validator.ready().await;
            let request = Request::new(());
            let view = RequestView::of(&request);
            for step in steps {
                world.take(&step).await;
                let Step::Come(number) = step else { continue };
                let token = world.recent(number);
                let inner = &world.validator.inner;
                let is_hit = inner
                    .cached(token.as_bytes(), inner.clock.steady())
                    .is_some();
                let warm = outcome(inner.decide(
                    PresentedToken::Text(token),
                    Some(&view),
                    &WaitsLeft::ALL,
                ));
                let compact = CompactJws::split(token).unwrap();
                let cold = inner.check(compact, Some(&view), &WaitsLeft::ALL, inner.clock.steady());
                let cold = outcome(cold.map(|result| result.access));
                prop_assert_eq!(&warm, &cold);
                hits.fetch_add(usize::from(is_hit), Ordering::Relaxed);
                let is_refused = warm == "revoked" || warm == "unconfirmed";
                refused_hits.fetch_add(usize::from(is_hit && is_refused), Ordering::Relaxed);
                too_old.fetch_add(usize::from(warm == "too_old"), Ordering::Relaxed);
            }
            Ok(())
        })
    });
    result.unwrap();
    let [hits, refused_hits, too_old] = [hits, refused_hits, too_old].map(AtomicUsize::into_inner);
    assert!(
        hits > 500 && refused_hits > 50 && too_old > 50,
        "{hits} hits, {refused_hits} of them rejected; {too_old} tokens too old"
    );
}

#[tokio::test(start_paused = true)]
async fn r48_a_token_that_is_checked_again_is_remembered_again() {
    let world = World::new();
    let token = world.recent(6);
    let inner = &world.validator.inner;
    let request = Request::new(());
    for _ in 0..3 {
        world.validator.refresh_now().await.unwrap();
        assert!(
            inner
                .cached(token.as_bytes(), inner.clock.steady())
                .is_none()
        );
        // Often enough for the cache of this thread.
        for _ in 0..5 {
            let decided = inner.decide(
                PresentedToken::Text(token),
                Some(&RequestView::of(&request)),
                &WaitsLeft::ALL,
            );
            assert!(decided.is_ok());
            assert!(
                inner
                    .cached(token.as_bytes(), inner.clock.steady())
                    .is_some()
            );
        }
        // The token's key stays, but the set is another one.
        world.issuer.rotate_keys();
    }
}
