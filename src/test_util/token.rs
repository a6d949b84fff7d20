//! Test tokens, from claims to the signed text.

use std::time::{Duration, SystemTime};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    access::permission::Permission,
    test_util::{TestIssuer, issuer::Shape},
};

/// Builder of a token; see [`TestIssuer::token`].
///
/// The token is valid unless changed. It has all four permissions and the form of its issuer's
/// tokens for machine clients.
///
/// ```
/// use modeler_auth::{Permission, test_util::TestIssuer};
///
/// let issuer = TestIssuer::self_managed();
/// let token = issuer
///     .token()
///     .subject("ada")
///     .permissions([Permission::Read])
///     .claim("department", "audit")
///     .sign();
/// assert_eq!(token.split('.').count(), 3);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TokenBuilder {
    issuer: TestIssuer,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    issued_at: u64,
    /// Lifetime in seconds.
    lifetime: u64,
}

impl TokenBuilder {
    pub(super) fn new(issuer: TestIssuer, shape: Shape, name: &str, audience: &str) -> Self {
        let issued_at = since_epoch(SystemTime::now());
        let subject = random_uuid();
        let (lifetime, own) = match shape {
            Shape::SelfManaged => (
                300,
                json!({
                    "sub": subject, "typ": "Bearer", "acr": "1", "email_verified": false,
                    "jti": format!("trrtcc:{}", random_uuid()), "scope": "email profile",
                }),
            ),
            Shape::Saas => (
                24 * 60 * 60,
                json!({
                    "gty": "client-credentials",
                    "https://camunda.com/orgId": TestIssuer::ORGANIZATION,
                }),
            ),
            Shape::Oidc => (300, json!({"sub": subject})),
        };
        let mut claims = match own {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        claims.insert("iss".to_owned(), json!(name));
        claims.insert("iat".to_owned(), json!(issued_at));
        let header = Map::from_iter([("typ".to_owned(), json!("JWT"))]);
        Self {
            issuer,
            header,
            claims,
            issued_at,
            lifetime,
        }
        .audience(audience)
        .client("test")
        .permissions(Permission::ALL)
        .expires_in(Duration::from_secs(lifetime))
    }

    /// Sets the time at which the token is issued (`iat`). Default: the system's present time. The
    /// lifetime stays the same.
    pub fn issued_at(mut self, time: SystemTime) -> Self {
        self.issued_at = since_epoch(time);
        let lifetime = Duration::from_secs(self.lifetime);
        let issued_at = self.issued_at;
        self.claim("iat", issued_at).expires_in(lifetime)
    }

    /// Sets the client that the token is issued to.
    pub fn client(self, id: &str) -> Self {
        match self.issuer.shape() {
            Shape::SelfManaged => self
                .claim("azp", id)
                .claim("preferred_username", format!("service-account-{id}")),
            Shape::Saas => self
                .claim("azp", id)
                .claim("https://camunda.com/clientId", id)
                .claim("sub", format!("{id}@clients")),
            Shape::Oidc => self.claim("client_id", id),
        }
    }

    /// Sets the `sub` claim.
    pub fn subject(self, subject: &str) -> Self {
        self.claim("sub", subject)
    }

    /// Sets the only audience. Call it before [`permissions`](TokenBuilder::permissions), which on
    /// Self-Managed belong to an audience.
    pub fn audience(self, audience: &str) -> Self {
        self.claim("aud", audience)
    }

    /// Sets the permissions: `permissions.<audience>` on Self-Managed, elsewhere `scope`.
    pub fn permissions(self, permissions: impl IntoIterator<Item = Permission>) -> Self {
        let names: Vec<_> = permissions.into_iter().map(Permission::name).collect();
        if self.issuer.shape() != Shape::SelfManaged {
            return self.claim("scope", names.join(" "));
        }
        let audience = self.only_audience().unwrap_or_default().to_owned();
        let roles = json!({"roles": names});
        self.claim(
            "permissions",
            Map::from_iter([(audience.clone(), json!(names))]),
        )
        .claim("resource_access", Map::from_iter([(audience, roles)]))
    }

    /// Sets the organization, in the claim of Camunda SaaS.
    pub fn organization(self, organization: &str) -> Self {
        self.claim("https://camunda.com/orgId", organization)
    }

    /// Sets any claim.
    ///
    /// # Panics
    /// If `value` cannot be written as JSON.
    pub fn claim(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("the value can be written as JSON");
        self.claims.insert(name.to_owned(), value);
        self
    }

    /// Removes a claim.
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets any member of the header; `alg` and `kid` are those of the signing key unless set here.
    ///
    /// # Panics
    /// If `value` cannot be written as JSON.
    pub fn header(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("the value can be written as JSON");
        self.header.insert(name.to_owned(), value);
        self
    }

    /// Sets the lifetime, counted from the time of issue.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime.as_secs();
        let expires_at = self.issued_at.saturating_add(lifetime.as_secs());
        self.claim("exp", expires_at)
    }

    /// Sets the expiry to one hour before the time of issue.
    pub fn expired(self) -> Self {
        let expired_at = self.issued_at.saturating_sub(60 * 60);
        self.claim("exp", expired_at)
    }

    /// Returns the audience, if it is a string.
    pub(super) fn only_audience(&self) -> Option<&str> {
        self.claims.get("aud").and_then(Value::as_str)
    }

    /// Returns the lifetime in seconds.
    pub(super) fn lifetime(&self) -> u64 {
        self.lifetime
    }

    /// Signs with the issuer's current key.
    #[must_use]
    pub fn sign(self) -> String {
        let issuer = self.issuer.clone();
        self.sign_by(&issuer)
    }

    /// Signs with the current key of another issuer, but names the key of its own issuer, as a
    /// forger would.
    #[must_use]
    pub fn sign_by(self, issuer: &TestIssuer) -> String {
        let id = self.issuer.with_signing_key(|key| key.id.clone());
        issuer.with_signing_key(|key| {
            let mut header = self.header;
            for (name, value) in [("alg", key.algorithm.name()), ("kid", &id)] {
                header
                    .entry(name.to_owned())
                    .or_insert_with(|| json!(value));
            }
            let header = render_header(&header, self.issuer.shape());
            let claims = Value::Object(self.claims).to_string();
            let message = format!(
                "{}.{}",
                URL_SAFE_NO_PAD.encode(header),
                URL_SAFE_NO_PAD.encode(claims)
            );
            let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()));
            format!("{message}.{signature}")
        })
    }
}

fn random_uuid() -> String {
    let (first, second, third) = (fastrand::u32(..), fastrand::u16(..), fastrand::u16(..));
    let (fourth, fifth) = (fastrand::u16(..), fastrand::u64(..) >> 16);
    format!("{first:08x}-{second:04x}-{third:04x}-{fourth:04x}-{fifth:012x}")
}

fn since_epoch(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Renders the header. Keycloak writes `{"alg":"RS256","typ" : "JWT","kid" : "W9q0..."}`, spaces
/// included.
fn render_header(header: &Map<String, Value>, shape: Shape) -> String {
    let mut names: Vec<_> = header.keys().map(String::as_str).collect();
    let rank = |name: &str| ["alg", "typ", "kid"].iter().position(|one| *one == name);
    names.sort_by_key(|name| rank(name).unwrap_or(usize::MAX));
    let members = names.into_iter().enumerate().map(|(position, name)| {
        let colon = if position > 0 && shape == Shape::SelfManaged {
            " : "
        } else {
            ":"
        };
        format!("{}{colon}{}", json!(name), json!(header.get(name)))
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}
