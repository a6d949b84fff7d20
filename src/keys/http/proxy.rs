//! Proxy that the variables of the process name for a request, for log lines.

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use crate::url::shown;

/// Returns a hint that names the proxy for requests to `url` and its variable, looked up with `variable`;
/// `None` if the variables name no proxy for it.
pub(super) fn hint(url: &Url, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    // As in reqwest: a CGI program gets this variable, and then a client can set HTTP_PROXY.
    if variable("REQUEST_METHOD").is_some() {
        return None;
    }
    let first_of = |names: [&'static str; 2]| {
        let found = names
            .into_iter()
            .find_map(|name| Some((name, variable(name)?)));
        found.filter(|(_, value)| !value.is_empty())
    };
    let of_scheme = match url.scheme() {
        "https" => first_of(["HTTPS_PROXY", "https_proxy"]),
        _ => first_of(["HTTP_PROXY", "http_proxy"]),
    };
    let (name, value) = of_scheme.or_else(|| first_of(["ALL_PROXY", "all_proxy"]))?;
    let excluded = first_of(["NO_PROXY", "no_proxy"]).map(|(_, value)| value);
    let matcher = Matcher::builder()
        .all(value)
        .no(excluded.unwrap_or_default())
        .build();
    let proxy = matcher.intercept(&url.as_str().parse().ok()?)?;
    Some(format!(
        "the request went to the proxy {:?} of the variable {name}: correct the variable, or list the \
         host in NO_PROXY",
        shown(&proxy.uri().to_string())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint_for(url: &str, variables: &[(&str, &str)]) -> Option<String> {
        hint(&Url::parse(url).unwrap(), |wanted| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_proxy_is_named_with_its_variable_and_without_its_password() {
        let https = [
            ("HTTPS_PROXY", "http://user:secret@proxy:3128"),
            ("all_proxy", "other:8080"),
        ];
        let hint = hint_for("https://a/x", &https).unwrap();
        assert!(
            hint.contains(r#""http://proxy:3128/" of the variable HTTPS_PROXY"#),
            "{hint}"
        );
        assert!(!hint.contains("secret"), "{hint}");
        let hint = hint_for("http://a/x", &https).unwrap();
        assert!(
            hint.contains(r#""http://other:8080/" of the variable all_proxy"#),
            "{hint}"
        );
        for variables in [
            &[][..],
            &[("HTTP_PROXY", "http://proxy")],
            &[("HTTPS_PROXY", "")],
            &[("HTTPS_PROXY", "http://proxy"), ("NO_PROXY", "b,a")],
            &[("HTTPS_PROXY", "http://proxy"), ("REQUEST_METHOD", "GET")],
        ] {
            assert_eq!(hint_for("https://a/x", variables), None, "{variables:?}");
        }
    }
}
