//! Providers that operators run themselves, in the order of the page.

use modeler_auth::Issuer;
use modeler_auth_testkit::signer::Key;
use serde_json::{Value, json};

use super::{Case, Token, jwk, key, mappings::by_role, settings, signed, with};

pub fn cases() -> Vec<Case> {
    vec![
        keycloak(),
        keycloak_behind_another_address(),
        authentik(),
        zitadel(),
    ]
}

/// The key set of a realm: keys for encryption and for signatures, with certificates.
fn realm_keys(key: &Key) -> Value {
    let certificates = json!({"x5c": ["MIICrzCCAZc="], "x5t": "CZgd", "x5t#S256": "HZxi"});
    let encryption = json!({"kid": "Y-nK", "alg": "RSA-OAEP", "use": "enc"});
    let signature = json!({"kid": key.id(), "alg": "RS256", "use": "sig"});
    json!({"keys": [
        jwk(key, with(&certificates, encryption)),
        jwk(key, with(&certificates, signature)),
    ]})
}

/// The claims of a token for a machine client.
fn realm_claims(issuer: &str) -> Value {
    json!({
        "jti": "trrtcc:d0588b0b-6791-47d6-369c-bc5c43b7656b", "iss": issuer,
        "aud": ["web-modeler-public-api", "account"],
        "sub": "2fa54509-4f00-466a-a6fb-aa479d0e0d38", "typ": "Bearer", "azp": "writer",
        "acr": "1", "resource_access": {"web-modeler-public-api": {"roles": ["read:*"]}},
        "scope": "email profile", "email_verified": false,
        "permissions": {"web-modeler-public-api": ["read:*", "update:*"]},
        "clientHost": "10.0.0.7", "clientAddress": "10.0.0.7",
        "preferred_username": "service-account-writer",
    })
}

fn keycloak() -> Case {
    let issuer = "https://login.example.com/realms/camunda-platform";
    let key = key();
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": key.id()});
    let client = realm_claims(issuer);
    let user = with(
        &client,
        json!({
            "jti": "onrtac:0b1f", "sid": "5f6c", "auth_time": 1_795_508_900, "azp": "web-modeler",
            "allowed-origins": ["https://modeler.example.com"], "preferred_username": "demo",
            "realm_access": {"roles": ["offline_access"]}, "name": "Demo", "given_name": "Demo",
        }),
    );
    let of_old_version = with(&user, json!({"nonce": "5d0f", "session_state": "5f6c"}));
    let id_token = with(
        &user,
        json!({"typ": "ID", "aud": "web-modeler-public-api", "at_hash": "x7Jp"}),
    );
    let internal = with(&client, json!({"aud": ["web-modeler-api", "account"]}));
    let rfc9068 = json!({"alg": "RS256", "typ": "at+jwt", "kid": key.id()});
    let (code, issuer) = settings!(Issuer::self_managed(
        "https://login.example.com/realms/camunda-platform"
    ));
    Case {
        section: "Keycloak",
        code,
        issuer,
        has_variables: true,
        documents: vec![
            (
                "https://login.example.com/realms/camunda-platform/.well-known/openid-configuration",
                json!({
                    "issuer": "https://login.example.com/realms/camunda-platform",
                    "jwks_uri": "https://login.example.com/realms/camunda-platform/protocol/openid-connect/certs",
                }),
            ),
            (
                "https://login.example.com/realms/camunda-platform/protocol/openid-connect/certs",
                realm_keys(key),
            ),
        ],
        accepted: vec![
            signed(header.clone(), client.clone()),
            signed(header.clone(), user),
            signed(header.clone(), of_old_version),
            signed(rfc9068, client),
        ],
        refused: vec![
            ("payload_typ", signed(header.clone(), id_token)),
            ("wrong_audience", signed(header, internal)),
        ],
        key,
    }
}

fn keycloak_behind_another_address() -> Case {
    let key = key();
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": key.id()});
    let client = realm_claims("https://login.example.com/auth/realms/camunda-platform");
    let inside = realm_claims("http://keycloak:8080/auth/realms/camunda-platform");
    let (code, issuer) = settings!(
        Issuer::self_managed("https://login.example.com/auth/realms/camunda-platform")
            .backend_url("http://keycloak:8080/auth/realms/camunda-platform")
            .allow_http()
    );
    Case {
        section: "Keycloak",
        code,
        issuer,
        has_variables: true,
        documents: vec![
            (
                "http://keycloak:8080/auth/realms/camunda-platform/.well-known/openid-configuration",
                json!({
                    "issuer": "https://login.example.com/auth/realms/camunda-platform",
                    "jwks_uri": "https://login.example.com/auth/realms/camunda-platform/protocol/openid-connect/certs",
                }),
            ),
            (
                "http://keycloak:8080/auth/realms/camunda-platform/protocol/openid-connect/certs",
                realm_keys(key),
            ),
        ],
        accepted: vec![signed(header.clone(), client)],
        refused: vec![("unknown_issuer", signed(header, inside))],
        key,
    }
}

fn authentik() -> Case {
    let key = key();
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": key.id()});
    let client = json!({
        "iss": "https://authentik.example.com/application/o/modeler/", "sub": "5b1c9d",
        "aud": "Jz8wq1", "auth_time": 1_795_508_900, "acr": "goauthentik.io/providers/oauth2/default",
        "azp": "Jz8wq1", "uid": "4Xk2", "groups": ["modelers"], "preferred_username": "ak-modeler",
    });
    let with_permissions = with(&client, json!({"permissions": {"Jz8wq1": ["read:*"]}}));
    let of_login = with(
        &client,
        json!({"nonce": "5d0f", "sid": "8a3e", "amr": ["pwd"]}),
    );
    let without_key = json!({"alg": "HS256", "typ": "JWT"});
    let (code, issuer) = settings!(
        Issuer::oidc("https://authentik.example.com/application/o/modeler/").audience("Jz8wq1")
    );
    Case {
        section: "Authentik",
        code,
        issuer,
        has_variables: true,
        documents: vec![
            (
                "https://authentik.example.com/application/o/modeler/.well-known/openid-configuration",
                json!({
                    "issuer": "https://authentik.example.com/application/o/modeler/",
                    "jwks_uri": "https://authentik.example.com/application/o/modeler/jwks/",
                }),
            ),
            (
                "https://authentik.example.com/application/o/modeler/jwks/",
                json!({"keys": [jwk(key, json!({
                    "alg": "RS256", "kid": key.id(), "use": "sig", "x5c": ["MIIFUzCCAzs="],
                    "x5t": "CZgd", "x5t#S256": "HZxi",
                }))]}),
            ),
        ],
        accepted: vec![
            signed(header.clone(), client.clone()),
            signed(header.clone(), with_permissions),
        ],
        refused: vec![
            ("not_access_token", signed(header, of_login)),
            ("unsupported_algorithm", signed(without_key, client)),
            ("malformed_token", encrypted()),
        ],
        key,
    }
}

/// A token of five parts (RFC 7516).
pub fn encrypted() -> Token {
    Token::Text("eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIn0.a.b.c.d".to_owned())
}

fn zitadel() -> Case {
    let key = key();
    let header = json!({"alg": "RS256", "kid": key.id(), "typ": "JWT"});
    let user = json!({
        "iss": "https://modeler-a1b2c3.zitadel.cloud", "sub": "259241944654282754",
        "aud": ["259254409320529922@modeler", "259254317079330818"],
        "jti": "V2_262851882718855632-at_262851882718921168",
        "client_id": "259254409320529922@modeler",
        "urn:zitadel:iam:org:project:roles": {"reader": {"259242039378444290": "example.com"}},
    });
    let other_project = with(&user, json!({"aud": ["259254409320529922@modeler"]}));
    let (code, issuer) = settings!(
        Issuer::oidc("https://modeler-a1b2c3.zitadel.cloud")
            .audience("259254317079330818")
            .map_claims(by_role)
    );
    Case {
        section: "Zitadel",
        code,
        issuer,
        has_variables: true,
        documents: vec![
            (
                "https://modeler-a1b2c3.zitadel.cloud/.well-known/openid-configuration",
                json!({
                    "issuer": "https://modeler-a1b2c3.zitadel.cloud",
                    "jwks_uri": "https://modeler-a1b2c3.zitadel.cloud/oauth/v2/keys",
                }),
            ),
            (
                "https://modeler-a1b2c3.zitadel.cloud/oauth/v2/keys",
                json!({"keys": [
                    jwk(key, json!({"use": "sig", "kid": "262851882718855000", "alg": "RS256"})),
                    jwk(key, json!({"use": "sig", "kid": key.id(), "alg": "RS256"})),
                ]}),
            ),
        ],
        accepted: vec![signed(header.clone(), user)],
        refused: vec![
            ("wrong_audience", signed(header, other_project)),
            (
                "malformed_token",
                Token::Text("kQm2Xv7a_3zC9uR4nT1oWbYd".to_owned()),
            ),
        ],
        key,
    }
}
