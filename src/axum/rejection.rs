//! Rejection of an extractor as a response.

use axum_core::{
    body::Body,
    response::{IntoResponse, Response},
};

use crate::error::auth::AuthError;

/// Bare response, which an [`AuthLayer`](crate::AuthLayer) outside renders. A layer in between must
/// keep the response's extensions; see [`axum`](crate::axum#middleware).
///
/// ```
/// use axum::response::IntoResponse as _;
/// use modeler_auth::{Permission, TokenValidator, test_util::TestIssuer};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let issuer = TestIssuer::self_managed();
/// # let validator = TokenValidator::builder().issuer(issuer.issuer()).build()?;
/// let error = validator.validate("junk").await.unwrap_err();
/// assert_eq!(error.into_response().status(), 401);
/// # Ok::<(), modeler_auth::ConfigError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        self.into_inner_response::<Body>()
    }
}
