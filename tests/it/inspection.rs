//! Facts about an issuer for tools: its settings, and each step of a fetch of its keys.

use std::time::{Duration, SystemTime};

use axum::{body::Body, http::Response};
use modeler_auth::{
    Issuer,
    issuer::KeyInspection,
    keys::{Algorithm, KeyFetchErrorKind, StaticKeys},
    test_util::TestIssuer,
};
use modeler_auth_testkit::server::Server;
use serde_json::json;

const DISCOVERY: &str = "/.well-known/openid-configuration";

async fn inspect(issuer: Issuer) -> KeyInspection {
    issuer.audience("test").inspect_keys().await.unwrap()
}

fn kind(found: &KeyInspection) -> Option<KeyFetchErrorKind> {
    found.error.as_ref().map(|error| error.kind())
}

#[tokio::test]
async fn an_inspection_names_each_step_and_each_key() {
    let server = Server::start().await;
    let issuer = TestIssuer::oidc(&server.url("/a"));
    server.discovery("/a", issuer.name(), &server.url("/jwks"));
    let jwks = issuer.jwks();
    server.page("/jwks", move |_| {
        let response = Response::builder()
            .header("date", "Mon, 12 Jan 1970 13:46:40 GMT")
            .header("age", "10");
        response.body(Body::from(jwks.clone())).unwrap()
    });
    let found = inspect(Issuer::oidc(issuer.name())).await;
    assert_eq!(found.discovery, Some(server.url(&format!("/a{DISCOVERY}"))));
    assert_eq!(found.key_set, Some(server.url("/jwks")));
    let expected = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_010);
    assert_eq!(found.server_time, Some(expected));
    assert_eq!(kind(&found), None);
    let [encryption, signing] = found.keys.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(encryption.id.as_deref(), Some("encryption"));
    assert_eq!(encryption.algorithm.as_deref(), Some("RSA-OAEP"));
    let verdict = (encryption.is_used, encryption.is_mistake);
    assert_eq!(verdict, (false, false));
    assert!(
        encryption
            .problem
            .unwrap()
            .starts_with("not for signatures")
    );
    assert_eq!(signing.algorithm.as_deref(), Some("RS256"));
    assert!(signing.is_used && !signing.is_mistake && signing.problem.is_none());
}

#[tokio::test]
async fn an_inspection_names_the_document_that_was_found() {
    let server = Server::start().await;
    let place = "/.well-known/oauth-authorization-server/a";
    let document = json!({"issuer": server.url("/a"), "jwks_uri": server.url("/jwks")});
    server.text(place, document.to_string());
    let found = inspect(Issuer::oidc(server.url("/a"))).await;
    assert_eq!(found.discovery, Some(server.url(place)));
    assert_eq!(found.key_set, Some(server.url("/jwks")));
    assert_eq!(kind(&found), Some(KeyFetchErrorKind::Status));
    assert_eq!(found.server_time, None);
}

#[tokio::test]
async fn an_inspection_ends_at_the_step_that_fails() {
    let server = Server::start().await;
    server.discovery("/a", "https://b.example/", &server.url("/jwks"));
    let found = inspect(Issuer::oidc(server.url("/a"))).await;
    assert_eq!(kind(&found), Some(KeyFetchErrorKind::IssuerMismatch));
    assert!(found.discovery.is_some() && found.key_set.is_none());

    let found = inspect(Issuer::oidc(server.url("/a")).jwks_url(server.url("/a?secret"))).await;
    assert_eq!(found.discovery, None);
    assert_eq!(found.key_set, Some(server.url("/a?...")));
    let error = found.error.unwrap();
    assert_eq!(error.kind(), KeyFetchErrorKind::Status);
    assert!(!error.to_string().contains("secret"), "{error}");

    let error = Issuer::oidc("https://a.example/").inspect_keys().await;
    assert!(error.unwrap_err().to_string().contains("audience"));
}

#[tokio::test]
async fn r23_an_inspection_lists_the_keys_of_a_set_that_is_not_usable() {
    let [weak, private] = [
        json!({"kty": "RSA", "kid": "weak", "alg": "RS256", "n": "wQ".repeat(64), "e": "AQAB"}),
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "private", "d": "AAAA",
               "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
    ];
    let inspect_static = async |keys: serde_json::Value| {
        let keys = StaticKeys::from_jwks(json!({"keys": keys}).to_string());
        inspect(Issuer::oidc("https://a.example/").keys(keys)).await
    };
    let found = inspect_static(json!([weak])).await;
    assert_eq!(kind(&found), Some(KeyFetchErrorKind::Empty));
    assert!(!found.keys[0].is_used && found.keys[0].is_mistake);
    assert!(found.keys[0].problem.unwrap().starts_with("weak"));

    let found = inspect_static(json!([weak, private])).await;
    assert_eq!(kind(&found), None);
    assert!(found.keys[1].is_used && found.keys[1].is_mistake);
    let problem = found.keys[1].problem.unwrap();
    assert!(problem.contains("private members"), "{problem}");
}

#[tokio::test]
async fn an_inspection_asks_a_key_source_in_code() {
    let issuer = TestIssuer::oidc("https://a.example/");
    let found = issuer.issuer().inspect_keys().await.unwrap();
    assert!(found.keys.iter().any(|key| key.is_used), "{found:?}");
    issuer.fail_fetches(true);
    let found = issuer.issuer().inspect_keys().await.unwrap();
    assert_eq!(kind(&found), Some(KeyFetchErrorKind::Other));
    assert!(found.keys.is_empty());
}

#[test]
fn a_summary_has_the_settings_in_force() {
    let issuer = Issuer::oidc("https://a.example/").algorithms([Algorithm::Es256]);
    assert!(issuer.summary().is_err(), "there is no audience");
    let summary = issuer.audience("a").audience("b").summary().unwrap();
    assert_eq!(summary.issuer, "https://a.example/");
    assert_eq!(summary.audiences, ["a", "b"]);
    assert_eq!(summary.algorithms, [Algorithm::Es256]);
    assert!(summary.keys.contains("by discovery at https://a.example/"));
    assert_eq!(
        (summary.claims.as_str(), summary.origins.len()),
        ("none", 0)
    );
}
