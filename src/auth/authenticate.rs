//! Authentication and authorization without a tower layer.

use bytes::Bytes;
use http::{Response, request::Parts};

use crate::{
    access::Access,
    auth::{
        decide::{bearer_token, with_mistake},
        request_view::RequestView,
    },
    error::{auth::AuthError, reason::Reason},
    reject::{Reject, Rejection},
    require::rule::PermissionRule,
    telemetry::metrics::{self, Passed},
    token::presented_token::PresentedToken,
    validator::{
        TokenValidator,
        check::{NotAccepted, WaitsLeft},
    },
};

impl TokenValidator {
    /// Authenticates a request in a framework without tower: reads the Bearer token from its
    /// `Authorization` header, and validates it.
    ///
    /// It decides, waits and logs as [`AuthLayer`](crate::AuthLayer) does; see
    /// [`validate`](Self::validate) for the longest wait. [`AuthError::response`] returns the status,
    /// the headers and the body of the rejection.
    ///
    /// ```
    /// use http::{Request, Response, StatusCode};
    /// use modeler_auth::{Permission, TokenValidator, reject::Problem};
    ///
    /// async fn handle(validator: &TokenValidator, request: Request<String>) -> Response<bytes::Bytes> {
    ///     let (parts, body) = request.into_parts();
    ///     let access = match validator.authenticate(&parts).await {
    ///         Ok(access) => access,
    ///         Err(error) => return error.response(&Problem),
    ///     };
    ///     if let Err(error) = validator.authorize(&parts, &access, &Permission::Create) {
    ///         return error.response(&Problem);
    ///     }
    ///     Response::new(format!("{:?} sent {} bytes", access.subject(), body.len()).into())
    /// }
    /// # use modeler_auth::test_util::TestIssuer;
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let issuer = TestIssuer::self_managed();
    /// # let validator = TokenValidator::builder().issuer(issuer.issuer()).build().unwrap();
    /// let response = handle(&validator, Request::new(String::new())).await;
    /// assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    /// assert_eq!(response.headers()["www-authenticate"], "Bearer");
    /// # });
    /// ```
    ///
    /// # Frameworks
    /// The folder `examples/frameworks` of the repository has a tested service for each of these:
    ///
    /// - **actix-web 4** has the types of http 0.2. Convert all values of a header: a request with two
    ///   `Authorization` headers is rejected only if both are converted. `Option` of an extractor is
    ///   `None` for an invalid token, too.
    /// - **salvo 1** has the types of http 1. A middleware copies method, URI, version and headers.
    /// - **`lambda_http` 1**: `Request::into_parts` returns [`Parts`]. Enable multi-value headers for a
    ///   load balancer; without them it keeps only the last of two `Authorization` headers.
    ///
    /// # Errors
    /// [`AuthError`], of the kinds [`InvalidRequest`](crate::AuthErrorKind::InvalidRequest),
    /// [`InvalidToken`](crate::AuthErrorKind::InvalidToken), [`MissingToken`](crate::AuthErrorKind::MissingToken) and
    /// [`Unavailable`](crate::AuthErrorKind::Unavailable).
    pub async fn authenticate(&self, request: &Parts) -> Result<Access, AuthError> {
        let view = RequestView::of_parts(request);
        let result = match bearer_token(view.headers()) {
            Ok(Some(token)) => self.validate_for(token, Some(&view)).await,
            Ok(None) => Err(Reason::MissingToken.into()),
            Err(error) => Err(error),
        };
        if result.is_ok() {
            metrics::request_passed(Passed::Accepted);
        }
        result.map_err(|error| {
            let error = with_mistake(error, view.headers());
            self.log_of_request(error, &view)
        })
    }

    /// Checks with `rule` whether `access` suffices for a request in a framework without tower.
    ///
    /// It logs as [`AuthLayer`](crate::AuthLayer) does.
    ///
    /// # Errors
    /// [`AuthError`] with the [`Denied`](crate::require::Denied) of the rule.
    pub fn authorize<P>(&self, request: &Parts, access: &Access, rule: &P) -> Result<(), AuthError>
    where
        P: PermissionRule + ?Sized,
    {
        let view = RequestView::of_parts(request);
        rule.check(access, &view).map_err(|denied| {
            let error = AuthError::from(denied).of_issuer(access.claims().shared_issuer());
            self.log_of_request(error, &view)
        })
    }

    /// Validates `token`; with a request, also that its sender may use it.
    pub(crate) async fn validate_for(
        &self,
        token: PresentedToken<'_>,
        request: Option<&RequestView<'_>>,
    ) -> Result<Access, AuthError> {
        let mut waits_left = WaitsLeft::ALL;
        loop {
            match self.decide(token, request, &waits_left) {
                Ok(access) => return Ok(access),
                Err(NotAccepted::Rejected(error)) => return Err(error),
                Err(NotAccepted::Wait(wait)) => {
                    waits_left = waits_left.after(wait.await);
                }
            }
        }
    }

    fn log_of_request(&self, error: AuthError, request: &RequestView<'_>) -> AuthError {
        let metadata_url = self.resources().metadata_url(Some(request.path()));
        let error = error.of_request(request).of_resource(metadata_url);
        self.log_rejection(&error);
        error
    }
}

impl AuthError {
    /// Returns the response of `reject` to the rejected request, for a framework without tower.
    ///
    /// See [`TokenValidator::authenticate`]. For an error of
    /// [`TokenValidator::validate`], nothing is known about the request:
    /// [`Rejection::path`] is empty, and its challenge names the metadata of the first resource.
    pub fn response<R: Reject + ?Sized>(&self, reject: &R) -> Response<Bytes> {
        let request = self.request().map(RequestView::of);
        let grpc = request.and_then(|request| request.grpc_media_type());
        let rejection = Rejection::new(self, request, grpc);
        reject.reject(&rejection.of_resource(self.resource_metadata()))
    }
}
