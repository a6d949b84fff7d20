//! What can be wrong with a configuration.

/// What is wrong with a configuration. Every variant holds the offending value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A key set may be located in one way only.
    #[error("issuer `{issuer}`: `{first}` and `{second}` exclude each other")]
    ConflictingSettings {
        /// The issuer concerned.
        issuer: String,
        /// One of the settings.
        first: &'static str,
        /// The other one.
        second: &'static str,
    },
    /// Two issuers of one validator have the same `iss`.
    #[error("issuer `{issuer}` is configured twice")]
    DuplicateIssuer {
        /// The issuer that stands there twice.
        issuer: String,
    },
    /// An audience is the empty text.
    #[error("issuer `{issuer}` has an empty audience")]
    EmptyAudience {
        /// The issuer concerned.
        issuer: String,
    },
    /// A variable is set, but to nothing.
    #[error("variable {name} is set but empty: give it a value or unset it")]
    EmptyVariable {
        /// The variable's name.
        name: &'static str,
    },
    /// Keys would be fetched without TLS.
    #[error(
        "issuer `{issuer}`: {setting} `{value}` is http and leaves this machine unencrypted: use https, or allow it with `allow_http`"
    )]
    InsecureUrl {
        /// The issuer concerned.
        issuer: String,
        /// The setting that holds the URL.
        setting: &'static str,
        /// The URL.
        value: String,
    },
    /// A CA certificate cannot be read.
    #[error("issuer `{issuer}`: ca_certificate `{value}` cannot be used: {reason}")]
    InvalidCertificate {
        /// The issuer concerned.
        issuer: String,
        /// The label of the PEM text, else its length.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A way of binding tokens to their sender that cannot be confirmed here: `jkt` tokens must not
    /// come as Bearer tokens.
    #[error(
        "issuer `{issuer}`: tokens bound by `{value}` (DPoP) must not be accepted as Bearer tokens"
    )]
    InvalidConfirmation {
        /// The issuer concerned.
        issuer: String,
        /// The member of `cnf`.
        value: String,
    },
    /// A JWKS given as text holds no usable key.
    #[error("issuer `{issuer}`: the given key set cannot be used: {reason}")]
    InvalidKeys {
        /// The issuer concerned.
        issuer: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An organization is not 1 to 128 visible ASCII characters.
    #[error("organization `{value}` is not 1 to 128 visible ASCII characters")]
    InvalidOrganization {
        /// The text that was given.
        value: String,
    },
    /// A URL cannot be used.
    #[error("{setting} `{value}` cannot be used: {reason}")]
    InvalidUrl {
        /// The setting that holds the URL.
        setting: &'static str,
        /// The URL.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A variable holds something that cannot be used.
    #[error("variable {name} = `{value}` cannot be used: {reason}")]
    InvalidVariable {
        /// The variable's name.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A variable only means something beside another one.
    #[error("variable {name} is set, but no issuer: set {needed}")]
    MissingVariable {
        /// The variable that is set.
        name: &'static str,
        /// The variable that is not.
        needed: &'static str,
    },
    /// An issuer without an audience would accept tokens meant for other services.
    #[error("issuer `{issuer}` has no audience: name the one of this service with `audience`")]
    NoAudience {
        /// The issuer concerned.
        issuer: String,
    },
    /// The list of algorithms is empty.
    #[error("issuer `{issuer}` has an empty list of algorithms")]
    NoAlgorithms {
        /// The issuer concerned.
        issuer: String,
    },
    /// The clock that counts the age of keys cannot be read, e.g. because a sandbox refuses it.
    #[error("the clock CLOCK_BOOTTIME cannot be read: {reason}; allow it in the sandbox")]
    NoSteadyClock {
        /// What the operating system says.
        reason: String,
    },
    /// A validator without an issuer would reject every token.
    #[error("no issuer is configured")]
    NoIssuer,
    /// A duration or size is outside its bounds.
    #[error("{setting} = {value} is outside {bounds}")]
    OutOfBounds {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: String,
        /// The smallest and largest value.
        bounds: &'static str,
    },
    /// A name is not that of a supported algorithm.
    #[error(
        "`{value}` is not a supported algorithm: use RS*, PS*, ES* with 256, 384 or 512, or EdDSA"
    )]
    UnknownAlgorithm {
        /// The name that was given.
        value: String,
    },
}
