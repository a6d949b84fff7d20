//! Settings of the example, read from environment variables.

use std::{
    env,
    ffi::OsString,
    io,
    net::{IpAddr, SocketAddr},
    str::FromStr,
    time::Duration,
};

use modeler_auth::test_util::DevelopmentIssuer;
use tokio::net::TcpListener;

/// Settings of this example, from variables.
pub(crate) struct Settings {
    pub(crate) address: SocketAddr,
    issuer_address: SocketAddr,
    /// Address of the metrics and the probes; `None` if they have none.
    management_address: Option<SocketAddr>,
    pub(crate) key_max_age: Duration,
    pub(crate) unknown_kid_cooldown: Duration,
}

impl Settings {
    pub(crate) fn from_env() -> Result<Self, String> {
        let service_address = address("MODELER_ADDR", 8070)?;
        let management_address = management_address(
            env::var_os("MANAGEMENT_SERVER_PORT"),
            env::var_os("MANAGEMENT_SERVER_ADDRESS"),
            service_address.ip(),
        )?;
        Ok(Self {
            address: service_address,
            management_address,
            issuer_address: address("DEV_ISSUER_ADDR", 18080)?,
            key_max_age: seconds("JWKS_REFRESH_SECONDS", 300)?,
            unknown_kid_cooldown: seconds("JWKS_COOLDOWN_SECONDS", 30)?,
        })
    }

    /// Opens the address of the service.
    pub(crate) async fn bind(&self) -> Result<TcpListener, String> {
        let bound = TcpListener::bind(self.address).await;
        bound.map_err(|error| not_bound("MODELER_ADDR", self.address, &error))
    }

    /// Opens the address of the metrics and the probes, if there is one.
    pub(crate) async fn bind_management(&self) -> Result<Option<TcpListener>, String> {
        let Some(address) = self.management_address else {
            return Ok(None);
        };
        let bound = TcpListener::bind(address).await;
        bound
            .map(Some)
            .map_err(|error| not_bound(PORT_AND_ADDRESS, address, &error))
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

/// Variables of the management server.
const PORT_AND_ADDRESS: &str = "MANAGEMENT_SERVER_ADDRESS and MANAGEMENT_SERVER_PORT";

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

fn address(name: &str, port: u16) -> Result<SocketAddr, String> {
    let default = SocketAddr::from(([127, 0, 0, 1], port));
    let form = format!("an IP address and a port, e.g. {default}");
    value(name, env::var_os(name), default, &form)
}

/// Returns the address of the management server; `None` without a port.
fn management_address(
    port: Option<OsString>,
    address: Option<OsString>,
    service: IpAddr,
) -> Result<Option<SocketAddr>, String> {
    if port.is_none() {
        return match address {
            None => Ok(None),
            Some(_) => Err(
                "MANAGEMENT_SERVER_ADDRESS has no effect without a port: set \
                            MANAGEMENT_SERVER_PORT, e.g. to 8091, or unset it"
                    .to_owned(),
            ),
        };
    }
    let port = value("MANAGEMENT_SERVER_PORT", port, 0, "a port, e.g. 8091")?;
    let form = "an IP address, e.g. 127.0.0.1";
    let address = value("MANAGEMENT_SERVER_ADDRESS", address, service, form)?;
    Ok(Some((address, port).into()))
}

fn seconds(name: &str, default: u64) -> Result<Duration, String> {
    let form = format!("a number of seconds, e.g. {default}");
    value(name, env::var_os(name), default, &form).map(Duration::from_secs)
}

/// Returns the value of the variable `name`, whose form an error describes.
fn value<T: FromStr>(
    name: &str,
    text: Option<OsString>,
    default: T,
    form: &str,
) -> Result<T, String> {
    let Some(text) = text else {
        return Ok(default);
    };
    let text = text.to_string_lossy();
    text.parse().map_err(|_| {
        let text: String = text.chars().take(100).collect();
        let text = text.escape_debug();
        format!("variable {name} = `{text}` cannot be used: write {form}, or unset it")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SocketAddr, String> {
        let default = SocketAddr::from(([127, 0, 0, 1], 8070));
        value("MODELER_ADDR", Some(text.into()), default, "IP:port")
    }

    #[test]
    fn metrics_have_an_address_only_if_a_port_is_set() {
        let service = IpAddr::from([127, 0, 0, 1]);
        let read = |port: Option<&str>, address: Option<&str>| {
            management_address(port.map(Into::into), address.map(Into::into), service)
        };
        assert_eq!(read(None, None), Ok(None));
        let own = SocketAddr::from(([127, 0, 0, 1], 8091));
        assert_eq!(read(Some("8091"), None), Ok(Some(own)));
        let other = SocketAddr::from(([0, 0, 0, 0], 8091));
        assert_eq!(read(Some("8091"), Some("0.0.0.0")), Ok(Some(other)));
        for (port, address, expected) in [
            (
                None,
                Some("0.0.0.0"),
                "set MANAGEMENT_SERVER_PORT, e.g. to 8091",
            ),
            (
                Some("-1"),
                None,
                "= `-1` cannot be used: write a port, e.g. 8091",
            ),
            (Some(""), None, "MANAGEMENT_SERVER_PORT = `` cannot be used"),
            (Some("8091"), Some("localhost"), "write an IP address"),
        ] {
            let error = read(port, address).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn r62_a_variable_that_cannot_be_used_is_an_error_that_names_its_form() {
        assert_eq!(read("0.0.0.0:80").unwrap().port(), 80);
        for text in ["", "localhost:8070", "127.0.0.1:80001", " 127.0.0.1:80"] {
            let expected = format!(
                "variable MODELER_ADDR = `{text}` cannot be used: write IP:port, or unset it"
            );
            assert_eq!(read(text).unwrap_err(), expected);
        }
        let error = read("a\n\u{1b}[31m").unwrap_err();
        assert!(error.contains("`a\\n\\u{1b}[31m`"), "{error}");
        let unset = value("JWKS_REFRESH_SECONDS", None, 300_u64, "");
        assert_eq!(unset, Ok(300));
        let error = value(
            "JWKS_REFRESH_SECONDS",
            Some("5m".into()),
            300_u64,
            "seconds",
        );
        assert!(
            error
                .unwrap_err()
                .contains("= `5m` cannot be used: write seconds")
        );
    }
}
