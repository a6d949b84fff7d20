//! Configurations as Camunda's releases, charts and operators write them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use super::{
    from_variables_and_files,
    setting::{Form, Setting},
};
use crate::{clock::Clock, error::config::ConfigError, issuer::Issuer};

const URL: &str = "http://localhost:18080/auth/realms/camunda-platform";
const BACKEND: &str = "http://keycloak:18080/auth/realms/camunda-platform";
const KEYS: &str =
    "http://keycloak:18080/auth/realms/camunda-platform/protocol/openid-connect/certs";

/// Variables and their values, or files and their texts.
type Pairs<'t> = &'t [(&'t str, &'t str)];

/// Folder that is removed at the end of a test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("modeler-auth-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(path.join("config")).unwrap();
        Self(path)
    }

    fn with(path: &str, text: &str) -> Self {
        Self::new().and(path, text)
    }

    fn and(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        fs::write(self.0.join(path), text).unwrap();
        self
    }

    fn name(&self) -> String {
        self.0.file_name().unwrap().to_string_lossy().into_owned()
    }

    fn read(&self, variables: &[(&str, &str)]) -> Result<Option<Issuer>, ConfigError> {
        let variables = variables.iter();
        let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        from_variables_and_files(variables.collect(), &self.0)
    }

    /// Returns the summary for the log.
    fn summary(&self, variables: &[(&str, &str)]) -> String {
        summary(&self.read(variables).unwrap().unwrap())
    }

    fn error(&self, variables: &[(&str, &str)]) -> String {
        self.read(variables).unwrap_err().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns issuer, audiences, place of the keys and algorithms.
fn summary(issuer: &Issuer) -> String {
    let summary = issuer.summary().unwrap();
    let algorithms: Vec<_> = summary.algorithms.iter().map(|one| one.name()).collect();
    format!(
        "{} | {} | {} | {}",
        summary.issuer,
        summary.audiences.join(", "),
        summary.keys,
        algorithms.join(", ")
    )
}

fn from(variables: &[(&str, &str)]) -> Result<Option<Issuer>, ConfigError> {
    Issuer::from_vars(|wanted| {
        let found = variables.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn variable(setting: Setting) -> String {
    Form::Variable.write(setting.key())
}

/// Writes a dotted key as nested mappings.
fn nested(key: &str, value: &str) -> String {
    let mut text = String::new();
    let segments: Vec<_> = key.split('.').collect();
    for (depth, segment) in segments.iter().enumerate() {
        let end = if depth + 1 == segments.len() {
            format!(" {value}")
        } else {
            String::new()
        };
        text.push_str(&format!("{}{segment}:{end}\n", "  ".repeat(depth)));
    }
    text
}

fn camel(key: &str) -> String {
    let mut text = String::new();
    let mut is_start = false;
    for char in key.chars() {
        match char {
            '-' => is_start = true,
            _ if is_start => {
                text.extend(char.to_uppercase());
                is_start = false;
            }
            _ => text.push(char),
        }
    }
    text
}

#[test]
fn r62_each_key_in_each_spelling_in_variables_and_files_gives_the_same_issuer() {
    let value = |setting| match setting {
        Setting::Issuer => URL,
        Setting::JwksUrl => KEYS,
        Setting::BackendUrl => BACKEND,
        Setting::Audience => "api",
        Setting::Audiences => "api,other",
        Setting::Algorithms => "ES256,PS256",
        Setting::IdentityType => "Keycloak",
        Setting::IdentityUrl => "http://identity",
    };
    let mut tried = 0;
    for setting in Setting::ALL {
        for key in setting.keys() {
            let value = value(setting);
            // All other keys have their values from here.
            let issuer = (variable(Setting::Issuer), URL.to_owned());
            let expected = {
                let own = (Form::Variable.write(key), value.to_owned());
                let mut variables = vec![own];
                if setting != Setting::Issuer {
                    variables.push(issuer.clone());
                }
                let issuer = from_variables_and_files(variables, &Folder::new().0);
                summary(&issuer.unwrap().unwrap())
            };
            let upper = Form::Variable.write(key);
            let removed = Form::Variable.write(&key.replace('-', ""));
            for name in [
                upper.clone(),
                removed.clone(),
                upper.to_lowercase(),
                removed.to_lowercase(),
                (*key).to_owned(),
            ] {
                let mut variables = vec![(name.as_str(), value)];
                if setting != Setting::Issuer {
                    variables.push((&issuer.0, &issuer.1));
                }
                assert_eq!(Folder::new().summary(&variables), expected, "{name}");
                assert_eq!(
                    summary(&from(&variables).unwrap().unwrap()),
                    expected,
                    "{name}"
                );
                tried += 1;
            }
            let quoted = format!("\"{value}\"");
            let list = format!("[{value}]");
            let values = if setting.is_list() {
                vec![&quoted, &list]
            } else {
                vec![&quoted]
            };
            for spelling in [(*key).to_owned(), camel(key), key.replace('-', "_")] {
                for value in &values {
                    for text in [nested(&spelling, value), format!("{spelling}: {value}\n")] {
                        let folder = Folder::with("application.yaml", &text);
                        let issuer = (issuer.0.as_str(), issuer.1.as_str());
                        let variables = [issuer];
                        let variables = if setting == Setting::Issuer {
                            &[][..]
                        } else {
                            &variables
                        };
                        assert_eq!(folder.summary(variables), expected, "{text}");
                        tried += 1;
                    }
                }
            }
        }
    }
    assert!(tried > 150, "{tried}");
}

/// Parts of the file that Compose mounts, with the values of a release.
fn compose(extra: &str) -> String {
    format!(
        r#"
camunda:
  identity:
    base-url: http://identity:8084/
    issuer: "http://${{HOST:localhost}}:18080/auth/realms/camunda-platform"
    issuerBackendUrl: "http://${{KEYCLOAK_HOST:host.docker.internal}}:18080/auth/realms/camunda-platform"
    type: KEYCLOAK
  modeler:
    pusher:
      key: "${{WEBMODELER_PUSHER_KEY}}"
    security:
      jwt:
        issuer:
          backend-url: "http://${{KEYCLOAK_HOST:host.docker.internal}}:18080/auth/realms/camunda-platform"
        audience:
          internal-api: web-modeler-api
          public-api: web-modeler-public-api
{extra}
spring:
  profiles:
    include: default-logging
  mail:
    properties:
      mail.smtp.auth: false
  security:
    oauth2:
      resourceserver:
        jwt:
          issuer-uri: "http://${{HOST:localhost}}:18080/auth/realms/camunda-platform"
          jwk-set-uri: "http://${{KEYCLOAK_HOST:host.docker.internal}}:18080/auth/realms/camunda-platform/protocol/openid-connect/certs"
logging:
  level:
    io.camunda.modeler: DEBUG"#
    )
}

/// Parts of the file that Helm renders.
fn helm(issuer: &str, backend: &str) -> String {
    format!(
        r#"camunda:
  identity:
    base-url: "http://camunda-identity:80"
    issuer: "{issuer}"
    issuerBackendUrl: "{backend}"
    type: "KEYCLOAK"

  modeler:
    security:
      jwt:
        issuer:
          backend-url: "{backend}"
        audience:
          internal-api: "web-modeler-api"
          public-api: "web-modeler-public-api"
    clusters:
      
      - id: "default-cluster"
        authorizations:
          enabled: true
        tags:
          - dev
          - custom
        customProperties:
          - description: 'An environment.'
            links:
              - name: Camunda
                url: 'https://camunda.com'
spring:
  mail:
    host: ""
    port: 587
  security:
    oauth2:
      resourceserver:
        jwt:
          issuer-uri: "{issuer}"
          jwk-set-uri: "{backend}/protocol/openid-connect/certs"
"#
    )
}

#[test]
fn r62_the_files_of_compose_and_helm_give_their_issuer() {
    let compose_keys = "at http://host.docker.internal:18080/auth/realms/camunda-platform/protocol/openid-connect/certs";
    for extra in [
        "",
        "    oauth2:\n      client-id: web-modeler\n    server:\n      https-only: false\n",
    ] {
        let folder = Folder::with("config/application.yaml", &compose(extra));
        let summary = folder.summary(&[]);
        assert!(
            summary.starts_with(&format!(
                "{URL} | web-modeler-public-api | {compose_keys} |"
            )),
            "{summary}"
        );
        let moved = folder.summary(&[
            ("HOST", "camunda.example.com"),
            ("KEYCLOAK_HOST", "keycloak"),
        ]);
        assert!(
            moved.starts_with("http://camunda.example.com:18080/auth/"),
            "{moved}"
        );
        assert!(moved.contains(KEYS), "{moved}");
    }
    // Newer files use the prefix of the Hub.
    let hub = compose("").replace("  modeler:", "  hub:");
    let summary = Folder::with("application.yaml", &hub).summary(&[]);
    assert!(
        summary.starts_with(&format!(
            "{URL} | web-modeler-public-api | {compose_keys} |"
        )),
        "{summary}"
    );

    for backend in [
        "http://camunda-keycloak:80/auth/realms/camunda-platform",
        "http://camunda-keycloak/auth/realms/camunda-platform",
    ] {
        let folder = Folder::with("config/application.yaml", &helm(URL, backend));
        let summary = folder.summary(&[]);
        let expected = format!(
            "{URL} | web-modeler-public-api | at {backend}/protocol/openid-connect/certs |"
        );
        assert!(summary.starts_with(&expected), "{summary}");
    }
    // Without a public URL the chart of 8.10 leaves the issuer empty.
    let folder = Folder::with(
        "config/application.yaml",
        &helm(
            "",
            "https://keycloak.example.com:8443/auth/realms/camunda-platform",
        ),
    );
    let error = folder.error(&[]);
    for words in [
        "jwk-set-uri` in ",
        "/config/application.yaml, line 38 is set, but no issuer is",
        "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI",
    ] {
        assert!(error.contains(words), "{error}");
    }
    let issuer = ("SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUERURI", URL);
    assert!(folder.summary(&[issuer]).starts_with(URL));
}

#[test]
fn the_backend_url_counts_where_there_is_no_key_set_url() {
    let text = compose("").replace("jwk-set-uri:", "principal-claim-name:");
    let summary = Folder::with("application.yaml", &text).summary(&[]);
    let expected = "by discovery at http://host.docker.internal:18080/auth/realms/camunda-platform/.well-known/openid-configuration";
    assert!(summary.contains(expected), "{summary}");
}

#[test]
fn locations_are_read_as_spring_reads_them() {
    let file = |issuer: &str| nested(Setting::Issuer.key(), issuer);
    let folder = Folder::with("application.yaml", &file("https://base/"))
        .and("config/application.yaml", file("https://config/"))
        .and("config/application-dev.yaml", file("https://dev/"))
        .and("other.yml", file("https://other/"))
        .and("other-dev.yml", file("https://other-dev/"));
    let other = folder.0.join("other.yml");
    let other = other.to_str().unwrap();
    let uri = format!("file:{other}");
    let url = format!("optional:file://{other}");
    let inside = format!("{}/config/", folder.0.display());
    for (variables, expected) in [
        (vec![], "https://config/"),
        (vec![("SPRING_PROFILES_ACTIVE", "dev")], "https://dev/"),
        (
            vec![("SPRING_PROFILES_ACTIVE", "dev, none")],
            "https://dev/",
        ),
        (vec![("SPRING_CONFIG_LOCATION", other)], "https://other/"),
        (
            vec![("SPRING_CONFIG_LOCATION", "other.yml")],
            "https://other/",
        ),
        (vec![("SPRING_CONFIG_LOCATION", &uri)], "https://other/"),
        (vec![("SPRING_CONFIG_LOCATION", &url)], "https://other/"),
        (
            vec![("SPRING_CONFIG_LOCATION", "classpath:/,other.yml")],
            "https://other/",
        ),
        (vec![("SPRING_CONFIG_LOCATION", &inside)], "https://config/"),
        (
            vec![("SPRING_CONFIG_LOCATION", "optional:missing.yaml,config/")],
            "https://config/",
        ),
        (
            vec![("SPRING_CONFIG_LOCATION", "other.yml,config/")],
            "https://config/",
        ),
        (
            vec![
                ("SPRING_CONFIG_LOCATION", "other.yml"),
                ("SPRING_PROFILES_ACTIVE", "dev"),
            ],
            "https://other-dev/",
        ),
        (
            vec![
                ("SPRING_CONFIG_NAME", "other"),
                ("SPRING_CONFIG_LOCATION", "./"),
            ],
            "https://other/",
        ),
        (
            vec![("SPRING_CONFIG_ADDITIONAL_LOCATION", other)],
            "https://other/",
        ),
        (
            vec![("SPRING_CONFIG_ADDITIONALLOCATION", other)],
            "https://other/",
        ),
        (
            vec![
                ("SPRING_CONFIG_ADDITIONAL_LOCATION_0", "config/"),
                ("SPRING_CONFIG_ADDITIONAL_LOCATION_1", other),
            ],
            "https://other/",
        ),
        (
            vec![("SPRING_CONFIG_LOCATION", "${WHERE}"), ("WHERE", other)],
            "https://other/",
        ),
        (
            vec![("SPRING_CONFIG_IMPORT", "optional:configtree:/etc/config/")],
            "https://config/",
        ),
        (vec![("SPRING_CONFIG_IMPORT", &url)], "https://other/"),
        (
            vec![("SPRING_CONFIG_IMPORT", "optional:file:./missing.yaml")],
            "https://config/",
        ),
        (
            vec![
                ("SPRING_CONFIG_IMPORT", other),
                (
                    "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI",
                    "https://variable/",
                ),
            ],
            "https://variable/",
        ),
    ] {
        let issuer = folder.read(&variables).unwrap().unwrap();
        assert_eq!(issuer.as_str(), expected, "{variables:?}");
    }
    for (name, value, words) in [
        (
            "SPRING_CONFIG_LOCATION",
            "missing.yaml",
            "missing.yaml: it does not exist",
        ),
        (
            "SPRING_CONFIG_LOCATION",
            "missing/",
            "this folder does not exist",
        ),
        (
            "SPRING_CONFIG_LOCATION",
            "config",
            "it is a folder, not a file",
        ),
        (
            "SPRING_CONFIG_ADDITIONAL_LOCATION",
            "config/*/",
            "/config: it has no subfolder for the `*`",
        ),
        (
            "SPRING_CONFIG_LOCATION",
            "conf*/a.yaml",
            "cannot be used: `*` is supported only",
        ),
        (
            "SPRING_CONFIG_LOCATION",
            "other.json[.json]",
            "other.json[.json]: it does not exist",
        ),
        (
            "SPRING_CONFIG_LOCATION",
            "..",
            "a location that is a folder ends with `/`",
        ),
        (
            "SPRING_CONFIG_IMPORT",
            "configtree:/etc/config/",
            "only locations of files",
        ),
        (
            "SPRING_CONFIG_NAME",
            "config/other",
            "without their folder and extension",
        ),
        (
            "SPRING_CONFIG_LOCATION_1",
            "other.yml",
            "the list has no entry 0",
        ),
    ] {
        let error = folder.error(&[(name, value)]);
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn documents_count_in_turn_and_by_profile() {
    let text = "
spring.security.oauth2.resourceserver.jwt.issuer-uri: https://first/
---
# Nothing.
---
spring.config.activate.on-profile: [dev, test]
spring.security.oauth2.resourceserver.jwt.issuer-uri: https://dev/
---
spring.config.activate.on-profile: '!dev'
spring.security.oauth2.resourceserver.jwt.jws-algorithms: ES256
---
spring.config.activate.on-profile: default
spring.security.oauth2.resourceserver.jwt.audiences: only-without-profiles
...
";
    let folder = Folder::with("application.yaml", text);
    for (profiles, expected) in [
        ("", "https://first/ | only-without-profiles |"),
        ("test", "https://dev/ | web-modeler-public-api |"),
        ("dev", "https://dev/ | web-modeler-public-api |"),
        ("other", "https://first/ | web-modeler-public-api |"),
    ] {
        let summary = folder.summary(&[("SPRING_PROFILES_ACTIVE", profiles)]);
        assert!(summary.starts_with(expected), "{summary}");
        assert_eq!(summary.ends_with("| ES256"), profiles != "dev", "{summary}");
    }
    let own = format!("spring.profiles.active: test\n---{text}");
    let summary = Folder::with("application.yaml", &own).summary(&[]);
    assert!(
        summary.starts_with("https://dev/ | web-modeler-public-api |"),
        "{summary}"
    );
    let error = Folder::with(
        "application.yaml",
        "spring.config.activate.on-profile: a & b\ncamunda.identity.issuer: https://a/",
    )
    .error(&[]);
    assert!(
        error.contains("on-profile` in ") && error.contains("`a & b`"),
        "{error}"
    );
}

#[test]
fn r62_a_configuration_without_an_issuer_is_an_error_and_nothing_is_none() {
    for (name, value) in [
        ("PATH", "/bin"),
        ("CAMUNDA_MODELER_SERVER_URL", "http://localhost:8070"),
        ("SPRING_DATASOURCE_URL", "jdbc:postgresql://a/b"),
    ] {
        assert!(
            Folder::new().read(&[(name, value)]).unwrap().is_none(),
            "{name}"
        );
        assert!(from(&[(name, value)]).unwrap().is_none(), "{name}");
    }
    let foreign = Folder::with(
        "application.yaml",
        "server.port: 8080\nspring: {datasource: {url: x}}\n",
    );
    assert!(foreign.read(&[]).unwrap().is_none());

    let error = |variables: &[(&str, &str)]| Folder::new().error(variables);
    for name in [
        "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWK_SET_URI",
        "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUR_URI",
        "SPRING_SECURITY_OAUTH2_RESOURCESERVER_OPAQUETOKEN_INTROSPECTION_URI",
        "CAMUNDA_MODELER_SECURITY_JWT_ISSUER_BACKENDURL",
        "CAMUNDA_HUB_SECURITY_X",
        "camunda_identity_baseurl",
        "CAMUNDA_IDENTITY_CLIENT_ID",
        "RESTAPI_OAUTH2_TOKEN_ISSUER_BACKEND_URL",
        "RESTAPI_IDENTITY_BASE_URL",
        "CAMUNDA_SECURITY_AUTHENTICATION_OIDC_ISSUERURI",
        "SPRING_APPLICATION_JSON",
    ] {
        let error = error(&[(name, URL)]);
        assert!(
            error.contains(&format!("variable {name} is set, but no issuer is")),
            "{error}"
        );
    }
    for name in [
        "SPRING_CONFIG_LOCATION",
        "SPRING_CONFIG_ADDITIONAL_LOCATION",
        "SPRING_CONFIG_ADDITIONAL_LOCATION_0",
        "SPRING_CONFIG_IMPORT",
    ] {
        let error = error(&[(name, "optional:file:missing.yaml")]);
        assert!(
            error.contains(&format!("variable {name} is set, but no issuer is")),
            "{error}"
        );
    }
    for text in [
        "spring: {security: {oauth2: {resourceserver: {jwt: null}}}}",
        "spring: {security: {oauth2: {resourceserver: {jwt: }}}}",
        "spring.security.oauth2.resourceserver.jwt.issuer-uri: ''",
        "camunda: {identity: {issuer: ~, base-url: http://identity}}",
        "camunda: {hub: {security: {jwt: {audience: {internal-api: a}}}}}",
        "camunda.security.authentication.oidc.issuer-uri: http://a/",
        "spring.config.import: optional:file:/missing.yaml",
    ] {
        let error = Folder::with("config/application.yaml", text).error(&[]);
        assert!(
            error.contains("line 1 is set, but no issuer is"),
            "{text}: {error}"
        );
    }
}

/// Each row is what Spring Boot 3.5 does with the same files.
#[test]
fn r62_files_win_in_the_order_of_spring_boot() {
    let import = "spring.config.import: my.yaml\n";
    let prod = ("SPRING_PROFILES_ACTIVE", "prod");
    let rows: [(Pairs<'_>, Pairs<'_>, &str); 28] = [
        (
            &[("application.yml", ""), ("application.yaml", "")],
            &[],
            "application.yml",
        ),
        (
            &[
                ("config/b/application.yaml", ""),
                ("config/a/application.yaml", ""),
                ("config/..c/application.yaml", ""),
                ("config/application.yaml", ""),
            ],
            &[],
            "config/b/application.yaml",
        ),
        (
            &[("z/a/my.yaml", ""), ("z/b/my.yaml", "")],
            &[("SPRING_CONFIG_LOCATION", "./z/*/my.yaml")],
            "z/b/my.yaml",
        ),
        (
            &[("z/a/my.yaml", ""), ("z/b/my.yaml", "")],
            &[
                ("SPRING_CONFIG_LOCATION", "z/*/"),
                ("SPRING_CONFIG_NAME", "my"),
            ],
            "z/b/my.yaml",
        ),
        (
            &[("thing", ""), ("thing-prod", "")],
            &[("SPRING_CONFIG_IMPORT", "file:./thing[.yaml]")],
            "thing",
        ),
        (
            &[("thing", ""), ("thing-prod", "")],
            &[("SPRING_CONFIG_IMPORT", "file:./thing[.yml]"), prod],
            "thing-prod",
        ),
        // Profiles.
        (
            &[
                ("application.yaml", "spring.profiles.active: ${STAGE:prod}"),
                ("application-prod.yaml", ""),
            ],
            &[],
            "application-prod.yaml",
        ),
        (
            &[("application.yaml", ""), ("application-prod.yaml", "")],
            &[("SPRING_PROFILES_ACTIVE", "${STAGE}"), ("STAGE", "prod")],
            "application-prod.yaml",
        ),
        (
            &[
                (
                    "application.yaml",
                    "stage: prod\nspring.profiles.active: ['${stage}']",
                ),
                ("application-prod.yaml", ""),
            ],
            &[],
            "application-prod.yaml",
        ),
        (
            &[("application.yaml", ""), ("application-default.yaml", "")],
            &[],
            "application-default.yaml",
        ),
        (
            &[("application.yaml", ""), ("application-default.yaml", "")],
            &[prod],
            "application.yaml",
        ),
        (
            &[
                ("application-default.yaml", ""),
                ("application-prod.yaml", ""),
            ],
            &[("SPRING_PROFILES_DEFAULT", "prod")],
            "application-prod.yaml",
        ),
        (
            &[
                ("application.yaml", "spring.profiles.active: prod"),
                ("application-prod.yaml", ""),
            ],
            &[("SPRING_PROFILES_ACTIVE", "")],
            "application.yaml",
        ),
        (
            &[
                (
                    "application.yaml",
                    "spring.profiles.include: a\n---\nspring.profiles.include: b",
                ),
                ("application-a.yaml", ""),
                ("application-b.yaml", ""),
                ("application-c.yaml", ""),
            ],
            &[
                ("SPRING_PROFILES_INCLUDE", "c"),
                ("SPRING_PROFILES_ACTIVE", "d"),
            ],
            "application-a.yaml",
        ),
        (
            &[
                ("application.yaml", "spring.profiles.include: a"),
                ("application-a.yaml", ""),
                ("application-c.yaml", ""),
            ],
            &[
                ("SPRING_PROFILES_INCLUDE_0", "a"),
                ("SPRING_PROFILES_ACTIVE", "c,a"),
            ],
            "application-c.yaml",
        ),
        (
            &[
                ("application.yaml", "spring.profiles.group.prod: a,b"),
                ("application-a.yaml", ""),
                ("application-b.yaml", ""),
                ("application-prod.yaml", ""),
            ],
            &[prod],
            "application-b.yaml",
        ),
        (
            &[
                ("application.yaml", "spring.profiles.group.prod: [a, b]"),
                ("application-a.yaml", ""),
                ("application-b.yaml", ""),
                ("application-prod.yaml", ""),
            ],
            &[prod, ("SPRING_PROFILES_GROUP_PROD_0", "a")],
            "application-a.yaml",
        ),
        // Imports.
        (
            &[
                ("application.yaml", import),
                ("my.yaml", ""),
                ("my-prod.yaml", ""),
                ("application-prod.yaml", ""),
            ],
            &[prod],
            "my-prod.yaml",
        ),
        (
            &[
                ("application.yaml", import),
                ("my.yaml", "spring.config.import: deep.yaml"),
                ("deep.yaml", ""),
                ("deep-prod.yaml", ""),
                ("application-prod.yaml", ""),
            ],
            &[prod],
            "application-prod.yaml",
        ),
        (
            &[
                ("application.yaml", import),
                ("my.yaml", "spring.config.import: deep.yaml"),
                ("deep.yaml", ""),
                ("deep-prod.yaml", ""),
            ],
            &[prod],
            "deep-prod.yaml",
        ),
        (
            &[
                (
                    "application.yaml",
                    "a: b\n---\nspring.config.activate.on-profile: prod\nspring.config.import: my.yaml",
                ),
                ("my.yaml", ""),
                ("my-prod.yaml", ""),
                ("application-prod.yaml", ""),
            ],
            &[prod],
            "my-prod.yaml",
        ),
        (
            &[("application-prod.yaml", import), ("my.yaml", "")],
            &[prod],
            "my.yaml",
        ),
        (
            &[
                (
                    "application.yaml",
                    "spring.config.import: my.yaml\n---\nspring.config.import: my.yaml",
                ),
                ("my.yaml", ""),
            ],
            &[],
            "my.yaml",
        ),
        (
            &[
                ("application.yaml", import),
                ("my.yaml", "spring.config.import: application.yaml"),
            ],
            &[],
            "my.yaml",
        ),
        (
            &[
                ("application.yaml", import),
                ("my.yaml", "spring.config.import: ../x/./my.yaml"),
            ],
            &[("SPRING_CONFIG_LOCATION", "application.yaml")],
            "my.yaml",
        ),
        (
            &[
                (
                    "application.yaml",
                    "spring.config.import: [my.yaml, other.yaml, my.yaml]",
                ),
                ("my.yaml", ""),
                ("other.yaml", ""),
            ],
            &[],
            "my.yaml",
        ),
        (
            &[
                ("application.yaml", import),
                ("my.yaml", "spring.profiles.include: prod"),
                ("application-prod.yaml", ""),
            ],
            &[],
            "application-prod.yaml",
        ),
        (
            &[
                (
                    "application.yaml",
                    "name: my\nspring.config.import: '${name}.yaml'",
                ),
                ("my.yaml", ""),
            ],
            &[],
            "my.yaml",
        ),
    ];
    for (files, variables, expected) in rows {
        let mut folder = Folder::new();
        for (path, text) in files {
            // The issuer is the name of the file.
            let issuer = format!("camunda.identity.issuer: https://{path}/\n");
            let text =
                format!("{issuer}{text}\n").replace("../x/", &format!("../{}/", folder.name()));
            let path_of_file = folder.0.join(path);
            fs::create_dir_all(path_of_file.parent().unwrap()).unwrap();
            folder = folder.and(path, text);
        }
        let issuer = folder.read(variables).unwrap().unwrap();
        assert_eq!(
            issuer.as_str(),
            format!("https://{expected}/"),
            "{files:?} {variables:?}"
        );
    }
}

/// Spring Boot refuses most of these as well.
#[test]
fn r62_profiles_and_conditions_that_cannot_be_used_are_errors_that_name_them() {
    let own = "camunda.identity.issuer: https://a/\n";
    let many = (0..40)
        .map(|count| format!("p{count},"))
        .collect::<String>();
    for (text, variables, words) in [
        (
            "",
            vec![("SPRING_PROFILES_ACTIVE", "../a")],
            [
                "variable SPRING_PROFILES_ACTIVE = `../a`",
                "correct its name",
            ],
        ),
        (
            "",
            vec![("SPRING_PROFILES_ACTIVE", "a b")],
            ["= `a b`", "a profile has only"],
        ),
        (
            "",
            vec![("SPRING_PROFILES_INCLUDE", "-a")],
            ["variable SPRING_PROFILES_INCLUDE", "a profile has only"],
        ),
        (
            "",
            vec![("SPRING_PROFILES_ACTIVE", "${STAGE}")],
            [
                "SPRING_PROFILES_ACTIVE = `${STAGE}`",
                "set the variable STAGE",
            ],
        ),
        (
            "spring.profiles.active: a${STAGE}",
            vec![],
            ["`spring.profiles.active` in ", "set the variable STAGE"],
        ),
        (
            "",
            vec![("SPRING_PROFILES_ACTIVE", &many)],
            ["more than 32 active profiles", "p31"],
        ),
        (
            "",
            vec![
                ("SPRING_PROFILES_ACTIVE", "a"),
                ("SPRING_PROFILES_ACTIVE_1", "b"),
            ],
            ["SPRING_PROFILES_ACTIVE_1 = `b`", "has the whole list"],
        ),
        (
            "---\nspring.profiles: dev",
            vec![],
            ["line 3 = `dev`", "use spring.config.activate.on-profile"],
        ),
        (
            "---\nspring.profiles: [dev]",
            vec![],
            [
                "`spring.profiles[0]` in ",
                "use spring.config.activate.on-profile",
            ],
        ),
        (
            "---\nspring.config.activate.on-profile: a\nspring.profiles.include: b",
            vec![],
            ["`spring.profiles.include` in ", "cannot select profiles"],
        ),
        (
            "---\nspring.config.activate.on-cloud-platform: kubernetes",
            vec![],
            [
                "`spring.config.activate.on-cloud-platform` in ",
                "use spring.config.activate.on-profile",
            ],
        ),
        (
            "---\nspring.config.activate.on-profile: a & b",
            vec![],
            ["= `a & b`", "a document for each case"],
        ),
    ] {
        let folder = Folder::with("application.yaml", &format!("{own}{text}\n"));
        let error = folder.error(&variables);
        for words in words {
            assert!(error.contains(words), "{text} {variables:?}: {error}");
        }
    }
    let folder = Folder::with("application.yaml", own)
        .and("application-a.yaml", "spring.profiles.active: b\n");
    let error = folder.error(&[("SPRING_PROFILES_ACTIVE", "a")]);
    assert!(
        error.contains("application-a.yaml, line 1 = `b`"),
        "{error}"
    );
    // The same profile many times is one profile.
    let often = "a,".repeat(500);
    let folder = Folder::with("application.yaml", own);
    let read = folder.read(&[("SPRING_PROFILES_ACTIVE", &often)]);
    assert!(read.unwrap().is_some());
}

#[test]
fn r62_a_configuration_that_nobody_reads_is_an_error_that_says_what_to_correct() {
    const ISSUER: &str = "spring.security.oauth2.resourceserver.jwt.issuer-uri";
    let own = format!("{ISSUER}: https://a/\n");
    let on_profile = format!("spring.config.activate.on-profile: prod\n{own}");
    let manifest = "apiVersion: v1\nkind: ConfigMap\ndata:\n  application.yaml: |\n    camunda.identity.issuer: https://a/\n";
    let misplaced = nested("spring.oauth2.resourceserver.jwt.issuer-uri", "https://a/");
    let bracketed = format!("'[{ISSUER}]': https://a/\n");
    let java = format!("-Xmx1g -D{ISSUER}=https://s3cret/");
    let profile = "is in a document or file for a profile that is not active: name the profile in SPRING_PROFILES_ACTIVE";
    let missing = "is set, but no issuer is";
    let rows: [(&str, &str, Pairs<'_>, [&str; 2]); 19] = [
        (
            "application.yaml",
            &on_profile,
            &[],
            ["application.yaml, line 2: `spring.", profile],
        ),
        (
            "application-prod.yaml",
            &own,
            &[],
            ["application-prod.yaml, line 1: `spring.", profile],
        ),
        (
            "config/application-prod.yml",
            &own,
            &[("SPRING_PROFILES_ACTIVE", "dev")],
            ["application-prod.yml, line 1", profile],
        ),
        (
            "application.yaml",
            &misplaced,
            &[],
            ["`spring.oauth2.resourceserver.jwt.issuer-uri` in ", missing],
        ),
        (
            "application.yaml",
            &bracketed,
            &[],
            ["`[spring.security.", missing],
        ),
        (
            "application.yaml",
            manifest,
            &[],
            ["line 2 = `ConfigMap`", "use the text under its key `data`"],
        ),
        (
            "a",
            "",
            &[("SPRING_CONFIG_NAME", "modeler")],
            ["variable SPRING_CONFIG_NAME", missing],
        ),
        (
            "a",
            "",
            &[("SPRING_SECURITY_OAUTH_RESOURCESERVER_JWT_ISSUER_URI", URL)],
            ["variable SPRING_SECURITY_OAUTH_R", missing],
        ),
        (
            "a",
            "",
            &[("OAUTH2_TOKEN_ISSUER", URL)],
            ["variable OAUTH2_TOKEN_ISSUER", missing],
        ),
        (
            "a",
            "",
            &[("KEYCLOAK_BASE_URL", URL)],
            ["variable KEYCLOAK_BASE_URL", missing],
        ),
        (
            "a",
            "",
            &[("JAVA_TOOL_OPTIONS", &java)],
            [
                "option -Dspring.security.oauth2.resourceserver.jwt.issuer-uri of variable JAVA_TOOL_OPTIONS",
                missing,
            ],
        ),
        (
            "a",
            "",
            &[("JAVA_OPTS", "'-Dspring.config.location=/x/'")],
            [
                "option -Dspring.config.location of variable JAVA_OPTS",
                missing,
            ],
        ),
        (
            "a",
            "",
            &[("SPRING_CONFIG_IMPORT", "optional:configtree:/etc/config/")],
            ["variable SPRING_CONFIG_IMPORT", missing],
        ),
        (
            "a",
            "",
            &[("SPRING_CONFIG_LOCATION", "")],
            [
                "variable SPRING_CONFIG_LOCATION is set but empty",
                "unset it",
            ],
        ),
        (
            "a",
            "",
            &[("SPRING_CONFIG_NAME", " ")],
            ["variable SPRING_CONFIG_NAME is set but empty", ""],
        ),
        (
            "a",
            "",
            &[("SPRING_CONFIG_ADDITIONAL_LOCATION", "${X:}")],
            [
                "variable SPRING_CONFIG_ADDITIONAL_LOCATION is set but empty",
                "",
            ],
        ),
        (
            "a",
            "",
            &[("SPRING_CONFIG_IMPORT_0", "")],
            ["variable SPRING_CONFIG_IMPORT_0 is set but empty", ""],
        ),
        (
            "conf/a.yaml",
            &own,
            &[("SPRING_CONFIG_LOCATION", "conf")],
            ["/conf: it is a folder", "end a location with `/`"],
        ),
        (
            "application.xml",
            "",
            &[],
            ["application.xml: only YAML is read", ""],
        ),
    ];
    for (path, text, variables, words) in rows {
        let folder = Folder::new();
        fs::create_dir_all(folder.0.join(path).parent().unwrap()).unwrap();
        let error = folder.and(path, text).error(variables);
        for words in words {
            assert!(error.contains(words), "{path} {variables:?}: {error}");
        }
        assert!(!error.contains("s3cret"), "{error}");
    }
    for name in ["OAUTH2_TOKEN_ISSUER", "KEYCLOAK_JWKS_URL"] {
        assert!(
            from(&[(name, URL)])
                .unwrap_err()
                .to_string()
                .contains(missing)
        );
    }
    // Files and documents for other profiles are no error beside an issuer, and neither are those of
    // something else.
    let folder = Folder::with("application-prod.yaml", &own).and("application-test.yaml", "a: [");
    assert!(
        folder
            .summary(&[(&variable(Setting::Issuer), URL)])
            .starts_with(URL)
    );
    let folder = Folder::with("application-prod.yaml", "server.port: 1\n").and(
        "application.yaml",
        "spring.config.activate.on-profile: prod\nserver.port: 2\n",
    );
    assert!(folder.read(&[]).unwrap().is_none());
    for java in ["-Xmx1g -Dserver.port=1", "-Djavax.net.ssl.trustStore=/a"] {
        assert!(
            Folder::new()
                .read(&[("JAVA_TOOL_OPTIONS", java)])
                .unwrap()
                .is_none()
        );
    }
}

#[test]
fn r62_a_value_of_a_file_that_is_empty_after_its_placeholders_is_not_set() {
    let text = "
spring.security.oauth2.resourceserver.jwt:
  issuer-uri: ${PUBLIC:}
  audiences: ${AUDIENCES:}
  jws-algorithms: ' ${ALGORITHMS:} '
camunda.identity: {type: '${TYPE:}', issuer: https://a/}
camunda.hub.security.jwt.audience.public-api: ${AUDIENCE:}
";
    let folder = Folder::with("application.yaml", text);
    for variables in [&[][..], &[("AUDIENCE", ""), ("AUDIENCES", " ")]] {
        let summary = folder.summary(variables);
        assert!(
            summary.starts_with("https://a/ | web-modeler-public-api | "),
            "{summary}"
        );
    }
    let summary = folder.summary(&[("AUDIENCES", "b"), ("ALGORITHMS", "ES256")]);
    assert!(
        summary.starts_with("https://a/ | b | ") && summary.ends_with("| ES256"),
        "{summary}"
    );
    let error = folder.error(&[("CAMUNDA_IDENTITY_ISSUER", "${NONE:}")]);
    assert!(
        error.contains("CAMUNDA_IDENTITY_ISSUER is set but empty"),
        "{error}"
    );
}

#[test]
fn a88_the_number_of_files_is_bounded() {
    let folder = Folder::new();
    let imports = |count: usize| {
        let names = (0..count).map(|count| format!("f{count}.yaml,"));
        format!(
            "camunda.identity.issuer: https://a/\nspring.config.import: '{}'\n",
            names.collect::<String>()
        )
    };
    let mut folder = folder.and("application.yaml", imports(63));
    for count in 0..64 {
        folder = folder.and(&format!("f{count}.yaml"), "a: b\n");
    }
    assert!(folder.read(&[]).unwrap().is_some());
    let error = folder.and("application.yaml", imports(64)).error(&[]);
    assert!(
        error.contains("more than 64 configuration files are found"),
        "{error}"
    );
    // A chain of imports is read to its end.
    let mut folder = Folder::with("application.yaml", "spring.config.import: c1.yaml");
    for count in 1..63 {
        let next = format!("spring.config.import: c{}.yaml", count + 1);
        folder = folder.and(&format!("c{count}.yaml"), next);
    }
    let folder = folder.and("c63.yaml", "camunda.identity.issuer: https://last/");
    assert_eq!(folder.read(&[]).unwrap().unwrap().as_str(), "https://last/");
    // All documents of a file share its bound.
    let documents = "---\na: 1\n".repeat(6000);
    let error = Folder::with("application.yaml", &documents).error(&[]);
    assert!(
        error.contains("with its aliases it has more than 10000 nodes"),
        "{error}"
    );
}

#[test]
fn r62_two_values_of_one_setting_are_an_error_that_names_both() {
    let (first, second) = ("https://a/realms/x", "https://b/realms/x");
    for setting in [Setting::Issuer, Setting::BackendUrl, Setting::Audience] {
        for key in setting.keys() {
            let other = setting.keys()[0];
            let (name, other_name) = (
                Form::Variable.write(key),
                Form::Variable.write(&other.replace('-', "")),
            );
            if name == other_name {
                continue;
            }
            let mut variables = vec![(name.as_str(), first), (other_name.as_str(), second)];
            if setting != Setting::Issuer {
                variables.push(("SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI", URL));
            }
            for error in [
                Folder::new().error(&variables),
                from(&variables).unwrap_err().to_string(),
            ] {
                for words in [name.as_str(), &other_name, first, second, "remove one"] {
                    assert!(error.contains(words), "{error}");
                }
            }
            variables[1].1 = first;
            assert!(Folder::new().read(&variables).is_ok(), "{variables:?}");
        }
    }
    let text = format!(
        "camunda.identity.issuer: {first}\nspring.security.oauth2.resourceserver.jwt.issuerUri: {second}\n"
    );
    let folder = Folder::with("application.yaml", &text);
    let error = folder.error(&[]);
    for words in [
        "camunda.identity.issuer` in ",
        "line 1 = `https://a/",
        "jwt.issuerUri` in ",
        "line 2 = `https://b/",
    ] {
        assert!(error.contains(words), "{error}");
    }
    // A variable of the first key wins over every key of a file, but not one of a later key.
    let issuer = folder.read(&[("SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUERURI", URL)]);
    assert_eq!(issuer.unwrap().unwrap().as_str(), URL);
    let error = folder.error(&[("CAMUNDA_IDENTITY_ISSUER", URL)]);
    assert!(
        error.contains("CAMUNDA_IDENTITY_ISSUER") && error.contains(second),
        "{error}"
    );

    // Addresses are equal without regard to the default port and a slash at the end.
    let same = [
        (
            "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI",
            "https://a/",
        ),
        (
            "CAMUNDA_MODELER_SECURITY_JWT_ISSUER_BACKEND_URL",
            "http://b:80/x",
        ),
        ("CAMUNDA_IDENTITY_ISSUERBACKENDURL", "http://b/x/"),
    ];
    assert!(from(&same).unwrap().is_some());
    // The audience of the public API is one of those that the service accepts.
    let audiences = |list| {
        from(&[
            ("CAMUNDA_IDENTITY_ISSUER", "https://a/"),
            ("CAMUNDA_HUB_SECURITY_JWT_AUDIENCE_PUBLICAPI", "public"),
            ("SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_AUDIENCES", list),
        ])
    };
    assert!(summary(&audiences("internal, public").unwrap().unwrap()).contains("| public |"));
    let error = audiences("internal,other").unwrap_err().to_string();
    assert!(
        error.contains("PUBLICAPI = `public` cannot be used: it is not one of the audiences `internal,other` of variable SPRING_"),
        "{error}"
    );
}

#[test]
fn lists_are_separated_by_commas_or_have_an_entry_each() {
    let issuer = ("CAMUNDA_IDENTITY_ISSUER", "https://a/");
    let audiences = "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_AUDIENCES";
    let (first, second) = (format!("{audiences}_0"), format!("{audiences}_1"));
    let in_brackets = format!("{audiences}[1]");
    for second in [&second, &in_brackets] {
        let variables = [issuer, (&first, "a"), (second, "b")];
        for issuer in [from(&variables), Folder::new().read(&variables)] {
            assert!(summary(&issuer.unwrap().unwrap()).contains("| a, b |"));
        }
    }
    let (other, lower) = (second.to_lowercase(), audiences.to_lowercase());
    let sixth = format!("{audiences}[5]");
    for (variables, words) in [
        (
            vec![(first.as_str(), "a"), (&second, "b"), (&other, "c")],
            "under another name",
        ),
        (vec![(audiences, "a"), (&lower, "b")], "under another name"),
        (vec![(audiences, "a"), (&second, "b")], "has the whole list"),
        (vec![(&second, "b")], "the list has no entry 0"),
        (
            vec![(&first, "a"), (&sixth, "b")],
            "the list has no entry 1",
        ),
        (vec![(&first, ",")], "it contains an empty entry"),
    ] {
        let variables: Vec<_> = variables.into_iter().chain([issuer]).collect();
        for error in [
            from(&variables).unwrap_err().to_string(),
            Folder::new().error(&variables),
        ] {
            assert!(
                error.contains(words) && error.contains("variable "),
                "{error}"
            );
        }
    }
    for value in ["a, b", "[a, b]", "\n- a\n- b", "\n  - \"a\"\n  - ${B}"] {
        let text = format!("spring.security.oauth2.resourceserver.jwt.audiences: {value}\n");
        let summary = Folder::with("application.yaml", &text).summary(&[issuer, ("B", "b")]);
        assert!(summary.contains("| a, b |"), "{text}: {summary}");
    }
    for (value, words) in [
        ("[{a: s3cret}]", "audiences[0].a` cannot be used: "),
        ("{a: s3cret}", "audiences.a` cannot be used: "),
        ("[[s3cret]]", "audiences[0][0]` cannot be used: "),
        ("'a,,b'", "it contains an empty entry"),
    ] {
        let text = format!("spring.security.oauth2.resourceserver.jwt.audiences: {value}\n");
        let error = Folder::with("application.yaml", &text).error(&[issuer]);
        assert!(error.contains(words) && error.contains("line 1"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
    for value in ["[https://a/]", "{a: https://a/}"] {
        let text = format!("spring.security.oauth2.resourceserver.jwt.issuer-uri: {value}\n");
        let error = Folder::with("application.yaml", &text).error(&[]);
        assert!(
            error.contains("needs a text, not a list or a mapping"),
            "{error}"
        );
        // A variable that wins hides no such error.
        let issuer = variable(Setting::Issuer);
        let error = Folder::with("application.yaml", &text).error(&[(&issuer, URL)]);
        assert!(error.contains("needs a text"), "{error}");
    }
}

#[test]
fn placeholders_stand_for_variables_and_other_keys() {
    let text = "
base: ${HOST:keycloak}
camunda.identity.issuer: https://${base}/realms/x
spring.security.oauth2.resourceserver.jwt:
  issuer-uri: ${camunda.identity.issuer}
  audiences: ${AUDIENCE:${DEFAULT_AUDIENCE:api}}
";
    let folder = Folder::with("application.yaml", text);
    assert!(
        folder
            .summary(&[])
            .starts_with("https://keycloak/realms/x | api |")
    );
    let moved = folder.summary(&[("HOST", "b"), ("DEFAULT_AUDIENCE", "c")]);
    assert!(moved.starts_with("https://b/realms/x | c |"), "{moved}");
    let error = Folder::with(
        "application.yaml",
        "\ncamunda.identity.issuer: https://${KEYCLOAK_HOST}/${PATH_OF_REALM:s3cret}\n",
    )
    .error(&[]);
    for words in [
        "camunda.identity.issuer` in ",
        "line 2 = `https://${KEYCLOAK_HOST}/${PATH_OF_REALM:...}` ",
        "set the variable KEYCLOAK_HOST",
    ] {
        assert!(error.contains(words), "{error}");
    }
    // A placeholder of a key that nobody reads does not matter.
    let unread = "camunda.identity: {issuer: https://a/, client-secret: '${SECRET}'}";
    assert!(
        Folder::with("application.yaml", unread)
            .read(&[])
            .unwrap()
            .is_some()
    );
    let error = from(&[("CAMUNDA_IDENTITY_ISSUER", "https://${KEYCLOAK_HOST}/")])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("variable CAMUNDA_IDENTITY_ISSUER")
            && error.contains("set the variable KEYCLOAK_HOST"),
        "{error}"
    );
}

#[test]
fn aliases_and_merged_mappings_are_read() {
    let own = "camunda.identity: &own {issuer: https://a/}\nx: {<<: [*own, *own], y: {<<: *own}}\n";
    assert!(
        Folder::with("application.yaml", own)
            .read(&[])
            .unwrap()
            .is_some()
    );
    let text = "
defaults: &defaults
  issuer-uri: &issuer https://a/
  audiences: [defaults]
spring.security.oauth2.resourceserver:
  jwt:
    <<: *defaults
    audiences: own
camunda.identity.issuer: *issuer
";
    let summary = Folder::with("application.yaml", text).summary(&[]);
    assert!(summary.starts_with("https://a/ | own |"), "{summary}");
}

#[test]
fn a88_files_that_cannot_be_used_are_errors_that_name_file_and_line() {
    let deep = |open: &str, close: &str| format!("a: {}{}", open.repeat(100), close.repeat(100));
    let mut multiplied = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let entry = format!("*a{}", level - 1);
        multiplied.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            vec![entry; 10].join(", ")
        ));
    }
    let mut deep_aliases = "a0: &a0 [x]\n".to_owned();
    for level in 1..100 {
        deep_aliases.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    let many = "a: 1\n".repeat(3).replace("a", "camunda.identity.issuer");
    let wide = (0..20_000).fold(String::new(), |text, count| {
        text + &format!("k{count}: 1\n")
    });
    let large = format!("a: {}", "x".repeat(1 << 20));
    let long_key = format!("{0}: {{{0}: 1}}", "k".repeat(700));
    // An alias in a mapping is no node of its own, so the mapping has more entries than nodes.
    let entries = (0..50_000).fold(String::new(), |text, count| {
        text + &format!("k{count}: *x,")
    });
    let merged = format!("x: &x 1\nm: &m {{{entries}}}\n");
    let merged_often = format!("{merged}y: {{<<: [{}]}}\n", "*m,".repeat(9000));
    let merged_inside = format!(
        "x: &x 1\ny: {{<<: [&m {{{entries}}}, {}]}}\n",
        "*m,".repeat(9000)
    );
    let long_text = format!(
        "x: &x {}\ny: [{}]\n",
        "x".repeat(500_000),
        "*x,".repeat(9000)
    );
    for (text, words) in [
        ("a: [", "line 2: it is not YAML"),
        ("a: b\n\tc: d", "line 1: it is not YAML"),
        ("a: b: c", "line 1: it is not YAML"),
        ("a: 'x", "it is not YAML"),
        (
            "a:\n  b: 1\n  b: 2",
            "line 3: `b` stands here a second time",
        ),
        (
            "a:\n  b: 1\na:\n  c: 2",
            "line 3: `a` stands here a second time",
        ),
        (
            "a: {b: 1}\na.b: 2",
            "line 2: `a.b` stands here a second time",
        ),
        (
            &many,
            "line 2: `camunda.identity.issuer` stands here a second time",
        ),
        ("a: &x [*x]", "an alias refers to a node that contains it"),
        ("a: *x", "line 1"),
        ("? [a, b]\n: c", "line 1: a key is not a text"),
        (&deep("[", "]"), "line 1: it has more than 64 levels"),
        (&deep("{a: ", "}"), "line 1: it has more than 64 levels"),
        (&deep_aliases, "more than 64 levels"),
        (&multiplied, "with its aliases it has more than 10000 nodes"),
        (&wide, "it has more than 10000 nodes"),
        (&large, "it has more than 1048576 bytes"),
        (&long_key, "a key has more than 1024 bytes"),
        (
            &merged_often,
            "with its aliases it has more than 10000 nodes",
        ),
        (
            &merged_inside,
            "with its aliases it has more than 10000 nodes",
        ),
        (
            &long_text,
            "with its aliases it has more than 2097152 bytes",
        ),
    ] {
        let error = Folder::with("application.yaml", text).error(&[]);
        assert!(
            error.contains("/application.yaml") && error.contains(words),
            "{words}: {error}"
        );
        assert!(error.len() < 700, "{error}");
    }
    let error = Folder::new()
        .and("application.yaml", b"a: b\nc: \xff\n")
        .error(&[]);
    assert!(
        error.contains("/application.yaml, line 2: it is not UTF-8"),
        "{error}"
    );
    let bom = Folder::new().and(
        "application.yaml",
        format!("\u{feff}camunda.identity.issuer: {URL}\r\n"),
    );
    assert!(bom.read(&[]).unwrap().is_some());

    let folder = Folder::new();
    fs::create_dir(folder.0.join("application.yaml")).unwrap();
    assert!(
        folder
            .error(&[])
            .contains("application.yaml: it is a folder, not a file")
    );
    let folder = Folder::with(
        "application.properties",
        "camunda.identity.issuer=https://a/",
    );
    assert!(
        folder
            .error(&[])
            .contains("application.properties: only YAML is read")
    );
    let folder = Folder::with("a.json", "{}");
    assert!(
        folder
            .error(&[("SPRING_CONFIG_IMPORT", "a.json")])
            .contains("only YAML is read")
    );
    // A folder `config` that is a file holds no file.
    let folder = Folder::new();
    fs::remove_dir(folder.0.join("config")).unwrap();
    assert!(folder.and("config", "").read(&[]).unwrap().is_none());
}

#[cfg(unix)]
#[test]
fn a88_a_pipe_is_not_opened() {
    let folder = Folder::new();
    let path = folder.0.join("application.yaml");
    let made = std::process::Command::new("mkfifo")
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    assert!(folder.error(&[]).contains("it is not a regular file"));
}

#[test]
fn an_error_or_summary_shows_no_password() {
    let text = "camunda.identity.issuer: http://user:s3cret@keycloak/\n";
    let folder = Folder::with("application.yaml", text);
    let error = folder.error(&[]);
    assert!(!error.contains("s3cret"), "{error}");
    let error = folder.error(&[(
        "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWK_SET_URI",
        "https://a:s3cret@b/",
    )]);
    assert!(!error.contains("s3cret"), "{error}");
}

#[test]
fn the_origin_of_each_value_is_known() {
    let folder = Folder::with("config/application.yaml", &compose(""));
    let issuer = folder.read(&[("SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUERURI", URL)]);
    let origins = issuer.unwrap().unwrap().summary().unwrap().origins;
    let file = folder.0.join("config/application.yaml");
    let file = Path::new(&file).display();
    assert_eq!(
        origins,
        [
            (
                "issuer",
                "variable SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUERURI".to_owned()
            ),
            (
                "keys",
                format!(
                    "`spring.security.oauth2.resourceserver.jwt.jwk-set-uri` in {file}, line 30"
                )
            ),
            (
                "audiences",
                format!("`camunda.modeler.security.jwt.audience.public-api` in {file}, line 17")
            ),
        ]
    );
}

#[test]
fn a_variable_that_is_set_but_empty_is_an_error_that_names_it() {
    for setting in Setting::ALL {
        // The address of Identity is not needed for Keycloak.
        let keys = setting
            .keys()
            .iter()
            .filter(|_| setting != Setting::IdentityUrl);
        for key in keys {
            let name = Form::Variable.write(key);
            for empty in ["", " "] {
                let mut variables = vec![(name.as_str(), empty)];
                let issuer = variable(Setting::Issuer);
                if setting != Setting::Issuer {
                    variables.push((&issuer, URL));
                }
                let error = from(&variables).unwrap_err();
                assert_eq!(error, ConfigError::EmptyVariable { name: name.clone() });
            }
        }
    }
}

#[test]
fn a_value_that_cannot_be_used_is_an_error_that_names_its_place_and_the_value() {
    for (setting, value) in [
        (Setting::Issuer, "localhost:18080"),
        (Setting::Issuer, "5"),
        (Setting::JwksUrl, "file:///jwks.json"),
        (Setting::BackendUrl, "keycloak:18080/auth"),
        (Setting::Algorithms, "RS256,HS256"),
        (Setting::Algorithms, "RS256,"),
        (Setting::Audiences, "a,,b"),
        (Setting::IdentityType, "AUTH0"),
    ] {
        let (name, issuer) = (variable(setting), variable(Setting::Issuer));
        let mut variables = vec![(name.as_str(), value)];
        let mut others = Vec::new();
        if setting != Setting::Issuer {
            variables.push((&issuer, URL));
            others.push((issuer.as_str(), URL));
        }
        let error = from(&variables).unwrap_err().to_string();
        assert!(
            error.contains(&format!("variable {name} = `{value}`")),
            "{error}"
        );
        let text = format!("\n{}: {value}\n", setting.key());
        let error = Folder::with("application.yaml", &text).error(&others);
        assert!(
            error.contains(&format!("`{}` in /", setting.key())),
            "{error}"
        );
        assert!(error.contains(&format!("line 2 = `{value}`")), "{error}");
    }
}

#[test]
fn r42_plain_http_inside_the_cluster_is_allowed_by_the_operators_own_word() {
    let issuer = from(&[
        (
            "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI",
            "https://login.example.com/auth/realms/camunda-platform",
        ),
        ("CAMUNDA_MODELER_SECURITY_JWT_ISSUER_BACKEND_URL", BACKEND),
    ]);
    let issuer = issuer.unwrap().unwrap();
    let fetched = issuer.fetched_url().unwrap().unwrap();
    assert_eq!(fetched.0, "backend_url");
    assert!(
        crate::TokenValidator::builder()
            .issuer(issuer)
            .build()
            .is_ok()
    );
}

#[test]
fn a_key_set_url_comes_before_the_backend_url() {
    let issuer = from(&[
        ("CAMUNDA_IDENTITY_ISSUER", URL),
        ("CAMUNDA_IDENTITY_ISSUER_BACKEND_URL", URL),
        (
            "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWK_SET_URI",
            "https://a/b",
        ),
    ]);
    let issuer = issuer.unwrap().unwrap();
    let fetched = issuer.fetched_url().unwrap().unwrap();
    assert_eq!(fetched.0, "jwks_url");
}

#[test]
fn a_file_may_import_files() {
    // The full setup of Compose 8.10 mounts a file with clusters that imports the common settings.
    let folder = Folder::new().and("config/common.yaml", compose(""));
    let common = folder.0.join("config/common.yaml");
    let clusters = "camunda:\n  hub:\n    clusters:\n      - id: management\n        tags: [dev]\n";
    for location in [
        format!("file:{}", common.display()),
        "file:config/common.yaml".to_owned(),
        "common.yaml".to_owned(),
        "[optional:missing.yaml, \"${NAME:common}.yaml\"]".to_owned(),
    ] {
        let text = format!("spring:\n  config:\n    import: {location}\n{clusters}");
        fs::write(folder.0.join("config/application.yaml"), text).unwrap();
        assert!(
            folder.summary(&[]).starts_with(&format!("{URL} | ")),
            "{location}"
        );
    }
    // An import wins over the document that names it, and a later document over both.
    let issuer = |name: &str| format!("camunda.identity.issuer: https://{name}/\n");
    let import = "spring.config.import: other.yaml\n";
    for (text, expected) in [
        (issuer("own") + import, "https://other/"),
        (
            issuer("own") + import + "---\n" + &issuer("last"),
            "https://last/",
        ),
        (
            issuer("own") + "---\nspring.config.activate.on-profile: x\n" + import,
            "https://own/",
        ),
    ] {
        let folder = Folder::with("application.yaml", &text).and("other.yaml", issuer("other"));
        assert_eq!(
            folder.read(&[]).unwrap().unwrap().as_str(),
            expected,
            "{text}"
        );
    }
    for (text, words) in [
        (
            "spring.config.import: missing.yaml",
            "missing.yaml: it does not exist",
        ),
        ("spring.config.import: vault://", "only locations of files"),
        (
            "spring.config.import: ${NAME}.yaml",
            "set the variable NAME",
        ),
    ] {
        let error = Folder::with("application.yaml", text).error(&[]);
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn the_file_in_the_documentation_gives_its_issuer() {
    let page = include_str!("../../../docs/self-managed.md");
    let mut blocks = page.split("```yaml\n").skip(1);
    let block = blocks.find(|block| block.contains("issuer-uri:")).unwrap();
    let (text, _) = block.split_once("```").unwrap();
    let summary = Folder::with("config/application.yaml", text).summary(&[]);
    let keys = "at http://host.docker.internal:18080/auth/realms/camunda-platform/protocol/openid-connect/certs";
    let expected = format!("{URL} | web-modeler-public-api | {keys} |");
    assert!(summary.starts_with(&expected), "{summary}");
}

#[test]
fn a88_a_large_file_is_read_in_passing() {
    let issuer = ("CAMUNDA_IDENTITY_ISSUER", "https://a/");
    let entries: String =
        (0..9000).fold(String::new(), |text, count| text + &format!("\n- a{count}"));
    let key = "spring.security.oauth2.resourceserver.jwt.audiences";
    let read = Folder::with("application.yaml", &format!("{key}: {entries}")).read(&[issuer]);
    // The validator has a limit.
    let error = read
        .unwrap()
        .unwrap()
        .check(&Clock::System, Duration::ZERO)
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("9000 audiences"), "{error}");
}

#[test]
fn the_type_of_the_issuer_decides_where_permissions_come_from() {
    const TYPE: &str = "CAMUNDA_IDENTITY_TYPE";
    const BASE: &str = "CAMUNDA_IDENTITY_BASEURL";
    let read = |kind: &str, more: &[(&str, &str)]| {
        let mut variables = vec![("CAMUNDA_IDENTITY_ISSUER", URL), (TYPE, kind)];
        variables.extend(more);
        from(&variables)
    };
    let claims = |issuer: Result<Option<Issuer>, ConfigError>| {
        issuer
            .unwrap()
            .unwrap()
            .check(&Clock::System, Duration::ZERO)
            .unwrap()
            .summary
            .claims
    };
    for kind in ["KEYCLOAK", "keycloak"] {
        assert_eq!(claims(read(kind, &[])), "SelfManagedClaims");
        assert_eq!(
            claims(read(kind, &[(BASE, "http://identity/")])),
            "SelfManagedClaims"
        );
    }
    for kind in ["GENERIC", "MICROSOFT", "microsoft"] {
        for url in ["https://identity/", "http://identity:8084/identity"] {
            assert_eq!(claims(read(kind, &[(BASE, url)])), "ManagementIdentity");
        }
        let error = read(kind, &[]).unwrap_err().to_string();
        for words in [TYPE, kind, "set CAMUNDA_IDENTITY_BASE_URL"] {
            assert!(error.contains(words), "{error}");
        }
        let error = read(kind, &[(BASE, "identity:8084")])
            .unwrap_err()
            .to_string();
        assert!(error.contains(BASE), "{error}");
    }
    let error = read("AUTH0", &[]).unwrap_err().to_string();
    assert!(error.contains("KEYCLOAK, GENERIC and MICROSOFT"), "{error}");
    let file = format!("camunda.identity: {{issuer: '{URL}', type: GENERIC}}");
    let error = Folder::with("application.yaml", &file).error(&[]);
    assert!(
        error.contains("`camunda.identity.type` in ")
            && error.contains("set camunda.identity.base-url"),
        "{error}"
    );
}
