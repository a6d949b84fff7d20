//! Deeply nested inputs for every parser that reads external data. Each parser runs in a separate
//! process, on a thread with a stack of 512 KiB. The process must not crash.
//!
//! Debug builds need more stack for each call and release builds more calls for the same stack, so
//! both are tried:
//!
//! ```text
//! cargo test --all-features --test nesting
//! cargo test --all-features --test nesting --release
//! ```

use std::{
    env,
    process::{Command, Stdio},
};

use modeler_auth::{
    Claims, Issuer, TokenValidator,
    auth::RequestView,
    camunda::SaasClaims,
    keys::{KeyFetch, KeyFetchError, KeyFuture, KeyRequest, KeySource, StaticKeys},
};
use modeler_auth_testkit::{
    server::Server,
    signer::{ISSUER, Key, claims, encode, jwks},
};
use serde_json::{Value, json};

const STACK: usize = 512 * 1024;
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// JSON that nests as deep as it can within `bytes`, once for each way of hiding that.
fn nests(bytes: usize) -> Vec<String> {
    let deep = |open: &str, close: &str| {
        let levels = bytes / (open.len() + close.len() + 1);
        format!("{}1{}", open.repeat(levels), close.repeat(levels))
    };
    vec![
        deep("[", "]"),
        deep("{\"a\":", "}"),
        deep("[{\"a\":[", "]}]"),
        "[".repeat(bytes),
        "{\"a\":".repeat(bytes / 5),
        raw_values(bytes, 0),
        raw_values(bytes, 28),
        raw_values(bytes, 120),
        format!("{{\"{RAW_VALUE}\":{}}}", quoted(&deep("[", "]"))),
        format!(
            "{{\"$serde_json::private::Number\":{}}}",
            quoted(&deep("[", "]"))
        ),
    ]
}

/// Objects that `serde_json` may take for the JSON inside their string, one inside the other, each
/// within `arrays` arrays.
fn raw_values(bytes: usize, arrays: usize) -> String {
    let mut text = "1".to_owned();
    loop {
        let [open, close] = ["[", "]"].map(|bracket| bracket.repeat(arrays));
        let next = format!("{open}{{\"{RAW_VALUE}\":{}}}{close}", quoted(&text));
        if next.len() > bytes {
            return text;
        }
        text = next;
    }
}

/// `text` as a JSON string, in the shortest form that can be quoted again and again.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\u005c").replace('"', "\\u0022");
    format!("\"{escaped}\"")
}

/// `{"name":value}` and `{"name":"value"}`, with more members.
fn members(name: &str, value: &str, more: &str) -> [String; 2] {
    [value.to_owned(), quoted(value)].map(|value| format!("{{\"{name}\":{value}{more}}}"))
}

/// A key source that always returns the same text.
struct Text(String);

impl KeySource for Text {
    fn fetch<'a>(&'a self, _: KeyRequest<'a>) -> KeyFuture<'a> {
        Box::pin(std::future::ready(Ok::<_, KeyFetchError>(KeyFetch::fresh(
            self.0.clone(),
        ))))
    }
}

fn key_sets() {
    let good = Key::ed();
    let names = [
        "kty", "kid", "use", "key_ops", "alg", "crv", "n", "e", "x", "y", "x5c", "d", "else",
    ];
    for nest in nests(200 * 1024) {
        for name in names {
            for key in members(name, &nest, ",\"kty\":\"RSA\"") {
                for set in [
                    format!("{{\"keys\":[{key},{}]}}", good.jwk),
                    format!("{{\"keys\":[{}],\"else\":{nest}}}", good.jwk),
                    format!("{{\"keys\":{nest}}}"),
                ] {
                    let issuer = || Issuer::oidc(ISSUER).audience("api");
                    let keys = StaticKeys::from_jwks(set.clone());
                    let built = TokenValidator::builder()
                        .issuer(issuer().keys(keys))
                        .build();
                    if let Ok(validator) = built {
                        assert_eq!(validator.key_status()[0].keys, 1);
                    }
                }
            }
        }
    }
    // The same key set through the key cache.
    run(async {
        let set = format!("{{\"keys\":[{},{}]}}", raw_values(100_000, 120), good.jwk);
        let issuer = Issuer::oidc(ISSUER).audience("api").keys(Text(set));
        let validator = TokenValidator::builder().issuer(issuer).build().unwrap();
        validator.ready().await;
        assert_eq!(validator.key_status()[0].keys, 1);
    });
}

fn discovery() {
    run(async {
        let documents = nests(60 * 1024);
        let count = documents.len();
        let server = Server::start().await;
        for member in ["issuer", "jwks_uri", "else"] {
            for number in 0..2 * count {
                let path = format!("/{member}/{number}");
                let name = server.url(&path);
                let more = format!(
                    ",\"issuer\":\"{name}\",\"jwks_uri\":\"{}\"",
                    server.url("/jwks")
                );
                let [plain, hidden] = members(member, &documents[number / 2], &more);
                let document = if number % 2 == 0 { plain } else { hidden };
                server.text(
                    &format!("{path}/.well-known/openid-configuration"),
                    document,
                );
                let issuer = Issuer::oidc(name);
                let builder = TokenValidator::builder().issuer(issuer.audience("api"));
                assert!(builder.build().unwrap().refresh_now().await.is_err());
            }
        }
    });
}

fn tokens() {
    let key = Key::ed();
    let keys = || StaticKeys::from_jwks(jwks(&[&key.jwk]));
    let plain = || Issuer::oidc(ISSUER).audience("api");
    let asking = |issuer: Issuer| {
        let builder = TokenValidator::builder().issuer(issuer.keys(keys()));
        builder.build().unwrap()
    };
    let validators = [
        asking(plain()),
        asking(plain().map_claims(SaasClaims::of_any_organization())),
        asking(plain().sender_constraint("x", |_: &Claims, _: &RequestView<'_>| Ok(()))),
    ];
    let names = [
        "iss",
        "aud",
        "scope",
        "cnf",
        "permissions",
        "else",
        "https://camunda.com/orgId",
        "https://camunda.com/orgs",
    ];
    run(async {
        // The size that remains of 16 KiB after base64.
        for nest in nests(11_000) {
            for name in names {
                let mut others = claims();
                others.as_object_mut().unwrap().remove(name);
                let others = others.to_string();
                let more = format!(",{}", &others[1..others.len() - 1]);
                for payload in members(name, &nest, &more) {
                    let token = key.token(key.header().to_string(), payload);
                    for validator in &validators {
                        if let Ok(access) = validator.validate(&token).await {
                            // An application may read any claim as any type.
                            let _ = access.claims().get::<Value>(name);
                            let _ = access.claims().get::<Vec<Value>>(name);
                            let _ = access.claims().deserialize::<Value>();
                        }
                    }
                }
                for header in members(name, &nest, ",\"alg\":\"EdDSA\"") {
                    let token = format!("{}.{}.c2ln", encode(header), encode(claims().to_string()));
                    assert!(validators[0].validate(&token).await.is_err());
                }
            }
        }
    });
}

fn token_requests() {
    use modeler_auth::test_util::TestServer;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    run(async {
        let server = TestServer::start(([127, 0, 0, 1], 0).into()).await.unwrap();
        for nest in nests(60 * 1024) {
            for name in ["client_id", "audience", "else"] {
                for body in members(name, &nest, "") {
                    let mut stream = tokio::net::TcpStream::connect(server.local_addr())
                        .await
                        .unwrap();
                    let head = format!(
                        "POST /oauth/token HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
                         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
                        body.len()
                    );
                    stream
                        .write_all(format!("{head}{body}").as_bytes())
                        .await
                        .unwrap();
                    let mut answer = String::new();
                    stream.read_to_string(&mut answer).await.unwrap();
                    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
                }
            }
        }
    });
}

/// Runs `future` on the calling thread alone.
fn run(future: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future);
}

/// Reads a configuration file. The child process has `SPRING_CONFIG_LOCATION`.
#[cfg(feature = "yaml")]
fn configuration() {
    let file = env::var("SPRING_CONFIG_LOCATION").unwrap();
    let mut texts = nests(500 * 1024);
    for block in ["- ", "? ", "a: &a [*a, ", "!!map {", "[\n"] {
        texts.push(block.repeat(500 * 1024 / block.len()));
    }
    let levels = (0..500).map(|level| format!("{}a:\n", " ".repeat(level)));
    texts.push(levels.collect());
    // Mappings that merge one another, and one that merges another many times.
    let chain = (1..9000).map(|level| format!("- &m{level} {{<<: *m{}}}\n", level - 1));
    texts.push(format!("- &m0 {{a: 1}}\n{}", chain.collect::<String>()));
    let entries: String = (0..30_000).map(|count| format!("k{count}: *x,")).collect();
    texts.push(format!(
        "x: &x 1\nm: &m {{{entries}}}\ny: {{<<: [{}]}}",
        "*m,".repeat(9000)
    ));
    for text in texts {
        std::fs::write(&file, &text).unwrap();
        assert!(Issuer::from_env().is_err(), "{:.40}", text);
    }
}

const PARSERS: &[(&str, fn())] = &[
    ("key sets", key_sets),
    ("discovery", discovery),
    ("tokens", tokens),
    ("token requests", token_requests),
    #[cfg(feature = "yaml")]
    ("configuration", configuration),
];

#[test]
fn a82_nesting_however_hidden_ends_no_process() {
    if let Ok(wanted) = env::var("PARSER") {
        let (_, feed) = PARSERS.iter().find(|(name, _)| *name == wanted).unwrap();
        let thread = std::thread::Builder::new().stack_size(STACK).spawn(*feed);
        thread.unwrap().join().unwrap();
        return;
    }
    let file = env::temp_dir().join(format!("modeler-auth-nesting-{}.yaml", std::process::id()));
    for (name, _) in PARSERS {
        let child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "a82_nesting_however_hidden_ends_no_process",
                "--nocapture",
            ])
            .env("PARSER", name)
            .env("SPRING_CONFIG_LOCATION", &file)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&child.stderr);
        assert!(child.status.success(), "{name}: {} {errors}", child.status);
    }
    let _ = std::fs::remove_file(file);
}

/// Checks the inputs themselves: `serde_json` with the feature `raw_value` reads all levels.
#[test]
fn r56_the_inputs_nest_as_deep_as_they_say() {
    let text = raw_values(30_000, 0);
    assert!(text.matches("RawValue").count() > 15, "{text}");
    let once: Value = serde_json::from_str(&text).unwrap_or_default();
    let inner = once.as_object().and_then(|object| object.get(RAW_VALUE));
    // Without the feature it is a plain object; with the feature it is the inner value.
    assert!(
        inner.is_some_and(Value::is_string) || once == json!(1),
        "{once}"
    );
}
