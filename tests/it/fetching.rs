//! Key fetches over HTTP: the URLs that are used, and the responses that are refused.

use std::time::Duration;

use axum::{body::Body, http::Response};
use modeler_auth::{Issuer, TokenValidator, keys::KeyFetchErrorKind, test_util::TestIssuer};
use modeler_auth_testkit::server::Server;
use tokio::io::AsyncWriteExt as _;

const DISCOVERY: &str = "/.well-known/openid-configuration";

/// An issuer that `server` plays under `path`, its keys at `/jwks`.
fn issuer(server: &Server, path: &str) -> TestIssuer {
    let issuer = TestIssuer::oidc(&server.url(path));
    server.discovery(
        path.trim_end_matches('/'),
        issuer.name(),
        &server.url("/jwks"),
    );
    server.text("/jwks", issuer.jwks());
    issuer
}

fn trusting(issuer: Issuer) -> TokenValidator {
    let builder = TokenValidator::builder().issuer(issuer.audience("test"));
    builder.build().unwrap()
}

fn validator(issuer: &TestIssuer) -> TokenValidator {
    trusting(Issuer::oidc(issuer.name()))
}

async fn accepts(validator: &TokenValidator, issuer: &TestIssuer) -> bool {
    validator.validate(&issuer.token().sign()).await.is_ok()
}

/// `json` with space behind it, so that it has so many bytes.
fn padded(json: String, bytes: usize) -> String {
    let space = " ".repeat(bytes - json.len());
    json + &space
}

async fn failure(validator: &TokenValidator) -> KeyFetchErrorKind {
    validator.refresh_now().await.unwrap_err().kind()
}

/// A server, its issuer at `/a`, and a validator that has fetched the keys and accepts a token.
async fn serving() -> (Server, TestIssuer, TokenValidator) {
    let server = Server::start().await;
    let issuer = issuer(&server, "/a");
    let validator = validator(&issuer);
    assert!(accepts(&validator, &issuer).await);
    (server, issuer, validator)
}

#[tokio::test]
async fn r41_discovery_is_found_for_issuers_with_and_without_a_slash() {
    for path in ["", "/", "/realms/a", "/realms/a/"] {
        let server = Server::start().await;
        let issuer = issuer(&server, path);
        assert!(accepts(&validator(&issuer), &issuer).await, "{path:?}");
        let asked = format!("{}{DISCOVERY}", path.trim_end_matches('/'));
        assert_eq!(server.asked(), [asked.as_str(), "/jwks"], "{path:?}");
    }
}

#[tokio::test]
async fn r41_discovery_by_rfc_8414_is_the_second_choice() {
    let server = Server::start().await;
    let issuer = TestIssuer::oidc(&server.url("/tenant"));
    server.text("/jwks", issuer.jwks());
    server.text(
        "/.well-known/oauth-authorization-server/tenant",
        format!(
            r#"{{"issuer":"{}","jwks_uri":"{}"}}"#,
            issuer.name(),
            server.url("/jwks")
        ),
    );
    assert!(accepts(&validator(&issuer), &issuer).await);
}

#[tokio::test]
async fn a_key_set_url_needs_no_discovery() {
    let server = Server::start().await;
    let issuer = TestIssuer::oidc("https://unreachable.example/");
    server.text("/keys", issuer.jwks());
    let trusted = Issuer::oidc(issuer.name());
    let validator = trusting(trusted.jwks_url(server.url("/keys")));
    assert!(accepts(&validator, &issuer).await);
    assert_eq!(server.asked(), ["/keys"]);
}

#[tokio::test]
async fn r42_everything_is_fetched_from_the_backend() {
    let public = "https://login.example.test/realms/a";
    for (said_issuer, said_jwks) in [
        ("public", "https://login.example.test/realms/a/certs"),
        ("public", "backend"),
        ("backend", "backend"),
    ] {
        let server = Server::start().await;
        let backend = server.url("/auth/realms/a");
        let issuer = TestIssuer::oidc(public);
        let said_issuer = if said_issuer == "public" {
            public
        } else {
            &*backend
        };
        let certs = format!("{backend}/certs");
        let said_jwks = if said_jwks == "backend" {
            &*certs
        } else {
            said_jwks
        };
        server.discovery("/auth/realms/a", said_issuer, said_jwks);
        server.text("/auth/realms/a/certs", issuer.jwks());
        let trusted = Issuer::oidc(public).backend_url(&backend);
        assert!(
            accepts(&trusting(trusted), &issuer).await,
            "{said_issuer} {said_jwks}"
        );
    }
}

#[tokio::test]
async fn r40_a_discovery_document_of_another_issuer_is_refused() {
    let server = Server::start().await;
    let issuer = TestIssuer::oidc(&server.url("/a"));
    server.text("/jwks", issuer.jwks());
    let slash = format!("{}/", issuer.name());
    for other in [&*slash, &server.url("/A"), "https://evil.example/", ""] {
        server.discovery("/a", other, &server.url("/jwks"));
        let validator = validator(&issuer);
        assert_eq!(failure(&validator).await, KeyFetchErrorKind::IssuerMismatch);
        assert!(!accepts(&validator, &issuer).await, "{other}");
    }
    assert_eq!(server.count("/jwks"), 0);
}

#[tokio::test]
async fn f17_a_mismatch_later_keeps_the_old_keys() {
    let (server, issuer, validator) = serving().await;
    server.discovery("/a", "https://evil.example/", &server.url("/evil"));
    server.text("/evil", TestIssuer::oidc("https://evil.example/").jwks());
    assert_eq!(failure(&validator).await, KeyFetchErrorKind::IssuerMismatch);
    assert!(accepts(&validator, &issuer).await);
    assert_eq!(server.count("/evil"), 0);
}

#[tokio::test]
async fn f18_a_key_set_that_moves_is_followed() {
    let (server, issuer, validator) = serving().await;
    issuer.rotate_keys();
    server.discovery("/a", issuer.name(), &server.url("/new"));
    server.text("/new", issuer.jwks());
    validator.refresh_now().await.unwrap();
    assert!(accepts(&validator, &issuer).await);
    // A forbidden URL is not fetched, and the keys stay in use.
    server.discovery("/a", issuer.name(), "http://169.254.169.254/keys");
    assert_eq!(failure(&validator).await, KeyFetchErrorKind::Url);
    assert!(accepts(&validator, &issuer).await);
    // If discovery fails, the validator fetches from the last known URL.
    server.status("/a/.well-known/openid-configuration", 503, None);
    validator.refresh_now().await.unwrap();
    assert!(accepts(&validator, &issuer).await);
}

#[tokio::test]
async fn r44_redirects_are_not_followed() {
    let (server, issuer, validator) = serving().await;
    for status in [301, 302, 303, 307, 308] {
        let location = ("location", server.url("/elsewhere"));
        server.status("/jwks", status, Some(location));
        assert_eq!(failure(&validator).await, KeyFetchErrorKind::Status);
        assert!(accepts(&validator, &issuer).await, "{status}");
    }
    assert_eq!(server.count("/elsewhere"), 0);
}

#[tokio::test]
async fn r45_only_a_good_answer_replaces_the_keys() {
    let (server, issuer, validator) = serving().await;
    for (body, kind) in [
        ("<html>Sorry</html>".to_owned(), KeyFetchErrorKind::Json),
        (issuer.jwks().replace("]}", ""), KeyFetchErrorKind::Json),
        ("{\"keys\":[]}".to_owned(), KeyFetchErrorKind::Empty),
        (" ".repeat(256 * 1024 + 1), KeyFetchErrorKind::TooLarge),
    ] {
        server.text("/jwks", body);
        assert_eq!(failure(&validator).await, kind);
        assert!(accepts(&validator, &issuer).await, "{kind:?}");
    }
    for status in [201, 204, 304, 400, 404, 429, 500, 503] {
        server.status("/jwks", status, None);
        assert_eq!(
            failure(&validator).await,
            KeyFetchErrorKind::Status,
            "{status}"
        );
        assert!(accepts(&validator, &issuer).await, "{status}");
    }
    server.text("/jwks", padded(issuer.jwks(), 256 * 1024));
    validator.refresh_now().await.unwrap();
}

#[tokio::test]
async fn another_document_in_place_of_the_key_set_is_named_with_its_url() {
    let server = Server::start().await;
    let url = server.url("/jwks?secret");
    let validator = trusting(Issuer::oidc("https://a/").jwks_url(&url));
    for (body, problem) in [
        ("<html>Sign in</html>", "HTML"),
        (
            r#"{"issuer":"https://a/","jwks_uri":"https://a/keys"}"#,
            "\"https://a/keys\"",
        ),
        (
            r#"{"realm":"a","public_key":"MII"}"#,
            "/protocol/openid-connect/certs",
        ),
        ("{}", "no array `keys`"),
        (r#"{"keys":[]}"#, "the key set is empty"),
    ] {
        server.text("/jwks", body.to_owned());
        let error = validator.refresh_now().await.unwrap_err().to_string();
        assert!(error.contains(&server.url("/jwks")), "{error}");
        assert!(error.contains(problem), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn a_discovery_document_is_bounded_and_must_be_one() {
    let server = Server::start().await;
    let issuer = issuer(&server, "/a");
    let validator = validator(&issuer);
    let path = "/a/.well-known/openid-configuration";
    for (body, kind) in [
        (" ".repeat(64 * 1024 + 1), KeyFetchErrorKind::TooLarge),
        ("[]".to_owned(), KeyFetchErrorKind::Json),
        (
            format!("{{\"issuer\":\"{}\"}}", issuer.name()),
            KeyFetchErrorKind::Json,
        ),
        ("{\"issuer\":7}".to_owned(), KeyFetchErrorKind::Json),
    ] {
        server.text(path, body);
        assert_eq!(failure(&validator).await, kind);
    }
    let (name, keys) = (issuer.name(), server.url("/jwks"));
    let document = format!(r#"{{"issuer":"{name}","jwks_uri":"{keys}"}}"#);
    server.text(path, padded(document, 64 * 1024));
    validator.refresh_now().await.unwrap();
}

#[tokio::test]
async fn an_issuer_out_of_reach_may_have_another_name_from_here() {
    // No server listens on this port any more.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}/realms/a", listener.local_addr().unwrap());
    drop(listener);
    let hint = "CAMUNDA_MODELER_SECURITY_JWT_ISSUER_BACKEND_URL";
    let told = async |issuer: Issuer| {
        let error = trusting(issuer).refresh_now().await.unwrap_err();
        error.to_string().contains(hint)
    };
    let issuer = || Issuer::oidc(&gone);
    assert!(told(issuer()).await);
    assert!(!told(issuer().backend_url(&gone)).await);
    let answers = Server::start().await;
    assert!(!told(Issuer::oidc(answers.url("/realms/a"))).await);
}

#[tokio::test]
async fn r46_an_issuer_that_is_not_configured_is_never_asked() {
    let server = Server::start().await;
    let known = issuer(&server, "/a");
    let validator = validator(&known);
    assert!(accepts(&validator, &known).await);
    let asked = server.asked().len();
    let stranger = TestIssuer::oidc(&server.url("/stranger"));
    let token = stranger
        .token()
        .header("jku", server.url("/jku"))
        .header("x5u", server.url("/x5u"))
        .sign();
    assert!(validator.validate(&token).await.is_err());
    let token = known
        .token()
        .header("jku", server.url("/jku"))
        .header("jwk", serde_json::json!({"kty": "RSA"}))
        .sign();
    assert!(validator.validate(&token).await.is_ok());
    assert_eq!(server.asked().len(), asked);
}

#[tokio::test]
async fn f4_an_issuer_that_sends_a_byte_a_second_costs_five_seconds() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let slow = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"keys\":[";
        for byte in slow.bytes().chain(std::iter::repeat(b' ')) {
            if stream.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let validator = trusting(Issuer::oidc("https://a/").jwks_url(&url));
    // With the clock paused, timers advance whenever all tasks are idle.
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    assert_eq!(failure(&validator).await, KeyFetchErrorKind::Timeout);
    let elapsed = started.elapsed();
    assert!((4..=5).contains(&elapsed.as_secs()), "{elapsed:?}");
}

#[tokio::test]
async fn f4_the_error_of_a_server_that_hangs_names_its_url() {
    let hint = "CAMUNDA_MODELER_SECURITY_JWT_ISSUER_BACKEND_URL";
    let server = Server::start().await;
    let discovery = server.url("/a/.well-known/openid-configuration");
    server.hang("/a/.well-known/openid-configuration");
    server.hang("/jwks");
    server.discovery("/b", &server.url("/b"), &server.url("/jwks"));
    let error = async |issuer: Issuer| {
        let error = trusting(issuer).refresh_now().await.unwrap_err();
        assert_eq!(error.kind(), KeyFetchErrorKind::Timeout, "{error}");
        error.to_string()
    };
    let (at_discovery, at_key_set, at_configured) = tokio::join!(
        error(Issuer::oidc(server.url("/a"))),
        error(Issuer::oidc(server.url("/b"))),
        error(Issuer::oidc("https://a/").jwks_url(server.url("/jwks"))),
    );
    let expected = format!("{discovery}: no complete response within 4.9s");
    assert!(at_discovery.contains(&expected), "{at_discovery}");
    assert!(at_discovery.contains(hint), "{at_discovery}");
    let expected = format!("{}: no complete response within 4.9s", server.url("/jwks"));
    for error in [at_key_set, at_configured] {
        assert!(error.contains(&expected), "{error}");
        assert!(!error.contains(hint), "{error}");
    }
}

#[tokio::test]
async fn f4_a_discovery_that_hangs_does_not_cost_the_keys() {
    let (server, issuer, validator) = serving().await;
    server.hang("/a/.well-known/openid-configuration");
    issuer.rotate_keys();
    server.text("/jwks", issuer.jwks());
    validator.refresh_now().await.unwrap();
    assert!(accepts(&validator, &issuer).await);
}

#[tokio::test]
async fn f18_what_one_place_says_of_its_version_means_nothing_at_another() {
    let server = Server::start().await;
    let issuer = issuer(&server, "/a");
    let versioned = |jwks: String| {
        move |headers: &axum::http::HeaderMap| {
            let response = Response::builder().header("etag", "\"1\"");
            if headers.contains_key("if-none-match") {
                response.status(304).body(Body::empty()).unwrap()
            } else {
                response.body(Body::from(jwks.clone())).unwrap()
            }
        }
    };
    server.page("/jwks", versioned(issuer.jwks()));
    let validator = validator(&issuer);
    assert!(accepts(&validator, &issuer).await);
    issuer.rotate_keys();
    issuer.withdraw_old_keys();
    // The new URL first returns invalid content with the same version.
    server.discovery("/a", issuer.name(), &server.url("/new"));
    server.page("/new", versioned("<html>".to_owned()));
    assert_eq!(failure(&validator).await, KeyFetchErrorKind::Json);
    server.page("/new", versioned(issuer.jwks()));
    validator.refresh_now().await.unwrap();
    assert!(accepts(&validator, &issuer).await);
    assert_eq!(validator.key_status()[0].keys, 1);
}

#[tokio::test]
async fn r43_http_to_elsewhere_is_refused_even_if_discovery_says_so() {
    let server = Server::start().await;
    let issuer = TestIssuer::oidc(&server.url("/a"));
    for place in [
        "http://192.0.2.1/jwks",
        "ftp://127.0.0.1/jwks",
        "file:///etc/passwd",
    ] {
        server.discovery("/a", issuer.name(), place);
        let validator = validator(&issuer);
        assert_eq!(failure(&validator).await, KeyFetchErrorKind::Url, "{place}");
    }
}

#[tokio::test]
async fn f18_a_key_set_that_moves_is_followed_although_the_old_place_hangs() {
    let (server, issuer, validator) = serving().await;
    issuer.rotate_keys();
    server.discovery("/a", issuer.name(), &server.url("/new"));
    server.text("/new", issuer.jwks());
    server.hang("/jwks");
    validator.refresh_now().await.unwrap();
    assert!(accepts(&validator, &issuer).await);
}

#[tokio::test]
async fn f18_a_key_set_that_moves_is_followed_although_discovery_is_slow() {
    let server = Server::start().await;
    let issuer = issuer(&server, "/a");
    let validator = validator(&issuer);
    let old = issuer.token().sign();
    assert!(validator.validate(&old).await.is_ok());
    issuer.rotate_keys();
    issuer.withdraw_old_keys();
    server.text("/new", issuer.jwks());
    // The test controls how much slower the new URL is than the old one.
    let document = format!(
        r#"{{"issuer":"{}","jwks_uri":"{}"}}"#,
        issuer.name(),
        server.url("/new")
    );
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let opener = std::sync::Arc::clone(&gate);
    server.page("/a/.well-known/openid-configuration", move |_| {
        let (document, gate) = (document.clone(), std::sync::Arc::clone(&gate));
        Response::new(Body::from_stream(futures_util::stream::once(async move {
            gate.acquire().await.unwrap().forget();
            Ok::<_, std::convert::Infallible>(document)
        })))
    });
    let before = server.count("/jwks");
    let refresh = tokio::spawn({
        let validator = validator.clone();
        async move { validator.refresh_now().await }
    });
    while server.count("/jwks") == before {
        tokio::task::yield_now().await;
    }
    assert!(validator.validate(&old).await.is_ok());
    opener.add_permits(10);
    refresh.await.unwrap().unwrap();
    assert_eq!(server.count("/new"), 1);
    assert!(validator.validate(&old).await.is_err());
}
