//! The parameter `resource_metadata` in the challenges of every kind of rejection.

use std::{sync::LazyLock, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Request, StatusCode},
    routing::get as get_route,
};
use modeler_auth::{
    Access, AuthError, AuthLayer, AuthorizedOrganization, InfoService, Permission,
    RequirePermissionLayer, TokenValidator,
    axum::{Authorized, Create, TypedClaims},
    camunda::HubProblem,
    reject::{Empty, Problem, Reject},
    require::{RequireAuthentication, RequireScope},
    resource::ProtectedResource,
    test_util::TestIssuer,
};

use crate::{
    challenge::Challenge,
    support::{Answer, send},
};

const URL: &str = "https://api.example.com/.well-known/oauth-protected-resource/orders";

/// The issuer of all validators here.
fn issuer() -> &'static TestIssuer {
    static SHARED: LazyLock<TestIssuer> =
        LazyLock::new(|| TestIssuer::oidc("https://login.example.com/realms/a"));
    &SHARED
}

fn validator(resource: Option<&str>) -> TokenValidator {
    let builder = TokenValidator::builder().issuer(issuer().issuer());
    let builder = match resource {
        Some(url) => builder.protected_resource(ProtectedResource::new(url)),
        None => builder,
    };
    builder.build().unwrap()
}

fn with_resource() -> TokenValidator {
    validator(Some("https://api.example.com/orders"))
}

fn without_resource() -> TokenValidator {
    validator(None)
}

/// A token of the issuer of both validators.
fn token() -> String {
    issuer().token().sign()
}

#[derive(serde::Deserialize)]
struct Employee {
    #[expect(dead_code, reason = "only its absence matters")]
    department: String,
}

async fn validated(State(validator): State<TokenValidator>) -> Result<(), AuthError> {
    validator.validate("junk").await.map(drop)
}

/// Routes that reject in each way.
fn routes(validator: &TokenValidator) -> Router {
    let step_up = RequireAuthentication::new().acr_values(["2"]).unwrap();
    let step_up = step_up.max_age(Duration::from_secs(300));
    Router::new()
        .route("/open", get_route(|| async {}))
        .route(
            "/rule",
            get_route(|| async {})
                .layer(RequirePermissionLayer::new(RequireScope::all(["a", "b"]))),
        )
        .route(
            "/step-up",
            get_route(|| async {}).layer(RequirePermissionLayer::new(step_up)),
        )
        .route("/authorized", get_route(async |_: Authorized<Create>| {}))
        .route("/claims", get_route(async |_: TypedClaims<Employee>| {}))
        .route(
            "/organization",
            get_route(async |_: AuthorizedOrganization| {}),
        )
        .route("/access", get_route(async |_: Access| {}))
        .route("/validated", get_route(validated))
        .route_service("/api/v1/info", InfoService::new())
        .with_state(validator.clone())
}

async fn ask(app: &Router, path: &str, authorization: Option<&str>) -> Answer {
    let mut request = Request::get(path);
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    send(app, request.body(Body::empty()).unwrap()).await
}

/// Returns the error code of the challenge, and the metadata that it names. `Challenge::of` checks
/// that there is one challenge, with each parameter once.
fn named(headers: &HeaderMap) -> (Option<String>, Option<String>) {
    let challenge = Challenge::of(headers);
    let metadata = challenge.param("resource_metadata");
    (
        challenge.error().map(str::to_owned),
        metadata.map(str::to_owned),
    )
}

/// Path, header, status, and error code of each way to reject.
fn rejections() -> Vec<(&'static str, Option<String>, u16, Option<&'static str>)> {
    let good = format!("Bearer {}", token());
    let scope = Some("insufficient_scope");
    vec![
        ("/open", None, 401, None),
        ("/open", Some("Basic dTpw".to_owned()), 401, None),
        (
            "/open",
            Some("Bearer junk".to_owned()),
            401,
            Some("invalid_token"),
        ),
        (
            "/open",
            Some("Bearer  ".to_owned()),
            400,
            Some("invalid_request"),
        ),
        (
            "/open",
            Some("Bearer a, Bearer b".to_owned()),
            400,
            Some("invalid_request"),
        ),
        ("/rule", Some(good.clone()), 403, scope),
        (
            "/step-up",
            Some(good.clone()),
            401,
            Some("insufficient_user_authentication"),
        ),
        ("/authorized", Some(good.clone()), 403, scope),
        ("/claims", Some(good.clone()), 403, scope),
        ("/organization", Some(good.clone()), 403, scope),
        ("/validated", Some(good.clone()), 401, Some("invalid_token")),
        ("/api/v1/info", Some(good), 403, scope),
    ]
}

async fn assert_named<R>(layer: AuthLayer<R>, validator: &TokenValidator, expected: Option<&str>)
where
    R: Reject + Clone + Send + Sync + 'static,
{
    let app = routes(validator).layer(layer);
    for (path, authorization, status, code) in rejections() {
        let answer = ask(&app, path, authorization.as_deref()).await;
        assert_eq!(answer.status, status, "{path}");
        let (found, metadata) = named(&answer.headers);
        assert_eq!(found.as_deref(), code, "{path}");
        assert_eq!(metadata.as_deref(), expected, "{path}");
    }
}

#[tokio::test]
async fn r10_each_challenge_names_the_metadata_once() {
    let validator = with_resource();
    let layer = || AuthLayer::new(validator.clone());
    assert_named(layer(), &validator, Some(URL)).await;
    assert_named(layer().reject_with(Empty), &validator, Some(URL)).await;
    assert_named(layer().reject_with(HubProblem), &validator, Some(URL)).await;
    assert_named(layer().grpc_by_content_type(), &validator, Some(URL)).await;
    let own = layer().reject_with_fn(|rejection| rejection.response("own"));
    assert_named(own, &validator, Some(URL)).await;
}

#[tokio::test]
async fn without_a_resource_no_challenge_names_metadata() {
    let validator = without_resource();
    assert_named(AuthLayer::new(validator.clone()), &validator, None).await;
    let own =
        AuthLayer::new(validator.clone()).reject_with_fn(|rejection| rejection.response("own"));
    assert_named(own, &validator, None).await;
}

#[tokio::test]
async fn r10_the_challenge_of_a_grpc_call_names_the_metadata() {
    let validator = with_resource();
    let app = routes(&validator).layer(AuthLayer::new_for_grpc(validator.clone()));
    for (path, authorization, _, code) in rejections() {
        let answer = ask(&app, path, authorization.as_deref()).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("grpc-status").is_some(), "{path}");
        let expected = (code.map(str::to_owned), Some(URL.to_owned()));
        assert_eq!(named(&answer.headers), expected, "{path}");
    }
}

#[tokio::test]
async fn r10_an_extractor_behind_an_optional_layer_names_the_metadata() {
    let validator = with_resource();
    let app = routes(&validator).layer(AuthLayer::new(validator.clone()).optional());
    assert_eq!(ask(&app, "/open", None).await.status, 200);
    for path in ["/access", "/authorized", "/rule", "/api/v1/info"] {
        let answer = ask(&app, path, None).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(
            named(&answer.headers),
            (None, Some(URL.to_owned())),
            "{path}"
        );
    }
}

#[tokio::test]
async fn r10_without_tower_a_response_names_the_metadata_of_the_validator() {
    for (validator, expected) in [(with_resource(), Some(URL)), (without_resource(), None)] {
        let response = async |authorization: Option<&str>| {
            let mut request = Request::get("/");
            if let Some(authorization) = authorization {
                request = request.header("authorization", authorization);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let error = match validator.authenticate(&parts).await {
                Ok(access) => validator
                    .authorize(&parts, &access, &Permission::Create)
                    .unwrap_err(),
                Err(error) => error,
            };
            error.response(&Problem)
        };
        for (authorization, status) in [
            (None, StatusCode::UNAUTHORIZED),
            (Some("Bearer junk".to_owned()), StatusCode::UNAUTHORIZED),
            (Some("Bearer ".to_owned()), StatusCode::BAD_REQUEST),
            (Some(format!("Bearer {}", token())), StatusCode::FORBIDDEN),
        ] {
            let response = response(authorization.as_deref()).await;
            assert_eq!(response.status(), status);
            assert_eq!(named(response.headers()).1.as_deref(), expected);
        }
        let error = validator.validate("junk").await.unwrap_err();
        let response = error.response(&Problem);
        assert_eq!(named(response.headers()).1.as_deref(), expected);
    }
}

/// The layer that renders a rejection names its own metadata.
#[tokio::test]
async fn nested_layers_name_the_metadata_of_the_layer_that_rejects() {
    let inner = with_resource();
    let outer = validator(Some("https://api.example.com"));
    let outer_url = URL.strip_suffix("/orders").unwrap();
    let app = routes(&inner)
        .layer(AuthLayer::new(inner))
        .route("/outer", get_route(async |_: Authorized<Create>| {}))
        .layer(AuthLayer::new(outer));
    let good = format!("Bearer {}", token());
    for (path, authorization, expected) in [
        ("/authorized", None, outer_url),
        ("/authorized", Some(&*good), URL),
        ("/rule", Some(&good), URL),
        ("/outer", Some(&good), outer_url),
    ] {
        let answer = ask(&app, path, authorization).await;
        assert_eq!(
            named(&answer.headers).1.as_deref(),
            Some(expected),
            "{path}"
        );
    }
}

#[tokio::test]
async fn responses_without_a_challenge_do_not_name_the_metadata() {
    let validator = with_resource();
    let app = routes(&validator).layer(AuthLayer::new(validator));
    let good = format!("Bearer {}", token());
    let answer = ask(&app, "/open", Some(&good)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("www-authenticate"), None);
}
