//! Permissions from Camunda's Management Identity.

use std::{fmt, sync::OnceLock, time::Duration};

use http::{HeaderMap, HeaderValue, header};
use url::Url;

use crate::{
    access::{
        grant::Grant,
        grant_source::{GrantError, GrantFuture, GrantRequest, GrantSource},
        organization::AuthorizedOrganization,
        permission::Permissions,
    },
    camunda::permission_names::PermissionNames,
    clock::Clock,
    entra,
    error::{claim::ClaimError, config::ConfigError},
    json::{Malformed, Reader, without_bom},
    keys::http::{
        client::{Clients, Transport},
        deadline::Deadline,
        error::HttpFailure,
    },
    token::claims::Claims,
    url::{IssuerUrl, shown},
};

const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Grants from Camunda's Management Identity, for tokens without permissions.
///
/// Microsoft Entra, Okta, Auth0, Ping and other generic OpenID providers do not write Camunda's
/// permissions into their tokens. Camunda's components ask Management Identity for them, and so does
/// this source:
///
/// 1. It sends `GET <base URL>/api/permissions/for-token?audience=<audience>` with the caller's token
///    as Bearer token. The answer is a JSON array of strings, such as `["create:*","read:*"]`.
/// 2. [`PermissionNames`] maps the strings. An empty array is a valid answer: the token is accepted,
///    and operations that need a permission get 403.
/// 3. The organization is always the same: [`AuthorizedOrganization::nil`] unless set with
///    [`organization`](ManagementIdentity::organization).
/// 4. Status 401 rejects the token with 401.
/// 5. Anything else is an error of Management Identity and never grants anything: another status, a
///    redirect, another JSON type, more than 64 KiB, no connection within 2 s, or no response within
///    5 s. The log line names the URL, the status and what to check.
/// 6. Version 1 tokens of Microsoft Entra are rejected with 401, without a call.
///
/// [`GrantSource`] describes when it is asked, the bounds, and how long a grant is used.
///
/// **Management Identity gets every token of the issuer that passes all checks.** Configure only the
/// address of your own installation.
///
/// ```
/// use modeler_auth::{Issuer, TokenValidator, camunda::ManagementIdentity};
///
/// let issuer = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0";
/// let audience = "66666666-7777-8888-9999-000000000000"; // the API app's client id
/// let identity = ManagementIdentity::new("https://identity.example.com", audience);
/// let validator = TokenValidator::builder()
///     .issuer(Issuer::oidc(issuer).audience(audience).grants_from(identity))
///     .build()?;
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[must_use]
pub struct ManagementIdentity {
    base_url: String,
    audience: String,
    allow_http: bool,
    ca_certificates: Vec<Vec<u8>>,
    proxy: Option<String>,
    organization: AuthorizedOrganization,
    names: PermissionNames,
    max_age: Duration,
    max_stale: Duration,
    /// Made of the settings on first use.
    endpoint: OnceLock<Endpoint>,
}

struct Endpoint {
    url: Url,
    clients: Clients,
}

impl ManagementIdentity {
    /// Creates a source that asks the Management Identity at `base_url` for permissions of `audience`.
    ///
    /// `base_url` is the value of `CAMUNDA_IDENTITY_BASEURL`, with the context path if there is one.
    /// `audience` is that of the API, as Management Identity knows it.
    ///
    /// The settings are checked when the validator is built. It is a
    /// [`ConfigError`] if `base_url` is neither https nor http to loopback, if it has a user name, a
    /// password, a query or a fragment, or if `audience` is empty.
    pub fn new(base_url: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            audience: audience.into(),
            allow_http: false,
            ca_certificates: Vec::new(),
            proxy: None,
            organization: AuthorizedOrganization::nil(),
            names: PermissionNames::default(),
            max_age: Duration::from_secs(60),
            max_stale: Duration::from_secs(5 * 60),
            endpoint: OnceLock::new(),
        }
    }

    /// Allows plain http to another machine. Default: https only, except to loopback.
    ///
    /// Whoever controls the network then reads the tokens and controls the permissions.
    ///
    /// ```
    /// use modeler_auth::camunda::ManagementIdentity;
    ///
    /// let identity = ManagementIdentity::new("http://identity:8080", "modeler-api").allow_http();
    /// ```
    pub fn allow_http(mut self) -> Self {
        self.allow_http = true;
        self.endpoint = OnceLock::new();
        self
    }

    /// Sets the organization of all grants. Default: [`AuthorizedOrganization::nil`].
    ///
    /// ```
    /// use modeler_auth::camunda::ManagementIdentity;
    ///
    /// let identity = ManagementIdentity::new("https://identity.example.com", "modeler-api")
    ///     .organization("12345678-ABCD-DCBA-ABCD-123456789ABC".parse()?);
    /// # Ok::<(), modeler_auth::ConfigError>(())
    /// ```
    pub fn organization(mut self, organization: AuthorizedOrganization) -> Self {
        self.organization = organization;
        self
    }

    /// Sets the names of the permissions. Default: `create:*`, `read:*`, `update:*` and `delete:*`.
    ///
    /// ```
    /// use modeler_auth::{Permission, camunda::{ManagementIdentity, PermissionNames}};
    ///
    /// let names = PermissionNames::default().with(Permission::Read, "modeler:read");
    /// let identity = ManagementIdentity::new("https://identity.example.com", "modeler-api")
    ///     .permission_names(names);
    /// ```
    pub fn permission_names(mut self, names: PermissionNames) -> Self {
        self.names = names;
        self
    }

    /// Sets the age up to which a grant is used without another call. Default: 60 s. Bounds: 1 s to
    /// 1 h.
    ///
    /// A permission that is withdrawn in Management Identity stays in use for at most this time while
    /// Management Identity responds.
    ///
    /// ```
    /// use std::time::Duration;
    /// use modeler_auth::camunda::ManagementIdentity;
    ///
    /// let identity = ManagementIdentity::new("https://identity.example.com", "modeler-api")
    ///     .max_age(Duration::from_secs(10));
    /// ```
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Sets the age up to which a grant is used while calls fail. Default: 5 minutes. Bounds: 0 s to
    /// 1 h. A value below [`max_age`](Self::max_age) has no effect.
    ///
    /// ```
    /// use std::time::Duration;
    /// use modeler_auth::camunda::ManagementIdentity;
    ///
    /// let identity = ManagementIdentity::new("https://identity.example.com", "modeler-api")
    ///     .max_stale(Duration::ZERO);
    /// ```
    pub fn max_stale(mut self, age: Duration) -> Self {
        self.max_stale = age;
        self
    }

    /// Trusts only the CA certificates in `pem`. Default: the certificates of the machine, or of the
    /// file that `SSL_CERT_FILE` names. Each call adds certificates.
    ///
    /// ```no_run
    /// use modeler_auth::camunda::ManagementIdentity;
    ///
    /// let identity = ManagementIdentity::new("https://identity.internal", "modeler-api")
    ///     .ca_certificate(std::fs::read("/etc/ssl/private-ca.pem")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ca_certificate(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.ca_certificates.push(pem.as_ref().to_vec());
        self.endpoint = OnceLock::new();
        self
    }

    /// Sends calls through the HTTP proxy at `url`, even to loopback. Default: the proxies that
    /// `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` configure, except for loopback.
    ///
    /// ```
    /// use modeler_auth::camunda::ManagementIdentity;
    ///
    /// let identity = ManagementIdentity::new("https://identity.example.com", "modeler-api")
    ///     .proxy("http://proxy.internal:3128");
    /// ```
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self.endpoint = OnceLock::new();
        self
    }

    fn endpoint(&self) -> Result<&Endpoint, ConfigError> {
        if let Some(endpoint) = self.endpoint.get() {
            return Ok(endpoint);
        }
        let endpoint = self.read()?;
        Ok(self.endpoint.get_or_init(|| endpoint))
    }

    /// Reads and checks the settings of calls.
    fn read(&self) -> Result<Endpoint, ConfigError> {
        let unusable = |setting, value: &str, reason| ConfigError::InvalidIdentity {
            setting,
            value: shown(value),
            reason,
        };
        let bad_url = |reason| unusable("base_url", &self.base_url, reason);
        let base = IssuerUrl::read(&self.base_url).map_err(bad_url)?;
        if base.has_query() {
            return Err(bad_url("it has a query"));
        }
        if self.audience.is_empty() {
            return Err(unusable("audience", "", "it is empty"));
        }
        let mut transport = Transport::default();
        for pem in &self.ca_certificates {
            // Nothing of the text is shown, since it may be a private key.
            let trusted = transport.trust(pem);
            trusted.map_err(|reason| unusable("ca_certificate", "...", reason))?;
        }
        if let Some(proxy) = &self.proxy {
            let used = transport.proxy(proxy);
            used.map_err(|reason| unusable("proxy", proxy, reason))?;
        }
        let stays_local = base.is_loopback() && !transport.leaves_machine();
        if !(base.is_https() || stays_local || self.allow_http) {
            return Err(bad_url(
                "it is http, so tokens would cross the network unencrypted: use https, or allow it \
                 with `allow_http`",
            ));
        }
        let mut url = base.url().clone();
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{path}/api/permissions/for-token"));
        url.query_pairs_mut()
            .append_pair("audience", &self.audience);
        Ok(Endpoint {
            url,
            clients: Clients::new(transport),
        })
    }

    async fn ask(&self, request: GrantRequest<'_>) -> Result<Grant, GrantError> {
        // Not expected: the validator has checked the settings.
        let endpoint = self
            .endpoint()
            .map_err(|error| GrantError::unavailable(error.to_string()))?;
        let authorization = HeaderValue::try_from(format!("Bearer {}", request.token()));
        // Not expected: the characters of a token are checked before.
        let mut authorization = authorization
            .map_err(|_| GrantError::refused("the token does not fit into a header"))?;
        authorization.set_sensitive(true);
        let headers = HeaderMap::from_iter([
            (header::ACCEPT, HeaderValue::from_static("application/json")),
            (header::AUTHORIZATION, authorization),
        ]);
        let answer = endpoint
            .clients
            .get(&endpoint.url, MAX_ANSWER_BYTES, headers, &Clock::System);
        let answer = Deadline::of_fetch().limit(answer).await;
        let (_, body) = answer.map_err(|failure| endpoint.error(failure))?;
        match self.permissions(&body) {
            Ok(permissions) => Ok(Grant::new(self.organization.clone(), permissions)),
            Err(Malformed) => Err(endpoint.malformed()),
        }
    }

    fn permissions(&self, body: &[u8]) -> Result<Permissions, Malformed> {
        Reader::new(without_bom(body))?.whole(|value| self.names.read(value))
    }
}

impl Endpoint {
    /// Converts the failure of a request.
    fn error(&self, failure: HttpFailure) -> GrantError {
        let hint = match &failure {
            HttpFailure::Status { status: 401, .. } => {
                return GrantError::refused(format!(
                    "Management Identity, {}: status 401: check that it is configured for the same \
                     issuer, and that it accepts the audience of the token",
                    shown(self.url.as_str())
                ));
            }
            HttpFailure::Status { status, .. } => match status {
                300..400 => {
                    "set the base URL (CAMUNDA_IDENTITY_BASEURL) to the address that it redirects to"
                }
                403 => {
                    "check that no firewall or proxy between this service and Management Identity \
                     filters the request"
                }
                404 => {
                    "check the base URL (CAMUNDA_IDENTITY_BASEURL) and its context path, and that \
                     Management Identity is configured for an OIDC provider"
                }
                407 => "the proxy needs credentials",
                _ => "see the log of Management Identity",
            },
            HttpFailure::NoClient(_) => "no request was sent",
            HttpFailure::Failed(..) => {
                "check that Management Identity runs and that the base URL \
                 (CAMUNDA_IDENTITY_BASEURL) leads to it"
            }
            HttpFailure::NotModified(_) | HttpFailure::TooLarge(_) => {
                "check that the base URL (CAMUNDA_IDENTITY_BASEURL) is that of Management Identity"
            }
        };
        let proxy = self.clients.proxy_hint(&failure, &self.url);
        let hint = proxy.as_deref().unwrap_or(hint);
        let failure = failure.at(&self.url);
        let error = GrantError::unavailable(format!("Management Identity, {failure}; {hint}"));
        match failure.retry_after() {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    }

    /// Returns the error for a body that is not the expected one.
    fn malformed(&self) -> GrantError {
        GrantError::unavailable(format!(
            "Management Identity, {}: status 200, but the body is not a JSON array of strings; check \
             that the base URL (CAMUNDA_IDENTITY_BASEURL) is that of Management Identity and not of a \
             login page",
            shown(self.url.as_str())
        ))
    }
}

impl GrantSource for ManagementIdentity {
    fn fetch<'a>(&'a self, request: GrantRequest<'a>) -> GrantFuture<'a> {
        Box::pin(self.ask(request))
    }

    fn check_claims(&self, claims: &Claims) -> Result<(), ClaimError> {
        entra::check_version(claims)
    }

    fn max_age(&self) -> Duration {
        self.max_age
    }

    fn max_stale(&self) -> Duration {
        self.max_stale
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.endpoint().map(|_| ())
    }
}

impl fmt::Debug for ManagementIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagementIdentity")
            .field("base_url", &shown(&self.base_url))
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}
