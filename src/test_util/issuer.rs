//! Issuer for tests, without a network.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};

use crate::{
    camunda::saas::SaasClaims,
    issuer::Issuer,
    keys::{
        algorithm::Algorithm,
        error::{KeyFetchError, KeyFetchErrorKind},
        source::{KeyFetch, KeyFuture, KeyRequest, KeySource},
    },
    test_util::{
        TokenBuilder,
        signing_key::{SigningKey, set},
    },
};

/// Issuer in your test process, with real keys and real signatures. Clones share the issuer.
///
/// ```
/// use modeler_auth::{TokenValidator, test_util::TestIssuer};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let issuer = TestIssuer::self_managed();
/// let validator = TokenValidator::builder().issuer(issuer.issuer()).build()?;
/// assert!(validator.validate(&issuer.token().sign()).await.is_ok());
/// # Ok::<(), modeler_auth::ConfigError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct TestIssuer {
    state: Arc<State>,
}

struct State {
    name: String,
    shape: Shape,
    /// URL under which the issuer is served over HTTP. The issuer's name may lead elsewhere, since
    /// `localhost` can have several addresses.
    url: Option<String>,
    /// Published keys. The last key signs.
    keys: Mutex<Vec<SigningKey>>,
    is_failing: AtomicBool,
    fetches: AtomicUsize,
}

/// Provider that an issuer imitates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Oidc,
    Saas,
    SelfManaged,
}

impl Shape {
    /// Returns the audience of the issuer's tokens.
    pub(super) fn audience(self) -> &'static str {
        match self {
            Self::Oidc => "test",
            Self::Saas => "api.cloud.camunda.io",
            Self::SelfManaged => "web-modeler-public-api",
        }
    }

    /// Returns the path of the key set below the issuer's URL.
    pub(super) fn keys_path(self) -> &'static str {
        match self {
            Self::Oidc => "/jwks",
            Self::Saas => "/.well-known/jwks.json",
            Self::SelfManaged => "/protocol/openid-connect/certs",
        }
    }

    /// Returns the path of the token endpoint below the issuer's URL.
    pub(super) fn token_path(self) -> &'static str {
        match self {
            Self::Oidc => "/token",
            Self::Saas => "/oauth/token",
            Self::SelfManaged => "/protocol/openid-connect/token",
        }
    }
}

impl TestIssuer {
    /// Organization of SaaS tokens, unless the test sets another.
    pub const ORGANIZATION: &str = "12345678-ABCD-DCBA-ABCD-123456789ABC";

    /// Creates an issuer like a Self-Managed installation behind Keycloak.
    #[must_use]
    pub fn self_managed() -> Self {
        let name = "http://localhost:18080/auth/realms/camunda-platform";
        Self::new(name.to_owned(), Shape::SelfManaged, None)
    }

    /// Creates an issuer like Camunda SaaS.
    #[must_use]
    pub fn saas() -> Self {
        let name = "https://weblogin.cloud.camunda.io/";
        Self::new(name.to_owned(), Shape::Saas, None)
    }

    /// Creates an issuer like a plain OpenID provider named `issuer`; its tokens have the audience
    /// `test`.
    #[must_use]
    pub fn oidc(issuer: &str) -> Self {
        Self::new(issuer.to_owned(), Shape::Oidc, None)
    }

    pub(super) fn new(name: String, shape: Shape, url: Option<String>) -> Self {
        Self {
            state: Arc::new(State {
                name,
                shape,
                url,
                keys: Mutex::new(vec![SigningKey::generate(Algorithm::Rs256)]),
                is_failing: AtomicBool::new(false),
                fetches: AtomicUsize::new(0),
            }),
        }
    }

    /// Returns the issuer for a [`TokenValidator`](crate::TokenValidator): the preset that it
    /// imitates, with its keys.
    #[expect(
        clippy::missing_panics_doc,
        reason = "the organization is a good constant"
    )]
    pub fn issuer(&self) -> Issuer {
        let name = self.name();
        let issuer = match self.shape() {
            Shape::SelfManaged => Issuer::self_managed(name),
            Shape::Saas => {
                let organization = Self::ORGANIZATION.parse().expect("visible ASCII");
                Issuer::oidc(name)
                    .audience(Shape::Saas.audience())
                    .map_claims(SaasClaims::of_organization(organization))
            }
            Shape::Oidc => Issuer::oidc(name).audience(Shape::Oidc.audience()),
        };
        match &self.state.url {
            Some(url) => issuer.backend_url(url),
            None => issuer.keys(self.clone()),
        }
    }

    /// Returns the `iss` of the issuer's tokens.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.state.name
    }

    /// Returns the URL of the token endpoint, where only a [`TestServer`](crate::test_util::TestServer)
    /// answers.
    #[must_use]
    pub fn token_url(&self) -> String {
        let base = self.name().trim_end_matches('/');
        format!("{base}{}", self.shape().token_path())
    }

    /// Creates a builder for a token of this issuer.
    pub fn token(&self) -> TokenBuilder {
        let shape = self.shape();
        TokenBuilder::new(self.clone(), shape, self.name(), shape.audience())
    }

    /// Signs with a new key from now on. The old keys stay published.
    pub fn rotate_keys(&self) {
        let algorithm = self.with_signing_key(|key| key.algorithm);
        self.sign_with(algorithm);
    }

    /// Signs with a new key for `algorithm` from now on. The old keys stay published.
    pub fn sign_with(&self, algorithm: Algorithm) {
        let key = SigningKey::generate(algorithm);
        self.keys().push(key);
    }

    /// Withdraws all keys except the key that signs.
    pub fn withdraw_old_keys(&self) {
        let mut keys = self.keys();
        let old = keys.len().saturating_sub(1);
        keys.drain(..old);
    }

    /// Makes fetches of the key set fail from now on if `fail` is true, else succeed.
    pub fn fail_fetches(&self, fail: bool) {
        self.state.is_failing.store(fail, Ordering::Relaxed);
    }

    /// Returns the number of fetches of the key set, including failures.
    #[must_use]
    pub fn fetches(&self) -> usize {
        self.state.fetches.load(Ordering::Relaxed)
    }

    /// Returns the key set. As with Keycloak, a key for encryption precedes the keys that sign.
    #[must_use]
    pub fn jwks(&self) -> String {
        let keys = self.keys();
        let first = keys.first().map(SigningKey::jwk);
        let encryption = first.map(|mut key| {
            for (name, value) in [("use", "enc"), ("alg", "RSA-OAEP"), ("kid", "encryption")] {
                set(&mut key, name, value);
            }
            key
        });
        let signing = keys.iter().map(SigningKey::jwk);
        let all: Vec<Value> = encryption.into_iter().chain(signing).collect();
        json!({"keys": all}).to_string()
    }

    /// Returns the key set for a fetch, and counts the fetch; `None` while fetches fail.
    pub(super) fn fetch_jwks(&self) -> Option<String> {
        self.state.fetches.fetch_add(1, Ordering::Relaxed);
        (!self.is_failing()).then(|| self.jwks())
    }

    pub(super) fn is_failing(&self) -> bool {
        self.state.is_failing.load(Ordering::Relaxed)
    }

    pub(super) fn shape(&self) -> Shape {
        self.state.shape
    }

    pub(super) fn with_signing_key<T>(&self, use_key: impl FnOnce(&SigningKey) -> T) -> T {
        use_key(
            self.keys()
                .last()
                .expect("there is always a key that signs"),
        )
    }

    fn keys(&self) -> MutexGuard<'_, Vec<SigningKey>> {
        self.state
            .keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeySource for TestIssuer {
    fn fetch<'a>(&'a self, _request: KeyRequest<'a>) -> KeyFuture<'a> {
        let jwks = self.fetch_jwks().ok_or_else(|| {
            KeyFetchError::new(KeyFetchErrorKind::Other, "the test makes fetches fail")
        });
        Box::pin(std::future::ready(jwks.map(KeyFetch::fresh)))
    }
}

impl fmt::Debug for TestIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestIssuer")
            .field("name", &self.state.name)
            .finish_non_exhaustive()
    }
}
