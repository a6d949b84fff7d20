//! The discovery document: where it stands, and what of it is believed
//! ([OpenID Connect Discovery §4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig),
//! [RFC 8414 §3](https://www.rfc-editor.org/rfc/rfc8414#section-3)).

use url::Url;

use crate::{
    json::{Malformed, read_object},
    keys::error::{KeyFetchError, KeyFetchErrorKind},
    url::{IssuerUrl, shown},
};

/// Who is asked where its keys are.
pub(crate) struct Discovery {
    pub(crate) issuer: IssuerUrl,
    /// Where the issuer is reached, if not by its own name.
    pub(crate) backend: Option<IssuerUrl>,
}

impl Discovery {
    /// Where the document may stand, in the order to be tried: OpenID Connect appends to the
    /// issuer's path, RFC 8414 inserts before it. An issuer that ends in a slash gives no double
    /// slash.
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

    /// What is asked: the one URL that was checked to be safe to ask.
    fn base(&self) -> &Url {
        self.backend.as_ref().unwrap_or(&self.issuer).url()
    }

    /// The URL of the key set, as the `document` found at `place` says.
    pub(crate) fn read(&self, document: &[u8], place: &Url) -> Result<Url, KeyFetchError> {
        let (mut issuer, mut key_set) = (None, None);
        let read = read_object(document, |member, value| {
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
            let problem = format!("{} names no `jwks_uri`", shown(place.as_str()));
            KeyFetchError::new(KeyFetchErrorKind::Json, problem)
        })?;
        self.judge(&self.rebased(text.into_owned()))
    }

    /// RFC 8414 §3.3: the document is the issuer's own, byte for byte. Behind a backend URL it
    /// may speak of itself by either name.
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
            "{} speaks for issuer {:?} and not for {:?}: if the issuer is reached by another \
             name than its own, set the backend URL \
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

    /// `text` with the issuer's own name, which may lead nowhere from here, replaced by the
    /// backend's.
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

    /// A discovered URL is https, or has the origin of the URL that the operator chose to ask.
    fn judge(&self, text: &str) -> Result<Url, KeyFetchError> {
        let refuse = |reason: &'static str| {
            let problem = format!(
                "discovery names the key set {:?}, which cannot be used: {reason}",
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
                "it is http and not where the issuer itself is reached",
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
        // A name that is not asked does not vouch for plain http.
        let named = discovery("http://public/realms/x", Some("https://keycloak/realms/x"));
        assert!(named.judge("http://public/keys").is_err());
        let error = alone
            .judge("http://x/\nforged line")
            .unwrap_err()
            .to_string();
        assert!(!error.contains('\n'), "{error}");
    }
}
