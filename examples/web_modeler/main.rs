//! Replacement for Web Modeler: `/api/<version>/info`, projects, and an OpenAPI description.
//! Without configuration it starts a development issuer:
//!
//! ```text
//! cargo run --release --example web_modeler --all-features
//! ```
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `MODELER_ADDR` | address of the service | `127.0.0.1:8070` |
//! | `DEV_ISSUER_ADDR` | address of the development issuer | `127.0.0.1:18080` |
//! | `JWKS_REFRESH_SECONDS` | age in seconds at which keys are stale | 300 |
//! | `JWKS_COOLDOWN_SECONDS` | time in seconds between fetches for unknown key ids | 30 |
//! | `RUST_LOG` | filter of the log | `info` |
//!
//! Web Modeler's own variables and `application.yaml` configure the issuer, see `Issuer::from_env`.
//! The development issuer starts only if there is no such configuration, and if both addresses are
//! loopback.

mod description;
mod problem;
mod projects;
mod settings;

use std::{error::Error, io::IsTerminal as _, net::SocketAddr, process::ExitCode};

use axum::{
    Router,
    http::StatusCode,
    response::Redirect,
    routing::{get, post},
};
use modeler_auth::{
    AuthLayer, ByMethod, InfoService, Issuer, Permission, RequirePermissionLayer, TokenValidator,
    test_util::DevelopmentIssuer,
};
use tokio::signal;
use tracing_subscriber::EnvFilter;
use utoipa::OpenApi as _;
use utoipa_swagger_ui::SwaggerUi;

use crate::{description::Description, projects::Projects, settings::Settings};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("web_modeler: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();

    let settings = Settings::from_env()?;
    let mut builder = TokenValidator::builder()
        .key_max_age(settings.key_max_age)
        .unknown_kid_cooldown(settings.unknown_kid_cooldown);
    let mut development = None;
    if let Some(issuer) = Issuer::from_env()? {
        builder = builder.issuer(issuer);
    } else {
        let started = settings.start_development_issuer().await?;
        let server = started.server();
        let clients: Vec<_> = DevelopmentIssuer::CLIENTS
            .iter()
            .map(|client| client.id)
            .collect();
        tracing::warn!(
            clients = clients.join(", "),
            "tokens of the development issuer are accepted, whose client secrets are published"
        );
        builder = builder
            .issuer(server.self_managed().issuer())
            .issuer(server.saas().issuer());
        development = Some(started);
    }
    let app = app(&builder.build()?);

    let listener = settings.bind().await?;
    let address = listener.local_addr()?;
    println!(
        "Service: {0}  (Swagger UI: {0}/swagger-ui.html)",
        url(address)
    );
    if let Some(development) = &development {
        introduce(development, address);
    }
    axum::serve(listener, app)
        .with_graceful_shutdown(stop_signal())
        .await?;
    Ok(())
}

fn app(validator: &TokenValidator) -> Router {
    let projects = Projects::default();
    let validator_of_probe = validator.clone();
    let is_ready = async move || {
        if validator_of_probe.is_ready() {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    Router::new()
        .route("/api/v1/projects", post(projects::create))
        .route(
            "/api/v1/projects/{id}",
            get(projects::read)
                .patch(projects::rename)
                .delete(projects::delete),
        )
        .route_layer(RequirePermissionLayer::new(ByMethod::new()))
        // The info endpoint needs no permission.
        .route_service("/api/{version}/info", InfoService::new())
        .layer(AuthLayer::new(validator.clone()))
        .with_state(projects)
        // All routes below are public. Camunda's charts probe the paths below /health.
        .route("/ready", get(is_ready.clone()))
        .route("/health/readiness", get(is_ready))
        .route("/health/liveness", get(async || StatusCode::OK))
        .route("/", get(async || Redirect::temporary("/swagger-ui/")))
        .route(
            "/swagger-ui.html",
            get(async || Redirect::temporary("/swagger-ui/")),
        )
        .merge(SwaggerUi::new("/swagger-ui").url("/v3/api-docs", Description::openapi()))
}

/// Prints the clients and the commands to try.
fn introduce(development: &DevelopmentIssuer, address: SocketAddr) {
    let server = development.server();
    let names = |permissions: &[Permission]| {
        let names: Vec<_> = permissions.iter().map(|one| one.name()).collect();
        names.join(" ")
    };
    println!("Development issuer: {}\n", url(server.local_addr()));
    println!("{:<10} {:<17} permissions", "client", "secret");
    for client in DevelopmentIssuer::CLIENTS {
        let permissions = match client.permissions {
            _ if client.is_internal => "only for the internal API: gets 401".to_owned(),
            [] => "none".to_owned(),
            some => names(some),
        };
        println!("{:<10} {:<17} {permissions}", client.id, client.secret);
    }
    println!(
        "
Get a token, as from Camunda Self-Managed:

curl --location --request POST '{token_url}' \\
  --header 'Content-Type: application/x-www-form-urlencoded' \\
  --data-urlencode 'client_id=writer' --data-urlencode 'client_secret=writer-secret' --data-urlencode 'grant_type=client_credentials'

or as from Camunda SaaS:

curl --location --request POST '{saas}oauth/token' \\
  --header 'Content-Type: application/x-www-form-urlencoded' \\
  --data-urlencode 'client_id=writer' --data-urlencode 'client_secret=writer-secret' --data-urlencode 'grant_type=client_credentials' --data-urlencode 'audience=api.cloud.camunda.io'

Then read its grant, with its access_token in place of eyJhb...:

curl -o - '{service}/api/v1/info' -H 'Authorization: Bearer eyJhb...'
",
        token_url = server.self_managed().token_url(),
        saas = server.saas().name(),
        service = url(address),
    );
}

fn url(address: SocketAddr) -> String {
    if address.ip().is_loopback() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

/// Waits for Ctrl-C or, on Unix, SIGTERM.
async fn stop_signal() {
    #[cfg(unix)]
    {
        let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())
            .expect("a handler for SIGTERM can be installed");
        tokio::select! {
            _ = signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = signal::ctrl_c().await;
}
