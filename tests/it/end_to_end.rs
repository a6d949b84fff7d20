//! Tests over real sockets: a development issuer, a service behind the layer, an HTTP client.

use std::net::SocketAddr;

use axum::{Router, routing::post};
use modeler_auth::{
    AuthLayer, ByMethod, InfoService, RequirePermissionLayer, TokenValidator,
    test_util::{DevelopmentClient, DevelopmentIssuer},
};
use modeler_auth_testkit::server::serve;
use reqwest::{Client, Response};
use serde_json::Value;

const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

struct Setup {
    issuer: DevelopmentIssuer,
    service: SocketAddr,
    client: Client,
}

impl Setup {
    async fn start() -> Self {
        let issuer = DevelopmentIssuer::start(LOOPBACK).await.unwrap();
        let validator = TokenValidator::builder()
            .issuer(issuer.server().self_managed().issuer())
            .issuer(issuer.server().saas().issuer())
            .build()
            .unwrap();
        let app = Router::new()
            .route("/api/v1/projects", post(async || "created"))
            .route_layer(RequirePermissionLayer::new(ByMethod::new()))
            .route_service("/api/{version}/info", InfoService::new())
            .layer(AuthLayer::new(validator));
        Self {
            issuer,
            service: serve(app).await,
            client: Client::builder().no_proxy().build().unwrap(),
        }
    }

    fn client(name: &str) -> &'static DevelopmentClient {
        let mut clients = DevelopmentIssuer::CLIENTS.iter();
        clients.find(|client| client.id == name).unwrap()
    }

    async fn self_managed_token(&self, client: &str) -> String {
        let DevelopmentClient { id, secret, .. } = Self::client(client);
        let form = format!("client_id={id}&client_secret={secret}&grant_type=client_credentials");
        access_token(self.post_form(&self.self_managed_url(), form).await).await
    }

    async fn saas_token(&self, client: &str) -> String {
        let DevelopmentClient { id, secret, .. } = Self::client(client);
        let form = format!(
            "client_id={id}&client_secret={secret}&grant_type=client_credentials&audience=api.cloud.camunda.io"
        );
        access_token(self.post_form(&self.saas_url(), form).await).await
    }

    fn self_managed_url(&self) -> String {
        self.issuer.server().self_managed().token_url()
    }

    fn saas_url(&self) -> String {
        self.issuer.server().saas().token_url()
    }

    async fn post_form(&self, url: &str, form: String) -> Response {
        self.client
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await
            .unwrap()
    }

    async fn info(&self, version: &str, token: &str) -> (u16, String) {
        let url = format!("http://{}/api/{version}/info", self.service);
        let request = self.client.get(url).bearer_auth(token);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

async fn access_token(response: Response) -> String {
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn info_answers_byte_for_byte_as_documented() {
    let setup = Setup::start().await;
    let token = setup.self_managed_token("writer").await;
    for (version, expected) in [
        (
            "v1",
            r#"{"version":"v1","authorizedOrganization":"00000000-0000-0000-0000-000000000000","createPermission":true,"readPermission":true,"updatePermission":true,"deletePermission":false}"#,
        ),
        (
            "beta",
            r#"{"version":"beta","authorizedOrganization":"00000000-0000-0000-0000-000000000000","createPermission":true,"readPermission":true,"updatePermission":true,"deletePermission":false}"#,
        ),
        (
            "v2",
            r#"{"version":"v2","authorizedOrganization":"00000000-0000-0000-0000-000000000000"}"#,
        ),
    ] {
        let answer = setup.info(version, &token).await;
        assert_eq!(answer, (200, expected.to_owned()));
    }
    assert_eq!(setup.info("v3", &token).await.0, 404);
}

#[tokio::test]
async fn saas_and_self_managed_are_accepted_at_the_same_time() {
    let setup = Setup::start().await;
    let answer = setup.info("v1", &setup.saas_token("writer").await).await;
    let expected = r#"{"version":"v1","authorizedOrganization":"12345678-ABCD-DCBA-ABCD-123456789ABC","createPermission":true,"readPermission":true,"updatePermission":true,"deletePermission":false}"#;
    assert_eq!(answer, (200, expected.to_owned()));
    let answer = setup
        .info("v1", &setup.self_managed_token("all").await)
        .await;
    assert!(
        answer.1.contains("\"deletePermission\":true"),
        "{}",
        answer.1
    );
}

#[tokio::test]
async fn each_client_gets_what_it_is_listed_with() {
    let setup = Setup::start().await;
    for client in DevelopmentIssuer::CLIENTS {
        let token = setup.self_managed_token(client.id).await;
        let (status, body) = setup.info("v1", &token).await;
        if client.is_internal {
            assert_eq!(status, 401, "{}", client.id);
            continue;
        }
        assert_eq!(status, 200, "{}", client.id);
        let info: Value = serde_json::from_str(&body).unwrap();
        for (name, permission) in [
            ("createPermission", modeler_auth::Permission::Create),
            ("readPermission", modeler_auth::Permission::Read),
            ("updatePermission", modeler_auth::Permission::Update),
            ("deletePermission", modeler_auth::Permission::Delete),
        ] {
            let expected = client.permissions.contains(&permission);
            assert_eq!(info[name], expected, "{} {name}", client.id);
        }
    }
}

#[tokio::test]
async fn permissions_mean_something() {
    let setup = Setup::start().await;
    for (client, status) in [
        ("writer", 200),
        ("reader", 403),
        ("nobody", 403),
        ("internal", 401),
    ] {
        let token = setup.self_managed_token(client).await;
        let url = format!("http://{}/api/v1/projects", setup.service);
        let response = setup.client.post(url).bearer_auth(token).send().await;
        assert_eq!(response.unwrap().status().as_u16(), status, "{client}");
    }
}

#[tokio::test]
async fn the_token_endpoint_answers_as_keycloak_does() {
    let setup = Setup::start().await;
    let url = setup.self_managed_url();
    let form = "client_id=writer&client_secret=writer-secret&grant_type=client_credentials";
    let response = setup.post_form(&url, form.to_owned()).await;
    assert_eq!(response.status().as_u16(), 200);
    let body = response.text().await.unwrap();
    let end =
        r#"","expires_in":300,"refresh_expires_in":0,"token_type":"Bearer","not-before-policy":0}"#;
    assert!(
        body.starts_with(r#"{"access_token":"eyJ"#) && body.ends_with(end),
        "{body}"
    );
}

#[tokio::test]
async fn both_ways_of_client_authentication_work_and_wrong_ones_are_told() {
    let setup = Setup::start().await;
    let basic = setup
        .client
        .post(setup.self_managed_url())
        .basic_auth("writer", Some("writer-secret"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials");
    assert_eq!(basic.send().await.unwrap().status().as_u16(), 200);
    for (form, status, body) in [
        (
            "client_id=writer&client_secret=wrong&grant_type=client_credentials",
            401,
            r#"{"error":"invalid_client"}"#,
        ),
        (
            "client_id=writer&client_secret=writer-secret&grant_type=password",
            400,
            r#"{"error":"unsupported_grant_type"}"#,
        ),
        (
            "client_id=writer&client_secret=writer-secret",
            400,
            r#"{"error":"invalid_request"}"#,
        ),
    ] {
        for url in [setup.self_managed_url(), setup.saas_url()] {
            let response = setup.post_form(&url, form.to_owned()).await;
            assert_eq!(response.status().as_u16(), status, "{form}");
            assert_eq!(response.text().await.unwrap(), body, "{form}");
        }
    }
}

#[tokio::test]
async fn the_saas_side_takes_json_and_asks_for_its_audience() {
    let setup = Setup::start().await;
    let ask = |audience: &str| {
        let body = format!(
            r#"{{"grant_type":"client_credentials","client_id":"all","client_secret":"all-secret","audience":"{audience}"}}"#
        );
        let request = setup.client.post(setup.saas_url());
        request
            .header("content-type", "application/json")
            .body(body)
            .send()
    };
    let token = access_token(ask("api.cloud.camunda.io").await.unwrap()).await;
    assert_eq!(setup.info("v1", &token).await.0, 200);
    assert_eq!(
        ask("zeebe.camunda.io").await.unwrap().status().as_u16(),
        403
    );
}

#[tokio::test]
async fn a_development_issuer_is_never_reachable_from_outside() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let started = DevelopmentIssuer::start(address.parse().unwrap()).await;
        assert!(started.is_err(), "{address}");
    }
}
