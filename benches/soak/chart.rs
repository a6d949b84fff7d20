//! Chart over time: one panel for each quantity.

use std::fmt::Write as _;

use crate::sample::Sample;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 840.0;
const TOP: f64 = 84.0;
const PANEL: f64 = 110.0;
const GAP: f64 = 34.0;

#[derive(Clone, Copy, PartialEq)]
pub enum Event {
    KeyAnnounced,
    KeyInUse,
    KeyWithdrawn,
    OutageStart,
    OutageEnd,
}

struct Panel {
    title: &'static str,
    lines: &'static [Line],
}

struct Line {
    name: &'static str,
    color: &'static str,
    value: fn(&Sample) -> f64,
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
const fn number(count: usize) -> f64 {
    count as f64
}

const PANELS: [Panel; 5] = [
    Panel {
        title: "requests per second, by outcome",
        lines: &[
            Line {
                name: "200",
                color: "#1a7f37",
                value: |sample| number(sample.second.valid()),
            },
            Line {
                name: "bad tokens, 401",
                color: "#0969da",
                value: |sample| number(sample.second.bad_401),
            },
            Line {
                name: "bad tokens, 503",
                color: "#bc4c00",
                value: |sample| number(sample.second.bad_503),
            },
            Line {
                name: "valid, failed",
                color: "#cf222e",
                value: |sample| number(sample.second.valid_failed),
            },
        ],
    },
    Panel {
        title: "time of a valid request, ms",
        lines: &[
            Line {
                name: "p50",
                color: "#1a7f37",
                value: |sample| sample.p50,
            },
            Line {
                name: "p99",
                color: "#0969da",
                value: |sample| sample.p99,
            },
        ],
    },
    Panel {
        title: "resident memory, MB",
        lines: &[Line {
            name: "",
            color: "#1a7f37",
            value: |sample| sample.memory,
        }],
    },
    Panel {
        title: "open sockets",
        lines: &[Line {
            name: "",
            color: "#1a7f37",
            value: |sample| number(sample.sockets),
        }],
    },
    Panel {
        title: "fetches of the key set since the start",
        lines: &[Line {
            name: "",
            color: "#1a7f37",
            value: |sample| number(sample.fetches),
        }],
    },
];

pub fn draw(title: &str, samples: &[Sample], events: &[(usize, Event)]) -> String {
    let bottom = TOP + number(PANELS.len()) * (PANEL + GAP) - GAP;
    let height = bottom + 34.0;
    let x = |second: usize| LEFT + (RIGHT - LEFT) * number(second) / number(samples.len());
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12" fill="#24292f">
<rect width="{WIDTH}" height="{height}" rx="10" fill="#fff"/>
<text x="20" y="26" font-size="15" font-weight="bold">web_modeler under load, with an outage of its issuer and key rotations</text>
<text x="20" y="44" font-size="10.5" fill="#57606a">{title}</text>
"##
    );
    let at = |wanted: Event| {
        let found = events.iter().find(|(_, event)| *event == wanted);
        found.map(|(second, _)| x(*second))
    };
    if let (Some(start), Some(end)) = (at(Event::OutageStart), at(Event::OutageEnd)) {
        let _ = writeln!(
            svg,
            r##"<rect x="{start:.1}" y="{TOP}" width="{:.1}" height="{:.1}" fill="#ffebe9"/><text x="{:.1}" y="{:.1}" font-size="11" fill="#cf222e">issuer down</text>"##,
            end - start,
            bottom - TOP,
            start + 4.0,
            bottom + 28.0
        );
    }
    for (second, _) in events.iter().filter(|(_, event)| *event == Event::KeyInUse) {
        let _ = writeln!(
            svg,
            r##"<path d="M{0:.1} {TOP}V{bottom}" stroke="#8250df" stroke-dasharray="3 3"/><text x="{0:.1}" y="{1:.1}" font-size="10" fill="#8250df" text-anchor="middle">new key</text>"##,
            x(*second),
            bottom + 28.0
        );
    }
    for (index, panel) in PANELS.iter().enumerate() {
        self::panel(
            &mut svg,
            panel,
            samples,
            TOP + number(index) * (PANEL + GAP),
            &x,
        );
    }
    for minute in 0..=samples.len() / 60 {
        let _ = writeln!(
            svg,
            r##"<text x="{:.1}" y="{:.1}" font-size="10" fill="#57606a" text-anchor="middle">{minute} min</text>"##,
            x(minute * 60),
            bottom + 14.0
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn panel(svg: &mut String, panel: &Panel, samples: &[Sample], top: f64, x: &dyn Fn(usize) -> f64) {
    let values = |line: &Line| samples.iter().map(line.value).collect::<Vec<_>>();
    let most = panel.lines.iter().flat_map(values).fold(0.0, f64::max);
    let most = round_up(most);
    let (above, base) = (top - 8.0, top + PANEL);
    let _ = writeln!(
        svg,
        r##"<text x="{LEFT}" y="{above:.1}" font-weight="bold">{title}</text><path d="M{LEFT} {top}V{base}H{RIGHT}" fill="none" stroke="#d0d7de"/><text x="{left}" y="{high}" font-size="10" fill="#57606a" text-anchor="end">{most}</text><text x="{left}" y="{base}" font-size="10" fill="#57606a" text-anchor="end">0</text>"##,
        title = panel.title,
        left = LEFT - 6.0,
        high = top + 8.0,
    );
    let mut right = RIGHT;
    for line in panel.lines.iter().rev() {
        if !line.name.is_empty() {
            let _ = writeln!(
                svg,
                r#"<text x="{right:.1}" y="{:.1}" font-size="11" fill="{}" text-anchor="end">{}</text>"#,
                above, line.color, line.name
            );
            right -= 7.0 * number(line.name.len()) + 12.0;
        }
    }
    for line in panel.lines {
        let mut points = String::new();
        for (second, value) in values(line).into_iter().enumerate() {
            let y = base - PANEL * value / most;
            let _ = write!(points, "{:.1},{y:.1} ", x(second));
        }
        let _ = writeln!(
            svg,
            r#"<polyline points="{}" fill="none" stroke="{}" stroke-width="1.3"/>"#,
            points.trim_end(),
            line.color
        );
    }
}

/// The next number of the form 1, 2 or 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.max(1.0).log10().floor());
    let scale = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|scale| scale * power >= value);
    scale.unwrap_or(10.0) * power
}
