//! Faults of an issuer over HTTP. They must not affect requests while the key cache has keys.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, http::Response};
use futures_util::StreamExt as _;
use modeler_auth::{
    Issuer, TokenValidator,
    keys::KeyFetchErrorKind,
    test_util::{TestClock, TestIssuer},
};
use modeler_auth_testkit::server::Server;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

const MINUTE: Duration = Duration::from_secs(60);

/// A validator that has the keys of an issuer whose server may now go wrong.
struct Warm {
    server: Server,
    issuer: TestIssuer,
    validator: TokenValidator,
    clock: TestClock,
    token: String,
}

impl Warm {
    /// Advances the clock until the scheduled fetch is due, and waits for its outcome.
    async fn refresh_by_schedule(&self) {
        self.clock.advance(5 * MINUTE);
        loop {
            self.holds().await;
            let status = self.validator.key_status().remove(0);
            if status.age < Some(MINUTE) || status.last_error.is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn start() -> Self {
        let server = Server::start().await;
        let issuer = TestIssuer::oidc(&server.url("/a"));
        server.discovery("/a", issuer.name(), &server.url("/jwks"));
        server.text("/jwks", issuer.jwks());
        let clock = TestClock::new();
        let trusted = Issuer::oidc(issuer.name()).audience("test");
        let builder = TokenValidator::builder().issuer(trusted);
        let validator = builder.clock(clock.clone()).build().unwrap();
        let token = issuer.token().expires_in(24 * 60 * MINUTE).sign();
        validator.validate(&token).await.unwrap();
        Self {
            server,
            issuer,
            validator,
            clock,
            token,
        }
    }

    /// Asserts that the next fetch fails with `kind`, and that the keys stay in use.
    async fn fails(&self, kind: KeyFetchErrorKind) {
        let error = self.validator.refresh_now().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(self.issuer.name()), "{error}");
        self.holds().await;
    }

    async fn holds(&self) {
        self.validator.validate(&self.token).await.unwrap();
    }
}

fn validator(issuer: Issuer) -> TokenValidator {
    let builder = TokenValidator::builder().issuer(issuer.audience("test"));
    builder.build().unwrap()
}

#[tokio::test]
async fn f5_server_errors_keep_the_keys() {
    let warm = Warm::start().await;
    for status in [500, 502, 503, 504] {
        warm.server.status("/jwks", status, None);
        warm.fails(KeyFetchErrorKind::Status).await;
    }
}

#[tokio::test]
async fn f6_retry_after_is_obeyed() {
    let warm = Warm::start().await;
    let wait = || warm.validator.key_status().remove(0).next_refresh.unwrap();
    for (status, value, at_least, at_most) in [
        (429, "120".to_owned(), 110, 120),
        (503, "86400".to_owned(), 590, 600),
        (429, date_in(300), 290, 300),
    ] {
        warm.server
            .status("/jwks", status, Some(("retry-after", value)));
        warm.fails(KeyFetchErrorKind::Status).await;
        let wait = wait().as_secs();
        assert!((at_least..=at_most).contains(&wait), "{status}: {wait}");
    }
}

fn date_in(seconds: u64) -> String {
    httpdate::fmt_http_date(std::time::SystemTime::now() + Duration::from_secs(seconds))
}

#[tokio::test]
async fn f7_a_page_in_html_is_no_key_set() {
    let warm = Warm::start().await;
    warm.server.page("/jwks", |_| {
        Response::builder()
            .header("content-type", "text/html")
            .body(Body::from("<html><body>Maintenance</body></html>"))
            .unwrap()
    });
    warm.fails(KeyFetchErrorKind::Json).await;
}

#[tokio::test]
async fn f8_an_answer_that_breaks_off_or_is_packed_is_no_key_set() {
    let warm = Warm::start().await;
    let jwks = warm.issuer.jwks();
    warm.server.text("/jwks", jwks.split_at(jwks.len() / 2).0);
    warm.fails(KeyFetchErrorKind::Json).await;

    // The header announces 1000 bytes, and the connection closes earlier.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            let short = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"keys\":[";
            let _ = stream.write_all(short).await;
        }
    });
    let broken = validator(Issuer::oidc("https://a/").jwks_url(&url));
    let error = broken.refresh_now().await.unwrap_err();
    assert_eq!(error.kind(), KeyFetchErrorKind::Body, "{error}");

    // Nothing is decompressed: the encoding is named, and the body is not read.
    warm.server.page("/jwks", |_| {
        Response::builder()
            .header("content-encoding", "gzip")
            .body(Body::from(vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0]))
            .unwrap()
    });
    warm.fails(KeyFetchErrorKind::Body).await;
}

#[tokio::test]
async fn f9_a_key_set_of_100_megabytes_is_not_read() {
    let warm = Warm::start().await;
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    warm.server.page("/jwks", move |_| {
        let count = Arc::clone(&count);
        let chunks = futures_util::stream::iter(0..1600).map(move |_| {
            count.fetch_add(64 * 1024, Ordering::SeqCst);
            Ok::<_, std::convert::Infallible>(vec![b' '; 64 * 1024])
        });
        Response::new(Body::from_stream(chunks))
    });
    warm.fails(KeyFetchErrorKind::TooLarge).await;
    let sent = sent.load(Ordering::SeqCst);
    // The socket buffers may already hold some megabytes.
    assert!(sent < 16 << 20, "{sent} bytes were sent");
}

#[tokio::test]
async fn f11_an_empty_key_set_keeps_the_keys() {
    let warm = Warm::start().await;
    for empty in [r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AA"}]}"#] {
        warm.server.text("/jwks", empty);
        warm.fails(KeyFetchErrorKind::Empty).await;
    }
}

#[tokio::test]
async fn f12_foreign_and_broken_keys_cost_no_good_one() {
    let warm = Warm::start().await;
    let good = warm.issuer.jwks();
    let strange = r#"{"keys":[5,{"kty":"AKP","alg":"ML-DSA-65"},{"kty":"RSA","n":"AQ","e":"AQ"},
        {"kty":"OKP","crv":"Ed448","x":"AA"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":7},"#;
    warm.server
        .text("/jwks", good.replace(r#"{"keys":["#, strange));
    warm.validator.refresh_now().await.unwrap();
    warm.holds().await;
}

#[tokio::test]
async fn f13_keys_of_one_id_are_all_tried() {
    let warm = Warm::start().await;
    let id = "the-same";
    let mut keys = Vec::new();
    let issuers: Vec<_> = (0..3)
        .map(|_| TestIssuer::oidc(warm.issuer.name()))
        .collect();
    for issuer in &issuers {
        let jwks: serde_json::Value = serde_json::from_str(&issuer.jwks()).unwrap();
        let mut key = jwks["keys"][1].clone();
        key["kid"] = id.into();
        keys.push(key);
    }
    let jwks = serde_json::json!({ "keys": keys }).to_string();
    warm.server.text("/jwks", jwks);
    warm.validator.refresh_now().await.unwrap();
    for issuer in &issuers {
        let token = issuer.token().header("kid", id).sign();
        warm.validator.validate(&token).await.unwrap();
    }
}

#[tokio::test]
async fn f16_redirects_lead_nowhere() {
    let warm = Warm::start().await;
    for location in [
        warm.server.url("/jwks"),
        warm.server.url("/other"),
        "http://192.0.2.1/".into(),
    ] {
        let location = ("location", location);
        warm.server.status("/jwks", 302, Some(location));
        warm.fails(KeyFetchErrorKind::Status).await;
    }
    assert_eq!(warm.server.count("/other"), 0);
    // A redirect of the discovery document is refused, too.
    let moved = Server::start().await;
    let issuer = TestIssuer::oidc(&moved.url("/a"));
    let location = (
        "location",
        warm.server.url("/a/.well-known/openid-configuration"),
    );
    moved.status("/a/.well-known/openid-configuration", 301, Some(location));
    let error = validator(Issuer::oidc(issuer.name()))
        .refresh_now()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), KeyFetchErrorKind::Status);
    assert!(
        error.to_string().contains("redirects are not followed"),
        "{error}"
    );
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let warm = Warm::start().await;
    let jwks = warm.issuer.jwks();
    warm.server.page("/jwks", move |headers| {
        let version = headers
            .get("if-none-match")
            .map(|one| one.to_str().unwrap());
        let response = Response::builder().header("etag", "\"1\"");
        if version == Some("\"1\"") {
            let response = response.status(304).header("cache-control", "max-age=60");
            response.body(Body::empty()).unwrap()
        } else {
            response.body(Body::from(jwks.clone())).unwrap()
        }
    });
    let next = || warm.validator.key_status().remove(0).next_refresh.unwrap();
    warm.validator.refresh_now().await.unwrap();
    assert!(
        next() < Duration::from_secs(265),
        "no hint: 5 minutes, a fifth earlier"
    );
    warm.refresh_by_schedule().await;
    assert!(next() < MINUTE, "renewed for a minute: {:?}", next());
    warm.holds().await;

    // A new key set invalidates the version that the issuer gave for the old one.
    warm.issuer.rotate_keys();
    warm.server.text("/jwks", warm.issuer.jwks());
    warm.validator.refresh_now().await.unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let jwks = warm.issuer.jwks();
    warm.server.page("/jwks", move |headers| {
        count.fetch_add(
            headers.contains_key("if-none-match").into(),
            Ordering::SeqCst,
        );
        Response::new(Body::from(jwks.clone()))
    });
    warm.refresh_by_schedule().await;
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn f39_a_server_that_cannot_handle_conditions_gets_none_the_next_time() {
    for status in [400, 412, 431, 500, 503] {
        let warm = Warm::start().await;
        let jwks = warm.issuer.jwks();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        warm.server.page("/jwks", move |headers| {
            count.fetch_add(1, Ordering::SeqCst);
            if headers.contains_key("if-none-match") || headers.contains_key("if-modified-since") {
                return Response::builder()
                    .status(status)
                    .body(Body::empty())
                    .unwrap();
            }
            Response::builder()
                .header("etag", "\"1\"")
                .body(Body::from(jwks.clone()))
                .unwrap()
        });
        // The first fetch stores the response's validator, and the second fetch sends it.
        warm.refresh_by_schedule().await;
        warm.refresh_by_schedule().await;
        let error = warm.validator.key_status().remove(0).last_error;
        assert_eq!(error, Some(KeyFetchErrorKind::Status), "{status}");
        warm.clock.advance(MINUTE);
        while warm.validator.key_status().remove(0).last_error.is_some() {
            warm.holds().await;
            tokio::task::yield_now().await;
        }
        assert_eq!(asked.load(Ordering::SeqCst), 3, "{status}");
    }
}

#[tokio::test]
async fn f42_a_forced_refresh_has_no_condition_and_no_cache_answers_any_fetch() {
    let warm = Warm::start().await;
    let jwks = warm.issuer.jwks();
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let answer = |body: String| {
        let seen = Arc::clone(&seen);
        move |headers: &axum::http::HeaderMap| {
            let names = ["if-none-match", "if-modified-since", "cache-control"];
            let values = names.map(|name| Some(headers.get(name)?.to_str().unwrap().to_owned()));
            seen.lock().unwrap().push(values);
            Response::builder()
                .header("etag", "\"1\"")
                .header("date", "Mon, 12 Jan 1970 13:46:41 GMT")
                .header("last-modified", "Mon, 12 Jan 1970 13:46:40 GMT")
                .body(Body::from(body.clone()))
                .unwrap()
        }
    };
    warm.server.page("/jwks", answer(jwks));
    let document = format!(
        "{{\"issuer\":\"{}\",\"jwks_uri\":\"{}\"}}",
        warm.issuer.name(),
        warm.server.url("/jwks")
    );
    let place = "/a/.well-known/openid-configuration";
    let take = || std::mem::take(&mut *seen.lock().unwrap());
    let forced = [None, None, Some("no-cache".to_owned())];

    warm.validator.refresh_now().await.unwrap();
    assert_eq!(take(), std::slice::from_ref(&forced));
    warm.refresh_by_schedule().await;
    let date = "Mon, 12 Jan 1970 13:46:40 GMT".to_owned();
    let no_cache = Some("no-cache".to_owned());
    assert_eq!(take(), [[Some("\"1\"".to_owned()), Some(date), no_cache]]);
    warm.server.page(place, answer(document));
    warm.validator.refresh_now().await.unwrap();
    assert_eq!(take(), [forced.clone(), forced], "discovery, too");
}

#[tokio::test]
async fn f40_a_key_set_of_its_own_media_type_is_asked_for_and_no_compression() {
    let warm = Warm::start().await;
    let jwks = warm.issuer.jwks();
    // Behaves like the Kubernetes API server behind a proxy that compresses unless told otherwise.
    warm.server.page("/jwks", move |headers| {
        let header = |name: &str| {
            headers
                .get(name)
                .map_or("", |value| value.to_str().unwrap())
        };
        let is_understood = header("accept").contains("application/jwk-set+json");
        let response = Response::builder();
        if !is_understood || header("accept-encoding") != "identity" {
            return response.status(406).body(Body::empty()).unwrap();
        }
        let response = response.header("content-type", "application/jwk-set+json");
        response.body(Body::from(jwks.clone())).unwrap()
    });
    warm.validator.refresh_now().await.unwrap();
    warm.holds().await;
}

#[tokio::test]
async fn f40_an_encoded_answer_is_an_error_that_names_the_encoding() {
    for (encoding, is_error) in [("gzip", true), ("br\u{7f}", true), ("identity", false)] {
        let warm = Warm::start().await;
        let jwks = warm.issuer.jwks();
        warm.server.page("/jwks", move |_| {
            let encoding = axum::http::HeaderValue::from_bytes(encoding.as_bytes());
            let Ok(encoding) = encoding else {
                return Response::builder().status(500).body(Body::empty()).unwrap();
            };
            let response = Response::builder().header("content-encoding", encoding);
            response.body(Body::from(jwks.clone())).unwrap()
        });
        match warm.validator.refresh_now().await {
            Ok(()) => assert!(!is_error, "{encoding}"),
            Err(error) => {
                assert!(is_error, "{encoding}: {error}");
                if encoding == "gzip" {
                    assert_eq!(error.kind(), KeyFetchErrorKind::Body);
                    assert!(error.to_string().contains("`identity`"), "{error}");
                    assert!(error.to_string().contains("gzip"), "{error}");
                }
            }
        }
        warm.holds().await;
    }
}

#[tokio::test]
async fn no_cache_does_not_mean_a_fetch_for_every_request() {
    let warm = Warm::start().await;
    let jwks = warm.issuer.jwks();
    warm.server.page("/jwks", move |_| {
        Response::builder()
            .header("cache-control", "no-cache, no-store, max-age=0")
            .body(Body::from(jwks.clone()))
            .unwrap()
    });
    warm.validator.refresh_now().await.unwrap();
    let fetches = warm.server.count("/jwks");
    for _ in 0..100 {
        warm.holds().await;
    }
    assert_eq!(warm.server.count("/jwks"), fetches);
    let next = warm.validator.key_status().remove(0).next_refresh.unwrap();
    assert!(next > Duration::from_secs(200), "{next:?}");
}

#[tokio::test]
async fn f26_ten_thousand_cold_requests_cause_one_discovery_and_one_fetch() {
    let server = Server::start().await;
    let issuer = TestIssuer::oidc(&server.url("/a"));
    server.discovery("/a", issuer.name(), &server.url("/jwks"));
    server.text("/jwks", issuer.jwks());
    let validator = validator(Issuer::oidc(issuer.name()));
    let token: Arc<str> = issuer.token().sign().into();
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..10_000 {
        let (validator, token) = (validator.clone(), Arc::clone(&token));
        requests.spawn(async move { validator.validate(&token).await.is_ok() });
    }
    let outcomes = requests.join_all().await;
    assert!(outcomes.into_iter().all(|accepted| accepted));
    assert_eq!(
        server.asked(),
        ["/a/.well-known/openid-configuration", "/jwks"]
    );
}
