//! Authentication layer and its settings.

use std::fmt;

use bytes::Bytes;
use http::Response;
use tower_layer::Layer;

use crate::{
    auth::service::Auth,
    reject::{
        Reject, Rejection,
        grpc::{Grpc, GrpcByContentType},
        problem::Problem,
    },
    validator::TokenValidator,
};

/// Layer that rejects requests without a valid token.
///
/// 1. The layer reads the token from the `Authorization` header, and from nowhere else.
/// 2. A request with a valid token reaches the inner service with an [`Access`](crate::Access) in
///    its extensions.
/// 3. The layer answers every other request in the form that `R` defines. The status is 401 for a
///    missing or unacceptable token, 400 for a malformed header, and 503 while the keys, or
///    the permissions of the token, are not available.
/// 4. The layer also renders the rejections of
///    [`RequirePermission`](crate::require::RequirePermission), [`InfoService`](crate::InfoService)
///    and the extractors.
/// 5. The extensions of a rejection contain its [`AuthError`](crate::AuthError), for layers outside.
///
/// The inner service must be `Clone`: a request that waits for keys waits with a clone. The clone
/// holds nothing that [`poll_ready`](tower_service::Service::poll_ready) has reserved.
///
/// ```
/// use axum::{Router, routing::get};
/// use modeler_auth::{Access, AuthLayer, Issuer, TokenValidator};
///
/// let validator = TokenValidator::builder()
///     .issuer(Issuer::saas("12345678-ABCD-DCBA-ABCD-123456789ABC"))
///     .build()?;
/// let app: Router = Router::new()
///     .route("/me", get(|access: Access| async move { format!("{:?}", access.subject()) }))
///     .layer(AuthLayer::new(validator))
///     .route("/health", get(|| async { "ok" })); // routes added after the layer are public
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
///
/// # In a `Router` of axum
///
/// 1. `Router::layer` covers the routes and the fallback that the router has at that moment. Unknown
///    paths get 401 without a token, and 404 with one. Add the layer last, to the outermost router.
/// 2. `Router::route_layer` leaves unknown paths public: they get 404.
/// 3. Routes, methods of routes, and fallbacks that are added after the layer are public. So are routes
///    of a router that is merged later.
/// 4. A layer of a nested router covers its routes, but not the unknown paths below its prefix, unless
///    that router has a fallback.
/// 5. A tonic router with this layer that is merged brings its fallback along, which then answers all
///    unknown paths.
/// 6. A WebSocket or a stream of events does not end when its token expires.
///
/// The module `axum`, which needs the feature of the same name, has tables and examples.
///
/// # Other layers
///
/// In a `Router`, the layer added last is outermost; in a `ServiceBuilder`, the layer added first.
///
/// | layer | position | reason |
/// |---|---|---|
/// | CORS | outside | A preflight request carries no token: inside, it gets 401. Without the headers of CORS, a browser hides a rejection from scripts. |
/// | tracing | outside | It then sees rejected requests, and its span surrounds the log lines about them. Inside, it sees accepted requests only. |
/// | body limit | either | `AuthLayer` does not read the body. Outside, a too large `Content-Length` gets 413 before the token is checked. Inside, it gets 413 only with a valid token, and otherwise 401. |
///
/// - CORS: allow the header `Authorization` by its name, since `*` does not include it
///   ([Fetch](https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name)). Expose
///   `WWW-Authenticate` and `Retry-After` if scripts read them, and `Deprecation`, `Sunset` and `Link`
///   of [`InfoService::deprecation`](crate::InfoService::deprecation).
/// - Tracing: a span that begins outside does not know who sends the request. Declare fields as empty,
///   and [`record_in_span`](AuthLayer::record_in_span) fills them. A closure for
///   [`reject_with_fn`](AuthLayer::reject_with_fn) can record the reason of a rejection.
/// - Tracing: a span with all request headers, such as `include_headers(true)` of tower-http,
///   contains the token. Mark the header as
///   [sensitive](http::HeaderValue::set_sensitive) outside that layer.
/// - Response bodies: `AuthLayer` accepts any body of the inner service, and returns a
///   [`ResponseBody`](crate::reject::ResponseBody) of it.
///
/// ```
/// use axum::{
///     Router,
///     extract::Request,
///     http::{HeaderValue, Method, header},
///     routing::post,
/// };
/// use modeler_auth::{AuthLayer, Issuer, TokenValidator};
/// use tower_http::{cors::CorsLayer, limit::RequestBodyLimitLayer, trace::TraceLayer};
/// use tracing::{field, info_span};
///
/// let validator = TokenValidator::builder()
///     .issuer(Issuer::saas("12345678-ABCD-DCBA-ABCD-123456789ABC"))
///     .build()?;
/// let cors = CorsLayer::new()
///     .allow_origin([HeaderValue::from_static("https://app.example.com")])
///     .allow_methods([Method::GET, Method::POST])
///     .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
///     .expose_headers([header::WWW_AUTHENTICATE, header::RETRY_AFTER]);
/// let trace = TraceLayer::new_for_http().make_span_with(|request: &Request| {
///     info_span!("request", method = %request.method(), subject = field::Empty)
/// });
/// let app: Router = Router::new()
///     .route("/files", post(|body: String| async move { body.len().to_string() }))
///     .layer(AuthLayer::new(validator).record_in_span()) // innermost
///     .layer(RequestBodyLimitLayer::new(1024 * 1024))
///     .layer(cors)
///     .layer(trace); // outermost
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use = "a layer does nothing unless it is applied to a service"]
pub struct AuthLayer<R = Problem> {
    validator: TokenValidator,
    is_optional: bool,
    is_recorded: bool,
    reject: R,
}

impl AuthLayer {
    /// Creates a layer that rejects with HTTP statuses and bodies of type
    /// `application/problem+json`.
    pub fn new(validator: TokenValidator) -> Self {
        Self {
            validator,
            is_optional: false,
            is_recorded: false,
            reject: Problem,
        }
    }
}

impl AuthLayer<Grpc> {
    /// Creates a layer that rejects as gRPC does, with HTTP 200 and a `grpc-status`.
    pub fn new_for_grpc(validator: TokenValidator) -> Self {
        AuthLayer::new(validator).reject_with(Grpc)
    }
}

impl<R> AuthLayer<R> {
    /// Lets requests without an `Authorization` header pass, without an `Access`. Default: such
    /// requests get 401.
    ///
    /// A header of any scheme counts as credentials, which must be valid.
    pub fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    /// Records who sends a request in the current [span](tracing::Span), once its token is accepted.
    /// Default: the layer records nothing.
    ///
    /// | Field | Value |
    /// |---|---|
    /// | `subject` | [`Access::subject`](crate::Access::subject) |
    /// | `client` | [`Access::client_id`](crate::Access::client_id) |
    /// | `organization` | [`Access::organization`](crate::Access::organization) |
    ///
    /// The span declares the fields that it wants, as in the example; the layer leaves out the others. A
    /// field stays empty if the token has no such value, or is not accepted. A rule inside this layer, such
    /// as [`RequirePermissionLayer`](crate::RequirePermissionLayer), may still reject the request.
    ///
    /// The subject may identify a person.
    ///
    /// ```
    /// use axum::{Router, extract::Request};
    /// use modeler_auth::{AuthLayer, Issuer, TokenValidator};
    /// use tower_http::trace::TraceLayer;
    /// use tracing::{field::Empty, info_span};
    ///
    /// let validator = TokenValidator::builder().issuer(Issuer::saas("org")).build()?;
    /// let trace = TraceLayer::new_for_http().make_span_with(|request: &Request| {
    ///     info_span!("request", method = %request.method(), client = Empty, organization = Empty)
    /// });
    /// let app: Router = Router::new()
    ///     .layer(AuthLayer::new(validator).record_in_span())
    ///     .layer(trace); // outside
    /// # Ok::<(), modeler_auth::ConfigError>(())
    /// ```
    pub fn record_in_span(mut self) -> Self {
        self.is_recorded = true;
        self
    }

    /// Renders rejections with `reject`: [`Problem`], [`Empty`](crate::reject::Empty), [`Grpc`], or
    /// any other [`Reject`].
    pub fn reject_with<Other: Reject>(self, reject: Other) -> AuthLayer<Other> {
        AuthLayer {
            validator: self.validator,
            is_optional: self.is_optional,
            is_recorded: self.is_recorded,
            reject,
        }
    }

    /// Renders rejections with a closure.
    ///
    /// ```
    /// use modeler_auth::{AuthLayer, Issuer, TokenValidator};
    ///
    /// # let validator = TokenValidator::builder().issuer(Issuer::saas("org")).build()?;
    /// let layer = AuthLayer::new(validator)
    ///     .reject_with_fn(|rejection| rejection.response(format!("status {}", rejection.status())));
    /// let app: axum::Router = axum::Router::new().layer(layer);
    /// # Ok::<(), modeler_auth::ConfigError>(())
    /// ```
    pub fn reject_with_fn<F>(self, reject: F) -> AuthLayer<F>
    where
        F: Fn(&Rejection<'_>) -> Response<Bytes>,
    {
        self.reject_with(reject)
    }

    /// Renders rejections of gRPC calls as [`Grpc`] does, and all others as before.
    ///
    /// [`RequestView::is_grpc`](crate::auth::RequestView::is_grpc) lists the requests that are gRPC
    /// calls. Those of gRPC-Web are among them, so this layer belongs outside `GrpcWebLayer` of
    /// tonic-web, which changes the content type.
    ///
    /// Do not use this for a service that a gateway asks for authorization decisions. The gateway
    /// reads HTTP 200 as approval, and here the client chooses the form of the response.
    pub fn grpc_by_content_type(self) -> AuthLayer<GrpcByContentType<R>> {
        AuthLayer {
            validator: self.validator,
            is_optional: self.is_optional,
            is_recorded: self.is_recorded,
            reject: GrpcByContentType(self.reject),
        }
    }
}

impl<S, R: Clone> Layer<S> for AuthLayer<R> {
    type Service = Auth<S, R>;

    fn layer(&self, inner: S) -> Auth<S, R> {
        Auth::new(
            inner,
            self.validator.clone(),
            self.is_optional,
            self.is_recorded,
            self.reject.clone(),
        )
    }
}

impl<R> fmt::Debug for AuthLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayer")
            .field("validator", &self.validator)
            .field("is_optional", &self.is_optional)
            .field("is_recorded", &self.is_recorded)
            .finish_non_exhaustive()
    }
}
