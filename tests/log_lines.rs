//! Log lines as the only help of an operator: for each mistake, the last line names the setting or the
//! sender to correct.

#[path = "support/log.rs"]
mod log;

use std::time::Duration;

use axum::{Router, body::Body, http::Request, routing::get};
use log::Log;
use modeler_auth::{
    AuthLayer, Issuer, RequirePermissionLayer, TokenValidator,
    access::{GrantFuture, GrantRequest, GrantSource},
    camunda::ManagementIdentity,
    keys::{Algorithm, StaticKeys},
    require::{PermissionRule, RequireAuthentication, RequireClaim, RequireScope},
    test_util::{TestClock, TestIssuer},
};
use modeler_auth_testkit::{
    server::Server,
    signer::{Key, jwks, now},
};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tracing::level_filters::LevelFilter;

const BACKEND: &str = "CAMUNDA_MODELER_SECURITY_JWT_ISSUER_BACKEND_URL";
const KEY_SET: &str = "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWK_SET_URI";

fn trusting(issuer: Issuer) -> TokenValidator {
    let builder = TokenValidator::builder().issuer(issuer.audience("test"));
    builder.build().unwrap()
}

/// Sends a request with this `Authorization` header through the layer.
async fn send(validator: &TokenValidator, authorization: &str) -> u16 {
    let app = Router::new()
        .route("/", get(async || ""))
        .layer(AuthLayer::new(validator.clone()));
    let request = Request::get("/").header("authorization", authorization);
    let response = app.oneshot(request.body(Body::empty()).unwrap()).await;
    response.unwrap().status().as_u16()
}

/// Returns the last line that is logged when the keys of `issuer` are fetched.
async fn line_of_fetch(issuer: Issuer) -> String {
    let (log, _guard) = Log::capture(LevelFilter::INFO);
    let _ = trusting(issuer).refresh_now().await;
    last_line(&log)
}

fn last_line(log: &Log) -> String {
    log.text().lines().last().unwrap_or_default().to_owned()
}

/// Checks that `line` contains all `words`, and none of the names of settings that they do not contain.
fn check(line: &str, words: &[&str]) {
    for word in words {
        assert!(line.contains(word), "without `{word}`: {line}");
    }
    for other in [BACKEND, KEY_SET] {
        assert!(
            words.contains(&other) || !line.contains(other),
            "with `{other}`: {line}"
        );
    }
}

#[tokio::test]
async fn an_issuer_that_discovery_does_not_confirm_is_logged_with_the_setting_to_correct() {
    for (path, found, backend, words) in [
        ("/a", "{server}/a/", None, &["exactly \"{server}/a/\""][..]),
        ("/a/", "{server}/a", None, &["exactly \"{server}/a\""]),
        (
            "/t",
            "{server}/t/v2.0",
            None,
            &["exactly \"{server}/t/v2.0\""],
        ),
        (
            "/common/v2.0",
            "{server}/{tenantid}/v2.0",
            None,
            &["your own tenant"],
        ),
        ("/organizations", "{server}/x", None, &["your own tenant"]),
        ("/a", "https://login.example.com/a", None, &[BACKEND]),
        (
            "/a",
            "https://third.example/a",
            Some("/b"),
            &["KC_HOSTNAME", KEY_SET],
        ),
    ] {
        let server = Server::start().await;
        let here = |text: &str| text.replace("{server}", server.url("").trim_end_matches('/'));
        let asked = backend.unwrap_or(path).trim_end_matches('/');
        server.discovery(asked, &here(found), &server.url("/jwks"));
        let mut issuer = Issuer::oidc(server.url(path));
        if let Some(backend) = backend {
            issuer = issuer.backend_url(server.url(backend));
        }
        let line = line_of_fetch(issuer).await;
        assert!(line.contains("ERROR"), "{line}");
        let words: Vec<_> = words.iter().map(|word| here(word)).collect();
        check(&line, &words.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_document_in_place_of_another_is_logged_with_its_kind_and_url() {
    let server = Server::start().await;
    let discovery = json!({"issuer": "https://a/", "jwks_uri": "https://a/keys"}).to_string();
    let realm = json!({"realm": "a", "public_key": "MII"}).to_string();
    for (body, kind) in [
        (
            discovery.as_str(),
            "a discovery document, whose key set is at \"https://a/keys\"",
        ),
        (&realm, "document of a Keycloak realm"),
        ("<html>Sign in</html>", "HTML"),
        (r#"{"keys":[]}"#, "the key set is empty"),
        (
            r#"{"keys":[{"kid":"x","kty":"oct","k":"AA"}]}"#,
            "\"x\" is symmetric",
        ),
    ] {
        server.text("/place", body.to_owned());
        let issuer = Issuer::oidc("https://a/").jwks_url(server.url("/place"));
        check(&line_of_fetch(issuer).await, &[kind, &server.url("/place")]);
    }
    server.text("/place/.well-known/openid-configuration", realm);
    let line = line_of_fetch(Issuer::oidc(server.url("/place"))).await;
    check(&line, &["has no `issuer`", "document of a Keycloak realm"]);
    server.discovery("/http", &server.url("/http"), "http://keys.example/jwks");
    let line = line_of_fetch(Issuer::oidc(server.url("/http"))).await;
    check(&line, &["http://keys.example/jwks", KEY_SET]);
}

#[tokio::test]
async fn a_bad_signing_key_beside_good_keys_is_one_warning_with_its_id() {
    let server = Server::start().await;
    let good = Key::ec();
    let weak = json!({"kty": "RSA", "kid": "weak-key", "n": "AQAB", "e": "AQAB"});
    let encryption = json!({"kty": "RSA", "kid": "e", "use": "enc", "n": "AQAB", "e": "AQAB"});
    let set = jwks(&[&weak, &good.jwk, &encryption]);
    server.text("/jwks", set.clone());
    let (log, _guard) = Log::capture(LevelFilter::INFO);
    let validator = trusting(Issuer::oidc("https://a/").jwks_url(server.url("/jwks")));
    for _ in 0..3 {
        validator.refresh_now().await.unwrap();
    }
    let text = log.text();
    let warnings: Vec<_> = text.lines().filter(|line| line.contains("WARN")).collect();
    assert_eq!(warnings.len(), 1, "{text}");
    check(
        warnings[0],
        &[
            "\"weak-key\"",
            "not used, since it is weak: its modulus",
            "issuer=\"https://a/\"",
        ],
    );
    // The same for keys that never change.
    let (log, _guard) = Log::capture(LevelFilter::INFO);
    trusting(Issuer::oidc("https://a/").keys(StaticKeys::from_jwks(set)));
    check(&last_line(&log), &["WARN", "\"weak-key\""]);
}

#[tokio::test]
async fn a_key_with_private_members_is_one_warning_that_says_that_it_is_used() {
    let mut key = Key::ec().jwk;
    key["d"] = json!("s3cret");
    key["kid"] = json!("leaked");
    let (log, _guard) = Log::capture(LevelFilter::INFO);
    trusting(Issuer::oidc("https://a/").keys(StaticKeys::from_jwks(jwks(&[&key]))));
    let text = log.text();
    let warnings: Vec<_> = text.lines().filter(|line| line.contains("WARN")).collect();
    assert_eq!(warnings.len(), 1, "{text}");
    check(
        warnings[0],
        &["\"leaked\"", "is used, although it is published"],
    );
    assert!(!text.contains("s3cret"), "{text}");
}

#[tokio::test]
async fn a_token_without_permissions_is_logged_with_the_cure_for_each_kind_of_provider() {
    let issuer = TestIssuer::self_managed();
    let (log, _guard) = Log::capture(LevelFilter::INFO);
    let builder = TokenValidator::builder().issuer(issuer.issuer());
    let validator = builder.build().unwrap();
    let token = issuer.token().claim("permissions", json!({})).sign();
    for _ in 0..3 {
        assert_eq!(send(&validator, &format!("Bearer {token}")).await, 200);
    }
    let text = log.text();
    let lines: Vec<_> = text
        .lines()
        .filter(|line| line.contains("grants no permission"))
        .collect();
    assert_eq!(lines.len(), 1, "{text}");
    check(
        lines[0],
        &[
            "`permissions.web-modeler-public-api`",
            "with Keycloak, assign the client scope `camunda-identity`",
            "with another provider",
            "CAMUNDA_IDENTITY_TYPE",
            "ClaimRules",
        ],
    );
}

#[tokio::test]
async fn a_rejected_token_is_logged_with_what_to_change() {
    let issuer = TestIssuer::oidc("https://issuer.example/realms/a");
    let near = |name: &str| TestIssuer::oidc(name).token().sign();
    let token = || issuer.token();
    let known = r#"configured: [\"https://issuer.example/realms/a\"]"#;
    let now = std::time::SystemTime::now();
    let later = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 1000;
    for (token, words) in [
        (
            near("https://issuer.example/realms/a/"),
            &["slash", known][..],
        ),
        (near("http://issuer.example/realms/a"), &["scheme", known]),
        (
            near("https://other.example/realms/a"),
            &["another host", known],
        ),
        (
            near("https://issuer.example:8443/realms/a"),
            &["but another port", known],
        ),
        (near("https://x.example/"), &["unknown_issuer", known]),
        (
            token().claim("cnf", json!({"jkt": "x"})).sign(),
            &["bound to its sender by DPoP"],
        ),
        (
            token().claim("cnf", json!({"x5t#S256": "x"})).sign(),
            &["Issuer::sender_constraint"],
        ),
        (
            token().claim("typ", "ID").sign(),
            &["is an ID token", "send the access token"],
        ),
        (token().claim("typ", "Refresh").sign(), &["refresh token"]),
        (token().claim("typ", "Logout").sign(), &["logout token"]),
        (token().header("typ", "dpop+jwt").sign(), &["DPoP proof"]),
        (
            token().claim("at_hash", "x").sign(),
            &["claim of ID tokens", "at_hash", "omit the claim"],
        ),
        (
            token().header("typ", "x+jwt").sign(),
            &["`typ`", "`JWT` or `at+jwt`"],
        ),
        (
            token().without("aud").sign(),
            &["no audience (`aud`)", "configure the issuer"],
        ),
        ("eyJhbGciOiJkaXIifQ..e30.e30.e30".to_owned(), &["encrypted"]),
        (
            "opaque-0123456789".to_owned(),
            &["no JWT", "JWT access tokens"],
        ),
        (
            token().header("alg", "ES384").sign(),
            &["Issuer::algorithms"],
        ),
        (
            token().header("alg", "ES256").sign(),
            &[
                "key that it names",
                "RSA key without `alg`",
                "Issuer::algorithms",
            ],
        ),
        (token().claim("nbf", later).sign(), &["`nbf`", "clocks"]),
        (token().claim("iat", later).sign(), &["`iat`", "clocks"]),
        (
            token().audience("other").sign(),
            &["found [\\\"other\\\"]", "expected [\\\"test\\\""],
        ),
    ] {
        let (log, _guard) = Log::capture(LevelFilter::INFO);
        let validator = trusting(
            issuer
                .issuer()
                .algorithms([Algorithm::Es256, Algorithm::Rs256]),
        );
        // Audiences are shown only if the signature was verified.
        validator.refresh_now().await.unwrap();
        assert_eq!(send(&validator, &format!("Bearer {token}")).await, 401);
        let line = last_line(&log);
        check(&line, words);
        assert!(!line.contains(&token), "{line}");
    }
}

#[tokio::test]
async fn a_token_that_is_not_of_rfc_9068_is_logged_with_the_setting_that_requires_it() {
    let issuer = TestIssuer::oidc("https://issuer.example/");
    for token in [
        issuer.token().header("typ", "JWT"),
        issuer.token().header("typ", "at+jwt"),
    ] {
        let (log, _guard) = Log::capture(LevelFilter::INFO);
        let validator = trusting(issuer.issuer().rfc9068_only());
        let token = token.subject("someone").sign();
        assert_eq!(send(&validator, &format!("Bearer {token}")).await, 401);
        check(&last_line(&log), &["`Issuer::rfc9068_only`"]);
    }
}

/// Returns the last line about a request that `rule` rejects, with a token that has these claims.
async fn line_of_rule(rule: impl Rule, claims: &Value) -> String {
    let issuer = TestIssuer::oidc("https://login.example");
    issuer.sign_with(Algorithm::EdDsa);
    let builder = TokenValidator::builder().issuer(issuer.issuer());
    let app = Router::new()
        .route("/", get(async || ""))
        .layer(RequirePermissionLayer::new(rule))
        .layer(AuthLayer::new(builder.build().unwrap()));
    let claims = claims.as_object().unwrap().iter();
    let token = claims.fold(issuer.token(), |token, (name, value)| {
        token.claim(name, value)
    });
    let request = Request::get("/").header("authorization", format!("Bearer {}", token.sign()));
    let (log, _guard) = Log::capture(LevelFilter::INFO);
    app.oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    last_line(&log)
}

trait Rule: PermissionRule + Clone + Send + Sync + 'static {}

impl<R: PermissionRule + Clone + Send + Sync + 'static> Rule for R {}

#[tokio::test]
async fn r80_the_line_about_an_authentication_names_the_claim_that_does_not_suffice() {
    let needed = RequireAuthentication::new().acr_values(["2"]).unwrap();
    let needed = needed.max_age(Duration::from_secs(300));
    let number = "`auth_time` is not a number of seconds";
    for (claims, says) in [
        (json!({}), "no `acr`: configure the issuer"),
        (json!({"acr": "secret"}), "`acr` is not one of the accepted"),
        (json!({"acr": ["secret"]}), "`acr` is not a string"),
        (json!({"acr": "2"}), "no `auth_time`: configure the issuer"),
        (json!({"acr": "2", "auth_time": "secret"}), number),
        (json!({"acr": "2", "auth_time": -1}), number),
        (json!({"acr": "2", "auth_time": 0}), "older than `max_age`"),
        (
            json!({"acr": "2", "auth_time": now() - 3600}),
            "older than `max_age`",
        ),
        (
            json!({"acr": "2", "auth_time": now() + 3600}),
            "in the future: compare the clocks",
        ),
    ] {
        let line = line_of_rule(needed.clone(), &claims).await;
        check(
            &line,
            &[
                says,
                "insufficient_authentication",
                "status=401",
                "verified=true",
            ],
        );
        assert!(!line.contains("secret"), "{line}");
    }
    let line = line_of_rule(RequireAuthentication::new(), &json!({})).await;
    check(&line, &["set `acr_values` or `max_age`", "status=403"]);
    // The problem stays beside a scope that is missing, too.
    let both = RequireScope::all(["a"]).and(needed);
    let line = line_of_rule(both, &json!({"scope": ""})).await;
    check(&line, &["no `acr`: configure the issuer", "status=401"]);
}

#[tokio::test]
async fn r82_the_line_about_a_required_claim_names_the_claim_and_no_value_of_the_token() {
    let rule = RequireClaim::any(["a", "b"], ["x"]);
    for (claims, says) in [
        (json!({}), "the token has no claim a.b"),
        (
            json!({"a": "secret"}),
            "claim `a.b` has the wrong JSON type",
        ),
        (
            json!({"a": {"b": "secret"}}),
            "the claim a.b is not one of the required values",
        ),
    ] {
        let line = line_of_rule(rule.clone(), &claims).await;
        check(&line, &[says, "insufficient_scope", "status=403"]);
        assert!(!line.contains("secret"), "{line}");
    }
    let none: [&str; 0] = [];
    let line = line_of_rule(RequireClaim::present(none), &json!({})).await;
    check(&line, &["no name of a claim: set one"]);
}

#[tokio::test]
async fn r83_the_line_about_the_age_of_a_token_names_the_setting() {
    let issuer = TestIssuer::oidc("https://login.example");
    let limited = issuer.issuer().token_max_age(Duration::from_secs(100));
    let validator = TokenValidator::builder().issuer(limited).build().unwrap();
    let (log, _guard) = Log::capture(LevelFilter::INFO);
    for (token, says) in [
        (
            issuer.token().claim("iat", 0),
            "`Issuer::token_max_age` allows: request a new token",
        ),
        (
            issuer.token().without("iat"),
            "(`iat`), which `Issuer::token_max_age`",
        ),
    ] {
        assert_eq!(
            send(&validator, &format!("Bearer {}", token.sign())).await,
            401
        );
        check(&last_line(&log), &[says]);
    }
}

#[tokio::test]
async fn a_header_with_a_token_in_a_wrong_form_is_logged_without_any_of_it() {
    let issuer = TestIssuer::oidc("https://issuer.example/realms/a");
    let token = issuer.token().sign();
    for (header, status, words) in [
        (token.clone(), 401, "without a scheme"),
        (format!("Bearer{token}"), 401, "space after `Bearer`"),
        (format!("Token {token}"), 401, "not `Bearer`"),
        (
            format!("DPoP {token}"),
            401,
            "`DPoP`, which is not supported",
        ),
        (format!("Bearer%20{token}"), 401, "is URL-encoded"),
        (format!("'Bearer {token}'"), 401, "header is in quotes"),
        (format!("Bearer \"{token}\""), 400, "token is in quotes"),
        (format!("Bearer: {token}"), 400, "a colon or `=` follows"),
        (
            format!("Bearer Bearer {token}"),
            400,
            "`Bearer` is repeated",
        ),
    ] {
        let (log, _guard) = Log::capture(LevelFilter::INFO);
        let validator = trusting(issuer.issuer());
        for _ in 0..100 {
            assert_eq!(send(&validator, &header).await, status, "{words}");
        }
        let text = log.text();
        let rejected: Vec<_> = text
            .lines()
            .filter(|line| line.contains("request rejected"))
            .collect();
        assert_eq!(rejected.len(), 1, "{text}");
        check(rejected[0], &["INFO", words]);
        assert!(!text.contains("eyJ"), "{text}");
    }
}

#[tokio::test]
async fn a_noisy_client_hides_no_other_and_what_was_left_out_is_counted() {
    let clock = TestClock::new();
    let [a, b] = ["https://a.example/", "https://b.example/"].map(TestIssuer::oidc);
    let (log, _guard) = Log::capture(LevelFilter::INFO);
    let mut builder = TokenValidator::builder().clock(clock.clone());
    for issuer in [&a, &b] {
        builder = builder.issuer(issuer.issuer());
    }
    let validator = builder.build().unwrap();
    let expired = |issuer: &TestIssuer| issuer.token().claim("exp", 1).sign();
    let unknown = TestIssuer::oidc("https://c.example/").token().sign();
    let count = |words: [&str; 2]| {
        let text = log.text();
        let lines = text
            .lines()
            .filter(|line| words.iter().all(|word| line.contains(word)));
        lines.count()
    };
    for _ in 0..100 {
        send(&validator, &format!("Bearer {}", expired(&a))).await;
    }
    assert_eq!(count(["expired", "a.example"]), 1);
    send(&validator, &format!("Bearer {unknown}")).await;
    send(&validator, &format!("Bearer {}", expired(&b))).await;
    assert_eq!(count(["reason=\"unknown_issuer\"", "suppressed=0"]), 1);
    assert_eq!(count(["expired", "issuer=\"https://b.example/\""]), 1);
    clock.advance(Duration::from_secs(11));
    send(&validator, &format!("Bearer {}", expired(&a))).await;
    check(&last_line(&log), &["expired", "a.example", "suppressed=99"]);
}

#[tokio::test]
async fn keys_that_are_too_old_are_logged_with_the_cause() {
    for is_noticed_by_a_request in [true, false] {
        let server = Server::start().await;
        let issuer = TestIssuer::oidc(&server.url("/a"));
        server.text("/jwks", issuer.jwks());
        let clock = TestClock::new();
        let (log, _guard) = Log::capture(LevelFilter::INFO);
        let trusted = Issuer::oidc(issuer.name()).audience("test");
        let builder = TokenValidator::builder().issuer(trusted.jwks_url(server.url("/jwks")));
        let validator = builder.clock(clock.clone()).build().unwrap();
        validator.refresh_now().await.unwrap();
        server.status("/jwks", 403, None);
        assert!(validator.refresh_now().await.is_err());
        clock.advance(Duration::from_secs(24 * 60 * 60));
        if is_noticed_by_a_request {
            let two_days = Duration::from_secs(2 * 24 * 60 * 60);
            let token = issuer.token().expires_in(two_days).sign();
            let status = send(&validator, &format!("Bearer {token}")).await;
            assert_eq!(status, 503);
        } else {
            assert!(validator.refresh_now().await.is_err());
        }
        let text = log.text();
        let lines: Vec<_> = text
            .lines()
            .filter(|line| line.contains("too old to be used"))
            .collect();
        assert_eq!(lines.len(), 1, "{text}");
        let cause = format!("cause={}: status 403", server.url("/jwks"));
        check(lines[0], &["ERROR", "class=\"status\"", &cause]);
    }
}

const PERMISSIONS: &str = "/api/permissions/for-token";

/// A validator that asks the stand-in for Management Identity.
fn asking(server: &Server, issuer: &TestIssuer, clock: &TestClock) -> TokenValidator {
    let identity = ManagementIdentity::new(server.url(""), "modeler-api");
    let trusted = issuer.issuer().grants_from(identity);
    let builder = TokenValidator::builder().issuer(trusted);
    builder.clock(clock.clone()).build().unwrap()
}

fn bearer(issuer: &TestIssuer, number: usize) -> String {
    let token = issuer.token().subject(&number.to_string());
    let token = token.expires_in(Duration::from_secs(24 * 60 * 60)).sign();
    format!("Bearer {token}")
}

fn count(log: &Log, text: &str) -> usize {
    log.text()
        .lines()
        .filter(|line| line.contains(text))
        .count()
}

#[tokio::test]
async fn f43_the_line_about_a_failed_call_names_the_url_the_status_and_what_to_check() {
    for (status, expected, words) in [
        (302, 503, "the address that it redirects to"),
        (401, 401, "the audience of the token"),
        (403, 503, "firewall or proxy"),
        (404, 503, "CAMUNDA_IDENTITY_BASEURL"),
        (500, 503, "log of Management Identity"),
    ] {
        let (log, _guard) = Log::capture(LevelFilter::INFO);
        let server = Server::start().await;
        let issuer = TestIssuer::oidc("https://login.example.com/");
        let validator = asking(&server, &issuer, &TestClock::new());
        server.status(PERMISSIONS, status, None);
        assert_eq!(send(&validator, &bearer(&issuer, 0)).await, expected);
        let (url, status) = (server.url(PERMISSIONS), format!("status {status}"));
        check(&last_line(&log), &[&url, &status, words, issuer.name()]);
        let is_outage = expected == 503;
        assert_eq!(count(&log, "grant not fetched"), usize::from(is_outage));
    }
    let (log, _guard) = Log::capture(LevelFilter::INFO);
    let server = Server::start().await;
    let issuer = TestIssuer::oidc("https://login.example.com/");
    server.text(PERMISSIONS, "<html>");
    let validator = asking(&server, &issuer, &TestClock::new());
    assert_eq!(send(&validator, &bearer(&issuer, 0)).await, 503);
    check(
        &last_line(&log),
        &["status 200", "not a JSON array of strings", "login page"],
    );
}

#[tokio::test]
async fn f43_the_line_about_a_slow_source_names_its_url_and_what_to_check() {
    let (log, _guard) = Log::capture(LevelFilter::INFO);
    let server = Server::start().await;
    let issuer = TestIssuer::oidc("https://login.example.com/");
    server.hang(PERMISSIONS);
    let validator = asking(&server, &issuer, &TestClock::new());
    assert_eq!(send(&validator, &bearer(&issuer, 0)).await, 503);
    let words = [
        &*server.url(PERMISSIONS),
        "no complete response within 4.9s",
        "check that Management Identity runs",
    ];
    check(&last_line(&log), &words);
    assert_eq!(count(&log, "grant not fetched"), 1);
}

#[tokio::test]
async fn f43_an_outage_of_grants_is_one_line_at_its_start_and_one_at_its_end() {
    let (log, _guard) = Log::capture(LevelFilter::INFO);
    let server = Server::start().await;
    let issuer = TestIssuer::oidc("https://login.example.com/");
    let clock = TestClock::new();
    let validator = asking(&server, &issuer, &clock);
    for outage in 1..4 {
        server.status(PERMISSIONS, 502, None);
        for number in 0..10 {
            assert_eq!(send(&validator, &bearer(&issuer, number)).await, 503);
            clock.advance(Duration::from_secs(11));
        }
        assert_eq!(count(&log, "grant not fetched"), outage);
        assert_eq!(count(&log, "grants are fetched again"), outage - 1);
        server.text(PERMISSIONS, "[]");
        for number in 0..10 {
            assert_eq!(send(&validator, &bearer(&issuer, number)).await, 200);
        }
        assert_eq!(count(&log, "grants are fetched again"), outage);
        // Beyond the age of all grants.
        clock.advance(Duration::from_secs(10 * 60));
    }
}

#[tokio::test]
async fn a87_a_token_that_is_sent_to_management_identity_is_never_logged() {
    let (log, _guard) = Log::capture(LevelFilter::TRACE);
    let server = Server::start().await;
    let issuer = TestIssuer::oidc("https://login.example.com/");
    let clock = TestClock::new();
    let validator = asking(&server, &issuer, &clock);
    let bearer = bearer(&issuer, 0);
    let token = bearer.strip_prefix("Bearer ").unwrap();
    for status in [200, 301, 401, 403, 404, 500] {
        server.status(PERMISSIONS, status, None);
        send(&validator, &bearer).await;
        clock.advance(Duration::from_secs(10 * 60));
        // The source may answer with the token.
        server.text(PERMISSIONS, token);
        send(&validator, &bearer).await;
        server.status(PERMISSIONS, 302, Some(("location", format!("/{token}"))));
        send(&validator, &bearer).await;
    }
    let lines = log.text();
    assert!(count(&log, "grant not fetched") > 10, "{lines}");
    for secret in token.split('.').skip(1) {
        assert!(!lines.contains(secret));
    }
}

#[tokio::test]
async fn a_version_1_token_of_entra_is_logged_with_the_setting_to_correct() {
    let (log, _guard) = Log::capture(LevelFilter::INFO);
    let server = Server::start().await;
    let issuer = TestIssuer::oidc("https://sts.windows.net/11111111-2222-3333-4444-555555555555/");
    let validator = asking(&server, &issuer, &TestClock::new());
    let token = issuer.token().claim("ver", "1.0").sign();
    assert_eq!(send(&validator, &format!("Bearer {token}")).await, 401);
    check(&last_line(&log), &["`requestedAccessTokenVersion` to 2"]);
    assert_eq!(server.count(PERMISSIONS), 0);
}

struct Panics;

impl GrantSource for Panics {
    fn fetch<'a>(&'a self, _: GrantRequest<'a>) -> GrantFuture<'a> {
        Box::pin(async { panic!("the test says so") })
    }
}

#[tokio::test]
async fn f43_a_source_of_grants_that_panics_is_an_outage() {
    let (log, _guard) = Log::capture(LevelFilter::INFO);
    let issuer = TestIssuer::oidc("https://login.example.com/");
    let trusted = issuer.issuer().grants_from(Panics);
    let validator = TokenValidator::builder().issuer(trusted).build().unwrap();
    for number in 0..3 {
        assert_eq!(send(&validator, &bearer(&issuer, number)).await, 503);
    }
    assert_eq!(count(&log, "grant not fetched"), 1);
    assert_eq!(count(&log, "the source of grants panicked"), 2);
}
