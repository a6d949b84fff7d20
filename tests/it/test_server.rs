//! Test server with clients, claims and lifetimes of the test's choice.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use modeler_auth::{
    Access, Permission, Permissions, TokenValidator,
    test_util::{DevelopmentIssuer, TestClient, TestIssuer, TestServer},
};
use serde_json::Value;

use crate::support::validator;

async fn server() -> TestServer {
    TestServer::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap()
}

/// Requests a token for a client whose secret is `secret`; returns the status and the response.
async fn request(issuer: &TestIssuer, client: &str, parameters: &str) -> (u16, Value) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = http
        .post(issuer.token_url())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!(
            "grant_type=client_credentials&client_id={client}&client_secret=secret{parameters}"
        ))
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    let body = response.text().await.unwrap();
    (status, serde_json::from_str(&body).unwrap())
}

/// The access that a token from the token endpoint gives, and its lifetime in the response.
async fn access(validator: &TokenValidator, issuer: &TestIssuer, client: &str) -> (Access, u64) {
    let (status, response) = request(issuer, client, "&audience=api.cloud.camunda.io").await;
    assert_eq!(status, 200, "{response}");
    let token = response["access_token"].as_str().unwrap();
    let access = validator.validate(token).await.unwrap();
    (access, response["expires_in"].as_u64().unwrap())
}

#[tokio::test]
async fn each_issuer_gives_tokens_with_the_claims_and_lifetime_of_the_client() {
    let server = server().await;
    server.add_client(TestClient::new("shop", "secret").tokens(|token| {
        token
            .permissions([Permission::Read])
            .claim("department", "sales")
            .expires_in(Duration::from_secs(30))
    }));
    let issuers = [server.oidc(), server.saas(), server.self_managed()];
    let validator = validator(issuers.map(TestIssuer::issuer));
    for issuer in issuers {
        let (access, expires_in) = access(&validator, issuer, "shop").await;
        assert_eq!(access.issuer(), issuer.name());
        assert_eq!(access.client_id(), Some("shop"));
        let department = access.claims().get::<String>("department").unwrap();
        assert_eq!(department.as_deref(), Some("sales"));
        let issued_at = access.claims().issued_at().unwrap();
        let lifetime = access.expires_at().duration_since(issued_at).unwrap();
        assert_eq!((lifetime.as_secs(), expires_in), (30, 30));
        // A plain OpenID provider grants nothing without a mapping.
        if issuer.name() != server.oidc().name() {
            let read = Permissions::from_iter([Permission::Read]);
            assert_eq!(access.permissions(), read, "{}", issuer.name());
        }
    }
}

#[tokio::test]
async fn without_changes_a_client_has_the_tokens_of_its_issuer() {
    let server = server().await;
    server.add_client(TestClient::new("shop", "secret"));
    let issuers = [server.oidc(), server.saas(), server.self_managed()];
    let validator = validator(issuers.map(TestIssuer::issuer));
    for (issuer, lifetime) in issuers.into_iter().zip([300, 24 * 60 * 60, 300]) {
        let (access, expires_in) = access(&validator, issuer, "shop").await;
        assert_eq!(expires_in, lifetime, "{}", issuer.name());
        if issuer.name() != server.oidc().name() {
            assert_eq!(access.permissions(), Permissions::ALL, "{}", issuer.name());
        }
    }
}

#[tokio::test]
async fn a_client_is_asked_for_each_token_and_a_later_client_replaces_it() {
    let server = server().await;
    let issuer = server.oidc();
    let validator = validator([issuer.issuer()]);
    let count = AtomicU64::new(0);
    server.add_client(
        TestClient::new("shop", "secret")
            .tokens(move |token| token.claim("count", count.fetch_add(1, Ordering::Relaxed))),
    );
    for expected in 0..2 {
        let (access, _) = access(&validator, issuer, "shop").await;
        assert_eq!(access.claims().get("count").unwrap(), Some(expected));
    }
    server.add_client(TestClient::new("shop", "secret").tokens(|token| token.expired()));
    let (_, response) = request(issuer, "shop", "").await;
    let token = response["access_token"].as_str().unwrap();
    let error = validator.validate(token).await.unwrap_err();
    assert_eq!(error.reason(), "expired");
    server.add_client(TestClient::new("shop", "another secret"));
    assert_eq!(request(issuer, "shop", "").await.0, 401);
}

#[tokio::test]
async fn a_test_server_knows_no_client_of_the_development_issuer() {
    let server = server().await;
    server.add_client(TestClient::new("shop", "secret"));
    for issuer in [server.oidc(), server.saas(), server.self_managed()] {
        for client in DevelopmentIssuer::CLIENTS {
            let (status, response) = request(issuer, client.id, "").await;
            assert_eq!(
                (status, &response["error"]),
                (401, &"invalid_client".into())
            );
        }
    }
}

#[tokio::test]
async fn saas_gives_tokens_for_its_own_audience_only() {
    let server = server().await;
    server.add_client(TestClient::new("shop", "secret"));
    server.add_client(TestClient::new("other", "secret").tokens(|token| token.audience("other")));
    for (client, parameters, status) in [
        ("shop", "&audience=api.cloud.camunda.io", 200),
        ("shop", "&audience=other", 403),
        ("shop", "", 403),
        ("other", "&audience=api.cloud.camunda.io", 403),
        ("other", "&audience=other", 403),
    ] {
        let (found, response) = request(server.saas(), client, parameters).await;
        assert_eq!(found, status, "{client} {parameters}");
        if status == 403 {
            assert_eq!(response["error"], "access_denied");
        }
    }
    // The other issuers leave the audience to the client.
    assert_eq!(request(server.oidc(), "other", "").await.0, 200);
}

#[tokio::test]
async fn tokens_can_be_issued_at_another_time() {
    let server = server().await;
    let an_hour_ago = SystemTime::now() - Duration::from_secs(60 * 60);
    server.add_client(
        TestClient::new("shop", "secret").tokens(move |token| token.issued_at(an_hour_ago)),
    );
    let (_, response) = request(server.oidc(), "shop", "").await;
    let token = response["access_token"].as_str().unwrap();
    let validator = validator([server.oidc().issuer()]);
    let error = validator.validate(token).await.unwrap_err();
    assert_eq!(error.reason(), "expired");
    assert_eq!(response["expires_in"], 300);
}

#[tokio::test]
async fn a_test_server_is_never_reachable_from_outside() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let error = TestServer::start(address.parse().unwrap())
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("must listen on loopback"),
            "{error}"
        );
    }
}

#[test]
fn r50_a_client_does_not_show_its_secret() {
    let client = TestClient::new("shop", "open sesame");
    assert_eq!(format!("{client:?}"), r#"TestClient { id: "shop", .. }"#);
}
