//! OpenAPI descriptions of rejections, compared with the rejections.

use std::collections::{BTreeMap, BTreeSet};

use axum::{Router, body::Body, http::Request, routing::get};
use modeler_auth::{
    Access, AuthLayer, AuthorizedOrganization, InfoService, Issuer, Permission,
    RequirePermissionLayer,
    axum::{Authorized, Read, TypedClaims},
    openapi::{AuthResponses, BearerScheme, PermissionResponses},
    reject::Problem,
    require::RequireAuthentication,
    test_util::TestIssuer,
};
use serde_json::{Value, json};
use utoipa::{Modify as _, OpenApi};

use crate::support::{Answer, send, validator};

#[utoipa::path(get, path = "/access", responses(AuthResponses, (status = 200)))]
async fn access(_: Access) {}

#[utoipa::path(get, path = "/rule", responses(PermissionResponses, (status = 200)))]
async fn rule() {}

#[utoipa::path(get, path = "/step_up", responses(AuthResponses, (status = 200)))]
async fn step_up() {}

#[utoipa::path(get, path = "/authorized", responses(PermissionResponses, (status = 200)))]
async fn authorized(_: Authorized<Read>) {}

#[utoipa::path(get, path = "/organization", responses(PermissionResponses, (status = 200)))]
async fn organization(_: AuthorizedOrganization) {}

#[utoipa::path(get, path = "/claims", responses(PermissionResponses, (status = 200)))]
async fn claims(_: TypedClaims<BTreeMap<String, bool>>) {}

#[utoipa::path(get, path = "/v1/info", responses(PermissionResponses, (status = 200)))]
#[expect(dead_code, reason = "InfoService serves it")]
fn info() {}

const BEARER: BearerScheme = BearerScheme::new("Bearer");

#[derive(OpenApi)]
#[openapi(
    paths(access, rule, step_up, authorized, organization, claims, info),
    modifiers(&BEARER)
)]
struct Description;

fn document() -> Value {
    serde_json::to_value(Description::openapi()).unwrap()
}

fn names(object: &Value) -> BTreeSet<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

/// Content types and headers by status.
type Rejections = BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)>;

fn described(document: &Value, path: &str) -> Rejections {
    let responses = document["paths"][path]["get"]["responses"].as_object();
    let rejections = responses
        .unwrap()
        .iter()
        .filter(|(status, _)| *status != "200");
    rejections
        .map(|(status, response)| {
            let headers = names(&response["headers"]).into_iter();
            let headers = headers.map(|name| name.to_lowercase()).collect();
            (status.clone(), (names(&response["content"]), headers))
        })
        .collect()
}

/// The service with each kind of rejection, and credentials that cause them.
struct Service {
    app: Router,
    authorizations: Vec<Vec<String>>,
}

impl Service {
    fn new() -> Self {
        let managed = TestIssuer::self_managed();
        let plain = TestIssuer::oidc("https://plain.example/");
        let unreachable = TestIssuer::oidc("https://unreachable.example/");
        unreachable.fail_fetches(true);
        let validator = validator([managed.issuer(), plain.issuer(), unreachable.issuer()]);
        let app = Router::new()
            .route(
                "/rule",
                get(rule).layer(RequirePermissionLayer::new(Permission::Create)),
            )
            .route(
                "/step_up",
                get(step_up).layer(RequirePermissionLayer::new(
                    RequireAuthentication::new().acr_values(["2"]).unwrap(),
                )),
            )
            .route("/access", get(access))
            .route("/authorized", get(authorized))
            .route("/organization", get(organization))
            .route("/claims", get(claims))
            .route_service("/v1/info", InfoService::new())
            .layer(AuthLayer::new(validator).reject_with(Problem));
        let bearer = |token: String| format!("Bearer {token}");
        let none = managed.token().permissions([]);
        Self {
            app,
            authorizations: vec![
                vec![],
                vec!["Basic YTpi".to_owned()],
                vec!["Bearer".to_owned()],
                vec![bearer("a".to_owned()), bearer("b".to_owned())],
                vec![bearer("a".to_owned())],
                vec![bearer(managed.token().expired().sign())],
                vec![bearer(none.sign())],
                vec![bearer(plain.token().sign())],
                vec![bearer(unreachable.token().sign())],
                vec![bearer(managed.token().claim("acr", "2").sign())],
            ],
        }
    }

    /// The answers to all credentials that are rejections.
    async fn rejections(&self, path: &str) -> Vec<Answer> {
        let mut rejections = Vec::new();
        for authorizations in &self.authorizations {
            let mut request = Request::get(path);
            for authorization in authorizations {
                request = request.header("authorization", authorization);
            }
            let answer = send(&self.app, request.body(Body::empty()).unwrap()).await;
            if !answer.status.is_success() {
                rejections.push(answer);
            }
        }
        rejections
    }
}

#[tokio::test]
async fn each_operation_describes_exactly_its_rejections() {
    let service = Service::new();
    let document = document();
    for path in names(&document["paths"]) {
        let mut occurred = Rejections::new();
        for answer in service.rejections(&path).await {
            let kind = answer.header("content-type").unwrap().to_owned();
            let headers = ["retry-after", "www-authenticate"].into_iter();
            let headers: BTreeSet<_> = headers
                .filter(|name| answer.header(name).is_some())
                .map(str::to_owned)
                .collect();
            let status = answer.status.as_str().to_owned();
            let rejection = ([kind].into(), headers);
            let same = occurred.entry(status).or_insert(rejection.clone());
            assert_eq!(*same, rejection, "{path} {}", answer.status);
        }
        assert_eq!(occurred, described(&document, &path), "{path}");
    }
}

#[tokio::test]
async fn the_schema_has_the_members_of_the_bodies() {
    let service = Service::new();
    let document = document();
    let schema = &document["components"]["schemas"]["ProblemDetail"];
    let members = &schema["properties"];
    let mut required: Vec<_> = schema["required"].as_array().unwrap().clone();
    required.sort_by_key(ToString::to_string);
    assert_eq!(json!(required), json!(names(members)));
    for path in names(&document["paths"]) {
        for answer in service.rejections(&path).await {
            let body: Value = serde_json::from_str(&answer.body).unwrap();
            assert_eq!(names(&body), names(members), "{path}");
            for (name, value) in body.as_object().unwrap() {
                let kind = if value.is_i64() { "integer" } else { "string" };
                assert_eq!(members[name]["type"], kind, "{path}: {name}");
                assert!(value.is_string() || name == "status", "{path}: {value}");
            }
            let status = body["status"].as_i64().unwrap();
            let bound = |name: &str| members["status"][name].as_i64().unwrap();
            assert!((bound("minimum")..=bound("maximum")).contains(&status));
        }
    }
}

/// All values of members `$ref`.
fn references<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members
                .values()
                .for_each(|member| references(member, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn each_reference_has_a_target() {
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert_eq!(found, ["#/components/schemas/ProblemDetail"].into());
    for reference in found {
        let target = document.pointer(reference.strip_prefix('#').unwrap());
        assert!(target.is_some_and(Value::is_object), "{reference}");
    }
}

#[test]
fn the_discovery_document_of_an_issuer_has_one_slash() {
    for (issuer, url) in [
        (
            "https://a.example",
            "https://a.example/.well-known/openid-configuration",
        ),
        (
            "https://a.example/",
            "https://a.example/.well-known/openid-configuration",
        ),
        (
            "https://a.example/b/",
            "https://a.example/b/.well-known/openid-configuration",
        ),
    ] {
        let issuer = Issuer::oidc(issuer).audience("orders");
        let mut document = Description::openapi();
        BearerScheme::open_id_connect("OpenID", &issuer).modify(&mut document);
        let document = serde_json::to_value(document).unwrap();
        let schemes = json!({
            "Bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            "OpenID": {"type": "openIdConnect", "openIdConnectUrl": url},
        });
        assert_eq!(document["components"]["securitySchemes"], schemes);
    }
}
