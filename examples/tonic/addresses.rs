//! Addresses of the servers, from arguments.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Addresses of the servers, both on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    pub services: SocketAddr,
    pub issuer: SocketAddr,
}

impl Addresses {
    /// Free ports.
    pub const FREE: Self = Self {
        services: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
        issuer: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
    };

    /// Reads the arguments; `None` if there are none.
    pub fn from_arguments(arguments: &[String]) -> Result<Option<Self>, String> {
        match arguments {
            [] => Ok(None),
            [services, issuer] => Ok(Some(Self {
                services: address(services)?,
                issuer: address(issuer)?,
            })),
            _ => Err(format!(
                "the number of arguments is {}: write none, or the addresses of the services and of \
                 the issuer, e.g. 127.0.0.1:50051 127.0.0.1:18080",
                arguments.len()
            )),
        }
    }
}

/// Anyone who reaches the development issuer gets tokens, so both servers must be on loopback.
fn address(text: &str) -> Result<SocketAddr, String> {
    let address: Option<SocketAddr> = text.parse().ok();
    address
        .filter(|address| address.ip().is_loopback())
        .ok_or_else(|| {
            let text: String = text.chars().take(100).collect();
            format!(
                "argument `{}` cannot be used: write an address of this machine, e.g. 127.0.0.1:50051",
                text.escape_debug()
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Option<Addresses>, String> {
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        Addresses::from_arguments(&arguments)
    }

    #[test]
    fn two_arguments_are_the_addresses_of_services_and_issuer() {
        assert_eq!(read(&[]), Ok(None));
        let read = read(&["127.0.0.1:50051", "[::1]:18080"]).unwrap().unwrap();
        assert_eq!(read.services, ([127, 0, 0, 1], 50051).into());
        assert_eq!(read.issuer.to_string(), "[::1]:18080");
    }

    #[test]
    fn an_argument_that_cannot_be_used_is_an_error_that_names_its_form() {
        for argument in ["", "localhost:1", "0.0.0.0:50051", "127.0.0.1"] {
            let expected = format!(
                "argument `{argument}` cannot be used: write an address of this machine, e.g. \
                 127.0.0.1:50051"
            );
            assert_eq!(read(&["127.0.0.1:1", argument]), Err(expected.clone()));
            assert_eq!(read(&[argument, "127.0.0.1:1"]), Err(expected));
        }
        let error = read(&["a\n", "b"]).unwrap_err();
        assert!(error.contains("`a\\n`"), "{error}");
        let error = read(&["127.0.0.1:1"]).unwrap_err();
        assert!(
            error.starts_with("the number of arguments is 1: write none, or the "),
            "{error}"
        );
    }
}
