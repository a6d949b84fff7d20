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

/// An issuer in your test process, with real keys and real signatures. Clones are the same issuer.
#[derive(Clone)]
pub struct TestIssuer {
    state: Arc<State>,
}

struct State {
    name: String,
    shape: Shape,
    /// Where it is served over HTTP. Its name may lead elsewhere: `localhost` is more than one
    /// address.
    url: Option<String>,
    /// The last one signs; all are published.
    keys: Mutex<Vec<SigningKey>>,
    is_failing: AtomicBool,
    fetches: AtomicUsize,
}

/// Whose tokens an issuer's look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Oidc,
    Saas,
    SelfManaged,
}

impl Shape {
    /// The audience of the Web Modeler API.
    fn audience(self) -> &'static str {
        match self {
            Self::Oidc => "test",
            Self::Saas => "api.cloud.camunda.io",
            Self::SelfManaged => "web-modeler-public-api",
        }
    }
}

impl TestIssuer {
    /// The organization of SaaS tokens, unless the test names another one.
    pub const ORGANIZATION: &str = "12345678-ABCD-DCBA-ABCD-123456789ABC";

    /// A Self-Managed installation behind Keycloak.
    #[must_use]
    pub fn self_managed() -> Self {
        let name = "http://localhost:18080/auth/realms/camunda-platform";
        Self::new(name.to_owned(), Shape::SelfManaged, None)
    }

    /// Camunda SaaS.
    #[must_use]
    pub fn saas() -> Self {
        let name = "https://weblogin.cloud.camunda.io/";
        Self::new(name.to_owned(), Shape::Saas, None)
    }

    /// A plain OpenID provider named `issuer`; its tokens are for the audience `test`.
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

    /// The issuer as a [`TokenValidator`](crate::TokenValidator) is told of it: the preset it plays,
    /// with its keys.
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

    /// The `iss` of its tokens.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.state.name
    }

    /// A token to shape and sign.
    pub fn token(&self) -> TokenBuilder {
        let shape = self.shape();
        TokenBuilder::new(self.clone(), shape, self.name(), shape.audience())
    }

    /// Signs with a new key from now on. The old ones stay published.
    pub fn rotate_keys(&self) {
        let algorithm = self.with_signing_key(|key| key.algorithm);
        self.sign_with(algorithm);
    }

    /// Signs with a new key for `algorithm` from now on. The old ones stay published.
    pub fn sign_with(&self, algorithm: Algorithm) {
        let key = SigningKey::generate(algorithm);
        self.keys().push(key);
    }

    /// Publishes only the key that signs.
    pub fn withdraw_old_keys(&self) {
        let mut keys = self.keys();
        let old = keys.len().saturating_sub(1);
        keys.drain(..old);
    }

    /// Whether fetching the key set fails from now on.
    pub fn fail_fetches(&self, fail: bool) {
        self.state.is_failing.store(fail, Ordering::Relaxed);
    }

    /// How often the key set was fetched, failures included.
    #[must_use]
    pub fn fetches(&self) -> usize {
        self.state.fetches.load(Ordering::Relaxed)
    }

    /// The key set. As with Keycloak, a key for encryption stands before those that sign.
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

    /// The key set as a fetch sees it, counted. `None` while fetches fail.
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
            KeyFetchError::new(KeyFetchErrorKind::Other, "the test wants fetches to fail")
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
