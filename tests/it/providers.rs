//! Comparison of docs/providers.md with tokens and key sets in the form that each provider
//! publishes. The key material and the ids are invented.

mod grants;
mod hosted;
mod mappings;
mod network;
mod page;
mod platforms;
mod self_hosted;
mod unsupported;

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use modeler_auth::{Access, Issuer, TokenValidator};
use modeler_auth_testkit::signer::{Key, now};
use serde_json::{Value, json};

use self::network::{Network, Respond};
use crate::support::{reason, validator};

/// Settings of the page, and what a provider publishes and issues.
pub struct Case {
    /// Heading of the section.
    pub section: &'static str,
    /// Text of the Rust settings.
    pub code: &'static str,
    /// The Rust settings, for a CA.
    pub issuer: fn(&str) -> Issuer,
    /// Whether the page shows variables for the same settings.
    pub has_variables: bool,
    /// Key that signs.
    pub key: &'static Key,
    /// Documents that the provider publishes, by URL.
    pub documents: Vec<(&'static str, Value)>,
    pub accepted: Vec<Token>,
    /// Tokens that are rejected, with the reason.
    pub refused: Vec<(&'static str, Token)>,
}

pub enum Token {
    Signed { header: Value, claims: Value },
    Text(String),
}

macro_rules! settings {
    ($ca:ident => $issuer:expr) => {
        (stringify!($issuer), |$ca: &str| $issuer)
    };
    ($issuer:expr) => {
        (stringify!($issuer), |_: &str| $issuer)
    };
}
use settings;

pub fn cases() -> Vec<Case> {
    let mut cases = self_hosted::cases();
    cases.extend(hosted::cases());
    cases.extend(platforms::cases());
    cases
}

/// The case of a section, or the second one.
pub fn case(section: &str, number: usize) -> Case {
    let cases = cases().into_iter();
    let mut cases = cases.filter(|case| case.section == section);
    cases.nth(number).unwrap()
}

/// The key of every provider, since its generation takes long. A key id may end in `=`.
pub fn key() -> &'static Key {
    static KEY: LazyLock<Key> = LazyLock::new(|| Key::rsa().with_id("1234example="));
    &KEY
}

pub fn signed(header: Value, claims: Value) -> Token {
    let mut claims = claims;
    // The times that every token has; a claim of the case counts.
    for (name, time) in [("iat", now()), ("exp", now() + 300)] {
        let members = claims.as_object_mut().unwrap();
        members.entry(name).or_insert_with(|| json!(time));
    }
    Token::Signed { header, claims }
}

/// Returns `one` with the members of `other`.
pub fn with(one: &Value, other: Value) -> Value {
    let mut both = one.clone();
    let members = both.as_object_mut().unwrap();
    if let Value::Object(others) = other {
        members.extend(others);
    }
    both
}

/// The public key of `key` with these members, and without `alg` unless it is one of them.
pub fn jwk(key: &Key, members: Value) -> Value {
    let material = json!({"kty": "RSA", "n": key.jwk["n"], "e": key.jwk["e"]});
    with(&material, members)
}

impl Case {
    pub fn sign(&self, token: &Token) -> String {
        match token {
            Token::Signed { header, claims } => {
                self.key.token(header.to_string(), claims.to_string())
            }
            Token::Text(text) => text.clone(),
        }
    }

    /// Starts a network in which the provider publishes its documents.
    pub async fn network(&self) -> Network {
        let documents = self.documents.iter();
        let bodies: HashMap<_, _> = documents
            .map(|(url, document)| (*url, document.to_string()))
            .collect();
        self.network_with(Arc::new(move |url, _| match bodies.get(url) {
            Some(body) => (200, body.clone()),
            None => (404, String::new()),
        }))
        .await
    }

    pub async fn network_with(&self, respond: Respond) -> Network {
        Network::start(self.documents.iter().map(|(url, _)| *url), respond).await
    }

    /// A validator with the Rust settings, in `network`.
    pub fn validator(&self, network: &Network) -> TokenValidator {
        reached((self.issuer)(&network.ca), network)
    }

    pub async fn access(&self, token: &Token) -> Access {
        let network = self.network().await;
        let validator = self.validator(&network);
        validator.validate(&self.sign(token)).await.unwrap()
    }
}

pub fn reached(issuer: Issuer, network: &Network) -> TokenValidator {
    let issuer = issuer.ca_certificate(&network.ca).proxy(network.proxy());
    validator([issuer])
}

#[tokio::test]
async fn tokens_are_accepted_and_rejected_as_the_page_says() {
    for case in cases() {
        let network = case.network().await;
        let mut validators = vec![case.validator(&network)];
        if case.has_variables {
            let issuer = page::issuer_from_variables(&case);
            validators.push(reached(issuer, &network));
        }
        for (number, validator) in validators.iter().enumerate() {
            let of = format!("{} {} {number}", case.section, case.code);
            for token in &case.accepted {
                let token = case.sign(token);
                assert_eq!(reason(validator, &token).await, None, "{of}");
            }
            for (expected, token) in &case.refused {
                let token = case.sign(token);
                assert_eq!(reason(validator, &token).await, Some(*expected), "{of}");
            }
        }
        let mut asked = network.asked();
        asked.sort_unstable();
        asked.dedup();
        let mut published: Vec<_> = case.documents.iter().map(|(url, _)| *url).collect();
        published.sort_unstable();
        assert_eq!(asked, published, "{}", case.section);
    }
}
