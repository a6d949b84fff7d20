//! Projects, in memory. Each belongs to the organization that created it; other organizations
//! cannot see it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header},
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
    fn checked(self) -> Result<String, Trouble> {
        if (1..=255).contains(&self.name.chars().count()) {
            Ok(self.name)
        } else {
            Err(Trouble::Name)
        }
    }
}

/// Problem details (RFC 9457).
#[derive(Serialize, ToSchema)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    #[schema(rename = "type", example = "about:blank")]
    kind: &'static str,
    #[schema(example = "Forbidden")]
    title: &'static str,
    #[schema(example = 403)]
    status: u16,
    #[schema(example = "The token does not permit this operation")]
    detail: &'static str,
}

pub(crate) enum Trouble {
    Full,
    Name,
    NotFound,
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let (status, detail) = match self {
            Self::Full => (
                StatusCode::INSUFFICIENT_STORAGE,
                "There are too many projects",
            ),
            Self::Name => (StatusCode::BAD_REQUEST, "A name has 1 to 255 characters"),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "The organization has no such project",
            ),
        };
        let problem = Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail,
        };
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, kind, Json(problem)).into_response()
    }
}

/// Creates a project. Needs `create:*`.
#[utoipa::path(
    post, path = "/api/v1/projects", tag = "Projects",
    request_body = ProjectName,
    responses(
        (status = 200, description = "The new project", body = Project),
        (status = 400, description = "The name cannot be used", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The token lacks the permission", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The issuer's keys are not available", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn create(
    State(projects): State<Projects>,
    organization: AuthorizedOrganization,
    Json(name): Json<ProjectName>,
) -> Result<Json<Project>, Trouble> {
    let name = name.checked()?;
    let id = Uuid::new_v4();
    projects.with(|names| {
        if names.len() >= Projects::MOST {
            return Err(Trouble::Full);
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
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The token lacks the permission", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The organization has no such project", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The issuer's keys are not available", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read(
    State(projects): State<Projects>,
    organization: AuthorizedOrganization,
    Path(id): Path<Uuid>,
) -> Result<Json<Project>, Trouble> {
    let name = projects.with(|names| names.get(&(organization, id)).cloned());
    let name = name.ok_or(Trouble::NotFound)?;
    Ok(Json(Project { id, name }))
}

/// Renames a project. Needs `update:*`.
#[utoipa::path(
    patch, path = "/api/v1/projects/{id}", tag = "Projects",
    params(("id" = Uuid, Path, description = "The project's id")),
    request_body = ProjectName,
    responses(
        (status = 200, description = "The project", body = Project),
        (status = 400, description = "The name cannot be used", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The token lacks the permission", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The organization has no such project", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The issuer's keys are not available", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn rename(
    State(projects): State<Projects>,
    organization: AuthorizedOrganization,
    Path(id): Path<Uuid>,
    Json(name): Json<ProjectName>,
) -> Result<Json<Project>, Trouble> {
    let name = name.checked()?;
    projects.with(|names| {
        let known = names.get_mut(&(organization, id));
        known.ok_or(Trouble::NotFound)?.clone_from(&name);
        Ok(Json(Project { id, name }))
    })
}

/// Deletes a project. Needs `delete:*`.
#[utoipa::path(
    delete, path = "/api/v1/projects/{id}", tag = "Projects",
    params(("id" = Uuid, Path, description = "The project's id")),
    responses(
        (status = 204, description = "The project is deleted"),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The token lacks the permission", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The organization has no such project", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The issuer's keys are not available", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn delete(
    State(projects): State<Projects>,
    organization: AuthorizedOrganization,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Trouble> {
    let gone = projects.with(|names| names.remove(&(organization, id)));
    gone.map(|_| StatusCode::NO_CONTENT)
        .ok_or(Trouble::NotFound)
}
