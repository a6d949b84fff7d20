//! The contenders, each set up as its own documentation has it.

mod axum_jose;
mod axum_jwt_auth;
mod axum_keycloak_auth;
mod huskarl_axum;
mod jwt_authorizer;
mod oauth_resource_server;
mod ours;
mod tower_oauth2_resource_server;

use axum::{
    Router,
    body::Body,
    routing::{RouterIntoService, get},
};

use crate::{
    contender::Contender,
    crypto::Backend,
    issuer::{Setup, SetupKind},
};

/// The name of the contender without any check.
pub const OPEN: &str = "axum alone, no check";

/// How the names of our own contenders begin.
pub const OURS: &str = "modeler-auth";

/// Every contender that can validate the tokens of `setup`.
pub async fn all(setup: &Setup) -> Vec<Contender> {
    let mut all = vec![
        Contender::new(OPEN, Backend::None, open().into_service::<Body>()),
        ours(", token new", ours::checking_anew(setup).await),
        ours(", token seen before", ours::remembering(setup).await),
        Contender::new(
            named("jwt-authorizer", ""),
            Backend::Fixed,
            jwt_authorizer::router(setup).await,
        ),
        peer("axum-jose", "", Backend::AwsLcRs, axum_jose::router(setup)),
        peer(
            "oauth-resource-server",
            "",
            Backend::Fixed,
            oauth_resource_server::router(setup).await,
        ),
    ];
    let router = huskarl_axum::router(setup).await;
    all.push(peer("huskarl-axum", "", Backend::Fixed, router));
    for (setting, backend) in [
        (", as shipped (rust_crypto)", Backend::RustCrypto),
        (", aws_lc_rs", Backend::AwsLcRs),
    ] {
        let router = axum_jwt_auth::router(setup).await;
        all.push(peer("axum-jwt-auth", setting, backend, router));
    }
    for (setting, backend) in [
        (", default (rust_crypto)", Backend::RustCrypto),
        (", aws_lc_rs", Backend::AwsLcRs),
    ] {
        let router = tower_oauth2_resource_server::router(setup).await;
        all.push(peer(
            "tower-oauth2-resource-server",
            setting,
            backend,
            router,
        ));
    }
    // It insists on claims that Auth0 does not write.
    if let SetupKind::Keycloak(_) = setup.kind {
        for (realm, setting) in [
            ("signing-first", ", signing key listed first"),
            ("encryption-first", ", encryption key listed first"),
        ] {
            let router = axum_keycloak_auth::router(setup, realm).await;
            all.push(peer("axum-keycloak-auth", setting, Backend::Fixed, router));
        }
    }
    all
}

fn ours(setting: &str, router: Router) -> Contender {
    peer(OURS, setting, Backend::Fixed, router)
}

fn peer(package: &str, setting: &str, backend: Backend, router: Router) -> Contender {
    let service: RouterIntoService<Body> = router.into_service();
    Contender::new(named(package, setting), backend, service)
}

/// The route every contender protects.
fn open() -> Router {
    Router::new().route("/", get(async || ()))
}

/// The name of a contender, with the version that was built.
fn named(package: &str, setting: &str) -> String {
    let (_, after) = include_str!("../../Cargo.lock")
        .split_once(&format!("name = \"{package}\"\nversion = \""))
        .expect("every contender is in the lock file");
    let (version, _) = after.split_once('"').expect("a quoted version");
    format!("{package} {version}{setting}")
}
