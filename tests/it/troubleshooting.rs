//! The table of reasons in `docs/troubleshooting.md` against requests that are rejected for them.

use std::{collections::BTreeSet, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{
        Request, Response,
        header::{AUTHORIZATION, HeaderValue},
    },
    middleware::{Next, from_fn},
    routing::get,
};
use modeler_auth::{
    Access, AuthError, AuthLayer, Claims, InfoService, Issuer, Permission, RequirePermissionLayer,
    TokenValidator,
    access::{ClaimError, Grant, GrantError, GrantFuture, GrantRequest, GrantSource},
    auth::RequestView,
    axum::TypedClaims,
    issuer::{RevocationList, SenderConstraintError},
    keys::StaticKeys,
    require::RequireAuthentication,
    test_util::TestIssuer,
};
use modeler_auth_testkit::signer::{ISSUER, Key, encode, jwks, now};
use serde::Deserialize;
use serde_json::json;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::{
    challenge::Challenge,
    support::{GatedKeys, gated, validator},
};

const PAGE: &str = include_str!("../../docs/troubleshooting.md");

#[derive(Deserialize)]
struct Employee {
    #[expect(dead_code, reason = "no token has it")]
    department: String,
}

/// Source that decides by the subject.
struct Grants;

impl GrantSource for Grants {
    fn fetch<'a>(&'a self, request: GrantRequest<'a>) -> GrantFuture<'a> {
        Box::pin(async move {
            match request.claims().subject() {
                Some("refused") => Err(GrantError::refused("the test says so")),
                _ => Err(GrantError::unavailable("the test says so")),
            }
        })
    }
}

fn routes() -> Router {
    let rules = Router::new()
        .route("/create", get(async || ""))
        .route_layer(RequirePermissionLayer::new(Permission::Create));
    let step_up = RequireAuthentication::new().acr_values(["2"]).unwrap();
    let step_up = Router::new()
        .route("/step-up", get(async || ""))
        .route_layer(RequirePermissionLayer::new(step_up));
    let forgetful = Router::new()
        .route("/forgotten", get(async |_: Access| ""))
        .layer(from_fn(async |mut request: Request<Body>, next: Next| {
            request.extensions_mut().clear();
            next.run(request).await
        }));
    Router::new()
        .route("/", get(async || ""))
        .route("/employee", get(async |_: TypedClaims<Employee>| ""))
        .route_service("/{version}/info", InfoService::new())
        .merge(rules)
        .merge(step_up)
        .merge(forgetful)
}

fn protected(validator: TokenValidator) -> Router {
    routes().layer(AuthLayer::new(validator))
}

async fn send(app: &Router, path: &str, authorization: &[&str]) -> Response<Body> {
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    for value in authorization {
        let value = HeaderValue::from_str(value).unwrap();
        request.headers_mut().append(AUTHORIZATION, value);
    }
    app.clone().oneshot(request).await.unwrap()
}

/// Returns the first columns of the reason's row: its code, the status and the `error` of the
/// challenge.
fn row(response: &Response<Body>) -> String {
    let error = response.extensions().get::<AuthError>();
    let reason = error.map_or("accepted", AuthError::reason);
    let status = response.status().as_u16();
    let challenge = response.headers().contains_key("www-authenticate");
    let challenge = challenge.then(|| Challenge::of(response.headers()));
    match challenge.as_ref().and_then(Challenge::error) {
        Some(error) => format!("| `{reason}` | {status} | `{error}` |"),
        None => format!("| `{reason}` | {status} | none |"),
    }
}

/// Requests to one service that trusts several issuers, one for each setting that rejects tokens.
async fn rows_of_requests() -> Vec<String> {
    let key = Key::ed();
    let (first, second) = (Key::ed().with_id("1"), Key::ed().with_id("2"));
    let of = |name: &str, keys: &[&Key]| {
        let keys: Vec<_> = keys.iter().map(|key| &key.jwk).collect();
        let keys = StaticKeys::from_jwks(jwks(&keys));
        Issuer::oidc(name).audience("api").keys(keys)
    };
    let revoked = RevocationList::default();
    revoked.revoke_token(ISSUER, "revoked");
    let failing = TestIssuer::oidc("https://failing.example/");
    failing.fail_fetches(true);
    let [mapping, grants, two_keys, aged] =
        ["mapping", "grants", "two-keys", "aged"].map(|name| format!("https://{name}.example/"));
    let app = protected(validator([
        of(ISSUER, &[&key]).revocation(revoked).sender_constraint(
            "x5t#S256",
            |_: &Claims, _: &RequestView<'_>| {
                Err(SenderConstraintError::new("another certificate"))
            },
        ),
        of(&mapping, &[&key])
            .map_claims_fn(|_| Err::<Grant, _>(ClaimError::new("role", "is missing"))),
        of(&grants, &[&key]).grants_from(Grants),
        of(&two_keys, &[&first, &second]),
        of(&aged, &[&key]).token_max_age(Duration::from_secs(300)),
        failing.issuer(),
    ]));
    let issued_by = |issuer: &str| key.with_claim("iss", issuer);
    let unsigned = |header: &str, claims: &str| {
        format!("{}.{}.{}", encode(header), encode(claims), encode([0; 64]))
    };
    let header = key.header().to_string();
    let good = key.good();
    let (message, _) = good.rsplit_once('.').unwrap();
    let forged = format!("{message}.{}", encode([1; 64]));

    let mut rows = Vec::new();
    for token in [
        two_keys_token(&first, &two_keys),
        forged,
        issued_by(&mapping),
        key.with_claim("exp", now() - 3600),
        key.changed(|_, claims| {
            claims["iss"] = json!(grants);
            claims["sub"] = json!("refused");
        }),
        issued_by(&grants),
        key.with_header("typ", "secevent+jwt"),
        key.with_claim("iat", now() + 3600),
        failing.token().sign(),
        key.with_claim("exp", "tomorrow"),
        unsigned(&header, "[]"),
        unsigned("[]", "{}"),
        "opaque".to_owned(),
        key.without_claim("aud"),
        key.with_claim("nonce", "n"),
        key.with_claim("nbf", now() + 3600),
        key.with_claim("typ", "Refresh"),
        key.with_claim("jti", "revoked"),
        key.changed(|_, claims| {
            claims["iss"] = json!(aged);
            claims["cnf"] = json!({"jkt": "thumbprint"});
        }),
        "a".repeat(20_000),
        key.changed(|_, claims| {
            claims["iss"] = json!(aged);
            claims["iat"] = json!(now() - 3600);
        }),
        key.with_claim("cnf", json!({"x5t#S256": "thumbprint"})),
        issued_by("https://another.example/"),
        key.with_header("kid", "another"),
        key.with_header("alg", "HS256"),
        key.with_header("crit", json!(["b64"])),
        key.with_claim("aud", "another"),
    ] {
        rows.push(row(&send(&app, "/", &[&format!("Bearer {token}")]).await));
    }
    let good = &*format!("Bearer {good}");
    for (path, authorization) in [
        ("/employee", &[good][..]),
        ("/step-up", &[good]),
        ("/create", &[good]),
        ("/v1/info", &[good]),
        ("/forgotten", &[good]),
        ("/", &["Bearer a b"]),
        ("/", &[]),
        ("/", &[good, good]),
    ] {
        rows.push(row(&send(&app, path, authorization).await));
    }
    rows
}

/// Returns a token without a key id.
fn two_keys_token(key: &Key, issuer: &str) -> String {
    key.changed(|header, claims| {
        header.as_object_mut().unwrap().remove("kid");
        claims["iss"] = json!(issuer);
    })
}

/// More requests than may wait for the keys of an issuer.
async fn row_of_waiting_requests() -> String {
    let keys = GatedKeys::new(&TestIssuer::oidc("https://slow.example/"));
    let app = protected(gated(&keys));
    let authorization = format!("Bearer {}", keys.issuer.token().header("kid", "x").sign());
    keys.open(1);
    assert_eq!(send(&app, "/", &["Bearer x"]).await.status(), 401);
    let mut waiting = JoinSet::new();
    for _ in 0..65 {
        let (app, authorization) = (app.clone(), authorization.clone());
        waiting.spawn(async move { row(&send(&app, "/", &[&authorization]).await) });
    }
    waiting.join_next().await.unwrap().unwrap()
}

#[tokio::test]
async fn each_reason_has_a_row_with_its_status_and_error_code() {
    let mut produced = rows_of_requests().await;
    produced.push(row_of_waiting_requests().await);
    let produced_once: BTreeSet<_> = produced.iter().cloned().collect();
    assert_eq!(produced_once.len(), produced.len(), "{produced:#?}");
    let table = PAGE.split_once("## Reasons").unwrap().1;
    let table = table.split_once("\n## ").unwrap().0;
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let documented: BTreeSet<_> = rows
        .map(|row| {
            let columns: Vec<_> = row.split(" | ").take(3).collect();
            format!("{} |", columns.join(" | "))
        })
        .collect();
    assert_eq!(produced_once, documented);
}
