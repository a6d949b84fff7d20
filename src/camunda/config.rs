//! Configuration by the variables of Camunda's Web Modeler, so that a service can replace it in an
//! unchanged environment.

use std::fmt;

use crate::{
    error::config::ConfigError,
    issuer::Issuer,
    keys::algorithm::Algorithm,
    telemetry,
    url::{IssuerUrl, shown},
};

/// Names of the variables of a setting; the first that is set counts.
type Names = &'static [&'static str];

const ISSUER_URI: &str = "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI";
const ISSUER: Names = &[
    ISSUER_URI,
    "RESTAPI_OAUTH2_TOKEN_ISSUER",
    "CAMUNDA_IDENTITY_ISSUER",
    "CAMUNDA_IDENTITY_ISSUER_URL",
];
const JWKS_URL: Names = &["SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWK_SET_URI"];
const BACKEND_URL: Names = &[
    "CAMUNDA_MODELER_SECURITY_JWT_ISSUER_BACKEND_URL",
    "CAMUNDA_HUB_SECURITY_JWT_ISSUER_BACKEND_URL",
    "RESTAPI_OAUTH2_TOKEN_ISSUER_BACKEND_URL",
    "CAMUNDA_IDENTITY_ISSUER_BACKEND_URL",
    "CAMUNDA_IDENTITY_ISSUERBACKENDURL",
];
const AUDIENCE: Names = &[
    "CAMUNDA_MODELER_SECURITY_JWT_AUDIENCE_PUBLIC_API",
    "CAMUNDA_HUB_SECURITY_JWT_AUDIENCE_PUBLIC_API",
];
const AUDIENCES: Names = &["SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_AUDIENCES"];
const ALGORITHMS: Names = &["SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWS_ALGORITHMS"];
const IDENTITY_TYPE: Names = &["CAMUNDA_IDENTITY_TYPE"];

impl Issuer {
    /// Returns a Self-Managed issuer from the variables of Camunda's Web Modeler, looked up with
    /// `variable`; `None` if no issuer is set.
    ///
    /// | setting | variables; the first that is set counts |
    /// |---|---|
    /// | issuer | `SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI`, `RESTAPI_OAUTH2_TOKEN_ISSUER`, `CAMUNDA_IDENTITY_ISSUER`, `CAMUNDA_IDENTITY_ISSUER_URL` |
    /// | [`jwks_url`](Issuer::jwks_url) | `SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWK_SET_URI` |
    /// | [`backend_url`](Issuer::backend_url), if there is no `jwks_url` | `CAMUNDA_MODELER_SECURITY_JWT_ISSUER_BACKEND_URL`, `CAMUNDA_HUB_SECURITY_JWT_ISSUER_BACKEND_URL`, `RESTAPI_OAUTH2_TOKEN_ISSUER_BACKEND_URL`, `CAMUNDA_IDENTITY_ISSUER_BACKEND_URL`, `CAMUNDA_IDENTITY_ISSUERBACKENDURL` |
    /// | [`audience`](Issuer::audience) | `CAMUNDA_MODELER_SECURITY_JWT_AUDIENCE_PUBLIC_API`, `CAMUNDA_HUB_SECURITY_JWT_AUDIENCE_PUBLIC_API`, `SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_AUDIENCES` (a comma-separated list); default `web-modeler-public-api` |
    /// | [`algorithms`](Issuer::algorithms) | `SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWS_ALGORITHMS` (a comma-separated list); default all |
    /// | kind of issuer | `CAMUNDA_IDENTITY_TYPE`: `KEYCLOAK`, the default; other kinds keep permissions outside the token, which is not supported |
    ///
    /// Inside a cluster Camunda's files use plain http. It is allowed here because the operator has
    /// written it, with one warning in the log.
    ///
    /// # Errors
    /// [`ConfigError::EmptyVariable`], [`ConfigError::InvalidVariable`] or
    /// [`ConfigError::MissingVariable`], which name the variable.
    pub fn from_vars(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ConfigError> {
        let variables = Variables(&variable);
        let jwks_url = variables.url(JWKS_URL)?;
        let backend_url = variables.url(BACKEND_URL)?;
        let Some(issuer) = variables.url(ISSUER)? else {
            return match jwks_url.or(backend_url) {
                Some(Variable { name, .. }) => Err(ConfigError::MissingVariable {
                    name,
                    needed: ISSUER_URI,
                }),
                None => Ok(None),
            };
        };
        variables.identity_type()?;

        let mut configured = Self::self_managed(&issuer.value);
        configured
            .fetched_url()
            .map_err(|error| issuer.refused(&error))?;
        if let Some(found) = &jwks_url {
            configured = configured.jwks_url(found.value.as_str());
        } else if let Some(found) = &backend_url {
            configured = configured.backend_url(found.value.as_str());
        }
        if let Some(found) = variables.find(AUDIENCE)? {
            configured = configured.audience(found.value);
        } else if let Some(found) = variables.find(AUDIENCES)? {
            for audience in found.list() {
                configured = configured.audience(audience?);
            }
        }
        if let Some(found) = variables.find(ALGORITHMS)? {
            let algorithms = found.list().map(|name| {
                let name = name?;
                name.parse::<Algorithm>()
                    .map_err(|error| found.refused(&error))
            });
            let algorithms: Vec<_> = algorithms.collect::<Result<_, _>>()?;
            configured = configured.algorithms(algorithms);
        }
        if let Some((_, url)) = configured.insecure_url()? {
            telemetry::insecure_by_variables(configured.as_str(), &shown(url.as_str()));
            configured = configured.allow_http();
        }
        Ok(Some(configured))
    }

    /// Returns the issuer of [`from_vars`](Issuer::from_vars) from the variables of the process.
    ///
    /// # Errors
    /// As [`from_vars`](Issuer::from_vars).
    pub fn from_env() -> Result<Option<Self>, ConfigError> {
        Self::from_vars(|name| {
            // Replacement characters make a value that is not Unicode invalid as a URL or
            // algorithm, and useless as an audience.
            std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
        })
    }
}

struct Variables<'v>(&'v dyn Fn(&str) -> Option<String>);

/// Variable that is set, and its value.
struct Variable {
    name: &'static str,
    value: String,
}

impl Variables<'_> {
    fn find(&self, names: Names) -> Result<Option<Variable>, ConfigError> {
        for &name in names {
            match (self.0)(name) {
                Some(value) if value.trim().is_empty() => {
                    return Err(ConfigError::EmptyVariable { name });
                }
                Some(value) => {
                    let value = value.trim().to_owned();
                    return Ok(Some(Variable { name, value }));
                }
                None => {}
            }
        }
        Ok(None)
    }

    fn url(&self, names: Names) -> Result<Option<Variable>, ConfigError> {
        let found = self.find(names)?;
        if let Some(found) = &found {
            IssuerUrl::parse(found.name, &found.value).map_err(|error| found.refused(&error))?;
        }
        Ok(found)
    }

    fn identity_type(&self) -> Result<(), ConfigError> {
        match self.find(IDENTITY_TYPE)? {
            Some(found) if !found.value.eq_ignore_ascii_case("keycloak") => Err(found.invalid(
                "only KEYCLOAK puts permissions into its tokens; configure another issuer in code, \
                 with `Issuer::oidc` and `map_claims`",
            )),
            _ => Ok(()),
        }
    }
}

impl Variable {
    fn list(&self) -> impl Iterator<Item = Result<String, ConfigError>> {
        self.value.split(',').map(|entry| {
            let entry = entry.trim();
            if entry.is_empty() {
                Err(self.invalid("it contains an empty entry; remove it"))
            } else {
                Ok(entry.to_owned())
            }
        })
    }

    /// Converts the error of a setting into that of the variable, so that the message names only
    /// the variable.
    fn refused(&self, error: &ConfigError) -> ConfigError {
        match error {
            ConfigError::InvalidUrl { reason, .. } => self.invalid(reason),
            other => self.invalid(other),
        }
    }

    fn invalid(&self, reason: impl fmt::Display) -> ConfigError {
        ConfigError::InvalidVariable {
            name: self.name,
            value: shown(&self.value),
            reason: reason.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://localhost:18080/auth/realms/camunda-platform";

    fn from(variables: &[(&str, &str)]) -> Result<Option<Issuer>, ConfigError> {
        Issuer::from_vars(|wanted| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_an_issuer_there_is_none() {
        assert!(from(&[]).unwrap().is_none());
        assert!(from(&[(AUDIENCE[0], "x")]).unwrap().is_none());
    }

    #[test]
    fn each_name_of_the_issuer_counts_and_the_first_wins() {
        for name in ISSUER {
            let issuer = from(&[(name, URL)]).unwrap().unwrap();
            assert_eq!(issuer.as_str(), URL);
        }
        let issuer = from(&[(ISSUER[1], "https://old/"), (ISSUER[0], URL)]);
        assert_eq!(issuer.unwrap().unwrap().as_str(), URL);
    }

    #[test]
    fn keycloak_is_the_kind_of_issuer_that_is_supported() {
        for kind in ["KEYCLOAK", "keycloak"] {
            let issuer = from(&[(ISSUER[0], URL), (IDENTITY_TYPE[0], kind)]);
            assert!(issuer.unwrap().is_some(), "{kind}");
        }
    }

    #[test]
    fn a_variable_that_is_set_but_empty_is_an_error_that_names_it() {
        for name in [
            ISSUER,
            JWKS_URL,
            BACKEND_URL,
            AUDIENCE,
            AUDIENCES,
            ALGORITHMS,
            IDENTITY_TYPE,
        ]
        .concat()
        {
            for empty in ["", " "] {
                let mut variables = vec![(name, empty)];
                if !ISSUER.contains(&name) {
                    variables.push((ISSUER[0], URL));
                }
                let error = from(&variables).unwrap_err();
                assert_eq!(error, ConfigError::EmptyVariable { name });
            }
        }
    }

    #[test]
    fn a_malformed_variable_is_an_error_that_names_it_and_its_value() {
        for (name, value) in [
            (ISSUER[0], "localhost:18080"),
            (JWKS_URL[0], "file:///jwks.json"),
            (BACKEND_URL[0], "keycloak:18080/auth"),
            (ALGORITHMS[0], "RS256,HS256"),
            (ALGORITHMS[0], "RS256,"),
            (AUDIENCES[0], "a,,b"),
            (IDENTITY_TYPE[0], "MICROSOFT"),
        ] {
            let mut variables = vec![(name, value)];
            if name != ISSUER[0] {
                variables.push((ISSUER[0], URL));
            }
            let error = from(&variables).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }

    #[test]
    fn a_place_of_keys_without_an_issuer_is_an_error() {
        for name in [JWKS_URL[0], BACKEND_URL[0]] {
            let error = from(&[(name, URL)]).unwrap_err();
            let needed = ISSUER[0];
            assert_eq!(error, ConfigError::MissingVariable { name, needed });
        }
    }

    #[test]
    fn r42_plain_http_inside_the_cluster_is_allowed_by_the_operators_own_word() {
        let issuer = from(&[
            (
                ISSUER[0],
                "https://login.example.com/auth/realms/camunda-platform",
            ),
            (
                BACKEND_URL[0],
                "http://keycloak:18080/auth/realms/camunda-platform",
            ),
            (ALGORITHMS[0], "RS256, ES256"),
            (AUDIENCES[0], "a, b"),
        ]);
        let issuer = issuer.unwrap().unwrap();
        let fetched = issuer.fetched_url().unwrap().unwrap();
        assert_eq!(fetched.0, "backend_url");
        assert!(
            crate::TokenValidator::builder()
                .issuer(issuer)
                .build()
                .is_ok()
        );
    }

    #[test]
    fn a_key_set_url_comes_before_the_backend_url() {
        let issuer = from(&[
            (ISSUER[0], URL),
            (BACKEND_URL[0], URL),
            (JWKS_URL[0], "https://a/b"),
        ]);
        let issuer = issuer.unwrap().unwrap();
        let fetched = issuer.fetched_url().unwrap().unwrap();
        assert_eq!(fetched.0, "jwks_url");
    }
}
