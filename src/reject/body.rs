//! Body of the responses of the middleware.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// Body of a response: that of the inner service, or that of a rejection.
    ///
    /// The body of a rejection is one frame of bytes. The inner body may therefore be of any type.
    ///
    /// ```
    /// use axum::{Router, body::Body};
    /// use modeler_auth::{AuthLayer, Issuer, TokenValidator, auth::Auth, reject::ResponseBody};
    /// use tower::{Layer, Service};
    ///
    /// fn body_of<S>(_: &S) -> &'static str
    /// where
    ///     S: Service<http::Request<Body>, Response = http::Response<ResponseBody<Body>>>,
    /// {
    ///     "the inner body, or that of a rejection"
    /// }
    ///
    /// let validator = TokenValidator::builder().issuer(Issuer::saas("org")).build()?;
    /// let service: Auth<Router, _> = AuthLayer::new(validator).layer(Router::new());
    /// body_of(&service);
    /// # Ok::<(), modeler_auth::ConfigError>(())
    /// ```
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProj]
    #[derive(Debug)]
    enum Kind<B> {
        Inner { #[pin] body: B },
        Rejection { bytes: Bytes },
    }
}

impl<B> ResponseBody<B> {
    pub(crate) fn inner(response: Response<B>) -> Response<Self> {
        response.map(|body| Self {
            kind: Kind::Inner { body },
        })
    }

    pub(crate) fn rejection(bytes: Bytes) -> Self {
        Self {
            kind: Kind::Rejection { bytes },
        }
    }
}

/// An empty body.
impl<B> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::rejection(Bytes::new())
    }
}

impl<B: Body<Data = Bytes>> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().kind.project() {
            KindProj::Inner { body } => body.poll_frame(cx),
            KindProj::Rejection { bytes } if bytes.is_empty() => Poll::Ready(None),
            KindProj::Rejection { bytes } => Poll::Ready(Some(Ok(Frame::data(mem::take(bytes))))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Inner { body } => body.is_end_stream(),
            Kind::Rejection { bytes } => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Inner { body } => body.size_hint(),
            Kind::Rejection { bytes } => {
                SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
            }
        }
    }
}
