//! Discovery document: its URLs, and the checks of its contents
//! ([OpenID Connect Discovery §4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig),
//! [RFC 8414 §3](https://www.rfc-editor.org/rfc/rfc8414#section-3)).

use url::Url;

use crate::{
    json::{Malformed, read_object, without_bom},
    keys::error::{KeyFetchError, KeyFetchErrorKind},
    url::{IssuerUrl, shown},
};

/// Issuer whose key set discovery locates.
pub(crate) struct Discovery {
    pub(crate) issuer: IssuerUrl,
    /// URL under which the issuer is reached, if not its own.
    pub(crate) backend: Option<IssuerUrl>,
}

impl Discovery {
    /// Returns the URLs of the document, in the order to try. OpenID Connect appends to the
    /// issuer's path, and RFC 8414 inserts before it. An issuer that ends in a slash gives no
    /// double slash.
    pub(crate) fn urls(&self) -> [Url; 2] {
        let base = self.base();
        let path = base.path().trim_end_matches('/');
        let with_path = |path: String| {
            let mut url = base.clone();
            url.set_path(&path);
            url
        };
        [
            with_path(format!("{path}/.well-known/openid-configuration")),
            with_path(format!("/.well-known/oauth-authorization-server{path}")),
        ]
    }

    /// Returns the URL for requests. Of both URLs, the configuration has checked only this URL for
    /// plain http.
    fn base(&self) -> &Url {
        self.backend.as_ref().unwrap_or(&self.issuer).url()
    }

    /// Reads the URL of the key set from the `document` found at `place`.
    pub(crate) fn read(&self, document: &[u8], place: &Url) -> Result<Url, KeyFetchError> {
        let (mut issuer, mut key_set) = (None, None);
        let read = read_object(without_bom(document), |member, value| {
            match member.name {
                "issuer" => issuer = Some(value.text()?),
                "jwks_uri" => key_set = Some(value.text()?),
                _ => value.skip()?,
            }
            Ok(())
        });
        read.map_err(|Malformed| {
            let problem = format!("{} is not a discovery document", shown(place.as_str()));
            KeyFetchError::new(KeyFetchErrorKind::Json, problem)
        })?;
        self.check_issuer(&issuer.unwrap_or_default(), place)?;
        let text = key_set.ok_or_else(|| {
            let problem = format!("{} has no `jwks_uri`", shown(place.as_str()));
            KeyFetchError::new(KeyFetchErrorKind::Json, problem)
        })?;
        self.judge(&self.rebased(text.into_owned()))
    }

    /// Checks that the document is the issuer's own, byte for byte (RFC 8414 §3.3). Behind a
    /// backend URL the document may name either URL.
    fn check_issuer(&self, found: &str, place: &Url) -> Result<(), KeyFetchError> {
        let names = [Some(&self.issuer), self.backend.as_ref()];
        if names
            .into_iter()
            .flatten()
            .any(|name| name.as_str() == found)
        {
            return Ok(());
        }
        let problem = format!(
            "{} names the issuer {:?}, expected {:?}: if the issuer is reached under another \
             URL than its own, set the backend URL \
             (CAMUNDA_MODELER_SECURITY_JWT_ISSUER_BACKEND_URL)",
            shown(place.as_str()),
            shown(found),
            self.issuer.as_str()
        );
        Err(KeyFetchError::new(
            KeyFetchErrorKind::IssuerMismatch,
            problem,
        ))
    }

    /// Replaces the issuer's own URL in `text` by the backend URL, since the former may not be
    /// reachable from here.
    fn rebased(&self, text: String) -> String {
        let Some(backend) = &self.backend else {
            return text;
        };
        let issuer = self.issuer.as_str().trim_end_matches('/');
        match text.strip_prefix(issuer) {
            Some(path) if path.starts_with('/') => {
                format!("{}{path}", backend.as_str().trim_end_matches('/'))
            }
            _ => text,
        }
    }

    /// Accepts a URL that is https, or has the origin of the URL that the operator configured.
    fn judge(&self, text: &str) -> Result<Url, KeyFetchError> {
        let refuse = |reason: &'static str| {
            let problem = format!(
                "discovery locates the key set at {:?}, which cannot be used: {reason}",
                shown(text)
            );
            KeyFetchError::new(KeyFetchErrorKind::Url, problem)
        };
        let url = IssuerUrl::read(text).map_err(refuse)?;
        let url = url.url();
        if url.scheme() == "https" || self.base().origin() == url.origin() {
            Ok(url.clone())
        } else {
            Err(refuse(
                "it is http and has another origin than the configured URL",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discovery(issuer: &str, backend: Option<&str>) -> Discovery {
        let url = |text| IssuerUrl::parse("issuer", text).unwrap();
        Discovery {
            issuer: url(issuer),
            backend: backend.map(url),
        }
    }

    #[test]
    fn r41_discovery_is_appended_or_inserted_without_a_double_slash() {
        for (issuer, appended, inserted) in [
            (
                "https://a",
                "https://a/.well-known/openid-configuration",
                "https://a/.well-known/oauth-authorization-server",
            ),
            (
                "https://a/",
                "https://a/.well-known/openid-configuration",
                "https://a/.well-known/oauth-authorization-server",
            ),
            (
                "http://localhost:18080/auth/realms/x",
                "http://localhost:18080/auth/realms/x/.well-known/openid-configuration",
                "http://localhost:18080/.well-known/oauth-authorization-server/auth/realms/x",
            ),
            (
                "https://a/b/",
                "https://a/b/.well-known/openid-configuration",
                "https://a/.well-known/oauth-authorization-server/b",
            ),
        ] {
            let found = discovery(issuer, None).urls().map(String::from);
            assert_eq!(found, [appended, inserted], "{issuer}");
        }
    }

    #[test]
    fn r42_a_key_set_under_the_issuers_name_is_fetched_from_the_backend() {
        let discovery = discovery(
            "https://public/realms/x",
            Some("http://keycloak:8080/realms/x"),
        );
        let rebased = |text: &str| discovery.rebased(text.to_owned());
        assert_eq!(
            rebased("https://public/realms/x/certs"),
            "http://keycloak:8080/realms/x/certs"
        );
        for other in [
            "https://public/realms/xy/certs",
            "https://public.evil/realms/x/certs",
            "http://keycloak:8080/realms/x/certs",
        ] {
            assert_eq!(rebased(other), other);
        }
    }

    #[test]
    fn r43_a_discovered_url_may_be_http_only_at_an_origin_that_was_configured() {
        let alone = discovery("https://public/realms/x", None);
        let behind = discovery(
            "https://public/realms/x",
            Some("http://keycloak:8080/realms/x"),
        );
        assert!(alone.judge("https://elsewhere/jwks").is_ok());
        assert!(behind.judge("http://keycloak:8080/certs").is_ok());
        for bad in [
            "http://keycloak:8080/certs",
            "http://public/certs",
            "http://localhost/certs",
            "file:///etc/passwd",
            "https://user@public/certs",
            "/certs",
            "",
        ] {
            assert!(alone.judge(bad).is_err(), "{bad}");
        }
        assert!(behind.judge("http://keycloak:8081/certs").is_err());
        assert!(behind.judge("http://169.254.169.254/").is_err());
        // The issuer's own URL allows no plain http if requests go to the backend URL.
        let named = discovery("http://public/realms/x", Some("https://keycloak/realms/x"));
        assert!(named.judge("http://public/keys").is_err());
        let error = alone
            .judge("http://x/\nforged line")
            .unwrap_err()
            .to_string();
        assert!(!error.contains('\n'), "{error}");
    }
}
