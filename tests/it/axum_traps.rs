//! Consequences of the place at which the layer is added to a `Router` of axum, and of connections
//! that outlive the check of the token. `docs/axum.md` describes each of them.

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, WebSocketUpgrade, ws},
    http::{Method, StatusCode},
    middleware::{Next, from_fn},
    response::{IntoResponse as _, Response, Sse, sse},
    routing::get,
};
use futures_util::stream;
use modeler_auth::{
    Access, AuthLayer, Permission, RequirePermissionLayer, TokenValidator,
    axum::{Authorized, Create},
    test_util::{TestClock, TestIssuer},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tonic::service::Routes;
use tracing::level_filters::LevelFilter;

use crate::{
    log::Log,
    support::{Answer, send, validator},
};

struct Fixture {
    validator: TokenValidator,
    token: String,
}

fn fixture() -> Fixture {
    let issuer = TestIssuer::self_managed();
    Fixture {
        validator: validator([issuer.issuer()]),
        token: issuer.token().permissions([Permission::Read]).sign(),
    }
}

impl Fixture {
    fn auth(&self) -> AuthLayer {
        AuthLayer::new(self.validator.clone())
    }

    /// The statuses of a request without and with a token.
    async fn statuses(&self, app: &Router, method: Method, path: &str) -> [u16; 2] {
        let [without, with] = self.answers(app, method, path).await;
        [without.status.as_u16(), with.status.as_u16()]
    }

    async fn answers(&self, app: &Router, method: Method, path: &str) -> [Answer; 2] {
        let request = || {
            let request = Request::builder().method(method.clone()).uri(path);
            request.body(Body::empty()).unwrap()
        };
        let mut authorized = request();
        let value = format!("Bearer {}", self.token).parse().unwrap();
        authorized.headers_mut().insert("authorization", value);
        [send(app, request()).await, send(app, authorized).await]
    }
}

fn known() -> Router {
    Router::new().route("/known", get(async || "known"))
}

#[tokio::test]
async fn layer_covers_unknown_paths_and_methods() {
    let fixture = fixture();
    let app = known().layer(fixture.auth());
    for (method, path, statuses) in [
        (Method::GET, "/known", [401, 200]),
        (Method::POST, "/known", [401, 405]),
        (Method::GET, "/unknown", [401, 404]),
    ] {
        assert_eq!(
            fixture.statuses(&app, method, path).await,
            statuses,
            "{path}"
        );
    }
}

#[tokio::test]
async fn route_layer_covers_unknown_methods_but_not_unknown_paths() {
    let fixture = fixture();
    let app = known().route_layer(fixture.auth());
    for (method, path, statuses) in [
        (Method::GET, "/known", [401, 200]),
        (Method::POST, "/known", [401, 405]),
        (Method::GET, "/unknown", [404, 404]),
    ] {
        assert_eq!(
            fixture.statuses(&app, method, path).await,
            statuses,
            "{path}"
        );
    }
}

/// A permission layer on all of a router also answers unknown paths: 403, and never 404.
#[tokio::test]
async fn a_permission_as_layer_covers_unknown_paths_too() {
    let fixture = fixture();
    let require = || RequirePermissionLayer::new(Permission::Create);
    let layered = known().layer(require()).layer(fixture.auth());
    let route_layered = known().route_layer(require()).layer(fixture.auth());
    for (app, unknown) in [(layered, [401, 403]), (route_layered, [401, 404])] {
        assert_eq!(
            fixture.statuses(&app, Method::GET, "/known").await,
            [401, 403]
        );
        assert_eq!(
            fixture.statuses(&app, Method::GET, "/unknown").await,
            unknown
        );
    }
}

#[test]
#[should_panic(expected = "Adding a route_layer before any routes is a no-op")]
fn route_layer_before_the_first_route_panics() {
    let _ = Router::<()>::new().route_layer(fixture().auth());
}

#[tokio::test]
async fn routes_and_a_fallback_that_are_added_after_the_layer_are_public() {
    let fixture = fixture();
    let app = known()
        .layer(fixture.auth())
        .route("/later", get(async || "later"));
    assert_eq!(
        fixture.statuses(&app, Method::GET, "/known").await,
        [401, 200]
    );
    assert_eq!(
        fixture.statuses(&app, Method::GET, "/later").await,
        [200, 200]
    );

    let fallback = async || "fallback";
    let before = known().fallback(fallback).layer(fixture.auth());
    assert_eq!(
        fixture.statuses(&before, Method::GET, "/unknown").await,
        [401, 200]
    );
    let after = known().layer(fixture.auth()).fallback(fallback);
    assert_eq!(
        fixture.statuses(&after, Method::GET, "/unknown").await,
        [200, 200]
    );
    assert_eq!(
        fixture.statuses(&after, Method::GET, "/known").await,
        [401, 200]
    );

    // Methods that are added to a covered path are public as well.
    let app = known()
        .layer(fixture.auth())
        .route("/known", axum::routing::post(async || "posted"));
    assert_eq!(
        fixture.statuses(&app, Method::GET, "/known").await,
        [401, 200]
    );
    assert_eq!(
        fixture.statuses(&app, Method::POST, "/known").await,
        [200, 200]
    );
}

#[tokio::test]
async fn a_layer_of_a_nested_router_covers_its_routes_only() {
    let fixture = fixture();
    let app = Router::new()
        .nest("/api", known().layer(fixture.auth()))
        .route("/public", get(async || "public"));
    for (path, statuses) in [
        ("/api/known", [401, 200]),
        ("/api/unknown", [404, 404]),
        ("/public", [200, 200]),
    ] {
        assert_eq!(
            fixture.statuses(&app, Method::GET, path).await,
            statuses,
            "{path}"
        );
    }
    // With a fallback of its own, all paths below the prefix are those of the nested router.
    let nested = known().fallback(async || StatusCode::NOT_FOUND);
    let app = Router::new().nest("/api", nested.layer(fixture.auth()));
    for (path, statuses) in [("/api/unknown", [401, 404]), ("/unknown", [404, 404])] {
        assert_eq!(
            fixture.statuses(&app, Method::GET, path).await,
            statuses,
            "{path}"
        );
    }
    // A layer outside covers both routers.
    let app = Router::new().nest("/api", known()).layer(fixture.auth());
    for path in ["/api/unknown", "/unknown"] {
        assert_eq!(
            fixture.statuses(&app, Method::GET, path).await,
            [401, 404],
            "{path}"
        );
    }
    // A rejection names the path that the client sent.
    let app = Router::new().nest("/api", known().layer(fixture.auth()));
    let [without, _] = fixture.answers(&app, Method::GET, "/api/known").await;
    assert!(
        without.body.contains(r#""instance":"/api/known""#),
        "{}",
        without.body
    );
}

#[tokio::test]
async fn a_merged_router_keeps_its_own_layers() {
    let fixture = fixture();
    let open = Router::new().route("/open", get(async || "open"));
    let outside = known().merge(open.clone()).layer(fixture.auth());
    assert_eq!(
        fixture.statuses(&outside, Method::GET, "/open").await,
        [401, 200]
    );
    // The fallback of the merged router answers unknown paths.
    let layered = || known().layer(fixture.auth());
    for (app, unknown) in [
        (layered().merge(open.clone()), [404, 404]),
        (open.merge(layered()), [401, 404]),
    ] {
        for (path, statuses) in [
            ("/known", [401, 200]),
            ("/open", [200, 200]),
            ("/unknown", unknown),
        ] {
            let seen = fixture.statuses(&app, Method::GET, path).await;
            assert_eq!(seen, statuses, "{path}");
        }
    }
}

#[tokio::test]
async fn a_layered_tonic_router_brings_its_fallback_into_a_merge() {
    let fixture = fixture();
    let grpc = || Routes::default().into_axum_router();
    let layer = AuthLayer::new_for_grpc(fixture.validator.clone());
    let app = known().merge(grpc().layer(layer));
    // Unknown paths get the answers of tonic, also for clients of HTTP.
    let answers = fixture.answers(&app, Method::GET, "/unknown").await;
    let seen = answers.map(|answer| {
        let status = answer.header("grpc-status").map(str::to_owned);
        (answer.status.as_u16(), status)
    });
    let status = |code: &str| (200, Some(code.to_owned()));
    assert_eq!(seen, [status("16"), status("12")]);
    // The layer of the tonic router does not cover the other routes.
    assert_eq!(
        fixture.statuses(&app, Method::GET, "/known").await,
        [200, 200]
    );

    // Routes of tonic that are merged after the layer are public.
    let app = known().layer(fixture.auth()).merge(grpc());
    let [without, _] = fixture
        .answers(&app, Method::POST, "/a.Service/Method")
        .await;
    assert_eq!(without.header("grpc-status"), Some("12"));

    // One layer around both, and a fallback in the form of HTTP.
    let both = AuthLayer::new(fixture.validator.clone()).grpc_by_content_type();
    let app = known()
        .merge(grpc().reset_fallback())
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(both);
    assert_eq!(
        fixture.statuses(&app, Method::GET, "/unknown").await,
        [401, 404]
    );
    assert_eq!(
        fixture.statuses(&app, Method::GET, "/known").await,
        [401, 200]
    );
}

#[test]
#[should_panic(expected = "Cannot merge two `Router`s that both have a fallback")]
fn a_tonic_router_and_another_fallback_cannot_be_merged() {
    let rest = known().fallback(async || StatusCode::NOT_FOUND);
    let _ = rest.merge(Routes::default().into_axum_router());
}

/// Middleware that needs the access.
async fn with_access(_: Access, request: Request, next: Next) -> Response {
    next.run(request).await
}

#[tokio::test]
async fn middleware_inside_the_layer_gets_the_access_and_outside_it_is_500() {
    let fixture = fixture();
    let inside = known().layer(from_fn(with_access)).layer(fixture.auth());
    assert_eq!(
        fixture.statuses(&inside, Method::GET, "/known").await,
        [401, 200]
    );
    let outside = known().layer(fixture.auth()).layer(from_fn(with_access));
    let (log, _guard) = Log::capture(LevelFilter::DEBUG);
    assert_eq!(
        fixture.statuses(&outside, Method::GET, "/known").await,
        [500, 500]
    );
    assert!(log.text().contains("add one outside it"), "{}", log.text());
}

#[tokio::test]
async fn middleware_that_builds_another_response_loses_the_form_of_a_rejection() {
    async fn rebuild(request: Request, next: Next) -> Response {
        let (parts, body) = next.run(request).await.into_parts();
        (parts.status, body).into_response()
    }
    async fn modify(request: Request, next: Next) -> Response {
        let mut response = next.run(request).await;
        let header = "yes".parse().unwrap();
        response.headers_mut().insert("x-modified", header);
        response
    }
    let fixture = fixture();
    let routes = || Router::new().route("/", get(async |_: Authorized<Create>| "created"));
    let rebuilt = routes().layer(from_fn(rebuild)).layer(fixture.auth());
    let [_, answer] = fixture.answers(&rebuilt, Method::GET, "/").await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (403, ""));
    assert_eq!(answer.header("www-authenticate"), None);

    let modified = routes().layer(from_fn(modify)).layer(fixture.auth());
    let [_, answer] = fixture.answers(&modified, Method::GET, "/").await;
    assert_eq!(answer.status, 403);
    assert!(
        answer
            .header("www-authenticate")
            .unwrap()
            .contains("create:*")
    );
    assert_eq!(answer.header("x-modified"), Some("yes"));
    assert!(answer.body.contains("does not permit"), "{}", answer.body);
}

/// Serves `app` on loopback, and returns a connection to it.
async fn connect(app: Router) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    TcpStream::connect(address).await.unwrap()
}

/// Reads from `connection` until the text ends in `end`.
async fn read_until(connection: &mut TcpStream, end: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        let byte = connection.read_u8().await;
        text.push(byte.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&text))));
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn a_websocket_is_checked_at_its_upgrade_only() {
    let clock = TestClock::new();
    let issuer = TestIssuer::self_managed();
    let builder = TokenValidator::builder().issuer(issuer.issuer());
    let validator = builder.clock(clock.clone()).build().unwrap();
    let expired_is_rejected = validator.clone();
    let handler = async |access: Access, upgrade: WebSocketUpgrade| {
        upgrade.on_upgrade(async move |mut socket: ws::WebSocket| {
            while let Some(Ok(ws::Message::Text(text))) = socket.recv().await {
                let subject = access.subject().unwrap_or_default();
                let answer = format!("{text} {subject}");
                if socket.send(answer.into()).await.is_err() {
                    return;
                }
            }
        })
    };
    let app = Router::new()
        .route("/ws", get(handler))
        .layer(AuthLayer::new(validator));
    let request = |authorization: &str| {
        format!(
            "GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             {authorization}\r\n"
        )
    };
    let mut rejected = connect(app.clone()).await;
    rejected.write_all(request("").as_bytes()).await.unwrap();
    let head = read_until(&mut rejected, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{head}");

    let token = issuer.token().subject("ada");
    let token = token.expires_in(Duration::from_secs(60)).sign();
    let mut socket = connect(app).await;
    let upgrade = request(&format!("authorization: Bearer {token}\r\n"));
    socket.write_all(upgrade.as_bytes()).await.unwrap();
    let head = read_until(&mut socket, "\r\n\r\n").await;
    assert!(
        head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"),
        "{head}"
    );

    // A text frame of a client, with a mask of zeros (RFC 6455 §5.2).
    let frame = [0x81, 0x82, 0, 0, 0, 0, b'h', b'i'];
    socket.write_all(&frame).await.unwrap();
    read_until(&mut socket, "hi ada").await;
    clock.advance(Duration::from_secs(3600));
    assert!(expired_is_rejected.validate(&token).await.is_err());
    socket.write_all(&frame).await.unwrap();
    read_until(&mut socket, "hi ada").await;
}

#[tokio::test]
async fn a_stream_of_events_goes_on_after_the_expiry_unless_the_handler_ends_it() {
    let clock = TestClock::new();
    let issuer = TestIssuer::self_managed();
    let builder = TokenValidator::builder().issuer(issuer.issuer());
    let validator = builder.clock(clock.clone()).build().unwrap();
    let expired_is_rejected = validator.clone();
    let time = clock.clone();
    // The clock passes the expiry between the second and the third event.
    let events = move |access: &Access, is_ended_at_expiry: bool| {
        let time = time.clone();
        let ends_at = is_ended_at_expiry.then(|| access.expires_at());
        let events = (0..4).map_while(move |count| {
            if count == 2 {
                time.advance(Duration::from_secs(3600));
            }
            let is_over = ends_at.is_some_and(|end| time.now() >= end);
            let event = sse::Event::default().data(format!("event {count}"));
            (!is_over).then_some(Ok::<_, Infallible>(event))
        });
        Sse::new(stream::iter(events))
    };
    let until_expiry = events.clone();
    let app = Router::new()
        .route(
            "/endless",
            get(async move |access: Access| events(&access, false)),
        )
        .route(
            "/ended",
            get(async move |access: Access| until_expiry(&access, true)),
        )
        .layer(AuthLayer::new(validator));
    for (path, count) in [("/endless", 4), ("/ended", 2)] {
        let request = || Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(send(&app, request()).await.status, 401);
        let issued = issuer.token().issued_at(clock.now());
        let token = issued.expires_in(Duration::from_secs(60)).sign();
        let mut request = request();
        let value = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
        let answer = send(&app, request).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.body.matches("event").count(),
            count,
            "{}",
            answer.body
        );
        assert!(expired_is_rejected.validate(&token).await.is_err());
    }
}
