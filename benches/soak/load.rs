//! Clients: those with valid tokens, those with bad ones, and slow ones.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use reqwest::Client;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{interval, sleep},
};

use crate::{issuer::Issuer, sample::Counts};

/// Valid tokens in use at the same time.
const TOKENS: u32 = 1_000;
const VALID_CLIENTS: u32 = 32;
const VALID_PER_SECOND: u32 = 1_000;
const BAD_CLIENTS: u32 = 8;
const BAD_PER_SECOND: u32 = 400;
const SLOW_CLIENTS: usize = 50;

/// Describes the load, with each token used for the time `used`.
pub fn description(used: Duration) -> String {
    format!(
        "{VALID_PER_SECOND} valid requests/s, each token used for {} s; {BAD_PER_SECOND} bad tokens/s, \
         half of them with unknown key ids; {SLOW_CLIENTS} slow clients",
        used.as_secs()
    )
}

/// Tokens that are replaced in turn.
struct Tokens(Mutex<Vec<String>>);

impl Tokens {
    fn any(&self) -> String {
        let tokens = self.0.lock().expect("no panic");
        fastrand::choice(tokens.iter()).expect("tokens").clone()
    }
}

/// Starts all clients, which use each token for the time `used`. They run until the runtime ends.
pub fn start(issuer: &Issuer, address: SocketAddr, used: Duration, counts: &Arc<Counts>) {
    let tokens: Vec<_> = (0..TOKENS).map(|_| issuer.token()).collect();
    let tokens = Arc::new(Tokens(Mutex::new(tokens)));
    tokio::spawn(replace(issuer.clone(), Arc::clone(&tokens), used));
    let url = format!("http://{address}/api/v1/info");
    let client = Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(20))
        .build()
        .expect("a client");
    for _ in 0..VALID_CLIENTS {
        let (client, url) = (client.clone(), url.clone());
        let (counts, tokens) = (Arc::clone(counts), Arc::clone(&tokens));
        tokio::spawn(async move {
            let mut ticks = interval(Duration::from_secs(1) * VALID_CLIENTS / VALID_PER_SECOND);
            loop {
                // From the time at which the request was due, so that a late start counts, too.
                let due = ticks.tick().await;
                let status = get(&client, &url, &tokens.any()).await;
                counts.valid(status, due.elapsed());
            }
        });
    }
    for number in 0..BAD_CLIENTS {
        let (client, url) = (client.clone(), url.clone());
        let (counts, issuer) = (Arc::clone(counts), issuer.clone());
        tokio::spawn(async move {
            let mut ticks = interval(Duration::from_secs(1) * BAD_CLIENTS / BAD_PER_SECOND);
            loop {
                ticks.tick().await;
                let token = issuer.bad_token(number % 2 == 0);
                counts.bad(get(&client, &url, &token).await);
            }
        });
    }
    for _ in 0..SLOW_CLIENTS {
        let (counts, tokens) = (Arc::clone(counts), Arc::clone(&tokens));
        tokio::spawn(async move {
            loop {
                counts.slow(slow_request(address, &tokens.any()).await.ok());
            }
        });
    }
}

async fn replace(issuer: Issuer, tokens: Arc<Tokens>, used: Duration) {
    let mut ticks = interval(used / TOKENS);
    for position in (0..TOKENS as usize).cycle() {
        ticks.tick().await;
        let token = issuer.token();
        if let Some(old) = tokens.0.lock().expect("no panic").get_mut(position) {
            *old = token;
        }
    }
}

/// The status, or `None` if there was no response.
async fn get(client: &Client, url: &str, token: &str) -> Option<u16> {
    let response = client.get(url).bearer_auth(token).send().await.ok()?;
    let status = response.status().as_u16();
    response.bytes().await.ok()?;
    Some(status)
}

/// Sends a request in ten pieces over 10 s, and reads the response byte by byte.
async fn slow_request(address: SocketAddr, token: &str) -> std::io::Result<u16> {
    let request = format!(
        "GET /api/v1/info HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\n\r\n"
    );
    let mut stream = TcpStream::connect(address).await?;
    for piece in request.as_bytes().chunks(request.len().div_ceil(10)) {
        stream.write_all(piece).await?;
        sleep(Duration::from_secs(1)).await;
    }
    let mut response = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte).await? > 0 {
        response.extend_from_slice(&byte);
        sleep(Duration::from_millis(5)).await;
    }
    let response = String::from_utf8_lossy(&response).into_owned();
    let status = response
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok());
    status.ok_or_else(|| std::io::Error::other("no status"))
}
