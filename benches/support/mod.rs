//! Tokens, keys, and a baseline for measurements: one signature check with a key parsed once.
#![allow(dead_code, reason = "each benchmark uses some of it")]

use std::hint::black_box;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use modeler_auth::{
    Access, AuthError, Issuer, TokenValidator, TokenValidatorBuilder, keys::StaticKeys,
};
use modeler_auth_testkit::{
    poll::ready,
    signer::{Key, encode, jwks},
};
use serde_json::{Value, json};

pub const REALM: &str = "http://localhost:18080/auth/realms/camunda-platform";
pub const SAAS: &str = "https://weblogin.cloud.camunda.io/";
pub const ORGANIZATION: &str = "12345678-ABCD-DCBA-ABCD-123456789ABC";

/// A key that signs tokens of both payloads.
pub struct Signer {
    pub algorithm: &'static str,
    key: Key,
}

impl Signer {
    pub fn new(algorithm: &'static str) -> Self {
        let id = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, algorithm.as_bytes());
        let mut key = Key::generate(algorithm).with_id(encode(id));
        key.jwk["alg"] = json!(algorithm);
        key.jwk["use"] = json!("sig");
        Self { algorithm, key }
    }

    pub fn jwk(&self) -> Value {
        self.key.jwk.clone()
    }

    pub fn jwks(&self) -> String {
        jwks(&[&self.key.jwk])
    }

    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with_id(claims, self.key.id())
    }

    pub fn sign_with_id(&self, claims: &Value, id: &str) -> String {
        let header = json!({"alg": self.algorithm, "typ": "JWT", "kid": id});
        self.key.token(header.to_string(), claims.to_string())
    }

    /// The bare signature check of `token`, with everything else done before.
    pub fn floor(&self, token: &str) -> impl Fn() + Send + Sync + use<> {
        let (message, signature) = token.rsplit_once('.').expect("three parts");
        let message = message.to_owned();
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        let key = self.key.public_key();
        move || {
            let holds = key.verify_sig(black_box(message.as_bytes()), black_box(&signature));
            assert!(holds.is_ok());
        }
    }

    /// Trusts this key, for both payloads.
    pub fn trusting(&self) -> TokenValidatorBuilder {
        let keys = StaticKeys::from_jwks(self.jwks());
        let realm = Issuer::self_managed(REALM);
        TokenValidator::builder()
            .issuer(realm.keys(keys.clone()))
            .issuer(Issuer::saas(ORGANIZATION).keys(keys))
    }

    pub fn validator(&self, cache: u64) -> TokenValidator {
        self.trusting()
            .token_cache_bytes(cache)
            .build()
            .expect("a good configuration")
    }
}

/// What a Keycloak behind Camunda Self-Managed writes for a machine client: 1 kB.
pub fn keycloak_claims(number: usize) -> Value {
    json!({
        "exp": 4_102_444_800_u64, "iat": 1_762_180_200_u64,
        "jti": format!("trrtcc:3c1e5c8c-4b0d-4e0a-8a7e-{number:012}"), "iss": REALM,
        "aud": ["web-modeler-public-api", "camunda-identity-resource-server", "account"],
        "sub": "5a1b7d5e-1c3f-4d1a-9a55-0a1c7f0f6f3d", "typ": "Bearer", "azp": "integration",
        "acr": "1", "allowed-origins": ["http://localhost:8070", "https://modeler.example.com"],
        "realm_access": {"roles": ["default-roles-camunda-platform", "offline_access", "uma_authorization"]},
        "resource_access": {
            "web-modeler-public-api": {"roles": ["create:*", "read:*", "update:*", "delete:*"]},
            "camunda-identity-resource-server": {"roles": ["read", "read:users"]},
            "account": {"roles": ["manage-account", "manage-account-links", "view-profile"]}
        },
        "scope": "email profile camunda-identity", "clientHost": "172.18.0.1",
        "email_verified": false,
        "permissions": {
            "camunda-identity-resource-server": ["read", "read:users"],
            "web-modeler-public-api": ["create:*", "read:*", "update:*", "delete:*"]
        },
        "preferred_username": "service-account-integration", "clientAddress": "172.18.0.1",
        "client_id": "integration"
    })
}

/// What Auth0 behind Camunda SaaS writes for a machine client: 0.4 kB.
pub fn saas_claims(number: usize) -> Value {
    json!({
        "https://camunda.com/orgId": ORGANIZATION, "iss": SAAS,
        "sub": format!("mN7pQ{number:08}kZ1uR8oTqV4b.x@clients"),
        "aud": "api.cloud.camunda.io", "iat": 1_762_180_200_u64, "exp": 4_102_444_800_u64,
        "scope": "create:* read:* update:*", "gty": "client-credentials",
        "azp": "mN7pQkZ1uR8oTqV4b.xYcD", "permissions": ["create:*", "read:*", "update:*"]
    })
}

/// Validates without waiting.
pub fn validate(validator: &TokenValidator, token: &str) -> Result<Access, AuthError> {
    ready(validator.validate(token))
}

/// Tokens that are refused, each for another reason.
pub fn hostile_tokens(signer: &Signer) -> impl Iterator<Item = (&'static str, String)> {
    let good = signer.sign(&keycloak_claims(0));
    let (unsigned, _) = good.rsplit_once('.').expect("three parts");
    let end = good.len() - 4;
    let mut expired = keycloak_claims(0);
    expired["exp"] = json!(1_762_180_300);
    [
        ("malformed", "no token at all".to_owned()),
        ("two parts", unsigned.to_owned()),
        (
            "unknown key",
            signer.sign_with_id(&keycloak_claims(0), "another"),
        ),
        ("expired", signer.sign(&expired)),
        (
            "bad signature",
            format!("{}AAAA", good.get(..end).expect("ASCII")),
        ),
    ]
    .into_iter()
}

/// Ranks below `count`, low ones the more often, as Zipf says; the same ones each time.
pub fn ranks(count: usize) -> impl Iterator<Item = usize> {
    let mut random = fastrand::Rng::with_seed(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "small numbers"
    )]
    std::iter::repeat_with(move || (count as f64).powf(random.f64()) as usize - 1)
}
