//! Tokens, keys and a floor to measure against: one signature check with a key parsed once.
#![allow(dead_code, reason = "each benchmark uses some of it")]

use std::{
    future::Future as _,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RsaKeyPair,
        RsaPublicKeyComponents,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use modeler_auth::{
    Access, AuthError, Issuer, TokenValidator, TokenValidatorBuilder, keys::StaticKeys,
};
use serde_json::{Value, json};

pub const REALM: &str = "http://localhost:18080/auth/realms/camunda-platform";
pub const SAAS: &str = "https://weblogin.cloud.camunda.io/";
pub const ORGANIZATION: &str = "12345678-ABCD-DCBA-ABCD-123456789ABC";

enum Pair {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// A key that signs tokens of both payloads.
pub struct Signer {
    pub algorithm: &'static str,
    pair: Pair,
    public: ParsedPublicKey,
    id: String,
}

impl Signer {
    pub fn new(algorithm: &'static str) -> Self {
        let (pair, public) = match algorithm {
            "RS256" => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
                let key = pair.public_key();
                let public = RsaPublicKeyComponents {
                    n: key.modulus().big_endian_without_leading_zero(),
                    e: key.exponent().big_endian_without_leading_zero(),
                };
                let public = public.to_parsed_public_key(&signature::RSA_PKCS1_2048_8192_SHA256);
                (Pair::Rsa(pair), public)
            }
            "ES256" => {
                let scheme = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
                let pair = EcdsaKeyPair::generate(scheme).expect("a key");
                let public =
                    ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, pair.public_key());
                (Pair::Ec(pair), public)
            }
            _ => {
                let pair = Ed25519KeyPair::generate().expect("a key");
                let public = ParsedPublicKey::new(&signature::ED25519, pair.public_key());
                (Pair::Ed(pair), public)
            }
        };
        Self {
            algorithm,
            pair,
            public: public.expect("a public key"),
            id: encode(aws_lc_rs::digest::digest(
                &aws_lc_rs::digest::SHA256,
                algorithm.as_bytes(),
            )),
        }
    }

    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Ec(pair) => {
                let (_, point) = pair.public_key().as_ref().split_at(1);
                let (x, y) = point.split_at(point.len() / 2);
                json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)})
            }
            Pair::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key())})
            }
            Pair::Rsa(pair) => {
                let key = pair.public_key();
                let n = encode(key.modulus().big_endian_without_leading_zero());
                let e = encode(key.exponent().big_endian_without_leading_zero());
                json!({"kty": "RSA", "n": n, "e": e})
            }
        };
        jwk["kid"] = json!(self.id);
        jwk["alg"] = json!(self.algorithm);
        jwk["use"] = json!("sig");
        jwk
    }

    pub fn jwks(&self) -> String {
        json!({"keys": [self.jwk()]}).to_string()
    }

    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with_id(claims, &self.id)
    }

    pub fn sign_with_id(&self, claims: &Value, id: &str) -> String {
        let header = json!({"alg": self.algorithm, "typ": "JWT", "kid": id}).to_string();
        let message = format!("{}.{}", encode(header), encode(claims.to_string()));
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Ec(pair) => pair
                .sign(&random, message.as_bytes())
                .expect("signs")
                .as_ref()
                .to_vec(),
            Pair::Ed(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    &signature::RSA_PKCS1_SHA256,
                    &random,
                    message.as_bytes(),
                    &mut signature,
                )
                .expect("signs");
                signature
            }
        };
        format!("{message}.{}", encode(signature))
    }

    /// The bare signature check of `token`, with everything else done before.
    pub fn floor(&self, token: &str) -> impl Fn() + Send + Sync + use<> {
        let (message, signature) = token.rsplit_once('.').expect("three parts");
        let message = message.to_owned();
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        let key = self.public.clone();
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

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What a Keycloak behind Camunda Self-Managed says of a machine client: 1 kB.
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

/// What Auth0 behind Camunda SaaS says of a machine client: 0.4 kB.
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
    let verdict = pin!(validator.validate(token));
    match verdict.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(verdict) => verdict,
        Poll::Pending => unreachable!("the keys are at hand"),
    }
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
