//! Text that the example prints at start: addresses, clients, and commands to try.

use std::{fmt, net::SocketAddr};

use modeler_auth::test_util::{DevelopmentClient, DevelopmentIssuer};

/// Text for the terminal. Its lines have at most 80 columns, except for those with a token URL.
pub(crate) struct Introduction<'a> {
    pub(crate) service: SocketAddr,
    pub(crate) management: Option<SocketAddr>,
    pub(crate) development: Option<&'a DevelopmentIssuer>,
}

impl fmt::Display for Introduction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = url(self.service);
        writeln!(f, "Service:            {service}")?;
        writeln!(f, "Swagger UI:         {service}/swagger-ui.html")?;
        if let Some(management) = self.management {
            writeln!(f, "Metrics:            {}/metrics", url(management))?;
        }
        let Some(development) = self.development else {
            return Ok(());
        };
        let server = development.server();
        writeln!(f, "Development issuer: {}\n", url(server.local_addr()))?;
        writeln!(f, "{:<10} {:<17} may", "client", "secret")?;
        for client in DevelopmentIssuer::CLIENTS {
            let (id, secret) = (client.id, client.secret);
            writeln!(f, "{id:<10} {secret:<17} {}", permissions(client))?;
        }
        let managed = server.self_managed().token_url();
        let saas = format!("{}oauth/token", server.saas().name());
        writeln!(f, "\nGet a token, as from Camunda Self-Managed:\n")?;
        token_command(f, &managed, "")?;
        writeln!(f, "\nor as from Camunda SaaS:\n")?;
        let audience = " \\\n  --data-urlencode 'audience=api.cloud.camunda.io'";
        token_command(f, &saas, audience)?;
        writeln!(
            f,
            "\nAsk what it grants, with its access_token in place of eyJhb...:\n\n\
             curl -o - '{service}/api/v1/info' \\\n  -H 'Authorization: Bearer eyJhb...'"
        )
    }
}

fn permissions(client: &DevelopmentClient) -> String {
    match client.permissions {
        _ if client.is_internal => "nothing: 401, its tokens are for another API".to_owned(),
        [] => "only read its grant at /info: elsewhere 403".to_owned(),
        some => {
            let names: Vec<_> = some.iter().map(|permission| permission.name()).collect();
            names.join(", ")
        }
    }
}

/// Writes the command that gets a token for the client `writer`.
fn token_command(f: &mut fmt::Formatter<'_>, url: &str, more: &str) -> fmt::Result {
    writeln!(
        f,
        "curl --location --request POST '{url}' \\
  --header 'Content-Type: application/x-www-form-urlencoded' \\
  --data-urlencode 'client_id=writer' \\
  --data-urlencode 'client_secret=writer-secret' \\
  --data-urlencode 'grant_type=client_credentials'{more}"
    )
}

fn url(address: SocketAddr) -> String {
    if address.ip().is_loopback() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_text_fits_80_columns_and_names_addresses_and_clients() {
        let issuer = DevelopmentIssuer::start(([127, 0, 0, 1], 0).into());
        let issuer = issuer.await.unwrap();
        let text = Introduction {
            service: ([127, 0, 0, 1], 65535).into(),
            management: Some(([192, 168, 100, 100], 65535).into()),
            development: Some(&issuer),
        };
        let text = text.to_string();
        for line in text.lines() {
            let is_token_url = line.contains("/protocol/openid-connect/token'");
            assert!(line.len() <= 80 || is_token_url, "{line}");
            assert!(!line.contains(char::is_control), "{line:?}");
        }
        for part in [
            "Service:            http://localhost:65535\n",
            "Swagger UI:         http://localhost:65535/swagger-ui.html\n",
            "Metrics:            http://192.168.100.100:65535/metrics\n",
            "\nwriter     writer-secret     create:*, read:*, update:*\n",
            "\ncurl -o - 'http://localhost:65535/api/v1/info' \\\n",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        for client in DevelopmentIssuer::CLIENTS {
            assert!(text.contains(client.secret), "{}", client.id);
        }
    }

    #[test]
    fn a_service_with_a_real_issuer_names_no_client() {
        let text = Introduction {
            service: ([0, 0, 0, 0], 80).into(),
            management: None,
            development: None,
        };
        let expected = "Service:            http://0.0.0.0:80\n\
                        Swagger UI:         http://0.0.0.0:80/swagger-ui.html\n";
        assert_eq!(text.to_string(), expected);
    }
}
