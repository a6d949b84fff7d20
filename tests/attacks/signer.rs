//! Hostile tokens: a key of ours signs whatever text it is given, and any byte can be broken.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair},
};
use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, StatusCode},
    routing::any,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use modeler_auth::{Access, AuthLayer, Issuer, TokenValidator, keys::StaticKeys};
use serde_json::{Value, json};
use tower::ServiceExt as _;

pub const ISSUER: &str = "https://issuer.example/realms/a";

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn now() -> u64 {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

pub enum Pair {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// A private key, its public half as a JWK, and the name of what it signs with.
pub struct Key {
    pub pair: Pair,
    pub jwk: Value,
    pub algorithm: &'static str,
}

impl Key {
    pub fn rsa() -> Self {
        let pair = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        let public = pair.public_key();
        let n = encode(public.modulus().big_endian_without_leading_zero());
        let e = encode(public.exponent().big_endian_without_leading_zero());
        Self {
            jwk: json!({"kty": "RSA", "kid": "rsa", "alg": "RS256", "n": n, "e": e}),
            pair: Pair::Rsa(pair),
            algorithm: "RS256",
        }
    }

    pub fn ec() -> Self {
        Self::on(
            &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            "P-256",
            "ES256",
        )
    }

    pub fn ec384() -> Self {
        Self::on(
            &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
            "P-384",
            "ES384",
        )
    }

    fn on(
        scheme: &'static signature::EcdsaSigningAlgorithm,
        curve: &str,
        algorithm: &'static str,
    ) -> Self {
        let pair = EcdsaKeyPair::generate(scheme).unwrap();
        let point = &pair.public_key().as_ref()[1..];
        let (x, y) = point.split_at(point.len() / 2);
        let (x, y) = (encode(x), encode(y));
        Self {
            jwk: json!({"kty": "EC", "kid": "ec", "crv": curve, "x": x, "y": y}),
            pair: Pair::Ec(pair),
            algorithm,
        }
    }

    pub fn ed() -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let x = encode(pair.public_key());
        Self {
            jwk: json!({"kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": x}),
            pair: Pair::Ed(pair),
            algorithm: "EdDSA",
        }
    }

    pub fn id(&self) -> &str {
        self.jwk["kid"].as_str().unwrap()
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.sign_as(message, self.algorithm)
    }

    /// Signs with the RSA scheme of `algorithm`, whatever the key is for.
    pub fn sign_as(&self, message: &[u8], algorithm: &str) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let scheme: &dyn signature::RsaEncoding = match algorithm {
                    "PS256" => &signature::RSA_PSS_SHA256,
                    "RS512" => &signature::RSA_PKCS1_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(scheme, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    /// The header of a good token.
    pub fn header(&self) -> Value {
        json!({"alg": self.algorithm, "typ": "JWT", "kid": self.id()})
    }

    /// Signs `header` and `payload`, whatever they are.
    pub fn token(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        let message = format!("{}.{}", encode(header), encode(payload));
        let signature = encode(self.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// A token that is good but for `change`, made to its header and its claims.
    pub fn changed(&self, change: impl FnOnce(&mut Value, &mut Value)) -> String {
        let (mut header, mut claims) = (self.header(), claims());
        change(&mut header, &mut claims);
        self.token(header.to_string(), claims.to_string())
    }

    pub fn with_header(&self, name: &str, value: impl Into<Value>) -> String {
        self.changed(|header, _| header[name] = value.into())
    }

    pub fn with_claim(&self, name: &str, value: impl Into<Value>) -> String {
        self.changed(|_, claims| claims[name] = value.into())
    }

    pub fn without_claim(&self, name: &str) -> String {
        self.changed(|_, claims| {
            claims.as_object_mut().unwrap().remove(name);
        })
    }

    pub fn good(&self) -> String {
        self.changed(|_, _| {})
    }
}

pub fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "api", "sub": "someone", "iat": now(), "exp": now() + 300,
        "scope": "read:all",
    })
}

/// `header.payload` with an HMAC by `secret`.
pub fn hmac_token(secret: &[u8], kid: &str) -> String {
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": kid});
    let message = format!(
        "{}.{}",
        encode(header.to_string()),
        encode(claims().to_string())
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let tag = hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", encode(tag))
}

pub fn jwks(keys: &[&Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// A service that trusts keys and has a route behind the layer.
pub struct Target {
    pub validator: TokenValidator,
    pub app: Router,
}

impl Target {
    pub fn new(keys: &[&Key]) -> Self {
        let keys: Vec<_> = keys.iter().map(|key| &key.jwk).collect();
        Self::trusting(Issuer::oidc(ISSUER).keys(StaticKeys::from_jwks(jwks(&keys))))
    }

    pub fn trusting(issuer: Issuer) -> Self {
        let builder = TokenValidator::builder().issuer(issuer.audience("api"));
        Self::of(builder.build().unwrap())
    }

    pub fn of(validator: TokenValidator) -> Self {
        let app = Router::new()
            .route("/", any(|_: Access| async { "in" }))
            .layer(AuthLayer::new(validator.clone()));
        Self { validator, app }
    }

    /// What a request with these `Authorization` headers gets, over the layer.
    pub async fn status_of(&self, authorization: &[&[u8]]) -> StatusCode {
        let mut request = Request::new(Body::empty());
        for value in authorization {
            let value = HeaderValue::from_bytes(value).unwrap();
            request.headers_mut().append("authorization", value);
        }
        self.app.clone().oneshot(request).await.unwrap().status()
    }

    pub async fn status(&self, token: &str) -> u16 {
        let value = format!("Bearer {token}");
        self.status_of(&[value.as_bytes()]).await.as_u16()
    }

    #[track_caller]
    pub fn refuses(&self, token: &str) -> impl Future<Output = ()> {
        self.answers(401, token)
    }

    #[track_caller]
    pub fn accepts(&self, token: &str) -> impl Future<Output = ()> {
        self.answers(200, token)
    }

    #[track_caller]
    fn answers(&self, expected: u16, token: &str) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let status = self.status(token).await;
            let excerpt: String = token.chars().take(200).collect();
            assert_eq!(status, expected, "{caller}: {excerpt}");
        }
    }
}
