//! The release example as a child process, and what Linux reports about it.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
};

pub struct Service {
    process: Child,
    pub address: SocketAddr,
}

impl Service {
    /// Builds the example and starts it.
    ///
    /// # Panics
    /// If it cannot be built or started.
    pub fn start(issuer: &str, refresh_seconds: u64) -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let built = Command::new(cargo)
            .current_dir(root)
            .args(["build", "--release", "--all-features", "--example"])
            .arg("web_modeler")
            .status();
        assert!(built.is_ok_and(|status| status.success()), "cargo build");
        // `…/target/tmp` beside `…/target/release`.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("..");
        let address = free_address();
        let process = Command::new(target.join("release/examples/web_modeler"))
            // Without any settings of the machine.
            .env_clear()
            .env("MODELER_ADDR", address.to_string())
            .env(
                "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI",
                issuer,
            )
            .env("JWKS_REFRESH_SECONDS", refresh_seconds.to_string())
            .env("JWKS_COOLDOWN_SECONDS", "5")
            .env("RUST_LOG", "warn")
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .stdout(Stdio::null())
            .spawn()
            .expect("the example starts");
        Self { process, address }
    }

    /// Resident memory in bytes.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.expect("the service runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.expect("a size in kB") * 1024
    }

    /// Open sockets, the listening one included.
    pub fn sockets(&self) -> usize {
        let open = fs::read_dir(format!("/proc/{}/fd", self.process.id()));
        open.expect("the service runs")
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
            .filter(|target| target.to_string_lossy().starts_with("socket:"))
            .count()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}
