//! HTTP clients.

use std::{sync::OnceLock, time::Duration};

use reqwest::{Certificate, Client, Proxy, redirect};
use url::Url;

use crate::{
    keys::http::proxy,
    url::{is_loopback, shown},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Connection settings of an issuer that differ from those of the machine.
#[derive(Clone, Default)]
pub(crate) struct Transport {
    certificates: Vec<Certificate>,
    proxy: Option<Proxy>,
    /// URL of the proxy, as error messages show it.
    shown_proxy: Option<String>,
    /// `true` if the proxy is on another machine.
    leaves_machine: bool,
}

impl Transport {
    /// Trusts the certificates in `pem`, and none of the machine's.
    pub(crate) fn trust(&mut self, pem: &[u8]) -> Result<(), &'static str> {
        const BAD: &str = "it contains no readable certificate in PEM form";
        let certificates = Certificate::from_pem_bundle(pem).map_err(|_| BAD)?;
        if certificates.is_empty() {
            return Err(BAD);
        }
        self.certificates.extend(certificates);
        // Some invalid certificates are detected only when a client is built with them.
        self.client(false).map_err(|_| BAD)?;
        Ok(())
    }

    /// Uses the proxy at `url`.
    pub(crate) fn proxy(&mut self, url: &str) -> Result<(), &'static str> {
        const BAD: &str = "it is not an http or https URL";
        let parsed = Url::parse(url).map_err(|_| BAD)?;
        if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
            return Err(BAD);
        }
        self.proxy = Some(Proxy::all(url).map_err(|_| BAD)?);
        self.shown_proxy = Some(shown(url));
        self.leaves_machine = !is_loopback(&parsed);
        Ok(())
    }

    /// Returns whether the proxy carries requests to loopback to another machine.
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
            // Fetches are minutes apart, so the issuer would close an idle connection before the
            // next fetch. The connection would also belong to a runtime that may end.
            .pool_max_idle_per_host(0)
            // Other crates may enable decompression, which would let a small response grow large.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .user_agent(concat!("modeler-auth/", env!("CARGO_PKG_VERSION")))
            .build()
    }
}

/// Clients of a transport, built on first use: reading the machine's CA certificates can fail, and
/// an issuer reached over http needs none.
#[derive(Default)]
pub(crate) struct Clients {
    transport: Transport,
    direct: OnceLock<Client>,
    by_environment: OnceLock<Client>,
}

impl Clients {
    pub(crate) fn new(transport: Transport) -> Self {
        Self {
            transport,
            ..Self::default()
        }
    }

    /// Returns a text that names the proxy for requests to `url`, and its setting; `None` if there is no
    /// proxy for them.
    pub(super) fn proxy_of(&self, url: &Url) -> Option<String> {
        if let Some(proxy) = &self.transport.shown_proxy {
            return Some(format!(
                "the request went to the proxy {proxy:?} of the setting `proxy`: correct the setting, or \
                 check the proxy"
            ));
        }
        // As in `of`.
        if is_loopback(url) {
            return None;
        }
        proxy::hint(url, |name| std::env::var(name).ok())
    }

    /// Returns the client for `url`. Requests to loopback do not use the proxies of the
    /// environment.
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
