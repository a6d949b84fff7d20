//! Issuer for all contenders: tokens, and a server that publishes the keys.

use std::iter;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderValue;
use modeler_auth_testkit::{server::Server, signer::jwks};
use serde_json::{Value, json};

use crate::support::{REALM, SAAS, Signer, keycloak_claims, saas_claims};

/// Which issuer, and what it signs with.
#[derive(Clone, Copy)]
pub enum SetupKind {
    Auth0(&'static str),
    Keycloak(&'static str),
}

/// The configuration of contenders, and the tokens for the measurements.
pub struct Setup {
    /// What tokens carry as `iss`.
    pub issuer: &'static str,
    pub audience: &'static str,
    /// One of the scopes of the tokens, for contenders that must require one.
    pub scope: &'static str,
    /// Where the keys are, under `realms/`.
    pub server: String,
    pub kind: SetupKind,
    pub good: Token,
    pub expired: Token,
    pub broken: Token,
}

/// A token in its header, and the bare signature check of it.
pub struct Token {
    pub header: HeaderValue,
    pub accepted: bool,
    pub floor: Option<Box<dyn Fn()>>,
}

impl Token {
    fn new(token: &str, accepted: bool) -> Self {
        Self {
            header: HeaderValue::try_from(format!("Bearer {token}")).expect("ASCII"),
            accepted,
            floor: None,
        }
    }

    fn signed(signer: &Signer, claims: &Value, accepted: bool) -> Self {
        let token = signer.sign(claims);
        Self {
            floor: Some(Box::new(signer.floor(&token))),
            ..Self::new(&token, accepted)
        }
    }
}

impl Setup {
    /// Makes keys and tokens and starts the server.
    pub async fn start(kind: SetupKind) -> Self {
        let (SetupKind::Auth0(algorithm) | SetupKind::Keycloak(algorithm)) = kind;
        let signer = Signer::new(algorithm);
        let (issuer, audience, scope, claims) = match kind {
            SetupKind::Auth0(_) => (SAAS, "api.cloud.camunda.io", "read:*", saas_claims(0)),
            SetupKind::Keycloak(_) => (
                REALM,
                "web-modeler-public-api",
                "camunda-identity",
                keycloak_claims(0),
            ),
        };
        let mut expired = claims.clone();
        expired["exp"] = json!(1_762_180_300);
        let good = signer.sign(&claims);
        let unbroken = good.get(..good.len() - 4).expect("ASCII");
        Self {
            issuer,
            audience,
            scope,
            server: serve(&signer).await,
            kind,
            good: Token::signed(&signer, &claims, true),
            expired: Token::signed(&signer, &expired, false),
            broken: Token::new(&format!("{unbroken}AAAA"), false),
        }
    }

    /// The key set as Keycloak publishes it, with a key for encryption after the one for signing.
    pub fn keys(&self) -> String {
        format!("{}/realms/signing-first/keys", self.server)
    }
}

/// Publishes the keys for two realms, which differ in what key comes first.
async fn serve(signer: &Signer) -> String {
    let server = Server::start().await;
    let (signing, encryption) = (signer.jwk(), encryption_key(signer));
    for (realm, keys) in [
        ("encryption-first", [&encryption, &signing]),
        ("signing-first", [&signing, &encryption]),
    ] {
        let path = format!("/realms/{realm}");
        server.text(
            &format!("{path}/.well-known/openid-configuration"),
            discovery(&server.url(&path)),
        );
        server.text(&format!("{path}/keys"), jwks(&keys));
    }
    server.url("")
}

/// Another RSA key, which signs nothing; by default, a realm of a Keycloak has one.
///
/// Its modulus is the greater one. A signature above the modulus is refused without a calculation,
/// which seldom happens, but would then make a run with such keys differ from all others.
fn encryption_key(signer: &Signer) -> Value {
    let modulus = |key: &Value| {
        let modulus = key["n"].as_str()?;
        Some(URL_SAFE_NO_PAD.decode(modulus).expect("base64url"))
    };
    let least = modulus(&signer.jwk());
    let mut key = iter::repeat_with(|| Signer::new("RS256").jwk())
        .find(|key| modulus(key) > least)
        .expect("keys without end");
    key["kid"] = json!("encryption");
    key["alg"] = json!("RSA-OAEP");
    key["use"] = json!("enc");
    key
}

fn discovery(realm: &str) -> String {
    json!({
        "issuer": realm,
        "authorization_endpoint": format!("{realm}/auth"),
        "token_endpoint": format!("{realm}/token"),
        "jwks_uri": format!("{realm}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"]
    })
    .to_string()
}
