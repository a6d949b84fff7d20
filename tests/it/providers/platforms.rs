//! Platforms that issue tokens, in the order of the page.

use modeler_auth::Issuer;
use modeler_auth_testkit::signer::{Key, now};
use serde_json::{Value, json};

use super::{
    Case, jwk, key,
    mappings::{access_tokens_only, by_service_account, my_main_branch},
    settings, signed, with,
};

pub fn cases() -> Vec<Case> {
    vec![
        cognito_with_a_resource(),
        cognito_with_a_lambda(),
        kubernetes(),
        github(),
    ]
}

const POOL: &str = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example1";

/// Documents of a user pool: the second key signs ID tokens.
fn pool_documents(key: &Key) -> Vec<(&'static str, Value)> {
    let members = |kid: &str| json!({"alg": "RS256", "kid": kid, "use": "sig"});
    vec![
        (
            "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example1/.well-known/openid-configuration",
            json!({"issuer": POOL, "jwks_uri": format!("{POOL}/.well-known/jwks.json")}),
        ),
        (
            "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example1/.well-known/jwks.json",
            json!({"keys": [
                jwk(key, members(key.id())), jwk(key, members("5678example=")),
            ]}),
        ),
    ]
}

fn pool_user_claims() -> Value {
    json!({
        "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "cognito:groups": ["modelers"], "iss": POOL,
        "version": 2, "client_id": "1example23456789", "token_use": "access",
        "origin_jti": "aaaaaaaa-0000-0000-0000-000000000001", "auth_time": 1_795_508_900,
        "event_id": "64f513be", "scope": "openid https://api.example.com/orders",
        "jti": "aaaaaaaa-0000-0000-0000-000000000002", "username": "demo",
    })
}

fn pool_client_claims() -> Value {
    json!({
        "sub": "1example23456789", "token_use": "access", "version": 2, "iss": POOL,
        "scope": "https://api.example.com/orders", "auth_time": 1_795_508_900,
        "jti": "aaaaaaaa-0000-0000-0000-000000000003", "client_id": "1example23456789",
    })
}

fn cognito_with_a_resource() -> Case {
    let key = key();
    let header = json!({"kid": key.id(), "alg": "RS256"});
    let bound = with(
        &pool_user_claims(),
        json!({"aud": "https://api.example.com"}),
    );
    let (code, issuer) = settings!(
        Issuer::oidc("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example1")
            .audience("https://api.example.com")
    );
    Case {
        section: "Amazon Cognito",
        code,
        issuer,
        has_variables: true,
        documents: pool_documents(key),
        accepted: vec![signed(header.clone(), bound)],
        refused: vec![
            ("missing_claim", signed(header.clone(), pool_user_claims())),
            ("missing_claim", signed(header, pool_client_claims())),
        ],
        key,
    }
}

fn cognito_with_a_lambda() -> Case {
    let key = key();
    let header = json!({"kid": key.id(), "alg": "RS256"});
    let audience = json!({"aud": "1example23456789"});
    let user = with(&pool_user_claims(), audience.clone());
    let client = with(&pool_client_claims(), audience);
    let id_token = with(
        &user,
        json!({"token_use": "id", "email": "demo@example.com", "cognito:username": "demo"}),
    );
    let (code, issuer) = settings!(
        Issuer::oidc("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example1")
            .audience("1example23456789")
            .map_claims(access_tokens_only)
    );
    Case {
        section: "Amazon Cognito",
        code,
        issuer,
        has_variables: false,
        documents: pool_documents(key),
        accepted: vec![signed(header.clone(), user), signed(header.clone(), client)],
        refused: vec![("claims_refused", signed(header, id_token))],
        key,
    }
}

fn kubernetes() -> Case {
    let key = key();
    let header = json!({"alg": "RS256", "kid": key.id()});
    let cluster = "https://kubernetes.default.svc.cluster.local";
    let projected = json!({
        "iss": cluster, "aud": ["modeler"], "sub": "system:serviceaccount:orders:worker",
        "jti": "1d0cf1a5-7b2a-4a9d-8c0e-4d2f6f0c9b11", "nbf": now(),
        "kubernetes.io": {
            "namespace": "orders", "node": {"name": "node-1", "uid": "646e7c5e"},
            "pod": {"name": "worker-0", "uid": "5e0bd49b"},
            "serviceaccount": {"name": "worker", "uid": "14ee3fa4"},
        },
    });
    let default = with(&projected, json!({"aud": [cluster]}));
    let of_secret = json!({
        "iss": "kubernetes/serviceaccount", "sub": "system:serviceaccount:orders:worker",
        "kubernetes.io/serviceaccount/namespace": "orders",
    });
    let (code, issuer) = settings!(
        ca => Issuer::oidc("https://kubernetes.default.svc.cluster.local")
            .audience("modeler")
            .ca_certificate(ca)
            .map_claims(by_service_account)
    );
    Case {
        section: "Kubernetes service accounts",
        code,
        issuer,
        has_variables: true,
        documents: vec![
            (
                "https://kubernetes.default.svc.cluster.local/.well-known/openid-configuration",
                json!({
                    "issuer": cluster, "jwks_uri": "https://172.18.0.3:6443/openid/v1/jwks",
                    "response_types_supported": ["id_token"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                }),
            ),
            (
                "https://172.18.0.3:6443/openid/v1/jwks",
                json!({"keys": [
                    jwk(key, json!({"use": "sig", "kid": key.id(), "alg": "RS256"})),
                ]}),
            ),
        ],
        accepted: vec![signed(header.clone(), projected)],
        refused: vec![
            ("wrong_audience", signed(header.clone(), default)),
            ("unknown_issuer", signed(header, of_secret)),
        ],
        key,
    }
}

fn github() -> Case {
    let key = key();
    let header = json!({"typ": "JWT", "alg": "RS256", "x5t": "CZgd", "kid": key.id()});
    let workflow = json!({
        "jti": "example-id", "sub": "repo:example/modeler:ref:refs/heads/main",
        "aud": "https://api.example.com", "ref": "refs/heads/main", "sha": "example-sha",
        "repository": "example/modeler", "repository_owner": "example", "actor_id": "12",
        "repository_visibility": "private", "repository_id": "123456789",
        "repository_owner_id": "65", "run_id": "example-run-id", "run_number": "10",
        "run_attempt": "2", "runner_environment": "github-hosted", "actor": "octocat",
        "workflow": "example-workflow", "head_ref": "", "base_ref": "", "ref_type": "branch",
        "event_name": "workflow_dispatch", "nbf": now(),
        "job_workflow_ref": "example/modeler/.github/workflows/a.yml@refs/heads/main",
        "iss": "https://token.actions.githubusercontent.com",
    });
    let of_others = with(
        &workflow,
        json!({"sub": "repo:other/other:ref:refs/heads/main", "repository_id": "987"}),
    );
    let other_branch = with(&workflow, json!({"ref": "refs/heads/x"}));
    let default = with(&workflow, json!({"aud": "https://github.com/example"}));
    let (code, issuer) = settings!(
        Issuer::oidc("https://token.actions.githubusercontent.com")
            .audience("https://api.example.com")
            .map_claims(my_main_branch)
    );
    let members = |kid: &str| json!({"alg": "RS256", "use": "sig", "kid": kid, "x5t": "CZgd"});
    Case {
        section: "GitHub Actions",
        code,
        issuer,
        has_variables: false,
        documents: vec![
            (
                "https://token.actions.githubusercontent.com/.well-known/openid-configuration",
                json!({
                    "issuer": "https://token.actions.githubusercontent.com",
                    "jwks_uri": "https://token.actions.githubusercontent.com/.well-known/jwks",
                }),
            ),
            (
                "https://token.actions.githubusercontent.com/.well-known/jwks",
                json!({"keys": [jwk(key, members("old")), jwk(key, members(key.id()))]}),
            ),
        ],
        accepted: vec![signed(header.clone(), workflow)],
        refused: vec![
            ("claims_refused", signed(header.clone(), of_others)),
            ("claims_refused", signed(header.clone(), other_branch)),
            ("wrong_audience", signed(header, default)),
        ],
        key,
    }
}
