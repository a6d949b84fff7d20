//! Errors of claims.

use std::{borrow::Cow, fmt};

/// Error of a claim: its name and the problem, but never its value.
///
/// ```
/// use modeler_auth::access::ClaimError;
///
/// let error = ClaimError::new("department", "is missing");
/// assert_eq!(error.to_string(), "claim `department` is missing");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimError {
    claim: Cow<'static, str>,
    problem: &'static str,
}

impl ClaimError {
    /// Creates an error: the claim named `claim` has this `problem`, e.g. "is missing".
    ///
    /// Both are logged, so neither may contain text from the token.
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
