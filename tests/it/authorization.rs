//! Rules about scopes, roles and clients, alone and combined, behind the layer.

use std::time::{Duration, SystemTime};

use axum::{
    Router,
    body::Body,
    http::{Request, Version},
    routing::post,
};
use modeler_auth::{
    AuthLayer, ByMethod, Issuer, Permission, RequirePermissionLayer, TokenValidator,
    keys::Algorithm,
    reject::Empty,
    require::{Denied, PermissionRule, RequireClient, RequireRole, RequireScope},
    test_util::{TestClock, TestIssuer},
};
use serde_json::{Value, json};

use crate::{challenge::Challenge, support::send};

/// Service behind a rule, its issuer, and a clock that is set to a full second.
pub struct Service {
    pub issuer: TestIssuer,
    pub clock: TestClock,
    pub validator: TokenValidator,
}

impl Service {
    pub fn new() -> Self {
        Self::with(|issuer| issuer)
    }

    /// Changes the settings of the issuer.
    pub fn with(change: impl FnOnce(Issuer) -> Issuer) -> Self {
        let (issuer, clock) = (TestIssuer::self_managed(), TestClock::new());
        issuer.sign_with(Algorithm::EdDsa);
        let fraction = since_epoch(clock.now()).subsec_nanos();
        clock.step_forward(Duration::from_secs(1) - Duration::from_nanos(fraction.into()));
        let builder = TokenValidator::builder().issuer(change(issuer.issuer()));
        Self {
            validator: builder.clock(clock.clone()).build().unwrap(),
            issuer,
            clock,
        }
    }

    /// Returns the present time in seconds since 1970.
    pub fn now(&self) -> u64 {
        since_epoch(self.clock.now()).as_secs()
    }

    /// Returns a token with these claims, issued now. A claim that is null is left out.
    pub fn token(&self, claims: &Value) -> String {
        let token = self.issuer.token().issued_at(self.clock.now());
        let claims = claims.as_object().unwrap().iter();
        let token = claims.fold(token, |token, (name, value)| match value {
            Value::Null => token.without(name),
            value => token.claim(name, value),
        });
        token.sign()
    }

    /// Returns the status and the challenge if `rule` rejects a request with `token`, in each form of a
    /// rejection.
    pub async fn rejection(&self, rule: impl Rule, token: &str) -> Option<(u16, Challenge)> {
        let layer = || AuthLayer::new(self.validator.clone());
        let route = || {
            let route = Router::new().route("/", post(async || "ok"));
            route.route_layer(RequirePermissionLayer::new(rule.clone()))
        };
        let request = || {
            let request = Request::post("/").version(Version::HTTP_2);
            request
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", "application/grpc")
                .body(Body::empty())
                .unwrap()
        };
        let problem = send(&route().layer(layer()), request()).await;
        let empty = send(&route().layer(layer().reject_with(Empty)), request()).await;
        let closure = layer().reject_with_fn(|rejection| rejection.response("closure"));
        let closure = send(&route().layer(closure), request()).await;
        let grpc = layer().grpc_by_content_type();
        let grpc = send(&route().layer(grpc), request()).await;
        let answers = [&problem, &empty, &closure, &grpc];
        if problem.status == 200 {
            assert!(answers.iter().all(|answer| answer.body == "ok"));
            return None;
        }

        let status = problem.status.as_u16();
        assert_eq!(
            problem.header("content-type"),
            Some("application/problem+json")
        );
        let body: Value = serde_json::from_str(&problem.body).unwrap();
        assert_eq!(body["status"], status);
        assert_eq!((empty.status.as_u16(), &*empty.body), (status, ""));
        assert_eq!(
            (closure.status.as_u16(), &*closure.body),
            (status, "closure")
        );
        assert_eq!((grpc.status.as_u16(), &*grpc.body), (200, ""));
        let code = grpc.header("grpc-status").unwrap();
        assert_eq!(
            (status, code),
            (status, if status == 401 { "16" } else { "7" })
        );
        assert_eq!(grpc.header("grpc-message"), body["detail"].as_str());
        let [challenge, others @ ..] = answers.map(|answer| Challenge::of(&answer.headers));
        assert_eq!(
            challenge.param("error_description"),
            body["detail"].as_str()
        );
        assert!(others.iter().all(|other| *other == challenge), "{others:?}");
        Some((status, challenge))
    }
}

/// Bounds of a rule behind a route of axum.
pub trait Rule: PermissionRule + Clone + Send + Sync + 'static {}

impl<R: PermissionRule + Clone + Send + Sync + 'static> Rule for R {}

fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap()
}

/// Returns the scopes in the challenge of a rejection; `None` if the request is accepted.
pub async fn needed(rule: impl Rule, claims: Value) -> Option<String> {
    let service = Service::new();
    let (status, challenge) = service.rejection(rule, &service.token(&claims)).await?;
    assert_eq!(
        (status, challenge.error()),
        (403, Some("insufficient_scope"))
    );
    Some(challenge.param("scope").unwrap_or_default().to_owned())
}

fn scope(text: &str) -> Value {
    json!({ "scope": text })
}

#[tokio::test]
async fn r81_all_scopes_of_an_operation_are_needed_and_named_at_once() {
    let rule = || RequireScope::all(["files:read", "users:read"]);
    for accepted in ["files:read users:read", "users:read x files:read"] {
        assert_eq!(needed(rule(), scope(accepted)).await, None, "{accepted}");
    }
    for rejected in [
        "",
        "files:read",
        "users:read",
        "files:read,users:read",
        "FILES:READ users:read",
        "files:reads users:read",
    ] {
        let needed = needed(rule(), scope(rejected)).await;
        assert_eq!(
            needed.as_deref(),
            Some("files:read users:read"),
            "{rejected}"
        );
    }
    assert_eq!(
        needed(rule(), json!({})).await.as_deref(),
        Some("files:read users:read")
    );
    let none: [&str; 0] = [];
    assert_eq!(
        needed(RequireScope::all(none), scope("a")).await.as_deref(),
        Some("")
    );
    assert_eq!(
        needed(RequireScope::any(none), scope("a")).await.as_deref(),
        Some("")
    );
}

#[tokio::test]
async fn one_of_several_scopes_suffices_and_the_first_is_named() {
    let rule = || RequireScope::any(["a", "b"]);
    for accepted in ["a", "b", "x b"] {
        assert_eq!(needed(rule(), scope(accepted)).await, None, "{accepted}");
    }
    assert_eq!(needed(rule(), scope("c")).await.as_deref(), Some("a"));
}

#[tokio::test]
async fn a_scope_may_imply_others() {
    let rule = || {
        RequireScope::all(["read"])
            .implied("write", "read")
            .implied("admin", "write")
            .implied("read", "admin") // a circle
            .implied("other", "something")
    };
    for accepted in ["read", "write", "admin"] {
        assert_eq!(needed(rule(), scope(accepted)).await, None, "{accepted}");
    }
    for rejected in ["other", "something", "writer", ""] {
        assert_eq!(
            needed(rule(), scope(rejected)).await.as_deref(),
            Some("read"),
            "{rejected}"
        );
    }
    let one_way = RequireScope::all(["write"]).implied("write", "read");
    assert_eq!(
        needed(one_way, scope("read")).await.as_deref(),
        Some("write")
    );
}

#[tokio::test]
async fn roles_are_read_from_a_claim() {
    let realm = || RequireRole::any(["realm_access", "roles"], ["admin", "auditor"]);
    let client = || RequireRole::all(["resource_access", "my.app", "roles"], ["a", "b"]);
    let groups = || RequireRole::any(["groups"], ["/staff"]);
    let roles = |roles: Value| json!({"realm_access": {"roles": roles}});
    assert_eq!(needed(realm(), roles(json!(["x", "auditor"]))).await, None);
    let both = json!({"resource_access": {"my.app": {"roles": ["b", "a"]}}});
    assert_eq!(needed(client(), both).await, None);
    assert_eq!(needed(groups(), json!({"groups": ["/staff"]})).await, None);
    for rejected in [
        json!({}),
        roles(json!([])),
        roles(json!(["Admin"])),
        roles(json!("admin")),
        roles(json!(["admin", 1])),
        roles(json!({"admin": true})),
        json!({"realm_access": ["admin"]}),
        json!({"realm_access.roles": ["admin"]}),
    ] {
        let needed = needed(realm(), rejected.clone()).await;
        assert_eq!(needed.as_deref(), Some(""), "{rejected}");
    }
    let one = json!({"resource_access": {"my.app": {"roles": ["a"]}}});
    assert_eq!(needed(client(), one).await.as_deref(), Some(""));
    let none: [&str; 0] = [];
    let rule = RequireRole::all(["groups"], none);
    assert_eq!(
        needed(rule, json!({"groups": ["a"]})).await.as_deref(),
        Some("")
    );
}

#[tokio::test]
async fn clients_may_be_listed() {
    let rule = || RequireClient::any(["shop", "warehouse"]);
    for accepted in [
        json!({"client_id": "shop"}),
        json!({"client_id": null, "azp": "warehouse"}),
    ] {
        assert_eq!(needed(rule(), accepted.clone()).await, None, "{accepted}");
    }
    for rejected in [
        json!({"client_id": "Shop"}),
        json!({"client_id": "other", "azp": "shop"}),
    ] {
        assert_eq!(
            needed(rule(), rejected.clone()).await.as_deref(),
            Some(""),
            "{rejected}"
        );
    }
}

#[tokio::test]
async fn r81_rules_combine_and_name_all_scopes() {
    let a = || RequireScope::all(["a"]);
    let b = || RequireScope::all(["b", "a"]);
    for (claims, expected) in [
        ("a b", None),
        ("a", Some("a b")),
        ("b", Some("a b")),
        ("", Some("a b")),
    ] {
        assert_eq!(
            needed(a().and(b()), scope(claims)).await.as_deref(),
            expected,
            "{claims}"
        );
    }
    let c = || RequireScope::all(["c"]);
    for (claims, expected) in [("a", None), ("c", None), ("x", Some("a"))] {
        assert_eq!(
            needed(a().or(c()), scope(claims)).await.as_deref(),
            expected,
            "{claims}"
        );
    }
    // Nested rules name the scopes of all of them.
    let nested = a().and(c().or(b())).and(Permission::Read);
    assert_eq!(
        needed(nested, scope("a")).await.as_deref(),
        Some("a c read:*")
    );
    let nested = a().and(Permission::Read).and(ByMethod::new());
    assert_eq!(
        needed(nested, scope("x")).await.as_deref(),
        Some("a read:* create:*")
    );
    // A rule for which no scope suffices asks the client for none.
    let client = || RequireClient::any(["shop"]);
    assert_eq!(
        needed(a().and(client()), scope("")).await.as_deref(),
        Some("")
    );
    assert_eq!(
        needed(client().and(a()), scope("a")).await.as_deref(),
        Some("")
    );
    assert_eq!(
        needed(client().or(a()), scope("")).await.as_deref(),
        Some("a")
    );
    assert_eq!(needed(client().or(a()), scope("a")).await, None);
}

#[tokio::test]
async fn closures_combine_with_rules() {
    use modeler_auth::{Access, auth::RequestView};
    let closure = |access: &Access, _: &RequestView<'_>| {
        if access.has_scope("x") {
            Ok(())
        } else {
            Err(Denied::needs("x"))
        }
    };
    let rule = closure.and(RequireScope::all(["a"]));
    assert_eq!(needed(rule.clone(), scope("a x")).await, None);
    assert_eq!(needed(rule, scope("a")).await.as_deref(), Some("x a"));
}
