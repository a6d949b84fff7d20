//! Tests of the layer and the permission layer as tower services, and of their responses.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use crate::{
    challenge::Challenge,
    support::{Answer, GatedKeys, failure, get, send, validator},
};
use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderValue, Method, Request, Response, StatusCode, Version},
    middleware,
    routing::{any, get as get_route},
};
use std::time::Duration;

use modeler_auth::{
    Access, AuthLayer, AuthorizedOrganization, ByMethod, InfoService, Permission,
    RequirePermissionLayer, TokenValidator,
    auth::RequestView,
    issuer::RevocationList,
    keys::StaticKeys,
    reject::{Empty, Problem},
    require::{Denied, PermissionRule},
    test_util::{TestClock, TestIssuer},
};
use modeler_auth_testkit::server::serve;
use tokio::sync::Semaphore;
use tower::{
    Layer as _, Service, ServiceBuilder, ServiceExt as _,
    limit::{ConcurrencyLimitLayer, GlobalConcurrencyLimitLayer},
    util::BoxCloneService,
};
use tower_test::mock;

/// Everything that can be refused, behind one layer.
fn routes() -> Router {
    Router::new()
        .route("/create", any(|| async { "created" }))
        .route_layer(RequirePermissionLayer::new(Permission::Create))
        .route(
            "/organization",
            get_route(
                |organization: AuthorizedOrganization| async move { organization.to_string() },
            ),
        )
        .route(
            "/maybe",
            get_route(
                |access: Option<Access>| async move { access.map_or("anonymous", |_| "known") },
            ),
        )
        .route("/access", any(|_: Access| async { "known" }))
        .route_service("/api/{version}/info", InfoService::new())
}

struct Case {
    name: &'static str,
    request: Request<Body>,
    status: u16,
    grpc_status: &'static str,
    challenge: Option<&'static str>,
}

fn case(
    name: &'static str,
    path: &str,
    authorization: &[&str],
    (status, grpc_status): (u16, &'static str),
    challenge: Option<&'static str>,
) -> Case {
    let mut request = Request::post(path).version(Version::HTTP_2);
    request = request.header("content-type", "application/grpc");
    for value in authorization {
        request = request.header("authorization", *value);
    }
    Case {
        name,
        request: request.body(Body::empty()).unwrap(),
        status,
        grpc_status,
        challenge,
    }
}

/// Each kind of refusal, as a request that looks like gRPC.
fn cases(issuer: &TestIssuer, unreachable: &TestIssuer) -> Vec<Case> {
    let reader = issuer.token().permissions([Permission::Read]).sign();
    let reader = format!("Bearer {reader}");
    let expired = format!("Bearer {}", issuer.token().expired().sign());
    let elsewhere = format!("Bearer {}", unreachable.token().sign());
    let bare = Some("Bearer");
    let request = Some(
        "Bearer error=\"invalid_request\", error_description=\"The Authorization header is malformed\"",
    );
    vec![
        case("no header", "/access", &[], (401, "16"), bare),
        case("basic", "/access", &["Basic YTpi"], (401, "16"), bare),
        case(
            "digest",
            "/access",
            &["Digest a=\"b\", c=\"d\""],
            (401, "16"),
            bare,
        ),
        case(
            "two headers",
            "/access",
            &[&reader, &reader],
            (400, "16"),
            request,
        ),
        case(
            "a list",
            "/access",
            &["Bearer a, Bearer b"],
            (400, "16"),
            request,
        ),
        case("a space", "/access", &["Bearer a b"], (400, "16"), request),
        case("nothing", "/access", &["Bearer"], (400, "16"), request),
        case(
            "junk",
            "/access",
            &["Bearer junk"],
            (401, "16"),
            Some(
                "Bearer error=\"invalid_token\", error_description=\"The token is not valid for this service\"",
            ),
        ),
        case(
            "expired",
            "/access",
            &[&expired],
            (401, "16"),
            Some("Bearer error=\"invalid_token\", error_description=\"The token has expired\""),
        ),
        case(
            "permission",
            "/create",
            &[&reader],
            (403, "7"),
            Some(
                "Bearer error=\"insufficient_scope\", error_description=\"The token does not permit this operation\", scope=\"create:*\"",
            ),
        ),
        case("no keys", "/access", &[&elsewhere], (503, "14"), None),
    ]
}

async fn refusals<R>(layer: impl Fn(TokenValidator) -> AuthLayer<R>) -> Vec<(Case, Answer)>
where
    R: modeler_auth::reject::Reject + Clone + Send + Sync + 'static,
{
    let issuer = TestIssuer::self_managed();
    let unreachable = TestIssuer::oidc("https://unreachable.example/");
    unreachable.fail_fetches(true);
    let validator = validator([issuer.issuer(), unreachable.issuer()]);
    let app = routes().layer(layer(validator));
    let mut answers = Vec::new();
    for mut case in cases(&issuer, &unreachable) {
        let request = std::mem::take(&mut case.request);
        let answer = send(&app, request).await;
        answers.push((case, answer));
    }
    answers
}

/// Authenticates and authorizes `request` without the layer.
async fn without_tower(validator: &TokenValidator, request: Request<Body>) -> Response<Bytes> {
    let (parts, _) = request.into_parts();
    let access = match validator.authenticate(&parts).await {
        Ok(access) => access,
        Err(error) => return error.response(&Problem),
    };
    let rule: &dyn PermissionRule = match parts.uri.path() {
        "/create" => &Permission::Create,
        _ => &ByMethod::new(),
    };
    match validator.authorize(&parts, &access, rule) {
        Ok(()) => Response::new(Bytes::from("allowed")),
        Err(error) => error.response(&Problem),
    }
}

#[tokio::test]
async fn r7_the_responses_without_tower_are_those_of_the_layer() {
    let issuer = TestIssuer::self_managed();
    let unreachable = TestIssuer::oidc("https://unreachable.example/");
    unreachable.fail_fetches(true);
    let validator = validator([issuer.issuer(), unreachable.issuer()]);
    let app = routes().layer(AuthLayer::new(validator.clone()));
    for case in cases(&issuer, &unreachable) {
        let (parts, _) = case.request.into_parts();
        let request = || Request::from_parts(parts.clone(), Body::empty());
        let expected = send(&app, request()).await;
        let response = without_tower(&validator, request()).await;
        assert_eq!(response.status(), expected.status, "{}", case.name);
        assert_eq!(response.body(), &expected.body, "{}", case.name);
        for (name, value) in response.headers() {
            let expected = expected.header(name.as_str());
            assert_eq!(value.to_str().ok(), expected, "{}: {name}", case.name);
        }
        assert_eq!(response.status().as_u16(), case.status, "{}", case.name);
        let challenge = response.headers().get("www-authenticate");
        let challenge = challenge.map(|value| value.to_str().unwrap());
        assert_eq!(challenge, case.challenge, "{}", case.name);
    }
    let token = issuer.token().permissions([Permission::Create]).sign();
    let request = Request::post("/create").header("authorization", format!("Bearer {token}"));
    let response = without_tower(&validator, request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.body(), "allowed");
}

#[tokio::test]
async fn a_renderer_gets_the_request_whoever_rejects_it() {
    let issuer = TestIssuer::self_managed();
    let layer = AuthLayer::new(validator([issuer.issuer()])).reject_with_fn(|rejection| {
        let request = rejection.request().unwrap();
        let id = request.headers().get("x-request-id").unwrap();
        let (method, id) = (request.method(), id.to_str().unwrap());
        rejection.response(format!("{method} {} {id}", rejection.path()))
    });
    let app = Router::new().nest("/nested", routes()).layer(layer);
    let reader = issuer.token().permissions([Permission::Read]).sign();
    for (path, token, status) in [
        ("/nested/access", "junk", 401),
        ("/nested/create", &reader, 403),
    ] {
        let request = Request::put(path)
            .header("authorization", format!("Bearer {token}"))
            .header("x-request-id", "7");
        let answer = send(&app, request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert_eq!(answer.body, format!("PUT {path} 7"));
    }
}

#[tokio::test]
async fn r7_refusals_in_http() {
    for (case, answer) in refusals(AuthLayer::new).await {
        let name = case.name;
        assert_eq!(answer.status.as_u16(), case.status, "{name}");
        assert_eq!(answer.header("www-authenticate"), case.challenge, "{name}");
        let kind = answer.header("content-type");
        assert_eq!(kind, Some("application/problem+json"), "{name}");
        let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(problem["status"], case.status, "{name}");
        assert_eq!(problem["type"], "about:blank", "{name}");
        let has_retry_after = answer.header("retry-after").is_some();
        assert_eq!(has_retry_after, case.status == 503, "{name}");
        assert_eq!(answer.header("grpc-status"), None, "{name}");
    }
}

#[tokio::test]
async fn r8_each_challenge_is_read_by_another_parser() {
    let mut read = 0;
    for form in [
        refusals(AuthLayer::new).await,
        refusals(|v| AuthLayer::new(v).reject_with(Empty)).await,
        refusals(AuthLayer::new_for_grpc).await,
    ] {
        for (case, answer) in form {
            let Some(expected) = case.challenge else {
                assert_eq!(answer.header("www-authenticate"), None, "{}", case.name);
                continue;
            };
            let challenge = Challenge::of(&answer.headers);
            assert_eq!(challenge, Challenge::read(expected), "{}", case.name);
            let code = expected.split('"').nth(1);
            assert_eq!(challenge.error(), code, "{}", case.name);
            read += 1;
        }
    }
    assert_eq!(read, 30);
}

#[tokio::test]
async fn r6_a_token_elsewhere_than_in_the_header_is_none() {
    let issuer = TestIssuer::self_managed();
    let app = routes().layer(AuthLayer::new(validator([issuer.issuer()])));
    let token = issuer.token().sign();
    let uri = format!("/access?access_token={token}");
    let request = Request::post(uri)
        .header("cookie", format!("access_token={token}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(format!("access_token={token}")));
    let answer = send(&app, request.unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn r9_unavailable_keys_are_an_error_of_the_service() {
    let issuer = TestIssuer::self_managed();
    issuer.fail_fetches(true);
    let app = routes().layer(AuthLayer::new(validator([issuer.issuer()])));
    let answer = get(&app, "/access", &issuer.token().sign()).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=5).contains(&seconds), "{seconds}");
    assert_eq!(answer.header("www-authenticate"), None);
}

#[tokio::test]
async fn a_plain_layer_never_answers_a_grpc_call_with_200() {
    for (case, answer) in refusals(AuthLayer::new).await {
        assert!(!answer.status.is_success(), "{}", case.name);
    }
}

#[tokio::test]
async fn refusals_in_grpc() {
    for (case, answer) in refusals(AuthLayer::new_for_grpc).await {
        let name = case.name;
        assert_eq!(answer.status, StatusCode::OK, "{name}");
        let status = answer.header("grpc-status");
        assert_eq!(status, Some(case.grpc_status), "{name}");
        let kind = answer.header("content-type");
        assert_eq!(kind, Some("application/grpc"), "{name}");
        assert!(answer.header("grpc-message").is_some(), "{name}");
        assert_eq!(answer.body, "", "{name}");
    }
}

#[tokio::test]
async fn refusals_without_a_body() {
    for (case, answer) in refusals(|v| AuthLayer::new(v).reject_with(Empty)).await {
        let name = case.name;
        assert_eq!(answer.status.as_u16(), case.status, "{name}");
        assert_eq!(answer.header("www-authenticate"), case.challenge, "{name}");
        assert_eq!(answer.body, "", "{name}");
    }
}

#[tokio::test]
async fn refusals_by_a_closure() {
    let layer = |validator| {
        AuthLayer::new(validator)
            .reject_with_fn(|refusal| refusal.response(refusal.error().reason()))
    };
    let answers = refusals(layer).await;
    let reasons: Vec<_> = answers.iter().map(|(_, answer)| &*answer.body).collect();
    assert_eq!(
        reasons,
        [
            "missing_token",
            "missing_token",
            "missing_token",
            "several_authorizations",
            "malformed_authorization",
            "malformed_authorization",
            "malformed_authorization",
            "malformed_token",
            "expired",
            "insufficient_scope",
            "keys_unavailable",
        ]
    );
}

#[tokio::test]
async fn refusals_by_content_type_are_grpc_for_grpc_calls_only() {
    let validator = validator([TestIssuer::self_managed().issuer()]);
    let app = routes().layer(AuthLayer::new(validator).grpc_by_content_type());
    let request = |version, method: Method, kind: &str| {
        Request::builder()
            .uri("/access")
            .version(version)
            .method(method)
            .header("content-type", kind)
            .body(Body::empty())
            .unwrap()
    };
    for kind in [
        "application/grpc",
        "application/grpc+proto",
        "application/grpc;x",
    ] {
        let answer = send(&app, request(Version::HTTP_2, Method::POST, kind)).await;
        assert_eq!(answer.status, StatusCode::OK, "{kind}");
        assert_eq!(answer.header("grpc-status"), Some("16"), "{kind}");
    }
    for (version, method, kind) in [
        (Version::HTTP_11, Method::POST, "application/grpc"),
        (Version::HTTP_2, Method::GET, "application/grpc"),
        (Version::HTTP_2, Method::GET, "application/grpc-web"),
        (Version::HTTP_2, Method::POST, "application/grpc-webs"),
        (Version::HTTP_2, Method::POST, "application/json"),
    ] {
        let answer = send(&app, request(version, method, kind)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{kind}");
        assert_eq!(answer.header("grpc-status"), None, "{kind}");
    }
}

#[tokio::test]
async fn the_inner_service_gets_the_access() {
    let issuer = TestIssuer::self_managed();
    let app = Router::new()
        .route(
            "/",
            get_route(|access: Access| async move {
                format!("{:?} {:?}", access.subject(), access.client_id())
            }),
        )
        .layer(AuthLayer::new(validator([issuer.issuer()])));
    let token = issuer.token().subject("ada").client("sdk").sign();
    let answer = get(&app, "/", &token).await;
    assert_eq!(answer.body, r#"Some("ada") Some("sdk")"#);
}

#[tokio::test]
async fn a_service_that_needs_the_layer_is_500_without_it() {
    let issuer = TestIssuer::self_managed();
    let token = issuer.token().sign();
    for path in [
        "/create",
        "/organization",
        "/maybe",
        "/access",
        "/api/v1/info",
    ] {
        let answer = get(&routes(), path, &token).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
    }
}

#[tokio::test]
async fn without_an_organization_services_that_need_one_are_403() {
    let issuer = TestIssuer::oidc("https://issuer.example/");
    let app = routes().layer(AuthLayer::new(validator([issuer.issuer()])));
    let token = issuer.token().sign();
    for path in ["/organization", "/api/v1/info"] {
        let answer = get(&app, path, &token).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(get(&app, "/access", &token).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_optional_layer_lets_requests_without_credentials_pass_as_anonymous() {
    let issuer = TestIssuer::self_managed();
    let layer = AuthLayer::new(validator([issuer.issuer()])).optional();
    let app = routes().layer(layer);
    let without = |path: &str| Request::get(path).body(Body::empty()).unwrap();

    let answer = send(&app, without("/maybe")).await;
    assert_eq!(answer.body, "anonymous");
    let answer = get(&app, "/maybe", &issuer.token().sign()).await;
    assert_eq!(answer.body, "known");
    for path in ["/access", "/create", "/organization", "/api/v1/info"] {
        let answer = send(&app, without(path)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{path}");
    }
    for credentials in ["Basic YTpi", "Bearer junk", "Bearer", ""] {
        let mut request = without("/maybe");
        let value = HeaderValue::from_static(credentials);
        request.headers_mut().insert("authorization", value);
        let answer = send(&app, request).await;
        assert!(answer.status.is_client_error(), "{credentials:?}");
    }
}

#[tokio::test]
async fn an_anonymous_request_loses_what_an_outer_layer_found() {
    let issuer = TestIssuer::self_managed();
    let validator = validator([issuer.issuer()]);
    let app = routes()
        .layer(AuthLayer::new(validator.clone()).optional())
        .layer(middleware::map_request(
            async |mut request: Request<Body>| {
                request.headers_mut().remove("authorization");
                request
            },
        ))
        .layer(AuthLayer::new(validator));
    let answer = get(&app, "/maybe", &issuer.token().sign()).await;
    assert_eq!(answer.body, "anonymous");
}

#[tokio::test]
async fn headers_of_layers_in_between_stay_on_a_refusal() {
    let issuer = TestIssuer::self_managed();
    let app = routes()
        .layer(middleware::map_response(
            async |mut response: Response<Body>| {
                let value = HeaderValue::from_static("https://app.example");
                response
                    .headers_mut()
                    .insert("access-control-allow-origin", value);
                response
            },
        ))
        .layer(AuthLayer::new(validator([issuer.issuer()])));
    let token = issuer.token().permissions([]).sign();
    let answer = get(&app, "/create", &token).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.header("access-control-allow-origin").is_some());
    assert!(answer.body.contains("\"status\":403"), "{}", answer.body);
}

#[tokio::test]
async fn a_rejection_from_further_in_keeps_no_header_of_another_body() {
    const NAMES: [&str; 12] = [
        "content-digest",
        "repr-digest",
        "digest",
        "content-md5",
        "content-language",
        "content-location",
        "content-disposition",
        "etag",
        "last-modified",
        "cache-control",
        "expires",
        "age",
    ];
    let issuer = TestIssuer::self_managed();
    let describe = async |request: axum::extract::Request, next: middleware::Next| {
        let mut response = next.run(request).await;
        for name in NAMES {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static("x"));
        }
        response
    };
    let app = routes()
        .layer(middleware::from_fn(describe))
        .layer(AuthLayer::new(validator([issuer.issuer()])));
    let token = issuer.token().permissions([]).sign();
    let answer = get(&app, "/create", &token).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    for name in NAMES {
        assert_eq!(answer.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn a_refusal_from_further_in_says_nothing_of_another_body() {
    // A router that is wrapped from outside has already set a content length on the bare rejection.
    let issuer = TestIssuer::self_managed();
    let service = AuthLayer::new(validator([issuer.issuer()])).layer(routes());
    let app = Router::new().fallback_service(service);
    let url = format!("http://{}/create", serve(app).await);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let token = issuer.token().permissions([]).sign();
    for _ in 0..2 {
        let response = client.post(&url).bearer_auth(&token).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 403);
        let length = response.content_length();
        let body = response.text().await.unwrap();
        assert_eq!(length, u64::try_from(body.len()).ok());
        assert!(body.ends_with('}'), "{body}");
    }
}

#[tokio::test]
async fn needs_follow_the_method_as_camunda_documents() {
    let issuer = TestIssuer::self_managed();
    let validator = validator([issuer.issuer()]);
    let methods = [
        ("POST", Some(Permission::Create)),
        ("GET", Some(Permission::Read)),
        ("HEAD", Some(Permission::Read)),
        ("PATCH", Some(Permission::Update)),
        ("PUT", Some(Permission::Update)),
        ("DELETE", Some(Permission::Delete)),
        ("OPTIONS", None),
        ("TRACE", None),
        ("PURGE", None),
    ];
    let app = |by_method| {
        let app = Router::new().route("/files/search", any(|| async {}));
        let app = if by_method {
            app.route_layer(RequirePermissionLayer::new(ByMethod::new()))
        } else {
            app.route_layer(RequirePermissionLayer::new(
                ByMethod::new().search_needs_read(),
            ))
        };
        app.layer(AuthLayer::new(validator.clone()))
    };
    for (method, needed) in methods {
        for granted in Permission::ALL {
            let token = issuer.token().permissions([granted]).sign();
            let request = || {
                Request::builder()
                    .method(method)
                    .uri("/files/search")
                    .header("authorization", format!("Bearer {token}"))
                    .body(Body::empty())
                    .unwrap()
            };
            let answer = send(&app(true), request()).await;
            let is_granted = needed == Some(granted);
            assert_eq!(
                answer.status.is_success(),
                is_granted,
                "{method} {granted:?}"
            );
            let needed = if method == "POST" {
                Some(Permission::Read)
            } else {
                needed
            };
            let answer = send(&app(false), request()).await;
            let is_granted = needed == Some(granted);
            assert_eq!(
                answer.status.is_success(),
                is_granted,
                "{method} {granted:?}"
            );
        }
    }
}

/// A static issuer, so that a decision never waits.
fn static_issuer() -> (TestIssuer, TokenValidator) {
    let issuer = TestIssuer::oidc("https://issuer.example/");
    let keys = StaticKeys::from_jwks(issuer.jwks());
    let validator = validator([modeler_auth::Issuer::oidc(issuer.name())
        .audience("test")
        .keys(keys)]);
    (issuer, validator)
}

/// Reads the body of `response`.
async fn text<B>(response: Response<B>) -> String
where
    B: http_body::Body<Data = axum::body::Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let bytes = axum::body::to_bytes(Body::new(response.into_body()), 1 << 12);
    String::from_utf8(bytes.await.unwrap().to_vec()).unwrap()
}

fn with_token(token: &str) -> Request<()> {
    Request::builder()
        .header("authorization", format!("Bearer {token}"))
        .body(())
        .unwrap()
}

#[tokio::test]
async fn the_instance_that_was_polled_ready_is_the_one_that_is_called() {
    let (issuer, validator) = static_issuer();
    // A mock panics if it is called before it was polled ready; its clones were not polled.
    let (mut auth, mut handle) =
        mock::spawn_layer::<Request<()>, Response<String>, _>(AuthLayer::new(validator));
    handle.allow(1);
    tokio_test::assert_ready_ok!(auth.poll_ready());
    let answer = auth.call(with_token(&issuer.token().sign()));
    let (request, reply) = handle.next_request().await.unwrap();
    assert!(request.extensions().get::<Access>().is_some());
    reply.send_response(Response::new("inner".to_owned()));
    assert_eq!(text(answer.await.unwrap()).await, "inner");
}

#[tokio::test]
async fn layers_are_ready_when_what_they_protect_is() {
    let (mut rule, mut handle) = mock::spawn_layer::<Request<()>, Response<String>, _>(
        RequirePermissionLayer::new(Permission::Create),
    );
    handle.allow(0);
    tokio_test::assert_pending!(rule.poll_ready());
    handle.allow(1);
    tokio_test::assert_ready_ok!(rule.poll_ready());

    let (_, validator) = static_issuer();
    let (mut auth, mut handle) =
        mock::spawn_layer::<Request<()>, Response<String>, _>(AuthLayer::new(validator));
    handle.allow(0);
    tokio_test::assert_pending!(auth.poll_ready());
    handle.allow(1);
    tokio_test::assert_ready_ok!(auth.poll_ready());
}

#[tokio::test]
async fn r26_a_refused_request_never_reaches_the_inner_service() {
    let (issuer, validator) = static_issuer();
    let (mut auth, mut handle) =
        mock::spawn_layer::<Request<()>, Response<String>, _>(AuthLayer::new(validator));
    handle.allow(100);
    let forger = TestIssuer::oidc(issuer.name());
    let good = issuer.token().sign();
    let (message, _) = good.rsplit_once('.').unwrap();
    for forged in [
        issuer.token().sign_by(&forger),
        format!("{message}.AAAA"),
        format!("{message}."),
        issuer.token().expired().sign(),
    ] {
        tokio_test::assert_ready_ok!(auth.poll_ready());
        let response = auth.call(with_token(&forged)).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
    tokio_test::assert_pending!(handle.poll_request());
}

/// A service that counts the clones of itself, and its calls.
struct Counting {
    clones: Arc<AtomicUsize>,
    calls: Arc<AtomicUsize>,
}

impl Clone for Counting {
    fn clone(&self) -> Self {
        self.clones.fetch_add(1, Ordering::Relaxed);
        Self {
            clones: Arc::clone(&self.clones),
            calls: Arc::clone(&self.calls),
        }
    }
}

impl Service<Request<()>> for Counting {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::Relaxed);
        ready(Ok(Response::new(String::new())))
    }
}

#[tokio::test]
async fn the_inner_service_is_not_cloned_for_a_request_that_need_not_wait() {
    let (issuer, validator) = static_issuer();
    let counting = Counting {
        clones: Arc::default(),
        calls: Arc::default(),
    };
    let (clones, calls) = (Arc::clone(&counting.clones), Arc::clone(&counting.calls));
    let mut service = ServiceBuilder::new()
        .layer(AuthLayer::new(validator))
        .service(counting);
    let service = service.ready().await.unwrap();
    let token = issuer.token().sign();
    service.call(with_token(&token)).await.unwrap();
    assert_eq!(clones.load(Ordering::Relaxed), 0);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_refused_request_holds_no_permit_of_the_inner_service() {
    let (issuer, validator) = static_issuer();
    let mut service = ServiceBuilder::new()
        .layer(AuthLayer::new(validator))
        .layer(ConcurrencyLimitLayer::new(1))
        .service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new())));
    // A server may keep an instance for each connection until the client closes it.
    let mut refused = service.clone();
    let answer = refused.ready().await.unwrap().call(with_token("junk"));
    assert_eq!(answer.await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let token = issuer.token().sign();
    let answer = service.ready().await.unwrap().call(with_token(&token));
    assert_eq!(answer.await.unwrap().status(), StatusCode::OK);
    drop(refused);
}

type Boxed = BoxCloneService<Request<()>, Response<String>, Infallible>;
/// Layers around a service.
type Stack = Box<dyn Fn(Boxed) -> Boxed>;

/// Boxes `service` without the bodies of its responses.
fn boxed<S, B>(service: S) -> Boxed
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: 'static,
{
    BoxCloneService::new(service.map_response(|response| response.map(|_| String::new())))
}

/// A service with one permit, and its permits.
fn limited() -> (Boxed, Arc<Semaphore>) {
    let permits = Arc::new(Semaphore::new(1));
    let service = ServiceBuilder::new()
        .layer(GlobalConcurrencyLimitLayer::with_semaphore(Arc::clone(
            &permits,
        )))
        .service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new())));
    (BoxCloneService::new(service), permits)
}

#[tokio::test]
async fn r60_a_refused_request_holds_nothing_of_the_inner_service_whichever_layer_refuses() {
    let (issuer, known) = static_issuer();
    let unreachable = TestIssuer::oidc("https://unreachable.example/");
    unreachable.fail_fetches(true);
    let validator = validator([
        modeler_auth::Issuer::oidc(issuer.name())
            .audience("test")
            .keys(StaticKeys::from_jwks(issuer.jwks())),
        unreachable.issuer(),
    ]);
    let auth = || AuthLayer::new(validator.clone());
    let rule = || RequirePermissionLayer::new(Permission::Create);
    let stack = |layer: fn(AuthLayer, RequirePermissionLayer<Permission>, Boxed) -> Boxed| {
        let (auth, rule) = (auth(), rule());
        Box::new(move |inner| layer(auth.clone(), rule, inner)) as Stack
    };
    let alone = stack(|auth, _, inner| boxed(auth.layer(inner)));
    let optional = stack(|auth, _, inner| boxed(auth.optional().layer(inner)));
    let both = stack(|auth, rule, inner| boxed(auth.layer(rule.layer(inner))));
    let rule_below_optional =
        stack(|auth, rule, inner| boxed(auth.optional().layer(rule.layer(inner))));
    let no_auth = stack(|_, rule, inner| boxed(rule.layer(inner)));

    let good = issuer.token().sign();
    let reader = issuer.token().permissions([Permission::Read]).sign();
    let elsewhere = unreachable.token().sign();
    let none = || Request::new(());
    let twice = || {
        let mut request = with_token(&good);
        let value = HeaderValue::from_static("Bearer a.b.c");
        request.headers_mut().append("authorization", value);
        request
    };
    for (name, stack, request, status) in [
        ("no token", &alone, none(), 401),
        ("junk", &alone, with_token("junk"), 401),
        ("two headers", &alone, twice(), 400),
        ("no keys", &alone, with_token(&elsewhere), 503),
        ("junk, optional", &optional, with_token("junk"), 401),
        ("no permission", &both, with_token(&reader), 403),
        ("junk, two layers", &both, with_token("junk"), 401),
        ("anonymous", &rule_below_optional, none(), 401),
        ("no layer", &no_auth, with_token(&good), 500),
    ] {
        let (inner, permits) = limited();
        let mut service = stack(inner);
        let answer = service.ready().await.unwrap().call(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{name}");
        // The service still exists, as it would during a connection.
        assert_eq!(permits.available_permits(), 1, "{name}");
        drop(service);
    }
    drop(known);
}

#[tokio::test]
async fn r61_a_request_that_waited_is_decided_again_when_the_service_is_ready() {
    for (change, status) in [("nothing", 200), ("expiry", 401), ("revocation", 401)] {
        let issuer = TestIssuer::self_managed();
        let (keys, clock) = (GatedKeys::new(&issuer), TestClock::new());
        let list = Arc::new(RevocationList::default());
        let trusted = modeler_auth::Issuer::self_managed(issuer.name())
            .keys(keys.clone())
            .revocation(Arc::clone(&list));
        let builder = TokenValidator::builder().issuer(trusted);
        let validator = builder.clock(clock.clone()).build().unwrap();
        let (inner, permits) = limited();
        let mut service = AuthLayer::new(validator.clone()).layer(inner);
        let token = issuer.token().claim("jti", "1").sign();
        let call = service.ready().await.unwrap().call(with_token(&token));
        let mut waiting = tokio_test::task::spawn(call);
        tokio_test::assert_pending!(waiting.poll());
        // The request holds no permit while it waits for keys, so another request can take it.
        let permit = Arc::clone(&permits).try_acquire_owned().unwrap();
        keys.open(1);
        validator.ready().await;
        tokio_test::assert_pending!(waiting.poll());
        match change {
            "expiry" => clock.advance(Duration::from_secs(361)),
            "revocation" => list.revoke_token(issuer.name(), "1"),
            _ => {}
        }
        drop(permit);
        let answer = waiting.await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{change}");
        assert_eq!(permits.available_permits(), 1, "{change}");
        drop(service);
    }
}

#[tokio::test]
async fn r60_a_panic_in_a_mapping_or_a_rule_holds_nothing_either() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let issuer = TestIssuer::oidc("https://issuer.example/");
    let trusted = modeler_auth::Issuer::oidc(issuer.name())
        .audience("test")
        .keys(StaticKeys::from_jwks(issuer.jwks()));
    let panics = |_: &modeler_auth::Claims| panic!("the test says so");
    let auth = AuthLayer::new(validator([trusted.clone().map_claims(panics)]));
    let rule =
        RequirePermissionLayer::new(|_: &Access, _: &modeler_auth::auth::RequestView<'_>| {
            panic!("the test says so")
        });
    let good = AuthLayer::new(validator([trusted]));
    let token = issuer.token().sign();
    for (name, stack) in [
        (
            "mapping",
            Box::new(move |inner| boxed(auth.layer(inner))) as Stack,
        ),
        (
            "rule",
            Box::new(move |inner| boxed(good.layer(rule.layer(inner)))),
        ),
    ] {
        let (inner, permits) = limited();
        let mut service = stack(inner);
        let ready = service.ready().await.unwrap();
        let call = catch_unwind(AssertUnwindSafe(|| drop(ready.call(with_token(&token)))));
        assert!(call.is_err(), "{name}");
        assert_eq!(permits.available_permits(), 1, "{name}");
        drop(service);
    }
}

#[tokio::test]
async fn r61_a_request_that_waited_asks_no_more_than_needed() {
    let issuer = TestIssuer::self_managed();
    let keys = GatedKeys::new(&issuer);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let trusted = modeler_auth::Issuer::self_managed(issuer.name())
        .keys(keys.clone())
        .revocation(move |_: &modeler_auth::issuer::TokenIdentity<'_>| {
            count.fetch_add(1, Ordering::SeqCst);
            false
        });
    let validator = validator([trusted]);
    let (inner, _permits) = limited();
    let mut service = AuthLayer::new(validator.clone()).layer(inner);
    let token = issuer.token().sign();
    let call = service.ready().await.unwrap().call(with_token(&token));
    let mut waiting = tokio_test::task::spawn(call);
    tokio_test::assert_pending!(waiting.poll());
    keys.open(1);
    validator.ready().await;
    assert_eq!(waiting.await.unwrap().status(), StatusCode::OK);
    // The service was ready at once, so no time has passed since the decision.
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn f36_a_request_that_waits_for_keys_holds_no_permit_of_the_inner_service() {
    let issuer = TestIssuer::self_managed();
    let other = TestIssuer::oidc("https://other.example/");
    let keys = GatedKeys::new(&issuer);
    let slow = modeler_auth::Issuer::self_managed(issuer.name()).keys(keys.clone());
    let validator = validator([slow, other.issuer()]);
    // This loads the keys of `other`.
    validator.validate(&other.token().sign()).await.unwrap();
    let mut service = ServiceBuilder::new()
        .layer(AuthLayer::new(validator))
        .layer(ConcurrencyLimitLayer::new(1))
        .service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new())));

    let mut first = service.clone();
    let waiting = first
        .ready()
        .await
        .unwrap()
        .call(with_token(&issuer.token().sign()));
    let waiting = tokio::spawn(waiting);
    tokio::task::yield_now().await;

    // The only permit is free, although `first` still exists.
    let token = other.token().sign();
    let answer = service.ready().await.unwrap().call(with_token(&token));
    assert_eq!(answer.await.unwrap().status(), StatusCode::OK);

    keys.open(1);
    assert_eq!(waiting.await.unwrap().unwrap().status(), StatusCode::OK);
    drop(first);
}

#[tokio::test]
async fn an_error_of_the_inner_service_passes() {
    let (issuer, validator) = static_issuer();
    let (mut auth, mut handle) =
        mock::spawn_layer::<Request<()>, Response<String>, _>(AuthLayer::new(validator));
    handle.allow(1);
    tokio_test::assert_ready_ok!(auth.poll_ready());
    let answer = auth.call(with_token(&issuer.token().sign()));
    let (_, reply) = handle.next_request().await.unwrap();
    reply.send_error(failure());
    assert!(answer.await.is_err());
}

#[tokio::test]
async fn the_info_service_needs_nothing_but_tower() {
    let (issuer, _) = static_issuer();
    let managed = TestIssuer::self_managed();
    let validator = validator([managed.issuer(), issuer.issuer()]);
    let service = ServiceBuilder::new()
        .layer(AuthLayer::new(validator))
        .service(InfoService::new());
    let ask = |method: Method, path: &str| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(
                "authorization",
                format!("Bearer {}", managed.token().sign()),
            )
            .body(())
            .unwrap();
        service.clone().oneshot(request)
    };
    let answer = ask(Method::GET, "/v1/info").await.unwrap();
    assert!(text(answer).await.starts_with("{\"version\":\"v1\","));
    let answer = ask(Method::POST, "/api/v1/info").await.unwrap();
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers()["allow"], "GET, HEAD");
    let answer = ask(Method::GET, "/api/v7/info").await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

/// Rules about paths in a router that is nested in another, with the `AuthLayer` around either.
#[tokio::test]
async fn a86_a_rule_sees_the_path_before_a_router_strips_a_prefix() {
    let issuer = TestIssuer::self_managed();
    let auth = || AuthLayer::new(validator([issuer.issuer()]));
    let inner = || {
        let rule = |_: &Access, request: &RequestView<'_>| {
            let is_denied =
                request.path() == "/api/v1/admin" || request.uri().path() == "/api/v1/admin";
            if is_denied {
                Err(Denied::needs("admin"))
            } else {
                Ok(())
            }
        };
        Router::new()
            .route("/admin", any(|| async {}))
            .route("/users", any(|| async {}))
            .layer(RequirePermissionLayer::new(rule))
    };
    let once = |inner: Router| Router::new().nest("/api/v1", inner);
    let service = |inner: Router| Router::new().nest_service("/api/v1", inner);
    let twice = |inner: Router| Router::new().nest("/api", Router::new().nest("/{version}", inner));
    let token = issuer.token().sign();
    for (number, app) in [
        once(inner()).layer(auth()),
        once(inner().layer(auth())),
        service(inner()).layer(auth()),
        service(inner().layer(auth())),
        twice(inner()).layer(auth()),
        twice(inner().layer(auth())),
    ]
    .into_iter()
    .enumerate()
    {
        let denied = get(&app, "/api/v1/admin?x", &token).await;
        assert_eq!(denied.status, 403, "router {number}");
        assert_eq!(
            get(&app, "/api/v1/users", &token).await.status,
            200,
            "router {number}"
        );
    }
}
