//! Aliases and merged mappings of YAML.

use super::Folder;

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
