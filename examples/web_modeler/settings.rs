//! Settings of the example, read from environment variables.

use std::{env, io, net::SocketAddr, str::FromStr, time::Duration};

use modeler_auth::test_util::DevelopmentIssuer;
use tokio::net::TcpListener;

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

    /// Opens the address of the service.
    pub(crate) async fn bind(&self) -> Result<TcpListener, String> {
        let bound = TcpListener::bind(self.address).await;
        bound.map_err(|error| not_bound("MODELER_ADDR", self.address, &error))
    }

    /// Starts the development issuer.
    ///
    /// Anyone who reaches the issuer gets tokens. Neither the issuer nor a service that trusts it
    /// may therefore be reachable from outside.
    pub(crate) async fn start_development_issuer(&self) -> Result<DevelopmentIssuer, String> {
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
        let started = DevelopmentIssuer::start(self.issuer_address).await;
        started.map_err(|error| not_bound("DEV_ISSUER_ADDR", self.issuer_address, &error))
    }
}

fn not_bound(name: &str, address: SocketAddr, error: &io::Error) -> String {
    /// Port of Keycloak in Camunda's Compose files.
    const KEYCLOAK: u16 = 18080;
    if error.kind() != io::ErrorKind::AddrInUse {
        return format!("{name} = {address} cannot be used: {error}");
    }
    let keycloak = if address.port() == KEYCLOAK {
        " Keycloak of Camunda's Compose files listens on this port: to use it as issuer, set \
         SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI."
    } else {
        ""
    };
    format!(
        "{name} = {address} is in use by another process: set {name} to a free address, or end \
         that process.{keycloak}"
    )
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
