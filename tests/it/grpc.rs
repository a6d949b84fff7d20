//! Tests of the services of `examples/tonic` with real clients over HTTP/2 without TLS.

#[path = "../../examples/tonic/generated.rs"]
#[rustfmt::skip]
#[allow(clippy::all, clippy::pedantic, unreachable_pub)]
mod generated;
#[path = "../../examples/tonic/server.rs"]
#[allow(unreachable_pub)]
mod server;
#[path = "../../examples/tonic/store.rs"]
#[allow(unreachable_pub)]
mod store;
mod web;

use std::{future::pending, time::Duration};

use crate::{challenge::Challenge, support::validator};
use axum::{Router, routing::get};
use futures_util::{StreamExt as _, stream};
use generated::{
    CreateProjectRequest, DeleteFilesRequest, File, GetProjectRequest, Project, WatchFilesRequest,
    files_client::FilesClient, projects_client::ProjectsClient, projects_server::ProjectsServer,
};
use modeler_auth::{
    AuthLayer, Issuer, Permission, RequirePermissionLayer, TokenValidator,
    access::Grant,
    reject::{Empty, Reject},
    require::{PermissionRule as _, RequireAuthentication, RequireScope},
    test_util::TestIssuer,
};
use modeler_auth_testkit::signer::now;
use store::Store;
use tokio::net::TcpListener;
use tonic::{
    Code, Request, Status,
    metadata::MetadataValue,
    service::Routes,
    transport::{Channel, Server, server::TcpIncoming},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use tower::{ServiceBuilder, util::MapRequestLayer};

/// Serves the routes with tonic's own server, and returns its URL.
async fn serve(routes: Routes) -> String {
    let (listener, url) = bind().await;
    let server = Server::builder().add_routes(routes);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    url
}

/// Serves the router with axum, for HTTP/1.1 and HTTP/2.
async fn serve_with_axum(router: Router) -> String {
    let (listener, url) = bind().await;
    tokio::spawn(axum::serve(listener, router).into_future());
    url
}

async fn bind() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

async fn channel(url: String) -> Channel {
    Channel::from_shared(url).unwrap().connect().await.unwrap()
}

/// A channel to the services of the example.
async fn example<R>(auth: AuthLayer<R>) -> Channel
where
    R: Reject + Clone + Send + Sync + 'static,
{
    channel(serve(server::routes(auth, Store::default()).await.unwrap()).await).await
}

fn grpc(issuer: &TestIssuer) -> AuthLayer<modeler_auth::reject::Grpc> {
    AuthLayer::new_for_grpc(validator([issuer.issuer()]))
}

/// A message with the given `Authorization` headers.
fn with<T>(authorization: &[&str], message: T) -> Request<T> {
    let mut request = Request::new(message);
    for value in authorization {
        let value: MetadataValue<_> = value.parse().unwrap();
        request.metadata_mut().append("authorization", value);
    }
    request
}

fn bearer<T>(token: &str, message: T) -> Request<T> {
    with(&[&format!("Bearer {token}")], message)
}

fn new_project() -> CreateProjectRequest {
    CreateProjectRequest {
        name: "a name".to_owned(),
    }
}

async fn create(channel: &Channel, authorization: &[&str]) -> Result<Project, Status> {
    let mut client = ProjectsClient::new(channel.clone());
    let request = with(authorization, new_project());
    Ok(client.create_project(request).await?.into_inner())
}

/// Everything that a rejected call gets, as text.
fn described(status: &Status) -> (Code, &str, Option<&str>) {
    let challenge = status.metadata().get("www-authenticate");
    (
        status.code(),
        status.message(),
        challenge.map(|value| value.to_str().unwrap()),
    )
}

/// The services of the example under tonic's own server and under axum, with each layer that
/// renders statuses of gRPC.
async fn servers(validator: &TokenValidator) -> Vec<(&'static str, Channel)> {
    let status = || AuthLayer::new_for_grpc(validator.clone());
    let by_content_type = || AuthLayer::new(validator.clone()).grpc_by_content_type();
    let routes = async || server::routes(status(), Store::default()).await.unwrap();
    let routes_by_content_type = async || {
        let routes = server::routes(by_content_type(), Store::default());
        routes.await.unwrap()
    };
    // One layer around all services of the server, as in docs/tonic.md.
    let open = || ProjectsServer::new(Store::default());
    let permission = || RequirePermissionLayer::new(Permission::Create);
    let around_server = Server::builder()
        .layer(status())
        .layer(permission())
        .add_service(open());
    let around_server_by_content_type = Server::builder()
        .layer(by_content_type())
        .layer(permission())
        .add_service(open());
    let one_port = Router::new()
        .merge(Routes::new(open()).into_axum_router())
        .layer(permission())
        .layer(by_content_type());
    let (listener, around_url) = bind().await;
    tokio::spawn(around_server.serve_with_incoming(TcpIncoming::from(listener)));
    let (listener, around_url_by_content_type) = bind().await;
    tokio::spawn(around_server_by_content_type.serve_with_incoming(TcpIncoming::from(listener)));
    vec![
        ("routes", channel(serve(routes().await).await).await),
        (
            "routes, by content type",
            channel(serve(routes_by_content_type().await).await).await,
        ),
        (
            "routes under axum",
            channel(serve_with_axum(routes().await.into_axum_router()).await).await,
        ),
        ("around the server", channel(around_url).await),
        (
            "around the server, by content type",
            channel(around_url_by_content_type).await,
        ),
        ("one port", channel(serve_with_axum(one_port).await).await),
    ]
}

#[tokio::test]
async fn r7_each_rejection_has_its_status_message_and_challenge() {
    let issuer = TestIssuer::self_managed();
    let unreachable = TestIssuer::oidc("https://unreachable.example/");
    unreachable.fail_fetches(true);
    let validator = validator([issuer.issuer(), unreachable.issuer()]);

    let token = |token: String| format!("Bearer {token}");
    let reader = token(issuer.token().permissions([Permission::Read]).sign());
    let writer = token(issuer.token().permissions([Permission::Create]).sign());
    let expired = token(issuer.token().expired().sign());
    let elsewhere = token(unreachable.token().sign());
    let malformed = (
        Code::Unauthenticated,
        "The Authorization header is malformed",
        Some(
            "Bearer error=\"invalid_request\", error_description=\"The Authorization header is malformed\"",
        ),
    );
    let missing = (
        Code::Unauthenticated,
        "A Bearer token is required",
        Some("Bearer"),
    );
    for (server, channel) in servers(&validator).await {
        for (authorization, expected) in [
            (&[][..], missing),
            (&["Basic YTpi"], missing),
            (&["Bearer a b"], malformed),
            (&["Bearer"], malformed),
            (&[&writer, &writer], malformed),
            (
                &["Bearer junk"],
                (
                    Code::Unauthenticated,
                    "The token is not valid for this service",
                    Some(
                        "Bearer error=\"invalid_token\", error_description=\"The token is not valid for this service\"",
                    ),
                ),
            ),
            (
                &[&expired],
                (
                    Code::Unauthenticated,
                    "The token has expired",
                    Some(
                        "Bearer error=\"invalid_token\", error_description=\"The token has expired\"",
                    ),
                ),
            ),
            (
                &[&reader],
                (
                    Code::PermissionDenied,
                    "The token does not permit this operation",
                    Some(
                        "Bearer error=\"insufficient_scope\", error_description=\"The token does not permit this operation\", scope=\"create:*\"",
                    ),
                ),
            ),
            (
                &[&elsewhere],
                (
                    Code::Unavailable,
                    "The token cannot be checked right now",
                    None,
                ),
            ),
        ] {
            let status = create(&channel, authorization).await.unwrap_err();
            assert_eq!(described(&status), expected, "{server}: {authorization:?}");
            let retry_after = status.metadata().contains_key("retry-after");
            assert_eq!(retry_after, status.code() == Code::Unavailable, "{server}");
        }
        let project = create(&channel, &[&writer]).await.unwrap();
        assert_eq!(project.name, "a name", "{server}");
    }
}

#[tokio::test]
async fn a_method_that_needs_an_organization_denies_a_token_without() {
    let issuer = TestIssuer::oidc("https://issuer.example/");
    let without_organization = Issuer::oidc(issuer.name())
        .audience("test")
        .keys(issuer.clone())
        .map_claims_fn(|_| {
            let mut grant = Grant::default();
            grant.permissions = Permission::ALL.into_iter().collect();
            Ok(grant)
        });
    let channel = example(AuthLayer::new_for_grpc(validator([without_organization]))).await;
    let token = issuer.token().audience("test").sign();
    let status = create(&channel, &[&format!("Bearer {token}")]).await;
    let status = status.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert_eq!(status.message(), "the token has no organization");
}

#[tokio::test]
async fn each_method_of_two_services_has_its_permission() {
    let issuer = TestIssuer::self_managed();
    let channel = example(grpc(&issuer)).await;
    let all = format!("Bearer {}", issuer.token().sign());
    let project_id = create(&channel, &[&all]).await.unwrap().id;
    for held in Permission::ALL {
        let token = issuer.token().permissions([held]).sign();
        let mut projects = ProjectsClient::new(channel.clone());
        let mut files = FilesClient::new(channel.clone());
        let id = project_id.clone();
        let file = File {
            project_id: id.clone(),
            name: "a file".to_owned(),
        };
        let calls = [
            (
                Permission::Create,
                projects
                    .create_project(bearer(&token, new_project()))
                    .await
                    .err(),
            ),
            (
                Permission::Read,
                projects
                    .get_project(bearer(&token, GetProjectRequest { id: id.clone() }))
                    .await
                    .err(),
            ),
            (
                Permission::Create,
                files
                    .add_files(bearer(&token, stream::iter([file])))
                    .await
                    .err(),
            ),
            (
                Permission::Read,
                files
                    .watch_files(bearer(
                        &token,
                        WatchFilesRequest {
                            project_id: id.clone(),
                        },
                    ))
                    .await
                    .err(),
            ),
            (
                Permission::Delete,
                files
                    .delete_files(bearer(&token, DeleteFilesRequest { project_id: id }))
                    .await
                    .err(),
            ),
        ];
        for (needed, status) in calls {
            let code = status.map(|status| status.code());
            let expected = (needed != held).then_some(Code::PermissionDenied);
            assert_eq!(code, expected, "{needed} with {held}");
        }
    }
}

#[tokio::test]
async fn health_and_reflection_need_no_token() {
    let issuer = TestIssuer::self_managed();
    for (server, channel) in servers(&validator([issuer.issuer()])).await {
        if !server.starts_with("routes") {
            continue;
        }
        let mut health = HealthClient::new(channel.clone());
        for service in ["", "modeler.v1.Projects", "modeler.v1.Files"] {
            let service = service.to_owned();
            let answer = health.check(HealthCheckRequest { service }).await.unwrap();
            assert_eq!(answer.get_ref().status(), ServingStatus::Serving);
        }
        let list = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let answers = ServerReflectionClient::new(channel)
            .server_reflection_info(stream::iter([list]))
            .await;
        let answer = answers.unwrap().into_inner().message().await.unwrap();
        let Some(MessageResponse::ListServicesResponse(list)) = answer.unwrap().message_response
        else {
            panic!("no list of services");
        };
        let mut names: Vec<_> = list.service.into_iter().map(|found| found.name).collect();
        names.sort();
        assert_eq!(
            names,
            [
                "grpc.health.v1.Health",
                "grpc.reflection.v1.ServerReflection",
                "modeler.v1.Files",
                "modeler.v1.Projects",
            ]
        );
    }
}

/// A call of a method that no service has.
async fn call_unknown(channel: Channel, token: Option<&str>) -> Code {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let request = match token {
        Some(token) => bearer(token, new_project()),
        None => Request::new(new_project()),
    };
    let path = "/modeler.v1.Unknown/Create".parse().unwrap();
    let codec = tonic_prost::ProstCodec::<CreateProjectRequest, Project>::default();
    let answer = client.unary(request, path, codec).await;
    answer.unwrap_err().code()
}

#[tokio::test]
async fn r26_an_unknown_method_needs_a_token_and_is_denied() {
    let issuer = TestIssuer::self_managed();
    let channel = example(grpc(&issuer)).await;
    assert_eq!(
        call_unknown(channel.clone(), None).await,
        Code::Unauthenticated
    );
    let token = issuer.token().sign();
    assert_eq!(
        call_unknown(channel, Some(&token)).await,
        Code::PermissionDenied
    );
}

#[tokio::test]
async fn one_port_serves_http_and_grpc_each_with_its_rejections() {
    let issuer = TestIssuer::self_managed();
    let layer = AuthLayer::new(validator([issuer.issuer()])).grpc_by_content_type();
    let app = Router::new()
        .route("/projects", get(|| async { "projects" }))
        .merge(Routes::new(ProjectsServer::new(Store::default())).into_axum_router())
        .layer(layer)
        .route("/health", get(|| async { "ok" }));
    let url = serve_with_axum(app).await;

    let http = reqwest::Client::new();
    let rejected = http.get(format!("{url}/projects")).send().await.unwrap();
    assert_eq!(rejected.status(), 401);
    assert_eq!(
        rejected.headers()["content-type"],
        "application/problem+json"
    );
    let token = issuer.token().sign();
    let accepted = http
        .get(format!("{url}/projects"))
        .header("authorization", format!("Bearer {token}"));
    assert_eq!(accepted.send().await.unwrap().status(), 200);
    let open = http.get(format!("{url}/health")).send().await.unwrap();
    assert_eq!(open.status(), 200);

    let channel = channel(url).await;
    let status = create(&channel, &[]).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(status.message(), "A Bearer token is required");
    create(&channel, &[&format!("Bearer {token}")])
        .await
        .unwrap();
}

#[tokio::test]
async fn rejections_in_http_form_reach_a_grpc_client_by_the_http_status() {
    let issuer = TestIssuer::self_managed();
    let channel = example(AuthLayer::new(validator([issuer.issuer()])).reject_with(Empty)).await;
    let status = create(&channel, &[]).await.unwrap_err();
    // gRPC maps 401 to UNAUTHENTICATED and 403 to PERMISSION_DENIED, without a message of ours.
    assert_eq!(status.code(), Code::Unauthenticated, "{status}");
    let reader = issuer.token().permissions([Permission::Read]).sign();
    let status = create(&channel, &[&format!("Bearer {reader}")]).await;
    assert_eq!(status.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn r26_a_rejection_does_not_wait_for_the_messages_of_the_client() {
    let issuer = TestIssuer::self_managed();
    let channel = example(grpc(&issuer)).await;
    let mut client = FilesClient::new(channel);
    let reader = issuer.token().permissions([Permission::Read]).sign();
    for (request, code) in [
        (Request::new(()), Code::Unauthenticated),
        (bearer("junk", ()), Code::Unauthenticated),
        (bearer(&reader, ()), Code::PermissionDenied),
    ] {
        // A client that never ends its messages.
        let request = request.map(|()| stream::once(pending::<File>()));
        let status = client.add_files(request).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
    }
}

#[tokio::test]
async fn a_stream_is_checked_once_and_the_method_ends_it_when_the_token_expires() {
    let issuer = TestIssuer::self_managed();
    let channel = example(grpc(&issuer)).await;
    let token = issuer.token().sign();
    let project_id = create(&channel, &[&format!("Bearer {token}")])
        .await
        .unwrap()
        .id;
    let mut client = FilesClient::new(channel);
    let file = |name: &str| File {
        project_id: project_id.clone(),
        name: name.to_owned(),
    };
    let watch = |token: &str| {
        let project_id = project_id.clone();
        bearer(token, WatchFilesRequest { project_id })
    };
    client
        .add_files(bearer(&token, stream::iter([file("first")])))
        .await
        .unwrap();

    let mut files = client.watch_files(watch(&token)).await.unwrap();
    client
        .add_files(bearer(&token, stream::iter([file("second")])))
        .await
        .unwrap();
    for name in ["first", "second"] {
        let found = files.get_mut().message().await.unwrap().unwrap();
        assert_eq!(found, file(name));
    }

    // Within the leeway, the layer accepts a token that has already expired.
    let expired = issuer.token().expires_in(Duration::ZERO).sign();
    let files = client.watch_files(watch(&expired)).await.unwrap();
    let files: Vec<_> = files.into_inner().collect().await;
    let [Ok(first), Ok(second), Err(status)] = &files[..] else {
        panic!("{files:?}");
    };
    assert_eq!(
        (first, second, status.code()),
        (&file("first"), &file("second"), Code::Unauthenticated)
    );
}

#[tokio::test]
async fn r7_without_the_layer_a_rule_answers_500_and_a_method_internal() {
    let token = format!("Bearer {}", TestIssuer::self_managed().token().sign());
    let services = || Routes::new(ProjectsServer::new(Store::default())).into_axum_router();
    // No layer renders the HTTP 500 of the rule, and clients map it to UNKNOWN.
    let rule = services().layer(RequirePermissionLayer::new(Permission::Create));
    let channel_of_rule = channel(serve(rule.into()).await).await;
    let status = create(&channel_of_rule, &[&token]).await.unwrap_err();
    assert_eq!(status.code(), Code::Unknown, "{status}");
    assert!(status.message().contains("500"), "{status}");
    // The method of the example answers by itself.
    let channel_of_method = channel(serve(services().into()).await).await;
    let status = create(&channel_of_method, &[&token]).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal, "{status}");
    assert!(status.message().contains("add one outside it"), "{status}");
}

#[tokio::test]
async fn r7_a_layer_in_between_that_removes_the_access_is_internal() {
    let issuer = TestIssuer::self_managed();
    let remove = MapRequestLayer::new(|mut request: axum::extract::Request| {
        request.extensions_mut().clear();
        request
    });
    let layers = ServiceBuilder::new()
        .layer(grpc(&issuer))
        .layer(remove)
        .layer(RequirePermissionLayer::new(Permission::Create));
    let routes = Routes::new(ProjectsServer::new(Store::default()))
        .into_axum_router()
        .layer(layers);
    let channel = channel(serve(routes.into()).await).await;
    let token = issuer.token().sign();
    let status = create(&channel, &[&format!("Bearer {token}")]).await;
    let status = status.unwrap_err();
    assert_eq!(
        described(&status),
        (Code::Internal, "The service is misconfigured", None)
    );
}

#[tokio::test]
async fn r80_a_client_finds_the_challenge_in_the_metadata() {
    let issuer = TestIssuer::self_managed();
    let strong = RequireAuthentication::new().acr_values(["3", "2"]).unwrap();
    let rule = RequireScope::all(["projects"]).and(strong.max_age(Duration::from_secs(300)));
    let protected = Routes::new(ProjectsServer::new(Store::default()))
        .into_axum_router()
        .layer(RequirePermissionLayer::new(rule))
        .layer(grpc(&issuer));
    let channel = channel(serve(Routes::from(protected)).await).await;
    let token = |acr: &str, scope: &str| {
        let token = issuer.token().claim("acr", acr).claim("scope", scope);
        format!("Bearer {}", token.claim("auth_time", now()).sign())
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
        let status = create(&channel, &[&token]).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
        let challenge = status.metadata().get("www-authenticate").unwrap();
        let challenge = Challenge::read(challenge.to_str().unwrap());
        assert_eq!(challenge.needs(), needs);
        assert_eq!(challenge.param("error_description"), Some(status.message()));
    }
    let good = token("3", "projects");
    assert!(create(&channel, &[&good]).await.is_ok());
}

#[tokio::test]
async fn an_unknown_method_behind_a_fallback_of_http_is_unimplemented() {
    let issuer = TestIssuer::self_managed();
    let app = Router::new()
        .merge(Routes::default().into_axum_router().reset_fallback())
        .fallback(async || axum::http::StatusCode::NOT_FOUND)
        .layer(AuthLayer::new(validator([issuer.issuer()])).grpc_by_content_type());
    let channel = channel(serve_with_axum(app).await).await;
    let token = issuer.token().sign();
    for (token, code) in [
        (None, Code::Unauthenticated),
        (Some(&*token), Code::Unimplemented),
    ] {
        assert_eq!(call_unknown(channel.clone(), token).await, code);
    }
}
