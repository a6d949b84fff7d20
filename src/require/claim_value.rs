//! Value that a claim must have.

use crate::token::claims::Claims;

/// Value that [`RequireClaim`](crate::require::RequireClaim) compares a claim with: a text, an integer
/// or a truth value.
///
/// ```
/// use modeler_auth::require::ClaimValue;
///
/// let values: [ClaimValue; 3] = ["eu".into(), 2.into(), true.into()];
/// ```
#[derive(Clone, Debug)]
pub struct ClaimValue(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Bool(bool),
    Integer(i64),
    Text(String),
}

impl ClaimValue {
    /// Returns whether the claim at the path is this value, of the same JSON type.
    pub(super) fn is_at(&self, path: &[&str], claims: &Claims) -> bool {
        match &self.0 {
            Kind::Bool(value) => claims.get(path) == Ok(Some(*value)),
            // Deliberately not `f64`, which cannot tell large integers apart.
            Kind::Integer(value) => claims.get(path) == Ok(Some(*value)),
            Kind::Text(value) => claims
                .get::<String>(path)
                .is_ok_and(|found| found.as_ref() == Some(value)),
        }
    }
}

impl From<bool> for ClaimValue {
    fn from(value: bool) -> Self {
        Self(Kind::Bool(value))
    }
}

impl From<i32> for ClaimValue {
    fn from(value: i32) -> Self {
        Self::from(i64::from(value))
    }
}

impl From<i64> for ClaimValue {
    fn from(value: i64) -> Self {
        Self(Kind::Integer(value))
    }
}

impl From<String> for ClaimValue {
    fn from(value: String) -> Self {
        Self(Kind::Text(value))
    }
}

impl From<&str> for ClaimValue {
    fn from(value: &str) -> Self {
        Self(Kind::Text(value.to_owned()))
    }
}
