//! Private keys that sign any text. Independent of the crate under test.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RsaKeyPair,
        RsaPublicKeyComponents,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The `iss` of [`claims`].
pub const ISSUER: &str = "https://issuer.example/realms/a";

/// Encodes `bytes` in base64url.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns the seconds since 1970.
pub fn now() -> u64 {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// A private key and its public half as a JWK, which a test may change.
pub struct Key {
    pub jwk: Value,
    /// Name of the algorithm that the key signs with.
    pub algorithm: &'static str,
    pair: Pair,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl Key {
    /// Generates a key for `algorithm`, one of RFC 7518 or `EdDSA`.
    ///
    /// Only the JWK of an RSA key carries `alg`: the others need none.
    pub fn generate(algorithm: &'static str) -> Self {
        match algorithm {
            "EdDSA" => Self::from_ed(Ed25519KeyPair::generate().unwrap()),
            "ES256" => Self::from_ec(
                &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
                "P-256",
                algorithm,
            ),
            "ES384" => Self::from_ec(
                &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
                "P-384",
                algorithm,
            ),
            "ES512" => Self::from_ec(
                &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
                "P-521",
                algorithm,
            ),
            _ => {
                rsa_encoding(algorithm);
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
                let key = pair.public_key();
                let n = encode(key.modulus().big_endian_without_leading_zero());
                let e = encode(key.exponent().big_endian_without_leading_zero());
                Self {
                    jwk: json!({"kty": "RSA", "kid": "rsa", "alg": algorithm, "n": n, "e": e}),
                    algorithm,
                    pair: Pair::Rsa(pair),
                }
            }
        }
    }

    pub fn rsa() -> Self {
        Self::generate("RS256")
    }

    pub fn ec() -> Self {
        Self::generate("ES256")
    }

    pub fn ec384() -> Self {
        Self::generate("ES384")
    }

    pub fn ed() -> Self {
        Self::generate("EdDSA")
    }

    /// Makes the Ed25519 key of `seed`, the same one each time.
    pub fn ed_from_seed(seed: [u8; 32]) -> Self {
        Self::from_ed(Ed25519KeyPair::from_seed_unchecked(&seed).unwrap())
    }

    fn from_ed(pair: Ed25519KeyPair) -> Self {
        let x = encode(pair.public_key());
        Self {
            jwk: json!({"kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": x}),
            algorithm: "EdDSA",
            pair: Pair::Ed(pair),
        }
    }

    fn from_ec(
        scheme: &'static signature::EcdsaSigningAlgorithm,
        curve: &str,
        algorithm: &'static str,
    ) -> Self {
        let pair = EcdsaKeyPair::generate(scheme).unwrap();
        // An uncompressed point: 0x04 and two coordinates (SEC 1 §2.3.3).
        let point = &pair.public_key().as_ref()[1..];
        let (x, y) = point.split_at(point.len() / 2);
        let (x, y) = (encode(x), encode(y));
        Self {
            jwk: json!({"kty": "EC", "kid": "ec", "crv": curve, "x": x, "y": y}),
            algorithm,
            pair: Pair::Ec(pair),
        }
    }

    /// Changes the key id of the JWK, and so of the tokens.
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.jwk["kid"] = json!(id.into());
        self
    }

    pub fn id(&self) -> &str {
        self.jwk["kid"].as_str().unwrap()
    }

    /// Returns the public key that verifies signatures of the key's algorithm.
    pub fn public_key(&self) -> ParsedPublicKey {
        match &self.pair {
            Pair::Ec(pair) => {
                let algorithm = match self.algorithm {
                    "ES384" => &signature::ECDSA_P384_SHA384_FIXED,
                    "ES512" => &signature::ECDSA_P521_SHA512_FIXED,
                    _ => &signature::ECDSA_P256_SHA256_FIXED,
                };
                ParsedPublicKey::new(algorithm, pair.public_key()).unwrap()
            }
            Pair::Ed(pair) => ParsedPublicKey::new(&signature::ED25519, pair.public_key()).unwrap(),
            Pair::Rsa(pair) => {
                let key = pair.public_key();
                let components = RsaPublicKeyComponents {
                    n: key.modulus().big_endian_without_leading_zero(),
                    e: key.exponent().big_endian_without_leading_zero(),
                };
                let algorithm = match self.algorithm {
                    "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
                    "PS384" => &signature::RSA_PSS_2048_8192_SHA384,
                    "PS512" => &signature::RSA_PSS_2048_8192_SHA512,
                    "RS384" => &signature::RSA_PKCS1_2048_8192_SHA384,
                    "RS512" => &signature::RSA_PKCS1_2048_8192_SHA512,
                    _ => &signature::RSA_PKCS1_2048_8192_SHA256,
                };
                components.to_parsed_public_key(algorithm).unwrap()
            }
        }
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => rsa_signature(pair, rsa_encoding(self.algorithm), message),
        }
    }

    /// Signs with an RSA key by `algorithm`, for any algorithm of the key. An HMAC algorithm is
    /// signed as RS256.
    pub fn sign_as(&self, message: &[u8], algorithm: &str) -> Vec<u8> {
        let Pair::Rsa(pair) = &self.pair else {
            panic!("only an RSA key has several algorithms");
        };
        let algorithm = if algorithm.starts_with("HS") {
            "RS256"
        } else {
            algorithm
        };
        rsa_signature(pair, rsa_encoding(algorithm), message)
    }

    /// Returns the header of a good token.
    pub fn header(&self) -> Value {
        json!({"alg": self.algorithm, "typ": "JWT", "kid": self.id()})
    }

    /// Signs `header` and `payload`, which may be any text.
    pub fn token(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        let message = format!("{}.{}", encode(header), encode(payload));
        let signature = encode(self.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// Makes a good token after `change` has modified its header and its claims.
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

fn rsa_encoding(algorithm: &str) -> &'static dyn signature::RsaEncoding {
    match algorithm {
        "PS256" => &signature::RSA_PSS_SHA256,
        "PS384" => &signature::RSA_PSS_SHA384,
        "PS512" => &signature::RSA_PSS_SHA512,
        "RS256" => &signature::RSA_PKCS1_SHA256,
        "RS384" => &signature::RSA_PKCS1_SHA384,
        "RS512" => &signature::RSA_PKCS1_SHA512,
        other => panic!("{other} is no algorithm of an RSA key"),
    }
}

fn rsa_signature(
    pair: &RsaKeyPair,
    encoding: &'static dyn signature::RsaEncoding,
    message: &[u8],
) -> Vec<u8> {
    let mut signature = vec![0; pair.public_modulus_len()];
    let random = SystemRandom::new();
    pair.sign(encoding, &random, message, &mut signature)
        .unwrap();
    signature
}

/// Returns the claims of a good token for the audience `api`.
pub fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "api", "sub": "someone", "iat": now(), "exp": now() + 300,
        "scope": "read:all",
    })
}

/// Makes a token of good claims with an HMAC by `secret`.
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

/// Returns the key set of `keys`.
pub fn jwks(keys: &[&Value]) -> String {
    json!({ "keys": keys }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_signs_what_its_public_key_verifies() {
        for algorithm in [
            "ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384",
            "RS512",
        ] {
            let key = Key::generate(algorithm);
            let signature = key.sign(b"message");
            let public = key.public_key();
            assert!(public.verify_sig(b"message", &signature).is_ok());
            assert!(public.verify_sig(b"another", &signature).is_err());
        }
    }
}
