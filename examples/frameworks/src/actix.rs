//! actix-web 4: extractors for the access.

use std::pin::Pin;

use actix_web::{
    Error, FromRequest, HttpRequest, HttpResponse, Result, delete,
    dev::Payload,
    error::{ErrorBadRequest, ErrorInternalServerError, ResponseError},
    get,
    http::StatusCode,
    web::{Path, ServiceConfig},
};
use http::{HeaderName, HeaderValue, Method, Uri, Version, request::Parts};
use modeler_auth::{
    Access, AuthError, ByMethod, Permission, TokenValidator, reject::Problem,
    require::PermissionRule,
};

/// Configures an app with the routes of the service.
pub fn routes(validator: TokenValidator) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        config
            .app_data(validator)
            .service(health)
            .service(hello)
            .service(delete_project);
    }
}

#[get("/health")]
async fn health() -> &'static str {
    "ok"
}

#[get("/hello")]
async fn hello(Authorized(access): Authorized) -> String {
    format!("Hello, {}!", access.subject().unwrap_or("nobody"))
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
        Box::pin(async move {
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

/// Extractor that also rejects a request whose method [`ByMethod`] does not permit.
pub struct Authorized(pub Access);

impl FromRequest for Authorized {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let authenticated = Authenticated::from_request(request, payload);
        Box::pin(async move {
            let caller = authenticated.await?;
            caller.authorize(&ByMethod::new())?;
            Ok(Self(caller.access))
        })
    }
}

/// Rejection as an error of actix-web.
#[derive(Debug)]
pub struct Rejected(pub AuthError);

impl std::fmt::Display for Rejected {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl ResponseError for Rejected {
    fn error_response(&self) -> HttpResponse {
        let (parts, body) = self.0.response(&Problem).into_parts();
        let status = StatusCode::from_u16(parts.status.as_u16());
        let mut response = HttpResponse::build(status.expect("both crates allow 100 to 999"));
        for (name, value) in &parts.headers {
            response.append_header((name.as_str(), value.as_bytes()));
        }
        response.body(body)
    }
}

/// Converts the head of a request: actix-web 4 uses the types of http 0.2.
///
/// A header with several values keeps them all. An error means that a part does not fit http 1. Such a
/// request must be rejected: without the part, it would be another request.
pub fn parts(request: &HttpRequest) -> Result<Parts, http::Error> {
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.method = Method::from_bytes(request.method().as_str().as_bytes())?;
    parts.uri = Uri::try_from(request.uri().to_string())?;
    parts.version = match request.version() {
        actix_web::http::Version::HTTP_09 => Version::HTTP_09,
        actix_web::http::Version::HTTP_10 => Version::HTTP_10,
        actix_web::http::Version::HTTP_2 => Version::HTTP_2,
        actix_web::http::Version::HTTP_3 => Version::HTTP_3,
        _ => Version::HTTP_11,
    };
    for (name, value) in request.headers() {
        let name = HeaderName::from_bytes(name.as_str().as_bytes())?;
        parts
            .headers
            .append(name, HeaderValue::from_bytes(value.as_bytes())?);
    }
    Ok(parts)
}
