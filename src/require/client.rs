//! Rule about clients.

use crate::{
    access::Access,
    auth::request_view::RequestView,
    require::{denied::Denied, rule::PermissionRule},
};

/// Rule that needs the token to be issued to one of some clients: its claim `client_id`, else `azp`.
///
/// ```
/// use modeler_auth::{RequirePermissionLayer, require::RequireClient};
///
/// let layer = RequirePermissionLayer::new(RequireClient::any(["shop", "warehouse"]));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RequireClient {
    clients: Vec<String>,
}

impl RequireClient {
    /// Returns a rule that accepts the tokens of `clients`.
    pub fn any<C: Into<String>>(clients: impl IntoIterator<Item = C>) -> Self {
        Self {
            clients: clients.into_iter().map(Into::into).collect(),
        }
    }
}

impl PermissionRule for RequireClient {
    fn check(&self, access: &Access, _: &RequestView<'_>) -> Result<(), Denied> {
        match access.client_id() {
            Some(client) if self.clients.iter().any(|allowed| allowed == client) => Ok(()),
            Some(_) => Err(Denied::always().because("the token's client is not an allowed one")),
            None => Err(Denied::always().because("the token names no client")),
        }
    }
}
