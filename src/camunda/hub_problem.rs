//! Rejections in the words of the Hub API.

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::reject::{Reject, Rejection};

/// Renderer of rejections as [`Problem`](crate::reject::Problem), with the texts that the Hub API
/// (v2) publishes for 401, 403 and 500
/// ([get API info](https://docs.camunda.io/docs/apis-tools/hub-api-saas/specifications/get-info/)).
///
/// The headers are those of any rejection. `WWW-Authenticate` still tells an expired token from
/// other invalid ones.
///
/// ```
/// use modeler_auth::{AuthLayer, InfoService, Issuer, TokenValidator, camunda::HubProblem};
///
/// let validator = TokenValidator::builder()
///     .issuer(Issuer::saas("12345678-ABCD-DCBA-ABCD-123456789ABC"))
///     .build()?;
/// let app: axum::Router = axum::Router::new()
///     .route_service("/api/v2/info", InfoService::new())
///     .layer(AuthLayer::new(validator).reject_with(HubProblem));
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct HubProblem;

impl Reject for HubProblem {
    fn reject(&self, rejection: &Rejection<'_>) -> Response<Bytes> {
        rejection.problem(match rejection.status() {
            StatusCode::UNAUTHORIZED => {
                "The supplied authentication is not authorized to access this resource."
            }
            StatusCode::FORBIDDEN => {
                "Operation not allowed. Ensure your API credentials have the required permissions."
            }
            StatusCode::INTERNAL_SERVER_ERROR => {
                "An unexpected error occurred while processing your request. Please try again later."
            }
            _ => rejection.description(),
        })
    }
}
