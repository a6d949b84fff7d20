//! Settings of an issuer in words, for the log.

use crate::keys::algorithm::{Algorithm, AllowedAlgorithms};

/// Settings that are in force. None of them is a secret.
pub(crate) struct IssuerSummary {
    pub(crate) audiences: String,
    /// Source of the key set.
    pub(crate) keys: String,
    pub(crate) algorithms: String,
    /// Source of the organization and the permissions.
    pub(crate) claims: String,
    /// Variables and files of the settings; `None` for settings in code.
    pub(crate) configured_by: Option<String>,
}

impl IssuerSummary {
    pub(crate) fn new(
        audiences: &[Box<str>],
        keys: Option<String>,
        algorithms: AllowedAlgorithms,
        mapping_type: &str,
        configured_by: Option<String>,
    ) -> Self {
        let allowed = Algorithm::all().filter(|algorithm| algorithms.contains(*algorithm));
        let allowed: Vec<_> = allowed.map(Algorithm::name).collect();
        Self {
            audiences: audiences.join(", "),
            keys: keys.unwrap_or_else(|| "from the key source in code".to_owned()),
            algorithms: allowed.join(", "),
            claims: short_name(mapping_type),
            configured_by,
        }
    }
}

/// Returns the name of a type without its path.
fn short_name(type_name: &str) -> String {
    let (path, generics) = type_name.split_once('<').unwrap_or((type_name, ""));
    match path.rsplit("::").next() {
        Some("{{closure}}") => "a function in code".to_owned(),
        Some(name) if generics.is_empty() => name.to_owned(),
        Some(name) => format!("{name}<...>"),
        None => type_name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_short_names() {
        for (name, short) in [
            ("none", "none"),
            (
                "modeler_auth::camunda::self_managed::SelfManagedClaims",
                "SelfManagedClaims",
            ),
            ("app::main::{{closure}}", "a function in code"),
            ("app::Or<app::A, app::B>", "Or<...>"),
        ] {
            assert_eq!(short_name(name), short);
        }
    }
}
