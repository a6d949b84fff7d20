//! OpenAPI description of the service.

use serde::Serialize;
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::{
        OpenApi as Document,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::projects::{self, Problem};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Web Modeler-compatible service",
        description = "An example of the crate modeler-auth.",
        version = "v1",
        license(name = "MIT OR Apache-2.0"),
    ),
    paths(
        info,
        projects::create,
        projects::read,
        projects::rename,
        projects::delete
    ),
    modifiers(&Bearer),
    security(("Bearer" = [])),
    tags(
        (name = "Info", description = "Grant of a token"),
        (name = "Projects", description = "A resource that needs the permissions"),
    ),
)]
pub(crate) struct Description;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("Bearer", SecurityScheme::Http(scheme));
    }
}

/// Grant of a token. `v2` reports only the version and the organization.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InfoDto)]
struct Info {
    #[schema(example = "v1")]
    version: String,
    #[schema(example = "12345678-ABCD-DCBA-ABCD-123456789ABC")]
    authorized_organization: String,
    create_permission: Option<bool>,
    read_permission: Option<bool>,
    update_permission: Option<bool>,
    delete_permission: Option<bool>,
}

/// Returns the grant of the token. Needs no permission.
#[utoipa::path(
    get, path = "/api/{version}/info", tag = "Info",
    params(("version" = String, Path, description = "`v1`, `beta` or `v2`", example = "v1")),
    responses(
        (status = 200, description = "The grant of the token", body = Info),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The token is not authorized for an organization", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown version"),
        (status = 503, description = "The issuer's keys are not available", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[expect(dead_code, reason = "only described here, served by InfoService")]
fn info() {}
