//! Issuer with a discovery document, a key set and signing keys that rotate.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use modeler_auth_testkit::{
    server::Server,
    signer::{Key, encode, jwks, now},
};
use serde_json::json;

const REALM: &str = "/auth/realms/camunda-platform";
const KEY_SET: &str = "/auth/realms/camunda-platform/protocol/openid-connect/certs";
const DISCOVERY: &str = "/auth/realms/camunda-platform/.well-known/openid-configuration";
/// Lifetime of a token in seconds. No test here ends one: tokens are replaced long before.
const LIFETIME: u64 = 300;

#[derive(Clone)]
pub struct Issuer {
    server: Server,
    keys: Arc<Mutex<Keys>>,
    tokens: Arc<AtomicUsize>,
}

struct Keys {
    signing: Arc<Key>,
    /// Published beside the signing key: the next key, or the previous one.
    other: Option<Arc<Key>>,
    generated: usize,
}

impl Issuer {
    pub async fn start() -> Self {
        let keys = Keys {
            signing: generate(0),
            other: None,
            generated: 1,
        };
        let issuer = Self {
            server: Server::start().await,
            keys: Arc::new(Mutex::new(keys)),
            tokens: Arc::new(AtomicUsize::new(0)),
        };
        issuer.publish();
        issuer
    }

    pub fn url(&self) -> String {
        self.server.url(REALM)
    }

    /// Publishes the documents; also ends an outage.
    pub fn publish(&self) {
        let key_set = self.server.url(KEY_SET);
        self.server.discovery(REALM, &self.url(), &key_set);
        let keys = self.keys.lock().expect("no panic");
        let published: Vec<_> = std::iter::once(&keys.signing)
            .chain(&keys.other)
            .map(|key| &key.jwk)
            .collect();
        self.server.text(KEY_SET, jwks(&published));
    }

    /// Starts an outage: each document is answered with 503.
    pub fn fail(&self) {
        for path in [DISCOVERY, KEY_SET] {
            self.server.status(path, 503, None);
        }
    }

    /// Publishes the next signing key, before it signs.
    pub fn announce_key(&self) {
        let mut keys = self.keys.lock().expect("no panic");
        keys.other = Some(generate(keys.generated));
        keys.generated += 1;
        drop(keys);
        self.publish();
    }

    /// Signs with the announced key; the previous one stays published.
    pub fn use_announced_key(&self) {
        let mut keys = self.keys.lock().expect("no panic");
        if let Some(next) = keys.other.take() {
            keys.other = Some(std::mem::replace(&mut keys.signing, next));
        }
    }

    /// Withdraws the previous key.
    pub fn withdraw_key(&self) {
        self.keys.lock().expect("no panic").other = None;
        self.publish();
    }

    /// Requests for the key set so far.
    pub fn fetches(&self) -> usize {
        self.server.count(KEY_SET)
    }

    /// Signs a new token, as Keycloak writes it for a machine client.
    pub fn token(&self) -> String {
        let key = Arc::clone(&self.keys.lock().expect("no panic").signing);
        let (header, claims) = (key.header(), self.claims());
        key.token(header.to_string(), claims)
    }

    /// Returns a token with an unknown key id, or with a signature that does not match.
    pub fn bad_token(&self, unknown_key: bool) -> String {
        let key = Arc::clone(&self.keys.lock().expect("no panic").signing);
        let mut header = key.header();
        if unknown_key {
            let number = self.tokens.load(Ordering::Relaxed);
            header["kid"] = json!(format!("unknown-{number}"));
        }
        let message = format!("{}.{}", encode(header.to_string()), encode(self.claims()));
        format!("{message}.{}", encode([1; 256]))
    }

    fn claims(&self) -> String {
        let number = self.tokens.fetch_add(1, Ordering::Relaxed);
        json!({
            "iss": self.url(), "aud": ["web-modeler-public-api", "account"], "typ": "Bearer",
            "iat": now(), "exp": now() + LIFETIME, "jti": format!("trrtcc:{number:032}"),
            "sub": format!("5a1b7d5e-1c3f-4d1a-9a55-{number:012}"), "azp": "soak",
            "permissions": {"web-modeler-public-api": ["read:*"]}, "scope": "email profile",
        })
        .to_string()
    }
}

fn generate(number: usize) -> Arc<Key> {
    Arc::new(Key::rsa().with_id(format!("key-{number}")))
}
