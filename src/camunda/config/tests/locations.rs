//! Locations and imports.

use std::fs;

use super::{Folder, URL, nested, releases::compose};
use crate::camunda::config::setting::Setting;

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
