//! Profiles and conditions of documents.

use super::Folder;

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
