//! Mappings of claims in docs/providers.md. A test compares them with the page.

use std::collections::HashMap;

use modeler_auth::{
    AuthorizedOrganization, Claims, ConfigError, Issuer, Permission, Permissions,
    access::{ClaimError, Grant},
    camunda::{ClaimRule, ClaimRules, ManagementIdentity, PermissionNames},
};

/// Reads the permissions `create:*`, `read:*`, `update:*` and `delete:*` from an array of names.
pub fn permissions_in(claim: &'static str) -> impl Fn(&Claims) -> Result<Grant, ClaimError> {
    move |claims| {
        let names = claims.get::<Vec<String>>(claim)?.unwrap_or_default();
        let names = names.iter().map(String::as_str);
        let permissions = PermissionNames::default().permissions(names);
        Ok(Grant::new(AuthorizedOrganization::nil(), permissions))
    }
}

/// Rejects ID tokens.
pub fn access_tokens_only(claims: &Claims) -> Result<Grant, ClaimError> {
    match claims.get::<String>("token_use")?.as_deref() {
        Some("access") => Ok(Grant::default()),
        _ => Err(ClaimError::new("token_use", "is not `access`")),
    }
}

/// Reads the roles of the project: an object with a member for each role.
pub fn by_role(claims: &Claims) -> Result<Grant, ClaimError> {
    let roles: Option<HashMap<String, HashMap<String, String>>> =
        claims.get("urn:zitadel:iam:org:project:roles")?;
    let roles = roles.unwrap_or_default();
    let names = PermissionNames::default().with(Permission::Read, "reader");
    let permissions = names.permissions(roles.keys().map(String::as_str));
    Ok(Grant::new(AuthorizedOrganization::nil(), permissions))
}

/// Grants by the name of the service account.
pub fn by_service_account(claims: &Claims) -> Result<Grant, ClaimError> {
    let mut permissions = Permissions::NONE;
    if claims.subject() == Some("system:serviceaccount:orders:worker") {
        permissions.insert(Permission::Read);
    }
    Ok(Grant::new(AuthorizedOrganization::nil(), permissions))
}

/// Rejects the tokens of other repositories and branches.
pub fn my_main_branch(claims: &Claims) -> Result<Grant, ClaimError> {
    let is = |claim: &'static str, expected: &str| {
        let found = claims.get::<String>(claim)?;
        if found.as_deref() == Some(expected) {
            Ok(())
        } else {
            Err(ClaimError::new(claim, "is not the expected one"))
        }
    };
    is("repository_id", "123456789")?;
    is("ref", "refs/heads/main")?;
    let permissions = Permissions::from_iter([Permission::Update]);
    Ok(Grant::new(AuthorizedOrganization::nil(), permissions))
}

pub fn rules() -> Result<ClaimRules, ConfigError> {
    let rules = ClaimRules::new([
        ClaimRule::contains(["groups"], "modelers").grants(Permission::ALL),
        ClaimRule::equals(["department"], "audit").grants([Permission::Read]),
    ])?;
    Ok(rules.organization_claim(["tid"]))
}

pub fn with_management_identity(entra: Issuer) -> Issuer {
    // The client id of the API's app.
    let audience = "66666666-7777-8888-9999-000000000000";
    let identity = ManagementIdentity::new("https://identity.example.com", audience);
    entra.audience(audience).grants_from(identity)
}
