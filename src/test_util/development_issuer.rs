//! Development issuer: a test server with clients whose secrets are published.

use std::{io, net::SocketAddr};

use serde_json::json;

use crate::{
    access::permission::Permission,
    test_util::{TestClient, TestServer, TokenBuilder},
};

/// Audience of Web Modeler's internal API.
const INTERNAL_AUDIENCE: &str = "web-modeler-api";

/// Issuer for development on one machine: a [`TestServer`] with five [clients](DevelopmentIssuer::CLIENTS)
/// whose secrets are published here.
///
/// It stands in for Keycloak and for Camunda SaaS until a real issuer is configured. Tests rather use a
/// [`TestServer`], with clients of their own.
///
/// Never run a service that trusts this issuer where others can reach it: the secrets are no secrets.
///
/// ```
/// use modeler_auth::{TokenValidator, test_util::DevelopmentIssuer};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let development = DevelopmentIssuer::start("127.0.0.1:0".parse()?).await?;
/// let validator = TokenValidator::builder()
///     .issuer(development.server().self_managed().issuer())
///     .build()?;
/// for client in DevelopmentIssuer::CLIENTS {
///     println!("{} {}", client.id, client.secret);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct DevelopmentIssuer {
    server: TestServer,
}

/// Machine client of the [`DevelopmentIssuer`].
///
/// ```
/// use modeler_auth::test_util::DevelopmentIssuer;
///
/// let reader = DevelopmentIssuer::CLIENTS.iter().find(|client| client.id == "reader");
/// assert_eq!(reader.unwrap().secret, "reader-secret");
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DevelopmentClient {
    /// `client_id`.
    pub id: &'static str,
    /// `client_secret`.
    pub secret: &'static str,
    /// Permissions of the client's tokens.
    pub permissions: &'static [Permission],
    /// `true` if the client's Self-Managed tokens are for the internal API only, so that no service
    /// behind the layer may accept them.
    pub is_internal: bool,
}

impl DevelopmentIssuer {
    /// All clients.
    pub const CLIENTS: &[DevelopmentClient] = &[
        DevelopmentClient {
            id: "all",
            secret: "all-secret",
            permissions: &Permission::ALL,
            is_internal: false,
        },
        DevelopmentClient {
            id: "writer",
            secret: "writer-secret",
            permissions: &[Permission::Create, Permission::Read, Permission::Update],
            is_internal: false,
        },
        DevelopmentClient {
            id: "reader",
            secret: "reader-secret",
            permissions: &[Permission::Read],
            is_internal: false,
        },
        DevelopmentClient {
            id: "nobody",
            secret: "nobody-secret",
            permissions: &[],
            is_internal: false,
        },
        DevelopmentClient {
            id: "internal",
            secret: "internal-secret",
            permissions: &[],
            is_internal: true,
        },
    ];

    /// Starts the issuer on `address`; port 0 selects a free port.
    ///
    /// # Errors
    /// As [`TestServer::start`].
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let server = TestServer::start(address).await?;
        for client in Self::CLIENTS {
            let tokens = |token| client.token(token);
            server.add_client(TestClient::new(client.id, client.secret).tokens(tokens));
        }
        Ok(Self { server })
    }

    /// Returns the server.
    #[must_use]
    pub fn server(&self) -> &TestServer {
        &self.server
    }
}

impl DevelopmentClient {
    /// Changes `token` to one for this client.
    fn token(&self, token: TokenBuilder) -> TokenBuilder {
        if self.is_internal {
            let permissions = json!({INTERNAL_AUDIENCE: ["write:*", "admin:*"]});
            return token
                .audience(INTERNAL_AUDIENCE)
                .claim("permissions", permissions)
                .without("resource_access");
        }
        let token = token.permissions(self.permissions.iter().copied());
        if self.permissions.is_empty() {
            token.without("permissions").without("resource_access")
        } else {
            token
        }
    }
}
