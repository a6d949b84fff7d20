//! Discovery document: its URLs, and the checks of its contents
//! ([OpenID Connect Discovery §4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig),
//! [RFC 8414 §3](https://www.rfc-editor.org/rfc/rfc8414#section-3)).

use url::Url;

use crate::{
    entra,
    json::{Malformed, read_object, without_bom},
    keys::{
        document::{self, Expected},
        error::{KeyFetchError, KeyFetchErrorKind},
    },
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
        let unexpected = |problem: &str| {
            let problem = format!("{} {problem}", shown(place.as_str()));
            document::unexpected(document, Expected::Discovery, problem)
        };
        read.map_err(|Malformed| unexpected("is not a discovery document"))?;
        let issuer = issuer.ok_or_else(|| unexpected("has no `issuer`"))?;
        self.check_issuer(&issuer, place)?;
        let text = key_set.ok_or_else(|| unexpected("has no `jwks_uri`"))?;
        self.judge(&text)
    }

    /// Checks that the document is the issuer's own, byte for byte (RFC 8414 §3.3). Behind a
    /// backend URL the document may name either URL.
    fn check_issuer(&self, found: &str, place: &Url) -> Result<(), KeyFetchError> {
        if self.issuer.as_str() == found {
            return Ok(());
        }
        let found_url = IssuerUrl::read(found).ok();
        // The backend URL is an address, so other spellings of it are equal.
        if let (Some(backend), Some(found)) = (&self.backend, &found_url)
            && backend.is_same_address(found)
        {
            return Ok(());
        }
        let problem = format!(
            "{} names the issuer {:?}, expected {:?}: {}",
            shown(place.as_str()),
            shown(found),
            self.issuer.as_str(),
            self.advice(found, found_url.as_ref())
        );
        Err(KeyFetchError::new(
            KeyFetchErrorKind::IssuerMismatch,
            problem,
        ))
    }

    /// Returns which setting to correct if the document names the issuer `found`.
    fn advice(&self, found: &str, found_url: Option<&IssuerUrl>) -> String {
        const SHARED: [&str; 3] = ["common", "consumers", "organizations"];
        let issuer = &self.issuer;
        // A realm may have such a name, too. It is then in the name that was found.
        let is_shared =
            |segment| SHARED.contains(&segment) && !found.split('/').any(|other| other == segment);
        let mut segments = issuer.url().path().split('/');
        if segments.any(is_shared) || found.contains(['{', '}']) {
            return "the issuer setting names no single tenant: set it to the issuer of your own \
                    tenant"
                .to_owned();
        }
        let entra = entra::version_2_tenant(issuer.as_str());
        // Without `/v2.0`, Entra publishes the document for version 1 tokens.
        if let (Some((host, _)), Some(tenant)) = (entra, entra::version_1_tenant(found)) {
            let name = format!("https://{host}/{tenant}/v2.0");
            return format!("set the issuer to exactly {:?}", shown(&name));
        }
        // The same name but for its scheme, port, slash or `/v2.0` at the end.
        let core = |text: &str| {
            let url = Url::parse(text).ok()?;
            let path = url.path().trim_end_matches('/');
            let path = path.strip_suffix("/v2.0").unwrap_or(path).to_owned();
            Some((url.host_str()?.to_owned(), path))
        };
        // Entra also answers at the domain name of a tenant, but its issuer has the tenant's id.
        let is_tenant = entra.is_some() && entra::version_2_tenant(found).is_some();
        if let Some(found) = found_url
            && (is_tenant || core(found.as_str()) == core(issuer.as_str()))
        {
            return format!("set the issuer to exactly {:?}", shown(found.as_str()));
        }
        if self.backend.is_some() {
            return "this is neither the issuer nor the backend URL: correct the hostname settings \
                    of the issuer (Keycloak: KC_HOSTNAME, KC_HOSTNAME_BACKCHANNEL_DYNAMIC), or set \
                    the URL of the key set \
                    (SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWK_SET_URI)"
                .to_owned();
        }
        "if the issuer is reached under another URL than its own, set the backend URL \
         (CAMUNDA_MODELER_SECURITY_JWT_ISSUER_BACKEND_URL)"
            .to_owned()
    }

    /// Replaces the issuer's own URL at the start of `url` by the backend URL, since the former may not
    /// be reachable from here.
    fn rebased(&self, url: &Url) -> Url {
        let issuer = self.issuer.url();
        let path = url.path().strip_prefix(issuer.path().trim_end_matches('/'));
        match (&self.backend, path) {
            (Some(backend), Some(path))
                if path.starts_with('/') && url.origin() == issuer.origin() =>
            {
                let mut moved = backend.url().clone();
                moved.set_path(&format!("{}{path}", moved.path().trim_end_matches('/')));
                moved.set_query(url.query());
                moved
            }
            _ => url.clone(),
        }
    }

    /// Accepts the location of a key set that is https, or has the origin of the URL that the operator
    /// configured.
    fn judge(&self, text: &str) -> Result<Url, KeyFetchError> {
        let refuse = |reason: &'static str| {
            let problem = format!(
                "discovery locates the key set at {:?}, which cannot be used: {reason}",
                shown(text)
            );
            KeyFetchError::new(KeyFetchErrorKind::Url, problem)
        };
        let url = self.rebased(IssuerUrl::read(text).map_err(refuse)?.url());
        if url.scheme() == "https" || self.base().origin() == url.origin() {
            Ok(url)
        } else {
            Err(refuse(
                "it is http and has another origin than the configured URL; if the network \
                 is trusted, set the URL of the key set (SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWK_SET_URI)",
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
        let rebased = |text: &str| String::from(discovery.rebased(&Url::parse(text).unwrap()));
        assert_eq!(
            rebased("https://public/realms/x/certs"),
            "http://keycloak:8080/realms/x/certs"
        );
        assert_eq!(
            rebased("https://Public:443/realms/x/certs?a"),
            "http://keycloak:8080/realms/x/certs?a"
        );
        for other in [
            "https://public:8443/realms/x/certs",
            "https://public/realms/xy/certs",
            "https://public.evil/realms/x/certs",
            "http://keycloak:8080/realms/x/certs",
        ] {
            assert_eq!(rebased(other), other);
        }
    }

    #[test]
    fn r42_a_backend_url_has_several_spellings_and_an_issuer_has_one() {
        let discovery = discovery(
            "https://public/realms/x",
            Some("http://keycloak:80/realms/x/"),
        );
        let place = Url::parse("http://keycloak/").unwrap();
        let accepts = |found: &str| discovery.check_issuer(found, &place).is_ok();
        for same in [
            "https://public/realms/x",
            "http://keycloak:80/realms/x/",
            "http://keycloak/realms/x",
            "http://Keycloak/realms/x/",
        ] {
            assert!(accepts(same), "{same}");
        }
        for other in [
            "https://public/realms/x/",
            "https://public:443/realms/x",
            "https://keycloak/realms/x",
            "http://keycloak:8080/realms/x",
            "http://keycloak/realms/x//",
            "http://keycloak/realms/X",
            "http://keycloak/realms/x?a",
            "",
        ] {
            assert!(!accepts(other), "{other}");
        }
    }

    #[test]
    fn another_document_is_named() {
        let place = Url::parse("https://a/x").unwrap();
        for (document, problem) in [
            ("{}", "https://a/x has no `issuer`"),
            (r#"{"issuer":"https://a"}"#, "https://a/x has no `jwks_uri`"),
            (
                r#"{"realm":"a","public_key":"MII"}"#,
                "has no `issuer`; it is the document of a Keycloak realm",
            ),
            (r#"{"keys":[]}"#, "has no `issuer`; it is a key set"),
            ("<html>", "is not a discovery document; it is an HTML"),
            (r#"{"issuer":7}"#, "is not a discovery document"),
        ] {
            let found = discovery("https://a", None).read(document.as_bytes(), &place);
            let error = found.unwrap_err();
            assert_eq!(error.kind(), KeyFetchErrorKind::Json);
            assert!(error.to_string().contains(problem), "{error}");
        }
    }

    #[test]
    fn advice_names_the_setting_to_correct() {
        const BACKEND: &str = "ISSUER_BACKEND_URL";
        const KEY_SET: &str = "JWK_SET_URI";
        for (issuer, backend, found, advice) in [
            (
                "https://a/x",
                None,
                "https://a/x/",
                r#"exactly "https://a/x/""#,
            ),
            (
                "https://a/x/",
                None,
                "https://a/x",
                r#"exactly "https://a/x""#,
            ),
            (
                "http://a/x",
                None,
                "https://a/x",
                r#"exactly "https://a/x""#,
            ),
            (
                "https://a:443/x",
                None,
                "https://a/x",
                r#"exactly "https://a/x""#,
            ),
            (
                "https://login.microsoftonline.com/t",
                None,
                "https://sts.windows.net/t/",
                r#"exactly "https://login.microsoftonline.com/t/v2.0""#,
            ),
            (
                "https://login.microsoftonline.com/example.com/v2.0",
                None,
                "https://login.microsoftonline.com/t/v2.0",
                r#"exactly "https://login.microsoftonline.com/t/v2.0""#,
            ),
            (
                "https://a/t",
                None,
                "https://a/t/v2.0",
                r#"exactly "https://a/t/v2.0""#,
            ),
            (
                "https://login.microsoftonline.com/common/v2.0",
                None,
                "https://login.microsoftonline.com/{tenantid}/v2.0",
                "your own tenant",
            ),
            (
                "https://a/organizations",
                None,
                "https://a/x",
                "your own tenant",
            ),
            ("https://a/x", None, "https://b/x", BACKEND),
            (
                "https://keycloak/realms/common",
                None,
                "https://login/realms/common",
                BACKEND,
            ),
            (
                "https://a/realms/common",
                None,
                "https://a/realms/common/",
                r#"exactly "https://a/realms/common/""#,
            ),
            ("https://a/x", Some("http://b/x"), "http://c/x", KEY_SET),
            ("https://a/x", Some("http://b/x"), "https://a/x/", "exactly"),
        ] {
            let error = discovery(issuer, backend)
                .check_issuer(found, &Url::parse("https://a/").unwrap())
                .unwrap_err();
            let text = error.to_string();
            assert!(text.contains(advice), "{text}");
            let other = [BACKEND, KEY_SET]
                .into_iter()
                .filter(|&other| other != advice);
            assert!(other.clone().all(|other| !text.contains(other)), "{text}");
        }
        let error = discovery("https://a/x", None)
            .judge("http://b/jwks")
            .unwrap_err();
        assert!(error.to_string().contains(KEY_SET), "{error}");
        let error = discovery("https://a/x", None)
            .judge("https://{b}/jwks")
            .unwrap_err();
        assert_eq!(error.kind(), KeyFetchErrorKind::Url);
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
