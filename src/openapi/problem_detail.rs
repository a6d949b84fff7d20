//! The schema of a rejection's body.

use utoipa::ToSchema;

/// Schema of the problem details in the bodies of rejections
/// ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
///
/// It describes the bodies of [`Problem`](crate::reject::Problem), and has no values. Name it as the
/// `body` of your own errors that have this form:
///
/// ```
/// use modeler_auth::openapi::ProblemDetail;
/// use utoipa::OpenApi;
///
/// #[utoipa::path(
///     get,
///     path = "/orders/{id}",
///     responses((status = 404, description = "No such order", body = ProblemDetail, content_type = "application/problem+json")),
/// )]
/// async fn order() {}
///
/// #[derive(OpenApi)]
/// #[openapi(paths(order))]
/// struct Description;
///
/// let document = serde_json::to_value(Description::openapi())?;
/// let members = &document["components"]["schemas"]["ProblemDetail"]["required"];
/// assert_eq!(members, &serde_json::json!(["type", "title", "status", "detail", "instance"]));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, ToSchema)]
#[schema(description = "Problem details (RFC 9457).")]
#[expect(dead_code, reason = "only the schema is used")]
pub struct ProblemDetail {
    /// A URI that identifies the problem type.
    #[schema(rename = "type", format = "uri", default = "about:blank")]
    kind: String,
    /// A summary of the problem type.
    #[schema(example = "Forbidden")]
    title: String,
    /// The HTTP status code.
    #[schema(minimum = 400, maximum = 600, example = 403)]
    status: i32,
    /// An explanation of the problem.
    #[schema(example = "The token does not permit this operation")]
    detail: String,
    /// The path of the request.
    #[schema(format = "uri-reference", example = "/api/v1/projects")]
    instance: String,
}
