//! Grants that come from elsewhere: Management Identity over HTTP, and sources that a test writes.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crate::support::{get, reason};
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Request, Response, StatusCode, Version},
    routing::any,
};
use futures_util::{StreamExt as _, stream, stream::FuturesUnordered};
use modeler_auth::{
    AuthError, AuthErrorKind, AuthLayer, AuthorizedOrganization, ConfigError, Issuer, Permission,
    Permissions, RequirePermissionLayer, TokenValidator, TokenValidatorBuilder,
    access::{Grant, GrantError, GrantErrorKind, GrantFuture, GrantRequest, GrantSource},
    camunda::{ManagementIdentity, PermissionNames},
    issuer::RevocationList,
    keys::StaticKeys,
    test_util::{TestClock, TestIssuer},
};
use modeler_auth_testkit::{poll::ready, server::serve};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::watch,
    task::JoinHandle,
};
use tower::ServiceExt as _;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const PATH: &str = "/api/permissions/for-token";

type Respond = dyn Fn(&str) -> Response<Body> + Send + Sync;

/// Stand-in for Management Identity.
#[derive(Clone)]
struct Identity {
    address: SocketAddr,
    state: Arc<IdentityState>,
}

struct IdentityState {
    /// Makes the response to a token.
    respond: Mutex<Arc<Respond>>,
    /// Target and token of each request.
    asked: Mutex<Vec<(String, String)>>,
    /// Number of requests without a response, and the largest such number.
    running: AtomicUsize,
    most: AtomicUsize,
    /// `false` while responses are held back.
    is_open: watch::Sender<bool>,
}

impl Identity {
    /// Starts a server that grants `create:*` to everyone.
    async fn start() -> Self {
        let state = Arc::new(IdentityState {
            respond: Mutex::new(Arc::new(|_| text("[\"create:*\"]"))),
            asked: Mutex::default(),
            running: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            is_open: watch::Sender::new(true),
        });
        let app = Router::new().fallback(answer).with_state(state.clone());
        let address = serve(app).await;
        Self { address, state }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn source(&self) -> ManagementIdentity {
        ManagementIdentity::new(self.url(), "modeler-api")
    }

    fn respond(&self, respond: impl Fn(&str) -> Response<Body> + Send + Sync + 'static) {
        *self.state.respond.lock().unwrap() = Arc::new(respond);
    }

    fn body(&self, body: impl Into<Vec<u8>>) {
        let body = body.into();
        self.respond(move |_| Response::new(Body::from(body.clone())));
    }

    fn status(&self, status: u16) {
        self.respond(move |_| {
            let response = Response::builder().status(status);
            response.body(Body::from("[\"create:*\"]")).unwrap()
        });
    }

    /// Holds responses back until [`open`](Self::open).
    fn hold(&self) {
        self.state.is_open.send_replace(false);
    }

    fn open(&self) {
        self.state.is_open.send_replace(true);
    }

    fn count(&self) -> usize {
        self.state.asked.lock().unwrap().len()
    }

    /// Waits until `count` requests have come in.
    async fn asked(&self, count: usize) {
        while self.count() < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn answer(State(state): State<Arc<IdentityState>>, request: Request<Body>) -> Response<Body> {
    let target = request.uri().to_string();
    let authorization = request.headers().get("authorization");
    let authorization = authorization.map_or("", |value| value.to_str().unwrap());
    let token = authorization.strip_prefix("Bearer ").unwrap_or_default();
    let token = token.to_owned();
    state.asked.lock().unwrap().push((target, token.clone()));
    let running = state.running.fetch_add(1, Ordering::SeqCst) + 1;
    state.most.fetch_max(running, Ordering::SeqCst);
    state
        .is_open
        .subscribe()
        .wait_for(|is_open| *is_open)
        .await
        .unwrap();
    state.running.fetch_sub(1, Ordering::SeqCst);
    let respond = state.respond.lock().unwrap().clone();
    respond(&token)
}

fn text(body: &str) -> Response<Body> {
    Response::new(Body::from(body.to_owned()))
}

/// A validator whose issuer gets its grants from the stand-in.
struct World {
    identity: Identity,
    issuer: TestIssuer,
    revoked: Arc<RevocationList>,
    clock: TestClock,
    validator: TokenValidator,
}

impl World {
    async fn start() -> Self {
        Self::with(Identity::source, |builder| builder).await
    }

    async fn with<S: GrantSource>(
        source: impl FnOnce(&Identity) -> S,
        settings: impl FnOnce(TokenValidatorBuilder) -> TokenValidatorBuilder,
    ) -> Self {
        let identity = Identity::start().await;
        let issuer = TestIssuer::oidc("https://login.example.com/");
        let revoked = Arc::new(RevocationList::default());
        let clock = TestClock::new();
        let trusted = issuer.issuer().revocation(Arc::clone(&revoked));
        let builder = TokenValidator::builder()
            .issuer(trusted.grants_from(source(&identity)))
            .clock(clock.clone());
        let validator = settings(builder).build().unwrap();
        validator.ready().await;
        Self {
            identity,
            issuer,
            revoked,
            clock,
            validator,
        }
    }

    fn token(&self, subject: &str) -> String {
        let token = self.issuer.token().subject(subject).claim("jti", subject);
        token.expires_in(HOUR).sign()
    }

    async fn permissions(&self, token: &str) -> Result<Permissions, AuthError> {
        let access = self.validator.validate(token).await?;
        Ok(access.permissions())
    }

    /// Starts a request in the background.
    fn request(&self, token: &str) -> JoinHandle<Result<Permissions, AuthError>> {
        let (validator, token) = (self.validator.clone(), token.to_owned());
        tokio::spawn(async move { Ok(validator.validate(&token).await?.permissions()) })
    }

    /// Sends `count` requests at once with `token` through the layer, and returns the number that pass.
    async fn passes(&self, token: &str, count: usize) -> usize {
        let app = app(&self.validator);
        let requests = (0..count).map(|_| get(&app, "/", token));
        let answers = requests.collect::<FuturesUnordered<_>>();
        let passed = answers.filter(|answer| std::future::ready(answer.status == StatusCode::OK));
        passed.count().await
    }

    async fn is_unavailable(&self, token: &str) -> AuthError {
        let error = self.permissions(token).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::Unavailable, "{error}");
        assert!(error.retry_after() >= Some(SECOND));
        error
    }
}

/// Lets the tasks of this thread run until they wait.
async fn all_wait() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// A route that needs the permission to create.
fn app(validator: &TokenValidator) -> Router {
    Router::new()
        .route("/", any(async || "created"))
        .route_layer(RequirePermissionLayer::new(Permission::Create))
        .layer(AuthLayer::new(validator.clone()))
}

fn only(permission: Permission) -> Permissions {
    [permission].into_iter().collect()
}

#[tokio::test]
async fn r67_the_grant_is_what_management_identity_answers() {
    let world = World::with(
        |identity| ManagementIdentity::new(format!("{}/managed/", identity.url()), "modeler api"),
        |builder| builder,
    )
    .await;
    let token = world.token("ada");
    world
        .identity
        .body(" [\"read:*\", \"other\", \"delete:*\"]\n");
    let access = world.validator.validate(&token).await.unwrap();
    let granted = [Permission::Read, Permission::Delete];
    assert_eq!(access.permissions(), granted.into_iter().collect());
    assert_eq!(access.organization(), Some(&AuthorizedOrganization::nil()));
    let asked = world.identity.state.asked.lock().unwrap().clone();
    assert_eq!(
        asked,
        [(format!("/managed{PATH}?audience=modeler+api"), token)]
    );
}

#[tokio::test]
async fn names_and_organization_can_be_set() {
    let organization: AuthorizedOrganization = "org".parse().unwrap();
    let expected = organization.clone();
    let world = World::with(
        |identity| {
            let names = PermissionNames::default().with(Permission::Read, "modeler:read");
            identity
                .source()
                .permission_names(names)
                .organization(organization)
        },
        |builder| builder,
    )
    .await;
    world
        .identity
        .body("[\"modeler:read\",\"read:*\",\"create:*\"]");
    let access = world.validator.validate(&world.token("ada")).await.unwrap();
    let granted = [Permission::Read, Permission::Create];
    assert_eq!(access.permissions(), granted.into_iter().collect());
    assert_eq!(access.organization(), Some(&expected));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r68_a_thousand_requests_with_one_new_token_make_one_call() {
    for bytes in [16 << 20, 0] {
        let world = World::with(Identity::source, |builder| builder.token_cache_bytes(bytes)).await;
        let token = world.token("ada");
        world.identity.hold();
        let identity = world.identity.clone();
        let open = async move {
            identity.asked(1).await;
            // All requests have joined by now, since they are polled before this.
            tokio::task::yield_now().await;
            identity.open();
        };
        let (passed, ()) = tokio::join!(world.passes(&token, 1000), open);
        assert_eq!(passed, 1000);
        assert_eq!(world.identity.count(), 1);
    }
}

#[tokio::test]
async fn r68_without_a_token_cache_each_request_makes_a_call() {
    let world = World::with(Identity::source, |builder| builder.token_cache_bytes(0)).await;
    let token = world.token("ada");
    for calls in 1..4 {
        assert_eq!(
            world.permissions(&token).await.unwrap(),
            only(Permission::Create)
        );
        assert_eq!(world.identity.count(), calls);
    }
    world.identity.status(500);
    world.is_unavailable(&token).await;
}

#[tokio::test]
async fn r67_an_empty_answer_is_a_grant_of_nothing() {
    let world = World::start().await;
    world.identity.body("[]");
    let app = app(&world.validator);
    let token = world.token("ada");
    for _ in 0..3 {
        assert_eq!(get(&app, "/", &token).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(world.identity.count(), 1);
    assert_eq!(world.permissions(&token).await.unwrap(), Permissions::NONE);
}

#[tokio::test]
async fn r67_only_a_token_that_passes_every_check_is_shown_to_management_identity() {
    let world = World::start().await;
    let issuer = &world.issuer;
    let other = TestIssuer::oidc(issuer.name());
    let revoked = world.token("revoked");
    world.revoked.revoke_token(issuer.name(), "revoked");
    for (token, code) in [
        (issuer.token().expired().sign(), "expired"),
        (issuer.token().audience("other").sign(), "wrong_audience"),
        (issuer.token().sign_by(&other), "bad_signature"),
        (revoked, "revoked"),
        (
            issuer
                .token()
                .claim("cnf", serde_json::json!({"jkt": "x"}))
                .sign(),
            "sender_constrained",
        ),
    ] {
        let rejected = reason(&world.validator, &token).await;
        assert!(rejected.is_some(), "{code}");
        assert_ne!(rejected, Some("grant_refused"), "{code}");
        assert_eq!(world.identity.count(), 0, "{code}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a87_a_token_gets_no_grant_of_another_token() {
    for bytes in [16 << 20, 0] {
        let world = World::with(Identity::source, |builder| builder.token_cache_bytes(bytes)).await;
        let tokens = ["ada", "bob", "eve", "joe"].map(|name| world.token(name));
        let granted = Permission::ALL;
        let answers = tokens.clone().into_iter().zip(granted).collect::<Vec<_>>();
        world.identity.respond(move |token| {
            let (_, permission) = answers.iter().find(|(known, _)| known == token).unwrap();
            text(&format!("[\"{}\"]", permission.name()))
        });
        let mut requests = Vec::new();
        for round in 0..400 {
            let (token, permission) = (&tokens[round % 4], granted[round % 4]);
            requests.push((world.request(token), permission));
        }
        for (request, permission) in requests {
            assert_eq!(request.await.unwrap().unwrap(), only(permission));
        }
    }
}

#[tokio::test]
async fn a87_no_grant_outlasts_its_token() {
    let world = World::start().await;
    let token = world.issuer.token().expires_in(30 * SECOND).sign();
    assert!(world.permissions(&token).await.is_ok());
    world.clock.advance(30 * SECOND + MINUTE + SECOND);
    assert_eq!(reason(&world.validator, &token).await, Some("expired"));
    assert_eq!(world.identity.count(), 1);
}

#[tokio::test]
async fn a87_a_token_that_expires_while_its_grant_is_fetched_is_rejected() {
    let world = World::start().await;
    let token = world.issuer.token().expires_in(30 * SECOND).sign();
    world.identity.hold();
    let request = world.request(&token);
    world.identity.asked(1).await;
    world.clock.advance(2 * MINUTE);
    world.identity.open();
    assert_eq!(request.await.unwrap().unwrap_err().reason(), "expired");
}

#[tokio::test]
async fn a87_a_revoked_token_has_no_grant_cached_or_under_way() {
    let world = World::start().await;
    let [cached, waiting] = ["cached", "waiting"].map(|name| world.token(name));
    assert!(world.permissions(&cached).await.is_ok());
    world.identity.hold();
    let request = world.request(&waiting);
    world.identity.asked(2).await;
    for name in ["cached", "waiting"] {
        world.revoked.revoke_token(world.issuer.name(), name);
    }
    world.identity.open();
    assert_eq!(reason(&world.validator, &cached).await, Some("revoked"));
    assert_eq!(request.await.unwrap().unwrap_err().reason(), "revoked");
}

#[tokio::test]
async fn a87_a_token_that_management_identity_does_not_accept_is_rejected_in_spite_of_its_last_grant()
 {
    let world = World::start().await;
    let token = world.token("ada");
    assert!(world.permissions(&token).await.is_ok());
    world.identity.status(401);
    assert!(world.permissions(&token).await.is_ok());
    world.clock.advance(MINUTE);
    for _ in 0..2 {
        let error = world.permissions(&token).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::InvalidToken);
        assert_eq!(error.reason(), "grant_refused");
        assert!(error.is_verified());
    }
    // Its earlier grant is gone, too.
    world.identity.status(500);
    world.is_unavailable(&token).await;
    assert_eq!(get(&app(&world.validator), "/", &token).await.status, 503);
}

#[tokio::test]
async fn r69_a_grant_is_fetched_again_after_a_minute_and_not_before() {
    let world = World::start().await;
    let token = world.token("ada");
    assert_eq!(
        world.permissions(&token).await.unwrap(),
        only(Permission::Create)
    );
    world.identity.body("[\"read:*\"]");
    world.clock.advance(59 * SECOND);
    assert_eq!(
        world.permissions(&token).await.unwrap(),
        only(Permission::Create)
    );
    assert_eq!(world.identity.count(), 1);
    world.clock.advance(SECOND);
    for _ in 0..5 {
        assert_eq!(
            world.permissions(&token).await.unwrap(),
            only(Permission::Read)
        );
    }
    assert_eq!(world.identity.count(), 2);
    // All withdrawn.
    world.identity.body("[]");
    world.clock.advance(MINUTE);
    assert_eq!(world.permissions(&token).await.unwrap(), Permissions::NONE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r69_a_grant_that_is_too_old_is_fetched_once_for_all_threads() {
    let world = World::start().await;
    let token = world.token("ada");
    // Often enough for the caches of threads.
    for calls in 1..4 {
        assert_eq!(world.passes(&token, 100).await, 100);
        let requests: Vec<_> = (0..100).map(|_| world.request(&token)).collect();
        for request in requests {
            assert!(request.await.unwrap().is_ok());
        }
        assert_eq!(world.identity.count(), calls);
        world.clock.advance(MINUTE);
    }
}

#[tokio::test]
async fn r69_the_age_can_be_set() {
    let world = World::with(
        |identity| {
            identity
                .source()
                .max_age(10 * SECOND)
                .max_stale(Duration::ZERO)
        },
        |builder| builder,
    )
    .await;
    let token = world.token("ada");
    assert!(world.permissions(&token).await.is_ok());
    world.clock.advance(9 * SECOND);
    assert!(world.permissions(&token).await.is_ok());
    assert_eq!(world.identity.count(), 1);
    world.clock.advance(SECOND);
    world.identity.status(500);
    world.is_unavailable(&token).await;
}

#[tokio::test]
async fn f43_a_known_grant_serves_on_for_five_minutes() {
    let world = World::start().await;
    let [known, new] = ["known", "new"].map(|name| world.token(name));
    assert!(world.permissions(&known).await.is_ok());
    world.identity.status(503);
    let mut age = Duration::ZERO;
    while age + 10 * SECOND < 5 * MINUTE {
        world.clock.advance(10 * SECOND);
        age += 10 * SECOND;
        assert_eq!(
            world.permissions(&known).await.unwrap(),
            only(Permission::Create),
            "{age:?}"
        );
    }
    world.is_unavailable(&new).await;
    world.clock.advance(10 * SECOND);
    let error = world.is_unavailable(&known).await;
    assert_eq!(error.reason(), "grant_unavailable");
    // After the outage.
    world.identity.body("[\"read:*\"]");
    assert_eq!(
        world.permissions(&known).await.unwrap(),
        only(Permission::Read)
    );
}

#[tokio::test]
async fn f43_a_known_grant_is_replaced_soon_after_an_outage() {
    let world = World::start().await;
    let token = world.token("ada");
    assert!(world.permissions(&token).await.is_ok());
    world.identity.status(500);
    world.clock.advance(MINUTE);
    assert!(world.permissions(&token).await.is_ok());
    assert_eq!(world.identity.count(), 2);
    // The next attempt follows after 5 s.
    world.clock.advance(4 * SECOND);
    assert!(world.permissions(&token).await.is_ok());
    assert_eq!(world.identity.count(), 2);
    world.identity.body("[\"read:*\"]");
    for attempt in 0.. {
        world.clock.advance(5 * SECOND);
        if world.permissions(&token).await.unwrap() == only(Permission::Read) {
            break;
        }
        assert!(attempt < 3, "the grant is still the old one");
        world.identity.asked(3).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn f43_a_known_grant_does_not_wait_for_a_source_that_hangs() {
    let world = World::start().await;
    let token = world.token("ada");
    assert!(world.permissions(&token).await.is_ok());
    world.identity.status(500);
    world.clock.advance(MINUTE);
    assert!(world.permissions(&token).await.is_ok());
    world.identity.hold();
    let begin = Instant::now();
    for _ in 0..20 {
        world.clock.advance(6 * SECOND);
        assert!(world.permissions(&token).await.is_ok());
    }
    assert!(begin.elapsed() < 2 * SECOND);
}

#[tokio::test]
async fn a87_a_lie_about_the_json_type_grants_nothing() {
    let world = World::start().await;
    let names = "[\"create:*\"]";
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    for (number, body) in [
        &b""[..],
        b" ",
        b"null",
        b"true",
        b"1",
        b"{}",
        b"\"create:*\"",
        b"{\"permissions\":[\"create:*\"]}",
        b"[1]",
        b"[null]",
        b"[true]",
        b"[[\"create:*\"]]",
        b"[{\"name\":\"create:*\"}]",
        b"[\"create:*\",1]",
        b"[\"create:*\",]",
        b"[\"create:*\"",
        b"[\"create:*\"]]",
        b"[\"create:*\"][\"read:*\"]",
        b"['create:*']",
        b"[\"create:*\",\"\xff\"]",
        b"[\"create:*\",\"\\ud800\"]",
        b"<html>[\"create:*\"]</html>",
        deep.as_bytes(),
    ]
    .into_iter()
    .enumerate()
    {
        world.identity.body(body);
        let error = world
            .is_unavailable(&world.token(&number.to_string()))
            .await;
        assert_eq!(error.reason(), "grant_unavailable", "{number}");
        assert_eq!(world.identity.count(), number + 1);
    }
    world.identity.body(names);
    assert!(world.permissions(&world.token("good")).await.is_ok());
}

#[tokio::test]
async fn a87_an_answer_of_more_than_64_kib_grants_nothing() {
    let world = World::start().await;
    let of_length = |length: usize| {
        let mut body = b"[\"create:*\"]".to_vec();
        body.resize(length, b' ');
        body
    };
    world.identity.body(of_length(64 * 1024));
    assert!(world.permissions(&world.token("a")).await.is_ok());
    world.identity.body(of_length(64 * 1024 + 1));
    world.is_unavailable(&world.token("b")).await;
    // Without an announced length, and without end.
    world.identity.respond(|_| {
        let chunk = || Ok::<_, std::io::Error>(" ".repeat(1000));
        Response::new(Body::from_stream(stream::repeat_with(chunk)))
    });
    let begin = Instant::now();
    world.is_unavailable(&world.token("c")).await;
    assert!(begin.elapsed() < 4 * SECOND);
}

#[tokio::test]
async fn f43_no_other_status_than_200_grants_anything() {
    let world = World::start().await;
    for status in [
        201, 202, 204, 206, 300, 304, 400, 402, 403, 404, 405, 407, 410, 429, 500, 502, 503, 504,
    ] {
        world.identity.status(status);
        let error = world
            .is_unavailable(&world.token(&status.to_string()))
            .await;
        assert_eq!(error.reason(), "grant_unavailable", "{status}");
    }
}

#[tokio::test]
async fn f43_redirects_are_not_followed() {
    let world = World::start().await;
    let elsewhere = Identity::start().await;
    for status in [301, 302, 303, 307, 308] {
        for target in [elsewhere.url(), "/other".to_owned()] {
            world.identity.respond(move |_| {
                let response = Response::builder().status(status);
                let response = response.header("location", target.as_str());
                response.body(Body::from("[\"create:*\"]")).unwrap()
            });
            let before = world.identity.count();
            world.is_unavailable(&world.token("ada")).await;
            assert_eq!(world.identity.count(), before + 1, "{status}");
        }
    }
    assert_eq!(elsewhere.count(), 0);
}

#[tokio::test]
async fn f43_the_retry_after_of_management_identity_is_passed_on_up_to_a_minute() {
    let world = World::start().await;
    for (sent, received) in [(None, 5), (Some("7"), 7), (Some("86400"), 60)] {
        world.identity.respond(move |_| {
            let mut response = Response::builder().status(503);
            if let Some(sent) = sent {
                response = response.header("retry-after", sent);
            }
            response.body(Body::empty()).unwrap()
        });
        let answer = get(&app(&world.validator), "/", &world.token("ada")).await;
        assert_eq!(answer.status, 503);
        assert_eq!(answer.header("retry-after"), Some(&*received.to_string()));
    }
}

#[tokio::test]
async fn f43_a_call_to_nobody_or_to_no_http_server_is_503() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let odd = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n").await;
        }
    });
    for url in [dead, odd] {
        let world = World::with(
            |_| ManagementIdentity::new(url, "modeler-api"),
            |builder| builder,
        )
        .await;
        world.is_unavailable(&world.token("ada")).await;
    }
}

#[tokio::test]
async fn f43_a_slow_source_ends_after_five_seconds_and_blocks_no_known_token() {
    let world = World::start().await;
    let known = world.token("known");
    assert!(world.permissions(&known).await.is_ok());
    // One body without an end, one byte a second.
    world.identity.respond(|_| {
        let bytes = stream::unfold((), async |()| {
            tokio::time::sleep(SECOND).await;
            Some((Ok::<_, std::io::Error>(" "), ()))
        });
        Response::new(Body::from_stream(Box::pin(bytes)))
    });
    let begin = Instant::now();
    let request = world.request(&world.token("slow"));
    world.identity.asked(2).await;
    for _ in 0..100 {
        assert!(world.permissions(&known).await.is_ok());
    }
    assert!(begin.elapsed() < 4 * SECOND);
    let error = request.await.unwrap().unwrap_err();
    assert_eq!(error.reason(), "grant_unavailable");
    let took = begin.elapsed();
    assert!((4 * SECOND..7 * SECOND).contains(&took), "{took:?}");
}

#[tokio::test]
async fn f43_requests_that_go_away_neither_cancel_the_call_nor_keep_a_place() {
    let world = World::start().await;
    let token = world.token("ada");
    world.identity.hold();
    let first = world.request(&token);
    world.identity.asked(1).await;
    let staying = world.request(&token);
    all_wait().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    world.identity.open();
    assert_eq!(staying.await.unwrap().unwrap(), only(Permission::Create));
    assert_eq!(world.identity.count(), 1);

    // Many more than the bounds allow at once.
    for round in 0..10 {
        let requests: Vec<_> = (0..200)
            .map(|number| world.request(&world.token(&format!("{round}-{number}"))))
            .collect();
        all_wait().await;
        for request in requests {
            request.abort();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let last = world.token("last");
    let request = world.permissions(&last);
    let outcome = tokio::time::timeout(10 * SECOND, request).await.unwrap();
    assert_eq!(outcome.unwrap(), only(Permission::Create));
}

#[tokio::test]
async fn f43_at_most_32_calls_run_and_others_wait_for_their_turn() {
    let world = World::start().await;
    world.identity.hold();
    let tokens: Vec<_> = (0..100)
        .map(|number| world.token(&number.to_string()))
        .collect();
    let requests: Vec<_> = tokens.iter().map(|token| world.request(token)).collect();
    world.identity.asked(32).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.identity.count(), 32);
    world.identity.open();
    for request in requests {
        assert_eq!(request.await.unwrap().unwrap(), only(Permission::Create));
    }
    assert_eq!(world.identity.count(), 100);
    assert!(world.identity.state.most.load(Ordering::SeqCst) <= 32);
}

#[tokio::test]
async fn f43_more_than_256_waiting_tokens_get_503_at_once() {
    let gate = Gate::default();
    let source = gate.clone();
    let world = World::with(|_| source, |builder| builder).await;
    let [known, extra] = ["known", "one too many"].map(|name| world.token(name));
    let tokens: Vec<_> = (0..256)
        .map(|number| world.token(&number.to_string()))
        .collect();
    gate.0.send_replace(true);
    assert!(world.permissions(&known).await.is_ok());
    gate.0.send_replace(false);
    let requests: Vec<_> = tokens.iter().map(|token| world.request(token)).collect();
    all_wait().await;
    let begin = Instant::now();
    let error = world.is_unavailable(&extra).await;
    assert_eq!(error.reason(), "too_many_waiting");
    assert!(begin.elapsed() < SECOND);
    // Neither cached tokens nor those that join a call are affected.
    assert!(world.permissions(&known).await.is_ok());
    let joiners: Vec<_> = tokens
        .iter()
        .take(8)
        .map(|token| world.request(token))
        .collect();
    all_wait().await;
    gate.0.send_replace(true);
    for request in requests.into_iter().chain(joiners) {
        assert!(request.await.unwrap().is_ok());
    }
    assert!(world.permissions(&extra).await.is_ok());
}

#[tokio::test]
async fn f43_a_hanging_source_gives_every_waiting_token_503_within_nine_seconds() {
    let world = World::start().await;
    world.identity.hold();
    let tokens: Vec<_> = (0..100)
        .map(|number| world.token(&number.to_string()))
        .collect();
    let begin = Instant::now();
    let requests: Vec<_> = tokens.iter().map(|token| world.request(token)).collect();
    for request in requests {
        let error = request.await.unwrap().unwrap_err();
        assert_eq!(error.reason(), "grant_unavailable");
    }
    assert!(begin.elapsed() < 9 * SECOND, "{:?}", begin.elapsed());
    world.identity.open();
    assert!(world.permissions(&world.token("later")).await.is_ok());
}

/// Grants as a test scripts them.
struct Scripted<F>(F);

impl<F> GrantSource for Scripted<F>
where
    F: Fn(&str) -> Result<Grant, GrantError> + Send + Sync + 'static,
{
    fn fetch<'a>(&'a self, request: GrantRequest<'a>) -> GrantFuture<'a> {
        let subject = request.claims().subject().unwrap_or_default();
        Box::pin(std::future::ready((self.0)(subject)))
    }
}

/// Grants that wait until the test opens the gate.
#[derive(Clone, Default)]
struct Gate(watch::Sender<bool>);

impl GrantSource for Gate {
    fn fetch<'a>(&'a self, _: GrantRequest<'a>) -> GrantFuture<'a> {
        Box::pin(async {
            let mut gate = self.0.subscribe();
            gate.wait_for(|is_open| *is_open).await.unwrap();
            Ok(Grant::default())
        })
    }
}

#[tokio::test]
async fn f43_a_source_that_panics_is_503_and_keeps_no_place() {
    let world = World::with(
        |_| {
            Scripted(|subject: &str| {
                assert_eq!(subject, "good", "the test says so");
                Ok(Grant::default())
            })
        },
        |builder| builder,
    )
    .await;
    let bad = world.token("bad");
    for _ in 0..300 {
        let error = world.is_unavailable(&bad).await;
        assert_eq!(error.reason(), "grant_unavailable");
    }
    assert_eq!(
        world.permissions(&world.token("good")).await.unwrap(),
        Permissions::NONE
    );
}

#[test]
fn f43_without_a_tokio_runtime_a_token_gets_503_at_once() {
    let issuer = TestIssuer::oidc("https://login.example.com/");
    let keys = StaticKeys::from_jwks(issuer.jwks());
    let trusted = issuer
        .issuer()
        .keys(keys)
        .grants_from(Scripted(|_: &str| Ok(Grant::default())));
    let validator = TokenValidator::builder().issuer(trusted).build().unwrap();
    let token = issuer.token().sign();
    let error = ready(validator.validate(&token)).unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Unavailable);
    assert_eq!(error.reason(), "grant_unavailable");
}

#[tokio::test]
async fn a87_a_known_grant_is_of_no_use_to_a_token_of_a_withdrawn_key() {
    let world = World::start().await;
    let token = world.token("ada");
    assert!(world.permissions(&token).await.is_ok());
    world.issuer.rotate_keys();
    world.validator.refresh_now().await.unwrap();
    // The key is still published, so the token is checked in full, and its grant is still fresh.
    assert!(world.permissions(&token).await.is_ok());
    assert_eq!(world.identity.count(), 1);
    world.issuer.withdraw_old_keys();
    world.validator.refresh_now().await.unwrap();
    assert_eq!(
        world.permissions(&token).await.unwrap_err().kind(),
        AuthErrorKind::InvalidToken
    );
    assert_eq!(world.identity.count(), 1);
}

#[tokio::test]
async fn a87_a_grant_for_another_organization_than_the_configured_one_is_refused() {
    let organization = TestIssuer::ORGANIZATION;
    let identity = Identity::start().await;
    let issuer = TestIssuer::saas();
    for (granted, is_accepted) in [(organization, true), ("other", false)] {
        let source = identity.source().organization(granted.parse().unwrap());
        let trusted = Issuer::saas(organization)
            .keys(issuer.clone())
            .grants_from(source);
        let validator = TokenValidator::builder().issuer(trusted).build().unwrap();
        let rejected = reason(&validator, &issuer.token().sign()).await;
        assert_eq!(rejected, (!is_accepted).then_some("grant_refused"));
    }
}

#[tokio::test]
async fn errors_of_a_source_are_401_or_503() {
    let source = Arc::new(Scripted(|subject: &str| match subject {
        "refused" => Err(GrantError::refused("not in the table")),
        _ => Err(GrantError::unavailable("no table").with_retry_after(9 * SECOND)),
    }));
    let world = World::with(|_| source, |builder| builder).await;
    let error = world
        .permissions(&world.token("refused"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.reason(), error.retry_after()),
        (AuthErrorKind::InvalidToken, "grant_refused", None)
    );
    let error = world.is_unavailable(&world.token("other")).await;
    assert_eq!(error.retry_after(), Some(9 * SECOND));
    let error = GrantError::refused("x");
    assert_eq!(
        (error.kind(), error.to_string()),
        (GrantErrorKind::Refused, "x".to_owned())
    );
}

#[tokio::test]
async fn the_layer_rejects_in_http_and_in_grpc_form() {
    let world = World::start().await;
    let app = Router::new()
        .route("/", any(async || "created"))
        .layer(AuthLayer::new(world.validator.clone()).grpc_by_content_type());
    let token = world.token("ada");
    for (status, http, grpc) in [(500, 503, "14"), (401, 401, "16")] {
        world.identity.status(status);
        for (content_type, expected) in [("text/plain", http), ("application/grpc", 200)] {
            let request = Request::post("/")
                .version(Version::HTTP_2)
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", content_type)
                .body(Body::empty())
                .unwrap();
            let response = app.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), expected);
            if expected == 200 {
                assert_eq!(response.headers()["grpc-status"], grpc);
            }
        }
    }
}

#[tokio::test]
async fn r67_version_1_tokens_of_entra_are_rejected_without_a_call() {
    let identity = Identity::start().await;
    let v2 = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0";
    let v1 = "https://sts.windows.net/11111111-2222-3333-4444-555555555555/";
    for (name, version, is_accepted) in [
        (v1, Some("1.0"), false),
        (v1, None, false),
        (v2, Some("1.0"), false),
        (v2, Some("2.0"), true),
        // AD FS and Okta use `ver` in their own way.
        ("https://adfs.example.com/adfs", Some("1.0"), true),
    ] {
        let issuer = TestIssuer::oidc(name);
        let trusted = issuer.issuer().grants_from(identity.source());
        let validator = TokenValidator::builder().issuer(trusted).build().unwrap();
        let token = match version {
            Some(version) => issuer.token().claim("ver", version),
            None => issuer.token(),
        };
        let before = identity.count();
        let answer = get(&app(&validator), "/", &token.sign()).await;
        assert_eq!(answer.status == 200, is_accepted, "{name} {version:?}");
        assert_eq!(identity.count() > before, is_accepted);
        if !is_accepted {
            assert_eq!(answer.status, 401);
        }
    }
}

#[test]
fn settings_are_checked_when_the_validator_is_built() {
    let build = |source: ManagementIdentity| {
        let issuer = TestIssuer::oidc("https://login.example.com/");
        let issuer: Issuer = issuer.issuer().grants_from(source);
        TokenValidator::builder().issuer(issuer).build().map(drop)
    };
    let of = |url: &str| ManagementIdentity::new(url, "modeler-api");
    for url in [
        "",
        "identity",
        "ftp://identity",
        "https://user:secret@identity",
        "https://identity?x=1",
        "https://identity#x",
        "http://identity:8080",
    ] {
        let error = build(of(url)).unwrap_err();
        let text = error.to_string();
        assert!(
            matches!(error, ConfigError::InvalidIdentity { .. }),
            "{url}: {text}"
        );
        assert!(
            text.contains("base_url") && !text.contains("secret"),
            "{text}"
        );
    }
    for source in [
        of("https://identity"),
        of("https://identity/context/"),
        of("http://localhost:8084"),
        of("http://127.0.0.1:8084"),
        of("http://identity:8080").allow_http(),
        of("https://identity").max_stale(Duration::ZERO),
    ] {
        build(source).unwrap();
    }
    for source in [
        ManagementIdentity::new("https://identity", ""),
        of("https://identity").ca_certificate("junk"),
        of("https://identity").proxy("junk"),
        of("http://localhost:8084").proxy("http://proxy:3128"),
    ] {
        let error = build(source).unwrap_err();
        assert!(
            matches!(error, ConfigError::InvalidIdentity { .. }),
            "{error}"
        );
    }
    for source in [
        of("https://identity").max_age(Duration::ZERO),
        of("https://identity").max_age(HOUR + SECOND),
        of("https://identity").max_stale(HOUR + SECOND),
    ] {
        let error = build(source).unwrap_err();
        assert!(matches!(error, ConfigError::OutOfBounds { .. }), "{error}");
    }
}

#[test]
fn the_last_of_mapping_and_source_counts() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let issuer = TestIssuer::oidc("https://login.example.com/");
    let granting =
        |permission: Permission| Grant::new(AuthorizedOrganization::nil(), only(permission));
    let source = move || Scripted(move |_: &str| Ok(granting(Permission::Read)));
    let mapping = move |_: &_| Ok(granting(Permission::Delete));
    for (trusted, expected) in [
        (
            issuer.issuer().map_claims(mapping).grants_from(source()),
            Permission::Read,
        ),
        (
            issuer.issuer().grants_from(source()).map_claims(mapping),
            Permission::Delete,
        ),
    ] {
        let validator = TokenValidator::builder().issuer(trusted).build().unwrap();
        let token = issuer.token().sign();
        let access = runtime.block_on(validator.validate(&token)).unwrap();
        assert_eq!(access.permissions(), only(expected));
    }
}

#[tokio::test]
async fn r69_a_failed_call_for_one_token_does_not_extend_the_grant_of_another() {
    let world = World::start().await;
    let (victim, other) = (world.token("victim"), world.token("other"));
    let poison = other.clone();
    let granted = world.permissions(&victim).await.unwrap();
    assert_eq!(granted, only(Permission::Create));
    world.identity.respond(move |token| {
        if token.contains(&other) {
            Response::builder().status(500).body(Body::empty()).unwrap()
        } else {
            text("[]")
        }
    });
    world.clock.advance(4 * MINUTE);
    world.is_unavailable(&poison).await;
    assert_eq!(world.permissions(&victim).await.unwrap(), Permissions::NONE);
}
