//! Results of the measurements, and their table.

use std::{fmt::Write as _, fs, process::Command};

use crate::{contender::Contender, measure::Measured};

/// What the table has a column for, in this order.
#[derive(Clone, Copy)]
pub enum Column {
    Keycloak,
    Auth0,
    Es256,
    EdDsa,
    Expired,
}

impl Column {
    const TITLES: [&str; 5] = [
        "RS256 Keycloak, 1 kB",
        "RS256 Auth0, 0.4 kB",
        "ES256 Keycloak",
        "EdDSA Keycloak",
        "refused: expired RS256",
    ];
}

#[derive(Default)]
pub struct Report {
    /// The bare signature checks, in seconds.
    floors: [f64; 5],
    rows: Vec<Row>,
}

/// One contender.
pub struct Row {
    pub name: String,
    /// A column is empty if the contender cannot validate such tokens.
    ratios: [Option<f64>; 5],
    allocations: usize,
}

impl Row {
    /// The ratio of the column that everything is sorted by.
    pub fn keycloak(&self) -> f64 {
        self.ratios[Column::Keycloak as usize].expect("all contenders can do it")
    }
}

impl Report {
    pub fn add(&mut self, column: Column, contenders: &[Contender], measured: &Measured) {
        let column = column as usize;
        self.floors[column] = measured.floor;
        for (contender, ratio) in contenders.iter().zip(&measured.ratios) {
            self.row(contender.name()).ratios[column] = Some(*ratio);
        }
    }

    pub fn add_allocations(&mut self, contender: &Contender, count: usize) {
        self.row(contender.name()).allocations = count;
    }

    fn row(&mut self, name: &str) -> &mut Row {
        let index = self.rows.iter().position(|row| row.name == name);
        let index = index.unwrap_or_else(|| {
            self.rows.push(Row {
                name: name.to_owned(),
                ratios: [None; 5],
                allocations: 0,
            });
            self.rows.len() - 1
        });
        &mut self.rows[index]
    }

    /// The contenders, the quickest first.
    pub fn sorted(&self) -> Vec<&Row> {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by(|one, other| one.keycloak().total_cmp(&other.keycloak()));
        rows
    }

    pub fn markdown(&self) -> String {
        let mut text = format!(
            "Whole axum call with the layer, as a multiple of the bare signature check \
             (less is better); {}.\n\n```text\n{COMMAND}\n```\n\n| | {} | allocations |\n|---|{}\n",
            machine(),
            Column::TITLES.join(" | "),
            "---:|".repeat(6),
        );
        let floors = self.floors.map(|floor| format!("{:.1} µs", floor * 1e6));
        line(&mut text, "bare signature check", &floors, "0");
        for row in self.sorted() {
            let ratios = row.ratios.map(|ratio| match ratio {
                Some(ratio) => format!("{ratio:.2}"),
                None => "-".to_owned(),
            });
            line(&mut text, &row.name, &ratios, &row.allocations.to_string());
        }
        text.push_str(NOTES);
        text
    }
}

const COMMAND: &str =
    "cargo run --release --manifest-path benches/peers/Cargo.toml --target-dir target/peers";

const NOTES: &str = "
- The first line is the time of the check itself, `aws-lc-rs` with a key parsed once. Allocations \
are those of one accepted RS256 Keycloak call, axum's own included; what C code asks for is not \
counted, and with `rust_crypto` they differ by some from key to key.
- `modeler-auth`, token new, is with its cache off: with it on, a new token is also put into the \
cache, which is not measured here.
- Claims go into what each quick start uses; `modeler-auth` also maps them to an organization and \
permissions. `jwt-authorizer` is made for axum 0.7, all others run in axum 0.8.
- `axum-keycloak-auth` has no figure for Auth0 because it demands the claims `jti` and `typ`, which \
Auth0's tokens do not have. It tries every published key in turn; Keycloak publishes one for \
encryption, too, by default, so both orders are given. It never checks the issuer.
- `axum-jose` checks issuer and audience only if the token has them.
- Where a contender can be run with another backend, both are given. `jsonwebtoken` has one backend \
for a process; here a provider hands each check on to the one of the contender that runs.
- No other contender remembers tokens, so a token seen before costs them the same as a new one.
";

fn line(text: &mut String, name: &str, cells: &[String], last: &str) {
    writeln!(text, "| {name} | {} | {last} |", cells.join(" | ")).expect("a string takes all");
}

/// Where and when this ran.
pub fn machine() -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let compiler = output(Command::new("rustc").arg("--version"));
    let compiler = compiler.split(" (").next().unwrap_or_default();
    let date = output(Command::new("date").args(["-u", "+%F"]));
    format!("{model}, {cores} shared cores, {compiler}, {date}")
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("every machine with cargo has it");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
