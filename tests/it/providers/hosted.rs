//! Identity providers that run as a service, in the order of the page.

use modeler_auth::Issuer;
use modeler_auth_testkit::signer::{Key, now};
use serde_json::{Value, json};

use super::{
    Case, jwk, key, mappings::permissions_in, self_hosted::encrypted, settings, signed, with,
};

const TENANT: &str = "11111111-2222-3333-4444-555555555555";

pub fn cases() -> Vec<Case> {
    vec![entra(), entra_with_a_key_of_the_app(), auth0(), okta()]
}

/// Keys without `alg`, two of them.
fn entra_keys(key: &Key) -> Value {
    let members = |kid: &str| {
        json!({
            "use": "sig", "kid": kid, "x5t": kid, "x5c": ["MIIC/TCCAeWg="],
            "cloud_instance_name": "microsoftonline.com",
            "issuer": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        })
    };
    json!({"keys": [jwk(key, members("CNv0OI3R")), jwk(key, members(key.id()))]})
}

pub fn entra_app_claims() -> Value {
    json!({
        "aud": "66666666-7777-8888-9999-000000000000",
        "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "nbf": now(),
        "aio": "k2RgYPC", "azp": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "azpacr": "1",
        "oid": "12345678-0000-0000-0000-000000000001", "rh": "1.AXQA",
        "roles": ["read:*", "update:*"], "sub": "12345678-0000-0000-0000-000000000001",
        "tid": TENANT, "uti": "qnJg", "ver": "2.0",
    })
}

fn entra() -> Case {
    let key = key();
    let header = json!({"typ": "JWT", "alg": "RS256", "kid": key.id()});
    let app = entra_app_claims();
    let user = with(
        &app,
        json!({
            "name": "Demo", "preferred_username": "demo@example.com", "scp": "modeler",
            "sid": "00ab", "azpacr": "0",
        }),
    );
    let version_1 = json!({
        "aud": "api://66666666-7777-8888-9999-000000000000",
        "iss": format!("https://sts.windows.net/{TENANT}/"), "nbf": now(), "aio": "k2RgYPC",
        "appid": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "appidacr": "1", "tid": TENANT,
        "idp": format!("https://sts.windows.net/{TENANT}/"), "roles": ["read:*"],
        "sub": "12345678-0000-0000-0000-000000000001", "uti": "qnJg", "ver": "1.0",
    });
    let id_token = with(&user, json!({"nonce": "5d0f"}));
    let (code, issuer) = settings!(
        Issuer::oidc("https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0")
            .audience("66666666-7777-8888-9999-000000000000")
            .map_claims(permissions_in("roles"))
    );
    Case {
        section: "Microsoft Entra ID",
        code,
        issuer,
        has_variables: true,
        documents: vec![
            (
                "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0/.well-known/openid-configuration",
                json!({
                    "issuer": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
                    "jwks_uri": format!("https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys"),
                }),
            ),
            (
                "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/discovery/v2.0/keys",
                entra_keys(key),
            ),
        ],
        accepted: vec![signed(header.clone(), app), signed(header.clone(), user)],
        refused: vec![
            ("unknown_issuer", signed(header.clone(), version_1)),
            ("not_access_token", signed(header, id_token)),
        ],
        key,
    }
}

fn entra_with_a_key_of_the_app() -> Case {
    let key = key();
    let header = json!({"typ": "JWT", "alg": "RS256", "kid": key.id()});
    let (code, issuer) = settings!(
        Issuer::oidc("https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0")
            .audience("66666666-7777-8888-9999-000000000000")
            .jwks_url("https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/discovery/v2.0/keys?appid=66666666-7777-8888-9999-000000000000")
            .map_claims(permissions_in("roles"))
    );
    Case {
        section: "Microsoft Entra ID",
        code,
        issuer,
        has_variables: true,
        documents: vec![(
            "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/discovery/v2.0/keys?appid=66666666-7777-8888-9999-000000000000",
            entra_keys(key),
        )],
        accepted: vec![signed(header, entra_app_claims())],
        refused: vec![],
        key,
    }
}

pub fn auth0_user_claims() -> Value {
    json!({
        "iss": "https://tenant.eu.auth0.com/", "sub": "auth0|123456",
        "aud": ["https://api.example.com", "https://tenant.eu.auth0.com/userinfo"],
        "azp": "my_client_id", "scope": "openid profile read:orders",
    })
}

fn auth0() -> Case {
    let key = key();
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": key.id()});
    let user = auth0_user_claims();
    let machine = json!({
        "iss": "https://tenant.eu.auth0.com/", "sub": "my_client_id@clients",
        "aud": "https://api.example.com", "azp": "my_client_id", "gty": "client-credentials",
        "scope": "read:orders",
    });
    let mut rfc9068 = with(&user, json!({"client_id": "my_client_id", "jti": "73Wakr"}));
    rfc9068.as_object_mut().unwrap().remove("azp");
    let id_token = with(&user, json!({"aud": "my_client_id", "nonce": "5d0f"}));
    let without_slash = with(&user, json!({"iss": "https://tenant.eu.auth0.com"}));
    let (code, issuer) = settings!(
        Issuer::oidc("https://tenant.eu.auth0.com/")
            .audience("https://api.example.com")
            .map_claims(permissions_in("permissions"))
    );
    Case {
        section: "Auth0",
        code,
        issuer,
        has_variables: true,
        documents: vec![
            (
                "https://tenant.eu.auth0.com/.well-known/openid-configuration",
                json!({
                    "issuer": "https://tenant.eu.auth0.com/",
                    "jwks_uri": "https://tenant.eu.auth0.com/.well-known/jwks.json",
                }),
            ),
            (
                "https://tenant.eu.auth0.com/.well-known/jwks.json",
                json!({"keys": [
                    jwk(key, json!({
                        "use": "sig", "kid": key.id(), "x5t": "CZgd", "x5c": ["MIIDBTCC"],
                        "alg": "RS256",
                    })),
                    jwk(key, json!({
                        "use": "sig", "kid": "next", "x5t": "HZxi", "x5c": ["MIIDBTCC"],
                        "alg": "RS256",
                    })),
                ]}),
            ),
        ],
        accepted: vec![
            signed(header.clone(), user),
            signed(header.clone(), machine),
            signed(
                json!({"alg": "RS256", "typ": "at+jwt", "kid": key.id()}),
                rfc9068,
            ),
        ],
        refused: vec![
            ("malformed_token", encrypted()),
            ("not_access_token", signed(header.clone(), id_token)),
            ("unknown_issuer", signed(header, without_slash)),
        ],
        key,
    }
}

fn okta() -> Case {
    let key = key();
    let header = json!({"kid": key.id(), "alg": "RS256"});
    let client = json!({
        "ver": 1, "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE",
        "iss": "https://dev-12345678.okta.com/oauth2/default", "aud": "api://default",
        "cid": "0oa1b2c3", "scp": ["read:*"], "sub": "0oa1b2c3",
    });
    let user = with(
        &client,
        json!({"uid": "00uid4BxXw", "sub": "demo@example.com", "auth_time": 1_795_508_900}),
    );
    let of_the_org = with(
        &user,
        json!({
            "iss": "https://dev-12345678.okta.com", "aud": "https://dev-12345678.okta.com",
        }),
    );
    let id_token = with(
        &user,
        json!({"aud": "0oa1b2c3", "at_hash": "x7Jp", "idp": "00o1", "amr": ["pwd"]}),
    );
    let internal =
        json!({"kid": key.id(), "alg": "RS256", "typ": "application/okta-internal-at+jwt"});
    let (code, issuer) = settings!(
        Issuer::oidc("https://dev-12345678.okta.com/oauth2/default")
            .audience("api://default")
            .map_claims(permissions_in("scp"))
    );
    Case {
        section: "Okta",
        code,
        issuer,
        has_variables: true,
        documents: vec![
            (
                "https://dev-12345678.okta.com/oauth2/default/.well-known/openid-configuration",
                json!({
                    "issuer": "https://dev-12345678.okta.com/oauth2/default",
                    "jwks_uri": "https://dev-12345678.okta.com/oauth2/default/v1/keys",
                }),
            ),
            (
                "https://dev-12345678.okta.com/oauth2/default/v1/keys",
                json!({"keys": [
                    jwk(key, json!({"alg": "RS256", "kid": key.id(), "use": "sig"})),
                ]}),
            ),
        ],
        accepted: vec![signed(header.clone(), client), signed(header.clone(), user)],
        refused: vec![
            ("header_typ", signed(internal, of_the_org.clone())),
            ("unknown_issuer", signed(header.clone(), of_the_org)),
            ("not_access_token", signed(header, id_token)),
        ],
        key,
    }
}

/// A token that Auth0 issues for an API with role-based access control.
pub fn auth0_role_claims() -> Value {
    with(&auth0_user_claims(), json!({"permissions": ["read:*"]}))
}
