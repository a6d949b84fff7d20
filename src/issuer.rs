//! Who may sign tokens, and what is expected of them.

use std::{fmt, sync::Arc};

use crate::{
    access::AuthorizedOrganization,
    camunda::{SaasClaims, SelfManagedClaims},
    clock::Clock,
    confirm::{Confirm, Confirmers},
    error::ConfigError,
    keys::{
        Algorithm, AllowedAlgorithms, Discovery, HttpKeys, IssuerUrl, Keeper, KeySource, Listener,
        Location, Times, Transport, shown,
    },
    mapping::{Grant, MapClaims},
    revocation::Revocation,
    token::{Claims, Expectation},
    trusted::Trusted,
};

/// An issuer of tokens, and what a token of it must look like.
///
/// A value that cannot be used is reported by
/// [`TokenValidatorBuilder::build`](crate::TokenValidatorBuilder::build) at the latest.
///
/// ```
/// use modeler_auth::{Algorithm, Issuer};
///
/// let keycloak = Issuer::self_managed("https://keycloak.example.com/auth/realms/camunda-platform")?
///     .backend_url("http://keycloak:18080/auth/realms/camunda-platform")
///     .allow_http()
///     .algorithms([Algorithm::Rs256]);
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Issuer {
    name: IssuerUrl,
    audiences: Vec<String>,
    /// Used if no other audience is named.
    default_audience: Option<&'static str>,
    algorithms: AllowedAlgorithms,
    at_jwt_only: bool,
    backend_url: Option<IssuerUrl>,
    jwks_url: Option<IssuerUrl>,
    source: Option<Arc<dyn KeySource>>,
    transport: Transport,
    allow_http: bool,
    /// The only organization whose tokens are accepted, whatever maps them.
    organization: Option<AuthorizedOrganization>,
    mapping: Arc<dyn MapClaims>,
    confirmers: Confirmers,
    revocation: Option<Arc<dyn Revocation>>,
    /// The first value that cannot be used.
    problem: Option<ConfigError>,
}

impl Issuer {
    /// `iss` of every Camunda SaaS token. The token URL is another one, and the slash belongs to it.
    const SAAS: &str = "https://weblogin.cloud.camunda.io/";
    /// The audience of the Web Modeler API on SaaS, shared by all organizations
    /// ([Web Modeler API, authentication](https://docs.camunda.io/docs/apis-tools/web-modeler-api/authentication/)).
    const SAAS_AUDIENCE: &str = "api.cloud.camunda.io";
    /// The audience of the Web Modeler API on Self-Managed, as in Camunda's own Compose and Helm
    /// files.
    const SELF_MANAGED_AUDIENCE: &str = "web-modeler-public-api";

    /// Camunda SaaS, for one organization: tokens of any other are refused with 401, also if
    /// another mapping is set with [`map_claims`](Issuer::map_claims).
    ///
    /// Expects the audience `api.cloud.camunda.io`; claims are mapped by [`SaasClaims`].
    pub fn saas(organization: impl Into<String>) -> Self {
        let organization = organization.into();
        match organization.parse::<AuthorizedOrganization>() {
            Ok(organization) => Self {
                organization: Some(organization.clone()),
                ..Self::saas_with(SaasClaims::of_organization(organization))
            },
            Err(problem) => Self {
                problem: Some(problem),
                ..Self::saas_with(SaasClaims::of_any_organization())
            },
        }
    }

    /// Camunda SaaS, for a service that serves every organization and keeps them apart by
    /// [`Access::organization`](crate::Access::organization).
    ///
    /// All customers of Camunda SaaS share one audience, so **any of them gets in**.
    pub fn saas_any_organization() -> Self {
        Self::saas_with(SaasClaims::of_any_organization())
    }

    fn saas_with(claims: SaasClaims) -> Self {
        let name = IssuerUrl::parse("issuer", Self::SAAS).expect("a constant that parses");
        Self {
            default_audience: Some(Self::SAAS_AUDIENCE),
            mapping: Arc::new(claims),
            ..Self::plain(name)
        }
    }

    /// A Camunda Self-Managed installation behind Keycloak; `issuer` is the realm's public URL, e.g.
    /// `http://localhost:18080/auth/realms/camunda-platform`.
    ///
    /// A validator with two installations needs an organization for each:
    /// [`SelfManagedClaims::organization`].
    ///
    /// Expects the audience `web-modeler-public-api` unless another one is named with
    /// [`audience`](Issuer::audience); claims are mapped by [`SelfManagedClaims`].
    ///
    /// # Errors
    /// [`ConfigError::InvalidUrl`] if `issuer` is not an absolute http or https URL.
    pub fn self_managed(issuer: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            default_audience: Some(Self::SELF_MANAGED_AUDIENCE),
            mapping: Arc::new(SelfManagedClaims::default()),
            ..Self::oidc(issuer)?
        })
    }

    /// Any OpenID provider; `issuer` is what its tokens carry as `iss`, byte for byte.
    ///
    /// An [`audience`](Issuer::audience) must be named. Without
    /// [`map_claims`](Issuer::map_claims) its tokens grant no permission and name no organization.
    ///
    /// Providers sign other tokens with the same keys. ID tokens, logout tokens, security events and
    /// signed authorization responses are refused by the claims that only they have (`at_hash`,
    /// `c_hash`, `s_hash`, `events`; `nonce` in a token that does not call itself an access token;
    /// `code` or `state` without `sub`). An ID token without any of these, for an audience that is
    /// both a client and this API, looks like an access token. If the provider writes `at+jwt`
    /// tokens (RFC 9068), set [`rfc9068_only`](Issuer::rfc9068_only), which leaves no doubt; if not,
    /// give the API an audience that is no client id.
    ///
    /// # Errors
    /// [`ConfigError::InvalidUrl`] if `issuer` is not an absolute http or https URL without a query.
    pub fn oidc(issuer: &str) -> Result<Self, ConfigError> {
        let name = IssuerUrl::parse("issuer", issuer)?;
        if name.has_query() {
            return Err(ConfigError::InvalidUrl {
                setting: "issuer",
                value: shown(issuer),
                reason: "it has a query",
            });
        }
        Ok(Self::plain(name))
    }

    fn plain(name: IssuerUrl) -> Self {
        Self {
            name,
            audiences: Vec::new(),
            default_audience: None,
            algorithms: AllowedAlgorithms::ALL,
            at_jwt_only: false,
            backend_url: None,
            jwks_url: None,
            source: None,
            transport: Transport::default(),
            allow_http: false,
            organization: None,
            mapping: Arc::new(|_: &Claims| Ok(Grant::default())),
            confirmers: Confirmers::default(),
            revocation: None,
            problem: None,
        }
    }

    /// Accepts tokens for `audience`. May be called several times; replaces a preset's default.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Accepts only these signature algorithms. Default: all of [`Algorithm::ALL`], each bound to
    /// the keys that are for it.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Accepts only access tokens as [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068) has them:
    /// `typ` is `at+jwt`, and `sub`, `client_id`, `iat` and `jti` are present. Default: off, since
    /// neither Keycloak nor Camunda SaaS issues such tokens.
    pub fn rfc9068_only(mut self) -> Self {
        self.at_jwt_only = true;
        self
    }

    /// Fetches discovery and keys from `url`, where the issuer is reached from here, instead of
    /// from the issuer's own name. A key set that discovery places under the issuer's name is
    /// fetched from `url` as well. Default: the issuer.
    pub fn backend_url(mut self, url: &str) -> Self {
        match IssuerUrl::parse("backend_url", url) {
            Ok(url) => self.backend_url = Some(url),
            Err(problem) => self.problem = self.problem.or(Some(problem)),
        }
        self
    }

    /// Fetches the key set from `url`, without discovery. Default: what discovery says.
    pub fn jwks_url(mut self, url: &str) -> Self {
        match IssuerUrl::parse("jwks_url", url) {
            Ok(url) => self.jwks_url = Some(url),
            Err(problem) => self.problem = self.problem.or(Some(problem)),
        }
        self
    }

    /// Takes the key set from `source` instead of fetching it over HTTP.
    pub fn keys(mut self, source: impl KeySource) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Allows plain http to fetch keys from elsewhere than this machine. Whoever controls the
    /// network in between then controls who gets in. Default: https, except to loopback.
    pub fn allow_http(mut self) -> Self {
        self.allow_http = true;
        self
    }

    /// Maps claims with `mapping` to an organization and permissions.
    pub fn map_claims(mut self, mapping: impl MapClaims) -> Self {
        self.mapping = Arc::new(mapping);
        self
    }

    /// Accepts tokens that are bound to their sender by `method`, a member of the claim `cnf` such
    /// as `x5t#S256` ([RFC 8705 §3](https://www.rfc-editor.org/rfc/rfc8705#section-3)), if
    /// `confirmer` confirms each request. May be called several times. Default: such tokens are
    /// refused. Tokens bound by DPoP (`jkt`) are refused in any case, since they must not come as
    /// Bearer tokens.
    pub fn confirm_with(mut self, method: impl Into<String>, confirmer: impl Confirm) -> Self {
        self.confirmers.add(method.into(), confirmer);
        self
    }

    /// Refuses tokens that `revocation` calls withdrawn. Default: none.
    pub fn revocation(mut self, revocation: impl Revocation) -> Self {
        self.revocation = Some(Arc::new(revocation));
        self
    }

    /// Trusts the CA certificates in `pem`, and no others, when keys are fetched over https. May be
    /// called several times. Default: those of the machine, or of the file that `SSL_CERT_FILE`
    /// names.
    ///
    /// ```no_run
    /// use modeler_auth::Issuer;
    ///
    /// let issuer = Issuer::self_managed("https://keycloak.internal/realms/camunda-platform")?
    ///     .ca_certificate(std::fs::read("/etc/ssl/private-ca.pem")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ca_certificate(mut self, pem: impl AsRef<[u8]>) -> Self {
        if let Err(reason) = self.transport.trust(pem.as_ref()) {
            let problem = ConfigError::InvalidCertificate {
                issuer: self.name.as_str().to_owned(),
                value: pem_label(pem.as_ref()),
                reason,
            };
            self.problem = self.problem.or(Some(problem));
        }
        self
    }

    /// Fetches keys through the HTTP proxy at `url`, also from this machine itself. Default: what
    /// `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say, except for loopback.
    ///
    /// ```
    /// use modeler_auth::Issuer;
    ///
    /// let issuer = Issuer::saas("12345678-ABCD-DCBA-ABCD-123456789ABC")
    ///     .proxy("http://proxy.internal:3128");
    /// ```
    pub fn proxy(mut self, url: &str) -> Self {
        if let Err(reason) = self.transport.proxy(url) {
            let problem = ConfigError::InvalidUrl {
                setting: "proxy",
                value: shown(url),
                reason,
            };
            self.problem = self.problem.or(Some(problem));
        }
        self
    }

    /// The `iss` of its tokens.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.name.as_str()
    }

    /// The URLs that keys are fetched from, with the names of their settings.
    pub(crate) fn fetched_urls(&self) -> impl Iterator<Item = (&'static str, &IssuerUrl)> {
        let url = match (&self.source, &self.jwks_url, &self.backend_url) {
            (Some(_), _, _) => None,
            (None, Some(url), _) => Some(("jwks_url", url)),
            (None, None, Some(url)) => Some(("backend_url", url)),
            (None, None, None) => Some(("issuer", &self.name)),
        };
        url.into_iter()
    }

    /// The URL from which keys are fetched in plain text over a network: http to elsewhere than this
    /// machine, or to this machine by way of a proxy that is elsewhere.
    pub(crate) fn insecure_url(&self) -> Option<(&'static str, &IssuerUrl)> {
        let stays_here = |url: &IssuerUrl| url.is_loopback() && !self.transport.leaves_machine();
        self.fetched_urls()
            .find(|(_, url)| !url.is_https() && !stays_here(url))
    }

    /// Starts keeping the keys of an issuer that was checked.
    pub(crate) fn trust(
        self,
        times: Times,
        clock: Clock,
        listener: Listener,
    ) -> Result<Trusted, ConfigError> {
        let issuer = self.name.as_str();
        let audiences = if self.audiences.is_empty() {
            self.default_audience.map(Box::from).into_iter().collect()
        } else {
            self.audiences
                .iter()
                .map(|one| one.as_str().into())
                .collect()
        };
        let expected = Expectation {
            issuer: issuer.into(),
            audiences,
            at_jwt_only: self.at_jwt_only,
            has_confirmers: !self.confirmers.is_empty(),
        };
        let source = self.source.unwrap_or_else(|| {
            let location = match self.jwks_url {
                Some(url) => Location::KeySet(url),
                None => Location::Discovery(Discovery {
                    issuer: self.name.clone(),
                    backend: self.backend_url,
                }),
            };
            Arc::new(HttpKeys::new(location, self.transport))
        });
        let keeper = Keeper::new(issuer, source, self.algorithms, times, clock, listener);
        let keeper = keeper.map_err(|error| ConfigError::InvalidKeys {
            issuer: issuer.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Trusted {
            expected: Arc::new(expected),
            algorithms: self.algorithms,
            keeper,
            mapping: self.mapping,
            confirmers: self.confirmers,
            revocation: self.revocation,
            organization: self.organization,
        })
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if let Some(problem) = &self.problem {
            return Err(problem.clone());
        }
        let issuer = || self.name.as_str().to_owned();
        if self.audiences.is_empty() && self.default_audience.is_none() {
            return Err(ConfigError::NoAudience { issuer: issuer() });
        }
        if self.audiences.iter().any(String::is_empty) {
            return Err(ConfigError::EmptyAudience { issuer: issuer() });
        }
        if self.audiences.len() > Expectation::MOST_AUDIENCES {
            return Err(ConfigError::OutOfBounds {
                setting: "audience",
                value: format!("{} audiences", self.audiences.len()),
                bounds: "1 to 64 audiences",
            });
        }
        self.confirmers.check(self.name.as_str())?;
        if self.algorithms.is_empty() {
            return Err(ConfigError::NoAlgorithms { issuer: issuer() });
        }
        let conflict = match (&self.source, &self.jwks_url, &self.backend_url) {
            (Some(_), Some(_), _) => Some("jwks_url"),
            (Some(_), None, Some(_)) => Some("backend_url"),
            (Some(_), None, None) => self.transport.setting(),
            _ => None,
        };
        if let Some(second) = conflict {
            return Err(ConfigError::ConflictingSettings {
                issuer: issuer(),
                first: "keys",
                second,
            });
        }
        let insecure = self.insecure_url().filter(|_| !self.allow_http);
        if let Some((setting, url)) = insecure {
            return Err(ConfigError::InsecureUrl {
                issuer: issuer(),
                setting,
                value: shown(url.as_str()),
            });
        }
        Ok(())
    }
}

/// What a PEM text calls itself. Nothing else of it is shown: it may be a private key, with or without
/// a label.
fn pem_label(pem: &[u8]) -> String {
    let text = String::from_utf8_lossy(pem);
    let first_line = text.lines().next().unwrap_or_default().trim();
    let label = first_line.strip_prefix("-----BEGIN ");
    let label = label.and_then(|label| label.strip_suffix("-----"));
    let is_label = |label: &&str| {
        label.len() <= 40
            && label
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b' ')
    };
    match label.filter(is_label) {
        Some(_) => first_line.to_owned(),
        None => format!("{} bytes that do not begin with a PEM label", pem.len()),
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("issuer", &self.name.as_str())
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}
