//! Info endpoint: `GET /api/<version>/info`.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use http::{Method, Request, Response, StatusCode, header};
use serde::Serialize;
use tower_service::Service;

use crate::{
    access::{Access, organization::AuthorizedOrganization, permission::Permission},
    auth::{
        extensions::{authenticated, required_organization},
        request_view::RequestView,
    },
    error::auth::AuthError,
};

/// Service that answers `GET …/<version>/info` with the grant of the token, as Web Modeler does.
///
/// 1. Versions `v1` and `beta` report the organization and the four permissions
///    ([Web Modeler API](https://docs.camunda.io/docs/apis-tools/web-modeler-api/overview/)).
///    Version `v2` reports only the organization (Hub API). Any other version or path gets 404.
/// 2. The endpoint needs no permission: a token without permissions gets four times `false`.
/// 3. A token whose issuer's mapping names no organization gets 403.
///
/// The service reads the last two segments of the request's path. It may be mounted under any
/// prefix that leaves these two in place.
///
/// ```
/// use modeler_auth::{AuthLayer, InfoService, Issuer, TokenValidator};
///
/// let validator = TokenValidator::builder()
///     .issuer(Issuer::saas("12345678-ABCD-DCBA-ABCD-123456789ABC"))
///     .build()?;
/// let app: axum::Router = axum::Router::new()
///     .route_service("/api/{version}/info", InfoService::new())
///     .layer(AuthLayer::new(validator));
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct InfoService {
    _private: (),
}

impl InfoService {
    /// Creates the service.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<B> Service<Request<B>> for InfoService {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(
            answer(&request).unwrap_or_else(|error| rejected(error, &request))
        ))
    }
}

fn answer<B>(request: &Request<B>) -> Result<Response<String>, AuthError> {
    let access = authenticated(request.extensions())?;
    let Some(version) = version(request.uri().path()) else {
        return Ok(empty(StatusCode::NOT_FOUND));
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
        let allowed = http::HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(header::ALLOW, allowed);
        return Ok(response);
    }
    let organization = required_organization(access)?;
    let info = Info::new(version, organization, access);
    let body = serde_json::to_string(&info).expect("strings and booleans are JSON");
    let mut response = Response::new(body);
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}

/// Returns the version in `…/<version>/info`; `None` if the service does not serve it.
fn version(path: &str) -> Option<&str> {
    let (_, version) = path.strip_suffix("/info")?.rsplit_once('/')?;
    matches!(version, "beta" | "v1" | "v2").then_some(version)
}

fn rejected<B>(error: AuthError, request: &Request<B>) -> Response<String> {
    error
        .of_request(&RequestView::of(request))
        .into_inner_response()
}

fn empty(status: StatusCode) -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = status;
    response
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info<'a> {
    version: &'a str,
    authorized_organization: &'a AuthorizedOrganization,
    #[serde(flatten)]
    permissions: Option<PermissionFlags>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the documented form of the answer"
)]
struct PermissionFlags {
    create_permission: bool,
    read_permission: bool,
    update_permission: bool,
    delete_permission: bool,
}

impl<'a> Info<'a> {
    fn new(version: &'a str, organization: &'a AuthorizedOrganization, access: &Access) -> Self {
        let permissions = PermissionFlags {
            create_permission: access.allows(Permission::Create),
            read_permission: access.allows(Permission::Read),
            update_permission: access.allows(Permission::Update),
            delete_permission: access.allows(Permission::Delete),
        };
        Self {
            version,
            authorized_organization: organization,
            permissions: (version != "v2").then_some(permissions),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_segment_before_info() {
        assert_eq!(version("/api/v1/info"), Some("v1"));
        assert_eq!(version("/v2/info"), Some("v2"));
        assert_eq!(version("/a/b/beta/info"), Some("beta"));
        for other in [
            "",
            "/",
            "/info",
            "info",
            "v1/info/",
            "/api/v1/info/",
            "/api/v3/info",
            "/api/V1/info",
            "/api/v1/infos",
            "/api/v1//info",
            "/api/%761/info",
            "/api/v1",
        ] {
            assert_eq!(version(other), None, "{other}");
        }
    }
}
