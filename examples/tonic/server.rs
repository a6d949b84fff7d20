//! Services, the permission of each method, and the services that need no token.

use std::{pin::Pin, time::SystemTime};

use futures_util::{Stream, StreamExt as _, stream};
use modeler_auth::{
    Access, AuthLayer, AuthorizedOrganization, Permission, RequirePermissionLayer,
    auth::RequestView, reject::Reject, require::Denied,
};
use tokio::sync::broadcast::error::RecvError;
use tonic::{Request, Response, Status, Streaming, service::Routes};

use super::{
    generated::{
        AddFilesResponse, CreateProjectRequest, DeleteFilesRequest, DeleteFilesResponse, File,
        GetProjectRequest, Project, WatchFilesRequest,
        files_server::{Files, FilesServer},
        projects_server::{Projects, ProjectsServer},
    },
    store::Store,
};

/// Descriptors of projects.proto, for the reflection service.
const DESCRIPTORS: &[u8] = include_bytes!("projects.bin");

/// Returns the services: projects and files with a token, health and reflection without.
pub async fn routes<R>(
    auth: AuthLayer<R>,
    store: Store,
) -> Result<Routes, tonic_reflection::server::Error>
where
    R: Reject + Clone + Send + Sync + 'static,
{
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<ProjectsServer<Store>>().await;
    reporter.set_serving::<FilesServer<Store>>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;

    let protected = Routes::new(ProjectsServer::new(store.clone()))
        .add_service(FilesServer::new(store))
        .into_axum_router()
        .layer(RequirePermissionLayer::new(permission_of_method))
        .layer(auth);
    // Services that are added after the layers are open.
    Ok(Routes::from(protected)
        .add_service(health)
        .add_service(reflection))
}

/// Checks the permission of each method; a method that is not listed is denied.
fn permission_of_method(access: &Access, request: &RequestView<'_>) -> Result<(), Denied> {
    access.require(match request.path() {
        "/modeler.v1.Projects/CreateProject" => Permission::Create,
        "/modeler.v1.Projects/GetProject" => Permission::Read,
        "/modeler.v1.Files/AddFiles" => Permission::Create,
        "/modeler.v1.Files/DeleteFiles" => Permission::Delete,
        "/modeler.v1.Files/WatchFiles" => Permission::Read,
        _ => return Err(Denied::always()),
    })
}

/// Returns the access that the layer stored in the extensions of the request.
fn access<T>(request: &Request<T>) -> Result<&Access, Status> {
    let access = request.extensions().get::<Access>();
    access.ok_or_else(|| Status::internal("no AuthLayer wraps this service; add one outside it"))
}

fn organization<T>(request: &Request<T>) -> Result<AuthorizedOrganization, Status> {
    let organization = access(request)?.organization().cloned();
    organization.ok_or_else(|| Status::permission_denied("the token has no organization"))
}

#[tonic::async_trait]
impl Projects for Store {
    async fn create_project(
        &self,
        request: Request<CreateProjectRequest>,
    ) -> Result<Response<Project>, Status> {
        let organization = organization(&request)?;
        let name = request.into_inner().name;
        let id = self.create(organization.as_str(), &name);
        Ok(Response::new(Project { id, name }))
    }

    async fn get_project(
        &self,
        request: Request<GetProjectRequest>,
    ) -> Result<Response<Project>, Status> {
        let organization = organization(&request)?;
        let id = request.into_inner().id;
        let name = self.name(organization.as_str(), &id)?;
        Ok(Response::new(Project { id, name }))
    }
}

#[tonic::async_trait]
impl Files for Store {
    async fn add_files(
        &self,
        request: Request<Streaming<File>>,
    ) -> Result<Response<AddFilesResponse>, Status> {
        let organization = organization(&request)?;
        let mut files = request.into_inner();
        let mut added = 0;
        while let Some(file) = files.message().await? {
            self.add_file(organization.as_str(), &file.project_id, file.name)?;
            added += 1;
        }
        Ok(Response::new(AddFilesResponse { added }))
    }

    async fn delete_files(
        &self,
        request: Request<DeleteFilesRequest>,
    ) -> Result<Response<DeleteFilesResponse>, Status> {
        let organization = organization(&request)?;
        let id = request.into_inner().project_id;
        let deleted = self.delete_files(organization.as_str(), &id)?;
        let deleted = u32::try_from(deleted).map_err(|_| Status::internal("too many files"))?;
        Ok(Response::new(DeleteFilesResponse { deleted }))
    }

    type WatchFilesStream = Pin<Box<dyn Stream<Item = Result<File, Status>> + Send>>;

    async fn watch_files(
        &self,
        request: Request<WatchFilesRequest>,
    ) -> Result<Response<Self::WatchFilesStream>, Status> {
        let organization = organization(&request)?;
        let expires_at = access(&request)?.expires_at();
        let project_id = request.into_inner().project_id;
        let (existing, added) = self.watch(organization.as_str(), &project_id)?;

        let added = stream::unfold(added, |mut added| async move {
            let file = match added.recv().await {
                Ok(file) => Ok(file),
                Err(RecvError::Lagged(_)) => Err(Status::data_loss("files were skipped")),
                Err(RecvError::Closed) => return None,
            };
            Some((file, added))
        });
        // The layer checks the token once, before the call. The method ends the stream.
        let lifetime = expires_at.duration_since(SystemTime::now());
        let added = added.take_until(tokio::time::sleep(lifetime.unwrap_or_default()));
        let expired = Err(Status::unauthenticated("The token has expired"));
        let files = stream::iter(existing.into_iter().map(Ok))
            .chain(added)
            .chain(stream::once(async { expired }))
            .map(move |name| {
                let project_id = project_id.clone();
                name.map(|name| File { project_id, name })
            });
        Ok(Response::new(Box::pin(files)))
    }
}
