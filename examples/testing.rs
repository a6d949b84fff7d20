//! Tests of a service without an issuer: real tokens, real signatures, no network.
//!
//! ```text
//! cargo test --example testing --all-features
//! ```

use axum::{Router, routing::get};
use modeler_auth::{Access, AuthLayer, ByMethod, RequirePermissionLayer, TokenValidator};

/// Service under test. It takes the validator, so that a test can pass its own.
fn app(validator: TokenValidator) -> Router {
    Router::new()
        .route("/whoami", get(whoami))
        .route_layer(RequirePermissionLayer::new(ByMethod::new()))
        .layer(AuthLayer::new(validator))
}

async fn whoami(access: Access) -> String {
    access.subject().unwrap_or("nobody").to_owned()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In production the issuer comes from the environment.
    let issuer = modeler_auth::Issuer::from_env()?.ok_or("no issuer is configured")?;
    let _app = app(TokenValidator::builder().issuer(issuer).build()?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::{
        body::{Body, to_bytes},
        http::{Request, StatusCode},
    };
    use modeler_auth::{
        Permission,
        test_util::{TestClock, TestIssuer},
    };
    use tower::ServiceExt as _;

    use super::*;

    async fn get(app: &Router, token: &str) -> (StatusCode, String) {
        let request = Request::get("/whoami")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 4096).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_reader_learns_who_it_is() {
        let issuer = TestIssuer::self_managed();
        let validator = TokenValidator::builder().issuer(issuer.issuer()).build();
        let app = app(validator.unwrap());

        let token = issuer
            .token()
            .subject("ada")
            .permissions([Permission::Read]);
        let answer = get(&app, &token.sign()).await;
        assert_eq!(answer, (StatusCode::OK, "ada".to_owned()));

        let token = issuer.token().permissions([Permission::Create]);
        let (status, _) = get(&app, &token.sign()).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
    }

    #[tokio::test]
    async fn a_token_expires() {
        let clock = TestClock::new();
        let issuer = TestIssuer::self_managed();
        let validator = TokenValidator::builder()
            .issuer(issuer.issuer())
            .clock(clock.clone())
            .build();
        let app = app(validator.unwrap());
        let token = issuer.token().expires_in(Duration::from_secs(300)).sign();

        let (status, _) = get(&app, &token).await;
        assert_eq!(status, StatusCode::OK);
        clock.advance(Duration::from_secs(300 + 60)); // 60 s of leeway
        let (status, _) = get(&app, &token).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }

    #[tokio::test]
    async fn a_rotated_key_is_found() {
        let issuer = TestIssuer::self_managed();
        let validator = TokenValidator::builder().issuer(issuer.issuer()).build();
        let app = app(validator.unwrap());
        let before = issuer.token().sign();
        assert_eq!(get(&app, &before).await.0, StatusCode::OK);

        issuer.rotate_keys();
        let after = issuer.token().sign();
        assert_eq!(get(&app, &after).await.0, StatusCode::OK);
        assert_eq!(issuer.fetches(), 2);
    }
}
