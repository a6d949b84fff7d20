//! Future of the authentication middleware: waits for keys and grants, and renders rejections.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderName, Request, Response, header};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{
    access::Access,
    auth::{decide::decide_again, extensions::pass, request_view::RequestView, reserved::Reserved},
    error::auth::{AuthError, AuthErrorKind},
    reject::{Reject, Rejection, body::ResponseBody},
    telemetry::metrics::{self, Passed},
    validator::{
        TokenValidator,
        check::{NotAccepted, Wait, WaitsLeft},
    },
};

/// Headers about a response's body or its caching.
const OF_THE_BODY: [HeaderName; 19] = [
    header::ACCEPT_RANGES,
    header::AGE,
    header::CACHE_CONTROL,
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_LOCATION,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::ETAG,
    header::EXPIRES,
    header::LAST_MODIFIED,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("repr-digest"),
];

pin_project! {
    /// Response future of [`Auth`](crate::auth::Auth).
    pub struct ResponseFuture<F, S, B, R> {
        #[pin]
        state: State<F, S, B>,
        rejecter: Rejecter<R>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, S, B> {
        Calling { #[pin] future: F },
        /// The token is acceptable; the inner service is not ready yet.
        Readying { waits_left: WaitsLeft, parked: Option<Box<Parked<S, B>>> },
        Rejected { response: Option<Response<Bytes>> },
        /// A fetch of the keys or of the grant is under way.
        Waiting { wait: Wait, waits_left: WaitsLeft, parked: Option<Box<Parked<S, B>>> },
    }
}

/// Request that waits, with the service that will handle it.
///
/// Boxed, because most requests do not wait and a large future is costly to move.
struct Parked<S, B> {
    inner: S,
    request: Request<B>,
}

impl<S, B> Parked<S, B> {
    /// Calls the service, which must be ready, with the request.
    fn call<F>(mut self, access: Access, is_recorded: bool) -> State<F, S, B>
    where
        S: Service<Request<B>, Future = F>,
    {
        pass(&mut self.request, access, is_recorded);
        State::Calling {
            future: self.inner.call(self.request),
        }
    }

    fn reject<F>(&self, error: &AuthError, rejecter: &Rejecter<impl Reject>) -> State<F, S, B> {
        let request = RequestView::of(&self.request);
        State::Rejected {
            response: Some(rejecter.reject(error, Some(request))),
        }
    }
}

/// Parts that a response future needs to render a rejection, or to pass a request on.
pub(super) struct Rejecter<R> {
    pub(super) validator: TokenValidator,
    pub(super) reject: R,
    /// Whether the access is recorded in the current span.
    pub(super) is_recorded: bool,
    pub(super) passed: Passed,
    /// Media type of a gRPC call.
    pub(super) grpc: Option<&'static str>,
}

impl<F, S, B, R> fmt::Debug for ResponseFuture<F, S, B, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<F, S, B, R> ResponseFuture<F, S, B, R> {
    pub(super) fn calling(future: F, rejecter: Rejecter<R>) -> Self {
        Self {
            state: State::Calling { future },
            rejecter,
        }
    }

    pub(super) fn rejected(
        error: &AuthError,
        request: RequestView<'_>,
        rejecter: Rejecter<R>,
    ) -> Self
    where
        R: Reject,
    {
        Self {
            state: State::Rejected {
                response: Some(rejecter.reject(error, Some(request))),
            },
            rejecter,
        }
    }

    pub(super) fn waiting(
        wait: Wait,
        inner: S,
        request: Request<B>,
        rejecter: Rejecter<R>,
    ) -> Self {
        Self {
            state: State::Waiting {
                wait,
                waits_left: WaitsLeft::ALL,
                parked: Some(Box::new(Parked { inner, request })),
            },
            rejecter,
        }
    }
}

impl<F, S, B, R, ResB> Future for ResponseFuture<F, S, B, R>
where
    F: Future<Output = Result<Response<ResB>, S::Error>>,
    S: Service<Request<B>, Response = Response<ResB>, Future = F> + Clone,
    R: Reject,
{
    type Output = Result<Response<ResponseBody<ResB>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        const POLLED: &str = "polled after it was ready";
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProj::Calling { future } => {
                    let response = ready!(future.poll(cx));
                    return Poll::Ready(response.map(|response| this.rejecter.finish(response)));
                }
                StateProj::Rejected { response } => {
                    let response = response.take().expect(POLLED);
                    return Poll::Ready(Ok(response.map(ResponseBody::rejection)));
                }
                StateProj::Readying { waits_left, parked } => {
                    ready!(parked.as_mut().expect(POLLED).inner.poll_ready(cx))?;
                    let mut parked = parked.take().expect(POLLED);
                    // The token may have expired or been revoked since the last decision.
                    let validator = &this.rejecter.validator;
                    match decide_again(validator, &parked.request, waits_left) {
                        Ok(access) => parked.call(access, this.rejecter.is_recorded),
                        Err(NotAccepted::Rejected(error)) => parked.reject(&error, this.rejecter),
                        // The grant has become too old meanwhile.
                        Err(NotAccepted::Wait(wait)) => {
                            drop(Reserved::new(&mut parked.inner));
                            State::Waiting {
                                wait,
                                waits_left: waits_left.clone(),
                                parked: Some(parked),
                            }
                        }
                    }
                }
                StateProj::Waiting {
                    wait,
                    waits_left,
                    parked,
                } => {
                    let waited = ready!(Pin::new(&mut *wait).poll(cx));
                    let waits_left = waits_left.clone().after(waited);
                    let mut parked = parked.take().expect(POLLED);
                    // Only an acceptable request may cause the inner service to reserve
                    // something.
                    match decide_again(&this.rejecter.validator, &parked.request, &waits_left) {
                        Ok(access) => match parked.inner.poll_ready(cx)? {
                            Poll::Ready(()) => parked.call(access, this.rejecter.is_recorded),
                            Poll::Pending => State::Readying {
                                waits_left: waits_left.none(),
                                parked: Some(parked),
                            },
                        },
                        Err(NotAccepted::Rejected(error)) => parked.reject(&error, this.rejecter),
                        Err(NotAccepted::Wait(wait)) => State::Waiting {
                            wait,
                            waits_left,
                            parked: Some(parked),
                        },
                    }
                }
            };
            this.state.set(next);
        }
    }
}

impl<R: Reject> Rejecter<R> {
    /// Logs and renders a rejection, and stores its error for layers outside.
    pub(super) fn reject(
        &self,
        error: &AuthError,
        request: Option<RequestView<'_>>,
    ) -> Response<Bytes> {
        // `authenticated` has already logged a missing layer.
        if error.kind() != AuthErrorKind::LayerMissing {
            self.validator.log_rejection(error);
        }
        let path = request.map(|request| request.path());
        let metadata_url = self.validator.resources().metadata_url(path);
        let rejection = Rejection::new(error, request, self.grpc);
        let mut response = self.reject.reject(&rejection.of_resource(metadata_url));
        let rendered = error.clone().with_rendered(true);
        response.extensions_mut().insert(rendered);
        response
    }

    /// Returns `response`, or renders the rejection that an inner service left in its extensions.
    fn finish<B>(&self, mut response: Response<B>) -> Response<ResponseBody<B>> {
        let error = response.extensions().get::<AuthError>();
        let Some(error) = error.filter(|error| !error.is_rendered()).cloned() else {
            metrics::request_passed(self.passed);
            return ResponseBody::inner(response);
        };
        let request = error.request().map(RequestView::of);
        let (rejected, body) = self.reject(&error, request).into_parts();
        *response.status_mut() = rejected.status;
        let headers = response.headers_mut();
        // Headers that layers in between have added stay, e.g. those of CORS. Headers about the
        // body go, since the rejection has another body.
        for name in OF_THE_BODY {
            headers.remove(name);
        }
        headers.extend(rejected.headers);
        response.extensions_mut().extend(rejected.extensions);
        response.map(|_| ResponseBody::rejection(body))
    }
}
