//! Values of a setting in several places.

use std::path::Path;

use super::{Folder, URL, from, releases::compose, summary, variable};
use crate::{
    camunda::config::setting::{Form, Setting},
    error::config::ConfigError,
};

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
