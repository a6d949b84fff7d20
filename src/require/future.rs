//! Future of the authorization middleware.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use http::Response;
use pin_project_lite::pin_project;

use crate::{error::auth::AuthError, reject::body::ResponseBody};

pin_project! {
    /// Response future of [`RequirePermission`](crate::require::RequirePermission).
    pub struct RequirePermissionFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F> {
        Calling { #[pin] future: F },
        Rejected { error: Option<AuthError> },
    }
}

impl<F> fmt::Debug for RequirePermissionFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequirePermissionFuture")
            .finish_non_exhaustive()
    }
}

impl<F> RequirePermissionFuture<F> {
    pub(super) fn calling(future: F) -> Self {
        Self {
            state: State::Calling { future },
        }
    }

    pub(super) fn rejected(error: AuthError) -> Self {
        Self {
            state: State::Rejected { error: Some(error) },
        }
    }
}

impl<F, B, E> Future for RequirePermissionFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Calling { future } => future.poll(cx).map_ok(ResponseBody::inner),
            StateProj::Rejected { error } => {
                let error = error.take().expect("polled after it was ready");
                Poll::Ready(Ok(error.into_inner_response()))
            }
        }
    }
}
