//! Routes of the service, and what each of them needs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{delete, get},
};
use modeler_auth::{
    Access, AuthLayer, ConfigError, RequirePermissionLayer, TokenValidator,
    require::{RequireAuthentication, RequireScope},
    resource::MetadataService,
};
use serde_json::{Value, json};

/// Most orders that the service keeps.
const MOST: usize = 1_000;

/// Orders by number.
#[derive(Clone, Default)]
struct Orders(Arc<Mutex<BTreeMap<usize, String>>>);

impl Orders {
    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<usize, String>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Returns the routes.
pub(crate) fn app(validator: &TokenValidator) -> Result<Router, ConfigError> {
    const METADATA: &str = "/.well-known/oauth-protected-resource";

    let read = RequireScope::all(["orders:read"]);
    let write = RequireScope::all(["orders:write", "orders:read"]);
    // The second factor, at most five minutes ago.
    let recent = RequireAuthentication::new()
        .acr_values(["2"])?
        .max_age(Duration::from_secs(300));
    let metadata = MetadataService::new(validator)?;

    let protected = Router::new()
        .route(
            "/orders",
            get(list)
                .layer(RequirePermissionLayer::new(read))
                .merge(axum::routing::post(create).layer(RequirePermissionLayer::new(write))),
        )
        .route(
            "/orders/{id}",
            delete(remove).layer(RequirePermissionLayer::new(recent)),
        )
        .layer(AuthLayer::new(validator.clone()))
        .with_state(Orders::default());
    let optional = Router::new()
        .route("/me", get(me))
        .layer(AuthLayer::new(validator.clone()).optional());
    Ok(protected
        .merge(optional)
        .route_service(METADATA, metadata.clone())
        .route_service(&format!("{METADATA}/{{*path}}"), metadata))
}

async fn list(State(orders): State<Orders>) -> Json<BTreeMap<usize, String>> {
    Json(orders.with(|orders| orders.clone()))
}

async fn create(
    State(orders): State<Orders>,
    item: String,
) -> Result<(StatusCode, Json<usize>), StatusCode> {
    orders.with(|orders| {
        if orders.len() >= MOST {
            return Err(StatusCode::INSUFFICIENT_STORAGE);
        }
        let id = orders.keys().next_back().map_or(1, |last| last + 1);
        orders.insert(id, item);
        Ok((StatusCode::CREATED, Json(id)))
    })
}

async fn remove(State(orders): State<Orders>, Path(id): Path<usize>) -> StatusCode {
    match orders.with(|orders| orders.remove(&id)) {
        Some(_) => StatusCode::NO_CONTENT,
        None => StatusCode::NOT_FOUND,
    }
}

/// `Option<Access>` is `None` only for a request without credentials.
async fn me(access: Option<Access>) -> Json<Value> {
    Json(match access {
        Some(access) => json!({"subject": access.subject(), "client": access.client_id()}),
        None => json!({"subject": null}),
    })
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use axum::{
        body::{Body, to_bytes},
        http::{Request, Response},
    };
    use modeler_auth::{
        resource::ProtectedResource,
        test_util::{TestIssuer, TokenBuilder},
    };
    use tower::ServiceExt as _;

    use super::*;

    const URL: &str = "https://api.example.com/shop";

    struct Service {
        app: Router,
        issuer: TestIssuer,
    }

    impl Service {
        fn new() -> Self {
            let issuer = TestIssuer::oidc("https://login.example.com/");
            let validator = TokenValidator::builder()
                .issuer(issuer.issuer())
                .protected_resource(ProtectedResource::new(URL))
                .build()
                .unwrap();
            let app = app(&validator).unwrap();
            Self { app, issuer }
        }

        fn scoped(&self, scope: &str) -> TokenBuilder {
            self.issuer.token().claim("scope", scope)
        }

        async fn ask(&self, route: &str, token: Option<TokenBuilder>) -> Response<Body> {
            let (method, path) = route.split_once(' ').unwrap();
            let mut request = Request::builder().method(method).uri(path);
            if let Some(token) = token {
                request = request.header("authorization", format!("Bearer {}", token.sign()));
            }
            let request = request.body(Body::from("tea")).unwrap();
            self.app.clone().oneshot(request).await.unwrap()
        }

        async fn status(&self, route: &str, token: Option<TokenBuilder>) -> u16 {
            self.ask(route, token).await.status().as_u16()
        }
    }

    fn challenge(response: &Response<Body>) -> &str {
        response.headers()["www-authenticate"].to_str().unwrap()
    }

    #[tokio::test]
    async fn each_method_of_orders_needs_its_scopes() {
        let service = Service::new();
        assert_eq!(service.status("GET /orders", None).await, 401);
        for (route, scope, status) in [
            ("GET /orders", "", 403),
            ("GET /orders", "orders:write", 403),
            ("GET /orders", "orders:read", 200),
            ("POST /orders", "orders:read", 403),
            ("POST /orders", "orders:write", 403),
            ("POST /orders", "orders:read orders:write", 201),
        ] {
            let found = service.status(route, Some(service.scoped(scope))).await;
            assert_eq!(found, status, "{route}: {scope}");
        }
        let denied = service.ask("POST /orders", Some(service.scoped(""))).await;
        assert!(challenge(&denied).contains("scope=\"orders:write orders:read\""));
    }

    #[tokio::test]
    async fn deleting_needs_a_recent_authentication_of_level_2() {
        let service = Service::new();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.unwrap().as_secs();
        let token = |acr: &str, age| {
            let token = service.issuer.token().claim("acr", acr);
            Some(token.claim("auth_time", now - age))
        };
        for (acr, age, status) in [("2", 0, 404), ("1", 0, 401), ("2", 1000, 401)] {
            let found = service.status("DELETE /orders/1", token(acr, age)).await;
            assert_eq!(found, status, "{acr} {age}");
        }
        let weak = service.ask("DELETE /orders/1", token("1", 0)).await;
        let challenge = challenge(&weak);
        assert!(challenge.contains("insufficient_user_authentication"));
        assert!(challenge.contains("acr_values=\"2\", max_age=\"300\""));
    }

    #[tokio::test]
    async fn an_order_is_created_listed_and_deleted() {
        let service = Service::new();
        let all = || Some(service.scoped("orders:read orders:write"));
        assert_eq!(service.status("POST /orders", all()).await, 201);
        let listed = service.ask("GET /orders", all()).await;
        let listed = to_bytes(listed.into_body(), 1000).await.unwrap();
        assert_eq!(listed, r#"{"1":"tea"}"#);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let strong = service.issuer.token().claim("acr", "2");
        let strong = strong.claim("auth_time", now.unwrap().as_secs());
        assert_eq!(service.status("DELETE /orders/1", Some(strong)).await, 204);
    }

    #[tokio::test]
    async fn me_is_optional_but_rejects_bad_tokens() {
        let service = Service::new();
        let anonymous = service.ask("GET /me", None).await;
        let body = to_bytes(anonymous.into_body(), 1000).await.unwrap();
        assert_eq!(body, r#"{"subject":null}"#);
        let known = service
            .ask("GET /me", Some(service.issuer.token().subject("ada")))
            .await;
        let body = to_bytes(known.into_body(), 1000).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains(r#""subject":"ada""#));
        let expired = service.issuer.token().expired();
        assert_eq!(service.status("GET /me", Some(expired)).await, 401);
    }

    #[tokio::test]
    async fn r10_the_metadata_is_at_both_places_and_in_challenges() {
        let service = Service::new();
        let root = "/.well-known/oauth-protected-resource";
        for path in [root.to_owned(), format!("{root}/shop")] {
            let found = service.ask(&format!("GET {path}"), None).await;
            assert_eq!(found.status(), 200, "{path}");
            let body = to_bytes(found.into_body(), 1000).await.unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["resource"], URL);
        }
        let rejected = service.ask("GET /orders", None).await;
        let expected = format!("Bearer resource_metadata=\"https://api.example.com{root}/shop\"");
        assert_eq!(challenge(&rejected), expected);
    }
}
