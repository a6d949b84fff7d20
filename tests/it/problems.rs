//! Bodies of rejections: problem details, and the path of the request in them.

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Method, Request, Response, Uri},
    routing::{any, get as get_route},
};
use modeler_auth::{
    Access, AuthError, AuthLayer, AuthorizedOrganization, InfoService, Permission,
    RequirePermissionLayer, TokenValidator, camunda::HubProblem, test_util::TestIssuer,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::support::{Answer, GatedKeys, send, validator};

/// A router with every service that rejects.
fn routes() -> Router {
    Router::new()
        .route("/create", any(|| async {}))
        .route_layer(RequirePermissionLayer::new(Permission::Create))
        .route("/access", any(|_: Access| async {}))
        .route("/maybe", any(|_: Option<Access>| async {}))
        .route(
            "/organization",
            get_route(|_: AuthorizedOrganization| async {}),
        )
        .route_service("/{version}/info", InfoService::new())
}

struct Issuers {
    /// The organization of its tokens is known.
    managed: TestIssuer,
    plain: TestIssuer,
    unreachable: TestIssuer,
}

impl Issuers {
    fn new() -> Self {
        let unreachable = TestIssuer::oidc("https://unreachable.example/");
        unreachable.fail_fetches(true);
        Self {
            managed: TestIssuer::self_managed(),
            plain: TestIssuer::oidc("https://plain.example/"),
            unreachable,
        }
    }

    fn validator(&self) -> TokenValidator {
        validator([
            self.managed.issuer(),
            self.plain.issuer(),
            self.unreachable.issuer(),
        ])
    }

    /// Each kind of rejection: a path, an `Authorization` header, and the status.
    fn rejections(&self) -> Vec<(&'static str, Option<String>, u16)> {
        let bearer = |token: String| Some(format!("Bearer {token}"));
        let reader = self.managed.token().permissions([Permission::Read]);
        vec![
            ("/access", None, 401),
            ("/access", Some("Basic YTpi".to_owned()), 401),
            ("/access", Some("Bearer".to_owned()), 400),
            ("/access", bearer("junk".to_owned()), 401),
            (
                "/v1/info",
                bearer(self.managed.token().expired().sign()),
                401,
            ),
            ("/create", bearer(reader.sign()), 403),
            ("/organization", bearer(self.plain.token().sign()), 403),
            ("/v2/info", bearer(self.plain.token().sign()), 403),
            ("/access", bearer(self.unreachable.token().sign()), 503),
        ]
    }
}

async fn ask(app: &Router, uri: &str, authorization: Option<&str>) -> Answer {
    let mut request = Request::get(uri);
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    send(app, request.body(Body::empty()).unwrap()).await
}

fn problem(answer: &Answer) -> Value {
    let kind = answer.header("content-type");
    assert_eq!(kind, Some("application/problem+json"));
    serde_json::from_str(&answer.body).unwrap()
}

#[tokio::test]
async fn r64_a_problem_has_five_members_and_names_the_path_as_sent() {
    let issuers = Issuers::new();
    let auth = || AuthLayer::new(issuers.validator());
    for (prefix, app) in [
        ("", routes().layer(auth())),
        ("/api", Router::new().nest("/api", routes()).layer(auth())),
        ("/api", Router::new().nest("/api", routes().layer(auth()))),
        (
            "/api/hub",
            Router::new().nest_service("/api", Router::new().nest("/hub", routes().layer(auth()))),
        ),
    ] {
        for (path, authorization, status) in issuers.rejections() {
            let uri = format!("http://service.example{prefix}{path}?secret=1");
            let answer = ask(&app, &uri, authorization.as_deref()).await;
            assert_eq!(answer.status.as_u16(), status, "{uri}");
            let problem = problem(&answer);
            let members: Vec<_> = problem.as_object().unwrap().keys().collect();
            assert_eq!(
                members,
                ["detail", "instance", "status", "title", "type"],
                "{uri}"
            );
            assert_eq!(problem["instance"], format!("{prefix}{path}"), "{uri}");
        }
    }
}

#[tokio::test]
async fn r64_a_problem_has_exact_bytes() {
    let app = routes().layer(AuthLayer::new(Issuers::new().validator()));
    assert_eq!(
        ask(&app, "/access?x", None).await.body,
        r#"{"type":"about:blank","title":"Unauthorized","status":401,"detail":"A Bearer token is required","instance":"/access"}"#
    );
}

#[tokio::test]
async fn r64_an_optional_layer_names_the_path_too() {
    let app = routes().layer(AuthLayer::new(Issuers::new().validator()).optional());
    for path in ["/access", "/create", "/organization", "/v1/info"] {
        let answer = ask(&app, path, None).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(problem(&answer)["instance"], path);
    }
    assert_eq!(ask(&app, "/maybe", None).await.status, 200);
}

#[tokio::test]
async fn r64_a_request_that_waited_is_named_too() {
    let issuer = TestIssuer::self_managed();
    let keys = GatedKeys::new(&issuer);
    let trusted = modeler_auth::Issuer::self_managed(issuer.name()).keys(keys.clone());
    let app = routes().layer(AuthLayer::new(validator([trusted])));
    let stranger = TestIssuer::self_managed().token().sign();
    let authorization = format!("Bearer {stranger}");
    let asked = ask(&app, "/access?x", Some(&authorization));
    let mut waiting = tokio_test::task::spawn(asked);
    assert!(waiting.poll().is_pending());
    keys.open(2);
    let answer = waiting.await;
    assert_eq!(answer.status, 401);
    assert_eq!(problem(&answer)["instance"], "/access");
}

#[tokio::test]
async fn r65_the_texts_of_the_hub_api() {
    let issuers = Issuers::new();
    let app = routes().layer(AuthLayer::new(issuers.validator()).reject_with(HubProblem));
    for (path, authorization, status) in issuers.rejections() {
        let answer = ask(&app, path, authorization.as_deref()).await;
        let (title, detail) = match status {
            400 => ("Bad Request", "The Authorization header is malformed"),
            401 => (
                "Unauthorized",
                "The supplied authentication is not authorized to access this resource.",
            ),
            403 => (
                "Forbidden",
                "Operation not allowed. Ensure your API credentials have the required permissions.",
            ),
            _ => (
                "Service Unavailable",
                "The token cannot be checked right now",
            ),
        };
        let expected = json!({
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": detail,
            "instance": path,
        });
        assert_eq!(problem(&answer), expected);
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge.is_some(), status != 503, "{path}");
    }
}

/// The info service answers unknown versions and other methods in the form of the rejections.
#[tokio::test]
async fn r64_404_and_405_of_the_info_service_are_problems() {
    let issuers = Issuers::new();
    let token = issuers.managed.token().sign();
    let layers = [
        AuthLayer::new(issuers.validator()),
        AuthLayer::new(issuers.validator()).optional(),
    ];
    for layer in layers {
        let app = Router::new().nest("/api", routes().layer(layer));
        for (method, path, status, title, detail) in [
            (
                Method::GET,
                "/api/v7/info",
                404,
                "Not Found",
                "The service has no such resource",
            ),
            (
                Method::POST,
                "/api/v1/info",
                405,
                "Method Not Allowed",
                "The resource allows only GET and HEAD",
            ),
        ] {
            let ask = async |method: &Method, authorization: Option<&str>| {
                let mut request = Request::builder().method(method).uri(format!("{path}?x"));
                if let Some(authorization) = authorization {
                    request = request.header("authorization", authorization);
                }
                send(&app, request.body(Body::empty()).unwrap()).await
            };
            let authorization = format!("Bearer {token}");
            let answer = ask(&method, Some(&authorization)).await;
            assert_eq!(answer.status, status);
            let expected = json!({
                "type": "about:blank",
                "title": title,
                "status": status,
                "detail": detail,
                "instance": path,
            });
            assert_eq!(problem(&answer), expected);
            let allowed = (status == 405).then_some("GET, HEAD");
            assert_eq!(answer.header("allow"), allowed);
            assert_eq!(answer.header("www-authenticate"), None);

            let answer = ask(&method, None).await;
            assert_eq!(answer.status, 401, "{path}");
            assert_eq!(problem(&answer)["instance"], path);
        }
    }
}

/// Over HTTP, `HEAD` gets the headers of `GET` and no body.
#[tokio::test]
async fn r64_the_response_to_head_has_no_body() {
    let issuers = Issuers::new();
    let app = routes().layer(AuthLayer::new(issuers.validator()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let authorization = format!(
        "authorization: Bearer {}\r\n",
        issuers.managed.token().sign()
    );
    for (path, authorization, status) in [
        ("/v1/info", authorization.as_str(), 200),
        ("/v7/info", authorization.as_str(), 404),
        ("/v1/info", "", 401),
    ] {
        let mut answers = Vec::new();
        for method in ["GET", "HEAD"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request = format!(
                "{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{authorization}\r\n"
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
            let headers = head.lines().filter(|line| !line.starts_with("date:"));
            let mut headers: Vec<_> = headers.map(str::to_owned).collect();
            headers.sort_unstable();
            answers.push((headers, body.len()));
        }
        let [(get, length), (head, nothing)] = &answers[..] else {
            panic!("two answers");
        };
        assert_eq!(get, head, "{path}");
        assert!(
            get.contains(&format!("content-length: {length}")),
            "{get:?}"
        );
        assert!(*length > 0 && *nothing == 0, "{path}");
    }
}

/// Sends a request without a token through the layer alone, and returns the `instance`.
async fn instance(layer: &AuthLayer, method: Method, uri: Uri) -> String {
    let open = service_fn(async |_: Request<()>| {
        Ok::<_, std::convert::Infallible>(Response::new(String::new()))
    });
    let request = Request::builder().method(method).uri(uri).body(()).unwrap();
    let response = layer.layer(open).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 401);
    let body = axum::body::to_bytes(axum::body::Body::new(response.into_body()), 1 << 12);
    let problem: Value = serde_json::from_slice(&body.await.unwrap()).unwrap();
    problem["instance"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a89_hostile_paths() {
    let layer = AuthLayer::new(Issuers::new().validator());
    let long = format!("/{}", "a".repeat(8191));
    let escapes = format!("/a{}", "%C3%A4".repeat(1365));
    for (uri, expected) in [
        (long.as_str(), &long[..256]),
        (&escapes, &escapes[..254]),
        ("/a/../../etc/passwd", "/a/../../etc/passwd"),
        ("/%2e%2e/%00%0d%0a", "/%2e%2e/%00%0d%0a"),
        ("/%c3%a4?%c3%a4", "/%c3%a4"),
        ("/ä", "/%C3%A4"),
        ("/%zz%", "/%25zz%25"),
        ("/\"},{\"", "/%22%7D,%7B%22"),
        ("/a'|^\\b", "/a'%7C%5E%5Cb"),
        ("//evil.example/a", "/%2Fevil.example/a"),
        ("/\\evil.example/a", "/%5Cevil.example/a"),
        ("http://evil.example", "/"),
        ("http://user:secret@evil.example//a?b", "/%2Fa"),
        ("/?access_token=secret", "/"),
    ] {
        let instance = instance(&layer, Method::GET, uri.parse().unwrap()).await;
        assert_eq!(instance, expected, "{uri}");
    }
    let options = instance(&layer, Method::OPTIONS, Uri::from_static("*")).await;
    assert_eq!(options, "*");
    let authority = Uri::from_static("service.example:443");
    let connect = instance(&layer, Method::CONNECT, authority).await;
    assert_eq!(connect, "");
}

#[tokio::test]
async fn a89_hostile_paths_of_the_info_service() {
    let issuers = Issuers::new();
    let service = AuthLayer::new(issuers.validator()).layer(InfoService::new());
    let app = Router::new().fallback_service(service);
    let authorization = format!("Bearer {}", issuers.managed.token().sign());
    for (uri, expected) in [
        ("//evil.example/v7/info", "/%2Fevil.example/v7/info"),
        ("/\"},{\"/info?access_token=secret", "/%22%7D,%7B%22/info"),
    ] {
        let answer = ask(&app, uri, Some(&authorization)).await;
        assert_eq!(answer.status, 404, "{uri}");
        assert_eq!(problem(&answer)["instance"], expected, "{uri}");
    }
}

#[tokio::test]
async fn a_custom_renderer_gets_the_path() {
    let layer = AuthLayer::new(Issuers::new().validator())
        .reject_with_fn(|rejection| rejection.response(rejection.path().into_owned()));
    let app = routes().layer(layer);
    assert_eq!(ask(&app, "/access?x", None).await.body, "/access");
}

#[tokio::test]
async fn the_path_of_an_error_without_a_request_is_empty() {
    async fn check(State(validator): State<TokenValidator>) -> Result<(), AuthError> {
        validator.validate("junk").await.map(drop)
    }
    let validator = Issuers::new().validator();
    let app = Router::new()
        .route("/check", get_route(check))
        .with_state(validator.clone())
        .layer(AuthLayer::new(validator).optional());
    let answer = ask(&app, "/check", None).await;
    assert_eq!(answer.status, 401);
    assert_eq!(problem(&answer)["instance"], "");
}
