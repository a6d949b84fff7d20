//! Invalid configurations and their error messages.

use std::time::Duration;

use modeler_auth::{
    Access, AuthError, AuthLayer, AuthorizedOrganization, ByMethod, Claims, ConfigError,
    InfoService, Issuer, Permissions, RequirePermissionLayer, TokenValidator,
    TokenValidatorBuilder,
    auth::Auth,
    camunda::{
        Deprecation, HubProblem, InfoVersion, PermissionNames, SaasClaims, SelfManagedClaims,
    },
    keys::{KeyFetch, KeyFetchError, KeyStatus, StaticKeys},
    reject::{Empty, Grpc, GrpcByContentType, Problem},
    require::RequirePermission,
};

fn error(issuers: impl IntoIterator<Item = Issuer>) -> String {
    let builder = issuers
        .into_iter()
        .fold(TokenValidator::builder(), |builder, issuer| {
            builder.issuer(issuer)
        });
    builder.build().unwrap_err().to_string()
}

fn issuer(url: &str) -> Issuer {
    Issuer::oidc(url).audience("api")
}

#[test]
fn every_public_type_is_send_and_sync() {
    fn assert<T: Send + Sync>() {}
    assert::<Access>();
    assert::<Auth<InfoService, Problem>>();
    assert::<AuthError>();
    assert::<AuthLayer>();
    assert::<AuthLayer<Grpc>>();
    assert::<AuthorizedOrganization>();
    assert::<Empty>();
    assert::<ByMethod>();
    assert::<Claims>();
    assert::<ConfigError>();
    assert::<GrpcByContentType<Problem>>();
    assert::<Deprecation>();
    assert::<HubProblem>();
    assert::<InfoService>();
    assert::<InfoVersion>();
    assert::<Issuer>();
    assert::<KeyFetch>();
    assert::<KeyFetchError>();
    assert::<KeyStatus>();
    assert::<PermissionNames>();
    assert::<Permissions>();
    assert::<RequirePermission<InfoService, ByMethod>>();
    assert::<RequirePermissionLayer<ByMethod>>();
    assert::<SaasClaims>();
    assert::<SelfManagedClaims>();
    assert::<StaticKeys>();
    assert::<TokenValidator>();
    assert::<TokenValidatorBuilder>();
    assert::<modeler_auth::reject::Rejection<'_>>();
    assert::<modeler_auth::auth::RequestView<'_>>();
    assert::<modeler_auth::auth::ResponseFuture<std::future::Ready<()>, InfoService, (), Problem>>(
    );
    assert::<modeler_auth::require::RequirePermissionFuture<std::future::Ready<()>>>();
    assert::<modeler_auth::ClaimPath<'_>>();
    assert::<modeler_auth::access::ClaimError>();
    assert::<modeler_auth::access::Grant>();
    assert::<modeler_auth::require::Denied>();
    assert::<modeler_auth::issuer::SenderConstraintError>();
    assert::<modeler_auth::issuer::RevocationList>();
    assert::<modeler_auth::issuer::TokenIdentity<'_>>();
    assert::<modeler_auth::keys::KeyEvent<'_>>();
    assert::<modeler_auth::keys::KeyEventKind>();
    assert::<modeler_auth::axum::Authorized<modeler_auth::axum::Create>>();
    assert::<modeler_auth::axum::TypedClaims<String>>();
    assert::<modeler_auth::test_util::DevelopmentClient>();
    assert::<modeler_auth::test_util::DevelopmentIssuer>();
    assert::<modeler_auth::test_util::TestClient>();
    assert::<modeler_auth::test_util::TestClock>();
    assert::<modeler_auth::test_util::TestIssuer>();
    assert::<modeler_auth::test_util::TestServer>();
    assert::<modeler_auth::test_util::TokenBuilder>();
}

/// Applications that choose an implementation at run time pass a trait object.
#[test]
fn every_trait_that_users_implement_is_accepted_as_a_trait_object() {
    use std::sync::Arc;

    use modeler_auth::{
        access::{ClaimError, Grant, MapClaims},
        auth::RequestView,
        issuer::{Revocation, RevocationList, SenderConstraint, SenderConstraintError},
        keys::KeySource,
        reject::{Empty, Reject},
        require::PermissionRule,
    };

    let keys: Arc<dyn KeySource> = Arc::new(StaticKeys::from_jwks(
        r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
    ));
    let mapping: Arc<dyn MapClaims> = Arc::new(|_: &Claims| Ok::<_, ClaimError>(Grant::default()));
    let revocation: Arc<dyn Revocation> = Arc::new(RevocationList::default());
    let constraint: Arc<dyn SenderConstraint> = Arc::new(|_: &Claims, _: &RequestView<'_>| {
        Err::<(), _>(SenderConstraintError::new("never"))
    });
    let issuer = issuer("https://a/")
        .keys(keys)
        .map_claims(mapping)
        .revocation(revocation)
        .sender_constraint("x5t#S256", constraint);
    let validator = TokenValidator::builder().issuer(issuer).build().unwrap();
    let rule: Arc<dyn PermissionRule + Send + Sync> = Arc::new(ByMethod::new());
    let reject: Arc<dyn Reject + Send + Sync> = Arc::new(Empty);
    let _: axum::Router = axum::Router::new()
        .route("/", axum::routing::get(async || "x"))
        .layer(RequirePermissionLayer::new(rule))
        .layer(AuthLayer::new(validator).reject_with(reject));
}

#[test]
fn a_validator_needs_an_issuer_and_each_only_once() {
    assert_eq!(
        error([]),
        "no issuer is configured: add one with `TokenValidatorBuilder::issuer`"
    );
    let twice = error([
        issuer("https://a/"),
        issuer("https://b/"),
        issuer("https://a/"),
    ]);
    assert_eq!(
        twice,
        "issuer `https://a/` is configured twice: remove one of the two"
    );
    // A trailing slash makes a different issuer.
    let both = TokenValidator::builder()
        .issuer(issuer("https://a/"))
        .issuer(issuer("https://a"));
    assert!(both.build().is_ok());
}

#[test]
fn r32_an_audience_must_be_configured() {
    let none = error([Issuer::oidc("https://a/")]);
    assert!(
        none.contains("`https://a/`") && none.contains("audience"),
        "{none}"
    );
    let empty = error([issuer("https://a/").audience("")]);
    assert_eq!(
        empty,
        "issuer `https://a/` has an empty audience: give it a name or remove it"
    );
    let many = (0..64).fold(issuer("https://a/"), |one, n| one.audience(n.to_string()));
    assert!(error([many]).contains("65 audiences"));
}

#[test]
fn an_organization_must_be_visible_ascii() {
    for bad in ["", "a b", "ä"] {
        let message = error([Issuer::saas(bad)]);
        assert_eq!(
            message,
            format!(
                "organization `{bad}` is not 1 to 128 visible ASCII characters: use the id of the organization"
            )
        );
    }
}

#[test]
fn r43_keys_come_over_https_or_loopback_unless_allowed() {
    let plain = || issuer("http://keycloak:18080/auth/realms/x");
    let message = error([plain()]);
    assert!(
        message.contains("issuer `http://keycloak:18080/auth/realms/x` is http"),
        "{message}"
    );
    assert!(
        TokenValidator::builder()
            .issuer(plain().allow_http())
            .build()
            .is_ok()
    );
    // The issuer name may use plain HTTP; only the URL for key fetches is restricted.
    for fetched in [
        "https://keycloak/x",
        "http://127.0.0.1:18080/x",
        "http://localhost/x",
    ] {
        let elsewhere = [plain().backend_url(fetched), plain().jwks_url(fetched)];
        for one in elsewhere {
            assert!(
                TokenValidator::builder().issuer(one).build().is_ok(),
                "{fetched}"
            );
        }
    }
    let message = error([issuer("https://a/").jwks_url("http://10.0.0.1/jwks")]);
    assert!(
        message.contains("jwks_url `http://10.0.0.1/jwks`"),
        "{message}"
    );
}

#[test]
fn urls_that_cannot_be_used_are_named() {
    for bad in [
        "",
        "a",
        "ftp://a/",
        "https://user:secret@a/",
        "https://a/#b",
    ] {
        for (setting, one) in [
            ("issuer", Issuer::oidc(bad).audience("api")),
            ("issuer", Issuer::self_managed(bad)),
            ("backend_url", issuer("https://a/").backend_url(bad)),
            ("jwks_url", issuer("https://a/").jwks_url(bad)),
        ] {
            let message = error([one]);
            let shown = bad.replace("user:secret@", "").replace("#b", "#...");
            assert!(
                message.starts_with(&format!("{setting} `{shown}`")),
                "{message}"
            );
        }
    }
    let message = error([issuer("https://a/?b")]);
    assert!(
        message.contains("`https://a/?...`") && message.contains("query"),
        "{message}"
    );
}

#[test]
fn an_empty_list_of_algorithms_is_an_error() {
    let message = error([issuer("https://a/").algorithms([])]);
    assert_eq!(
        message,
        "issuer `https://a/` has an empty list of algorithms: name at least one, or leave out `algorithms`"
    );
}

#[test]
fn keys_are_located_in_one_way() {
    let keys = StaticKeys::from_jwks("{}");
    let message = error([issuer("https://a/")
        .keys(keys.clone())
        .jwks_url("https://b/")]);
    assert!(
        message.contains("`keys`") && message.contains("`jwks_url`"),
        "{message}"
    );
    let message = error([issuer("https://a/").keys(keys).backend_url("https://b/")]);
    assert!(
        message.contains("`keys`") && message.contains("`backend_url`"),
        "{message}"
    );
}

#[test]
fn a_transport_that_cannot_be_used_is_named() {
    for bad in [
        "",
        "x",
        "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----",
    ] {
        let message = error([issuer("https://a/").ca_certificate(bad)]);
        assert!(message.contains("ca_certificate"), "{message}");
    }
    for bad in ["", "proxy:3128", "socks5://proxy", "http://"] {
        let message = error([issuer("https://a/").proxy(bad)]);
        assert!(message.starts_with(&format!("proxy `{bad}`")), "{message}");
    }
    let key = "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----";
    let message = error([issuer("https://a/").ca_certificate(key)]);
    assert!(
        message.contains("PRIVATE KEY") && !message.contains("s3cret"),
        "{message}"
    );
    let keys = StaticKeys::from_jwks("{}");
    let message = error([issuer("https://a/").keys(keys).proxy("http://proxy:3128")]);
    assert!(
        message.contains("`keys`") && message.contains("`proxy`"),
        "{message}"
    );
}

#[test]
fn r43_loopback_behind_a_proxy_elsewhere_is_not_loopback() {
    let local = || issuer("http://localhost:18080/auth/realms/x");
    let built = |issuer: Issuer| TokenValidator::builder().issuer(issuer).build();
    assert!(built(local()).is_ok());
    for near in [
        "http://127.0.0.1:3128",
        "http://localhost:3128",
        "https://[::1]:3128",
    ] {
        assert!(built(local().proxy(near)).is_ok(), "{near}");
    }
    for far in [
        "http://proxy:3128",
        "https://proxy:3128",
        "http://10.0.0.1:3128",
    ] {
        let message = error([local().proxy(far)]);
        assert!(message.contains("unencrypted"), "{far}: {message}");
        let https = issuer("https://localhost:18443/auth/realms/x");
        assert!(built(https.proxy(far)).is_ok(), "{far}");
        assert!(built(local().proxy(far).allow_http()).is_ok(), "{far}");
    }
}

#[test]
fn a85_no_setting_shows_a_secret_that_it_cannot_use() {
    let urls = [
        "http://user:s3/cret@proxy:3128",
        "user:s3cret@proxy:3128",
        "ftp://user:s3cret@proxy/",
        "https://keycloak/realms/x?key=s3cret",
        "http://keycloak/jwks?key=s3cret#s3cret",
        "https://s3cret@keycloak/",
    ];
    let mut shown = Vec::new();
    for url in urls {
        let built = |issuer: Issuer| TokenValidator::builder().issuer(issuer).build();
        let issuer = || issuer("https://a/");
        shown.push(format!(
            "{:?} {:?}",
            Issuer::oidc(url),
            built(Issuer::oidc(url)).err()
        ));
        for issuer in [
            issuer().proxy(url),
            issuer().backend_url(url),
            issuer().jwks_url(url),
            issuer().ca_certificate(url),
        ] {
            match built(issuer) {
                Ok(_) => {}
                Err(error) => shown.push(format!("{error} {error:?}")),
            }
        }
        for variable in [
            "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI",
            "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWK_SET_URI",
            "CAMUNDA_MODELER_SECURITY_JWT_ISSUER_BACKEND_URL",
            "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWS_ALGORITHMS",
            "CAMUNDA_IDENTITY_TYPE",
        ] {
            let issuer = Issuer::from_vars(|name| match name {
                _ if name == variable => Some(url.to_owned()),
                "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI" => {
                    Some("https://a/".to_owned())
                }
                _ => None,
            });
            shown.push(format!("{issuer:?}"));
            if let Err(error) = issuer {
                shown.push(error.to_string());
            }
        }
    }
    for key in [
        "s3cret",
        "s3cretBASE64==\nAAAA",
        "-----BEGIN s3cret-----",
        " s3cret",
    ] {
        shown.push(error([issuer("https://a/").ca_certificate(key)]));
    }
    assert!(shown.len() > 40);
    for shown in shown {
        assert!(!shown.contains("s3") && !shown.contains("cret"), "{shown}");
    }
}

#[test]
fn r50_a_password_is_not_shown() {
    let secret = "https://admin:s3cret@keycloak/";
    let shown = [
        error([Issuer::oidc(secret).audience("api")]),
        error([issuer("https://a/").backend_url(secret)]),
        format!(
            "{:?}",
            StaticKeys::from_jwks(r#"{"keys":[{"d":"s3cret"}]}"#)
        ),
        Issuer::from_vars(|name| name.ends_with("ISSUER_URI").then(|| secret.to_owned()))
            .unwrap_err()
            .to_string(),
    ];
    for shown in shown {
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}

#[test]
fn static_keys_must_be_usable() {
    for bad in [
        "",
        "{}",
        r#"{"keys":[]}"#,
        r#"{"keys":[{"kty":"oct","k":"AA"}]}"#,
    ] {
        let message = error([issuer("https://a/").keys(StaticKeys::from_jwks(bad))]);
        assert!(message.contains("`https://a/`"), "{message}");
    }
}

#[test]
fn times_have_bounds() {
    let builder = || TokenValidator::builder().issuer(issuer("https://a/"));
    let seconds = Duration::from_secs;
    for (setting, built) in [
        ("leeway", builder().leeway(seconds(301))),
        ("key_max_age", builder().key_max_age(seconds(0))),
        ("key_max_age", builder().key_max_age(seconds(86_401))),
        ("key_max_stale", builder().key_max_stale(seconds(604_801))),
        (
            "key_max_age_hints",
            builder().key_max_age_hints(seconds(0)..=seconds(9)),
        ),
        (
            "key_max_age_hints",
            builder().key_max_age_hints(seconds(9)..=seconds(8)),
        ),
        (
            "key_max_age_hints",
            builder().key_max_age_hints(seconds(9)..=Duration::MAX),
        ),
        (
            "unknown_kid_cooldown",
            builder().unknown_kid_cooldown(seconds(0)),
        ),
        (
            "unknown_kid_cooldown",
            builder().unknown_kid_cooldown(Duration::MAX),
        ),
    ] {
        let message = built.build().unwrap_err().to_string();
        assert!(message.starts_with(setting), "{message}");
    }
    assert!(builder().key_max_stale(seconds(0)).build().is_ok());
}
