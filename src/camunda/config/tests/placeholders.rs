//! Placeholders.

use super::{Folder, from};

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
