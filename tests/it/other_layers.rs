//! Positions of the layers of tower-http relative to `AuthLayer`, and the consequence of the other
//! position.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, Method, Request, header},
    middleware,
    routing::post,
};
use modeler_auth::{
    AuthLayer, Issuer, Permission, RequirePermissionLayer,
    reject::{Problem, Reject as _, Rejection},
    test_util::TestIssuer,
};
use modeler_auth_testkit::server::Server;
use tower::{ServiceBuilder, ServiceExt as _};
use tower_http::{
    cors::{Any, CorsLayer},
    limit::RequestBodyLimitLayer,
    trace::{DefaultMakeSpan, TraceLayer},
};
use tracing::{Span, field, level_filters::LevelFilter};

use crate::{
    log::Log,
    support::{Answer, send, validator},
};

const ORIGIN: &str = "https://app.example";
const ALLOWED_ORIGIN: HeaderName = header::ACCESS_CONTROL_ALLOW_ORIGIN;

fn auth(issuer: &TestIssuer) -> AuthLayer {
    AuthLayer::new(validator([issuer.issuer()]))
}

/// Handler that reads the body, and one behind a permission that the tokens of [`reader`] lack.
fn routes() -> Router {
    Router::new()
        .route("/create", post(async || "created"))
        .route_layer(RequirePermissionLayer::new(Permission::Create))
        .route(
            "/",
            post(async |body: Bytes| format!("{} bytes", body.len())),
        )
}

fn reader(issuer: &TestIssuer) -> String {
    issuer.token().permissions([Permission::Read]).sign()
}

fn request(path: &str, token: Option<&str>) -> Request<Body> {
    let request = Request::post(path).header("origin", ORIGIN);
    let request = match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    };
    request.body(Body::empty()).unwrap()
}

/// The request that a browser sends before a `POST` with a token. It carries no token.
fn preflight() -> Request<Body> {
    Request::options("/")
        .header("origin", ORIGIN)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization")
        .body(Body::empty())
        .unwrap()
}

fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin([HeaderValue::from_static(ORIGIN)])
        .allow_methods([Method::POST])
        .allow_headers([header::AUTHORIZATION])
        .expose_headers([header::WWW_AUTHENTICATE, header::RETRY_AFTER])
}

fn allowed_origin(answer: &Answer) -> Option<&str> {
    answer.header(ALLOWED_ORIGIN.as_str())
}

#[tokio::test]
async fn cors_outside_answers_the_preflight_and_lets_a_browser_read_rejections() {
    let issuer = TestIssuer::self_managed();
    let token = reader(&issuer);
    for app in [
        routes().layer(auth(&issuer)).layer(cors()),
        routes().layer(ServiceBuilder::new().layer(cors()).layer(auth(&issuer))),
    ] {
        let answer = send(&app, preflight()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(allowed_origin(&answer), Some(ORIGIN));
        let headers = answer.header("access-control-allow-headers");
        assert_eq!(headers, Some("authorization"));
        for (path, token, status) in [
            ("/", None, 401),
            ("/", Some("junk"), 401),
            ("/create", Some(&*token), 403),
            ("/", Some(&token), 200),
        ] {
            let answer = send(&app, request(path, token)).await;
            assert_eq!(answer.status, status);
            assert_eq!(allowed_origin(&answer), Some(ORIGIN), "{status}");
            let exposed = answer.header("access-control-expose-headers").unwrap();
            assert_eq!(exposed, "www-authenticate,retry-after", "{status}");
        }
    }
}

#[tokio::test]
async fn cors_inside_leaves_the_preflight_and_rejections_without_its_headers() {
    let issuer = TestIssuer::self_managed();
    let app = routes().layer(cors()).layer(auth(&issuer));
    for request in [preflight(), request("/", None), request("/", Some("junk"))] {
        let answer = send(&app, request).await;
        assert_eq!(answer.status, 401);
        assert_eq!(allowed_origin(&answer), None);
    }
    // The layer is at work: accepted requests reach it, and so do those that a rule rejects.
    for (path, status) in [("/", 200), ("/create", 403)] {
        let answer = send(&app, request(path, Some(&reader(&issuer)))).await;
        assert_eq!(answer.status, status);
        assert_eq!(allowed_origin(&answer), Some(ORIGIN), "{status}");
    }
}

/// tower-http answers `*`, which stands for every request header except `Authorization` (Fetch standard,
/// CORS-preflight fetch).
#[tokio::test]
async fn any_header_in_cors_does_not_name_authorization() {
    let issuer = TestIssuer::self_managed();
    let app = routes()
        .layer(auth(&issuer))
        .layer(cors().allow_headers(Any));
    let answer = send(&app, preflight()).await;
    assert_eq!(answer.header("access-control-allow-headers"), Some("*"));
}

/// The lines of `log` that contain `text`.
fn lines(log: &Log, text: &str) -> Vec<String> {
    let log = log.text();
    let lines = log.lines().filter(|line| line.contains(text));
    lines.map(str::to_owned).collect()
}

const RESPONSE: &str = "finished processing request";

#[tokio::test]
async fn tracing_outside_sees_rejections_and_its_span_surrounds_the_log_lines_about_them() {
    let issuer = TestIssuer::self_managed();
    let (log, _guard) = Log::capture(LevelFilter::DEBUG);
    let app = routes()
        .layer(auth(&issuer))
        .layer(TraceLayer::new_for_http());
    assert_eq!(send(&app, request("/?a", Some("junk"))).await.status, 401);
    let responses = lines(&log, RESPONSE);
    assert_eq!(responses.len(), 1, "{responses:?}");
    assert!(responses[0].contains("status=401"), "{responses:?}");
    let rejected = lines(&log, "request rejected");
    assert_eq!(rejected.len(), 1, "{rejected:?}");
    assert!(rejected[0].contains("uri=/?a"), "{rejected:?}");
}

#[tokio::test]
async fn tracing_inside_sees_no_request_without_a_valid_token() {
    let issuer = TestIssuer::self_managed();
    let (log, _guard) = Log::capture(LevelFilter::DEBUG);
    let app = routes()
        .layer(TraceLayer::new_for_http())
        .layer(auth(&issuer));
    assert_eq!(send(&app, request("/?a", Some("junk"))).await.status, 401);
    assert!(lines(&log, RESPONSE).is_empty());
    let rejected = lines(&log, "request rejected");
    assert_eq!(rejected.len(), 1, "{rejected:?}");
    assert!(!rejected[0].contains("uri="), "{rejected:?}");
    let token = reader(&issuer);
    assert_eq!(send(&app, request("/", Some(&token))).await.status, 200);
    assert_eq!(lines(&log, RESPONSE).len(), 1);
}

#[tokio::test]
async fn a_span_outside_gets_the_subject_and_the_reason_from_inside() {
    let issuer = TestIssuer::self_managed();
    let (log, _guard) = Log::capture(LevelFilter::DEBUG);
    let reject = |rejection: &Rejection<'_>| {
        Span::current().record("reason", rejection.error().reason());
        Problem.reject(rejection)
    };
    let span = |_: &Request<Body>| {
        tracing::info_span!("request", subject = field::Empty, reason = field::Empty)
    };
    let app = routes()
        .layer(auth(&issuer).record_in_span().reject_with(reject))
        .layer(TraceLayer::new_for_http().make_span_with(span));
    let token = issuer.token().subject("ada\n").sign();
    let expired = issuer.token().expired().sign();
    for token in [&token, &expired] {
        send(&app, request("/", Some(token))).await;
    }
    let responses = lines(&log, RESPONSE);
    assert_eq!(responses.len(), 2, "{responses:?}");
    // The subscriber escapes the text.
    assert!(responses[0].contains(r#"subject="ada\n""#), "{responses:?}");
    assert!(!responses[0].contains("reason"), "{responses:?}");
    assert!(
        responses[1].contains(r#"reason="expired""#),
        "{responses:?}"
    );
    assert!(!responses[1].contains("subject"), "{responses:?}");
}

#[tokio::test]
async fn r85_a_span_gets_the_fields_that_it_declares_from_accepted_tokens_only() {
    let issuer = TestIssuer::saas();
    let token = issuer.token().client("tool").subject("ada").sign();
    let expired = issuer.token().subject("ada").expired().sign();
    let all = |_: &Request<Body>| {
        tracing::info_span!(
            "request",
            subject = field::Empty,
            client = field::Empty,
            organization = field::Empty
        )
    };
    let some = |_: &Request<Body>| tracing::info_span!("request", client = field::Empty);
    let organization = "organization=\"12345678-";
    let (subject, client) = (r#"subject="ada""#, r#"client="tool""#);
    let none: &[&str] = &[];
    let traced = |layer: AuthLayer| routes().layer(layer);
    let trace = TraceLayer::new_for_http;
    let recorded = || traced(auth(&issuer).record_in_span());
    for (app, token, expected) in [
        (
            recorded().layer(trace().make_span_with(all)),
            &token,
            &[subject, client, organization][..],
        ),
        (
            recorded().layer(trace().make_span_with(some)),
            &token,
            &[client],
        ),
        (
            recorded().layer(trace().make_span_with(all)),
            &expired,
            none,
        ),
        (
            traced(auth(&issuer)).layer(trace().make_span_with(all)),
            &token,
            none,
        ),
    ] {
        let (log, _guard) = Log::capture(LevelFilter::DEBUG);
        send(&app, request("/", Some(token))).await;
        let responses = lines(&log, RESPONSE);
        assert_eq!(responses.len(), 1, "{responses:?}");
        for field in [subject, client, organization] {
            let is_expected = expected.contains(&field);
            assert_eq!(
                responses[0].contains(field),
                is_expected,
                "{field}: {responses:?}"
            );
        }
    }
}

/// The request waits for keys, so that the future of the response accepts the token.
#[tokio::test]
async fn r85_the_first_request_is_recorded_too() {
    let server = Server::start().await;
    let issuer = TestIssuer::oidc(&server.url("/a"));
    server.discovery("/a", issuer.name(), &server.url("/jwks"));
    server.text("/jwks", issuer.jwks());
    let validator = validator([Issuer::oidc(issuer.name()).audience("test")]);
    let span = |_: &Request<Body>| tracing::info_span!("request", client = field::Empty);
    let app = routes()
        .layer(AuthLayer::new(validator).record_in_span())
        .layer(TraceLayer::new_for_http().make_span_with(span));
    let (log, _guard) = Log::capture(LevelFilter::DEBUG);
    let token = issuer.token().client("tool").sign();
    assert_eq!(send(&app, request("/", Some(&token))).await.status, 200);
    assert_eq!(server.asked().len(), 2);
    let responses = lines(&log, RESPONSE);
    assert!(responses[0].contains(r#"client="tool""#), "{responses:?}");
}

#[tokio::test]
async fn a_span_with_headers_contains_the_token_unless_the_header_is_sensitive() {
    let issuer = TestIssuer::self_managed();
    let with_headers = || {
        let span = DefaultMakeSpan::new().include_headers(true);
        TraceLayer::new_for_http().make_span_with(span)
    };
    let hide = middleware::map_request(async |mut request: Request<Body>| {
        if let Some(value) = request.headers_mut().get_mut("authorization") {
            value.set_sensitive(true);
        }
        request
    });
    let token = reader(&issuer);
    for (app, is_shown) in [
        (routes().layer(auth(&issuer)).layer(with_headers()), true),
        (
            routes()
                .layer(auth(&issuer))
                .layer(with_headers())
                .layer(hide),
            false,
        ),
    ] {
        let (log, _guard) = Log::capture(LevelFilter::DEBUG);
        assert_eq!(send(&app, request("/", Some(&token))).await.status, 200);
        assert_eq!(log.text().contains(&token), is_shown);
        assert_eq!(lines(&log, RESPONSE).len(), 1);
    }
}

const LIMIT: usize = 8;

/// A request with a body beyond the limit; its length is declared, or only seen when the body is read.
fn long(token: Option<&str>, is_length_declared: bool) -> Request<Body> {
    let mut request = request("/", token);
    if is_length_declared {
        let length = HeaderValue::from(LIMIT + 1);
        request.headers_mut().insert("content-length", length);
    }
    *request.body_mut() = Body::from("x".repeat(LIMIT + 1));
    request
}

/// Answers to a long body without and with a token, each with and without a declared length.
async fn answers_to_long_bodies(app: &Router, token: &str) -> [u16; 4] {
    let mut statuses = Vec::new();
    for (token, is_length_declared) in [
        (None, true),
        (None, false),
        (Some(token), true),
        (Some(token), false),
    ] {
        let answer = send(app, long(token, is_length_declared)).await;
        statuses.push(answer.status.as_u16());
    }
    statuses.try_into().unwrap()
}

#[tokio::test]
async fn a_body_limit_may_be_on_either_side() {
    let issuer = TestIssuer::self_managed();
    let token = reader(&issuer);
    let limit = || RequestBodyLimitLayer::new(LIMIT);
    let outside = [
        routes().layer(auth(&issuer)).layer(limit()),
        routes().layer(ServiceBuilder::new().layer(limit()).layer(auth(&issuer))),
    ];
    for app in outside {
        let statuses = answers_to_long_bodies(&app, &token).await;
        assert_eq!(statuses, [413, 401, 413, 413]);
    }
    let inside = routes().layer(limit()).layer(auth(&issuer));
    let statuses = answers_to_long_bodies(&inside, &token).await;
    assert_eq!(statuses, [401, 401, 413, 413]);
    // The limit of axum's extractors is a request extension.
    for app in [
        routes()
            .layer(auth(&issuer))
            .layer(DefaultBodyLimit::max(LIMIT)),
        routes()
            .layer(DefaultBodyLimit::max(LIMIT))
            .layer(auth(&issuer)),
    ] {
        let statuses = answers_to_long_bodies(&app, &token).await;
        assert_eq!(statuses, [401, 401, 413, 413]);
    }
}

#[tokio::test]
async fn the_layer_does_not_read_the_body() {
    let issuer = TestIssuer::self_managed();
    let app = Router::new()
        .route("/", post(async || "ok"))
        .layer(auth(&issuer));
    let token = reader(&issuer);
    for (token, status) in [(None, 401), (Some("junk"), 401), (Some(&*token), 200)] {
        let mut request = request("/", token);
        // A body whose reading fails the test.
        let unread = futures_util::stream::poll_fn(
            |_| -> std::task::Poll<Option<Result<Bytes, axum::Error>>> {
                panic!("the body is read")
            },
        );
        *request.body_mut() = Body::from_stream(unread);
        assert_eq!(send(&app, request).await.status, status);
    }
}

#[tokio::test]
async fn a_wrapped_response_body_needs_no_conversion() {
    let issuer = TestIssuer::self_managed();
    // Both layers inside `AuthLayer` wrap the body of the response.
    let service = ServiceBuilder::new()
        .layer(auth(&issuer))
        .layer(RequestBodyLimitLayer::new(LIMIT))
        .layer(TraceLayer::new_for_http())
        .service(routes());
    for (request, status, text) in [
        (request("/", None), 401, "A Bearer token is required"),
        (
            request("/create", Some(&reader(&issuer))),
            403,
            "does not permit",
        ),
        (long(Some(&reader(&issuer)), true), 413, "length limit"),
        (request("/", Some(&reader(&issuer))), 200, "0 bytes"),
    ] {
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status);
        let body = axum::body::to_bytes(Body::new(response.into_body()), 1 << 10);
        let body = String::from_utf8(body.await.unwrap().to_vec()).unwrap();
        assert!(body.contains(text), "{body}");
    }
}
