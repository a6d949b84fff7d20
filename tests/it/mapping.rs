//! Tests of how the presets map claims.

use crate::support::validator;
use modeler_auth::{
    Access, AuthError, Claims, Issuer, Permission, Permissions, TokenValidator,
    access::{ClaimError, Grant},
    camunda::{PermissionNames, SaasClaims, SelfManagedClaims},
    test_util::{TestIssuer, TokenBuilder},
};
use serde_json::{Value, json};

const ORG_ID: &str = "https://camunda.com/orgId";
const ORGS: &str = "https://camunda.com/orgs";

struct Saas {
    issuer: TestIssuer,
    validator: TokenValidator,
}

impl Saas {
    /// Trusts one organization or any organization, as `claims` defines.
    fn new(claims: SaasClaims) -> Self {
        let issuer = TestIssuer::saas();
        let trusted = Issuer::oidc(issuer.name())
            .audience("api.cloud.camunda.io")
            .map_claims(claims)
            .keys(issuer.clone());
        Self {
            validator: validator([trusted]),
            issuer,
        }
    }

    fn of_one() -> Self {
        Self::new(SaasClaims::of_organization(
            TestIssuer::ORGANIZATION.parse().unwrap(),
        ))
    }

    fn of_any() -> Self {
        Self::new(SaasClaims::of_any_organization())
    }

    fn token(&self) -> TokenBuilder {
        self.issuer.token()
    }

    async fn organization(&self, token: TokenBuilder) -> Option<String> {
        let access = self.validator.validate(&token.sign()).await.ok()?;
        Some(access.organization().unwrap().to_string())
    }

    async fn permissions(&self, token: TokenBuilder) -> Option<Permissions> {
        let access = self.validator.validate(&token.sign()).await.ok()?;
        Some(access.permissions())
    }
}

fn orgs(ids: &[&str]) -> Value {
    ids.iter()
        .map(|id| json!({"id": id, "roles": ["admin"]}))
        .collect()
}

#[tokio::test]
async fn saas_takes_the_organization_from_org_id() {
    let one = Saas::of_one();
    let any = Saas::of_any();
    let id = TestIssuer::ORGANIZATION;
    assert_eq!(one.organization(one.token()).await.as_deref(), Some(id));
    assert_eq!(
        any.organization(any.token().organization("b"))
            .await
            .as_deref(),
        Some("b")
    );
    for other in ["b", &id.to_lowercase(), "", &format!("{id} ")] {
        assert_eq!(
            one.organization(one.token().organization(other)).await,
            None,
            "{other:?}"
        );
    }
    for bad in [
        json!(null),
        json!(7),
        json!([id]),
        json!({"id": id}),
        json!("a b"),
        json!("x".repeat(129)),
    ] {
        assert_eq!(
            any.organization(any.token().claim(ORG_ID, &bad)).await,
            None,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn saas_looks_for_the_configured_organization_in_orgs() {
    let one = Saas::of_one();
    let id = TestIssuer::ORGANIZATION;
    for (ids, found) in [
        (&[id][..], true),
        (&["a", id, "b"], true),
        (&["a"], false),
        (&[], false),
        (&[&id.to_lowercase()], false),
    ] {
        let token = one.token().without(ORG_ID).claim(ORGS, orgs(ids));
        let expected = found.then(|| id.to_owned());
        assert_eq!(one.organization(token).await, expected, "{ids:?}");
    }
    let neither = one.token().without(ORG_ID);
    assert_eq!(one.organization(neither).await, None);
    // The client's own organization decides, even if the token lists others.
    let both = one.token().organization("other").claim(ORGS, orgs(&[id]));
    assert_eq!(one.organization(both).await, None);
}

#[tokio::test]
async fn saas_never_picks_one_of_several_organizations() {
    let any = Saas::of_any();
    for (ids, found) in [(&["a"][..], Some("a")), (&["a", "b"], None), (&[], None)] {
        let token = any.token().without(ORG_ID).claim(ORGS, orgs(ids));
        assert_eq!(any.organization(token).await.as_deref(), found, "{ids:?}");
    }
    for bad in [
        json!("a"),
        json!([["a"]]),
        json!(["a"]),
        json!([{"roles": []}]),
        json!([{"id": 5}]),
        json!({"id": "a"}),
    ] {
        let token = any.token().without(ORG_ID).claim(ORGS, &bad);
        assert_eq!(any.organization(token).await, None, "{bad}");
    }
}

#[tokio::test]
async fn saas_reads_permissions_from_the_array_else_from_the_scope() {
    let saas = Saas::of_one();
    let token = || saas.token().without("scope");
    let read = Permissions::from_iter([Permission::Read]);
    let none = Permissions::NONE;
    for (token, expected) in [
        (token(), Some(none)),
        (token().claim("scope", "read:*"), Some(read)),
        (token().claim("scope", "x read:* y"), Some(read)),
        (token().claim("scope", "read:*x xread:* READ:*"), Some(none)),
        (token().claim("scope", "a\tread:*"), Some(none)),
        (token().claim("permissions", ["read:*", "x"]), Some(read)),
        (
            token()
                .claim("permissions", Vec::<String>::new())
                .claim("scope", "read:*"),
            Some(none),
        ),
        (
            token().claim("permissions", ["read:* create:*"]),
            Some(none),
        ),
        (token().claim("permissions", "read:*"), None),
        (token().claim("permissions", json!(null)), None),
        (token().claim("permissions", json!(["read:*", 1])), None),
        (token().claim("permissions", json!({"read:*": true})), None),
        (token().claim("scope", json!(["read:*"])), None),
        (token().claim("scope", 1), None),
    ] {
        let shown = format!("{token:?}");
        assert_eq!(saas.permissions(token).await, expected, "{shown}");
    }
}

#[tokio::test]
async fn saas_holds_to_its_organization_whatever_maps_the_claims() {
    let issuer = TestIssuer::saas();
    let trusting = |claims: SaasClaims| {
        validator([Issuer::saas(TestIssuer::ORGANIZATION)
            .map_claims(claims)
            .keys(issuer.clone())])
    };
    let own = issuer.token().sign();
    let other = issuer.token().organization("another-customer").sign();
    let any = trusting(SaasClaims::of_any_organization());
    assert!(any.validate(&own).await.is_ok());
    let error = any.validate(&other).await.unwrap_err();
    assert_eq!(error.reason(), "claims_refused");
    let none = validator([Issuer::saas(TestIssuer::ORGANIZATION)
        .map_claims(|_: &Claims| Ok(Grant::default()))
        .keys(issuer.clone())]);
    assert!(none.validate(&own).await.is_err());
}

#[tokio::test]
async fn an_empty_permission_name_is_nobodys() {
    let names = PermissionNames::default().with(Permission::Delete, "");
    let saas = Saas::new(SaasClaims::of_any_organization().permission_names(names));
    for token in [
        saas.token().without("scope"),
        saas.token().claim("scope", ""),
        saas.token().claim("scope", "a  b"),
        saas.token().claim("permissions", [""]),
    ] {
        let shown = format!("{token:?}");
        assert_eq!(
            saas.permissions(token).await,
            Some(Permissions::NONE),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn saas_permission_names_can_be_configured() {
    let names = PermissionNames::default().with(Permission::Read, "modeler:read");
    let saas = Saas::new(SaasClaims::of_any_organization().permission_names(names));
    let token = saas.token().claim("scope", "modeler:read read:* create:*");
    let expected = Permissions::from_iter([Permission::Read, Permission::Create]);
    assert_eq!(saas.permissions(token).await, Some(expected));
    let token = saas.token().claim("scope", "read:*");
    assert_eq!(saas.permissions(token).await, Some(Permissions::NONE));
}

async fn self_managed(
    issuer: &TestIssuer,
    trusted: Issuer,
    token: TokenBuilder,
) -> Result<Access, AuthError> {
    let trusted = trusted.keys(issuer.clone());
    validator([trusted]).validate(&token.sign()).await
}

#[tokio::test]
async fn self_managed_reads_the_permissions_of_its_audience() {
    let issuer = TestIssuer::self_managed();
    let trusted = || Issuer::self_managed(issuer.name());
    let access = self_managed(&issuer, trusted(), issuer.token())
        .await
        .unwrap();
    assert_eq!(access.permissions(), Permissions::ALL);
    let nil = "00000000-0000-0000-0000-000000000000";
    assert_eq!(access.organization().unwrap().as_str(), nil);

    let named = |names: &[&str]| json!({"web-modeler-public-api": names});
    let read = Permissions::from_iter([Permission::Read]);
    for (permissions, expected) in [
        (named(&["read:*", "x", "write:*"]), Some(read)),
        (named(&[]), Some(Permissions::NONE)),
        (json!({}), Some(Permissions::NONE)),
        (
            json!({"web-modeler-api": ["read:*"], "account": ["read:*"]}),
            Some(Permissions::NONE),
        ),
        (json!(null), None),
        (json!(["read:*"]), None),
        (json!("read:*"), None),
        (json!({"web-modeler-public-api": "read:*"}), None),
        (json!({"web-modeler-public-api": null}), None),
        (json!({"web-modeler-public-api": ["read:*", null]}), None),
        (json!({"web-modeler-public-api": {"read:*": true}}), None),
    ] {
        let token = issuer.token().claim("permissions", &permissions);
        let access = self_managed(&issuer, trusted(), token).await;
        let found = access.as_ref().map(Access::permissions).ok();
        assert_eq!(found, expected, "{permissions}");
        if let Err(error) = access {
            assert_eq!(error.reason(), "claims_refused");
            assert!(error.is_verified());
        }
    }
    let token = issuer.token().without("permissions");
    let access = self_managed(&issuer, trusted(), token).await.unwrap();
    assert_eq!(access.permissions(), Permissions::NONE);
}

#[tokio::test]
async fn self_managed_permission_names_can_be_configured() {
    let issuer = TestIssuer::self_managed();
    let names = PermissionNames::default().with(Permission::Read, "modeler:read");
    let trusted = Issuer::self_managed(issuer.name());
    let trusted = trusted.map_claims(SelfManagedClaims::default().permission_names(names));
    let permissions = json!({"web-modeler-public-api": ["modeler:read", "create:*"]});
    let token = issuer.token().claim("permissions", permissions);
    let access = self_managed(&issuer, trusted, token).await.unwrap();
    let expected = Permissions::from_iter([Permission::Read, Permission::Create]);
    assert_eq!(access.permissions(), expected);
}

#[tokio::test]
async fn self_managed_counts_audiences_only_that_are_configured_and_in_the_token() {
    let issuer = TestIssuer::self_managed();
    let permissions = json!({"a": ["create:*"], "b": ["read:*"], "c": ["update:*"]});
    for (configured, audiences, expected) in [
        (&["a"][..], json!(["a", "b"]), &[Permission::Create][..]),
        (&["a", "b"], json!("a"), &[Permission::Create]),
        (
            &["a", "b"],
            json!(["b", "c", "a"]),
            &[Permission::Create, Permission::Read],
        ),
    ] {
        let trusted = configured
            .iter()
            .fold(Issuer::self_managed(issuer.name()), |trusted, audience| {
                trusted.audience(*audience)
            });
        let token = issuer
            .token()
            .claim("aud", &audiences)
            .claim("permissions", &permissions);
        let access = self_managed(&issuer, trusted, token).await.unwrap();
        let expected: Permissions = expected.iter().copied().collect();
        assert_eq!(access.permissions(), expected, "{configured:?} {audiences}");
    }
}

#[tokio::test]
async fn r37_the_internal_audience_is_not_the_public_one() {
    let issuer = TestIssuer::self_managed();
    let trusted = || Issuer::self_managed(issuer.name());
    // As in a real installation whose public API was not registered.
    let internal = issuer
        .token()
        .claim("aud", ["m2m", "web-modeler-api", "account"])
        .claim(
            "permissions",
            json!({"web-modeler-api": ["write:*", "admin:*"]}),
        );
    let error = self_managed(&issuer, trusted(), internal)
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "wrong_audience");
}

#[tokio::test]
async fn a_custom_mapping_gets_verified_claims() {
    let issuer = TestIssuer::oidc("https://issuer.example/");
    let trusted = issuer.issuer().map_claims(|claims: &Claims| {
        let level = claims.get::<u8>(&["app.v1", "level"])?;
        let level = level.ok_or(ClaimError::new("app.v1.level", "is missing"))?;
        let mut grant = Grant::default();
        if level > 3 {
            grant.permissions.insert(Permission::Delete);
        }
        Ok::<_, ClaimError>(grant)
    });
    let validator = validator([trusted]);
    let token = |level: Value| {
        issuer
            .token()
            .claim("app.v1", json!({"level": level}))
            .sign()
    };
    let access = validator.validate(&token(json!(4))).await.unwrap();
    assert!(access.allows(Permission::Delete));
    assert!(access.organization().is_none());
    let access = validator.validate(&token(json!(3))).await.unwrap();
    assert!(!access.allows(Permission::Delete));
    for bad in [json!("4"), json!(null), json!(400), json!(-1)] {
        let error = validator.validate(&token(bad)).await.unwrap_err();
        assert_eq!(error.reason(), "claims_refused");
    }
}

#[tokio::test]
async fn a_claim_path_is_never_split() {
    let issuer = TestIssuer::oidc("https://issuer.example/");
    let validator = validator([issuer.issuer()]);
    let token = issuer
        .token()
        .claim("a.b", "one name")
        .claim("a", json!({"b": "nested", "": 1}))
        .sign();
    let access = validator.validate(&token).await.unwrap();
    let claims = access.claims();
    let text = |found: Result<Option<String>, ClaimError>| found.unwrap().unwrap();
    assert_eq!(text(claims.get("a.b")), "one name");
    assert_eq!(text(claims.get(&["a", "b"])), "nested");
    assert_eq!(claims.get::<u8>(&["a", ""]).unwrap(), Some(1));
    assert_eq!(claims.get::<Value>(&["a", "c"]).unwrap(), None);
    assert_eq!(claims.get::<Value>("b").unwrap(), None);
    assert!(claims.get::<Value>(&["a.b", "c"]).is_err());
    let all: Value = claims.deserialize().unwrap();
    assert_eq!(all["a"]["b"], "nested");
}

#[tokio::test]
async fn r51_a_scope_is_compared_exactly() {
    let issuer = TestIssuer::oidc("https://issuer.example/");
    let validator = validator([issuer.issuer()]);
    for (scope, found) in [
        (json!("read:all"), true),
        (json!("x read:all y"), true),
        (json!("read:allx"), false),
        (json!("xread:all"), false),
        (json!("x\tread:all"), false),
        (json!(["read:all"]), false),
        (json!(null), false),
    ] {
        let token = issuer.token().claim("scope", &scope).sign();
        let access = validator.validate(&token).await.unwrap();
        assert_eq!(access.has_scope("read:all"), found, "{scope}");
        assert!(!access.has_scope(""), "{scope}");
    }
}
