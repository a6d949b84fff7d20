//! Rules about scopes, roles and clients, alone and combined, behind the layer.

use axum::{Router, body::Body, http::Request, routing::get};
use modeler_auth::{
    AuthLayer, ByMethod, Permission, RequirePermissionLayer,
    require::{Denied, PermissionRule, RequireClient, RequireRole, RequireScope},
    test_util::TestIssuer,
};
use serde_json::{Value, json};

use crate::support::{Answer, send, validator};

/// Sends a request with a token that has these claims to a route behind `rule`.
async fn ask(rule: impl PermissionRule + Clone + Send + Sync + 'static, claims: Value) -> Answer {
    let issuer = TestIssuer::self_managed();
    let mut token = issuer.token();
    for (name, value) in claims.as_object().unwrap() {
        token = match value {
            Value::Null => token.without(name),
            value => token.claim(name, value),
        };
    }
    let app = Router::new()
        .route("/", get(async || "ok"))
        .route_layer(RequirePermissionLayer::new(rule))
        .layer(AuthLayer::new(validator([issuer.issuer()])));
    let request = Request::get("/").header("authorization", format!("Bearer {}", token.sign()));
    send(&app, request.body(Body::empty()).unwrap()).await
}

/// Returns the scopes in the challenge of a rejection; `None` if the request is accepted.
async fn needed(
    rule: impl PermissionRule + Clone + Send + Sync + 'static,
    claims: Value,
) -> Option<String> {
    let answer = ask(rule, claims).await;
    if answer.status == 200 {
        return None;
    }
    assert_eq!(answer.status, 403);
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(
        challenge.starts_with("Bearer error=\"insufficient_scope\""),
        "{challenge}"
    );
    let scope = challenge
        .split_once("scope=\"")
        .map_or("", |(_, scope)| scope);
    Some(scope.trim_end_matches('"').to_owned())
}

fn scope(text: &str) -> Value {
    json!({ "scope": text })
}

#[tokio::test]
async fn all_scopes_of_an_operation_are_needed_and_named_at_once() {
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
async fn rules_combine_and_name_all_scopes() {
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
        Some("a read:*")
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
