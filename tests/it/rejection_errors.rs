//! Errors in the extensions of rejections, for layers outside.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Body,
    http::{Request, Response},
    response::IntoResponse as _,
    routing::get,
};
use modeler_auth::{
    Access, AuthError, AuthErrorKind, AuthLayer, InfoService, Permission, RequirePermissionLayer,
    reject::{Empty, Grpc, Problem, Reject},
    test_util::TestIssuer,
};
use tower::{ServiceBuilder, ServiceExt as _};

use crate::support::validator;

/// Value that a renderer stores in the extensions.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rendered;

fn routes() -> Router {
    Router::new()
        .route("/create", get(async || "created"))
        .route_layer(RequirePermissionLayer::new(Permission::Create))
        .route("/access", get(async |_: Access| "known"))
        .route_service("/{version}/info", InfoService::new())
}

async fn ask(app: &Router, path: &str, token: Option<&str>) -> Response<Body> {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

fn reason(response: &Response<Body>) -> Option<&'static str> {
    response
        .extensions()
        .get::<AuthError>()
        .map(AuthError::reason)
}

async fn check<R: Reject + Clone + Send + Sync + 'static>(reject: R) {
    let issuer = TestIssuer::oidc("https://issuer.example/");
    let layer = AuthLayer::new(validator([issuer.issuer()])).reject_with(reject);
    let app = routes().layer(layer);
    let token = issuer.token().permissions([Permission::Read]).sign();
    for (path, token, expected) in [
        ("/access", None, Some("missing_token")),
        ("/access", Some("junk"), Some("malformed_token")),
        ("/access", Some("a b"), Some("malformed_authorization")),
        ("/create", Some(&*token), Some("insufficient_scope")),
        ("/v1/info", Some(&token), Some("no_organization")),
        ("/access", Some(&token), None),
        ("/unknown", Some(&token), None),
    ] {
        let response = ask(&app, path, token).await;
        assert_eq!(reason(&response), expected, "{path} {token:?}");
    }
}

#[tokio::test]
async fn a_rejection_has_its_error_in_every_form() {
    check(Problem).await;
    check(Empty).await;
    check(Grpc).await;
    check(|rejection: &modeler_auth::reject::Rejection<'_>| rejection.response("")).await;
}

#[tokio::test]
async fn what_a_renderer_stores_stays_whoever_rejects() {
    let issuer = TestIssuer::self_managed();
    let layer = AuthLayer::new(validator([issuer.issuer()])).reject_with_fn(|rejection| {
        let mut response = rejection.response("");
        response.extensions_mut().insert(Rendered);
        response
    });
    let app = routes().layer(layer);
    let reader = issuer.token().permissions([Permission::Read]).sign();
    for (path, token) in [("/access", "junk"), ("/create", &reader)] {
        let response = ask(&app, path, Some(token)).await;
        assert_eq!(response.extensions().get(), Some(&Rendered), "{path}");
    }
}

/// The rejection of an inner layer keeps its form; the outer layer does not render it.
#[tokio::test]
async fn an_outer_layer_leaves_the_rejection_of_an_inner_one() {
    let rendered = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&rendered);
    let [outer, inner] = ["https://a.example/", "https://b.example/"].map(TestIssuer::oidc);
    let layers = ServiceBuilder::new()
        .layer(
            AuthLayer::new(validator([outer.issuer()])).reject_with_fn(move |rejection| {
                count.fetch_add(1, Ordering::Relaxed);
                Empty.reject(rejection)
            }),
        )
        .layer(AuthLayer::new(validator([inner.issuer()])));
    let app = routes().layer(layers);
    let response = ask(&app, "/access", Some(&outer.token().sign())).await;
    assert_eq!(response.status(), 401);
    assert_eq!(reason(&response), Some("unknown_issuer"));
    let kind = response.headers().get("content-type").unwrap();
    assert_eq!(kind, "application/problem+json");
    assert_eq!(rendered.load(Ordering::Relaxed), 0);
    assert_eq!(ask(&app, "/access", None).await.status(), 401);
    assert_eq!(rendered.load(Ordering::Relaxed), 1);
}

/// A handler may return the error of a response that it got from another service with a layer.
#[tokio::test]
async fn an_error_that_was_rendered_can_be_rendered_again() {
    let [outer, inner] = ["https://a.example/", "https://b.example/"].map(TestIssuer::oidc);
    let backend = routes().layer(AuthLayer::new(validator([inner.issuer()])).reject_with(Empty));
    let gateway = async move || {
        let response = ask(&backend, "/access", None).await;
        let error = response.extensions().get::<AuthError>().cloned().unwrap();
        assert_eq!(error.kind(), AuthErrorKind::MissingToken);
        error.into_response()
    };
    let app = Router::new()
        .route("/", get(gateway))
        .layer(AuthLayer::new(validator([outer.issuer()])));
    let response = ask(&app, "/", Some(&outer.token().sign())).await;
    assert_eq!(response.status(), 401);
    let kind = response.headers().get("content-type").unwrap();
    assert_eq!(kind, "application/problem+json");
}
