//! Projects, in memory. Each belongs to the organization that created it; other organizations
//! cannot see it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use modeler_auth::AuthorizedOrganization;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

type Names = HashMap<(AuthorizedOrganization, Uuid), String>;

/// All projects.
#[derive(Clone, Default)]
pub(crate) struct Projects(Arc<Mutex<Names>>);

impl Projects {
    /// Limit of this example; beyond it, creating a project gets 507.
    const MOST: usize = 10_000;

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

impl ProjectName {
    fn checked(self, uri: &Uri) -> Result<String, ProblemDetail> {
        if (1..=255).contains(&self.name.chars().count()) {
            Ok(self.name)
        } else {
            let detail = "A name has 1 to 255 characters";
            Err(ProblemDetail::new(StatusCode::BAD_REQUEST, detail, uri))
        }
    }
}

/// Problem details (RFC 9457).
#[derive(Serialize, ToSchema)]
pub(crate) struct ProblemDetail {
    /// A URI that identifies the problem type.
    #[serde(rename = "type")]
    #[schema(rename = "type", format = "uri", default = "about:blank")]
    kind: &'static str,
    /// A summary of the problem type.
    #[schema(example = "Forbidden")]
    title: &'static str,
    /// The HTTP status code.
    #[schema(value_type = i32, minimum = 400, maximum = 600, example = 403)]
    status: u16,
    /// An explanation of the problem.
    #[schema(example = "The token does not permit this operation")]
    detail: &'static str,
    /// The path of the request.
    #[schema(format = "uri-reference", example = "/api/v1/projects")]
    instance: String,
}

impl ProblemDetail {
    fn new(status: StatusCode, detail: &'static str, uri: &Uri) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail,
            instance: uri.path().to_owned(),
        }
    }

    fn not_found(uri: &Uri) -> Self {
        let detail = "The organization has no such project";
        Self::new(StatusCode::NOT_FOUND, detail, uri)
    }
}

impl IntoResponse for ProblemDetail {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).expect("it comes from a StatusCode");
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, kind, Json(self)).into_response()
    }
}

/// Creates a project. Needs `create:*`.
#[utoipa::path(
    post, path = "/api/v1/projects", tag = "Projects",
    request_body = ProjectName,
    responses(
        (status = 200, description = "The new project", body = Project),
        (status = 400, description = "The name cannot be used", body = ProblemDetail, content_type = "application/problem+json"),
        (status = 401, description = "No valid token", body = ProblemDetail, content_type = "application/problem+json", headers(("WWW-Authenticate" = String))),
        (status = 403, description = "The token lacks the permission", body = ProblemDetail, content_type = "application/problem+json", headers(("WWW-Authenticate" = String))),
        (status = 503, description = "The issuer's keys are not available", body = ProblemDetail, content_type = "application/problem+json", headers(("Retry-After" = u32))),
        (status = 507, description = "There are too many projects", body = ProblemDetail, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn create(
    State(projects): State<Projects>,
    organization: AuthorizedOrganization,
    uri: Uri,
    Json(name): Json<ProjectName>,
) -> Result<Json<Project>, ProblemDetail> {
    let name = name.checked(&uri)?;
    let id = Uuid::new_v4();
    projects.with(|names| {
        if names.len() >= Projects::MOST {
            let detail = "There are too many projects";
            return Err(ProblemDetail::new(
                StatusCode::INSUFFICIENT_STORAGE,
                detail,
                &uri,
            ));
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
        (status = 200, description = "The project", body = Project),
        (status = 401, description = "No valid token", body = ProblemDetail, content_type = "application/problem+json", headers(("WWW-Authenticate" = String))),
        (status = 403, description = "The token lacks the permission", body = ProblemDetail, content_type = "application/problem+json", headers(("WWW-Authenticate" = String))),
        (status = 404, description = "The organization has no such project", body = ProblemDetail, content_type = "application/problem+json"),
        (status = 503, description = "The issuer's keys are not available", body = ProblemDetail, content_type = "application/problem+json", headers(("Retry-After" = u32))),
    ),
)]
pub(crate) async fn read(
    State(projects): State<Projects>,
    organization: AuthorizedOrganization,
    uri: Uri,
    Path(id): Path<Uuid>,
) -> Result<Json<Project>, ProblemDetail> {
    let name = projects.with(|names| names.get(&(organization, id)).cloned());
    let name = name.ok_or_else(|| ProblemDetail::not_found(&uri))?;
    Ok(Json(Project { id, name }))
}

/// Renames a project. Needs `update:*`.
#[utoipa::path(
    patch, path = "/api/v1/projects/{id}", tag = "Projects",
    params(("id" = Uuid, Path, description = "The project's id")),
    request_body = ProjectName,
    responses(
        (status = 200, description = "The project", body = Project),
        (status = 400, description = "The name cannot be used", body = ProblemDetail, content_type = "application/problem+json"),
        (status = 401, description = "No valid token", body = ProblemDetail, content_type = "application/problem+json", headers(("WWW-Authenticate" = String))),
        (status = 403, description = "The token lacks the permission", body = ProblemDetail, content_type = "application/problem+json", headers(("WWW-Authenticate" = String))),
        (status = 404, description = "The organization has no such project", body = ProblemDetail, content_type = "application/problem+json"),
        (status = 503, description = "The issuer's keys are not available", body = ProblemDetail, content_type = "application/problem+json", headers(("Retry-After" = u32))),
    ),
)]
pub(crate) async fn rename(
    State(projects): State<Projects>,
    organization: AuthorizedOrganization,
    uri: Uri,
    Path(id): Path<Uuid>,
    Json(name): Json<ProjectName>,
) -> Result<Json<Project>, ProblemDetail> {
    let name = name.checked(&uri)?;
    projects.with(|names| {
        let known = names.get_mut(&(organization, id));
        known
            .ok_or_else(|| ProblemDetail::not_found(&uri))?
            .clone_from(&name);
        Ok(Json(Project { id, name }))
    })
}

/// Deletes a project. Needs `delete:*`.
#[utoipa::path(
    delete, path = "/api/v1/projects/{id}", tag = "Projects",
    params(("id" = Uuid, Path, description = "The project's id")),
    responses(
        (status = 204, description = "The project is deleted"),
        (status = 401, description = "No valid token", body = ProblemDetail, content_type = "application/problem+json", headers(("WWW-Authenticate" = String))),
        (status = 403, description = "The token lacks the permission", body = ProblemDetail, content_type = "application/problem+json", headers(("WWW-Authenticate" = String))),
        (status = 404, description = "The organization has no such project", body = ProblemDetail, content_type = "application/problem+json"),
        (status = 503, description = "The issuer's keys are not available", body = ProblemDetail, content_type = "application/problem+json", headers(("Retry-After" = u32))),
    ),
)]
pub(crate) async fn delete(
    State(projects): State<Projects>,
    organization: AuthorizedOrganization,
    uri: Uri,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, ProblemDetail> {
    let gone = projects.with(|names| names.remove(&(organization, id)));
    gone.map(|_| StatusCode::NO_CONTENT)
        .ok_or_else(|| ProblemDetail::not_found(&uri))
}
