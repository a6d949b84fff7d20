//! Issuers of configurations, and values that cannot be used.

use std::time::Duration;

use super::{BACKEND, Folder, URL, from, releases::compose, variable};
use crate::{
    camunda::config::setting::Setting, clock::Clock, error::config::ConfigError, issuer::Issuer,
};

#[test]
fn the_backend_url_counts_where_there_is_no_key_set_url() {
    let text = compose("").replace("jwk-set-uri:", "principal-claim-name:");
    let summary = Folder::with("application.yaml", &text).summary(&[]);
    let expected = "by discovery at http://host.docker.internal:18080/auth/realms/camunda-platform/.well-known/openid-configuration";
    assert!(summary.contains(expected), "{summary}");
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
