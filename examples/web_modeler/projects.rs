//! Projects, in memory. Each belongs to the organization that created it; other organizations
//! cannot see it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Path, Request, State},
    http::{StatusCode, Uri, request::Parts},
};
use modeler_auth::{
    AuthorizedOrganization,
    openapi::{PermissionResponses, ProblemDetail},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::problem::Problem;

type Names = HashMap<(AuthorizedOrganization, Uuid), String>;

/// All projects.
#[derive(Clone, Default)]
pub(crate) struct Projects(Arc<Mutex<Names>>);

impl Projects {
    /// Limit of this example; beyond it, creating a project gets 507.
    pub(crate) const MOST: usize = 1_000;

    fn with<T>(&self, work: impl FnOnce(&mut Names) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A project.
#[derive(Serialize, ToSchema)]
pub(crate) struct Project {
    /// Id of the project.
    id: Uuid,
    /// Name of the project.
    #[schema(example = "Claims handling")]
    name: String,
}

/// Writable properties of a project.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ProjectName {
    /// 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255, example = "Claims handling")]
    name: String,
}

impl<S: Send + Sync> FromRequest<S> for ProjectName {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let uri = request.uri().clone();
        let problem = |status, detail| Problem::new(status, detail, &uri);
        let body = Json::<Self>::from_request(request, state).await;
        let Json(body) = body.map_err(|rejection| match rejection.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                problem(rejection.status(), "The content type is not JSON")
            }
            StatusCode::PAYLOAD_TOO_LARGE => problem(rejection.status(), "The body is too large"),
            _ => problem(
                StatusCode::BAD_REQUEST,
                "The body is not a JSON object with a name",
            ),
        })?;
        if (1..=255).contains(&body.name.chars().count()) {
            Ok(body)
        } else {
            Err(problem(
                StatusCode::BAD_REQUEST,
                "A name has 1 to 255 characters",
            ))
        }
    }
}

/// Id of a project, from the path.
pub(crate) struct ProjectId(Uuid);

impl<S: Send + Sync> FromRequestParts<S> for ProjectId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Ok(Path(id)) = Path::from_request_parts(parts, state).await else {
            let detail = "The id of the project is not a UUID";
            let status = StatusCode::BAD_REQUEST;
            return Err(Problem::new(status, detail, &parts.uri));
        };
        Ok(Self(id))
    }
}

/// Creates a project. Needs `create:*`.
#[utoipa::path(
    post, path = "/api/v1/projects", tag = "Projects",
    request_body = ProjectName,
    responses(
        PermissionResponses,
        (status = 200, description = "The new project", body = Project),
        (status = 400, description = "The name or the Authorization header cannot be used", body = ProblemDetail, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "If the Authorization header is malformed."))),
        (status = 413, description = "The body is too large", body = ProblemDetail, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemDetail, content_type = "application/problem+json"),
        (status = 507, description = "There are too many projects", body = ProblemDetail, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn create(
    State(projects): State<Projects>,
    organization: AuthorizedOrganization,
    uri: Uri,
    ProjectName { name }: ProjectName,
) -> Result<Json<Project>, Problem> {
    let id = Uuid::new_v4();
    projects.with(|names| {
        if names.len() >= Projects::MOST {
            let detail = "There are too many projects";
            return Err(Problem::new(StatusCode::INSUFFICIENT_STORAGE, detail, &uri));
        }
        names.insert((organization, id), name.clone());
        Ok(Json(Project { id, name }))
    })
}

/// Reads a project. Needs `read:*`.
#[utoipa::path(
    get, path = "/api/v1/projects/{id}", tag = "Projects",
    params(("id" = Uuid, Path, description = "The project's id")),
    responses(
        PermissionResponses,
        (status = 200, description = "The project", body = Project),
        (status = 400, description = "The id or the Authorization header cannot be used", body = ProblemDetail, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "If the Authorization header is malformed."))),
        (status = 404, description = "The organization has no such project", body = ProblemDetail, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read(
    State(projects): State<Projects>,
    organization: AuthorizedOrganization,
    uri: Uri,
    ProjectId(id): ProjectId,
) -> Result<Json<Project>, Problem> {
    let name = projects.with(|names| names.get(&(organization, id)).cloned());
    let name = name.ok_or_else(|| Problem::not_found(&uri))?;
    Ok(Json(Project { id, name }))
}

/// Renames a project. Needs `update:*`.
#[utoipa::path(
    patch, path = "/api/v1/projects/{id}", tag = "Projects",
    params(("id" = Uuid, Path, description = "The project's id")),
    request_body = ProjectName,
    responses(
        PermissionResponses,
        (status = 200, description = "The project", body = Project),
        (status = 400, description = "The name, the id or the Authorization header cannot be used", body = ProblemDetail, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "If the Authorization header is malformed."))),
        (status = 413, description = "The body is too large", body = ProblemDetail, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemDetail, content_type = "application/problem+json"),
        (status = 404, description = "The organization has no such project", body = ProblemDetail, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn rename(
    State(projects): State<Projects>,
    organization: AuthorizedOrganization,
    uri: Uri,
    ProjectId(id): ProjectId,
    ProjectName { name }: ProjectName,
) -> Result<Json<Project>, Problem> {
    projects.with(|names| {
        let known = names.get_mut(&(organization, id));
        known
            .ok_or_else(|| Problem::not_found(&uri))?
            .clone_from(&name);
        Ok(Json(Project { id, name }))
    })
}

/// Deletes a project. Needs `delete:*`.
#[utoipa::path(
    delete, path = "/api/v1/projects/{id}", tag = "Projects",
    params(("id" = Uuid, Path, description = "The project's id")),
    responses(
        PermissionResponses,
        (status = 204, description = "The project is deleted"),
        (status = 400, description = "The id or the Authorization header cannot be used", body = ProblemDetail, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "If the Authorization header is malformed."))),
        (status = 404, description = "The organization has no such project", body = ProblemDetail, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn delete(
    State(projects): State<Projects>,
    organization: AuthorizedOrganization,
    uri: Uri,
    ProjectId(id): ProjectId,
) -> Result<StatusCode, Problem> {
    let gone = projects.with(|names| names.remove(&(organization, id)));
    gone.map(|_| StatusCode::NO_CONTENT)
        .ok_or_else(|| Problem::not_found(&uri))
}
