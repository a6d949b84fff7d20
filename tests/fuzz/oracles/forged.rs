//! Oracle for tokens assembled from parts of genuine tokens.

use std::{sync::LazyLock, task::Poll};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use modeler_auth_testkit::{
    poll::poll_once,
    signer::{Key, jwks},
};
use serde_json::json;

use super::{
    ISSUER,
    readers::{Issuer, StaticKeys, TokenValidator},
};

/// Runs `data` as a program that assembles a token from parts of genuine tokens. Asserts that the
/// validator accepts only genuine tokens.
pub fn forged(data: &[u8]) {
    static GENUINE: LazyLock<Genuine> = LazyLock::new(Genuine::new);
    let genuine = &*GENUINE;
    let token = genuine.forge(data);
    let Ok(token) = std::str::from_utf8(&token) else {
        return;
    };
    let outcome = poll_once(genuine.validator.validate(token));
    let is_accepted = matches!(outcome, Poll::Ready(Ok(_)));
    let is_genuine = genuine.tokens.iter().any(|genuine| genuine == token);
    assert_eq!(is_accepted, is_genuine, "{token}");
}

struct Genuine {
    validator: TokenValidator,
    tokens: Vec<String>,
    /// Untrusted key that signs any text.
    attacker: Key,
}

impl Genuine {
    fn new() -> Self {
        let keys = [
            Key::ed_from_seed([1; 32]).with_id("0"),
            Key::ed_from_seed([2; 32]).with_id("1"),
        ];
        let set = StaticKeys::from_jwks(jwks(&keys.each_ref().map(|key| &key.jwk)));
        let issuer = Issuer::oidc(ISSUER).audience("api").keys(set);
        let tokens = (0..8_usize).map(|number| {
            let key = &keys[number % keys.len()];
            let header = match number / 2 {
                0 => json!({"alg": "EdDSA", "kid": key.id()}),
                1 => json!({"typ": "at+jwt", "alg": "Ed25519", "kid": key.id()}),
                2 => json!({"kid": key.id(), "typ": "JWT", "alg": "EdDSA", "x": [{}]}),
                _ => json!({"kid": key.id(), "alg": "EdDSA", "jwk": key.jwk}),
            };
            let claims = json!({
                "iss": ISSUER, "aud": ["x", "api"], "exp": 253_402_300_799_u64,
                "sub": "x".repeat(number + 1), "scope": "read write",
            });
            key.token(header.to_string(), claims.to_string())
        });
        Self {
            tokens: tokens.collect(),
            validator: TokenValidator::builder().issuer(issuer).build().unwrap(),
            attacker: Key::ed_from_seed([3; 32]),
        }
    }

    /// Runs `program`: four bytes an instruction, and text where one takes it.
    fn forge(&self, mut program: &[u8]) -> Vec<u8> {
        let mut token = self.tokens[0].clone().into_bytes();
        while let [instruction, a, b, c, rest @ ..] = program {
            program = rest;
            let other = self.tokens[usize::from(*a) % self.tokens.len()].as_bytes();
            let at = usize::from(u16::from_le_bytes([*b, *c]));
            let at = at % (token.len() + 1);
            match instruction % 8 {
                0 => token = other.to_vec(),
                1 => token.insert(at, *a),
                2 => drop(token.drain(at..(at + usize::from(*a)).min(token.len()))),
                3 => {
                    if let Some(byte) = token.get_mut(at) {
                        *byte ^= a;
                    }
                }
                4 => {
                    // A part of another token.
                    let mut parts: Vec<_> = token.split(|&byte| byte == b'.').collect();
                    let theirs: Vec<_> = other.split(|&byte| byte == b'.').collect();
                    let (to, from) = (usize::from(*b) % parts.len(), usize::from(*c) % 3);
                    parts[to] = theirs[from];
                    token = parts.join(&b'.');
                }
                5 => {
                    // Text in the header or in the claims.
                    let (text, rest) = program.split_at(program.len().min(usize::from(*a)));
                    program = rest;
                    token = change_part(&token, usize::from(*b), |bytes| {
                        let at = usize::from(*c) % (bytes.len() + 1);
                        bytes.splice(at..at, text.iter().copied());
                    });
                }
                6 => {
                    token = change_part(&token, usize::from(*b), |bytes| {
                        if let Some(byte) = bytes.get_mut(usize::from(*c)) {
                            *byte ^= a;
                        }
                    })
                }
                _ => {
                    let end = token.iter().rposition(|&byte| byte == b'.');
                    token.truncate(end.unwrap_or(token.len()));
                    let signature = URL_SAFE_NO_PAD.encode(self.attacker.sign(&token));
                    token.push(b'.');
                    token.extend(signature.bytes());
                }
            }
            token.truncate(2048);
        }
        token
    }
}

/// Decodes a part of `token`, changes it, and encodes it again; what does not decode stays.
fn change_part(token: &[u8], which: usize, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut parts: Vec<_> = token
        .split(|&byte| byte == b'.')
        .map(<[u8]>::to_vec)
        .collect();
    let which = which % parts.len();
    if let Ok(mut bytes) = URL_SAFE_NO_PAD.decode(&parts[which]) {
        change(&mut bytes);
        parts[which] = URL_SAFE_NO_PAD.encode(bytes).into_bytes();
    }
    parts.join(&b'.')
}
