//! Measurements of contenders in turn, so that other load on the machine affects all of them.

use std::time::{Duration, Instant};

use tokio::{runtime::Runtime, task::unconstrained};

use crate::{contender::Contender, issuer::Token};

const ROUNDS: usize = 31;
const PER_ROUND: Duration = Duration::from_millis(4);

/// The results for one token.
pub struct Measured {
    /// The median time of the bare signature check, in seconds.
    pub floor: f64,
    /// The median ratio to it, for each contender.
    pub ratios: Vec<f64>,
}

pub fn rounds(runtime: &Runtime, contenders: &mut [Contender], token: &Token) -> Measured {
    let check = token.floor.as_ref().expect("a token that is signed");
    let mut floors = Vec::new();
    let mut ratios = vec![Vec::new(); contenders.len()];
    for _ in 0..ROUNDS {
        let floor = time(check);
        for (contender, ratios) in contenders.iter_mut().zip(&mut ratios) {
            // Nothing else runs on this thread during the call, since no contender has to wait.
            let spent = runtime.block_on(unconstrained(contender.time(token, PER_ROUND)));
            ratios.push(spent / floor);
        }
        floors.push(floor);
    }
    Measured {
        floor: median(floors),
        ratios: ratios.into_iter().map(median).collect(),
    }
}

/// The number of allocations of one call after warm-up.
pub fn allocations(runtime: &Runtime, contender: &mut Contender, token: &Token) -> usize {
    let counts = (0..5).map(|_| runtime.block_on(unconstrained(contender.allocations(token))));
    counts.min().expect("some calls")
}

/// The time of one `work`, from as many as take [`PER_ROUND`].
fn time(work: impl Fn()) -> f64 {
    let started = Instant::now();
    let mut repetitions = 0_u32;
    while started.elapsed() < PER_ROUND {
        // Reading the clock does not count as work.
        (0..32).for_each(|_| work());
        repetitions += 32;
    }
    started.elapsed().as_secs_f64() / f64::from(repetitions)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
