//! Errors of configurations.

use crate::keys::error::KeyFetchError;

/// Error of a configuration. Every variant holds the offending value.
///
/// ```
/// use modeler_auth::{ConfigError, Issuer, TokenValidator};
///
/// let issuer = Issuer::oidc("https://login.example.com/");
/// let error = TokenValidator::builder().issuer(issuer).build().unwrap_err();
/// assert!(matches!(error, ConfigError::NoAudience { .. }));
/// assert_eq!(
///     error.to_string(),
///     "issuer `https://login.example.com/` has no audience: set this service's audience with `audience`"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Two settings about the key set that exclude each other.
    #[error("issuer `{issuer}`: `{first}` and `{second}` exclude each other; remove one of them")]
    #[non_exhaustive]
    ConflictingSettings {
        /// The issuer.
        issuer: String,
        /// One of the settings.
        first: &'static str,
        /// The other setting.
        second: &'static str,
    },
    /// Two issuers of a validator with the same `iss`.
    #[error("issuer `{issuer}` is configured twice: remove one of the two")]
    #[non_exhaustive]
    DuplicateIssuer {
        /// The issuer that is configured twice.
        issuer: String,
    },
    /// Two different values of one setting in a configuration of Camunda.
    #[error(
        "{first} = `{first_value}` and {second} = `{second_value}` are one setting, but differ: remove one of them"
    )]
    #[non_exhaustive]
    ConflictingValues {
        /// The variable, or the key with its file and line, of the first value.
        first: String,
        /// The first value.
        first_value: String,
        /// The variable, or the key with its file and line, of the second value.
        second: String,
        /// The second value.
        second_value: String,
    },
    /// Empty audience.
    #[error("issuer `{issuer}` has an empty audience: give it a name or remove it")]
    #[non_exhaustive]
    EmptyAudience {
        /// The issuer.
        issuer: String,
    },
    /// Variable that is set to an empty text.
    #[error("variable {name} is set but empty: give it a value or unset it")]
    #[non_exhaustive]
    EmptyVariable {
        /// The variable's name.
        name: String,
    },
    /// URL that would fetch keys without TLS.
    #[error(
        "issuer `{issuer}`: {setting} `{value}` is http, so keys would cross the network unencrypted: use https, or allow it with `allow_http`"
    )]
    #[non_exhaustive]
    InsecureUrl {
        /// The issuer.
        issuer: String,
        /// The setting that holds the URL.
        setting: &'static str,
        /// The URL.
        value: String,
    },
    /// Value of [`RequireAuthentication::acr_values`](crate::require::RequireAuthentication::acr_values)
    /// that a challenge could not name.
    #[error("acr_values: `{value}` cannot be used: {reason}")]
    #[non_exhaustive]
    InvalidAcrValue {
        /// The value; empty if there is none.
        value: String,
        /// Correction, in words.
        reason: &'static str,
    },
    /// CA certificate that cannot be read.
    #[error("issuer `{issuer}`: ca_certificate `{value}` cannot be used: {reason}")]
    #[non_exhaustive]
    InvalidCertificate {
        /// The issuer.
        issuer: String,
        /// Label of the PEM text, else its length.
        value: String,
        /// The problem.
        reason: &'static str,
    },
    /// Rule about claims that cannot be used.
    #[error("claim rules{}: {reason}", match .rule { 0 => String::new(), rule => format!(", rule {rule}") })]
    #[non_exhaustive]
    InvalidClaimRule {
        /// Number of the rule, from 1; 0 if the problem is in no rule.
        rule: usize,
        /// The problem.
        reason: &'static str,
    },
    /// Deprecation of the info endpoint with a date or URL that cannot be used.
    #[error("info endpoint: the deprecation's {setting} `{value}` cannot be used: {reason}")]
    #[non_exhaustive]
    InvalidDeprecation {
        /// The setting.
        setting: &'static str,
        /// The date or URL.
        value: String,
        /// The problem.
        reason: &'static str,
    },
    /// Configuration file that cannot be used.
    #[error("configuration file {file}{}: {reason}", .line.map_or_else(String::new, |line| format!(", line {line}")))]
    #[non_exhaustive]
    InvalidFile {
        /// The path.
        file: String,
        /// The line, if the problem is in one.
        line: Option<usize>,
        /// The problem.
        reason: String,
    },
    /// Setting of [`ManagementIdentity`](crate::camunda::ManagementIdentity) that cannot be used.
    #[error("Management Identity: {setting} `{value}` cannot be used: {reason}")]
    #[non_exhaustive]
    InvalidIdentity {
        /// The setting.
        setting: &'static str,
        /// The value; of a certificate nothing is shown.
        value: String,
        /// The problem.
        reason: &'static str,
    },
    /// Sender constraint that cannot be used: tokens bound by `jkt` must not be accepted as Bearer
    /// tokens.
    #[error(
        "issuer `{issuer}`: tokens bound by `{value}` (DPoP) must not be accepted as Bearer tokens; remove the sender constraint"
    )]
    #[non_exhaustive]
    InvalidSenderConstraint {
        /// The issuer.
        issuer: String,
        /// The member of `cnf`.
        value: String,
    },
    /// Setting of a [`ProtectedResource`](crate::resource::ProtectedResource) that cannot be used.
    #[error("protected resource: {setting} `{value}` cannot be used: {reason}")]
    #[non_exhaustive]
    InvalidResource {
        /// The setting.
        setting: &'static str,
        /// The value.
        value: String,
        /// The problem.
        reason: String,
    },
    /// Static key set without a usable key.
    #[error("issuer `{issuer}`: the static key set cannot be used: {source}")]
    #[non_exhaustive]
    InvalidKeys {
        /// The issuer.
        issuer: String,
        /// The problem.
        source: KeyFetchError,
    },
    /// Organization that is not 1 to 128 visible ASCII characters.
    #[error(
        "organization `{value}` is not 1 to 128 visible ASCII characters: use the id of the organization"
    )]
    #[non_exhaustive]
    InvalidOrganization {
        /// The text of the organization.
        value: String,
    },
    /// URL that cannot be used.
    #[error("{setting} `{value}` cannot be used: {reason}")]
    #[non_exhaustive]
    InvalidUrl {
        /// The setting that holds the URL.
        setting: &'static str,
        /// The URL.
        value: String,
        /// The problem.
        reason: &'static str,
    },
    /// Value in a configuration of Camunda that cannot be used.
    #[error("{setting} = `{value}` cannot be used: {reason}")]
    #[non_exhaustive]
    InvalidSetting {
        /// The variable, or the key with its file and line.
        setting: String,
        /// The value.
        value: String,
        /// The problem.
        reason: String,
    },
    /// Configuration of Camunda without an issuer.
    #[error(
        "{found} is set, but no issuer is: set variable SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI, or the key `spring.security.oauth2.resourceserver.jwt.issuer-uri`, to the `iss` of the tokens"
    )]
    #[non_exhaustive]
    MissingIssuer {
        /// A variable or key that is set.
        found: String,
    },
    /// Issuer without an audience, which would accept tokens for other services.
    #[error("issuer `{issuer}` has no audience: set this service's audience with `audience`")]
    #[non_exhaustive]
    NoAudience {
        /// The issuer.
        issuer: String,
    },
    /// Empty list of algorithms.
    #[error(
        "issuer `{issuer}` has an empty list of algorithms: name at least one, or leave out `algorithms`"
    )]
    #[non_exhaustive]
    NoAlgorithms {
        /// The issuer.
        issuer: String,
    },
    /// Clock for the age of keys that cannot be read, e.g. because a sandbox denies it.
    #[error("the clock CLOCK_BOOTTIME cannot be read: {reason}; allow it in the sandbox")]
    #[non_exhaustive]
    NoSteadyClock {
        /// The error of the operating system.
        reason: String,
    },
    /// Validator without an issuer, which would reject every token.
    #[error("no issuer is configured: add one with `TokenValidatorBuilder::issuer`")]
    NoIssuer,
    /// [`MetadataService`](crate::resource::MetadataService) of a validator without a protected resource.
    #[error(
        "no protected resource is configured: add one with `TokenValidatorBuilder::protected_resource`"
    )]
    NoProtectedResource,
    /// Duration or size outside its bounds.
    #[error("{setting} = {value} is outside {bounds}: choose a value inside")]
    #[non_exhaustive]
    OutOfBounds {
        /// The setting.
        setting: &'static str,
        /// The value of the setting.
        value: String,
        /// The smallest and largest value.
        bounds: &'static str,
    },
    /// Name of an algorithm that is not supported.
    #[error(
        "`{value}` is not a supported algorithm: use RS, PS or ES with 256, 384 or 512, e.g. RS256, or EdDSA"
    )]
    #[non_exhaustive]
    UnknownAlgorithm {
        /// The name.
        value: String,
    },
    /// A name is not that of a permission.
    #[error("`{value}` is not a permission: use create:*, read:*, update:* or delete:*")]
    #[non_exhaustive]
    UnknownPermission {
        /// The name.
        value: String,
    },
}
