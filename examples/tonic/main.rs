//! gRPC services behind the layer, with a permission for each method, and a client that calls them
//! and renews its token:
//!
//! ```text
//! cargo run --example tonic --all-features
//! ```
//!
//! With two addresses, it serves until it is ended, for clients such as grpcurl:
//!
//! ```text
//! cargo run --example tonic --all-features -- 127.0.0.1:50051 127.0.0.1:18080
//! ```

mod addresses;
mod fresh_token;
#[rustfmt::skip]
#[allow(clippy::all, clippy::pedantic)]
mod generated;
mod server;
mod store;

use std::{env, future, io, net::SocketAddr, time::Duration};

use futures_util::stream;
use modeler_auth::{AuthLayer, TokenValidator, test_util::DevelopmentIssuer};
use serde::Deserialize;
use tokio::net::TcpListener;
use tonic::transport::{Channel, Server, server::TcpIncoming};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    addresses::Addresses,
    fresh_token::{BoxError, FreshToken, IssuedToken},
    generated::{
        CreateProjectRequest, DeleteFilesRequest, File, GetProjectRequest, WatchFilesRequest,
        files_client::FilesClient, projects_client::ProjectsClient,
    },
    store::Store,
};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match Addresses::from_arguments(&arguments)? {
        Some(addresses) => {
            let servers = Servers::start(addresses).await?;
            println!("services: {}", servers.address);
            println!("tokens:   {}", servers.token_url());
            future::pending().await
        }
        None => run().await,
    }
}

/// The services, and the issuer of their tokens.
struct Servers {
    address: SocketAddr,
    issuer: DevelopmentIssuer,
}

impl Servers {
    async fn start(addresses: Addresses) -> Result<Self, BoxError> {
        let unusable = |address| {
            move |error: io::Error| {
                format!("address {address} cannot be used: {error}; write a free one")
            }
        };
        // In production: `Issuer::self_managed(url)` or `Issuer::saas(organization)`.
        let issuer = DevelopmentIssuer::start(addresses.issuer).await;
        let issuer = issuer.map_err(unusable(addresses.issuer))?;
        let validator = TokenValidator::builder()
            .issuer(issuer.server().self_managed().issuer())
            .build()?;

        let listener = TcpListener::bind(addresses.services).await;
        let listener = listener.map_err(unusable(addresses.services))?;
        let address = listener.local_addr()?;
        let routes = server::routes(AuthLayer::new_for_grpc(validator), Store::default()).await?;
        let server = Server::builder().add_routes(routes);
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        Ok(Self { address, issuer })
    }

    fn token_url(&self) -> String {
        self.issuer.server().self_managed().token_url()
    }
}

/// Calls the services as two clients, and without a token.
async fn run() -> Result<(), BoxError> {
    let servers = Servers::start(Addresses::FREE).await?;
    let channel = Channel::from_shared(format!("http://{}", servers.address))?
        .connect()
        .await?;
    let writer = token_of("writer", &servers).await?;
    let reader = token_of("reader", &servers).await?;
    let create = || CreateProjectRequest {
        name: "Claims handling".to_owned(),
    };

    let mut projects = ProjectsClient::with_interceptor(channel.clone(), writer.clone());
    let project = projects.create_project(create()).await?.into_inner();
    println!("created:  {project:?}");

    let mut readable = ProjectsClient::with_interceptor(channel.clone(), reader.clone());
    let id = project.id.clone();
    let found = readable.get_project(GetProjectRequest { id }).await?;
    println!("read:     {:?}", found.into_inner());

    let mut files = FilesClient::with_interceptor(channel.clone(), reader);
    let watch = WatchFilesRequest {
        project_id: project.id.clone(),
    };
    let mut watched = files.watch_files(watch).await?.into_inner();
    let new_files = ["claim.bpmn", "approval.dmn"].map(|name| File {
        project_id: project.id.clone(),
        name: name.to_owned(),
    });
    let mut files = FilesClient::with_interceptor(channel.clone(), writer);
    let added = files.add_files(stream::iter(new_files)).await?;
    println!("added:    {:?}", added.into_inner());
    for _ in 0..2 {
        println!("watched:  {:?}", watched.message().await?);
    }

    let rejected = readable.create_project(create()).await;
    let status = rejected.expect_err("a reader must not create");
    println!("rejected: {:?}: {}", status.code(), status.message());
    let delete = DeleteFilesRequest {
        project_id: project.id,
    };
    let rejected = files.delete_files(delete).await;
    let status = rejected.expect_err("a writer must not delete");
    println!("rejected: {:?}: {}", status.code(), status.message());
    let rejected = ProjectsClient::new(channel.clone())
        .create_project(create())
        .await;
    let status = rejected.expect_err("a token is needed");
    println!("rejected: {:?}: {}", status.code(), status.message());

    let service = "modeler.v1.Projects".to_owned();
    let health = HealthClient::new(channel)
        .check(HealthCheckRequest { service })
        .await?;
    println!("health, without a token: {:?}", health.get_ref().status());
    Ok(())
}

/// Returns an interceptor with the tokens of a client.
async fn token_of(client: &'static str, servers: &Servers) -> Result<FreshToken, BoxError> {
    let url = servers.token_url();
    let http = reqwest::Client::new();
    FreshToken::start(move || request_token(http.clone(), url.clone(), client)).await
}

/// Requests a token with the client credentials grant (RFC 6749 §4.4).
async fn request_token(
    http: reqwest::Client,
    url: String,
    client: &str,
) -> Result<IssuedToken, BoxError> {
    #[derive(Deserialize)]
    struct TokenResponse {
        access_token: String,
        expires_in: u64,
    }

    let form =
        format!("grant_type=client_credentials&client_id={client}&client_secret={client}-secret");
    let response = http
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await?
        .error_for_status()?;
    let response: TokenResponse = serde_json::from_slice(&response.bytes().await?)?;
    Ok(IssuedToken {
        access_token: response.access_token,
        lifetime: Duration::from_secs(response.expires_in),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_client_gets_the_expected_answers() {
        run().await.unwrap();
    }

    #[tokio::test]
    async fn an_address_in_use_is_named() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let taken = taken.local_addr().unwrap();
        let free = Addresses::FREE;
        for addresses in [
            Addresses {
                services: taken,
                ..free
            },
            Addresses {
                issuer: taken,
                ..free
            },
        ] {
            let error = Servers::start(addresses).await.err().unwrap().to_string();
            let expected = format!("address {taken} cannot be used: ");
            assert!(error.starts_with(&expected), "{error}");
            assert!(error.ends_with("; write a free one"), "{error}");
        }
    }
}
