//! Order of files.

use std::fs;

use super::{Folder, Pairs};

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
