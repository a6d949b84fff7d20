//! Settings of the example, read from environment variables.

use std::{env, net::SocketAddr, str::FromStr, time::Duration};

/// Settings of this example, from variables.
pub(crate) struct Settings {
    pub(crate) address: SocketAddr,
    issuer_address: SocketAddr,
    pub(crate) key_max_age: Duration,
    pub(crate) unknown_kid_cooldown: Duration,
}

impl Settings {
    pub(crate) fn from_env() -> Result<Self, String> {
        Ok(Self {
            address: variable("MODELER_ADDR", SocketAddr::from(([127, 0, 0, 1], 8070)))?,
            issuer_address: variable("DEV_ISSUER_ADDR", SocketAddr::from(([127, 0, 0, 1], 18080)))?,
            key_max_age: Duration::from_secs(variable("JWKS_REFRESH_SECONDS", 300)?),
            unknown_kid_cooldown: Duration::from_secs(variable("JWKS_COOLDOWN_SECONDS", 30)?),
        })
    }

    /// Returns the address for the development issuer.
    ///
    /// Anyone who reaches the issuer gets tokens. Neither the issuer nor a service that trusts it
    /// may therefore be reachable from outside.
    pub(crate) fn development_address(&self) -> Result<SocketAddr, String> {
        for (name, address) in [
            ("MODELER_ADDR", self.address),
            ("DEV_ISSUER_ADDR", self.issuer_address),
        ] {
            if !address.ip().is_loopback() {
                return Err(format!(
                    "{name} = {address} is not loopback, so the development issuer does not start: \
                     set a real issuer with SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI"
                ));
            }
        }
        Ok(self.issuer_address)
    }
}

fn variable<T: FromStr>(name: &str, default: T) -> Result<T, String> {
    match env::var(name) {
        Ok(value) => value
            .parse()
            .map_err(|_| format!("variable {name} = `{value}` cannot be used")),
        Err(env::VarError::NotPresent) => Ok(default),
        Err(error) => Err(format!("variable {name}: {error}")),
    }
}
