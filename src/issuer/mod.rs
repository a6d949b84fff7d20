//! Trusted issuers and their settings.
//!
//! [docs/providers.md]: https://docs.rs/crate/modeler-auth/latest/source/docs/providers.md
//!
#![doc = include_str!("../../docs/openid.md")]

pub(crate) mod grants;
pub(crate) mod inspection;
pub(crate) mod revocation;
pub(crate) mod sender_constraint;
pub(crate) mod summary;
pub(crate) mod trusted;

pub use self::{
    inspection::KeyInspection,
    revocation::{Revocation, RevocationList, TokenIdentity},
    sender_constraint::{SenderConstraint, SenderConstraintError},
    summary::IssuerSummary,
};

use std::{fmt, ops::RangeInclusive, sync::Arc, time::Duration};

use crate::{
    access::{grant::Grant, grant_source::GrantSource, mapping::MapClaims},
    clock::Clock,
    error::{claim::ClaimError, config::ConfigError},
    issuer::{sender_constraint::SenderConstraints, trusted::CheckedIssuer},
    keys::{
        algorithm::{Algorithm, AllowedAlgorithms},
        http::{HttpKeys, Location, client::Transport, discovery::Discovery},
        source::KeySource,
    },
    token::claims::{ClaimRequirements, Claims},
    url::{IssuerUrl, shown},
};

/// Bounds of the maximum age of tokens.
const TOKEN_MAX_AGES: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(365 * 24 * 60 * 60);

/// Issuer of tokens, and the requirements on its tokens.
///
/// [`TokenValidatorBuilder::build`](crate::TokenValidatorBuilder::build) reports values that cannot
/// be used.
///
/// ```
/// use modeler_auth::{Issuer, keys::Algorithm};
///
/// let keycloak = Issuer::self_managed("https://keycloak.example.com/auth/realms/camunda-platform")
///     .backend_url("http://keycloak:18080/auth/realms/camunda-platform")
///     .allow_http()
///     .algorithms([Algorithm::Rs256]);
/// ```
#[derive(Clone)]
#[must_use]
pub struct Issuer {
    name: String,
    audiences: Vec<String>,
    /// Audience that counts if no other is configured.
    default_audience: Option<&'static str>,
    algorithms: AllowedAlgorithms,
    at_jwt_only: bool,
    token_max_age: Option<Duration>,
    backend_url: Option<String>,
    jwks_url: Option<String>,
    source: Option<Arc<dyn KeySource>>,
    ca_certificates: Vec<Vec<u8>>,
    proxy: Option<String>,
    allow_http: bool,
    /// The only organization whose tokens are accepted, whatever the mapping.
    organization: Option<String>,
    mapping: Arc<dyn MapClaims>,
    /// Source of grants in place of the mapping.
    grant_source: Option<Arc<dyn GrantSource>>,
    /// Type of the mapping or source, for the log.
    mapping_type: &'static str,
    sender_constraints: SenderConstraints,
    revocation: Option<Arc<dyn Revocation>>,
    /// Names of settings, each with the variable or file of its value.
    origins: Vec<(&'static str, String)>,
}

impl Issuer {
    /// Returns an issuer for any OpenID provider; its tokens carry `issuer` as `iss`, byte for
    /// byte.
    ///
    /// An [`audience`](Issuer::audience) is required. Without [`map_claims`](Issuer::map_claims)
    /// the tokens grant no permission and name no organization.
    ///
    /// Providers sign other tokens with the same keys. These are rejected by the claims that only
    /// they have:
    ///
    /// - ID tokens, logout tokens and security events: `at_hash`, `c_hash`, `s_hash` or `events`,
    ///   or `nonce` in a token that does not declare itself an access token.
    /// - Signed authorization responses: `code`, `state`, `error`, `access_token`, `id_token` or
    ///   `response` without `sub`.
    ///
    /// An ID token without any of these claims looks like an access token if its audience is both a
    /// client and this API. If the provider issues `at+jwt` tokens (RFC 9068), set
    /// [`rfc9068_only`](Issuer::rfc9068_only), which rejects all others. Otherwise give the API an
    /// audience that is not a client id.
    pub fn oidc(issuer: impl Into<String>) -> Self {
        Self {
            name: issuer.into(),
            audiences: Vec::new(),
            default_audience: None,
            algorithms: AllowedAlgorithms::ALL,
            at_jwt_only: false,
            token_max_age: None,
            backend_url: None,
            jwks_url: None,
            source: None,
            ca_certificates: Vec::new(),
            proxy: None,
            allow_http: false,
            organization: None,
            mapping: Arc::new(|_: &Claims| Ok(Grant::default())),
            grant_source: None,
            mapping_type: "none",
            sender_constraints: SenderConstraints::default(),
            revocation: None,
            origins: Vec::new(),
        }
    }

    /// Accepts tokens for `audience` if no other audience is configured.
    pub(crate) fn default_audience(mut self, audience: &'static str) -> Self {
        self.default_audience = Some(audience);
        self
    }

    /// Names settings, each with the variable or file of its value.
    pub(crate) fn with_origins(mut self, origins: Vec<(&'static str, String)>) -> Self {
        self.origins = origins;
        self
    }

    /// Accepts only tokens of `organization`, whatever the mapping.
    pub(crate) fn only_organization(mut self, organization: String) -> Self {
        self.organization = Some(organization);
        self
    }

    /// Accepts tokens for `audience`. Default: the preset's audience; [`oidc`](Issuer::oidc) has
    /// none.
    ///
    /// Each call adds an audience, and the first replaces the default. More than 64 audiences are a
    /// [`ConfigError`].
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Accepts only these signature algorithms. Default: [`Algorithm::all`].
    ///
    /// Each key verifies signatures of one algorithm only, whatever the token's header says.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Accepts only access tokens of [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068): `typ` is
    /// `at+jwt`, and `sub`, `client_id`, `iat` and `jti` are present. Default: off, since neither
    /// Keycloak nor Camunda SaaS issues such tokens.
    pub fn rfc9068_only(mut self) -> Self {
        self.at_jwt_only = true;
        self
    }

    /// Accepts a token for at most `age` after its issue (`iat`), even if it expires later. A token
    /// without `iat` is then rejected. Default: only `exp` limits the age. Bounds: 1 s to 365 days.
    ///
    /// It is for issuers with tokens of a longer life than this service should trust. The
    /// [`leeway`](crate::TokenValidatorBuilder::leeway) is added. A rejection is 401 `invalid_token`, so
    /// that the client requests a new token.
    ///
    /// ```
    /// use std::time::Duration;
    /// use modeler_auth::Issuer;
    ///
    /// let issuer = Issuer::saas("12345678-ABCD-DCBA-ABCD-123456789ABC")
    ///     .token_max_age(Duration::from_secs(60 * 60)); // they expire after a day
    /// ```
    pub fn token_max_age(mut self, age: Duration) -> Self {
        self.token_max_age = Some(age);
        self
    }

    /// Fetches discovery and keys from `url`. Default: the issuer's own URL.
    ///
    /// It is for an issuer that this service reaches under another URL. If discovery places the key
    /// set under the issuer's own URL, the key set is fetched from `url` as well.
    pub fn backend_url(mut self, url: impl Into<String>) -> Self {
        self.backend_url = Some(url.into());
        self
    }

    /// Fetches the key set from `url`, without discovery. Default: the `jwks_uri` of discovery.
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.jwks_url = Some(url.into());
        self
    }

    /// Reads the key set from `source` instead of fetching it over HTTP. Default: HTTP.
    pub fn keys(mut self, source: impl KeySource) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Allows plain http to fetch keys from other machines. Default: https only, except to
    /// loopback.
    ///
    /// Whoever controls the network then controls which tokens are accepted.
    pub fn allow_http(mut self) -> Self {
        self.allow_http = true;
        self
    }

    /// Maps claims with `mapping` to an organization and permissions. Default: the preset's
    /// mapping.
    ///
    /// Replaces a [`grants_from`](Issuer::grants_from) before it.
    pub fn map_claims<M: MapClaims>(mut self, mapping: M) -> Self {
        self.mapping = Arc::new(mapping);
        self.grant_source = None;
        self.mapping_type = std::any::type_name::<M>();
        self
    }

    /// Maps claims with a closure; see [`map_claims`](Issuer::map_claims).
    ///
    /// ```
    /// use modeler_auth::{Issuer, Permission, access::Grant};
    ///
    /// let issuer = Issuer::oidc("https://login.example.com/")
    ///     .audience("modeler")
    ///     .map_claims_fn(|claims| {
    ///         let mut grant = Grant::default();
    ///         if claims.get::<bool>("may_read")?.unwrap_or(false) {
    ///             grant.permissions.insert(Permission::Read);
    ///         }
    ///         Ok(grant)
    ///     });
    /// ```
    pub fn map_claims_fn<F>(self, mapping: F) -> Self
    where
        F: Fn(&Claims) -> Result<Grant, ClaimError> + Send + Sync + 'static,
    {
        self.map_claims(mapping)
    }

    /// Fetches the organization and permissions of each token from `source`, e.g.
    /// [`ManagementIdentity`](crate::camunda::ManagementIdentity). Default: claims are mapped.
    ///
    /// Replaces the mapping, and is replaced by a later [`map_claims`](Issuer::map_claims).
    ///
    /// ```
    /// use modeler_auth::{Issuer, camunda::ManagementIdentity};
    ///
    /// let identity = ManagementIdentity::new("https://identity.example.com", "api://default");
    /// let issuer = Issuer::oidc("https://dev-12345678.okta.com/oauth2/default")
    ///     .audience("api://default")
    ///     .grants_from(identity);
    /// ```
    pub fn grants_from<S: GrantSource>(mut self, source: S) -> Self {
        self.grant_source = Some(Arc::new(source));
        self.mapping_type = std::any::type_name::<S>();
        self
    }

    /// Accepts tokens that are bound to their sender by `method`, if `constraint` confirms each
    /// request. Default: such tokens are rejected.
    ///
    /// `method` is a member of the claim `cnf`, such as `x5t#S256`
    /// ([RFC 8705 §3](https://www.rfc-editor.org/rfc/rfc8705#section-3)). Each call adds a
    /// constraint. Tokens bound by DPoP (`jkt`) are always rejected, since they must not be
    /// accepted as Bearer tokens; the method `jkt` is a [`ConfigError`].
    pub fn sender_constraint(
        mut self,
        method: impl Into<String>,
        constraint: impl SenderConstraint,
    ) -> Self {
        self.sender_constraints.add(method.into(), constraint);
        self
    }

    /// Rejects tokens that `revocation` reports as revoked. Default: no token is revoked.
    pub fn revocation(mut self, revocation: impl Revocation) -> Self {
        self.revocation = Some(Arc::new(revocation));
        self
    }

    /// Trusts only the CA certificates in `pem` for fetches over https. Default: the certificates
    /// of the machine, or of the file that `SSL_CERT_FILE` names.
    ///
    /// Each call adds certificates.
    ///
    /// ```no_run
    /// use modeler_auth::Issuer;
    ///
    /// let issuer = Issuer::self_managed("https://keycloak.internal/realms/camunda-platform")
    ///     .ca_certificate(std::fs::read("/etc/ssl/private-ca.pem")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ca_certificate(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.ca_certificates.push(pem.as_ref().to_vec());
        self
    }

    /// Fetches keys through the HTTP proxy at `url`, even keys at loopback URLs. Default: the proxies
    /// that `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` configure, except for loopback.
    ///
    /// ```
    /// use modeler_auth::Issuer;
    ///
    /// let issuer = Issuer::saas("12345678-ABCD-DCBA-ABCD-123456789ABC")
    ///     .proxy("http://proxy.internal:3128");
    /// ```
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Returns the `iss` of the issuer's tokens.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Reads and checks every setting. Does no I/O.
    pub(crate) fn check(
        self,
        clock: &Clock,
        leeway: Duration,
    ) -> Result<CheckedIssuer, ConfigError> {
        let name = self.read_name()?;
        let issuer = || name.as_str().to_owned();
        let organization = self.organization.as_deref().map(str::parse).transpose()?;
        let audiences: Box<[Box<str>]> = match (self.default_audience, self.audiences.is_empty()) {
            (Some(default), true) => [default.into()].into(),
            _ => self
                .audiences
                .iter()
                .map(|name| name.as_str().into())
                .collect(),
        };
        if audiences.is_empty() {
            return Err(ConfigError::NoAudience { issuer: issuer() });
        }
        if audiences.iter().any(|audience| audience.is_empty()) {
            return Err(ConfigError::EmptyAudience { issuer: issuer() });
        }
        if audiences.len() > ClaimRequirements::MAX_AUDIENCES {
            return Err(ConfigError::OutOfBounds {
                setting: "audience",
                value: format!("{} audiences", audiences.len()),
                bounds: "1 to 64 audiences",
            });
        }
        if let Some(age) = self
            .token_max_age
            .filter(|age| !TOKEN_MAX_AGES.contains(age))
        {
            return Err(ConfigError::OutOfBounds {
                setting: "token_max_age",
                value: format!("{age:?}"),
                bounds: "1 s to 365 days",
            });
        }
        self.sender_constraints.check(name.as_str())?;
        if self.algorithms.is_empty() {
            return Err(ConfigError::NoAlgorithms { issuer: issuer() });
        }
        if let Some(second) = self.conflict_with_source() {
            return Err(ConfigError::ConflictingSettings {
                issuer: issuer(),
                first: "keys",
                second,
            });
        }
        if let Some(source) = &self.grant_source {
            grants::check(source.as_ref())?;
        }
        let insecure = self.insecure_url()?.filter(|_| !self.allow_http);
        if let Some((setting, url)) = insecure {
            return Err(ConfigError::InsecureUrl {
                issuer: issuer(),
                setting,
                value: shown(url.as_str()),
            });
        }
        let (source, keys) = if let Some(source) = self.source.clone() {
            (source, None)
        } else {
            let source = self.http_keys(clock)?;
            let keys = source.location().to_string();
            (Arc::new(source) as Arc<dyn KeySource>, Some(keys))
        };
        let summary = IssuerSummary::new(
            name.as_str(),
            &audiences,
            keys,
            self.algorithms,
            self.mapping_type,
            self.origins,
        );
        Ok(CheckedIssuer {
            requirements: ClaimRequirements {
                issuer: name.as_str().into(),
                audiences,
                at_jwt_only: self.at_jwt_only,
                has_sender_constraints: !self.sender_constraints.is_empty(),
                max_age: self.token_max_age,
                leeway,
                clock: clock.clone(),
            },
            source,
            algorithms: self.algorithms,
            mapping: self.mapping,
            grant_source: self.grant_source,
            sender_constraints: self.sender_constraints,
            revocation: self.revocation,
            organization,
            summary,
        })
    }

    fn read_name(&self) -> Result<IssuerUrl, ConfigError> {
        let name = IssuerUrl::parse("issuer", &self.name)?;
        if name.has_query() {
            return Err(ConfigError::InvalidUrl {
                setting: "issuer",
                value: shown(&self.name),
                reason: "it has a query",
            });
        }
        Ok(name)
    }

    /// Returns a setting that an explicit key source would silently overrule.
    fn conflict_with_source(&self) -> Option<&'static str> {
        self.source.as_ref()?;
        let settings = [
            ("jwks_url", self.jwks_url.is_some()),
            ("backend_url", self.backend_url.is_some()),
            ("ca_certificate", !self.ca_certificates.is_empty()),
            ("proxy", self.proxy.is_some()),
        ];
        settings
            .iter()
            .find(|(_, is_set)| *is_set)
            .map(|(name, _)| *name)
    }

    /// Returns the source of a key set that is fetched over HTTP.
    fn http_keys(&self, clock: &Clock) -> Result<HttpKeys, ConfigError> {
        let location = match read_url("jwks_url", self.jwks_url.as_deref())? {
            Some(url) => Location::KeySet(url),
            None => Location::Discovery(Discovery {
                issuer: self.read_name()?,
                backend: read_url("backend_url", self.backend_url.as_deref())?,
            }),
        };
        Ok(HttpKeys::new(location, self.transport()?, clock.clone()))
    }

    fn transport(&self) -> Result<Transport, ConfigError> {
        let mut transport = Transport::default();
        for pem in &self.ca_certificates {
            transport
                .trust(pem)
                .map_err(|reason| ConfigError::InvalidCertificate {
                    issuer: self.name.clone(),
                    value: pem_label(pem),
                    reason,
                })?;
        }
        if let Some(url) = &self.proxy {
            transport
                .proxy(url)
                .map_err(|reason| ConfigError::InvalidUrl {
                    setting: "proxy",
                    value: shown(url),
                    reason,
                })?;
        }
        Ok(transport)
    }

    /// Returns the URL of the first fetch of keys, with the name of its setting.
    pub(crate) fn fetched_url(&self) -> Result<Option<(&'static str, IssuerUrl)>, ConfigError> {
        if self.source.is_some() {
            return Ok(None);
        }
        let backend = read_url("backend_url", self.backend_url.as_deref())?;
        Ok(Some(
            match read_url("jwks_url", self.jwks_url.as_deref())? {
                Some(url) => ("jwks_url", url),
                None => match backend {
                    Some(url) => ("backend_url", url),
                    None => ("issuer", self.read_name()?),
                },
            },
        ))
    }

    /// Returns the URL from which keys would cross a network unencrypted, with the name of its
    /// setting. This is http to another machine, or http to loopback through a proxy on another
    /// machine.
    pub(crate) fn insecure_url(&self) -> Result<Option<(&'static str, IssuerUrl)>, ConfigError> {
        let leaves_machine = self.transport()?.leaves_machine();
        let is_secure = |url: &IssuerUrl| url.is_https() || (url.is_loopback() && !leaves_machine);
        Ok(self.fetched_url()?.filter(|(_, url)| !is_secure(url)))
    }
}

fn read_url(setting: &'static str, text: Option<&str>) -> Result<Option<IssuerUrl>, ConfigError> {
    text.map(|text| IssuerUrl::parse(setting, text)).transpose()
}

/// Returns the label line of a PEM text, else its length. Nothing else is shown: the text may be a
/// private key, with or without a label.
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
            .field("issuer", &shown(&self.name))
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}
