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

    /// Returns whether the setting decides which tokens are accepted.
    const fn is_about_tokens(self) -> bool {
        !matches!(self, Self::IdentityType | Self::IdentityUrl)
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

/// Variables of the web app of Web Modeler up to 8.8, and this crate's settings in their place.
pub(super) const WEB_APP: [(&str, Setting); 5] = [
    ("OAUTH2_TOKEN_ISSUER", Setting::Issuer),
    ("OAUTH2_TOKEN_AUDIENCE", Setting::Audience),
    ("OAUTH2_JWKS_URL", Setting::JwksUrl),
    ("KEYCLOAK_BASE_URL", Setting::Issuer),
    ("KEYCLOAK_JWKS_URL", Setting::JwksUrl),
];

/// Form in which a name is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `SPRING_…_ISSUER_URI`: underscores stand for dots and dashes.
    Variable,
    /// `spring.….issuer-uri`.
    Key,
}

impl Form {
    /// Returns whether a character of a name counts: Spring ignores dashes and underscores, and in
    /// variables dots as well.
    fn counts(self, char: char) -> bool {
        !matches!(char, '-' | '_') && (self == Self::Key || char != '.')
    }

    /// Returns the characters of a name that count, without regard to case.
    fn chars(self, name: &str) -> impl Iterator<Item = char> {
        let counts = name.chars().filter(move |char| self.counts(*char));
        counts.flat_map(char::to_lowercase)
    }

    fn canonical(self, name: &str) -> String {
        self.chars(name).collect()
    }

    /// Returns whether both are one name.
    pub(super) fn is_same(self, name: &str, other: &str) -> bool {
        self.chars(name).eq(self.chars(other))
    }

    /// Returns the rest of `name` after `start`, as it is written, if the name starts so.
    pub(super) fn rest<'n>(self, name: &'n str, start: &str) -> Option<&'n str> {
        let mut expected = self.chars(start).peekable();
        for (place, char) in name.char_indices() {
            if expected.peek().is_none() {
                return name.get(place..);
            }
            if self.counts(char)
                && !char
                    .to_lowercase()
                    .all(|char| expected.next() == Some(char))
            {
                return None;
            }
        }
        expected.peek().is_none().then_some("")
    }

    /// Returns the index of the entry that `name` is in the list under `key`: `KEY_0`, `KEY[0]` or
    /// `key[0]`.
    pub(super) fn index(self, name: &str, key: &str) -> Option<usize> {
        let rest = self.rest(name, key)?;
        let in_brackets = || rest.strip_prefix('[')?.strip_suffix(']');
        let digits = match self {
            Self::Variable => in_brackets().or_else(|| rest.strip_prefix(['_', '.'])),
            Self::Key => in_brackets(),
        };
        let is_number = |digits: &&str| digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.filter(is_number)?.parse().ok()
    }

    /// Returns `key` as it is usually written.
    pub(super) fn write(self, key: &str) -> String {
        match self {
            Self::Variable => key.replace(['.', '-'], "_").to_uppercase(),
            Self::Key => key.to_owned(),
        }
    }

    /// Returns whether `name` is one of the list `key`, or of one of its entries.
    pub(super) fn is_of_list(self, name: &str, key: &str) -> bool {
        self.is_same(name, key) || self.index(name, key).is_some()
    }

    /// Returns the setting that `name` is one of.
    fn setting(self, name: &str) -> Option<Setting> {
        let is_of = |setting: &Setting| {
            let mut keys = setting.keys().iter();
            if setting.is_list() {
                keys.any(|key| self.is_of_list(name, key))
            } else {
                keys.any(|key| self.is_same(name, key))
            }
        };
        Setting::ALL.into_iter().find(is_of)
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
        let is_unused = || UNUSED.iter().any(|key| self.is_same(name, key));
        if self.setting(name).is_some() || is_unused() {
            NameKind::Known
        } else if PREFIXES.iter().any(|prefix| self.has_prefix(name, prefix)) {
            NameKind::Unknown
        } else if self.has_prefix(name, ORCHESTRATION_CLUSTER) {
            NameKind::OrchestrationCluster
        } else if let Some((_, setting)) = self.web_app_setting(name) {
            NameKind::WebApp(setting)
        } else if self.is_misplaced(name) {
            NameKind::Unknown
        } else {
            NameKind::Foreign
        }
    }

    fn web_app_setting(self, name: &str) -> Option<(&'static str, Setting)> {
        let is_same = |(known, _): &(&str, Setting)| self.is_same(name, known);
        let mut settings = WEB_APP.into_iter();
        settings.find(|setting| self == Self::Variable && is_same(setting))
    }

    /// Returns whether the name is that of a setting about tokens with a level that is missing, added
    /// or misspelt, e.g. by a wrong indentation, or with brackets around it.
    fn is_misplaced(self, name: &str) -> bool {
        let is_of_server = |name: &str| {
            let canonical = Self::Variable.canonical(name);
            canonical.contains("resourceserver")
        };
        if self == Self::Variable || is_of_server(name) {
            return is_of_server(name);
        }
        let name = name.replace('[', ".").replace(']', "");
        let found: Vec<_> = name.split('.').filter(|level| !level.is_empty()).collect();
        let is_same = |(level, other): (&&str, &&str)| self.is_same(level, other);
        let is_near = |key: &str| {
            let expected: Vec<_> = key.split('.').collect();
            let has_end = found.last().zip(expected.last()).is_some_and(is_same);
            if !has_end || found.len() < 2 {
                return false;
            }
            let is_end = expected.iter().rev().zip(found.iter().rev()).all(is_same);
            let mut rest = expected.iter();
            let is_part = |level: &&str| rest.any(|known| self.is_same(level, known));
            (is_end && found.len() > expected.len()) || found.iter().all(is_part)
        };
        let settings = Setting::ALL
            .iter()
            .filter(|setting| setting.is_about_tokens());
        settings
            .flat_map(|setting| setting.keys())
            .any(|key| is_near(key))
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

/// Kind of a name in a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameKind {
    /// A setting that is read, or one of Web Modeler that has no meaning here.
    Known,
    /// Not known, although its prefix is.
    Unknown,
    /// A setting of the Orchestration Cluster.
    OrchestrationCluster,
    /// A setting of the web app, and the one in its place.
    WebApp(Setting),
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
                let same = keys().filter(|other| form.is_same(other, key)).count();
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
            assert!(Form::Variable.is_same(name, key), "{name}");
        }
        for name in [
            "camunda.modeler.security.jwt.issuer.backend-url",
            "camunda.modeler.security.jwt.issuer.backendUrl",
            "camunda.modeler.security.jwt.issuer.backend_url",
            "Camunda.Modeler.Security.Jwt.Issuer.BackendURL",
        ] {
            assert!(Form::Key.is_same(name, key), "{name}");
        }
        for other in [
            "camunda.modeler.security.jwt.issuer",
            "camunda.modeler.security.jwt.issuer.backend-url.x",
            "camunda.modeler.security.jwt.issuer-backend-url",
            "camunda.modeler.security.jwt.issuer.backend-urls",
        ] {
            assert!(!Form::Key.is_same(other, key), "{other}");
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
            ("CAMUNDA_IDENTITY_ISSUER_0", NameKind::Unknown),
            (
                "CAMUNDA_HUB_SECURITY_JWT_AUDIENCE_PUBLICAPI[0]",
                NameKind::Unknown,
            ),
            (
                "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_AUDIENCES[0]",
                NameKind::Known,
            ),
            (
                "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_AUDIENCES_0_NAME",
                NameKind::Unknown,
            ),
            (
                "SPRING_SECURITY_OAUTH_RESOURCESERVER_JWT_ISSUER_URI",
                NameKind::Unknown,
            ),
            (
                "SPRING_OAUTH2_RESOURCE_SERVER_JWT_ISSUER_URI",
                NameKind::Unknown,
            ),
            ("OAUTH2_TOKEN_ISSUER", NameKind::WebApp(Setting::Issuer)),
            ("keycloak_jwks_url", NameKind::WebApp(Setting::JwksUrl)),
            ("OAUTH2_CLIENT_ID", NameKind::Foreign),
            ("ISSUER", NameKind::Foreign),
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
            (
                "spring.oauth2.resourceserver.jwt.issuer-uri",
                NameKind::Unknown,
            ),
            ("spring.security.jwt.jwk-set-uri", NameKind::Unknown),
            ("security.jwt.audience.publicApi", NameKind::Unknown),
            ("identity.issuer", NameKind::Unknown),
            ("values.camunda.identity.issuer", NameKind::Unknown),
            (
                "[spring.security.oauth2.resourceserver.jwt.issuer-uri]",
                NameKind::Unknown,
            ),
            ("[camunda.identity.issuer]", NameKind::Unknown),
            ("issuer", NameKind::Foreign),
            ("camunda.modeler.mail.from-address", NameKind::Foreign),
            ("camunda.modeler.oauth2.client-id", NameKind::Foreign),
            (
                "spring.security.oauth2.client.provider.a.issuer-uri",
                NameKind::Foreign,
            ),
            ("oauth2.token.issuer", NameKind::Unknown),
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
