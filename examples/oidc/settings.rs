//! Settings of the service, from variables.

use std::{env, net::SocketAddr};

use modeler_auth::{ConfigError, Issuer, TokenValidator, resource::ProtectedResource};

/// Settings of the service.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) address: SocketAddr,
    issuer: Issuer,
    resource: ProtectedResource,
}

impl Settings {
    pub(crate) fn from_env() -> Result<Self, String> {
        Self::read(|name| env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Creates the validator.
    pub(crate) fn validator(self) -> Result<TokenValidator, String> {
        let builder = TokenValidator::builder().issuer(self.issuer);
        let builder = builder.protected_resource(self.resource);
        builder.build().map_err(|error| match variable_of(&error) {
            Some((name, advice)) => format!("variable {name}: {error}{advice}"),
            None => error.to_string(),
        })
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let optional = |name| match variable(name) {
            Some(value) if value.is_empty() => Err(format!(
                "variable {name} is set but empty: give it a value or unset it"
            )),
            value => Ok(value),
        };
        let required = |name, meaning| {
            let missing = || format!("variable {name} is not set: set it to {meaning}");
            optional(name)?.ok_or_else(missing)
        };

        let issuer = Issuer::oidc(required("OIDC_ISSUER", "the `iss` of the access tokens")?);
        let issuer = issuer.audience(required("OIDC_AUDIENCE", "the `aud` of the access tokens")?);
        let issuer = match optional("OIDC_JWKS_URL")? {
            Some(url) => issuer.jwks_url(url),
            None => issuer,
        };
        let address = match optional("OIDC_ADDR")? {
            Some(text) => text.parse().map_err(|_| {
                let text: String = text.chars().take(100).collect();
                format!(
                    "variable OIDC_ADDR = `{}` cannot be used: write an IP address and a port, e.g. \
                     127.0.0.1:8080",
                    text.escape_debug()
                )
            })?,
            None => SocketAddr::from(([127, 0, 0, 1], 8080)),
        };
        let public_url = match optional("OIDC_PUBLIC_URL")? {
            Some(url) => url,
            None if address.ip().is_loopback() => format!("http://{address}"),
            None => {
                return Err(
                    "variable OIDC_PUBLIC_URL is not set: set it to the URL by which clients reach the \
                     service"
                        .to_owned(),
                );
            }
        };
        Ok(Self {
            address,
            issuer,
            resource: ProtectedResource::new(public_url).scopes(["orders:read", "orders:write"]),
        })
    }
}

/// Returns the variable whose value causes `error`, and what the error does not say.
fn variable_of(error: &ConfigError) -> Option<(&'static str, &'static str)> {
    match error {
        ConfigError::InvalidUrl { setting, .. } | ConfigError::InsecureUrl { setting, .. } => {
            match *setting {
                "issuer" => Some((
                    "OIDC_ISSUER",
                    "; write a URL such as https://login.example.com/",
                )),
                "jwks_url" => Some((
                    "OIDC_JWKS_URL",
                    "; write a URL such as https://login.example.com/keys",
                )),
                _ => None,
            }
        }
        ConfigError::InvalidResource { .. } => Some(("OIDC_PUBLIC_URL", "")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::read(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    const REQUIRED: [(&str, &str); 2] = [
        ("OIDC_ISSUER", "https://login.example.com/"),
        ("OIDC_AUDIENCE", "https://api.example.com/"),
    ];

    #[test]
    fn the_address_and_the_public_url_have_defaults() {
        let settings = read(&REQUIRED).unwrap();
        assert_eq!(settings.address.to_string(), "127.0.0.1:8080");
        let shown = format!("{:?}", settings.resource);
        assert!(shown.contains("http://127.0.0.1:8080"), "{shown}");
    }

    #[test]
    fn r62_a_variable_that_cannot_be_used_is_an_error_that_names_it() {
        let with = |more: (&'static str, &'static str)| {
            let variables: Vec<_> = REQUIRED.into_iter().chain([more]).collect();
            read(&variables).unwrap_err()
        };
        for (variables, expected) in [
            (
                &[][..],
                "variable OIDC_ISSUER is not set: set it to the `iss` of the access tokens",
            ),
            (
                &REQUIRED[..1],
                "variable OIDC_AUDIENCE is not set: set it to the `aud` of the access tokens",
            ),
        ] {
            assert_eq!(read(variables).unwrap_err(), expected);
        }
        for name in ["OIDC_JWKS_URL", "OIDC_ADDR", "OIDC_PUBLIC_URL"] {
            let expected = format!("variable {name} is set but empty: give it a value or unset it");
            assert_eq!(with((name, "")), expected);
        }
        assert_eq!(
            with(("OIDC_ADDR", "localhost:1\u{1b}")),
            "variable OIDC_ADDR = `localhost:1\\u{1b}` cannot be used: write an IP address and a port, \
             e.g. 127.0.0.1:8080"
        );
        assert!(
            with(("OIDC_ADDR", "0.0.0.0:80")).starts_with("variable OIDC_PUBLIC_URL is not set")
        );
    }

    #[test]
    fn r62_a_url_that_cannot_be_used_is_an_error_that_names_its_variable() {
        for (name, value, problem, correction) in [
            (
                "OIDC_ISSUER",
                "login.example.com",
                "it is not an absolute URL",
                "such as https://",
            ),
            (
                "OIDC_ISSUER",
                "http://login.example.com/",
                "is http",
                "use https",
            ),
            (
                "OIDC_ISSUER",
                "https://ada:s3cret@login.example.com/",
                "a user name or password",
                "such as https://",
            ),
            (
                "OIDC_JWKS_URL",
                "keys.json",
                "it is not an absolute URL",
                "such as https://",
            ),
            (
                "OIDC_JWKS_URL",
                "http://login.example.com/keys",
                "is http",
                "use https",
            ),
            (
                "OIDC_PUBLIC_URL",
                "https://api.example.com/#a",
                "it has a fragment",
                "e.g. https://",
            ),
            (
                "OIDC_PUBLIC_URL",
                "http://api.example.com/",
                "it is http",
                "use https",
            ),
        ] {
            // The first value counts.
            let variables = [(name, value), REQUIRED[0], REQUIRED[1]];
            let error = read(&variables).unwrap().validator().unwrap_err();
            assert!(error.starts_with(&format!("variable {name}: ")), "{error}");
            assert!(error.contains(problem), "{error}");
            assert!(error.contains(correction), "{error}");
            assert!(
                !error.contains('\n') && !error.contains("s3cret"),
                "{error}"
            );
        }
    }
}
