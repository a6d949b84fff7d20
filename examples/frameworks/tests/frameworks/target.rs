//! One service with the layer and one with actix-web. Both trust the keys of a test.

use std::sync::Arc;

use actix_web::{
    App,
    http::header::{HeaderName, HeaderValue},
    test::{TestRequest, call_service, init_service, read_body},
    web,
};
use axum::{
    body::{Body, Bytes, to_bytes},
    http::{Method, Request, Response, request::Parts},
};
use modeler_auth::{AuthErrorKind, TokenValidator, require::PermissionRule};
use modeler_auth_frameworks::actix::{Authenticated, Rejected};
use modeler_auth_testkit::signer::Key;

use crate::requests::Answer;

#[allow(
    clippy::duplicate_mod,
    reason = "methods of this target and of the layered one"
)]
#[path = "../../../../tests/support/answers.rs"]
mod answers;
#[path = "../../../../tests/support/target.rs"]
mod layered;

/// A service that exists twice. Each answer of actix-web must be that of the layer.
pub struct Target {
    pub validator: TokenValidator,
    layered: layered::Target,
    actix: Actix,
}

/// What the handler of actix-web does besides authentication.
#[derive(Clone)]
enum Actix {
    Optional,
    Required,
    Rule(Arc<dyn PermissionRule + Send + Sync>),
}

impl Target {
    pub fn of(validator: TokenValidator) -> Self {
        Self::twice(layered::Target::of(validator), Actix::Required)
    }

    pub fn optional(keys: &[&Key]) -> Self {
        Self::twice(layered::Target::optional(keys), Actix::Optional)
    }

    pub fn requiring<P>(keys: &[&Key], rule: P) -> Self
    where
        P: PermissionRule + Clone + Send + Sync + 'static,
    {
        let layered = layered::Target::requiring(keys, rule.clone());
        Self::twice(layered, Actix::Rule(Arc::new(rule)))
    }

    fn twice(layered: layered::Target, actix: Actix) -> Self {
        Self {
            validator: layered.validator.clone(),
            layered,
            actix,
        }
    }

    /// Sends `request` to both services, and returns the answer of actix-web.
    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, 4096).await.unwrap();
        let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
        let expected = self.layered.send(request).await;
        let found = self.send_to_actix(&parts, body).await;
        let (found, expected) = (buffered(found).await, buffered(expected).await);
        let answer = |response| answer(response, &parts.method);
        assert_eq!(answer(&found), answer(&expected), "{parts:?}");
        found.map(Body::from)
    }

    async fn send_to_actix(&self, parts: &Parts, body: Bytes) -> Response<Body> {
        let actix = self.actix.clone();
        let handler = move |caller: Result<Authenticated, actix_web::Error>| {
            let actix = actix.clone();
            async move {
                let caller = match (caller, &actix) {
                    (Err(error), Actix::Optional) if is_anonymous(&error) => return Ok("in"),
                    (caller, _) => caller?,
                };
                if let Actix::Rule(rule) = actix {
                    caller.authorize(&*rule)?;
                }
                Ok::<_, actix_web::Error>("in")
            }
        };
        let app = App::new().app_data(self.validator.clone());
        let app = init_service(app.default_service(web::to(handler))).await;
        let method = actix_web::http::Method::from_bytes(parts.method.as_str().as_bytes());
        let mut request = TestRequest::with_uri(&parts.uri.to_string()).method(method.unwrap());
        for (name, value) in &parts.headers {
            let name = HeaderName::from_bytes(name.as_str().as_bytes()).unwrap();
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            request = request.append_header((name, value));
        }
        let response = call_service(&app, request.set_payload(body).to_request()).await;
        let mut converted = Response::builder().status(response.status().as_u16());
        for (name, value) in response.headers() {
            converted = converted.header(name.as_str(), value.as_bytes());
        }
        let body = read_body(response).await;
        converted.body(Body::from(body)).unwrap()
    }
}

fn is_anonymous(error: &actix_web::Error) -> bool {
    let rejected = error.as_error::<Rejected>();
    rejected.is_some_and(|rejected| rejected.0.kind() == AuthErrorKind::MissingToken)
}

async fn buffered(response: Response<Body>) -> Response<Bytes> {
    let (parts, body) = response.into_parts();
    Response::from_parts(parts, to_bytes(body, 4096).await.unwrap())
}

fn answer(response: &Response<Bytes>, method: &Method) -> Answer {
    // A server omits the body for `HEAD`, whatever its service returns.
    let body = match *method {
        Method::HEAD => Bytes::new(),
        _ => response.body().clone(),
    };
    Answer::new(response.status().as_u16(), response.headers(), body)
}
