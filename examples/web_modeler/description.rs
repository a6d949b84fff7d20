//! OpenAPI description of the service.

use modeler_auth::openapi::{BearerScheme, PermissionResponses, ProblemDetail};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::projects;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Web Modeler-compatible service",
        description = "An example of the crate modeler-auth: the info operations of the Web Modeler API (v1) and the Hub API (v2), and projects.",
        version = "v1",
        license(name = "MIT OR Apache-2.0"),
    ),
    paths(
        info_v1,
        info_v2,
        projects::create,
        projects::read,
        projects::rename,
        projects::delete
    ),
    modifiers(&BEARER),
    security(("Bearer" = [])),
    tags(
        (name = "Info", description = "Grant of a token"),
        (name = "Projects", description = "A resource that needs the permissions"),
    ),
)]
pub(crate) struct Description;

const BEARER: BearerScheme = BearerScheme::new("Bearer");

/// Grant of a token in the Web Modeler API. All members are optional, as published.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct InfoDto {
    #[schema(required = false, example = "v1")]
    version: String,
    #[schema(required = false, example = "12345678-ABCD-DCBA-ABCD-123456789ABC")]
    authorized_organization: String,
    #[schema(required = false)]
    create_permission: bool,
    #[schema(required = false)]
    read_permission: bool,
    #[schema(required = false)]
    update_permission: bool,
    #[schema(required = false)]
    delete_permission: bool,
}

/// Grant of a token in the Hub API.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct InfoResult {
    /// The API version.
    #[schema(example = "v2")]
    version: String,
    /// The organization ID that the caller's credentials are authorized for.
    #[schema(example = "12345678-ABCD-DCBA-ABCD-123456789ABC")]
    authorized_organization: String,
}

/// Returns the grant of the token. Needs no permission.
#[utoipa::path(
    get, path = "/api/v1/info", tag = "Info", operation_id = "getInfo",
    security(("Bearer" = [])),
    responses(
        PermissionResponses,
        (status = 200, description = "The grant of the token", body = InfoDto),
        (status = 500, description = "Internal error", body = ProblemDetail, content_type = "application/problem+json"),
    ),
)]
#[expect(dead_code, reason = "only described here, served by InfoService")]
fn info_v1() {}

/// Returns the API version and the organization that the token is authorized for. Needs no
/// permission.
#[utoipa::path(
    get, path = "/api/v2/info", tag = "Info", operation_id = "getInfoV2",
    security(("Bearer" = [])),
    responses(
        PermissionResponses,
        (status = 200, description = "The grant of the token", body = InfoResult),
        (status = 500, description = "Internal error", body = ProblemDetail, content_type = "application/problem+json"),
    ),
)]
#[expect(dead_code, reason = "only described here, served by InfoService")]
fn info_v2() {}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Mutex};

    use axum::{
        Router,
        body::{Body, to_bytes},
        http::Request,
    };
    use modeler_auth::{TokenValidator, test_util::TestIssuer};
    use serde_json::{Value, json};
    use tower::ServiceExt as _;
    use utoipa::OpenApi as _;

    use super::Description;
    use crate::projects::Projects;

    fn document() -> Value {
        serde_json::to_value(Description::openapi()).unwrap()
    }

    /// The schema that `place` refers to.
    fn schema<'a>(document: &'a Value, place: &Value) -> &'a Value {
        let reference = place["schema"]["$ref"].as_str().unwrap();
        document
            .pointer(reference.strip_prefix('#').unwrap())
            .unwrap()
    }

    fn names(object: &Value) -> BTreeSet<&str> {
        let names = object.as_object().unwrap().keys();
        names.map(String::as_str).collect()
    }

    fn required(schema: &Value) -> BTreeSet<&str> {
        let names = schema["required"].as_array().into_iter().flatten();
        names.map(|name| name.as_str().unwrap()).collect()
    }

    fn type_of(value: &Value) -> &'static str {
        match value {
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            _ => "another type",
        }
    }

    #[test]
    fn the_info_operations_are_as_published() {
        let document = document();
        let scheme = &document["components"]["securitySchemes"]["Bearer"];
        let bearer = json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT"});
        assert_eq!(scheme, &bearer);
        for (path, id, name, members, needed) in [
            (
                "/api/v1/info",
                "getInfo",
                "InfoDto",
                &[
                    ("version", "string"),
                    ("authorizedOrganization", "string"),
                    ("createPermission", "boolean"),
                    ("readPermission", "boolean"),
                    ("updatePermission", "boolean"),
                    ("deletePermission", "boolean"),
                ][..],
                &[][..],
            ),
            (
                "/api/v2/info",
                "getInfoV2",
                "InfoResult",
                &[("version", "string"), ("authorizedOrganization", "string")],
                &["version", "authorizedOrganization"],
            ),
        ] {
            assert_eq!(names(&document["paths"][path]), ["get"].into());
            let operation = &document["paths"][path]["get"];
            assert_eq!(operation["operationId"], id);
            assert_eq!(operation["tags"], json!(["Info"]));
            assert_eq!(operation["security"], json!([{"Bearer": []}]));
            assert!(operation.get("parameters").is_none(), "{path}");
            let ok = &operation["responses"]["200"]["content"]["application/json"];
            let reference = format!("#/components/schemas/{name}");
            assert_eq!(ok["schema"]["$ref"], reference);
            let schema = schema(&document, ok);
            assert_eq!(schema["type"], "object");
            let expected = members.iter().map(|(name, _)| *name).collect();
            assert_eq!(names(&schema["properties"]), expected);
            for (name, kind) in members {
                assert_eq!(schema["properties"][name]["type"], *kind, "{name}");
            }
            assert_eq!(required(schema), needed.iter().copied().collect());
            for status in ["401", "403", "500"] {
                let content = &operation["responses"][status]["content"];
                assert_eq!(names(content), ["application/problem+json"].into());
            }
        }
    }

    #[test]
    fn each_problem_has_the_five_members_of_the_hub_api() {
        let document = document();
        let five = ["type", "title", "status", "detail", "instance"].into();
        let schema = &document["components"]["schemas"]["ProblemDetail"];
        assert_eq!(names(&schema["properties"]), five);
        assert_eq!(required(schema), five);
        let status = &schema["properties"]["status"];
        assert_eq!(
            (&status["type"], &status["format"]),
            (&json!("integer"), &json!("int32"))
        );
        assert_eq!(schema["properties"]["instance"]["format"], "uri-reference");
        for operations in document["paths"].as_object().unwrap().values() {
            for operation in operations.as_object().unwrap().values() {
                for (status, response) in operation["responses"].as_object().unwrap() {
                    let content = &response["content"]["application/problem+json"];
                    if !status.starts_with('2') {
                        let name = &content["schema"]["$ref"];
                        assert_eq!(name, "#/components/schemas/ProblemDetail");
                    }
                }
            }
        }
    }

    /// The app of the example, with three issuers in place of the network.
    struct App {
        app: Router,
        managed: TestIssuer,
        plain: TestIssuer,
        unreachable: TestIssuer,
        /// Operations and the statuses that they responded with.
        responses: Mutex<BTreeSet<String>>,
    }

    impl App {
        fn new() -> Self {
            let managed = TestIssuer::self_managed();
            let plain = TestIssuer::oidc("https://plain.example/");
            let unreachable = TestIssuer::oidc("https://unreachable.example/");
            unreachable.fail_fetches(true);
            let validator = TokenValidator::builder()
                .issuer(managed.issuer())
                .issuer(plain.issuer())
                .issuer(unreachable.issuer())
                .build()
                .unwrap();
            Self {
                app: crate::app(&validator),
                managed,
                plain,
                unreachable,
                responses: Mutex::default(),
            }
        }

        /// Asks, and compares the answer with the operation that describes it.
        async fn compare(
            &self,
            (method, path, described_path): (&str, &str, &str),
            authorization: Option<&str>,
            body: &str,
            status: &str,
        ) -> Value {
            let mut request = Request::builder().method(method).uri(path);
            if status != "415" {
                request = request.header("content-type", "application/json");
            }
            if let Some(authorization) = authorization {
                request = request.header("authorization", authorization);
            }
            let request = request.body(Body::from(body.to_owned())).unwrap();
            let answer = self.app.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status().as_str(), status, "{method} {path}");
            let response = format!("{method} {described_path} {status}");
            self.responses.lock().unwrap().insert(response);

            let document = document();
            let operation = &document["paths"][described_path][method.to_lowercase()];
            let described = &operation["responses"][status];
            assert!(described.is_object(), "{method} {path}: {status}");
            for name in ["WWW-Authenticate", "Retry-After"] {
                let is_described = described["headers"].get(name).is_some();
                let is_there = answer.headers().contains_key(name);
                // A project operation also responds with 400 to a name or an id.
                let is_optional = status == "400" && authorization != Some("Bearer");
                let fits = is_described == is_there || is_described && is_optional;
                assert!(fits, "{method} {path}: {status}, {name}");
            }
            if described.get("content").is_none() {
                return Value::Null;
            }
            let kind = answer.headers()["content-type"]
                .to_str()
                .unwrap()
                .to_owned();
            let schema = schema(&document, &described["content"][&kind]);
            let body = to_bytes(answer.into_body(), 1 << 16).await.unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap();
            let (described, present) = (names(&schema["properties"]), names(&body));
            assert_eq!(present, described, "{method} {path}: {status}");
            for name in &present {
                let kind = &schema["properties"][name]["type"];
                assert_eq!(kind, type_of(&body[name]), "{path}: {name}");
            }
            if !status.starts_with('2') {
                assert_eq!(body["instance"], path);
            }
            body
        }
    }

    /// Each response that is described occurs, and no other one.
    #[tokio::test]
    async fn the_operations_respond_as_described() {
        let app = App::new();
        let bearer = |token: String| Some(format!("Bearer {token}"));
        let unreachable = bearer(app.unreachable.token().sign());
        let malformed = Some("Bearer".to_owned());
        let plain = bearer(app.plain.token().sign());
        for path in ["/api/v1/info", "/api/v2/info"] {
            for (authorization, status) in [
                (&bearer(app.managed.token().sign()), "200"),
                (&malformed, "400"),
                (&None, "401"),
                (&bearer(app.managed.token().expired().sign()), "401"),
                (&plain, "403"),
                (&unreachable, "503"),
            ] {
                let operation = ("GET", path, path);
                let authorization = authorization.as_deref();
                app.compare(operation, authorization, "", status).await;
            }
        }

        let all = bearer(app.managed.token().sign());
        let all = all.as_deref();
        let none = bearer(app.managed.token().permissions([]).sign());
        let rejections = [
            (&malformed, "400"),
            (&None, "401"),
            (&none, "403"),
            (&plain, "403"),
            (&unreachable, "503"),
        ];
        let collection = "/api/v1/projects";
        let create = ("POST", collection, collection);
        let project = app.compare(create, all, r#"{"name":"a"}"#, "200").await;
        for (authorization, status) in rejections {
            let body = r#"{"name":""}"#;
            let authorization = authorization.as_deref();
            app.compare(create, authorization, body, status).await;
        }
        let path = format!("{collection}/{}", project["id"].as_str().unwrap());
        let described = "/api/v1/projects/{id}";
        let named = r#"{"name":"b"}"#;
        let rename = ("PATCH", path.as_str(), described);
        let large = format!(r#"{{"name":"{}"}}"#, "a".repeat(3 << 20));
        for (body, status) in [
            ("", "400"),
            ("[]", "400"),
            ("{}", "400"),
            (r#"{"name":""}"#, "400"),
            (large.as_str(), "413"),
            (named, "415"),
        ] {
            app.compare(create, all, body, status).await;
            app.compare(rename, all, body, status).await;
        }
        for (method, body, success) in [
            ("GET", "", "200"),
            ("PATCH", named, "200"),
            ("DELETE", "", "204"),
        ] {
            let operation = (method, path.as_str(), described);
            for (authorization, status) in rejections {
                let authorization = authorization.as_deref();
                app.compare(operation, authorization, body, status).await;
            }
            app.compare(operation, all, body, success).await;
            for id in ["1", "%00", "not-a-uuid"] {
                let path = format!("{collection}/{id}");
                let operation = (method, path.as_str(), described);
                app.compare(operation, all, body, "400").await;
            }
        }
        for (method, body) in [("GET", ""), ("PATCH", named), ("DELETE", "")] {
            let operation = (method, path.as_str(), described);
            app.compare(operation, all, body, "404").await;
        }
        for _ in 0..Projects::MOST {
            app.compare(create, all, named, "200").await;
        }
        app.compare(create, all, named, "507").await;

        // As published, but this service has no internal errors.
        let never = ["GET /api/v1/info 500", "GET /api/v2/info 500"];
        let mut occurred = app.responses.into_inner().unwrap();
        occurred.extend(never.map(str::to_owned));
        let document = document();
        let described: BTreeSet<_> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, operations)| {
                let operations = operations.as_object().unwrap().iter();
                operations.flat_map(move |(method, operation)| {
                    let statuses = names(&operation["responses"]).into_iter();
                    let method = method.to_uppercase();
                    statuses.map(move |status| format!("{method} {path} {status}"))
                })
            })
            .collect();
        assert_eq!(occurred, described);
    }
}
