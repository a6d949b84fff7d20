//! Protected resource metadata (RFC 9728): the service, and the parameter `resource_metadata` of
//! challenges.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode},
    routing::get,
};
use modeler_auth::{
    Access, AuthLayer, ConfigError, Issuer, RequirePermissionLayer, TokenValidator,
    reject::{Empty, Problem},
    require::{RequireAuthentication, RequireScope},
    resource::{MetadataService, ProtectedResource},
    test_util::TestIssuer,
};
use serde_json::{Value, json};

use crate::{
    challenge::Challenge,
    support::{Answer, send},
};

const ROOT: &str = "/.well-known/oauth-protected-resource";
const API: &str = "https://api.example.com";

fn orders() -> ProtectedResource {
    ProtectedResource::new(format!("{API}/orders")).scopes(["orders:read", "orders:write"])
}

fn files() -> ProtectedResource {
    ProtectedResource::new(format!("{API}/files"))
}

fn validator<const N: usize>(
    issuer: &TestIssuer,
    resources: [ProtectedResource; N],
) -> TokenValidator {
    let builder = TokenValidator::builder().issuer(issuer.issuer());
    let builder = resources.into_iter().fold(builder, |builder, resource| {
        builder.protected_resource(resource)
    });
    builder.build().unwrap()
}

/// A service with routes behind the layer, and the metadata in front of it.
fn service(validator: &TokenValidator) -> Router {
    let strong = RequireAuthentication::new().max_age(Duration::from_secs(300));
    let metadata = MetadataService::new(validator).unwrap();
    Router::new()
        .route(
            "/orders",
            get(async |_: Access| "").route_layer(RequirePermissionLayer::new(RequireScope::all(
                ["orders:read"],
            ))),
        )
        .route(
            "/orders/recent",
            get(async || "").route_layer(RequirePermissionLayer::new(strong)),
        )
        .fallback(async || "")
        .layer(AuthLayer::new(validator.clone()))
        .route_service(ROOT, metadata.clone())
        .route_service(&format!("{ROOT}/{{*resource}}"), metadata)
}

async fn ask(app: &Router, method: Method, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(path);
    send(app, request.body(Body::empty()).unwrap()).await
}

async fn document(app: &Router, path: &str) -> Option<Value> {
    let answer = ask(app, Method::GET, path).await;
    match answer.status {
        StatusCode::OK => Some(serde_json::from_str(&answer.body).unwrap()),
        status => {
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
            None
        }
    }
}

/// Sends a request with these `Authorization` headers and returns the metadata URL of its challenge.
async fn challenged(app: &Router, path: &str, authorization: &[&str]) -> (u16, Option<String>) {
    let mut request = Request::get(path);
    for value in authorization {
        request = request.header("authorization", *value);
    }
    let answer = send(app, request.body(Body::empty()).unwrap()).await;
    let challenge = Challenge::of(&answer.headers);
    let url = challenge.param("resource_metadata").map(str::to_owned);
    (answer.status.as_u16(), url)
}

#[tokio::test]
async fn r84_the_document_names_the_resource_its_issuers_and_its_scopes() {
    let issuer = TestIssuer::oidc("https://login.example.com/");
    let resource = orders()
        .name("Orders \"2\"")
        .documentation("https://docs.example.com/orders?v=1");
    let app = service(&validator(&issuer, [resource]));
    assert_eq!(
        document(&app, &format!("{ROOT}/orders")).await.unwrap(),
        json!({
            "resource": "https://api.example.com/orders",
            "authorization_servers": ["https://login.example.com/"],
            "scopes_supported": ["orders:read", "orders:write"],
            "bearer_methods_supported": ["header"],
            "resource_name": "Orders \"2\"",
            "resource_documentation": "https://docs.example.com/orders?v=1",
        })
    );

    let two = TokenValidator::builder()
        .issuer(issuer.issuer())
        .issuer(Issuer::saas("12345678-ABCD-DCBA-ABCD-123456789ABC"))
        .protected_resource(files())
        .build()
        .unwrap();
    assert_eq!(
        document(&service(&two), ROOT).await.unwrap(),
        json!({
            "resource": "https://api.example.com/files",
            "authorization_servers": ["https://login.example.com/", "https://weblogin.cloud.camunda.io/"],
            "bearer_methods_supported": ["header"],
        })
    );
}

#[tokio::test]
async fn r84_each_resource_has_its_path_and_the_only_one_also_the_root() {
    let issuer = TestIssuer::oidc("https://login.example.com/");
    let at = async |app: &Router, path: &str| {
        let document = document(app, &format!("{ROOT}{path}")).await;
        document.map(|document| document["resource"].as_str().unwrap().to_owned())
    };
    let one = service(&validator(&issuer, [orders()]));
    let found = Some(format!("{API}/orders"));
    assert_eq!(at(&one, "").await, found);
    assert_eq!(at(&one, "/orders").await, found);
    assert_eq!(at(&one, "/orders/").await, found);
    for other in [
        "/orders//",
        "//orders",
        "/order",
        "/ORDERS",
        "/orders/1",
        "/files",
        "/%6frders",
    ] {
        assert_eq!(at(&one, other).await, None, "{other}");
    }

    let two = service(&validator(&issuer, [orders(), files()]));
    assert_eq!(at(&two, "").await, None);
    assert_eq!(at(&two, "/orders").await, found);
    assert_eq!(at(&two, "/files").await, Some(format!("{API}/files")));
    // The SDK of the Model Context Protocol removes the slash at the end of a URL.
    let archive = ProtectedResource::new(format!("{API}/archive/"));
    let with_slash = service(&validator(&issuer, [orders(), archive]));
    for path in ["/archive", "/archive/"] {
        let found = at(&with_slash, path).await;
        assert_eq!(found, Some(format!("{API}/archive/")), "{path}");
    }

    // A resource without a path is the one at the root.
    let root = ProtectedResource::new(format!("{API}/"));
    let with_root = service(&validator(&issuer, [orders(), root]));
    assert_eq!(at(&with_root, "").await, Some(format!("{API}/")));
    assert_eq!(at(&with_root, "/orders").await, found);
}

#[tokio::test]
async fn r84_get_head_and_preflight_requests_are_answered_and_others_are_405() {
    let app = service(&validator(&TestIssuer::self_managed(), [orders()]));
    let get = ask(&app, Method::GET, ROOT).await;
    assert_eq!(get.status, 200);
    assert_eq!(get.header("content-type"), Some("application/json"));
    assert_eq!(get.header("cache-control"), Some("public, max-age=3600"));
    assert_eq!(get.header("access-control-allow-origin"), Some("*"));
    let head = ask(&app, Method::HEAD, ROOT).await;
    // The server omits the body.
    assert_eq!((head.status, &head.headers), (get.status, &get.headers));

    let preflight = ask(&app, Method::OPTIONS, ROOT).await;
    assert_eq!(preflight.status, 204);
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, HEAD"),
        ("access-control-allow-headers", "*"),
        ("access-control-max-age", "3600"),
    ] {
        assert_eq!(preflight.header(name), Some(value), "{name}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::TRACE] {
        let answer = ask(&app, method, ROOT).await;
        assert_eq!(answer.status, 405);
        assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS"));
        assert_eq!(answer.body, "");
    }
}

#[tokio::test]
async fn r10_each_challenge_has_one_resource_metadata() {
    let issuer = TestIssuer::oidc("https://login.example.com/");
    let unreachable = TestIssuer::oidc("https://unreachable.example.com/");
    unreachable.fail_fetches(true);
    let validator = TokenValidator::builder()
        .issuer(issuer.issuer())
        .issuer(unreachable.issuer())
        .protected_resource(orders())
        .build()
        .unwrap();
    let app = service(&validator);
    let bearer = |token: String| format!("Bearer {token}");
    let url = || Some(format!("{API}{ROOT}/orders"));
    let good = bearer(issuer.token().sign());
    for (path, authorization, status) in [
        ("/orders", &[][..], 401),
        ("/orders", &["Bearer"], 400),
        ("/orders", &[&good, &good], 400),
        ("/orders", &["Bearer junk"], 401),
        ("/orders", &[&bearer(issuer.token().expired().sign())], 401),
        ("/orders", &[&good], 403),
        ("/orders/recent", &[&good], 401),
        // A path outside of the only resource.
        ("/elsewhere", &[], 401),
    ] {
        assert_eq!(challenged(&app, path, authorization).await, (status, url()));
    }
    let elsewhere = bearer(unreachable.token().sign());
    let request = Request::get("/orders").header("authorization", elsewhere);
    let answer = send(&app, request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("www-authenticate"), None);
}

#[tokio::test]
async fn r10_every_form_of_a_rejection_has_it_and_none_without_a_resource() {
    let issuer = TestIssuer::self_managed();
    let with = validator(&issuer, [orders()]);
    let url = Some(format!("{API}{ROOT}/orders"));
    let app = || Router::new().route("/orders", get(async || ""));
    let plain = |rejection: &modeler_auth::reject::Rejection<'_>| rejection.response("no");
    for app in [
        app().layer(AuthLayer::new(with.clone()).reject_with(Empty)),
        app().layer(AuthLayer::new(with.clone()).reject_with_fn(plain)),
        app().layer(AuthLayer::new(with.clone()).grpc_by_content_type()),
    ] {
        assert_eq!(challenged(&app, "/orders", &[]).await, (401, url.clone()));
    }
    let grpc = app().layer(AuthLayer::new_for_grpc(with.clone()));
    assert_eq!(challenged(&grpc, "/orders", &[]).await, (200, url.clone()));

    let without = app().layer(AuthLayer::new(validator(&issuer, [])));
    assert_eq!(challenged(&without, "/orders", &[]).await, (401, None));

    // Without tower.
    let (parts, ()) = Request::get("/orders").body(()).unwrap().into_parts();
    let error = with.authenticate(&parts).await.unwrap_err();
    let challenge = Challenge::of(error.response(&Problem).headers());
    assert_eq!(challenge.param("resource_metadata"), url.as_deref());
    let access = with.validate(&issuer.token().sign()).await.unwrap();
    let denied = with.authorize(&parts, &access, &RequireScope::all(["orders:read"]));
    let challenge = Challenge::of(denied.unwrap_err().response(&Empty).headers());
    assert_eq!(challenge.param("resource_metadata"), url.as_deref());
    assert_eq!(challenge.param("scope"), Some("orders:read"));
}

#[tokio::test]
async fn r10_of_several_resources_the_one_with_the_longest_path_counts() {
    let issuer = TestIssuer::self_managed();
    let archive = ProtectedResource::new(format!("{API}/orders/archive/"));
    let app = service(&validator(&issuer, [files(), orders(), archive]));
    for (path, resource) in [
        ("/orders", "/orders"),
        ("/orders/", "/orders"),
        ("/orders/1?x=/files", "/orders"),
        ("/orders/archive", "/orders/archive/"),
        ("/orders/archive/1", "/orders/archive/"),
        ("/ordersx", "/files"),
        ("/files/1", "/files"),
        // No resource: the first.
        ("/", "/files"),
    ] {
        let (_, url) = challenged(&app, path, &[]).await;
        assert_eq!(url, Some(format!("{API}{ROOT}{resource}")), "{path}");
    }
    // Inside `Router::nest`, the path is the one that the client sent.
    let nested = Router::new().nest(
        "/orders",
        Router::new()
            .route("/1", get(async || ""))
            .layer(AuthLayer::new(validator(&issuer, [files(), orders()]))),
    );
    let (_, url) = challenged(&nested, "/orders/1", &[]).await;
    assert_eq!(url, Some(format!("{API}{ROOT}/orders")));
}

#[tokio::test]
async fn r63_no_url_stems_from_a_header_of_the_request() {
    let issuer = TestIssuer::self_managed();
    let app = service(&validator(&issuer, [orders()]));
    let expected = document(&app, ROOT).await.unwrap();
    for name in [
        "host",
        "forwarded",
        "x-forwarded-host",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-port",
        "x-forwarded-prefix",
        "x-forwarded-uri",
        "x-forwarded-server",
        "x-original-host",
        "x-original-url",
        "x-rewrite-url",
        "x-real-ip",
        "origin",
        "referer",
        "via",
    ] {
        for value in [
            "evil.example",
            "host=evil.example;proto=http",
            "https://evil.example/orders",
            "evil.example\"",
        ] {
            let request = |uri: &str| Request::get(uri).header(name, value).body(Body::empty());
            for uri in [
                ROOT,
                "http://evil.example/.well-known/oauth-protected-resource",
            ] {
                let answer = send(&app, request(uri).unwrap()).await;
                let found: Value = serde_json::from_str(&answer.body).unwrap();
                assert_eq!(found, expected, "{name}: {value}");
                assert!(!format!("{:?}", answer.headers).contains("evil"));
            }
            for uri in ["/orders", "http://evil.example/orders"] {
                let answer = send(&app, request(uri).unwrap()).await;
                assert_eq!(answer.status, 401);
                let shown = format!("{:?} {}", answer.headers, answer.body);
                assert!(!shown.contains("evil"), "{name}: {shown}");
            }
        }
    }
}

#[test]
fn r84_settings_that_cannot_be_used_are_errors_that_say_what_to_correct() {
    let issuer = TestIssuer::self_managed();
    let error = |resources: Vec<ProtectedResource>| {
        let builder = TokenValidator::builder().issuer(issuer.issuer());
        let builder = resources.into_iter().fold(builder, |builder, resource| {
            builder.protected_resource(resource)
        });
        builder.build().unwrap_err().to_string()
    };
    for (url, expected) in [
        ("https://api.example.com/#a", "it has a fragment"),
        ("https://api.example.com/?a", "it has a query"),
        (
            "http://api.example.com/",
            "it is http: use https; http is for loopback hosts only, such as `localhost`",
        ),
        ("api.example.com", "it is not an absolute URL"),
        ("/orders", "it is not an absolute URL"),
        ("", "it is not an absolute URL"),
        (
            "ftp://api.example.com/",
            "its scheme is neither https nor http",
        ),
        (
            "https://a:secret@api.example.com/",
            "it contains a user name or password",
        ),
        (
            "https://api.example.com/a b",
            "it contains white space or a control character",
        ),
    ] {
        let error = error(vec![ProtectedResource::new(url)]);
        assert!(
            error.starts_with("protected resource: public URL `"),
            "{error}"
        );
        let advice = "; use the URL by which clients reach the resource, e.g. \
                      https://api.example.com/orders";
        let ending = if expected.contains("use https") {
            ""
        } else {
            advice
        };
        assert!(
            error.ends_with(&format!("cannot be used: {expected}{ending}")),
            "{error}"
        );
        assert!(!error.contains("secret"), "{error}");
    }
    for url in [
        "http://localhost:8070",
        "http://127.0.0.1/a",
        "http://[::1]:1/",
    ] {
        let builder = TokenValidator::builder().issuer(issuer.issuer());
        let built = builder
            .protected_resource(ProtectedResource::new(url))
            .build();
        assert!(built.is_ok(), "{url}");
    }
    let offline = error(vec![orders().scopes(["orders:read", "offline_access"])]);
    assert_eq!(
        offline,
        "protected resource: scope `offline_access` cannot be used: it is for clients that want refresh \
         tokens, not for a resource: remove it"
    );
    for scope in ["", "a b", "a\"b", "a\\b", "ä", "a\n"] {
        let error = error(vec![orders().scopes([scope])]);
        assert!(error.contains("visible ASCII characters"), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
    let documentation = error(vec![orders().documentation("docs")]);
    assert_eq!(
        documentation,
        "protected resource: documentation `docs` cannot be used: it is not an absolute URL; use a URL \
         such as https://docs.example.com/orders"
    );
    let twice = error(vec![orders(), files(), orders()]);
    assert_eq!(
        twice,
        "protected resource: metadata URL \
         `https://api.example.com/.well-known/oauth-protected-resource/orders` cannot be used: another \
         resource has the same path: remove one of the two"
    );
    let slash = error(vec![
        orders(),
        ProtectedResource::new(format!("{API}/orders/")),
    ]);
    assert!(slash.ends_with("another resource has the same path: remove one of the two"));
    let none = MetadataService::new(&validator(&issuer, [])).unwrap_err();
    assert!(matches!(none, ConfigError::NoProtectedResource));
    assert!(
        none.to_string()
            .contains("add one with `TokenValidatorBuilder::protected_resource`")
    );
}
