//! Machine client of a test server.

use std::{fmt, sync::Arc};

use crate::test_util::TokenBuilder;

/// Machine client of a [`TestServer`](crate::test_util::TestServer), with tokens of your choice.
///
/// ```
/// use std::time::Duration;
/// use modeler_auth::{Permission, test_util::TestClient};
///
/// let client = TestClient::new("shop", "shop-secret").tokens(|token| {
///     token
///         .permissions([Permission::Read])
///         .claim("department", "sales")
///         .expires_in(Duration::from_secs(30))
/// });
/// ```
#[derive(Clone)]
pub struct TestClient {
    id: String,
    secret: String,
    change: Arc<ChangeToken>,
}

type ChangeToken = dyn Fn(TokenBuilder) -> TokenBuilder + Send + Sync;

impl TestClient {
    /// Creates a client. Its tokens are those of [`TestIssuer::token`](crate::test_util::TestIssuer::token)
    /// for the client `id`, with all four permissions.
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: secret.into(),
            change: Arc::new(|token| token),
        }
    }

    /// Changes each token of the client with `change` before it is signed. Default: no change.
    ///
    /// It is called for each token request, so the tokens of a client can differ. The response of the
    /// token endpoint names the lifetime that [`TokenBuilder::expires_in`] sets.
    #[must_use]
    pub fn tokens<F>(self, change: F) -> Self
    where
        F: Fn(TokenBuilder) -> TokenBuilder + Send + Sync + 'static,
    {
        Self {
            change: Arc::new(change),
            ..self
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Returns whether the credentials are those of the client.
    pub(super) fn has(&self, id: Option<&str>, secret: Option<&str>) -> bool {
        id == Some(&self.id) && secret == Some(&self.secret)
    }

    /// Returns the token for the client, made of a token that its issuer has prepared.
    pub(super) fn token(&self, token: TokenBuilder) -> TokenBuilder {
        (self.change)(token.client(&self.id))
    }
}

/// Omits the secret.
impl fmt::Debug for TestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClient")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
