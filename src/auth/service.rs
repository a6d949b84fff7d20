//! Authentication service: the decision about each request before the inner service is called.

use std::{
    fmt,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use crate::{
    auth::{
        decide::{bearer_token, with_mistake},
        extensions::{pass, pass_anonymously},
        future::{Rejecter, ResponseFuture},
        request_view::RequestView,
        reserved::Reserved,
    },
    error::reason::Reason,
    reject::{Reject, body::ResponseBody},
    telemetry::metrics::Passed,
    validator::{
        TokenValidator,
        check::{NotAccepted, WaitsLeft},
    },
};

/// Service that rejects requests without a valid token; see [`AuthLayer`](crate::AuthLayer).
#[derive(Clone)]
pub struct Auth<S, R> {
    inner: S,
    validator: TokenValidator,
    is_optional: bool,
    is_recorded: bool,
    reject: R,
}

impl<S, R> Auth<S, R> {
    pub(super) fn new(
        inner: S,
        validator: TokenValidator,
        is_optional: bool,
        is_recorded: bool,
        reject: R,
    ) -> Self {
        Self {
            inner,
            validator,
            is_optional,
            is_recorded,
            reject,
        }
    }

    /// Returns a reference to the inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S, R, B, ResB> Service<Request<B>> for Auth<S, R>
where
    S: Service<Request<B>, Response = Response<ResB>> + Clone,
    R: Reject + Clone,
{
    type Response = Response<ResponseBody<ResB>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, S, B, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let inner = Reserved::new(&mut self.inner);
        let view = RequestView::of(&request);
        let mut rejecter = Rejecter {
            validator: self.validator.clone(),
            reject: self.reject.clone(),
            is_recorded: self.is_recorded,
            passed: Passed::Accepted,
            grpc: view.grpc_media_type(),
        };
        let decision = match bearer_token(request.headers()) {
            Ok(Some(token)) => self.validator.decide(token, Some(&view), &WaitsLeft::ALL),
            Ok(None) if self.is_optional => {
                pass_anonymously(&mut request);
                rejecter.passed = Passed::Anonymous;
                return ResponseFuture::calling(inner.take().call(request), rejecter);
            }
            Ok(None) => Err(Reason::MissingToken.into()),
            Err(error) => Err(NotAccepted::Rejected(error)),
        };
        match decision {
            Ok(access) => {
                pass(&mut request, access, self.is_recorded);
                ResponseFuture::calling(inner.take().call(request), rejecter)
            }
            Err(NotAccepted::Rejected(error)) => {
                let error = with_mistake(error, request.headers());
                ResponseFuture::rejected(&error, RequestView::of(&request), rejecter)
            }
            Err(NotAccepted::Wait(wait)) => {
                drop(inner);
                ResponseFuture::waiting(wait, self.inner.clone(), request, rejecter)
            }
        }
    }
}

impl<S: fmt::Debug, R> fmt::Debug for Auth<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("inner", &self.inner)
            .field("validator", &self.validator)
            .finish_non_exhaustive()
    }
}
