//! Faults that affect a whole process, tested in child processes. The test starts its own program
//! again, and the variable `CHILD` selects the child's action.

use std::{env, process::Stdio, time::Duration};

use modeler_auth::{Issuer, TokenValidator, test_util::TestIssuer};
use modeler_auth_testkit::{poll::poll_once, server::Server};
use tokio::process::Command;

async fn issuer() -> (Server, TestIssuer) {
    let server = Server::start().await;
    let issuer = TestIssuer::oidc(&server.url("/a"));
    server.discovery("/a", issuer.name(), &server.url("/jwks"));
    server.text("/jwks", issuer.jwks());
    (server, issuer)
}

/// Runs the test `name` as the child, and returns its output. The child must not panic.
async fn child(name: &str, issuer: &TestIssuer) -> String {
    child_with(name, issuer, &[]).await
}

async fn child_with(name: &str, issuer: &TestIssuer, variables: &[(&str, &str)]) -> String {
    let output = Command::new(env::current_exe().unwrap())
        .envs(variables.iter().copied())
        .args(["--exact", name, "--nocapture"])
        .env("CHILD", name)
        .env("ISSUER", issuer.name())
        .env("TOKEN", issuer.token().sign())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && !errors.contains("panicked"),
        "{errors}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The argument of the child, if this process is one.
fn given() -> Option<(TokenValidator, String)> {
    env::var_os("CHILD")?;
    let issuer = Issuer::oidc(env::var("ISSUER").unwrap());
    let builder = TokenValidator::builder().issuer(issuer.audience("test"));
    Some((builder.build().unwrap(), env::var("TOKEN").unwrap()))
}

/// Every way in which a service may notice that its layer is missing.
#[cfg(feature = "axum")]
#[tokio::test]
async fn a_missing_layer_is_logged_where_it_is_noticed_and_once_a_second() {
    use axum::{Router, body::Body, extract::Request, middleware, routing::get};
    use modeler_auth::{
        Access, AuthLayer, AuthorizedOrganization, InfoService, Permission, RequirePermissionLayer,
    };
    use tower::ServiceExt as _;

    const NAME: &str = "a_missing_layer_is_logged_where_it_is_noticed_and_once_a_second";
    const KINDS: [&str; 6] = [
        "rule",
        "access",
        "option",
        "organization",
        "info",
        "from_fn",
    ];
    if let Some((validator, _)) = given() {
        tracing_subscriber::fmt().with_ansi(false).init();
        let extract =
            async |_: Access, request: Request, next: middleware::Next| next.run(request).await;
        let open = || Router::new().route("/v1/info", get(async || ""));
        let app = match env::var("KIND").unwrap().as_str() {
            "rule" => open().layer(RequirePermissionLayer::new(Permission::Read)),
            "access" => Router::new().route("/v1/info", get(async |_: Access| "")),
            "option" => Router::new().route("/v1/info", get(async |_: Option<Access>| "")),
            "organization" => {
                Router::new().route("/v1/info", get(async |_: AuthorizedOrganization| ""))
            }
            "info" => Router::new().route_service("/v1/info", InfoService::new()),
            // The layer is present but inside the extractor instead of outside.
            _ => open()
                .layer(AuthLayer::new(validator))
                .layer(middleware::from_fn(extract)),
        };
        for _ in 0..50 {
            let request = Request::get("/v1/info").body(Body::empty()).unwrap();
            let answer = app.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status().as_u16(), 500);
        }
        return;
    }
    let (_web, issuer) = issuer().await;
    for kind in KINDS {
        let printed = child_with(NAME, &issuer, &[("KIND", kind)]).await;
        let lines: Vec<_> = printed
            .lines()
            .filter(|line| line.contains("layer_missing"))
            .collect();
        // There are two lines if a second ended between requests.
        assert!((1..=2).contains(&lines.len()), "{kind}: {printed}");
        let says = ["ERROR", "status=500", "must be outside", "ServiceBuilder"];
        assert!(
            says.iter().all(|words| lines[0].contains(words)),
            "{kind}: {printed}"
        );
    }
}

/// Calls the validator from the destructor of the last thread-local value.
#[tokio::test]
async fn a81_a_token_that_is_checked_while_its_thread_ends_ends_no_process() {
    use std::{cell::RefCell, task::Poll};

    struct AtExit(TokenValidator, String);
    impl AtExit {
        fn check(&self) -> bool {
            matches!(poll_once(self.0.validate(&self.1)), Poll::Ready(Ok(_)))
        }
    }
    impl Drop for AtExit {
        fn drop(&mut self) {
            println!("{}", if self.check() { "accepted" } else { "rejected" });
        }
    }
    thread_local!(static LAST: RefCell<Option<AtExit>> = const { RefCell::new(None) });

    const NAME: &str = "a81_a_token_that_is_checked_while_its_thread_ends_ends_no_process";
    if let Some((validator, token)) = given() {
        validator.validate(&token).await.unwrap();
        for warms in [true, false] {
            let last = AtExit(validator.clone(), token.clone());
            let thread = std::thread::spawn(move || {
                // The first registered value is destroyed last.
                LAST.with_borrow_mut(|slot| *slot = Some(last));
                if warms {
                    for _ in 0..4 {
                        LAST.with_borrow(|last| assert!(last.as_ref().unwrap().check()));
                    }
                }
            });
            thread.join().unwrap();
        }
        return;
    }
    let (_web, issuer) = issuer().await;
    let printed = child(NAME, &issuer).await;
    assert_eq!(printed.matches("accepted").count(), 2, "{printed}");
}

#[tokio::test]
async fn a_proxy_of_the_environment_that_fails_is_named_with_its_variable() {
    const NAME: &str = "a_proxy_of_the_environment_that_fails_is_named_with_its_variable";
    if given().is_some() {
        let issuer = Issuer::oidc("https://login.example.com/").audience("test");
        let validator = TokenValidator::builder().issuer(issuer).build().unwrap();
        println!("{}", validator.refresh_now().await.unwrap_err());
        return;
    }
    let (_web, issuer) = issuer().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    // Accepts connections, and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for (name, address) in [
        ("HTTPS_PROXY", address),
        ("https_proxy", address),
        ("ALL_PROXY", address),
        ("HTTPS_PROXY", silent.local_addr().unwrap()),
    ] {
        let proxy = format!("http://user:s3cret@{address}");
        let printed = child_with(NAME, &issuer, &[(name, &proxy)]).await;
        let expected = format!("\"http://{address}/\" of the variable {name}");
        assert!(printed.contains(&expected), "{printed}");
        assert!(
            !printed.contains("s3cret") && !printed.contains("BACKEND_URL"),
            "{printed}"
        );
    }
}

#[tokio::test]
async fn f37_each_worker_process_keeps_keys_of_its_own() {
    if let Some((validator, token)) = given() {
        validator.validate(&token).await.unwrap();
        println!("accepted");
        return;
    }
    let (server, issuer) = issuer().await;
    let name = "f37_each_worker_process_keeps_keys_of_its_own";
    let workers = tokio::join!(
        child(name, &issuer),
        child(name, &issuer),
        child(name, &issuer)
    );
    for printed in [workers.0, workers.1, workers.2] {
        assert!(printed.contains("accepted"), "{printed}");
    }
    assert_eq!(server.count("/jwks"), 3);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn f38_running_out_of_file_descriptors_is_an_error_and_passes() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    if let Some((validator, token)) = given() {
        let limits = getrlimit(Resource::Nofile);
        let few = Rlimit {
            current: Some(0),
            ..limits
        };
        setrlimit(Resource::Nofile, few).unwrap();
        let error = validator.validate(&token).await.unwrap_err();
        println!(
            "{} {:?}",
            error.reason(),
            validator.key_status()[0].last_error
        );
        setrlimit(Resource::Nofile, limits).unwrap();
        tokio::time::timeout(Duration::from_secs(10), validator.ready())
            .await
            .unwrap();
        validator.validate(&token).await.unwrap();
        println!("accepted");
        return;
    }
    let (_web, issuer) = issuer().await;
    let name = "f38_running_out_of_file_descriptors_is_an_error_and_passes";
    let printed = child(name, &issuer).await;
    assert!(printed.contains("keys_unavailable Some("), "{printed}");
    assert!(printed.contains("accepted"), "{printed}");
}

/// Reads the configuration of the process itself: its variables and the files in its folder.
#[cfg(feature = "yaml")]
#[tokio::test]
async fn r62_the_configuration_of_a_process_is_used_or_it_is_an_error() {
    const NAME: &str = "r62_the_configuration_of_a_process_is_used_or_it_is_an_error";
    const ISSUER: &str = "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUERURI";
    if env::var_os("CHILD").is_some() {
        tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(std::io::stdout)
            .init();
        match Issuer::from_env() {
            Ok(Some(issuer)) => {
                let _validator = TokenValidator::builder().issuer(issuer).build().unwrap();
            }
            Ok(None) => println!("nothing is configured"),
            Err(error) => println!("error: {error}"),
        }
        return;
    }
    let folder = env::temp_dir().join(format!("modeler-auth-process-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("config")).unwrap();
    let file = folder.join("config/application.yaml");
    let run = async |text: &str, variables: &[(&str, &str)]| {
        std::fs::write(&file, text).unwrap();
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture"])
            .envs(variables.iter().copied())
            .env("CHILD", NAME)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let mounted = "
camunda.identity: {issuer: 'https://${HOST:a}/', isuer: x}
camunda.hub.security.jwt.audience.public-api: hub
";
    for (text, variables, expected) in [
        ("", &[][..], &["nothing is configured"][..]),
        ("server.port: 8080", &[], &["nothing is configured"]),
        (
            mounted,
            &[],
            &[
                "issuer configured issuer=\"https://a/\" audiences=\"hub\"",
                "https://a/.well-known/openid-configuration",
                "claims=\"SelfManagedClaims\"",
                "issuer from `camunda.identity.issuer` in ",
                "config/application.yaml, line 2; audiences from `camunda.hub.",
                "WARN modeler_auth: `camunda.identity.isuer` in ",
                "the nearest known name is camunda.identity.issuer",
            ],
        ),
        (
            mounted,
            &[("HOST", "b"), ("CAMUNDA_IDENTITY_CLIENTSECRET", "s3cret")],
            &["issuer=\"https://b/\""],
        ),
        (
            mounted,
            &[(ISSUER, "https://c/")],
            &["issuer=\"https://c/\"", "issuer from variable SPRING_"],
        ),
        (
            "spring.config.import: optional:file:/missing.yaml",
            &[("SPRING_APPLICATION_JSON", "{}")],
            &[
                "WARN modeler_auth: variable SPRING_APPLICATION_JSON stands for configuration that is not read",
                "error: `spring.config.import` in ",
                "line 1 is set, but no issuer is",
            ],
        ),
        (
            "",
            &[(
                "CAMUNDA_SECURITY_AUTHENTICATION_OIDC_ISSUERURI",
                "https://a/",
            )],
            &[
                "WARN modeler_auth: variable CAMUNDA_SECURITY_AUTHENTICATION_OIDC_ISSUERURI configures Camunda's Orchestration Cluster",
                "use SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI",
                "error: variable CAMUNDA_SECURITY_AUTHENTICATION_OIDC_ISSUERURI is set, but no issuer is",
            ],
        ),
        (
            "a: [",
            &[],
            &["error: configuration file ", "line 2: it is not YAML"],
        ),
        (
            "spring.oauth2.resourceserver.jwt.issuer-uri: https://a/",
            &[
                ("OAUTH2_JWKS_URL", "https://a/"),
                (
                    "JAVA_TOOL_OPTIONS",
                    "-Xmx1g -Dcamunda.identity.issuer=s3cret",
                ),
            ],
            &[
                "WARN modeler_auth: `spring.oauth2.resourceserver.jwt.issuer-uri` in ",
                "WARN modeler_auth: variable OAUTH2_JWKS_URL configures the web app of Web Modeler up to 8.8 and has no effect here: use SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWK_SET_URI",
                "WARN modeler_auth: option -Dcamunda.identity.issuer of variable JAVA_TOOL_OPTIONS stands for configuration that is not read",
                "is set, but no issuer is",
            ],
        ),
        (
            "camunda.identity.type: {a: s3cret}",
            &[(ISSUER, "https://a/")],
            &[
                "line 1: `camunda.identity.type.a` cannot be used: camunda.identity.type needs a text",
            ],
        ),
        (
            "camunda.identity.issuer: https://a/",
            &[
                ("CAMUNDA_MODELER_SECURITY_JWT_AUDIENCE_PUBLIC_API_0", "a"),
                ("SPRING_CONFIG_IMPORT", "optional:configtree:/etc/config/"),
            ],
            &[
                "WARN modeler_auth: variable CAMUNDA_MODELER_SECURITY_JWT_AUDIENCE_PUBLIC_API_0 is not a known setting",
                "WARN modeler_auth: variable SPRING_CONFIG_IMPORT: the optional location `optional:configtree:/etc/config/` is not read",
                "issuer configured issuer=\"https://a/\"",
            ],
        ),
        (
            "camunda.identity: {issuer: 'https://a/', issuer-backend-url: 'https://a/old'}
spring.security.oauth2.resourceserver.jwt.jwk-set-uri: https://a/old/certs",
            &[("CAMUNDA_IDENTITY_ISSUER_BACKEND_URL", "https://b/new")],
            &[
                "WARN modeler_auth: variable CAMUNDA_IDENTITY_ISSUER_BACKEND_URL has no effect, since `spring.security.oauth2.resourceserver.jwt.jwk-set-uri` in ",
                "names the URL of the key set: correct that URL, or remove it",
            ],
        ),
        (
            "camunda.identity: {issuer: 'https://a/', issuer-backend-url: 'https://a/old'}
spring.security.oauth2.resourceserver.jwt.jwk-set-uri: https://a/keys",
            &[],
            &["issuer configured issuer=\"https://a/\""],
        ),
    ] {
        let printed = run(text, variables).await;
        for words in expected {
            assert!(printed.contains(words), "{words}: {printed}");
        }
        assert!(!printed.contains("s3cret"), "{printed}");
        let warnings = printed.matches("WARN").count();
        let expected = expected.iter().filter(|words| words.contains("WARN"));
        assert_eq!(
            warnings,
            expected.count().max(usize::from(text == mounted)),
            "{printed}"
        );
    }
    let many: String = (0..30).fold(String::new(), |text, count| {
        text + &format!("camunda.identity.x{count}: 1\n")
    });
    let printed = run(&many, &[(ISSUER, "https://a/")]).await;
    assert_eq!(
        printed.matches("is not a known setting").count(),
        16,
        "{printed}"
    );
    assert!(
        printed.contains("more settings are not known and have no effect count=14"),
        "{printed}"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}
