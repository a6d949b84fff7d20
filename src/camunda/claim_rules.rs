//! Permissions by rules about claims, for providers that do not know Camunda's permissions.

use serde::Deserialize;

use crate::{
    access::{
        grant::Grant,
        mapping::MapClaims,
        organization::AuthorizedOrganization,
        permission::{Permission, Permissions},
    },
    entra,
    error::{claim::ClaimError, config::ConfigError},
    token::claims::Claims,
};

/// Mapping for tokens without Camunda's permissions, e.g. of Microsoft Entra, Okta, Auth0 or Ping:
/// claims such as `groups` or `roles` stand for permissions.
///
/// It is for services without Management Identity, whose mapping rules it resembles.
///
/// 1. The grants of all rules that fit a token add up. A token that no rule fits is accepted and
///    has no permission.
/// 2. Names and values are compared exactly.
/// 3. A claim of a rule that is absent does not fit. A claim of another JSON type rejects the token.
/// 4. The organization is [`AuthorizedOrganization::nil`], a fixed one, or that of a claim. A token
///    without that claim is rejected.
/// 5. Version 1 tokens of Entra are rejected. The log line names the setting in Entra.
///
/// ```
/// use modeler_auth::{
///     Issuer, Permission, TokenValidator,
///     camunda::{ClaimRule, ClaimRules},
/// };
///
/// let rules = ClaimRules::new([
///     ClaimRule::contains(["groups"], "modelers").grants(Permission::ALL),
///     ClaimRule::equals(["department"], "audit").grants([Permission::Read]),
/// ])?;
/// let validator = TokenValidator::builder()
///     .issuer(
///         Issuer::oidc("https://example.okta.com/oauth2/default")
///             .audience("modeler")
///             .map_claims(rules),
///     )
///     .build()?;
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
///
/// With `serde` the rules come from a file of the operator. Unknown members are errors, and so are
/// rules that [`new`](ClaimRules::new) refuses:
///
/// ```
/// use modeler_auth::camunda::ClaimRules;
///
/// let rules: ClaimRules = serde_json::from_str(
///     r#"{
///         "organization-claim": "tenant",
///         "rules": [
///             {"claim": ["realm_access", "roles"], "operator": "CONTAINS", "value": "modeler",
///              "permissions": ["create:*", "read:*", "update:*"]}
///         ]
///     }"#,
/// )?;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "File")]
#[must_use]
pub struct ClaimRules {
    organization: Organization,
    rules: Vec<ClaimRule>,
}

#[derive(Clone, Debug)]
enum Organization {
    Fixed(AuthorizedOrganization),
    /// Names that lead to the claim.
    Claim(Vec<String>),
}

/// Rule of [`ClaimRules`]: a claim with a value stands for permissions.
///
/// ```
/// use modeler_auth::{Permission, camunda::ClaimRule};
///
/// let rule = ClaimRule::contains(["groups"], "modelers").grants([Permission::Read]);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ClaimRule {
    /// Names that lead to the claim.
    claim: Vec<String>,
    operator: Operator,
    value: String,
    permissions: Permissions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Operator {
    Equals,
    Contains,
}

impl ClaimRule {
    /// Returns a rule that fits if the claim is the text `value`.
    ///
    /// `claim` is the name of the claim, or several names that lead into nested objects.
    pub fn equals<N: Into<String>>(
        claim: impl IntoIterator<Item = N>,
        value: impl Into<String>,
    ) -> Self {
        Self {
            claim: claim.into_iter().map(Into::into).collect(),
            operator: Operator::Equals,
            value: value.into(),
            permissions: Permissions::NONE,
        }
    }

    /// Returns a rule that fits if the claim is an array of texts with `value` among them, or a text
    /// of words separated by single spaces, such as `scope`, with `value` among them.
    ///
    /// `claim` is as for [`equals`](ClaimRule::equals).
    pub fn contains<N: Into<String>>(
        claim: impl IntoIterator<Item = N>,
        value: impl Into<String>,
    ) -> Self {
        Self {
            operator: Operator::Contains,
            ..Self::equals(claim, value)
        }
    }

    /// Sets the permissions that the rule grants. Default: none, which [`ClaimRules::new`] refuses.
    pub fn grants(mut self, permissions: impl IntoIterator<Item = Permission>) -> Self {
        self.permissions = permissions.into_iter().collect();
        self
    }

    fn fits(&self, claims: &Claims) -> Result<bool, ClaimError> {
        let names: Vec<&str> = self.claim.iter().map(String::as_str).collect();
        let value = self.value.as_str();
        Ok(match self.operator {
            Operator::Equals => {
                let found = claims.get::<String>(names.as_slice())?;
                found.is_some_and(|found| found == value)
            }
            Operator::Contains => match claims.get::<Texts>(names.as_slice())? {
                Some(Texts::Array(found)) => found.iter().any(|found| found == value),
                Some(Texts::Words(found)) => found.split(' ').any(|found| found == value),
                None => false,
            },
        })
    }

    /// Returns the problem of a rule that cannot be meant.
    fn problem(&self) -> Option<&'static str> {
        if self.claim.is_empty() || self.claim.iter().any(String::is_empty) {
            Some("it has no claim, or an empty name in it")
        } else if self.value.is_empty() {
            Some("its value is empty")
        } else if self.permissions == Permissions::NONE {
            Some("it grants no permission")
        } else {
            None
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    Words(String),
    Array(Vec<String>),
}

impl ClaimRules {
    /// Creates a mapping by `rules`, for the organization [`AuthorizedOrganization::nil`].
    ///
    /// # Errors
    /// [`ConfigError::InvalidClaimRule`] for a rule without a claim, a value or a permission.
    pub fn new(rules: impl IntoIterator<Item = ClaimRule>) -> Result<Self, ConfigError> {
        let rules: Vec<_> = rules.into_iter().collect();
        for (position, rule) in rules.iter().enumerate() {
            if let Some(reason) = rule.problem() {
                return Err(ConfigError::InvalidClaimRule {
                    rule: position.saturating_add(1),
                    reason,
                });
            }
        }
        Ok(Self {
            organization: Organization::Fixed(AuthorizedOrganization::nil()),
            rules,
        })
    }

    /// Sets the organization of all tokens. Default: [`AuthorizedOrganization::nil`].
    pub fn organization(mut self, organization: AuthorizedOrganization) -> Self {
        self.organization = Organization::Fixed(organization);
        self
    }

    /// Reads the organization from a claim: its name, or several names that lead into nested
    /// objects. Default: the organization is the same for all tokens.
    pub fn organization_claim<N: Into<String>>(
        mut self,
        claim: impl IntoIterator<Item = N>,
    ) -> Self {
        self.organization = Organization::Claim(claim.into_iter().map(Into::into).collect());
        self
    }
}

impl MapClaims for ClaimRules {
    fn map(&self, claims: &Claims) -> Result<Grant, ClaimError> {
        entra::check_version(claims)?;
        let mut permissions = Permissions::NONE;
        for rule in &self.rules {
            if rule.fits(claims)? {
                permissions.insert_all(rule.permissions);
            }
        }
        let organization = match &self.organization {
            Organization::Fixed(organization) => organization.clone(),
            Organization::Claim(claim) => {
                let names: Vec<&str> = claim.iter().map(String::as_str).collect();
                let name = || claim.join(".");
                let text = claims.get::<String>(names.as_slice())?;
                let text = text.ok_or_else(|| ClaimError::new(name(), "is missing"))?;
                AuthorizedOrganization::parse(&text).ok_or_else(|| {
                    ClaimError::new(name(), "is not 1 to 128 visible ASCII characters")
                })?
            }
        };
        Ok(Grant::new(organization, permissions))
    }
}

/// Form of the rules in a file.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    organization: Option<String>,
    #[serde(alias = "organizationClaim")]
    organization_claim: Option<Path>,
    rules: Vec<RuleInFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleInFile {
    claim: Path,
    operator: Operator,
    value: String,
    permissions: Vec<Permission>,
}

/// One name, or several names that lead into nested objects.
#[derive(Deserialize)]
#[serde(untagged)]
enum Path {
    Name(String),
    Names(Vec<String>),
}

impl From<Path> for Vec<String> {
    fn from(path: Path) -> Self {
        match path {
            Path::Name(name) => vec![name],
            Path::Names(names) => names,
        }
    }
}

impl TryFrom<File> for ClaimRules {
    type Error = ConfigError;

    fn try_from(file: File) -> Result<Self, ConfigError> {
        let rules = file.rules.into_iter().map(|rule| ClaimRule {
            claim: rule.claim.into(),
            operator: rule.operator,
            value: rule.value,
            permissions: rule.permissions.into_iter().collect(),
        });
        let rules = Self::new(rules)?;
        match (file.organization, file.organization_claim) {
            (Some(_), Some(_)) => Err(ConfigError::InvalidClaimRule {
                rule: 0,
                reason: "`organization` and `organization-claim` exclude each other",
            }),
            (Some(organization), None) => Ok(rules.organization(organization.parse()?)),
            (None, Some(claim)) => Ok(rules.organization_claim(Vec::from(claim))),
            (None, None) => Ok(rules),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<ClaimRules, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_rule_needs_a_claim_a_value_and_a_permission() {
        let good = || ClaimRule::equals(["a"], "b").grants([Permission::Read]);
        assert!(ClaimRules::new([good(), good()]).is_ok());
        assert!(ClaimRules::new([]).is_ok());
        let nameless: [&str; 0] = [];
        for (bad, problem) in [
            (
                ClaimRule::equals(nameless, "b").grants([Permission::Read]),
                "no claim",
            ),
            (
                ClaimRule::equals(["a", ""], "b").grants([Permission::Read]),
                "empty name",
            ),
            (
                ClaimRule::contains(["a"], "").grants([Permission::Read]),
                "value is empty",
            ),
            (ClaimRule::contains(["a"], "b"), "no permission"),
        ] {
            let error = ClaimRules::new([good(), bad]).unwrap_err().to_string();
            assert!(
                error.contains("rule 2") && error.contains(problem),
                "{error}"
            );
        }
    }

    #[test]
    fn rules_are_read_from_a_file() {
        let rule = r#"{"claim":"a","operator":"EQUALS","value":"b","permissions":["read:*"]}"#;
        for good in [
            format!(r#"{{"rules":[{rule}]}}"#),
            format!(r#"{{"rules":[{rule}],"organization":"one"}}"#),
            format!(r#"{{"rules":[{rule}],"organization-claim":"tenant"}}"#),
            format!(r#"{{"rules":[{rule}],"organizationClaim":["a","b"]}}"#),
            r#"{"rules":[]}"#.to_owned(),
        ] {
            assert!(read(&good).is_ok(), "{good}");
        }
        for (bad, problem) in [
            ("{}".to_owned(), "missing field `rules`"),
            (
                format!(r#"{{"rules":[{rule}],"organisation":"one"}}"#),
                "organisation",
            ),
            (
                format!(r#"{{"rules":[{rule}],"organization":"a b"}}"#),
                "128 visible",
            ),
            (
                format!(r#"{{"rules":[{rule}],"organization":"a","organization-claim":"b"}}"#),
                "exclude",
            ),
            (
                format!(r#"{{"rules":[{}]}}"#, rule.replace("EQUALS", "MATCHES")),
                "MATCHES",
            ),
            (
                format!(r#"{{"rules":[{}]}}"#, rule.replace("read:*", "write:*")),
                "write:*",
            ),
            (
                format!(r#"{{"rules":[{}]}}"#, rule.replace("\"b\"", "\"\"")),
                "rule 1",
            ),
            (
                format!(r#"{{"rules":[{}]}}"#, rule.replace("\"b\"", "5")),
                "invalid type",
            ),
            (
                format!(r#"{{"rules":[{}]}}"#, rule.replace("claim", "claims")),
                "claims",
            ),
            (format!(r#"{{"rules":{rule}}}"#), "invalid type"),
        ] {
            let error = read(&bad).unwrap_err();
            assert!(error.contains(problem), "{bad}: {error}");
        }
    }
}
