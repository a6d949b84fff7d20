//! Setups that the page calls unsupported or incomplete.

use std::sync::Arc;

use axum::{Router, routing::get};
use modeler_auth::{
    AuthLayer, Issuer,
    keys::{KeyFetchErrorKind, StaticKeys},
};
use modeler_auth_testkit::signer::now;
use serde_json::{Value, json};

use super::{
    case, jwk, key, network::Network, page::section, reached, self_hosted::encrypted, signed, with,
};
use crate::{
    log::Log,
    support::{self, reason, validator},
};

/// Dex makes access tokens as it makes ID tokens, with the hash of a random text.
#[tokio::test]
async fn access_tokens_of_dex_are_rejected() {
    let key = key();
    let keys = json!({"keys": [
        jwk(key, json!({"use": "sig", "kid": key.id(), "alg": "RS256"})),
    ]});
    let dex = Issuer::oidc("https://dex.example.com/dex")
        .audience("modeler")
        .keys(StaticKeys::from_jwks(keys.to_string()));
    let validator = validator([dex]);
    let header = json!({"alg": "RS256", "kid": key.id()});
    let access_token = json!({
        "iss": "https://dex.example.com/dex", "sub": "CgNvbmUSBWxvY2Fs", "aud": "modeler",
        "iat": now(), "exp": now() + 300,
        "at_hash": "x7JpVw", "email": "demo@example.com", "email_verified": true, "name": "demo",
    });
    let token = key.token(header.to_string(), access_token.to_string());
    assert_eq!(reason(&validator, &token).await, Some("not_access_token"));
    // Nothing else in the token is the cause.
    let mut without_hash = access_token;
    without_hash.as_object_mut().unwrap().remove("at_hash");
    let token = key.token(header.to_string(), without_hash.to_string());
    assert_eq!(reason(&validator, &token).await, None);
}

/// The failure to fetch the keys of `issuer`, in a network with these documents.
async fn failure(
    issuer: Issuer,
    documents: Vec<(&'static str, Value)>,
) -> (KeyFetchErrorKind, String) {
    let urls: Vec<_> = documents.iter().map(|(url, _)| *url).collect();
    let respond = move |url: &str, _: &str| {
        let found = documents.iter().find(|(place, _)| *place == url);
        found.map_or((404, String::new()), |(_, document)| {
            (200, document.to_string())
        })
    };
    let network = Network::start(urls, Arc::new(respond)).await;
    let error = reached(issuer, &network).refresh_now().await.unwrap_err();
    (error.kind(), error.to_string())
}

#[tokio::test]
async fn the_common_issuer_of_entra_names_no_tenant() {
    let common = "https://login.microsoftonline.com/common/v2.0";
    let (kind, message) = failure(
        Issuer::oidc(common).audience("66666666-7777-8888-9999-000000000000"),
        vec![(
            "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration",
            json!({
                "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
                "jwks_uri": "https://login.microsoftonline.com/common/discovery/v2.0/keys",
            }),
        )],
    )
    .await;
    assert_eq!(kind, KeyFetchErrorKind::IssuerMismatch);
    assert!(message.contains("your own tenant"), "{message}");
}

#[tokio::test]
async fn the_version_1_issuer_of_entra_is_corrected_to_version_2() {
    let tenant = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555";
    let (kind, message) = failure(
        Issuer::oidc(tenant).audience("66666666-7777-8888-9999-000000000000"),
        vec![(
            "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/.well-known/openid-configuration",
            json!({
                "issuer": "https://sts.windows.net/11111111-2222-3333-4444-555555555555/",
                "jwks_uri": "https://login.microsoftonline.com/common/discovery/keys",
            }),
        )],
    )
    .await;
    assert_eq!(kind, KeyFetchErrorKind::IssuerMismatch);
    let advice = format!("set the issuer to exactly \"{tenant}/v2.0\"");
    assert!(message.contains(&advice), "{message}");
}

#[tokio::test]
async fn a_missing_slash_of_auth0_is_named_by_the_error_of_the_fetch() {
    let (kind, message) = failure(
        Issuer::oidc("https://tenant.eu.auth0.com").audience("https://api.example.com"),
        case("Auth0", 0).documents,
    )
    .await;
    assert_eq!(kind, KeyFetchErrorKind::IssuerMismatch);
    let advice = "set the issuer to exactly \"https://tenant.eu.auth0.com/\"";
    assert!(message.contains(advice), "{message}");
}

#[tokio::test]
async fn the_log_tells_how_to_get_version_2_tokens_of_entra() {
    let case = case("Microsoft Entra ID", 0);
    let network = case.network().await;
    let app = Router::new()
        .route("/", get(|| async { "ok" }))
        .layer(AuthLayer::new(case.validator(&network)));
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).finish();
    let (_, version_1) = &case.refused[0];
    let answer = {
        let _guard = tracing::subscriber::set_default(subscriber);
        support::get(&app, "/", &case.sign(version_1)).await
    };
    assert_eq!(answer.status, 401);
    let log = log.text();
    assert!(log.contains("`requestedAccessTokenVersion` to 2"), "{log}");
}

#[tokio::test]
async fn authentik_without_a_signing_key_publishes_no_keys() {
    let mut case = case("Authentik", 0);
    let issuer = (case.issuer)("");
    case.documents[1].1 = json!({});
    let (kind, message) = failure(issuer, case.documents).await;
    assert_eq!(kind, KeyFetchErrorKind::Json);
    assert!(message.contains("no array `keys`"), "{message}");
}

#[tokio::test]
async fn an_authentik_that_names_one_issuer_for_all_applications_needs_the_key_set_url() {
    let case = case("Authentik", 0);
    let jwks_url = "https://authentik.example.com/application/o/modeler/jwks/";
    let network = case.network().await;
    let issuer = Issuer::oidc("https://authentik.example.com/")
        .audience("Jz8wq1")
        .jwks_url(jwks_url);
    let validator = reached(issuer, &network);
    let super::Token::Signed { header, claims } = &case.accepted[0] else {
        unreachable!("the first token is signed");
    };
    let claims = with(claims, json!({"iss": "https://authentik.example.com/"}));
    let token = case.sign(&signed(header.clone(), claims));
    assert_eq!(reason(&validator, &token).await, None);
    assert!(section("Authentik").contains("`jwks_url`"));
}

/// The API server offers the key set only as its own media type, and only to service accounts
/// unless the role is bound to others.
#[tokio::test]
async fn kubernetes_publishes_its_keys_as_a_key_set_and_to_whom_the_role_is_bound() {
    let case = case("Kubernetes service accounts", 0);
    let documents = case.documents.clone();
    let respond = move |url: &str, head: &str| {
        let head = head.to_ascii_lowercase();
        let accepts = |kind: &str| {
            let lines = head.lines();
            let mut accept = lines.filter_map(|line| line.strip_prefix("accept: "));
            accept.any(|kinds| kinds.split(", ").any(|one| one == kind))
        };
        let found = documents.iter().find(|(place, _)| *place == url);
        match found {
            Some((_, document)) if !url.ends_with("jwks") => (200, document.to_string()),
            Some((_, keys)) if accepts("application/jwk-set+json") => (200, keys.to_string()),
            _ => (406, String::new()),
        }
    };
    let network = case.network_with(Arc::new(respond)).await;
    let token = case.sign(&case.accepted[0]);
    assert_eq!(reason(&case.validator(&network), &token).await, None);

    let locked = case
        .network_with(Arc::new(|_, _| (403, String::new())))
        .await;
    let error = case.validator(&locked).refresh_now().await.unwrap_err();
    assert_eq!(error.kind(), KeyFetchErrorKind::Status);
    let keys = StaticKeys::from_jwks(case.documents[1].1.to_string());
    let issuer = Issuer::oidc("https://kubernetes.default.svc.cluster.local")
        .audience("modeler")
        .keys(keys);
    assert_eq!(reason(&validator([issuer]), &token).await, None);
}

#[tokio::test]
async fn encrypted_tokens_of_any_provider_are_rejected() {
    let case = case("Okta", 0);
    let network = case.network().await;
    let outcome = reason(&case.validator(&network), &case.sign(&encrypted())).await;
    assert_eq!(outcome, Some("malformed_token"));
}
