//! The security scheme.

use utoipa::{
    Modify, PartialSchema as _, ToSchema as _,
    openapi::{
        OpenApi,
        security::{Http, HttpAuthScheme, HttpBuilder, OpenIdConnect, SecurityScheme},
    },
};

use crate::{issuer::Issuer, openapi::ProblemDetail};

/// Security scheme for Bearer tokens
/// ([OpenAPI 3.1, Security Scheme Object](https://spec.openapis.org/oas/v3.1.0#security-scheme-object)).
///
/// As a [`Modify`], it adds the scheme and the schema of [`ProblemDetail`] to the components of a
/// document. The operations that need the scheme name it in `security(..)`.
///
/// ```
/// use modeler_auth::openapi::BearerScheme;
/// use utoipa::OpenApi;
///
/// const BEARER: BearerScheme = BearerScheme::new("Bearer");
///
/// #[derive(OpenApi)]
/// #[openapi(modifiers(&BEARER), security(("Bearer" = [])))]
/// struct Description;
///
/// let document = serde_json::to_value(Description::openapi())?;
/// assert_eq!(
///     document["components"]["securitySchemes"]["Bearer"],
///     serde_json::json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}),
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct BearerScheme {
    name: &'static str,
    discovery: Option<String>,
}

impl BearerScheme {
    /// Creates a scheme of type `http` with the scheme `bearer` and the format `JWT`.
    ///
    /// `name` is the name of the scheme in the document.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            discovery: None,
        }
    }

    /// Creates a scheme of type `openIdConnect`, with the discovery document of `issuer`.
    ///
    /// Tools such as Swagger UI find there how a user gets a token. They reach the issuer by its
    /// name, not by its [`backend_url`](Issuer::backend_url).
    ///
    /// ```
    /// use modeler_auth::{Issuer, openapi::BearerScheme};
    /// use utoipa::{Modify, OpenApi};
    ///
    /// #[derive(OpenApi)]
    /// #[openapi(security(("Keycloak" = [])))]
    /// struct Description;
    ///
    /// let issuer = Issuer::oidc("https://login.example.com/realms/orders").audience("orders");
    /// let mut document = Description::openapi();
    /// BearerScheme::open_id_connect("Keycloak", &issuer).modify(&mut document);
    ///
    /// let document = serde_json::to_value(document)?;
    /// assert_eq!(
    ///     document["components"]["securitySchemes"]["Keycloak"]["openIdConnectUrl"],
    ///     "https://login.example.com/realms/orders/.well-known/openid-configuration",
    /// );
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn open_id_connect(name: &'static str, issuer: &Issuer) -> Self {
        let issuer = issuer.as_str();
        let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
        Self {
            name,
            discovery: Some(format!("{issuer}/.well-known/openid-configuration")),
        }
    }

    fn scheme(&self) -> SecurityScheme {
        match &self.discovery {
            Some(url) => SecurityScheme::OpenIdConnect(OpenIdConnect::new(url)),
            None => SecurityScheme::Http(bearer()),
        }
    }
}

impl Modify for BearerScheme {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(self.name, self.scheme());
        let name = ProblemDetail::name().into_owned();
        components.schemas.insert(name, ProblemDetail::schema());
    }
}

fn bearer() -> Http {
    HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .build()
}
