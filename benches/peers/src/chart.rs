//! Chart with bars for accepted Keycloak tokens.

use std::fmt::Write as _;

use crate::{
    peers::{OPEN, OURS},
    report::{Report, Row, machine},
};

const WIDTH: usize = 860;
/// Where bars begin; names are to the left of it.
const LEFT: f64 = 372.0;
/// Where a bar of the value `MOST` ends; room for its value stays behind it.
const RIGHT: f64 = 800.0;
const TOP: usize = 74;
const BAR: usize = 26;
/// The ends of the scale, which is logarithmic: values lie too far apart for any other.
const LEAST: f64 = 0.02;
const MOST: f64 = 20.0;
/// Values marked on the scale, and how their lines are drawn.
const TICKS: [(f64, &str); 4] = [
    (0.02, THIN),
    (0.1, THIN),
    (1.0, r##"stroke="#57606a" stroke-dasharray="4 3""##),
    (10.0, THIN),
];
const THIN: &str = r##"stroke="#d0d7de""##;

pub fn draw(report: &Report) -> String {
    let rows = report.sorted();
    let rows: Vec<_> = rows.into_iter().filter(|row| row.name != OPEN).collect();
    let bottom = TOP + rows.len() * BAR;
    let height = bottom + 52;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="13" fill="#24292f">
<title>Cost of one accepted request, as a multiple of the bare signature check</title>
<rect width="{WIDTH}" height="{height}" rx="10" fill="#fff"/>
<text x="20" y="28" font-size="16" font-weight="bold">Cost of one accepted request (RS256, Keycloak token of 1 kB)</text>
<text x="20" y="48" fill="#57606a">whole axum call; 1 = the bare signature check; logarithmic scale, shorter is better</text>
"##
    );
    for (value, stroke) in TICKS {
        tick(&mut svg, value, stroke, bottom);
    }
    for (index, row) in rows.into_iter().enumerate() {
        bar(&mut svg, row, TOP + index * BAR);
    }
    let foot = height - 12;
    let _ = writeln!(
        svg,
        r##"<text x="20" y="{foot}" font-size="11" fill="#57606a">{}</text>"##,
        escape(&machine())
    );
    svg.push_str("</svg>\n");
    svg
}

fn tick(svg: &mut String, value: f64, stroke: &str, bottom: usize) {
    let x = place(value);
    let top = TOP - 6;
    let below = bottom + 16;
    let _ = writeln!(
        svg,
        r##"<path d="M{x:.1} {top}V{bottom}" {stroke}/><text x="{x:.1}" y="{below}" font-size="11" fill="#57606a" text-anchor="middle">{value}</text>"##
    );
}

fn bar(svg: &mut String, row: &Row, y: usize) {
    let value = row.keycloak();
    let end = place(value);
    let (color, weight) = if row.name.starts_with(OURS) {
        ("#1a7f37", "bold")
    } else {
        ("#8c959f", "normal")
    };
    let base = y + 16;
    let _ = writeln!(
        svg,
        r#"<text x="{:.0}" y="{base}" text-anchor="end" font-size="12" font-weight="{weight}">{}</text><rect x="{LEFT}" y="{}" width="{:.1}" height="18" rx="3" fill="{color}"/><text x="{:.1}" y="{base}" font-weight="{weight}">{value:.2}</text>"#,
        LEFT - 8.0,
        escape(&row.name),
        y + 2,
        end - LEFT,
        end + 6.0,
    );
}

/// Where `value` lies on the scale.
fn place(value: f64) -> f64 {
    let part = (value / LEAST).ln() / (MOST / LEAST).ln();
    LEFT + part.clamp(0.0, 1.0) * (RIGHT - LEFT)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
