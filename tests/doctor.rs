//! The example `doctor` in child processes: its checks, its fixes, and what it never prints.
#![cfg(all(feature = "test-util", feature = "yaml"))]

#[expect(dead_code, reason = "`main` is for the example")]
#[path = "../examples/doctor/main.rs"]
mod doctor;

use std::{
    env,
    net::TcpListener,
    path::PathBuf,
    process::Stdio,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime},
};

use axum::{body::Body, http::Response};
use modeler_auth::{
    Permission, TokenValidator,
    test_util::{TestIssuer, TestServer, TokenBuilder},
};
use modeler_auth_testkit::{
    server::Server,
    signer::{Key, encode},
};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, process::Command};

const ISSUER: &str = "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI";
const AUDIENCE: &str = "CAMUNDA_MODELER_SECURITY_JWT_AUDIENCE_PUBLIC_API";
const KEY_SET: &str = "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWK_SET_URI";
/// Test that runs the doctor if the variable `DOCTOR` has its arguments.
const CHILD: &str = "help_is_printed_and_nothing_is_checked";
const BEGIN: &str = "the doctor begins here\n";

/// Result of the doctor.
struct Run {
    code: i32,
    printed: String,
    errors: String,
}

/// Runs the doctor with these variables only.
async fn run(folder: &Folder, variables: &[(&str, &str)], options: &[&str], input: &str) -> Run {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", CHILD, "--nocapture"])
        .env_clear()
        .envs(variables.iter().copied())
        .env("DOCTOR", options.join("\n"))
        .current_dir(&folder.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // The doctor may end without reading it.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let (_, printed) = printed.split_once(BEGIN).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!errors.contains("panicked"), "{errors}");
    Run {
        code: output.status.code().unwrap(),
        printed: printed.to_owned(),
        errors,
    }
}

/// Results of one run as text and one as JSON.
struct Examined {
    code: i32,
    text: String,
    json: Value,
}

/// Runs the doctor twice, and checks what holds for every run.
async fn examine_in(
    folder: &Folder,
    variables: &[(&str, &str)],
    options: &[&str],
    token: &str,
) -> Examined {
    let utf8 = [variables, &[("LANG", "C.UTF-8")]].concat();
    let as_json = [options, &["--json"]].concat();
    let (text, json) = tokio::join!(
        run(folder, &utf8, options, token),
        run(folder, variables, &as_json, token)
    );
    assert_eq!(text.code, json.code, "{} {}", text.printed, json.printed);
    for printed in [&text.printed, &json.printed] {
        let is_harmless = |one: char| !one.is_control() || one == '\n';
        assert!(printed.chars().all(is_harmless), "{printed:?}");
        assert!(!printed.contains('\u{202e}'), "{printed}");
        for part in token.split('.').filter(|part| part.len() >= 12) {
            assert!(!printed.contains(part), "{part}: {printed}");
        }
    }
    assert_eq!(text.errors + &json.errors, "");
    let json: Value = serde_json::from_str(&json.printed).unwrap();
    assert_eq!(
        (&json["format"], &json["ok"]),
        (&json!(1), &json!(text.code == 0))
    );
    for check in json["checks"].as_array().unwrap() {
        let [id, state, found] = ["id", "state", "found"].map(|name| check[name].as_str().unwrap());
        assert_eq!(state == "failed", check["fix"].is_string(), "{check}");
        let mark = match state {
            "failed" => '✗',
            "not_checked" => '–',
            "ok" => '✓',
            "warning" => '!',
            other => panic!("{other}"),
        };
        let line = format!("{mark} {}: ", id.replace('_', " "));
        assert!(text.printed.contains(&line), "{line}: {}", text.printed);
        assert!(found.chars().count() <= 1003, "{found}");
    }
    Examined {
        code: text.code,
        text: text.printed,
        json,
    }
}

async fn examine(variables: &[(&str, &str)], options: &[&str], token: &str) -> Examined {
    examine_in(&Folder::new(), variables, options, token).await
}

impl Examined {
    /// Returns the checks with this id.
    fn checks<'e>(&'e self, id: &'e str) -> impl Iterator<Item = &'e Value> {
        let checks = self.json["checks"].as_array().unwrap().iter();
        checks.filter(move |check| check["id"] == id)
    }

    /// Returns a member of the first check with this id.
    fn member(&self, id: &str, name: &str) -> &str {
        let mut checks = self.json["checks"].as_array().unwrap().iter();
        let check = checks.find(|check| check["id"] == id);
        check.map_or("absent", |check| check[name].as_str().unwrap())
    }

    fn state(&self, id: &str) -> &str {
        self.member(id, "state")
    }

    fn found(&self, id: &str) -> &str {
        self.member(id, "found")
    }

    /// Checks that exactly these checks failed.
    fn assert_failed(&self, expected: &[&str]) {
        let checks = self.json["checks"].as_array().unwrap().iter();
        let failed = checks.filter(|check| check["state"] == "failed");
        let failed: Vec<_> = failed.map(|check| check["id"].as_str().unwrap()).collect();
        assert_eq!(failed, expected, "{}", self.text);
        assert_eq!(self.code, i32::from(!expected.is_empty()), "{}", self.text);
    }

    /// Checks that the check `id` failed with these texts, also in the lines.
    fn assert_fix(&self, id: &str, found: &str, fix: &str) {
        let is_such = |check: &&Value| {
            check["state"] == "failed"
                && check["found"].as_str().unwrap().contains(found)
                && check["fix"].as_str().unwrap().contains(fix)
        };
        assert!(
            self.checks(id).any(|check| is_such(&check)),
            "{id} {found} {fix}: {}",
            self.text
        );
        let mut lines = self.text.lines();
        let is_fix = |line: &str| line.starts_with("    to correct it: ") && line.contains(fix);
        assert!(lines.any(is_fix), "{fix}: {}", self.text);
    }
}

/// Folder for one run, with a configuration or without.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("modeler-auth-doctor-{}-{count}", std::process::id());
        let folder = env::temp_dir().join(name);
        std::fs::create_dir_all(folder.join("config")).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn server() -> TestServer {
    TestServer::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap()
}

/// Returns the URL of a port on which nothing listens.
fn closed(scheme: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("{scheme}://{}", listener.local_addr().unwrap())
}

/// Serves an issuer at `/a` with these keys.
async fn serving(keys: &[Value]) -> (Server, String) {
    let server = Server::start().await;
    let issuer = server.url("/a");
    server.discovery("/a", &issuer, &server.url("/jwks"));
    server.text("/jwks", json!({"keys": keys}).to_string());
    (server, issuer)
}

#[tokio::test]
async fn help_is_printed_and_nothing_is_checked() {
    if let Ok(options) = env::var("DOCTOR") {
        print!("{BEGIN}");
        let options: Vec<_> = options.lines().map(Into::into).collect();
        // The doctor has a runtime of its own, which must not start inside another.
        let code = std::thread::spawn(|| doctor::run(options.into_iter()));
        std::process::exit(code.join().unwrap().into());
    }
    let help = run(&Folder::new(), &[], &["--help"], "").await;
    assert_eq!(help.code, 0);
    assert!(
        help.printed.starts_with("usage: doctor "),
        "{}",
        help.printed
    );
}

#[tokio::test]
async fn a_healthy_service_accepts_a_token() {
    let server = server().await;
    let issuer = server.self_managed();
    let variables = [(ISSUER, issuer.name())];
    let token = issuer.token().claim("auth_time", 1_000_000).sign();
    let found = examine(&variables, &["--token", "-"], &token).await;
    found.assert_failed(&[]);
    for line in [
        format!(
            "setting: issuer \"{}\", from variable {ISSUER}",
            issuer.name()
        ),
        "setting: audiences \"web-modeler-public-api\", by default".to_owned(),
        format!(
            "discovery: {}/.well-known/openid-configuration",
            issuer.name()
        ),
        format!("key set: {}/protocol/openid-connect/certs", issuer.name()),
        ", RS256: used".to_owned(),
        "clock: the clock here agrees".to_owned(),
        "token parts: 3 parts, ".to_owned(),
        "user authenticated ".to_owned(),
        "expires in 4 minutes (".to_owned(),
        "token audience: \"web-modeler-public-api\", accepted \"web-modeler-public-api\""
            .to_owned(),
        "azp \"test\"".to_owned(),
        "organization: 00000000-0000-0000-0000-000000000000".to_owned(),
        "permissions: granted create:*, read:*, update:*, delete:*; not granted none".to_owned(),
        "✓ decision: the service accepts the token".to_owned(),
    ] {
        assert!(found.text.contains(&line), "{line}: {}", found.text);
    }
    // Keycloak publishes a key for encryption beside the others, which is no mistake.
    let encryption = "– key: \"encryption\", RSA-OAEP: not used; it is not for signatures";
    assert!(found.text.contains(encryption), "{}", found.text);

    // Without a token, by an option or since there is none.
    for options in [&["--no-token"][..], &[]] {
        let found = examine(&variables, options, "").await;
        found.assert_failed(&[]);
        assert_eq!(found.state("token"), "not_checked");
        assert_eq!(found.state("decision"), "absent");
    }
}

#[tokio::test]
async fn the_settings_of_a_file_are_named_with_their_lines() {
    let server = server().await;
    let folder = Folder::new();
    let file = format!(
        "camunda.identity.issuer: {}\ncamunda.identity.isuer: x\n",
        server.self_managed().name()
    );
    std::fs::write(folder.0.join("config/application.yaml"), file).unwrap();
    let token = server.self_managed().token().sign();
    let found = examine_in(&folder, &[], &[], &token).await;
    found.assert_failed(&[]);
    let file = "config/application.yaml, line 1\n";
    for words in [", from `camunda.identity.issuer` in ", file] {
        assert!(found.text.contains(words), "{}", found.text);
    }
    assert_eq!(found.state("configuration_warning"), "warning");
    let warning = found.found("configuration_warning");
    assert!(
        warning.starts_with("`camunda.identity.isuer` in "),
        "{warning}"
    );
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_fails_with_its_setting() {
    let found = examine(&[], &[], "a.b.c").await;
    found.assert_failed(&["configuration"]);
    found.assert_fix("configuration", "no variable configures an issuer", ISSUER);
    for (variables, words) in [
        (&[(ISSUER, "")][..], ISSUER),
        (&[(ISSUER, "keycloak:8080")], ISSUER),
        (&[(ISSUER, "https://a/"), (KEY_SET, "ftp://a/")], KEY_SET),
        (&[(ISSUER, "https://a/?b")], "it has a query"),
    ] {
        let found = examine(variables, &[], "a.b.c").await;
        found.assert_failed(&["configuration"]);
        found.assert_fix("configuration", words, "docs/self-managed.md");
    }
}

#[tokio::test]
async fn an_issuer_that_does_not_respond_fails_with_the_way_to_it() {
    let token = TestIssuer::self_managed().token();
    let refused = closed("http");
    let found = examine(
        &[(ISSUER, &refused)],
        &[],
        &token.clone().claim("iss", &refused).sign(),
    )
    .await;
    found.assert_failed(&["issuer_reachable", "token_key", "decision"]);
    found.assert_fix(
        "issuer_reachable",
        "Connection refused",
        "start the issuer, or correct host and port in variable ",
    );
    found.assert_fix(
        "decision",
        "503, reason keys_unavailable",
        "correct what the checks of the issuer",
    );
    assert_eq!(found.state("token_audience"), "ok");

    let found = examine(
        &[(ISSUER, "https://a.example/"), (KEY_SET, &refused)],
        &[],
        "",
    )
    .await;
    found.assert_failed(&["issuer_reachable"]);
    found.assert_fix("issuer_reachable", "Connection refused", KEY_SET);

    let (server, _) = serving(&[]).await;
    let https = server.url("/a").replace("http:", "https:");
    let found = examine(&[(ISSUER, &https)], &[], "").await;
    found.assert_failed(&["issuer_reachable"]);
    found.assert_fix(
        "issuer_reachable",
        "does not answer with TLS",
        "set SSL_CERT_FILE",
    );
}

#[tokio::test]
async fn an_issuer_that_never_responds_is_given_up_after_5_seconds() {
    let server = Server::start().await;
    server.hang("/a/.well-known/openid-configuration");
    let issuer = server.url("/a");
    let token = TestIssuer::self_managed()
        .token()
        .claim("iss", &issuer)
        .sign();
    let started = SystemTime::now();
    let found = examine(&[(ISSUER, &issuer)], &[], &token).await;
    assert!(
        started.elapsed().unwrap() < Duration::from_secs(31),
        "{}",
        found.text
    );
    found.assert_failed(&["issuer_reachable", "token_key", "decision"]);
    found.assert_fix("issuer_reachable", "no complete response", "HTTPS_PROXY");
}

#[tokio::test]
async fn each_step_of_a_fetch_fails_with_its_own_fix() {
    let server = Server::start().await;
    let at = |path: &str| server.url(path);
    server.discovery("/other", "https://login.example.com/", &at("/jwks"));
    server.discovery("/ftp", &at("/ftp"), "ftp://a/");
    server.discovery("/page", &at("/page"), &at("/html"));
    server.text("/html", "<html></html>");
    server.discovery("/gone", &at("/gone"), &format!("{}/", closed("https")));
    server.discovery("/empty", &at("/empty"), &at("/none"));
    server.text("/none", r#"{"keys":[]}"#);
    for (path, id, words, fix) in [
        (
            "/other",
            "discovery",
            "https://login.example.com/",
            "byte for byte, or set CAMUNDA_MODELER_SECURITY_JWT_ISSUER_BACKEND_URL",
        ),
        (
            "/ftp",
            "discovery",
            "ftp",
            "correct `jwks_uri` at the issuer",
        ),
        (
            "/absent",
            "discovery",
            "status 404",
            "correct the URL in variable SPRING_",
        ),
        ("/page", "key_set", "HTML", "what the issuer responds there"),
        ("/gone", "key_set", "Connection refused", "start the issuer"),
        (
            "/empty",
            "key_set",
            "the key set is empty",
            "publish a usable key at the issuer",
        ),
    ] {
        let found = examine(&[(ISSUER, &at(path))], &[], "").await;
        found.assert_failed(&[id]);
        found.assert_fix(id, words, fix);
        assert_eq!(found.state("issuer_reachable"), "ok", "{}", found.text);
    }
}

#[tokio::test]
async fn r23_a_key_that_is_weak_or_private_fails() {
    let weak =
        json!({"kty": "RSA", "kid": "weak", "alg": "RS256", "n": encode([0xc1; 128]), "e": "AQAB"});
    let mut private = Key::ed().jwk.clone();
    private["d"] = json!("AAAA");
    let (_server, issuer) = serving(&[weak.clone(), Key::ec().jwk.clone(), private]).await;
    let found = examine(&[(ISSUER, &issuer)], &[], "").await;
    found.assert_failed(&["key", "key"]);
    found.assert_fix(
        "key",
        "\"weak\", RS256: not used; it is weak",
        "replace this key at the issuer by an RSA key of 2048",
    );
    found.assert_fix(
        "key",
        "\"ed\", EdDSA: used; it is published with its private members",
        "only its public members",
    );
    let good = "✓ key: \"ec\", ES256: used";
    assert!(found.text.contains(good), "{}", found.text);

    let (_server, issuer) = serving(&[weak]).await;
    let found = examine(&[(ISSUER, &issuer)], &[], "").await;
    found.assert_failed(&["key_set", "key"]);
    found.assert_fix("key_set", "no usable key", "publish a usable key");
}

#[tokio::test]
async fn many_keys_have_20_lines() {
    let key = |id| Key::ed().with_id(format!("k{id}")).jwk.clone();
    let keys: Vec<_> = (0..23).map(key).collect();
    let (_server, issuer) = serving(&keys).await;
    let found = examine(&[(ISSUER, &issuer)], &[], "").await;
    found.assert_failed(&[]);
    assert_eq!(found.checks("key").count(), 21);
    assert!(
        found.text.contains("– key: 3 more keys are not listed"),
        "{}",
        found.text
    );
}

#[tokio::test]
async fn clocks_that_differ_by_more_than_the_leeway_fail() {
    let (server, issuer) = serving(&[Key::ed().jwk.clone()]).await;
    let jwks = json!({"keys": [Key::ed().jwk]}).to_string();
    for (seconds, is_ahead, words, is_failure) in [
        (
            30,
            true,
            "the clock here is 30 seconds behind the issuer's",
            false,
        ),
        (
            180,
            false,
            "the clock here is 3 minutes ahead of the issuer's",
            true,
        ),
        (
            7230,
            true,
            "the clock here is 2 hours behind the issuer's",
            true,
        ),
    ] {
        let jwks = jwks.clone();
        server.page("/jwks", move |_| {
            let offset = Duration::from_secs(seconds);
            let now = SystemTime::now();
            // Half a second, since a date has whole seconds.
            let date = if is_ahead {
                now + offset + Duration::from_millis(999)
            } else {
                now - offset
            };
            let response = Response::builder().header("date", httpdate::fmt_http_date(date));
            response.body(Body::from(jwks.clone())).unwrap()
        });
        let found = examine(&[(ISSUER, &issuer)], &[], "").await;
        assert!(found.found("clock").contains(words), "{}", found.text);
        if is_failure {
            found.assert_failed(&["clock"]);
            found.assert_fix("clock", words, "with NTP");
        } else {
            found.assert_failed(&[]);
        }
    }
}

/// Every reason of the validator: the decision of the doctor is that of a service.
#[tokio::test]
async fn the_decision_is_that_of_the_service_and_one_check_explains_it() {
    type Change = fn(TokenBuilder) -> TokenBuilder;
    const MINUTE: Duration = Duration::from_secs(60);
    let server = server().await;
    let issuer = server.self_managed();
    let builder = TokenValidator::builder().issuer(issuer.issuer());
    let service = builder.build().unwrap();
    let changes: [(&str, &str, &str, Change); 13] = [
        (
            "token_times",
            "expired 3 minutes ago",
            "request a new token",
            |token| token.issued_at(SystemTime::now() - 8 * MINUTE),
        ),
        (
            "token_times",
            "begins in 9 minutes",
            "synchronize the clocks",
            |token| {
                let time = SystemTime::now() + 10 * MINUTE;
                let time = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
                token.claim("nbf", time.as_secs())
            },
        ),
        (
            "token_audience",
            "\"web-modeler-api\", accepted \"web-modeler-public-api\"",
            AUDIENCE,
            |token| token.audience("web-modeler-api"),
        ),
        (
            "token_issuer",
            "\"https://other.example/\", configured \"http://localhost:",
            "byte for byte",
            |token| token.claim("iss", "https://other.example/"),
        ),
        (
            "token_key",
            "\"another\", usable keys ",
            "request a new token; if its key",
            |token| token.header("kid", "another"),
        ),
        (
            "token_algorithm",
            "\"none\", accepted RS256",
            "JWS_ALGORITHMS",
            |token| token.header("alg", "none"),
        ),
        (
            "token_algorithm",
            "\"ES256\", accepted RS256",
            "JWS_ALGORITHMS",
            |token| token.header("alg", "ES256"),
        ),
        (
            "token_header",
            "typ \"dpop+jwt\"",
            "send the access token",
            |token| token.header("typ", "dpop+jwt"),
        ),
        ("token_header", "typ \"JWT\"", "no `crit`", |token| {
            token.header("crit", ["b64"])
        }),
        (
            "token_type",
            "of the claims \"Refresh\"",
            "not the ID token or refresh token",
            |token| token.claim("typ", "Refresh"),
        ),
        ("token_type", "", "not bound to their sender", |token| {
            token.claim("cnf", json!({"jkt": "a"}))
        }),
        ("token_claims", "sub ", "has the named claim", |token| {
            token.without("exp")
        }),
        (
            "permissions",
            "permissions.web-modeler-public-api",
            "Management Identity does",
            |token| token.claim("permissions", json!({"web-modeler-public-api": 7})),
        ),
    ];
    for (id, words, fix, change) in changes {
        let token = change(issuer.token()).sign();
        let error = service.validate(&token).await.unwrap_err();
        let found = examine(&[(ISSUER, issuer.name())], &[], &token).await;
        found.assert_failed(&[id, "decision"]);
        found.assert_fix(id, words, fix);
        let status = error.kind().status().as_u16();
        let decision = format!(
            "the service answers {status}, reason {}: {error}",
            error.reason()
        );
        found.assert_fix("decision", &decision, fix);
        if let Some(detail) = error.detail() {
            assert!(
                found.found("decision").contains(&detail.replace('\n', "")),
                "{}",
                found.text
            );
        }
    }
    // A forged token: its claims are shown, and nothing says that they hold.
    let forged = issuer.token().sign_by(&TestIssuer::self_managed());
    let found = examine(&[(ISSUER, issuer.name())], &[], &forged).await;
    found.assert_failed(&["token_signature", "decision"]);
    found.assert_fix(
        "token_signature",
        "by \"RS256\"; ",
        "send the token as the issuer sent it",
    );
    // A token for another API: its signature was verified, although the audience comes before.
    let other = issuer.token().audience("other").sign();
    let found = examine(&[(ISSUER, issuer.name())], &[], &other).await;
    assert_eq!(found.state("token_signature"), "ok", "{}", found.text);
    let expired = issuer.token().audience("other").expired().sign();
    let found = examine(&[(ISSUER, issuer.name())], &[], &expired).await;
    assert_eq!(found.state("token_times"), "failed", "{}", found.text);
    assert_eq!(
        found.state("token_audience"),
        "not_checked",
        "{}",
        found.text
    );
    assert_eq!(
        found.state("token_signature"),
        "not_checked",
        "{}",
        found.text
    );
}

#[tokio::test]
async fn missing_permissions_fail_if_they_are_needed_or_if_there_is_none() {
    let server = server().await;
    let issuer = server.self_managed();
    let variables = [(ISSUER, issuer.name())];
    let reader = issuer.token().permissions([Permission::Read]).sign();
    examine(&variables, &[], &reader).await.assert_failed(&[]);
    examine(&variables, &["--needs", "read"], &reader)
        .await
        .assert_failed(&[]);
    let found = examine(&variables, &["--needs", "read,create"], &reader).await;
    found.assert_failed(&["permissions"]);
    found.assert_fix(
        "permissions",
        "granted read:*; not granted create:*, update:*, delete:*; operations that need create:* get 403",
        "assign the client permissions of this API in Management Identity",
    );
    assert_eq!(found.state("decision"), "ok");
    let nothing = issuer.token().without("permissions").sign();
    let found = examine(&variables, &[], &nothing).await;
    found.assert_failed(&["permissions"]);
    found.assert_fix(
        "permissions",
        "granted none",
        "client scope `camunda-identity`",
    );
}

#[tokio::test]
async fn permissions_that_cannot_be_fetched_fail() {
    let server = server().await;
    let issuer = server.self_managed();
    let identity = closed("http");
    let variables = [
        (ISSUER, issuer.name()),
        ("CAMUNDA_IDENTITY_TYPE", "GENERIC"),
        ("CAMUNDA_IDENTITY_BASE_URL", &identity),
    ];
    let found = examine(&variables, &[], &issuer.token().sign()).await;
    found.assert_failed(&["permissions", "decision"]);
    found.assert_fix(
        "permissions",
        &identity,
        "correct CAMUNDA_IDENTITY_BASE_URL",
    );
    assert_eq!(found.state("token_signature"), "ok");
    let setting =
        "setting: permissions by ManagementIdentity, from variable CAMUNDA_IDENTITY_BASE_URL";
    assert!(found.text.contains(setting), "{}", found.text);
}

#[tokio::test]
async fn what_is_no_token_fails_and_is_not_printed() {
    let server = server().await;
    let variables = [(ISSUER, server.self_managed().name())];
    for input in [
        "an-opaque-token-of-the-issuer",
        "c2VjcmV0LXNlY3JldA.c2VjcmV0LXNlY3JldA",
        "c2VjcmV0LXNlY3JldA.c2VjcmV0LXNlY3JldA.c2VjcmV0LXNlY3JldA.c2VjcmV0.c2VjcmV0",
        "\u{1b}[2J.\u{202e}.\0",
        &"x".repeat(100_000),
    ] {
        let found = examine(&variables, &[], input).await;
        found.assert_failed(&["token_parts", "decision"]);
        found.assert_fix(
            "token_parts",
            " parts, ",
            "copy the whole token, of three parts",
        );
    }
    let good = server.self_managed().token().sign();
    let (rest, _) = good.rsplit_once('.').unwrap();
    let found = examine(&variables, &[], rest).await;
    found.assert_failed(&["token_parts", "decision"]);

    let response = r#"{"error": "invalid_client", "client_secret": "s3cret"}"#;
    let found = examine(&variables, &[], response).await;
    found.assert_failed(&["token"]);
    found.assert_fix(
        "token",
        "the error \"invalid_client\"",
        "correct the client id, the client secret",
    );
    assert!(!found.text.contains("s3cret"), "{}", found.text);
    let response = json!({"access_token": good, "token_type": "Bearer"}).to_string();
    examine(&variables, &[], &response).await.assert_failed(&[]);
}

/// Texts that control a terminal, imitate a result, or are long; and parts of the token in its claims.
#[tokio::test]
async fn a68_hostile_texts_are_escaped_and_cut_and_the_token_is_hidden() {
    let server = server().await;
    let issuer = server.self_managed();
    let hostile =
        "\u{1b}]0;x\u{7}\u{9b}31m\r\n✓ decision: the service accepts the token\u{202e}\u{2028}";
    let part = "c2lnbmF0dXJlLW9mLXRoZS10b2tlbg";
    let hostile_token = |length: usize| {
        let mut token = issuer.token().header("kid", hostile);
        for name in ["sub", "azp", "scope", "acr", hostile, part] {
            token = token.claim(name, format!("{hostile}{part}{}", "y".repeat(length)));
        }
        let many: Vec<_> = (0..40).map(|count| format!("{hostile}{count}")).collect();
        token.claim("aud", &many).sign()
    };
    // Beyond 16 KiB a service does not look into a token.
    for (length, check) in [(200, "token_audience"), (5000, "token_parts")] {
        let token = hostile_token(length);
        let (rest, _) = token.rsplit_once('.').unwrap();
        for token in [token.as_str(), &format!("{rest}.{part}")] {
            let found = examine(&[(ISSUER, issuer.name())], &[], token).await;
            found.assert_failed(&[check, "decision"]);
            assert!(found.text.len() < 16 * 1024, "{}", found.text);
            let mut lines = found.text.lines();
            assert!(
                !lines.any(|line| line.starts_with("✓ decision")),
                "{}",
                found.text
            );
            for words in ["\\u{1b}]0;x\\u{7}", "\\u{202e}", "and 32 more, accepted"] {
                assert!(found.text.contains(words), "{}", found.text);
            }
        }
    }

    // An issuer that is hostile or broken.
    let key = Key::ed().with_id(hostile).jwk.clone();
    let odd = json!({"kty": "RSA", "kid": hostile, "alg": hostile});
    let (web, name) = serving(&[key, odd]).await;
    let found = examine(&[(ISSUER, &name)], &[], "").await;
    found.assert_failed(&["key"]);
    assert!(found.text.contains("\\u{202e}"), "{}", found.text);
    let document = json!({"issuer": format!("https://a/{hostile}"), "jwks_uri": hostile});
    web.text("/a/.well-known/openid-configuration", document.to_string());
    let found = examine(&[(ISSUER, &name)], &[], "").await;
    found.assert_failed(&["discovery"]);
    assert!(
        found.found("discovery").contains("names the issuer"),
        "{}",
        found.text
    );
}

#[tokio::test]
async fn a_wrong_usage_ends_with_2_and_shows_no_argument() {
    let folder = Folder::new();
    let token = TestIssuer::self_managed().token().sign();
    for (options, words) in [
        (&["--token", &token][..], "pipe it into the doctor"),
        (&[token.as_str()], "argument 1 is not known"),
        (&["--token", "-"], "the standard input is empty"),
        (&["--needs", "everything"], "--needs takes create"),
    ] {
        let found = run(&folder, &[], options, "").await;
        assert_eq!((found.code, found.printed.as_str()), (2, ""));
        assert!(found.errors.contains(words), "{}", found.errors);
        assert!(
            found.errors.contains("\nusage: doctor "),
            "{}",
            found.errors
        );
        for part in token.split('.') {
            assert!(!found.errors.contains(part), "{}", found.errors);
        }
    }
}

#[tokio::test]
async fn lines_are_ascii_without_a_utf8_locale_and_have_no_colour_in_a_pipe() {
    let found = run(
        &Folder::new(),
        &[(ISSUER, "https://ä.example/\u{1b}")],
        &["--no-token"],
        "",
    )
    .await;
    assert_eq!(found.code, 1);
    assert!(
        found.printed.is_ascii() && found.printed.contains("x configuration: "),
        "{}",
        found.printed
    );
    assert!(!found.printed.contains('\u{1b}'), "{}", found.printed);
}
