//! The HTTP clients.

use std::{sync::OnceLock, time::Duration};

use reqwest::{Certificate, Client, Proxy, redirect};
use url::Url;

use crate::url::is_loopback;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How an issuer is reached, if not as the machine would reach any server.
#[derive(Clone, Default)]
pub(crate) struct Transport {
    certificates: Vec<Certificate>,
    proxy: Option<Proxy>,
    /// The proxy is on another machine.
    leaves_machine: bool,
}

impl Transport {
    /// Trusts the certificates in `pem`, and no others.
    pub(crate) fn trust(&mut self, pem: &[u8]) -> Result<(), &'static str> {
        const BAD: &str = "it holds no certificate in PEM form that can be read";
        let certificates = Certificate::from_pem_bundle(pem).map_err(|_| BAD)?;
        if certificates.is_empty() {
            return Err(BAD);
        }
        self.certificates.extend(certificates);
        // What cannot be trusted shows only when a client is made of it.
        self.client(false).map_err(|_| BAD)?;
        Ok(())
    }

    /// Goes through the proxy at `url`.
    pub(crate) fn proxy(&mut self, url: &str) -> Result<(), &'static str> {
        const BAD: &str = "it is not the http or https URL of a proxy";
        let parsed = Url::parse(url).map_err(|_| BAD)?;
        if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
            return Err(BAD);
        }
        self.proxy = Some(Proxy::all(url).map_err(|_| BAD)?);
        self.leaves_machine = !is_loopback(&parsed);
        Ok(())
    }

    /// Whether even a request to this machine goes through another one.
    pub(crate) fn leaves_machine(&self) -> bool {
        self.leaves_machine
    }

    fn client(&self, is_direct: bool) -> reqwest::Result<Client> {
        let mut builder = Client::builder();
        if !self.certificates.is_empty() {
            builder = builder.tls_certs_only(self.certificates.iter().cloned());
        }
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(proxy.clone());
        } else if is_direct {
            builder = builder.no_proxy();
        }
        builder
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            // A fetch comes every few minutes. A connection kept for it would be closed by then,
            // and it would belong to a runtime that may end.
            .pool_max_idle_per_host(0)
            // Whatever other crates switch on: a small answer must not become a large one.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .user_agent(concat!("modeler-auth/", env!("CARGO_PKG_VERSION")))
            .build()
    }
}

/// The clients of one transport, made when first needed: reading the machine's CA certificates
/// can fail, and an issuer reached over http needs none.
#[derive(Default)]
pub(super) struct Clients {
    transport: Transport,
    direct: OnceLock<Client>,
    by_environment: OnceLock<Client>,
}

impl Clients {
    pub(super) fn new(transport: Transport) -> Self {
        Self {
            transport,
            ..Self::default()
        }
    }

    /// The client for `url`. The proxies that the environment names are not for this machine
    /// itself.
    pub(super) fn of(&self, url: &Url) -> reqwest::Result<&Client> {
        let is_direct = is_loopback(url);
        let client = if is_direct {
            &self.direct
        } else {
            &self.by_environment
        };
        if let Some(client) = client.get() {
            return Ok(client);
        }
        let made = self.transport.client(is_direct)?;
        Ok(client.get_or_init(|| made))
    }
}
