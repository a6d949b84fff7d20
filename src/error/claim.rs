//! What can be wrong with a claim.

use std::{borrow::Cow, fmt};

/// A claim that does not fit: which one, and what is wrong with it. Never its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimError {
    claim: Cow<'static, str>,
    problem: &'static str,
}

impl ClaimError {
    /// The claim named `claim` has this `problem`, e.g. "is missing". It is logged, so it must
    /// not hold what the token says.
    pub fn new(claim: impl Into<Cow<'static, str>>, problem: &'static str) -> Self {
        Self {
            claim: claim.into(),
            problem,
        }
    }
}

impl fmt::Display for ClaimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "claim `{}` {}", self.claim, self.problem)
    }
}

impl std::error::Error for ClaimError {}
