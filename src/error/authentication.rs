//! Authentication that an operation needs.

/// Authentication of the user that an operation needs
/// ([RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NeededAuthentication {
    /// Accepted values of the claim `acr`, in order of preference. Any value is accepted if there is
    /// none here.
    pub(crate) acr_values: Vec<String>,
    /// Time since the authentication, in seconds.
    pub(crate) max_age: Option<u64>,
}

impl NeededAuthentication {
    /// Returns the authentication that both operations accept. If they have no value of `acr` in
    /// common, it names those of `self`.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let [mine, others] = [&self.acr_values, &other.acr_values];
        let common: Vec<_> = mine
            .iter()
            .filter(|value| others.contains(value))
            .cloned()
            .collect();
        let acr_values = match (mine.is_empty(), common.is_empty()) {
            (true, _) => others.clone(),
            (false, true) => mine.clone(),
            (false, false) => common,
        };
        Self {
            acr_values,
            max_age: self.max_age.into_iter().chain(other.max_age).min(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r81_two_requirements_become_one() {
        let needed = |acr_values: &[&str], max_age| NeededAuthentication {
            acr_values: acr_values.iter().map(ToString::to_string).collect(),
            max_age,
        };
        for (first, second, both) in [
            (
                needed(&["a"], None),
                needed(&[], Some(5)),
                needed(&["a"], Some(5)),
            ),
            (
                needed(&[], Some(5)),
                needed(&["a"], None),
                needed(&["a"], Some(5)),
            ),
            (
                needed(&["a", "b", "c"], Some(9)),
                needed(&["c", "b"], Some(5)),
                needed(&["b", "c"], Some(5)),
            ),
            (
                needed(&["a"], Some(5)),
                needed(&["b"], Some(9)),
                needed(&["a"], Some(5)),
            ),
        ] {
            assert_eq!(first.and(&second), both);
        }
    }
}
