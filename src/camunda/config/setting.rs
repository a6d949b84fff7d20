//! Settings of an installation, and the keys that Camunda's files and variables give them.

/// Setting that this crate reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    Issuer,
    JwksUrl,
    BackendUrl,
    /// The one audience of the public API.
    Audience,
    /// All audiences that the service accepts.
    Audiences,
    Algorithms,
    IdentityType,
    IdentityUrl,
}

impl Setting {
    pub(super) const ALL: [Self; 8] = [
        Self::Issuer,
        Self::JwksUrl,
        Self::BackendUrl,
        Self::Audience,
        Self::Audiences,
        Self::Algorithms,
        Self::IdentityType,
        Self::IdentityUrl,
    ];

    /// Returns the keys of the setting in kebab case; the first that is set counts.
    pub(super) const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Issuer => &[
                "spring.security.oauth2.resourceserver.jwt.issuer-uri",
                "restapi.oauth2.token.issuer",
                "camunda.identity.issuer",
                "camunda.identity.issuer-url",
            ],
            Self::JwksUrl => &["spring.security.oauth2.resourceserver.jwt.jwk-set-uri"],
            Self::BackendUrl => &[
                "camunda.modeler.security.jwt.issuer.backend-url",
                "camunda.hub.security.jwt.issuer.backend-url",
                "restapi.oauth2.token.issuer-backend-url",
                "camunda.identity.issuer-backend-url",
            ],
            Self::Audience => &[
                "camunda.modeler.security.jwt.audience.public-api",
                "camunda.hub.security.jwt.audience.public-api",
            ],
            Self::Audiences => &["spring.security.oauth2.resourceserver.jwt.audiences"],
            Self::Algorithms => &["spring.security.oauth2.resourceserver.jwt.jws-algorithms"],
            Self::IdentityType => &["camunda.identity.type"],
            Self::IdentityUrl => &["camunda.identity.base-url", "restapi.identity.base-url"],
        }
    }

    /// Returns the key that error texts recommend.
    pub(super) const fn key(self) -> &'static str {
        let [first, ..] = self.keys() else {
            unreachable!()
        };
        first
    }

    /// Returns whether the setting may have several values.
    pub(super) const fn is_list(self) -> bool {
        matches!(self, Self::Audiences | Self::Algorithms)
    }
}

/// Keys that Web Modeler reads for its internal API, its user interface and its client of Identity.
pub(super) const UNUSED: [&str; 12] = [
    "camunda.modeler.security.jwt.audience.internal-api",
    "camunda.hub.security.jwt.audience.internal-api",
    "camunda.identity.audience",
    "camunda.identity.auth-url",
    "camunda.identity.client-id",
    "camunda.identity.client-secret",
    "camunda.identity.jwks-url",
    "camunda.identity.public-issuer-url",
    "camunda.identity.realm",
    "camunda.identity.token-url",
    "camunda.identity.userinfo-url",
    "camunda.identity.username-claim",
];

/// Prefixes of keys that exist only where an issuer is to be configured.
const PREFIXES: [&str; 5] = [
    "spring.security.oauth2.resourceserver.",
    "camunda.modeler.security.",
    "camunda.hub.security.",
    "camunda.identity.",
    "restapi.oauth2.",
];

/// Prefix of the keys that configure issuers of Camunda's Orchestration Cluster.
pub(super) const ORCHESTRATION_CLUSTER: &str = "camunda.security.authentication.oidc.";

/// Form in which a name is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `SPRING_…_ISSUER_URI`: underscores stand for dots and dashes.
    Variable,
    /// `spring.….issuer-uri`.
    Key,
}

impl Form {
    /// Returns the characters of a name that count: Spring ignores case, dashes and underscores, and
    /// in variables dots as well.
    fn chars(self, name: &str) -> impl Iterator<Item = char> {
        let counts = move |c: &char| !matches!(c, '-' | '_') && (self == Self::Key || *c != '.');
        name.chars().filter(counts).flat_map(char::to_lowercase)
    }

    fn canonical(self, name: &str) -> String {
        self.chars(name).collect()
    }

    /// Returns whether both are one name.
    pub(super) fn is_same(self, name: &str, other: &str) -> bool {
        self.chars(name).eq(self.chars(other))
    }

    /// Returns the rest of `name` after `start`, if it starts so.
    pub(super) fn rest(self, name: &str, start: &str) -> Option<String> {
        let mut chars = self.chars(name);
        for expected in self.chars(start) {
            if chars.next() != Some(expected) {
                return None;
            }
        }
        Some(chars.collect())
    }

    /// Returns `key` as it is usually written.
    pub(super) fn write(self, key: &str) -> String {
        match self {
            Self::Variable => key.replace(['.', '-'], "_").to_uppercase(),
            Self::Key => key.to_owned(),
        }
    }

    /// Returns whether `name` is one of `key`, or of an entry of its list.
    pub(super) fn is_of(self, name: &str, key: &str) -> bool {
        let is_index = |rest: String| {
            rest.bytes()
                .all(|b| b.is_ascii_digit() || b"[]".contains(&b))
        };
        self.rest(name, key).is_some_and(is_index)
    }

    fn has_prefix(self, name: &str, prefix: &str) -> bool {
        match self {
            Self::Variable => {
                let name = name.replace(['.', '-'], "_").to_uppercase();
                name.starts_with(&self.write(prefix))
            }
            // The prefix itself is a mapping without keys.
            Self::Key => {
                let is_mapping = prefix
                    .strip_suffix('.')
                    .is_some_and(|key| self.is_same(name, key));
                is_mapping || self.rest(name, prefix).is_some()
            }
        }
    }

    /// Returns what the name is to this crate.
    pub(super) fn classify(self, name: &str) -> NameKind {
        let is_of = |key: &str| self.is_of(name, key);
        let is_unused = UNUSED.iter().any(|key| is_of(key));
        if is_unused
            || Setting::ALL
                .iter()
                .any(|setting| setting.keys().iter().any(|key| is_of(key)))
        {
            NameKind::Known
        } else if PREFIXES.iter().any(|prefix| self.has_prefix(name, prefix)) {
            NameKind::Unknown
        } else if self.has_prefix(name, ORCHESTRATION_CLUSTER) {
            NameKind::OrchestrationCluster
        } else {
            NameKind::Foreign
        }
    }

    /// Returns the known key whose name resembles `name` most, as it is usually written.
    pub(super) fn nearest(self, name: &str) -> String {
        let name = self.canonical(name);
        let keys = Setting::ALL
            .iter()
            .flat_map(|setting| setting.keys())
            .chain(&UNUSED);
        let nearest = keys.min_by_key(|key| strsim::levenshtein(&name, &self.canonical(key)));
        self.write(nearest.unwrap_or(&Setting::Issuer.key()))
    }

    /// Returns the name of this service's setting for a name of the Orchestration Cluster.
    pub(super) fn counterpart(self, name: &str) -> String {
        let name = Self::Variable.canonical(name);
        let setting = [
            ("issueruri", Setting::Issuer),
            ("jwkseturi", Setting::JwksUrl),
            ("audiences", Setting::Audience),
        ]
        .into_iter()
        .find(|(end, _)| {
            name.trim_end_matches(|c: char| c.is_ascii_digit())
                .ends_with(end)
        });
        let (_, setting) = setting.unwrap_or(("", Setting::Issuer));
        self.write(setting.key())
    }
}

/// What a name is to this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameKind {
    /// A setting that is read, or one of Web Modeler that has no meaning here.
    Known,
    /// Not known, although its prefix is.
    Unknown,
    /// A setting of the Orchestration Cluster.
    OrchestrationCluster,
    /// A setting of something else.
    Foreign,
}

/// Returns the names under which a variable of `key` is looked up if variables cannot be listed.
pub(super) fn variable_names(key: &str) -> [String; 5] {
    let with_underscores = Form::Variable.write(key);
    let without_dashes = Form::Variable.write(&key.replace('-', ""));
    [
        with_underscores.to_lowercase(),
        without_dashes.to_lowercase(),
        with_underscores,
        without_dashes,
        key.to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_keys_are_one_name() {
        let keys = || {
            Setting::ALL
                .iter()
                .flat_map(|setting| setting.keys())
                .chain(&UNUSED)
        };
        for form in [Form::Variable, Form::Key] {
            for key in keys() {
                let same = keys().filter(|other| form.is_of(other, key)).count();
                assert_eq!(same, 1, "{key}");
                assert_eq!(form.classify(&form.write(key)), NameKind::Known);
                assert_eq!(form.nearest(&form.write(key)), form.write(key));
            }
        }
    }

    #[test]
    fn names_are_read_in_every_spelling_of_springs_relaxed_binding() {
        let key = Setting::BackendUrl.key();
        for name in [
            "CAMUNDA_MODELER_SECURITY_JWT_ISSUER_BACKEND_URL",
            "CAMUNDA_MODELER_SECURITY_JWT_ISSUER_BACKENDURL",
            "camunda_modeler_security_jwt_issuer_backendurl",
            "camunda.modeler.security.jwt.issuer.backend-url",
        ] {
            assert!(Form::Variable.is_of(name, key), "{name}");
        }
        for name in [
            "camunda.modeler.security.jwt.issuer.backend-url",
            "camunda.modeler.security.jwt.issuer.backendUrl",
            "camunda.modeler.security.jwt.issuer.backend_url",
            "Camunda.Modeler.Security.Jwt.Issuer.BackendURL",
        ] {
            assert!(Form::Key.is_of(name, key), "{name}");
        }
        for other in [
            "camunda.modeler.security.jwt.issuer",
            "camunda.modeler.security.jwt.issuer.backend-url.x",
            "camunda.modeler.security.jwt.issuer-backend-url",
            "camunda.modeler.security.jwt.issuer.backend-urls",
        ] {
            assert!(!Form::Key.is_of(other, key), "{other}");
        }
    }

    #[test]
    fn names_are_known_unknown_or_foreign() {
        for (name, kind) in [
            (
                "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUERURI",
                NameKind::Known,
            ),
            (
                "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_AUDIENCES_0",
                NameKind::Known,
            ),
            ("CAMUNDA_IDENTITY_CLIENTSECRET", NameKind::Known),
            (
                "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URL",
                NameKind::Unknown,
            ),
            ("camunda_identity_isuer", NameKind::Unknown),
            (
                "CAMUNDA_SECURITY_AUTHENTICATION_OIDC_ISSUERURI",
                NameKind::OrchestrationCluster,
            ),
            ("CAMUNDA_IDENTITYX", NameKind::Foreign),
            ("CAMUNDA_MODELER_SERVER_URL", NameKind::Foreign),
            ("PATH", NameKind::Foreign),
        ] {
            assert_eq!(Form::Variable.classify(name), kind, "{name}");
        }
        for (name, kind) in [
            (
                "spring.security.oauth2.resourceserver.jwt",
                NameKind::Unknown,
            ),
            ("camunda.identity", NameKind::Unknown),
            ("camunda.identity.issuerBackendUrl", NameKind::Known),
            ("camunda.identityx", NameKind::Foreign),
            ("camunda.modeler.clusters[0].id", NameKind::Foreign),
            (
                "camunda.security.authentication.oidc.client-id",
                NameKind::OrchestrationCluster,
            ),
        ] {
            assert_eq!(Form::Key.classify(name), kind, "{name}");
        }
    }

    #[test]
    fn the_nearest_name_is_the_one_that_was_meant() {
        for (name, meant) in [
            (
                "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER",
                "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI",
            ),
            (
                "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWKS_URI",
                "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWK_SET_URI",
            ),
            (
                "CAMUNDA_MODELER_SECURITY_JWT_AUDIENCE",
                "CAMUNDA_MODELER_SECURITY_JWT_AUDIENCE_PUBLIC_API",
            ),
            (
                "RESTAPI_OAUTH2_TOKEN_ISSUER_URL",
                "RESTAPI_OAUTH2_TOKEN_ISSUER",
            ),
            ("CAMUNDA_IDENTITY_TYP", "CAMUNDA_IDENTITY_TYPE"),
        ] {
            assert_eq!(Form::Variable.nearest(name), meant);
        }
        assert_eq!(
            Form::Key.nearest("camunda.identity.isuer"),
            "camunda.identity.issuer"
        );
    }

    #[test]
    fn names_of_the_orchestration_cluster_have_a_counterpart() {
        for (name, expected) in [
            (
                "CAMUNDA_SECURITY_AUTHENTICATION_OIDC_ISSUERURI",
                Setting::Issuer,
            ),
            (
                "CAMUNDA_SECURITY_AUTHENTICATION_OIDC_JWKSETURI",
                Setting::JwksUrl,
            ),
            (
                "CAMUNDA_SECURITY_AUTHENTICATION_OIDC_AUDIENCES_0",
                Setting::Audience,
            ),
            (
                "CAMUNDA_SECURITY_AUTHENTICATION_OIDC_CLIENTID",
                Setting::Issuer,
            ),
        ] {
            assert_eq!(
                Form::Variable.counterpart(name),
                Form::Variable.write(expected.key())
            );
        }
    }
}
