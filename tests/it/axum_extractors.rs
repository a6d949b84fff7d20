//! Extractors for axum, and the form of their rejections.

use std::{
    any::type_name,
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Body,
    extract::{FromRequestParts as _, Request},
    middleware::{Next, from_fn},
    response::Response,
    routing::get,
};
use modeler_auth::{
    Access, AuthError, AuthErrorKind, AuthLayer, AuthorizedOrganization, Claims, Permission,
    RequirePermissionLayer, TokenValidator,
    access::Grant,
    axum::{Authorized, Create, Delete, Read, Requirement, TypedClaims, Update},
    reject::Empty,
    require::{PermissionRule, RequireScope},
    test_util::{TestIssuer, TokenBuilder},
};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;

use crate::{
    log::Log,
    support::{Answer, get as get_with, send, validator},
};

/// An issuer whose scopes are permissions. Its mapping names no organization.
fn oidc() -> (TestIssuer, TokenValidator) {
    let issuer = TestIssuer::oidc("https://issuer.example/");
    let permissions_of_scopes = |claims: &Claims| {
        let scopes = claims.scope().unwrap_or_default().split(' ');
        let mut grant = Grant::default();
        grant.permissions = scopes.filter_map(|scope| scope.parse().ok()).collect();
        Ok(grant)
    };
    let trusted = issuer.issuer().map_claims_fn(permissions_of_scopes);
    (issuer, validator([trusted]))
}

fn without_token(path: &str) -> Request {
    Request::get(path).body(Body::empty()).unwrap()
}

#[derive(Debug, Deserialize)]
struct Employee {
    department: String,
    email: Option<String>,
    #[serde(default)]
    realm_access: RealmAccess,
    #[serde(default)]
    resource_access: HashMap<String, RealmAccess>,
}

#[derive(Debug, Default, Deserialize)]
struct RealmAccess {
    roles: Vec<String>,
}

/// Service with one route, whose handler reads the claims of an employee.
fn employees(validator: TokenValidator) -> Router {
    let handler = async |claims: TypedClaims<Employee>| {
        let roles = claims.realm_access.roles.join(" ");
        let clients = claims.resource_access.len();
        format!("{} {:?} {roles} {clients}", claims.department, claims.email)
    };
    Router::new()
        .route("/", get(handler))
        .layer(AuthLayer::new(validator))
}

#[tokio::test]
async fn claims_reach_a_handler_as_its_type() {
    let (issuer, validator) = oidc();
    let token = issuer
        .token()
        .claim("department", "sales")
        .claim("realm_access", json!({"roles": ["a", "b"]}))
        .sign();
    let answer = get_with(&employees(validator), "/", &token).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, "sales None a b 0");
}

#[tokio::test]
async fn r50_a_claim_that_does_not_fit_is_403_and_the_log_names_it_without_its_value() {
    let (issuer, validator) = oidc();
    let app = employees(validator);
    let good = || issuer.token().claim("department", "sales");
    let long = "x".repeat(100);
    let cases: [(TokenBuilder, String); 10] = [
        (issuer.token(), r#"claim "department" is missing"#.into()),
        (
            issuer.token().claim("department", json!(["secret"])),
            r#"claim "department" has the wrong JSON type"#.into(),
        ),
        (
            good().claim("email", 4711),
            r#"claim "email" has the wrong JSON type"#.into(),
        ),
        (
            good().claim("realm_access", json!({"secret": 1})),
            r#"claim "realm_access.roles" is missing"#.into(),
        ),
        (
            good().claim("realm_access", json!({"roles": ["secret", 4711]})),
            r#"claim "realm_access.roles[1]" has the wrong JSON type"#.into(),
        ),
        (
            good().claim("realm_access", "secret"),
            r#"claim "realm_access" has the wrong JSON type"#.into(),
        ),
        (
            good().claim("realm_access", json!([])),
            r#"claim "realm_access" has a value that does not fit"#.into(),
        ),
        (
            good().claim("resource_access", json!({"shop": {"roles": null}})),
            r#"claim "resource_access.shop.roles" has the wrong JSON type"#.into(),
        ),
        // A name from the token is escaped and cut.
        (
            good().claim("resource_access", json!({"a\nb": 1})),
            r#"claim "resource_access.a\nb" has the wrong JSON type"#.into(),
        ),
        (
            good().claim("resource_access", json!({long.clone(): 1})),
            format!(r#"claim "resource_access.{}" has"#, &long[..48]),
        ),
    ];
    for (token, text) in cases {
        let (log, _guard) = Log::capture(LevelFilter::DEBUG);
        let answer = get_with(&app, "/", &token.sign()).await;
        assert_eq!(answer.status, 403, "{text}");
        let kind = answer.header("content-type");
        assert_eq!(kind, Some("application/problem+json"), "{text}");
        assert_eq!(
            answer.header("www-authenticate"),
            Some(
                r#"Bearer error="insufficient_scope", error_description="The token lacks claims that this operation needs""#
            ),
        );
        let log = log.text();
        let lines: Vec<_> = log
            .lines()
            .filter(|line| line.contains("request"))
            .collect();
        let [line] = lines[..] else {
            panic!("{lines:?}");
        };
        assert!(line.contains("claims_mismatch"), "{line}");
        assert!(line.contains("verified=true"), "{line}");
        assert!(
            line.contains("issuer=\"https://issuer.example/\""),
            "{line}"
        );
        // The subscriber writes the detail as a Rust string.
        let detail = format!("`{}`: {text}", type_name::<Employee>());
        let detail = format!("{detail:?}");
        let detail = detail.trim_matches('"');
        assert!(line.contains(detail), "{line}\n{detail}");
        for value in ["secret", "4711"] {
            assert!(
                !line.contains(value) && !answer.body.contains(value),
                "{line}"
            );
        }
    }
}

#[tokio::test]
async fn a_misfit_that_serde_reports_late_names_the_object_around_it() {
    #[derive(Deserialize)]
    struct Inner {
        #[allow(dead_code, reason = "only its type matters")]
        age: u8,
    }
    #[derive(Deserialize)]
    struct Flat {
        #[serde(flatten)]
        #[allow(dead_code, reason = "only its type matters")]
        inner: Inner,
    }
    #[derive(Deserialize)]
    #[serde(try_from = "String")]
    struct Even;
    impl TryFrom<String> for Even {
        type Error = String;
        fn try_from(text: String) -> Result<Self, String> {
            if text.len().is_multiple_of(2) {
                Ok(Self)
            } else {
                Err(text)
            }
        }
    }
    #[derive(Deserialize)]
    struct Custom {
        #[allow(dead_code, reason = "only its type matters")]
        even: Even,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Few {}

    let (issuer, validator) = oidc();
    let app = Router::new()
        .route("/flat", get(async |_: TypedClaims<Flat>| "in"))
        .route("/custom", get(async |_: TypedClaims<Custom>| "in"))
        .route("/few", get(async |_: TypedClaims<Few>| "in"))
        .route("/array", get(async |_: TypedClaims<Vec<Value>>| "in"))
        .layer(AuthLayer::new(validator));
    let token = issuer.token();
    let token = token.claim("age", "old").claim("even", "odd").sign();
    for (path, text) in [
        ("/flat", "Flat`: the claims do not fit"),
        (
            "/custom",
            r#"Custom`: claim \"even\" has a value that does not fit"#,
        ),
        ("/few", "Few`: claim"),
        ("/array", "Value>`: the claims do not fit"),
    ] {
        let (log, _guard) = Log::capture(LevelFilter::DEBUG);
        assert_eq!(get_with(&app, path, &token).await.status, 403);
        let log = log.text();
        assert!(log.contains(text), "{log}");
        assert!(!log.contains("odd") && !log.contains("old"), "{log}");
    }
}

static DESERIALIZED: AtomicUsize = AtomicUsize::new(0);

/// Claims that count how often they are deserialized.
struct Counted(String);

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Subject {
            sub: String,
        }
        DESERIALIZED.fetch_add(1, Ordering::Relaxed);
        Subject::deserialize(deserializer).map(|Subject { sub }| Self(sub))
    }
}

#[tokio::test]
async fn r76_claims_are_deserialized_once_for_each_request_and_access() {
    async fn outer(claims: TypedClaims<Counted>, request: Request, next: Next) -> Response {
        assert_eq!(claims.0, "ada");
        next.run(request).await
    }
    let handler = async |one: TypedClaims<Counted>, other: Option<TypedClaims<Counted>>| {
        assert!(std::ptr::eq(&raw const *one, &raw const *other.unwrap()));
        one.0.clone()
    };
    let (issuer, validator) = oidc();
    let routes = Router::new().route("/", get(handler));
    let app = routes
        .clone()
        .layer(from_fn(outer))
        .layer(AuthLayer::new(validator.clone()));
    let token = issuer.token().subject("ada").sign();
    for requests in 1..=3 {
        let answer = get_with(&app, "/", &token).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (200, "ada"));
        assert_eq!(DESERIALIZED.load(Ordering::Relaxed), requests);
    }

    // An inner layer replaces the access, so the claims of the outer one do not count.
    let replace = async |mut request: Request, next: Next| {
        let other = request.headers().get("x-other").unwrap().clone();
        request.headers_mut().insert("authorization", other);
        next.run(request).await
    };
    let app = routes
        .layer(AuthLayer::new(validator.clone()))
        .layer(from_fn(replace))
        .layer(from_fn(outer))
        .layer(AuthLayer::new(validator));
    let other = issuer.token().subject("bob").sign();
    let mut request = without_token("/");
    for (name, token) in [("authorization", &token), ("x-other", &other)] {
        let value = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert(name, value);
    }
    let answer = send(&app, request).await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, "bob"));
    assert_eq!(DESERIALIZED.load(Ordering::Relaxed), 5);
}

/// A requirement of scopes.
struct Export;

impl Requirement for Export {
    fn rule() -> impl PermissionRule {
        export()
    }
}

fn export() -> RequireScope {
    RequireScope::all(["files:read", "export"])
}

#[tokio::test]
async fn a_permission_in_a_signature_rejects_as_the_layer_does() {
    let (issuer, validator) = oidc();
    let handlers = Router::new()
        .route("/create", get(async |_: Authorized<Create>| "in"))
        .route("/read", get(async |_: Authorized<Read>| "in"))
        .route("/update", get(async |_: Authorized<Update>| "in"))
        .route("/delete", get(async |_: Authorized<Delete>| "in"))
        .route("/export", get(async |_: Authorized<Export>| "in"))
        .route("/both", get(async |_: Authorized<(Read, Update)>| "in"));
    let open = |path| Router::new().route(path, get(async || "in"));
    let by = |path, permission| open(path).layer(RequirePermissionLayer::new(permission));
    let layers = by("/create", Permission::Create)
        .merge(by("/read", Permission::Read))
        .merge(by("/update", Permission::Update))
        .merge(by("/delete", Permission::Delete))
        .merge(open("/export").layer(RequirePermissionLayer::new(export())))
        .merge(open("/both").layer(RequirePermissionLayer::new(
            Permission::Read.and(Permission::Update),
        )));
    let apps = |layer: AuthLayer| {
        [
            handlers.clone().layer(layer.clone()),
            layers.clone().layer(layer),
        ]
    };
    let [handlers, layers] = apps(AuthLayer::new(validator));
    let seen = |answer: Answer| (answer.status, answer.headers, answer.body);
    for (path, scope, sufficient) in [
        ("/create", "create:*", "create:*"),
        ("/read", "read:*", "read:*"),
        ("/update", "update:*", "update:*"),
        ("/delete", "delete:*", "delete:*"),
        ("/export", "files:read export", "x export files:read"),
        ("/both", "read:* update:*", "update:* read:*"),
    ] {
        let token = issuer.token().claim("scope", sufficient).sign();
        let answer = get_with(&handlers, path, &token).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (200, "in"),
            "{path}"
        );

        let others = ["create:*", "read:*", "update:*", "delete:*", "export"];
        let others = others
            .into_iter()
            .filter(|other| !sufficient.contains(other));
        let insufficient = others.collect::<Vec<_>>().join(" ");
        let token = issuer.token().claim("scope", insufficient).sign();
        let answer = get_with(&handlers, path, &token).await;
        assert_eq!(answer.status, 403, "{path}");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(
            challenge.ends_with(&format!(r#"scope="{scope}""#)),
            "{challenge}"
        );
        assert_eq!(
            seen(answer),
            seen(get_with(&layers, path, &token).await),
            "{path}"
        );

        let answer = send(&handlers, without_token(path)).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(
            seen(answer),
            seen(send(&layers, without_token(path)).await),
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_authorized_access_is_the_access() {
    let (issuer, validator) = oidc();
    let handler = async |access: Authorized<Read>, same: Access| {
        let text = format!("{:?} {access:?}", access.clone().subject());
        assert_eq!(access.into_access().subject(), same.subject());
        text
    };
    let app = Router::new()
        .route("/", get(handler))
        .layer(AuthLayer::new(validator));
    let token = issuer
        .token()
        .subject("ada")
        .permissions([Permission::Read]);
    let answer = get_with(&app, "/", &token.sign()).await;
    let text = r#"Some("ada") Authorized(Access { permissions: {Read}, .. })"#;
    assert_eq!(answer.body, text);
}

/// One route for each extractor.
fn extractors() -> Router {
    Router::new()
        .route("/access", get(async |_: Access| "in"))
        .route(
            "/option",
            get(async |access: Option<Access>| format!("{}", access.is_some())),
        )
        .route("/organization", get(async |_: AuthorizedOrganization| "in"))
        .route("/claims", get(async |_: TypedClaims<Employee>| "in"))
        .route(
            "/claims/option",
            get(async |claims: Option<TypedClaims<Employee>>| format!("{}", claims.is_some())),
        )
        .route("/authorized", get(async |_: Authorized<Read>| "in"))
}

#[tokio::test]
async fn r75_behind_an_optional_layer_only_requests_without_credentials_are_none() {
    let (issuer, validator) = oidc();
    let app = extractors().layer(AuthLayer::new(validator).optional());
    let good = issuer.token().claim("department", "sales");
    let expired = good.clone().expired().sign();
    for path in ["/option", "/claims/option"] {
        let answer = send(&app, without_token(path)).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (200, "false"));
        let answer = get_with(&app, path, &good.clone().sign()).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (200, "true"));
        for (credentials, status) in [
            (format!("Bearer {expired}"), 401),
            ("Bearer junk".to_owned(), 401),
            ("Basic YTpi".to_owned(), 401),
            ("Bearer".to_owned(), 400),
            (String::new(), 401),
        ] {
            let mut request = without_token(path);
            let value = credentials.parse().unwrap();
            request.headers_mut().insert("authorization", value);
            let answer = send(&app, request).await;
            assert_eq!(answer.status, status, "{credentials}");
        }
    }
    // An optional extractor is not lenient about the claims.
    let misfit = issuer.token().sign();
    assert_eq!(get_with(&app, "/claims/option", &misfit).await.status, 403);
    for path in ["/access", "/organization", "/claims", "/authorized"] {
        let answer = send(&app, without_token(path)).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{path}");
    }
}

#[tokio::test]
async fn r75_without_a_layer_each_extractor_is_500_and_the_log_tells_where_to_add_it() {
    let paths = [
        "/access",
        "/option",
        "/organization",
        "/claims",
        "/claims/option",
        "/authorized",
    ];
    let (log, _guard) = Log::capture(LevelFilter::DEBUG);
    for path in paths {
        let answer = send(&extractors(), without_token(path)).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (500, ""), "{path}");
    }
    let log = log.text();
    let lines: Vec<_> = log
        .lines()
        .filter(|line| line.contains("layer_missing"))
        .collect();
    assert_eq!(lines.len(), paths.len(), "{log}");
    // Other tests of this process may have used up the limit of the line at level error.
    assert!(
        lines[0].contains("no AuthLayer wraps this service; add one outside it"),
        "{log}"
    );
}

#[tokio::test]
async fn rejections_of_extractors_have_the_form_of_the_outer_layer() {
    let (issuer, validator) = oidc();
    let nothing = issuer.token().permissions([]).sign();
    for path in ["/organization", "/claims", "/claims/option", "/authorized"] {
        let problem = extractors().layer(AuthLayer::new(validator.clone()));
        let answer = get_with(&problem, path, &nothing).await;
        assert_eq!(answer.status, 403, "{path}");
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["instance"], path);

        let empty = extractors().layer(AuthLayer::new(validator.clone()).reject_with(Empty));
        let answer = get_with(&empty, path, &nothing).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (403, ""), "{path}");

        let grpc = extractors().layer(AuthLayer::new_for_grpc(validator.clone()));
        let answer = get_with(&grpc, path, &nothing).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("grpc-status"), Some("7"), "{path}");
    }
}

#[tokio::test]
async fn a_handler_may_decide_about_a_rejection_itself() {
    let (issuer, validator) = oidc();
    let handler = async |access: Result<Access, AuthError>, request: Request| {
        let (mut parts, _) = request.into_parts();
        let claims = TypedClaims::<Employee>::from_request_parts(&mut parts, &()).await;
        assert_eq!(claims.unwrap_err().kind(), AuthErrorKind::ClaimsMismatch);
        access.map(|access| access.subject().map(str::to_owned).unwrap())
    };
    let app = Router::new()
        .route("/", get(handler))
        .layer(AuthLayer::new(validator));
    let answer = get_with(&app, "/", &issuer.token().subject("ada").sign()).await;
    assert_eq!(answer.body, "ada");
}
