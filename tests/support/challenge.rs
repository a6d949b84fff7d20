//! Challenges as an independent parser reads them: the crate `http-auth`.
#![allow(dead_code, reason = "each test uses some of it")]

use std::collections::BTreeMap;

use axum::http::HeaderMap;

/// The parameters of the only challenge.
#[derive(Debug, PartialEq, Eq)]
pub struct Challenge(BTreeMap<String, String>);

impl Challenge {
    /// Reads the only challenge of a response, which must be of the scheme `Bearer` and have each
    /// parameter once.
    #[track_caller]
    pub fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all("www-authenticate").iter();
        let value = values.next().expect("a challenge").to_str().unwrap();
        assert_eq!(values.next(), None);
        Self::read(value)
    }

    #[track_caller]
    pub fn read(value: &str) -> Self {
        let challenges = http_auth::parse_challenges(value).unwrap();
        let [challenge] = &challenges[..] else {
            panic!("not one challenge: {value}");
        };
        assert_eq!(challenge.scheme, "Bearer", "{value}");
        let mut params = BTreeMap::new();
        for (name, text) in &challenge.params {
            // RFC 6750 §3: values need no escapes.
            let text = text.to_unescaped();
            assert!(!text.contains(['"', '\\']), "{value}");
            let earlier = params.insert(name.to_ascii_lowercase(), text);
            assert_eq!(earlier, None, "{value}");
        }
        Self(params)
    }

    pub fn param(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn error(&self) -> Option<&str> {
        self.param("error")
    }

    /// Parameters other than the code and its description, as `name=value`.
    pub fn needs(&self) -> String {
        let needs = self.0.iter();
        let needs = needs.filter(|(name, _)| !name.starts_with("error"));
        let needs: Vec<_> = needs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        needs.join(", ")
    }
}
