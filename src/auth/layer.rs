use std::fmt;

use tower_layer::Layer;

use crate::{
    auth::service::Auth,
    reject::{
        grpc::{Grpc, GrpcByContentType},
        problem::Problem,
    },
    validator::TokenValidator,
};

/// Layer that refuses requests without a valid token.
///
/// 1. The token is taken from the `Authorization` header, and from nowhere else.
/// 2. A request with a valid token goes on to the inner service with an
///    [`Access`](crate::Access) in its extensions.
/// 3. Any other request is answered by the layer, as `R` says: 401 without a token or with one
///    that is not acceptable, 400 with a malformed header, 503 while no keys can be had.
/// 4. Refusals of [`RequirePermission`](crate::require::RequirePermission), of
///    [`InfoService`](crate::InfoService) and of the extractors are answered here, too.
///
/// The inner service must be `Clone`: a request that waits for keys waits with a clone, so that it
/// holds nothing that [`poll_ready`](tower_service::Service::poll_ready) reserved.
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
#[derive(Clone)]
#[must_use = "a layer does nothing unless it is applied to a service"]
pub struct AuthLayer<R = Problem> {
    validator: TokenValidator,
    is_optional: bool,
    reject: R,
}

impl AuthLayer {
    /// Refuses with HTTP statuses and bodies of type `application/problem+json`.
    pub fn new(validator: TokenValidator) -> Self {
        Self {
            validator,
            is_optional: false,
            reject: Problem,
        }
    }
}

impl AuthLayer<Grpc> {
    /// Refuses as gRPC does, with HTTP 200 and a `grpc-status`.
    pub fn new_for_grpc(validator: TokenValidator) -> Self {
        AuthLayer::new(validator).reject_with(Grpc)
    }
}

impl<R> AuthLayer<R> {
    /// Lets requests without an `Authorization` header pass, without an `Access`. A header of any
    /// scheme counts as credentials, which must be good.
    pub fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    /// Makes the responses to rejected requests with `reject`: [`Problem`], [`Empty`](crate::reject::Empty),
    /// [`Grpc`], or a closure.
    pub fn reject_with<Other>(self, reject: Other) -> AuthLayer<Other> {
        AuthLayer {
            validator: self.validator,
            is_optional: self.is_optional,
            reject,
        }
    }

    /// Refuses gRPC calls as gRPC does and all others as before. A call is a POST over HTTP/2 with
    /// content type `application/grpc`, alone or followed by `+` or `;`.
    ///
    /// Not for services that a gateway asks whether to let a request in: it takes HTTP 200 for a yes,
    /// and here the client chooses the form of the answer.
    pub fn grpc_by_content_type(self) -> AuthLayer<GrpcByContentType<R>> {
        AuthLayer {
            validator: self.validator,
            is_optional: self.is_optional,
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
            self.reject.clone(),
        )
    }
}

impl<R> fmt::Debug for AuthLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayer")
            .field("validator", &self.validator)
            .field("is_optional", &self.is_optional)
            .finish_non_exhaustive()
    }
}
