//! Settings of an issuer, for the log and for tools.

use std::time::Duration;

use crate::{
    clock::Clock,
    error::config::ConfigError,
    issuer::Issuer,
    keys::algorithm::{Algorithm, AllowedAlgorithms},
};

/// Settings of an issuer that are in force; see [`Issuer::summary`]. None of them is a secret.
///
/// ```
/// use modeler_auth::Issuer;
///
/// let issuer = Issuer::oidc("https://login.example.com/").audience("orders");
/// let summary = issuer.summary()?;
/// assert_eq!(summary.issuer, "https://login.example.com/");
/// assert_eq!(summary.audiences, ["orders"]);
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuerSummary {
    /// The `iss` of the issuer's tokens.
    pub issuer: String,
    /// Accepted audiences.
    pub audiences: Vec<String>,
    /// Place of the key set, in words.
    pub keys: String,
    /// Accepted signature algorithms.
    pub algorithms: Vec<Algorithm>,
    /// Type that maps claims to an organization and permissions, or that fetches these.
    pub claims: String,
    /// Names of settings, each with the variable or file of its value. Settings in code and defaults
    /// are not listed.
    pub origins: Vec<(&'static str, String)>,
}

impl Issuer {
    /// Returns the settings in force, as the log line of
    /// [`TokenValidatorBuilder::build`](crate::TokenValidatorBuilder::build) shows them. Does no I/O.
    ///
    /// ```
    /// use modeler_auth::Issuer;
    ///
    /// let issuer = Issuer::self_managed("http://localhost:18080/auth/realms/camunda-platform");
    /// assert_eq!(issuer.summary()?.audiences, ["web-modeler-public-api"]);
    /// # Ok::<(), modeler_auth::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`] with the setting that cannot be used, and its value.
    pub fn summary(&self) -> Result<IssuerSummary, ConfigError> {
        let checked = self.clone().check(&Clock::System, Duration::ZERO)?;
        Ok(checked.summary)
    }
}

impl IssuerSummary {
    pub(crate) fn new(
        issuer: &str,
        audiences: &[Box<str>],
        keys: Option<String>,
        algorithms: AllowedAlgorithms,
        mapping_type: &str,
        origins: Vec<(&'static str, String)>,
    ) -> Self {
        let allowed = Algorithm::all().filter(|algorithm| algorithms.contains(*algorithm));
        Self {
            issuer: issuer.to_owned(),
            audiences: audiences.iter().map(ToString::to_string).collect(),
            keys: keys.unwrap_or_else(|| "from the key source in code".to_owned()),
            algorithms: allowed.collect(),
            claims: short_name(mapping_type),
            origins,
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
