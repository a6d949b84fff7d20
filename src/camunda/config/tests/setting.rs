//! Spellings of keys.

use super::{BACKEND, Folder, KEYS, URL, from, nested, summary, variable};
use crate::camunda::config::{
    from_variables_and_files,
    setting::{Form, Setting},
};

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
