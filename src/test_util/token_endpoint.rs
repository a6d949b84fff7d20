//! Token endpoint (RFC 6749 §4.4).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use crate::test_util::{TestClient, TestIssuer, issuer::Shape};

const MAX_BODY_BYTES: usize = 64 * 1024;

/// Parameters of a token request (RFC 6749 §4.4.2, §2.3.1).
#[derive(Default, Deserialize)]
struct TokenRequest {
    audience: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    grant_type: Option<String>,
}

/// Response in Keycloak's order; only Keycloak sends the members that may be `None`.
#[derive(Serialize)]
pub(super) struct TokenResponse {
    access_token: String,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_expires_in: Option<u32>,
    token_type: &'static str,
    #[serde(rename = "not-before-policy", skip_serializing_if = "Option::is_none")]
    not_before_policy: Option<u32>,
}

/// Status and error code (RFC 6749 §5.2).
pub(super) type TokenError = (StatusCode, &'static str);

/// Answers a token request; `clients` returns the clients that there are when it was read.
pub(super) async fn token(
    issuer: &TestIssuer,
    clients: impl FnOnce() -> Vec<TestClient>,
    request: Request<Incoming>,
) -> Result<TokenResponse, TokenError> {
    const INVALID_REQUEST: TokenError = (StatusCode::BAD_REQUEST, "invalid_request");
    let basic = basic_credentials(&request);
    let is_json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let body = Limited::new(request.into_body(), MAX_BODY_BYTES)
        .collect()
        .await
        .map_err(|_| INVALID_REQUEST)?
        .to_bytes();
    let mut asked = if is_json {
        serde_json::from_slice(&body).map_err(|_| INVALID_REQUEST)?
    } else {
        TokenRequest::from_form(&body)
    };
    if let Some((id, secret)) = basic {
        asked.client_id = Some(id);
        asked.client_secret = Some(secret);
    }
    let (id, secret) = (asked.client_id.as_deref(), asked.client_secret.as_deref());
    let client = clients()
        .into_iter()
        .find(|client| client.has(id, secret))
        .ok_or((StatusCode::UNAUTHORIZED, "invalid_client"))?;
    match asked.grant_type.as_deref() {
        Some("client_credentials") => {}
        Some(_) => return Err((StatusCode::BAD_REQUEST, "unsupported_grant_type")),
        None => return Err(INVALID_REQUEST),
    }
    let token = client.token(issuer.token());
    if issuer.shape() == Shape::Saas {
        let audience = Some(Shape::Saas.audience());
        if asked.audience.as_deref() != audience || token.only_audience() != audience {
            return Err((StatusCode::FORBIDDEN, "access_denied"));
        }
    }
    let of_keycloak = (issuer.shape() == Shape::SelfManaged).then_some(0);
    Ok(TokenResponse {
        expires_in: token.lifetime(),
        access_token: token.sign(),
        refresh_expires_in: of_keycloak,
        token_type: "Bearer",
        not_before_policy: of_keycloak,
    })
}

impl TokenRequest {
    fn from_form(form: &[u8]) -> Self {
        let mut request = Self::default();
        for (name, value) in form_urlencoded::parse(form) {
            let member = match name.as_ref() {
                "audience" => &mut request.audience,
                "client_id" => &mut request.client_id,
                "client_secret" => &mut request.client_secret,
                "grant_type" => &mut request.grant_type,
                _ => continue,
            };
            *member = Some(value.into_owned());
        }
        request
    }
}

/// Reads `client_secret_basic` credentials: id and secret are form-encoded before they are joined.
fn basic_credentials<B>(request: &Request<B>) -> Option<(String, String)> {
    let value = request
        .headers()
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let form_decoded = |text: &str| {
        let mut pairs = form_urlencoded::parse(text.as_bytes());
        pairs.next().map(|(text, _)| text.into_owned())
    };
    Some((form_decoded(id)?, form_decoded(secret)?))
}
