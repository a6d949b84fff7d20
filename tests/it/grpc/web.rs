//! gRPC-Web: positions of `AuthLayer` relative to `GrpcWebLayer` of tonic-web and to CORS.

use std::convert::Infallible;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{self, HeaderName, HeaderValue, Method, header},
};
use modeler_auth::{
    AuthLayer, Permission, RequirePermissionLayer,
    reject::{Reject, Rejection},
    test_util::TestIssuer,
};
use prost::Message as _;
use tonic::{Code, Request, service::Routes, transport::Server};
use tonic_web::{GrpcWebClientService, GrpcWebLayer};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};
use tower_http::cors::CorsLayer;

use super::{
    bearer, bind, described,
    generated::{projects_client::ProjectsClient, projects_server::ProjectsServer},
    new_project,
    store::Store,
};
use crate::support::{Answer, send, validator};

const ORIGIN: &str = "https://app.example";
const CREATE: &str = "/modeler.v1.Projects/CreateProject";
const MEDIA_TYPES: [(&str, &str); 4] = [
    ("application/grpc-web", "application/grpc-web"),
    ("application/grpc-web+proto", "application/grpc-web"),
    ("application/grpc-web-text", "application/grpc-web-text"),
    (
        "application/grpc-web-text+proto",
        "application/grpc-web-text",
    ),
];

fn services() -> Router {
    Routes::new(ProjectsServer::new(Store::default()))
        .into_axum_router()
        .layer(RequirePermissionLayer::new(Permission::Create))
}

fn outside<R>(auth: AuthLayer<R>) -> Router
where
    R: Reject + Clone + Send + Sync + 'static,
{
    services().layer(GrpcWebLayer::new()).layer(auth)
}

fn inside<R>(auth: AuthLayer<R>) -> Router
where
    R: Reject + Clone + Send + Sync + 'static,
{
    services().layer(auth).layer(GrpcWebLayer::new())
}

fn auth(issuer: &TestIssuer) -> AuthLayer {
    AuthLayer::new(validator([issuer.issuer()]))
}

fn grpc(issuer: &TestIssuer) -> AuthLayer<modeler_auth::reject::Grpc> {
    AuthLayer::new_for_grpc(validator([issuer.issuer()]))
}

/// The call of a browser over HTTP/1.1.
fn call(media_type: &str, token: Option<&str>) -> http::Request<Body> {
    let message = new_project().encode_to_vec();
    let length = u32::try_from(message.len()).unwrap();
    let mut frame = vec![0];
    frame.extend(length.to_be_bytes());
    frame.extend(message);
    if media_type.contains("text") {
        use base64::{Engine as _, prelude::BASE64_STANDARD};
        frame = BASE64_STANDARD.encode(frame).into();
    }
    let mut request = http::Request::post(CREATE)
        .header("origin", ORIGIN)
        .header("content-type", media_type);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Body::from(frame)).unwrap()
}

/// A client of tonic-web that sends HTTP/1.1 requests to the router.
fn client(
    router: Router,
) -> ProjectsClient<
    GrpcWebClientService<
        impl tower::Service<
            http::Request<tonic_web::GrpcWebCall<tonic::body::Body>>,
            Response = http::Response<Body>,
            Error = Infallible,
            Future: Send,
        > + Clone,
    >,
> {
    let service = service_fn(move |request: http::Request<_>| {
        assert_eq!(request.version(), http::Version::HTTP_11);
        router.clone().oneshot(request.map(Body::new))
    });
    ProjectsClient::new(GrpcWebClientService::new(service))
}

#[tokio::test]
async fn r7_a_client_of_grpc_web_gets_each_status_on_either_side_of_the_translation() {
    let issuer = TestIssuer::self_managed();
    let reader = issuer.token().permissions([Permission::Read]).sign();
    let expired = issuer.token().expired().sign();
    for (name, router) in [
        ("outside", outside(grpc(&issuer))),
        ("inside", inside(grpc(&issuer))),
        (
            "outside, by content type",
            outside(auth(&issuer).grpc_by_content_type()),
        ),
    ] {
        let mut client = client(router);
        for (request, code, message) in [
            (
                Request::new(new_project()),
                Code::Unauthenticated,
                "A Bearer token is required",
            ),
            (
                bearer("a b", new_project()),
                Code::Unauthenticated,
                "The Authorization header is malformed",
            ),
            (
                bearer(&expired, new_project()),
                Code::Unauthenticated,
                "The token has expired",
            ),
            (
                bearer(&reader, new_project()),
                Code::PermissionDenied,
                "The token does not permit this operation",
            ),
        ] {
            let status = client.create_project(request).await.unwrap_err();
            let (found, text, challenge) = described(&status);
            assert_eq!((found, text), (code, message), "{name}");
            assert!(challenge.unwrap().starts_with("Bearer"), "{name}");
        }
        let token = issuer.token().sign();
        let project = client.create_project(bearer(&token, new_project())).await;
        assert_eq!(project.unwrap().get_ref().name, "a name", "{name}");
    }
}

/// Whoever rejects: the layer itself, or a rule inside the translation.
#[tokio::test]
async fn r7_the_response_has_the_content_type_of_the_call() {
    let issuer = TestIssuer::self_managed();
    let reader = issuer.token().permissions([Permission::Read]).sign();
    for router in [
        outside(auth(&issuer).grpc_by_content_type()),
        outside(grpc(&issuer)),
    ] {
        for (media_type, expected) in MEDIA_TYPES {
            for (token, grpc_status) in [(None, "16"), (Some(&*reader), "7")] {
                let answer = send(&router, call(media_type, token)).await;
                assert_eq!(answer.status, 200);
                assert_eq!(answer.header("content-type"), Some(expected));
                assert_eq!(answer.header("grpc-status"), Some(grpc_status));
                assert!(answer.header("grpc-message").is_some());
                assert_eq!(answer.body, "");
            }
        }
        let token = issuer.token().sign();
        for (media_type, _) in MEDIA_TYPES {
            let body = accepted(&router, call(media_type, Some(&token))).await;
            // `tonic-web` encodes the body as the header `Accept` demands, which is absent.
            assert!(body.contains("a name"), "{media_type}: {body}");
        }
    }
}

/// The body of an accepted call, with replacements for bytes that are no text.
async fn accepted(router: &Router, request: http::Request<Body>) -> String {
    let response = router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = to_bytes(response.into_body(), 1 << 10).await.unwrap();
    String::from_utf8_lossy(&body).into_owned()
}

/// The translation changes the content type, but not the version of HTTP.
#[tokio::test]
async fn by_content_type_inside_the_translation_rejects_with_an_http_status() {
    let issuer = TestIssuer::self_managed();
    let router = inside(auth(&issuer).grpc_by_content_type());
    let answer = send(&router, call("application/grpc-web", None)).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("grpc-status"), None);
}

/// A request that is no gRPC call gets an HTTP status, and a client does not choose another form by
/// a method other than `POST`.
#[tokio::test]
async fn other_requests_get_an_http_status() {
    let issuer = TestIssuer::self_managed();
    let router = outside(auth(&issuer).grpc_by_content_type());
    let mut get = call("application/grpc-web", None);
    *get.method_mut() = Method::GET;
    for request in [
        get,
        call("application/grpc", None),
        call("text/plain", None),
    ] {
        let answer = send(&router, request).await;
        assert_eq!(answer.status, 401);
        let content_type = answer.header("content-type");
        assert_eq!(content_type, Some("application/problem+json"));
    }
}

#[tokio::test]
async fn a_closure_gets_calls_of_grpc_web_as_grpc() {
    let issuer = TestIssuer::self_managed();
    let reject = |rejection: &Rejection<'_>| rejection.response(rejection.is_grpc().to_string());
    let router = outside(auth(&issuer).reject_with(reject));
    for (media_type, is_grpc) in [("application/grpc-web", "true"), ("text/plain", "false")] {
        assert_eq!(send(&router, call(media_type, None)).await.body, is_grpc);
    }
}

fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin([HeaderValue::from_static(ORIGIN)])
        .allow_methods([Method::POST])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("x-grpc-web"),
            HeaderName::from_static("x-user-agent"),
            HeaderName::from_static("grpc-timeout"),
        ])
        .expose_headers([
            HeaderName::from_static("grpc-status"),
            HeaderName::from_static("grpc-message"),
            header::WWW_AUTHENTICATE,
            header::RETRY_AFTER,
        ])
}

fn preflight() -> http::Request<Body> {
    http::Request::options(CREATE)
        .header("origin", ORIGIN)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type,x-grpc-web",
        )
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn cors_outside_lets_a_browser_read_the_status_of_a_rejection() {
    let issuer = TestIssuer::self_managed();
    let layers = ServiceBuilder::new()
        .layer(cors())
        .layer(auth(&issuer).grpc_by_content_type())
        .layer(GrpcWebLayer::new());
    let router = services().layer(layers);
    let answer = send(&router, preflight()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(allowed_origin(&answer), Some(ORIGIN));
    let reader = issuer.token().permissions([Permission::Read]).sign();
    for (token, grpc_status) in [(None, "16"), (Some(&*reader), "7")] {
        let answer = send(&router, call("application/grpc-web-text", token)).await;
        assert_eq!(allowed_origin(&answer), Some(ORIGIN));
        let exposed = answer.header("access-control-expose-headers").unwrap();
        assert!(
            exposed.starts_with("grpc-status,grpc-message,"),
            "{exposed}"
        );
        assert_eq!(answer.header("grpc-status"), Some(grpc_status));
    }
}

#[tokio::test]
async fn cors_inside_leaves_the_preflight_without_its_headers() {
    let issuer = TestIssuer::self_managed();
    let router = services()
        .layer(cors())
        .layer(auth(&issuer).grpc_by_content_type());
    for request in [preflight(), call("application/grpc-web", None)] {
        assert_eq!(allowed_origin(&send(&router, request).await), None);
    }
}

fn allowed_origin(answer: &Answer) -> Option<&str> {
    answer.header("access-control-allow-origin")
}

#[tokio::test]
async fn r7_a_server_of_tonic_rejects_calls_of_grpc_web_over_http_1() {
    let issuer = TestIssuer::self_managed();
    let server = Server::builder()
        .accept_http1(true)
        .layer(cors())
        .layer(auth(&issuer).grpc_by_content_type())
        .layer(GrpcWebLayer::new())
        .layer(RequirePermissionLayer::new(Permission::Create))
        .add_service(ProjectsServer::new(Store::default()));
    let (listener, url) = bind().await;
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    tokio::spawn(server.serve_with_incoming(incoming));

    let http = reqwest::Client::builder().http1_only().build().unwrap();
    let reader = issuer.token().permissions([Permission::Read]).sign();
    for (authorization, grpc_status) in [
        ("Bearer junk".to_owned(), "16"),
        (format!("Bearer {reader}"), "7"),
    ] {
        let request = http
            .post(format!("{url}{CREATE}"))
            .header("content-type", "application/grpc-web+proto")
            .header("origin", ORIGIN)
            .header("authorization", authorization);
        let response = request.send().await.unwrap();
        assert_eq!(response.version(), http::Version::HTTP_11);
        assert_eq!(response.status(), 200);
        let headers = response.headers();
        assert_eq!(headers["content-type"], "application/grpc-web");
        assert_eq!(headers["grpc-status"], grpc_status);
        assert_eq!(headers["access-control-allow-origin"], ORIGIN);
        assert_eq!(response.bytes().await.unwrap().len(), 0);
    }

    // The same server answers a gRPC client over HTTP/2.
    let channel = super::channel(url).await;
    let status = super::create(&channel, &[]).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
}
