//! Client-side interceptor that adds a token to each call, and gets the next one in time.

use std::{error::Error, time::Duration};

use tokio::{sync::watch, time};
use tonic::{Request, Status, metadata::AsciiMetadataValue, service::Interceptor};

/// Pause after a failed request for a token.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// Any error of a request for a token.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Token and its lifetime, the `access_token` and `expires_in` of a token response (RFC 6749 §5.1).
pub struct IssuedToken {
    pub access_token: String,
    pub lifetime: Duration,
}

/// Interceptor that adds a token to each call.
///
/// A task requests the next token after four fifths of the lifetime, so a call never waits for it.
/// The task ends when the last clone is dropped.
#[derive(Clone)]
pub struct FreshToken {
    authorization: watch::Receiver<AsciiMetadataValue>,
}

impl FreshToken {
    /// Requests the first token with `request`, and starts the task that requests the next ones.
    pub async fn start<F, Fut>(request: F) -> Result<Self, BoxError>
    where
        F: Fn() -> Fut + Send + 'static,
        Fut: Future<Output = Result<IssuedToken, BoxError>> + Send,
    {
        let issued = request().await?;
        let (sender, authorization) = watch::channel(authorization(&issued)?);
        tokio::spawn(async move {
            tokio::select! {
                () = sender.closed() => {}
                () = replace(&sender, request, issued.lifetime) => {}
            }
        });
        Ok(Self { authorization })
    }
}

impl Interceptor for FreshToken {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let authorization = self.authorization.borrow().clone();
        request
            .metadata_mut()
            .insert("authorization", authorization);
        Ok(request)
    }
}

/// Replaces each token before it expires.
async fn replace<F, Fut>(
    sender: &watch::Sender<AsciiMetadataValue>,
    request: F,
    mut lifetime: Duration,
) where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<IssuedToken, BoxError>>,
{
    let mut pause = lifetime * 4 / 5;
    loop {
        time::sleep(pause).await;
        let issued = request().await.and_then(|issued| {
            sender.send_replace(authorization(&issued)?);
            Ok(issued)
        });
        pause = match issued {
            Ok(issued) => {
                lifetime = issued.lifetime;
                lifetime * 4 / 5
            }
            // The old token stays in use. The server rejects it when it has expired.
            Err(error) => {
                eprintln!("no new token, retrying in {RETRY_PAUSE:?}: {error}");
                RETRY_PAUSE
            }
        };
    }
}

fn authorization(issued: &IssuedToken) -> Result<AsciiMetadataValue, BoxError> {
    let mut value: AsciiMetadataValue = format!("Bearer {}", issued.access_token).parse()?;
    // Keeps the token out of debug output.
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    const LIFETIME: Duration = Duration::from_secs(300);

    /// Returns an interceptor whose tokens are numbers; the requests in `failing` fail.
    async fn numbered(failing: &'static [usize]) -> (FreshToken, Arc<AtomicUsize>) {
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = requests.clone();
        let request = move || {
            let number = counter.fetch_add(1, Ordering::SeqCst);
            let is_failure = failing.contains(&number);
            async move {
                if is_failure {
                    return Err("the issuer does not answer".into());
                }
                Ok(IssuedToken {
                    access_token: number.to_string(),
                    lifetime: LIFETIME,
                })
            }
        };
        (FreshToken::start(request).await.unwrap(), requests)
    }

    fn sent(token: &mut FreshToken) -> String {
        let request = token.call(Request::new(())).unwrap();
        let value = request.metadata().get("authorization").unwrap();
        value.to_str().unwrap().to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_replaced_before_it_expires() {
        let (mut token, requests) = numbered(&[]).await;
        assert_eq!(sent(&mut token), "Bearer 0");
        time::sleep(LIFETIME * 4 / 5 - Duration::from_millis(1)).await;
        assert_eq!(sent(&mut token), "Bearer 0");
        time::sleep(Duration::from_millis(2)).await;
        assert_eq!(sent(&mut token), "Bearer 1");
        time::sleep(LIFETIME * 4 / 5).await;
        assert_eq!(sent(&mut token), "Bearer 2");
        assert_eq!(requests.load(Ordering::SeqCst), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_request_is_repeated_and_the_old_token_stays() {
        let (mut token, _) = numbered(&[1, 2]).await;
        time::sleep(LIFETIME * 4 / 5 + RETRY_PAUSE).await;
        assert_eq!(sent(&mut token), "Bearer 0");
        time::sleep(RETRY_PAUSE + Duration::from_millis(1)).await;
        assert_eq!(sent(&mut token), "Bearer 3");
    }

    #[tokio::test(start_paused = true)]
    async fn the_task_ends_with_the_last_clone() {
        let (token, requests) = numbered(&[]).await;
        let clone = token.clone();
        drop(token);
        time::sleep(LIFETIME).await;
        assert_eq!(requests.load(Ordering::SeqCst), 2);
        drop(clone);
        time::sleep(LIFETIME * 3).await;
        assert_eq!(requests.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn the_error_of_the_first_request_is_returned() {
        let error = FreshToken::start(|| async { Err("the issuer does not answer".into()) });
        let Err(error) = error.await else {
            panic!("there is no token");
        };
        assert_eq!(error.to_string(), "the issuer does not answer");
    }

    #[tokio::test]
    async fn debug_output_does_not_contain_the_token() {
        let (mut token, _) = numbered(&[]).await;
        let request = token.call(Request::new(())).unwrap();
        assert!(!format!("{request:?}").contains("Bearer"));
    }
}
