//! salvo 1: middleware that authenticates and authorizes.

use http::request::Parts;
use modeler_auth::{
    Access, AuthError, ByMethod, Permission, TokenValidator, reject::Problem,
    require::PermissionRule,
};
use salvo::{
    Depot, FlowCtrl, Handler, Request, Response, Router, async_trait, handler, http::StatusError,
};

/// Returns the routes of the service.
pub fn routes(validator: &TokenValidator) -> Router {
    let may_read = Require::new(validator, ByMethod::new());
    let may_delete = Require::new(validator, Permission::Delete);
    let project = Router::with_path("projects/{id}");
    Router::new()
        .push(Router::with_path("health").get(health))
        .push(Router::with_path("hello").hoop(may_read).get(hello))
        .push(project.hoop(may_delete).delete(delete_project))
}

#[handler]
async fn health() -> &'static str {
    "ok"
}

#[handler]
pub async fn hello(depot: &mut Depot) -> Result<String, StatusError> {
    let access = depot.get_typed::<Access>().map_err(|_| {
        StatusError::internal_server_error().brief("no Access; add Require to the route")
    })?;
    Ok(format!("Hello, {}!", access.subject().unwrap_or("nobody")))
}

#[handler]
async fn delete_project(request: &mut Request) -> String {
    let id: Option<&str> = request.param("id");
    format!("deleted {}", id.unwrap_or_default())
}

/// Middleware that rejects a request without a valid token, or one that a rule does not permit. It
/// stores the access in the depot.
pub struct Require<P> {
    validator: TokenValidator,
    rule: P,
}

impl<P: PermissionRule> Require<P> {
    pub fn new(validator: &TokenValidator, rule: P) -> Self {
        let validator = validator.clone();
        Self { validator, rule }
    }

    async fn check(&self, request: &Request) -> Result<Access, AuthError> {
        let parts = parts(request);
        let access = self.validator.authenticate(&parts).await?;
        self.validator.authorize(&parts, &access, &self.rule)?;
        Ok(access)
    }
}

#[async_trait]
impl<P: PermissionRule + Send + Sync + 'static> Handler for Require<P> {
    async fn handle(
        &self,
        request: &mut Request,
        depot: &mut Depot,
        response: &mut Response,
        control: &mut FlowCtrl,
    ) {
        match self.check(request).await {
            Ok(access) => {
                depot.insert_typed(access);
            }
            Err(error) => {
                let (parts, body) = error.response(&Problem).into_parts();
                response.status_code(parts.status);
                // The response keeps the headers that other middleware has set.
                response.headers_mut().extend(parts.headers);
                response.body(body);
                control.skip_rest();
            }
        }
    }
}

fn parts(request: &Request) -> Parts {
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.method = request.method().clone();
    parts.uri = request.uri().clone();
    parts.version = request.version();
    parts.headers = request.headers().clone();
    parts
}
