//! Info endpoint: `GET /api/<version>/info`.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
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
    camunda::{
        deprecation::{Deprecation, DeprecationHeaders},
        info_version::InfoVersion,
    },
    error::{auth::AuthError, config::ConfigError},
    reject::problem::problem,
};

/// Service that answers `GET …/<version>/info` with the grant of the token, as Web Modeler does.
///
/// 1. Versions `v1` and `beta` report the organization and the four permissions
///    ([Web Modeler API](https://docs.camunda.io/docs/apis-tools/web-modeler-api/overview/)).
///    Version `v2` reports only the organization (Hub API). Any other path gets 404, as does a
///    version that [`versions`](InfoService::versions) leaves out.
/// 2. The endpoint needs no permission: a token without permissions gets four times `false`.
/// 3. A token whose issuer's mapping names no organization gets 403.
/// 4. Only `GET` and `HEAD` are allowed; other methods get 405 and the header `Allow`.
/// 5. The bodies of 404 and 405 are problem details, as those of [`Problem`](crate::reject::Problem)
///    and [`HubProblem`](crate::camunda::HubProblem), whatever the form of the layer's rejections.
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
///
/// A service like Camunda 8.12 has `v2` alone:
///
/// ```
/// use modeler_auth::{InfoService, camunda::InfoVersion};
///
/// let service = InfoService::new().versions([InfoVersion::V2]);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct InfoService {
    served: Served,
    deprecation: Option<Arc<DeprecationHeaders>>,
}

/// Versions of a service.
#[derive(Clone, Copy, Debug)]
struct Served {
    beta: bool,
    v1: bool,
    v2: bool,
}

impl Default for Served {
    fn default() -> Self {
        Self {
            beta: true,
            v1: true,
            v2: true,
        }
    }
}

impl InfoService {
    /// Creates the service.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the versions. Default: all. A request for any other version gets 404.
    pub fn versions(mut self, versions: impl IntoIterator<Item = InfoVersion>) -> Self {
        self.served = Served {
            beta: false,
            v1: false,
            v2: false,
        };
        for version in versions {
            match version {
                InfoVersion::Beta => self.served.beta = true,
                InfoVersion::V1 => self.served.v1 = true,
                InfoVersion::V2 => self.served.v2 = true,
            }
        }
        self
    }

    /// Marks the versions `beta` and `v1` as deprecated. Default: they are not.
    ///
    /// The headers are on responses with status 200 to `GET` and `HEAD`. Rejections, 404 and 405
    /// do not have them.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a date is before 1970 or after 9999, if the sunset is earlier than the
    /// deprecation ([RFC 9745 §4](https://www.rfc-editor.org/rfc/rfc9745#section-4)), or if the
    /// documentation is no URL with https or http, or contains credentials.
    pub fn deprecation(mut self, deprecation: Deprecation) -> Result<Self, ConfigError> {
        self.deprecation = Some(Arc::new(DeprecationHeaders::new(deprecation)?));
        Ok(self)
    }

    fn serves(&self, version: InfoVersion) -> bool {
        match version {
            InfoVersion::Beta => self.served.beta,
            InfoVersion::V1 => self.served.v1,
            InfoVersion::V2 => self.served.v2,
        }
    }

    fn answer<B>(&self, request: &Request<B>) -> Result<Response<String>, AuthError> {
        let access = authenticated(request.extensions())?;
        let version = InfoVersion::of_path(request.uri().path());
        let Some(version) = version.filter(|version| self.serves(*version)) else {
            let detail = "The service has no such resource";
            return Ok(problem(
                StatusCode::NOT_FOUND,
                detail,
                &RequestView::of(request),
            ));
        };
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let (status, detail) = (
                StatusCode::METHOD_NOT_ALLOWED,
                "The resource allows only GET and HEAD",
            );
            let mut response = problem(status, detail, &RequestView::of(request));
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
        if let Some(deprecation) = &self.deprecation
            && version != InfoVersion::V2
        {
            deprecation.add(self.serves(InfoVersion::V2), response.headers_mut());
        }
        Ok(response)
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
        ready(Ok(self
            .answer(&request)
            .unwrap_or_else(|error| rejected(error, &request))))
    }
}

fn rejected<B>(error: AuthError, request: &Request<B>) -> Response<String> {
    error
        .of_request(&RequestView::of(request))
        .into_inner_response()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info<'a> {
    version: &'static str,
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
    fn new(
        version: InfoVersion,
        organization: &'a AuthorizedOrganization,
        access: &Access,
    ) -> Self {
        let permissions = PermissionFlags {
            create_permission: access.allows(Permission::Create),
            read_permission: access.allows(Permission::Read),
            update_permission: access.allows(Permission::Update),
            delete_permission: access.allows(Permission::Delete),
        };
        Self {
            version: version.name(),
            authorized_organization: organization,
            permissions: (version != InfoVersion::V2).then_some(permissions),
        }
    }
}
