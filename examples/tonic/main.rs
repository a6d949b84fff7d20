//! gRPC service behind the layer, with a permission for each method, and a client that calls it:
//!
//! ```text
//! cargo run --example tonic --all-features
//! ```

#[rustfmt::skip]
#[allow(clippy::all, clippy::pedantic)]
mod generated;

use std::{
    collections::HashMap,
    error::Error,
    sync::{Mutex, PoisonError},
};

use modeler_auth::{
    Access, AuthLayer, Permission, RequirePermissionLayer, TokenValidator, auth::RequestView,
    require::Denied, test_util::TestIssuer,
};
use tokio::net::TcpListener;
use tonic::{
    Request, Response, Status,
    metadata::MetadataValue,
    transport::{Channel, Server, server::TcpIncoming},
};

use crate::generated::{
    CreateProjectRequest, GetProjectRequest, Project,
    projects_client::ProjectsClient,
    projects_server::{Projects, ProjectsServer},
};

/// Project names by organization and id.
#[derive(Default)]
struct InMemory(Mutex<HashMap<(String, String), String>>);

#[tonic::async_trait]
impl Projects for InMemory {
    async fn create_project(
        &self,
        request: Request<CreateProjectRequest>,
    ) -> Result<Response<Project>, Status> {
        let organization = organization(&request)?;
        let name = request.into_inner().name;
        let mut projects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = projects.len().to_string();
        projects.insert((organization, id.clone()), name.clone());
        Ok(Response::new(Project { id, name }))
    }

    async fn get_project(
        &self,
        request: Request<GetProjectRequest>,
    ) -> Result<Response<Project>, Status> {
        let organization = organization(&request)?;
        let id = request.into_inner().id;
        let projects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = projects.get(&(organization, id.clone())).cloned();
        let name = name.ok_or_else(|| Status::not_found("no such project"))?;
        Ok(Response::new(Project { id, name }))
    }
}

/// Returns the organization of the access, which the layer inserted into the request's extensions.
fn organization<T>(request: &Request<T>) -> Result<String, Status> {
    let access = request.extensions().get::<Access>();
    let organization = access.and_then(Access::organization);
    let organization = organization.ok_or_else(|| Status::permission_denied("no organization"))?;
    Ok(organization.to_string())
}

/// Checks the permission of each method; a method that is not listed is denied.
fn by_path(access: &Access, request: &RequestView<'_>) -> Result<(), Denied> {
    match request.path() {
        "/modeler.v1.Projects/CreateProject" => access.require(Permission::Create),
        "/modeler.v1.Projects/GetProject" => access.require(Permission::Read),
        _ => Err(Denied::always()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // In production: `Issuer::self_managed(url)` or `Issuer::saas(organization)`.
    let issuer = TestIssuer::self_managed();
    let validator = TokenValidator::builder().issuer(issuer.issuer()).build()?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = Server::builder()
        .layer(AuthLayer::new_for_grpc(validator))
        .layer(RequirePermissionLayer::new(by_path))
        .add_service(ProjectsServer::new(InMemory::default()))
        .serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(server);

    let channel = Channel::from_shared(format!("http://{address}"))?
        .connect()
        .await?;
    let writer = issuer
        .token()
        .permissions([Permission::Create, Permission::Read])
        .sign();
    let reader = issuer.token().permissions([Permission::Read]).sign();

    let mut client = ProjectsClient::new(channel);
    let create = || CreateProjectRequest {
        name: "Claims handling".to_owned(),
    };
    let project = client.create_project(with(&writer, create())?).await?;
    println!("created: {:?}", project.get_ref());

    let get = GetProjectRequest {
        id: project.into_inner().id,
    };
    let project = client.get_project(with(&reader, get)?).await?;
    println!("read:    {:?}", project.get_ref());

    let rejected = client.create_project(with(&reader, create())?).await;
    let status = rejected.expect_err("a reader must not create");
    println!("rejected: {:?}: {}", status.code(), status.message());

    let rejected = client.create_project(create()).await;
    let status = rejected.expect_err("a token is needed");
    println!("rejected: {:?}: {}", status.code(), status.message());
    Ok(())
}

/// Returns a request of `message` with a Bearer token.
fn with<T>(token: &str, message: T) -> Result<Request<T>, Box<dyn Error>> {
    let mut request = Request::new(message);
    let value: MetadataValue<_> = format!("Bearer {token}").parse()?;
    request.metadata_mut().insert("authorization", value);
    Ok(request)
}
