//! What the tokens of each provider grant, by the Rust settings and by the variables.

use modeler_auth::{Issuer, Permission, TokenValidator};

use super::{
    case, hosted::auth0_role_claims, mappings, page::issuer_from_variables, reached, signed,
};
use crate::support::reason;
use serde_json::json;

#[tokio::test]
async fn the_mapping_of_each_section_grants_permissions() {
    for (section, token, expected) in [
        ("Keycloak", 0, &[Permission::Read, Permission::Update][..]),
        ("Authentik", 1, &[]),
        ("Zitadel", 0, &[Permission::Read]),
        (
            "Microsoft Entra ID",
            0,
            &[Permission::Read, Permission::Update],
        ),
        ("Auth0", 0, &[]),
        ("Okta", 0, &[Permission::Read]),
        ("Amazon Cognito", 0, &[]),
        ("Kubernetes service accounts", 0, &[Permission::Read]),
        ("GitHub Actions", 0, &[Permission::Update]),
    ] {
        let case = case(section, 0);
        let access = case.access(&case.accepted[token]).await;
        let granted: Vec<_> = access.permissions().iter().collect();
        assert_eq!(granted, expected, "{section}");
    }
}

#[tokio::test]
async fn by_variables_only_the_claim_of_camunda_grants_permissions() {
    for (section, token, expected) in [
        ("Keycloak", 0, &[Permission::Read, Permission::Update][..]),
        ("Authentik", 0, &[]),
        ("Authentik", 1, &[Permission::Read]),
        ("Microsoft Entra ID", 0, &[]),
        ("Okta", 0, &[]),
        ("Kubernetes service accounts", 0, &[]),
    ] {
        let case = case(section, 0);
        let network = case.network().await;
        let validator = reached(issuer_from_variables(&case), &network);
        let token = case.sign(&case.accepted[token]);
        let access = validator.validate(&token).await.unwrap();
        let granted: Vec<_> = access.permissions().iter().collect();
        assert_eq!(granted, expected, "{section}");
    }
}

#[tokio::test]
async fn the_array_of_auth0_needs_the_mapping() {
    let case = case("Auth0", 0);
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": case.key.id()});
    let token = signed(header, auth0_role_claims());
    let access = case.access(&token).await;
    assert!(access.allows(Permission::Read));
    let network = case.network().await;
    let by_variables = reached(issuer_from_variables(&case), &network);
    let outcome = reason(&by_variables, &case.sign(&token)).await;
    assert_eq!(outcome, Some("claims_refused"));
}

#[tokio::test]
async fn auth0_tokens_of_the_rfc_9068_profile_are_accepted_alone_if_that_is_set() {
    let case = case("Auth0", 0);
    let network = case.network().await;
    let strict = reached((case.issuer)(&network.ca).rfc9068_only(), &network);
    let mut outcomes = Vec::new();
    for token in &case.accepted {
        outcomes.push(reason(&strict, &case.sign(token)).await);
    }
    assert_eq!(outcomes, [Some("header_typ"), Some("header_typ"), None]);
}

#[tokio::test]
async fn the_client_and_the_scopes_are_read_where_the_page_says() {
    for (section, client, scope) in [
        ("Keycloak", Some("writer"), Some("email")),
        (
            "Microsoft Entra ID",
            Some("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"),
            None,
        ),
        ("Auth0", Some("my_client_id"), Some("read:orders")),
        ("Okta", None, None),
        (
            "Amazon Cognito",
            Some("1example23456789"),
            Some("https://api.example.com/orders"),
        ),
        ("Zitadel", Some("259254409320529922@modeler"), None),
    ] {
        let case = case(section, 0);
        let access = case.access(&case.accepted[0]).await;
        assert_eq!(access.client_id(), client, "{section}");
        match scope {
            Some(scope) => assert!(access.has_scope(scope), "{section}"),
            None => assert_eq!(access.claims().scope(), None, "{section}"),
        }
    }
    let okta = case("Okta", 0);
    let access = okta.access(&okta.accepted[0]).await;
    let client: Option<String> = access.claims().get("cid").unwrap();
    assert_eq!(client.as_deref(), Some("0oa1b2c3"));
}

#[tokio::test]
async fn by_variables_an_id_token_for_the_audience_of_a_cognito_client_passes() {
    let case = case("Amazon Cognito", 1);
    let network = case.network().await;
    let issuer = modeler_auth::Issuer::from_vars(|name| {
        let value = match name {
            "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI" => {
                "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example1"
            }
            "CAMUNDA_MODELER_SECURITY_JWT_AUDIENCE_PUBLIC_API" => "1example23456789",
            _ => return None,
        };
        Some(value.to_owned())
    });
    let by_variables = reached(issuer.unwrap().unwrap(), &network);
    let (_, id_token) = &case.refused[0];
    // The reason why the page shows no variables for this setup.
    assert_eq!(reason(&by_variables, &case.sign(id_token)).await, None);
}

#[test]
fn management_identity_can_be_asked_for_the_permissions_of_entra() {
    let entra = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0";
    let issuer = mappings::with_management_identity(Issuer::oidc(entra));
    assert!(TokenValidator::builder().issuer(issuer).build().is_ok());
}
