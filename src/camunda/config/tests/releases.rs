//! Configurations of Camunda's releases and charts.

use super::{Folder, KEYS, URL};

/// Parts of the file that Compose mounts, with the values of a release.
pub(super) fn compose(extra: &str) -> String {
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
fn the_file_in_the_documentation_gives_its_issuer() {
    let page = include_str!("../../../../docs/self-managed.md");
    let mut blocks = page.split("```yaml\n").skip(1);
    let block = blocks.find(|block| block.contains("issuer-uri:")).unwrap();
    let (text, _) = block.split_once("```").unwrap();
    let summary = Folder::with("config/application.yaml", text).summary(&[]);
    let keys = "at http://host.docker.internal:18080/auth/realms/camunda-platform/protocol/openid-connect/certs";
    let expected = format!("{URL} | web-modeler-public-api | {keys} |");
    assert!(summary.starts_with(&expected), "{summary}");
}
