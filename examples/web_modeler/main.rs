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
//! | `MANAGEMENT_SERVER_PORT` | port of `/metrics` for Prometheus and of the probes; Web Modeler has 8091 | none |
//! | `MANAGEMENT_SERVER_ADDRESS` | IP address of that port | that of the service |
//! | `JWKS_REFRESH_SECONDS` | age in seconds at which keys are stale | 300 |
//! | `JWKS_COOLDOWN_SECONDS` | time in seconds between fetches for unknown key ids | 30 |
//! | `RUST_LOG` | filter of the log | `info` |
//! | `NO_COLOR` | if not empty, the log has no colors on a terminal either | none |
//!
//! Web Modeler's own variables and `application.yaml` configure the issuer, see `Issuer::from_env`.
//! The development issuer starts only if there is no such configuration, and if both addresses are
//! loopback.

mod description;
mod introduction;
mod management;
mod problem;
mod projects;
mod settings;

use std::{env, error::Error, io::IsTerminal as _, process::ExitCode};

use axum::{
    Router,
    response::Redirect,
    routing::{get, post},
};
use modeler_auth::{
    AuthLayer, ByMethod, InfoService, Issuer, RequirePermissionLayer, TokenValidator,
    test_util::DevelopmentIssuer,
};
use tokio::signal;
use tracing_subscriber::EnvFilter;
use utoipa::OpenApi as _;
use utoipa_swagger_ui::SwaggerUi;

use crate::{
    description::Description, introduction::Introduction, management::Management,
    projects::Projects, settings::Settings,
};

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
        .with_ansi(is_colored())
        .init();

    let settings = Settings::from_env()?;
    let management = settings.bind_management().await?;
    let management = management.map(Management::new).transpose()?;
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
    let validator = builder.build()?;
    let app = app(&validator);

    let listener = settings.bind().await?;
    let introduction = Introduction {
        service: listener.local_addr()?,
        management: management.as_ref().map(Management::address).transpose()?,
        development: development.as_ref(),
    };
    println!("{introduction}");
    if let Some(management) = management {
        management.serve(&validator);
    }
    axum::serve(listener, app)
        .with_graceful_shutdown(stop_signal())
        .await?;
    Ok(())
}

/// Returns whether the log has colors: on a terminal, unless `NO_COLOR` (<https://no-color.org>) is set.
fn is_colored() -> bool {
    let is_forbidden = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !is_forbidden
}

fn app(validator: &TokenValidator) -> Router {
    let projects = Projects::default();
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
        // All routes below are public.
        .merge(management::probes(validator))
        .route("/", get(to_swagger_ui))
        .route("/swagger-ui.html", get(to_swagger_ui))
        .merge(SwaggerUi::new("/swagger-ui").url("/v3/api-docs", Description::openapi()))
}

async fn to_swagger_ui() -> Redirect {
    Redirect::temporary("/swagger-ui/")
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
