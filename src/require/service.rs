//! Authorization service: applies a rule to the access of each request.

use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::{
    auth::{extensions::authenticated, request_view::RequestView, reserved::Reserved},
    error::auth::AuthError,
    reject::body::ResponseBody,
    require::{future::RequirePermissionFuture, rule::PermissionRule},
};

/// Service that rejects requests whose token lacks a permission; see
/// [`RequirePermissionLayer`](crate::RequirePermissionLayer).
#[derive(Clone, Copy, Debug)]
pub struct RequirePermission<S, P> {
    pub(super) inner: S,
    pub(super) rule: P,
}

impl<S, P, B, ResB> Service<Request<B>> for RequirePermission<S, P>
where
    S: Service<Request<B>, Response = Response<ResB>> + Clone,
    P: PermissionRule,
{
    type Response = Response<ResponseBody<ResB>>;
    type Error = S::Error;
    type Future = RequirePermissionFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let inner = Reserved::new(&mut self.inner);
        let view = RequestView::of(&request);
        let checked = authenticated(request.extensions()).and_then(|access| {
            let checked = self.rule.check(access, &view);
            checked.map_err(|denied| {
                AuthError::from(denied).of_issuer(access.claims().shared_issuer())
            })
        });
        match checked {
            Ok(()) => RequirePermissionFuture::calling(inner.take().call(request)),
            Err(error) => RequirePermissionFuture::rejected(error.of_request(&view)),
        }
    }
}
