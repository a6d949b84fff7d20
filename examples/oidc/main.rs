//! OAuth 2.0 resource server for any OpenID provider: scopes, step-up authentication, an optional route,
//! and metadata by which clients find the provider.
//!
//! ```text
//! OIDC_ISSUER=https://login.example.com/ OIDC_AUDIENCE=https://api.example.com/ \
//!     cargo run --release --example oidc --features axum,test-util
//! ```
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `OIDC_ISSUER` | `iss` of the tokens | none, must be set |
//! | `OIDC_AUDIENCE` | `aud` of the tokens | none, must be set |
//! | `OIDC_JWKS_URL` | URL of the key set | the one in the issuer's discovery document |
//! | `OIDC_PUBLIC_URL` | URL by which clients reach the service, for its metadata | `http://` and the address, if that is loopback |
//! | `OIDC_ADDR` | address of the service | `127.0.0.1:8080` |
//! | `RUST_LOG` | filter of the log | `info` |
//!
//! | route | a token with |
//! |---|---|
//! | `GET /orders` | the scope `orders:read` |
//! | `POST /orders` | the scopes `orders:write` and `orders:read` |
//! | `DELETE /orders/{id}` | `acr` = `2`, and `auth_time` at most 300 s ago |
//! | `GET /me` | no token, or any valid one |
//! | `GET /.well-known/oauth-protected-resource` | no token |

mod orders;
mod settings;

use std::{error::Error, io::IsTerminal as _, process::ExitCode};

use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::settings::Settings;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("oidc: {error}");
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
    let address = settings.address;
    let app = orders::app(&settings.validator()?)?;
    let listener = TcpListener::bind(address).await.map_err(|error| {
        format!("variable OIDC_ADDR = {address} cannot be used: {error}; set it to a free address of this machine")
    })?;
    println!("Service: http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
