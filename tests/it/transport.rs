//! Key fetches over TLS and through a proxy.

use crate::tls::{Authority, ConnectProxy, Validity, serve_self_signed};
use modeler_auth::{Issuer, TokenValidator, keys::KeyFetchErrorKind, test_util::TestIssuer};

fn validator(issuer: Issuer) -> TokenValidator {
    let builder = TokenValidator::builder().issuer(issuer.audience("test"));
    builder.build().unwrap()
}

/// An issuer by this name, reached at a server of `authority` for `host`.
async fn served(authority: &Authority, host: &str, validity: Validity) -> (TestIssuer, Issuer) {
    let issuer = TestIssuer::oidc("https://keycloak.internal.test/realms/a");
    let address = authority.serve(issuer.clone(), host, validity).await;
    let trusted = Issuer::oidc(issuer.name());
    let jwks_url = format!("https://localhost:{}/jwks", address.port());
    (issuer, trusted.jwks_url(&jwks_url))
}

async fn failure(issuer: Issuer) -> (KeyFetchErrorKind, String) {
    let error = validator(issuer).refresh_now().await.unwrap_err();
    (error.kind(), error.to_string())
}

#[tokio::test]
async fn a_private_ca_is_trusted_once_it_is_configured() {
    let authority = Authority::new();
    let (issuer, trusted) = served(&authority, "localhost", Validity::Present).await;
    let validator = validator(trusted.ca_certificate(&authority.pem));
    assert!(validator.validate(&issuer.token().sign()).await.is_ok());
}

#[tokio::test]
async fn f14_tls_errors_are_reported_and_never_bypassed() {
    let authority = Authority::new();
    let other = Authority::new();
    let (past, present, future) = (Validity::Past, Validity::Present, Validity::Future);
    let own = Some(&authority.pem);
    for (hint, host, validity, pem) in [
        ("ca_certificate", "localhost", present, Some(&other.pem)),
        ("ca_certificate", "localhost", present, None),
        ("another host name", "elsewhere.test", present, own),
        ("renew", "localhost", past, own),
        (
            "start of the server's certificate",
            "localhost",
            future,
            own,
        ),
    ] {
        let (_, mut trusted) = served(&authority, host, validity).await;
        if let Some(pem) = pem {
            trusted = trusted.ca_certificate(pem);
        }
        let (kind, message) = failure(trusted).await;
        assert_eq!(kind, KeyFetchErrorKind::Tls, "{message}");
        assert!(message.contains(hint), "{hint}: {message}");
    }
    for is_ca in [true, false] {
        let issuer = TestIssuer::oidc("https://a/");
        let (address, pem) = serve_self_signed(issuer, "localhost", is_ca).await;
        let url = format!("https://localhost:{}/jwks", address.port());
        let untrusted = Issuer::oidc("https://a/").jwks_url(&url);
        let (kind, message) = failure(untrusted.clone()).await;
        assert_eq!(kind, KeyFetchErrorKind::Tls, "{message}");
        let hint = if is_ca {
            "certificate of a CA"
        } else {
            "self-signed certificate is its own CA"
        };
        assert!(message.contains(hint), "{message}");
        // A server may not present the certificate of a CA, trusted or not.
        let trusted = validator(untrusted.ca_certificate(&pem));
        assert_eq!(trusted.refresh_now().await.is_ok(), !is_ca);
    }
    // The client does not fall back to plain HTTP if the server does not support TLS.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}/",
        listener.local_addr().unwrap().port()
    );
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let plain = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, plain).await;
    });
    let trusted = Issuer::oidc("https://a/").jwks_url(&url);
    let (kind, message) = failure(trusted.ca_certificate(&authority.pem)).await;
    assert_eq!(kind, KeyFetchErrorKind::Tls, "{message}");
    assert!(message.contains("does not answer with TLS"), "{message}");
}

#[tokio::test]
async fn a_configured_proxy_that_fails_is_named_without_its_password() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let trusted = Issuer::oidc("https://keycloak.internal.test/realms/a")
        .proxy(format!("http://user:s3cret@{address}"));
    let (kind, message) = failure(trusted).await;
    assert_eq!(kind, KeyFetchErrorKind::Connect, "{message}");
    let expected = format!("proxy \"http://{address}/\" of the setting `proxy`");
    assert!(message.contains(&expected), "{message}");
    // The name of the issuer is not the problem.
    assert!(
        !message.contains("BACKEND_URL") && !message.contains("s3cret"),
        "{message}"
    );
}

#[tokio::test]
async fn keys_come_through_a_proxy_to_where_no_name_leads() {
    let authority = Authority::new();
    let issuer = TestIssuer::oidc("https://keycloak.internal.test/realms/a");
    let address = authority
        .serve(issuer.clone(), "keycloak.internal.test", Validity::Present)
        .await;
    let proxy = ConnectProxy::start(address).await;
    let trusted = Issuer::oidc(issuer.name())
        .ca_certificate(&authority.pem)
        .proxy(format!("http://{}", proxy.address));
    let validator = validator(trusted);
    assert!(validator.validate(&issuer.token().sign()).await.is_ok());
    assert_eq!(proxy.connections(), 2, "discovery and the keys");
}

#[tokio::test]
async fn f15_an_unknown_host_name_is_reported_as_such() {
    let (kind, message) = failure(Issuer::oidc("https://keycloak.invalid/")).await;
    assert_eq!(kind, KeyFetchErrorKind::Dns, "{message}");
}
