//! salvo 1: middleware that authenticates, and middleware that authorizes.

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
    let protected = Router::new()
        .hoop(Authenticate(validator.clone()))
        .push(
            Router::with_path("hello")
                .hoop(Authorize::new(validator, ByMethod::new()))
                .get(hello),
        )
        .push(
            Router::with_path("projects/{id}")
                .hoop(Authorize::new(validator, Permission::Delete))
                .delete(delete_project),
        );
    Router::new()
        .push(Router::with_path("health").get(health))
        .push(protected)
}

#[handler]
async fn health() -> &'static str {
    "ok"
}

#[handler]
async fn hello(depot: &mut Depot) -> Result<String, StatusError> {
    let access = access(depot)?;
    Ok(format!("Hello, {}!", access.subject().unwrap_or("nobody")))
}

#[handler]
async fn delete_project(request: &mut Request) -> String {
    format!(
        "deleted {}",
        request.param::<&str>("id").unwrap_or_default()
    )
}

/// Middleware that rejects a request without a valid token, and stores the access in the depot.
pub struct Authenticate(pub TokenValidator);

#[async_trait]
impl Handler for Authenticate {
    async fn handle(
        &self,
        request: &mut Request,
        depot: &mut Depot,
        response: &mut Response,
        control: &mut FlowCtrl,
    ) {
        match self.0.authenticate(&parts(request)).await {
            Ok(access) => {
                depot.insert_typed(access);
            }
            Err(error) => reject(&error, response, control),
        }
    }
}

/// Middleware that rejects a request which a rule does not permit. It needs [`Authenticate`].
pub struct Authorize<P> {
    validator: TokenValidator,
    rule: P,
}

impl<P> Authorize<P> {
    pub fn new(validator: &TokenValidator, rule: P) -> Self {
        Self {
            validator: validator.clone(),
            rule,
        }
    }
}

#[async_trait]
impl<P: PermissionRule + Send + Sync + 'static> Handler for Authorize<P> {
    async fn handle(
        &self,
        request: &mut Request,
        depot: &mut Depot,
        response: &mut Response,
        control: &mut FlowCtrl,
    ) {
        match access(depot) {
            Ok(access) => {
                let authorized = self
                    .validator
                    .authorize(&parts(request), access, &self.rule);
                if let Err(error) = authorized {
                    reject(&error, response, control);
                }
            }
            Err(error) => {
                response.render(error);
                control.skip_rest();
            }
        }
    }
}

fn access(depot: &Depot) -> Result<&Access, StatusError> {
    depot.get_typed::<Access>().map_err(|_| {
        StatusError::internal_server_error().brief("no Access; add Authenticate to the router")
    })
}

fn reject(error: &AuthError, response: &mut Response, control: &mut FlowCtrl) {
    let (parts, body) = error.response(&Problem).into_parts();
    response.status_code(parts.status);
    // The response keeps the headers that other middleware has set.
    response.headers_mut().extend(parts.headers);
    response.body(body);
    control.skip_rest();
}

fn parts(request: &Request) -> Parts {
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.method = request.method().clone();
    parts.uri = request.uri().clone();
    parts.version = request.version();
    parts.headers = request.headers().clone();
    parts
}
