//! Tests with a real tonic server behind the layers and a real tonic client.

use std::time::Duration;

#[path = "../../examples/tonic/generated.rs"]
#[rustfmt::skip]
#[allow(clippy::all, clippy::pedantic, unreachable_pub)]
mod generated;
use crate::{authorization::Rule, challenge::Challenge, support::validator};
use generated::{
    CreateProjectRequest, GetProjectRequest, Project,
    projects_client::ProjectsClient,
    projects_server::{Projects, ProjectsServer},
};
use modeler_auth::{
    Access, AuthLayer, Permission, RequirePermissionLayer, TokenValidator,
    auth::RequestView,
    require::{Denied, PermissionRule as _, RequireAuthentication, RequireScope},
    test_util::TestIssuer,
};
use modeler_auth_testkit::signer::now;
use tokio::net::TcpListener;
use tonic::{
    Code, Request, Response, Status,
    service::Routes,
    transport::{Channel, Server, server::TcpIncoming},
};

struct Echo;

#[tonic::async_trait]
impl Projects for Echo {
    async fn create_project(
        &self,
        request: Request<CreateProjectRequest>,
    ) -> Result<Response<Project>, Status> {
        let access = request.extensions().get::<Access>().unwrap();
        Ok(Response::new(Project {
            id: access.subject().unwrap().to_owned(),
            name: request.get_ref().name.clone(),
        }))
    }

    async fn get_project(
        &self,
        _: Request<GetProjectRequest>,
    ) -> Result<Response<Project>, Status> {
        Err(Status::not_found("none"))
    }
}

fn by_path(access: &Access, request: &RequestView<'_>) -> Result<(), Denied> {
    assert!(request.is_grpc());
    match request.path() {
        "/modeler.v1.Projects/CreateProject" => access.require(Permission::Create),
        _ => access.require(Permission::Read),
    }
}

async fn client(validator: TokenValidator, rule: impl Rule) -> ProjectsClient<Channel> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = Server::builder()
        .layer(AuthLayer::new_for_grpc(validator))
        .layer(RequirePermissionLayer::new(rule))
        .add_service(ProjectsServer::new(Echo));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    ProjectsClient::connect(url).await.unwrap()
}

fn create(token: Option<&str>) -> Request<CreateProjectRequest> {
    let mut request = Request::new(CreateProjectRequest {
        name: "a name".to_owned(),
    });
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    request
}

#[tokio::test]
async fn calls_are_let_through_or_refused_with_the_right_code() {
    let issuer = TestIssuer::self_managed();
    let unreachable = TestIssuer::oidc("https://unreachable.example/");
    unreachable.fail_fetches(true);
    let validator = validator([issuer.issuer(), unreachable.issuer()]);
    let mut client = client(validator, by_path).await;

    let token = issuer.token().subject("ada").sign();
    let answer = client.create_project(create(Some(&token))).await.unwrap();
    assert_eq!(answer.get_ref().id, "ada");
    assert_eq!(answer.get_ref().name, "a name");

    let reader = issuer.token().permissions([Permission::Read]).sign();
    let expired = issuer.token().expired().sign();
    let elsewhere = unreachable.token().sign();
    for (token, code) in [
        (None, Code::Unauthenticated),
        (Some("junk"), Code::Unauthenticated),
        (Some("a b"), Code::Unauthenticated),
        (Some(&*expired), Code::Unauthenticated),
        (Some(&reader), Code::PermissionDenied),
        (Some(&elsewhere), Code::Unavailable),
    ] {
        let status = client.create_project(create(token)).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
        assert!(!status.message().is_empty());
    }
}

#[tokio::test]
async fn r80_a_client_finds_the_challenge_in_the_metadata() {
    let issuer = TestIssuer::self_managed();
    let strong = RequireAuthentication::new().acr_values(["3", "2"]).unwrap();
    let rule = RequireScope::all(["projects"]).and(strong.max_age(Duration::from_secs(300)));
    let mut client = client(validator([issuer.issuer()]), rule).await;
    let token = |acr: &str, scope: &str| {
        let token = issuer.token().claim("acr", acr).claim("scope", scope);
        token.claim("auth_time", now()).sign()
    };
    for (token, code, needs) in [
        (
            token("1", ""),
            Code::Unauthenticated,
            "acr_values=3 2, max_age=300, scope=projects",
        ),
        (
            token("1", "projects"),
            Code::Unauthenticated,
            "acr_values=3 2, max_age=300",
        ),
        (token("2", ""), Code::PermissionDenied, "scope=projects"),
    ] {
        let refused = client.create_project(create(Some(&token))).await;
        let status = refused.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
        let challenge = status.metadata().get("www-authenticate").unwrap();
        let challenge = Challenge::read(challenge.to_str().unwrap());
        assert_eq!(challenge.needs(), needs);
        assert_eq!(challenge.param("error_description"), Some(status.message()));
    }
    let good = token("3", "projects");
    assert!(client.create_project(create(Some(&good))).await.is_ok());
}

#[tokio::test]
async fn without_the_outer_layer_a_call_is_unknown() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = Server::builder()
        .layer(RequirePermissionLayer::new(by_path))
        .add_service(ProjectsServer::new(Echo));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let mut client = ProjectsClient::connect(url).await.unwrap();
    let token = TestIssuer::self_managed().token().sign();
    let status = client
        .create_project(create(Some(&token)))
        .await
        .unwrap_err();
    // No layer converts the bare HTTP 500 into a `grpc-status`.
    assert_eq!(status.code(), Code::Unknown, "{status}");
}

#[tokio::test]
async fn an_unknown_method_behind_a_fallback_of_http_is_unimplemented() {
    let issuer = TestIssuer::self_managed();
    let app = axum::Router::new()
        .merge(Routes::default().into_axum_router().reset_fallback())
        .fallback(async || axum::http::StatusCode::NOT_FOUND)
        .layer(AuthLayer::new(validator([issuer.issuer()])).grpc_by_content_type());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, app).await });
    let mut client = ProjectsClient::connect(url).await.unwrap();
    let token = issuer.token().sign();
    for (token, code) in [
        (None, Code::Unauthenticated),
        (Some(&*token), Code::Unimplemented),
    ] {
        let status = client.create_project(create(token)).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
    }
}
