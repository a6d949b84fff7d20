//! Configuration that is not read.

use std::fs;

use super::{Folder, Pairs, URL, from, nested, variable};
use crate::camunda::config::setting::Setting;

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
