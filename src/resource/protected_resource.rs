//! Protected resource: its identifier and what its metadata tells.

use serde::Serialize;

use crate::{
    error::config::ConfigError,
    reject::challenge::is_scope_token,
    resource::published::PublishedResource,
    url::{IssuerUrl, shown},
};

/// This service, or a part of it, as clients know it
/// ([RFC 9728 §2](https://www.rfc-editor.org/rfc/rfc9728#section-2)).
///
/// The settings are checked when the validator is built; see
/// [`TokenValidatorBuilder::protected_resource`](crate::TokenValidatorBuilder::protected_resource).
///
/// ```
/// use modeler_auth::{Issuer, TokenValidator, resource::ProtectedResource};
///
/// let orders = ProtectedResource::new("https://api.example.com/orders")
///     .scopes(["orders:read", "orders:write"])
///     .name("Orders")
///     .documentation("https://docs.example.com/orders");
/// let validator = TokenValidator::builder()
///     .issuer(Issuer::oidc("https://login.example.com/").audience("https://api.example.com/orders"))
///     .protected_resource(orders)
///     .build()?;
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a resource has no effect unless a validator gets it"]
pub struct ProtectedResource {
    public_url: String,
    scopes: Vec<String>,
    name: Option<String>,
    documentation: Option<String>,
}

/// Metadata document.
#[derive(Serialize)]
struct Document<'a> {
    resource: &'a str,
    authorization_servers: &'a [&'a str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    scopes_supported: &'a [String],
    bearer_methods_supported: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_documentation: Option<&'a str>,
}

impl ProtectedResource {
    /// Creates a resource with `public_url` as its identifier: the URL by which clients reach it, also
    /// through a proxy.
    ///
    /// It is https, or http with the host `localhost` or a loopback address. It has no query, fragment or
    /// credentials. The metadata repeats it as written.
    pub fn new(public_url: impl Into<String>) -> Self {
        Self {
            public_url: public_url.into(),
            scopes: Vec::new(),
            name: None,
            documentation: None,
        }
    }

    /// Sets the scopes that a client may request for this resource (`scopes_supported`). Default: none
    /// are named.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the name for people (`resource_name`). Default: none.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the URL of the documentation for developers (`resource_documentation`). Default: none.
    pub fn documentation(mut self, url: impl Into<String>) -> Self {
        self.documentation = Some(url.into());
        self
    }

    /// Checks the settings and renders the metadata, with `issuers` as authorization servers.
    pub(crate) fn publish(&self, issuers: &[&str]) -> Result<PublishedResource, ConfigError> {
        let url = self.checked_url()?;
        for scope in &self.scopes {
            if let Some(reason) = problem_of_scope(scope) {
                return Err(invalid("scope", scope.escape_debug().to_string(), reason));
            }
        }
        if let Some(documentation) = &self.documentation {
            IssuerUrl::read(documentation).map_err(|problem| {
                let reason =
                    format!("{problem}; use a URL such as https://docs.example.com/orders");
                invalid("documentation", shown(documentation), reason)
            })?;
        }
        let document = Document {
            resource: &self.public_url,
            authorization_servers: issuers,
            scopes_supported: &self.scopes,
            bearer_methods_supported: ["header"],
            resource_name: self.name.as_deref(),
            resource_documentation: self.documentation.as_deref(),
        };
        let document = serde_json::to_string(&document).expect("strings are JSON");
        Ok(PublishedResource::new(url.url(), document))
    }

    fn checked_url(&self) -> Result<IssuerUrl, ConfigError> {
        let invalid = |reason: String| invalid("public URL", shown(&self.public_url), reason);
        let unusable = |problem: &str| {
            invalid(format!(
                "{problem}; use the URL by which clients reach the resource, e.g. https://api.example.com/orders"
            ))
        };
        let url = IssuerUrl::read(&self.public_url).map_err(unusable)?;
        if url.has_query() {
            return Err(unusable("it has a query"));
        }
        if !url.is_https() && !url.is_loopback() {
            return Err(invalid(
                "it is http: use https; http is for loopback hosts only, such as `localhost`"
                    .into(),
            ));
        }
        Ok(url)
    }
}

fn problem_of_scope(scope: &str) -> Option<&'static str> {
    if scope == "offline_access" {
        return Some("it is for clients that want refresh tokens, not for a resource: remove it");
    }
    (!is_scope_token(scope)).then_some(
        "a scope consists of visible ASCII characters other than `\"` and `\\`; separate scopes are separate values",
    )
}

pub(super) fn invalid(
    setting: &'static str,
    value: String,
    reason: impl Into<String>,
) -> ConfigError {
    ConfigError::InvalidResource {
        setting,
        value,
        reason: reason.into(),
    }
}
