//! Test that logs and errors contain no tokens. It is the only test of its process, since the log
//! is global to the process.

#[path = "support/log.rs"]
mod log;
#[path = "support/target.rs"]
mod target;

use log::Log;
use modeler_auth::AuthError;
use modeler_auth_testkit::signer::{Key, claims};
use serde_json::json;
use target::Target;

#[tokio::test]
async fn a68_no_secret_is_logged() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let key = Key::rsa().with_id("key-id-of-the-issuer");
    let target = Target::new(&[&key]);
    let secret = "s3cret";
    let mut tokens = vec![
        key.good(),
        format!("{}x", key.good()),
        format!("{secret}.{secret}.{secret}"),
    ];
    for name in ["sub", "jti", "azp", "client_id", "scope", "iss", "typ", "x"] {
        tokens.push(key.with_claim(name, secret));
    }
    for name in ["kid", "typ", "alg", "jku", "x"] {
        tokens.push(key.with_header(name, secret));
    }
    tokens.push(key.with_claim("permissions", json!({secret: [secret]})));
    tokens.push(key.with_claim("exp", 1));
    tokens.push(key.with_claim("cnf", json!({"jkt": secret})));
    let mut shown = String::new();
    for token in &tokens {
        target.status(token).await;
        let outcome: Result<_, AuthError> = target.validator.validate(token).await;
        shown += &match outcome {
            Ok(access) => format!("{access:?} {:?}", access.claims()),
            Err(error) => format!("{error:?} {error}"),
        };
    }
    shown += &format!("{:?}", target.validator);
    shown += &log.text();
    assert!(shown.contains("request rejected"), "something was logged");
    assert!(!shown.contains(secret), "{shown}");
    for token in &tokens {
        for part in token.split('.').filter(|part| part.len() > 20) {
            assert!(!shown.contains(part), "a part of a token");
        }
    }
    assert!(!shown.contains(key.id()), "a key id");
    let subject = claims()["sub"].as_str().unwrap().to_owned();
    assert!(!shown.contains(&subject), "a subject");
}
