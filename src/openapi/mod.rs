//! Descriptions for OpenAPI documents of utoipa (feature `utoipa`).
//!
//! | type | describes |
//! |---|---|
//! | [`BearerScheme`] | the security scheme, and the schema of the bodies below |
//! | [`AuthResponses`] | the rejections of [`AuthLayer`](crate::AuthLayer): 400, 401, 503 |
//! | [`PermissionResponses`] | these and 403: the rejections of rules, extractors and [`InfoService`](crate::InfoService) |
//! | [`ProblemDetail`] | the schema of their bodies, also for errors of your own in the same form |
//!
//! 1. utoipa keeps the last description of a status. Place the type first in `responses(..)`, and
//!    your own description of a status after it.
//! 2. The bodies are those of [`Problem`](crate::reject::Problem), the default, and of
//!    [`HubProblem`](crate::camunda::HubProblem). With any other renderer, describe the responses
//!    yourself.
//! 3. The status 500 of a missing [`AuthLayer`](crate::AuthLayer) is not described: it is an error
//!    of the service.
//!
//! ```
//! use axum::{Json, extract::Path};
//! use modeler_auth::{
//!     AuthorizedOrganization,
//!     openapi::{AuthResponses, BearerScheme, PermissionResponses, ProblemDetail},
//! };
//! use utoipa::OpenApi;
//!
//! #[utoipa::path(
//!     get,
//!     path = "/projects/{id}",
//!     responses(
//!         PermissionResponses,
//!         (status = 200, description = "The name of the project", body = String),
//!         (status = 404, description = "No such project", body = ProblemDetail, content_type = "application/problem+json"),
//!     ),
//! )]
//! async fn read_project(organization: AuthorizedOrganization, Path(id): Path<String>) -> Json<String> {
//!     Json(format!("project {id} of {organization}"))
//! }
//!
//! #[utoipa::path(get, path = "/time", responses(AuthResponses, (status = 200, body = String)))]
//! async fn time() -> Json<String> {
//!     Json("12:00".to_owned())
//! }
//!
//! const BEARER: BearerScheme = BearerScheme::new("Bearer");
//!
//! #[derive(OpenApi)]
//! #[openapi(paths(read_project, time), modifiers(&BEARER), security(("Bearer" = [])))]
//! struct Description;
//!
//! let document = serde_json::to_value(Description::openapi())?;
//! let scheme = &document["components"]["securitySchemes"]["Bearer"];
//! assert_eq!(scheme["scheme"], "bearer");
//! let statuses = |path: &str| {
//!     let responses = document["paths"][path]["get"]["responses"].as_object();
//!     responses.into_iter().flatten().map(|(status, _)| status.clone()).collect::<Vec<_>>()
//! };
//! assert_eq!(statuses("/projects/{id}"), ["200", "400", "401", "403", "404", "503"]);
//! assert_eq!(statuses("/time"), ["200", "400", "401", "503"]);
//! # Ok::<(), serde_json::Error>(())
//! ```

mod problem_detail;
mod responses;
mod scheme;

pub use self::{
    problem_detail::ProblemDetail,
    responses::{AuthResponses, PermissionResponses},
    scheme::BearerScheme,
};
