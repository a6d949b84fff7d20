//! actix-web 4: an extractor that authenticates, with a method that authorizes.

use std::{fmt, pin::Pin};

use actix_web::{
    Error, FromRequest, HttpRequest, HttpResponse, ResponseError, Result, delete,
    dev::Payload,
    error::{ErrorBadRequest, ErrorInternalServerError},
    get,
    http::{StatusCode, Version},
    web::{Path, ServiceConfig},
};
use http::request::Parts;
use modeler_auth::{
    Access, AuthError, ByMethod, Permission, TokenValidator, reject::Problem,
    require::PermissionRule,
};

/// Configures an app with the routes of the service.
pub fn routes(validator: TokenValidator) -> impl FnOnce(&mut ServiceConfig) {
    |config| {
        let config = config.app_data(validator);
        config.service((health, hello, delete_project));
    }
}

#[get("/health")]
async fn health() -> &'static str {
    "ok"
}

#[get("/hello")]
async fn hello(caller: Authenticated) -> Result<String, Rejected> {
    caller.authorize(&ByMethod::new())?;
    let subject = caller.access.subject().unwrap_or("nobody");
    Ok(format!("Hello, {subject}!"))
}

#[delete("/projects/{id}")]
async fn delete_project(caller: Authenticated, id: Path<String>) -> Result<String, Rejected> {
    caller.authorize(&Permission::Delete)?;
    Ok(format!("deleted {id}"))
}

/// Extractor that rejects a request without a valid token.
///
/// Do not use `Option<Authenticated>`: actix-web makes it `None` for invalid tokens, too.
pub struct Authenticated {
    pub access: Access,
    parts: Parts,
    validator: TokenValidator,
}

impl Authenticated {
    /// Rejects the request if `rule` does not permit it.
    pub fn authorize<P: PermissionRule + ?Sized>(&self, rule: &P) -> Result<(), Rejected> {
        let checked = self.validator.authorize(&self.parts, &self.access, rule);
        checked.map_err(Rejected)
    }
}

impl FromRequest for Authenticated {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let validator = request.app_data::<TokenValidator>().cloned();
        let parts = parts(request);
        Box::pin(async {
            let validator = validator.ok_or_else(|| {
                ErrorInternalServerError("no TokenValidator; add it with App::app_data")
            })?;
            let parts = parts.map_err(ErrorBadRequest)?;
            let access = validator.authenticate(&parts).await.map_err(Rejected)?;
            Ok(Self {
                access,
                parts,
                validator,
            })
        })
    }
}

/// Rejection as an error of actix-web.
#[derive(Debug)]
pub struct Rejected(pub AuthError);

impl fmt::Display for Rejected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl ResponseError for Rejected {
    fn status_code(&self) -> StatusCode {
        let status = StatusCode::from_u16(self.0.kind().status().as_u16());
        status.expect("a status of http 1 is one of http 0.2")
    }

    fn error_response(&self) -> HttpResponse {
        let (parts, body) = self.0.response(&Problem).into_parts();
        let mut response = HttpResponse::build(self.status_code());
        for (name, value) in &parts.headers {
            response.append_header((name.as_str(), value.as_bytes()));
        }
        response.body(body)
    }
}

/// Converts the head of a request: actix-web 4 uses the types of http 0.2.
///
/// An error means that a part does not fit http 1. Such a request must be rejected: without the part,
/// it would be another request.
pub fn parts(request: &HttpRequest) -> Result<Parts, http::Error> {
    let mut converted = http::Request::builder()
        .method(request.method().as_str())
        .uri(request.uri().to_string());
    // `header` appends: a header with several values keeps them all.
    for (name, value) in request.headers() {
        converted = converted.header(name.as_str(), value.as_bytes());
    }
    // gRPC is recognized by its version.
    if request.version() == Version::HTTP_2 {
        converted = converted.version(http::Version::HTTP_2);
    }
    Ok(converted.body(())?.into_parts().0)
}
