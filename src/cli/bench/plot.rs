//! The growth of the cost as a picture: one small log-log panel an axis, measured and bound.

use super::growth::Growth;
use std::fmt::Write;

const WIDTH: f64 = 250.0;
const HEIGHT: f64 = 190.0;
/// Left, right, top, bottom of a panel.
const MARGIN: [f64; 4] = [48.0, 12.0, 24.0, 34.0];
const COLUMNS: usize = 3;
const COLOURS: [(&str, &str); 2] = [("#1f77b4", "step"), ("#999999", "products and normals alone, one thread")];

/// An SVG of every axis; milliseconds share one range.
pub(super) fn svg(growths: &[Growth]) -> String {
    let values = growths.iter().flat_map(|g| &g.points).flat_map(|p| [p.step_ms, p.bound_ms]).filter(|v| *v > 0.0);
    let (low, high) = values.fold((f64::INFINITY, 0.0f64), |(low, high), v| (low.min(v), high.max(v)));
    let range = [10f64.powf(low.log10().floor()), 10f64.powf(high.log10().ceil())];
    let rows = growths.len().div_ceil(COLUMNS);
    let (width, height) = (COLUMNS as f64 * WIDTH, rows as f64 * HEIGHT + 20.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"10\">\
         \n<rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for (k, growth) in growths.iter().enumerate() {
        let _ = writeln!(out, "<g transform=\"translate({} {})\">", (k % COLUMNS) as f64 * WIDTH, (k / COLUMNS) as f64 * HEIGHT);
        panel(&mut out, growth, range);
        out.push_str("</g>\n");
    }
    for (k, (colour, name)) in COLOURS.into_iter().enumerate() {
        let (x, y) = (MARGIN[0] + 110.0 * k as f64, height - 6.0);
        let _ = writeln!(out, "<text x=\"{x}\" y=\"{y}\" fill=\"{colour}\">{name}</text>");
    }
    out.push_str("</svg>\n");
    out
}

fn panel(out: &mut String, growth: &Growth, [low, high]: [f64; 2]) {
    let (Some(first), Some(last)) = (growth.points.first(), growth.points.last()) else { return };
    let [left, right, top, bottom] = MARGIN;
    let span = (last.at as f64 / first.at as f64).ln().max(1e-9);
    let x = |at: usize| left + (WIDTH - left - right) * (at as f64 / first.at as f64).ln() / span;
    let y = |ms: f64| HEIGHT - bottom - (HEIGHT - top - bottom) * (ms / low).ln() / (high / low).ln();
    let _ = writeln!(out, "<text x=\"{left}\" y=\"14\" font-weight=\"bold\">ms a step against {}</text>", growth.over);
    for decade in low.log10().round() as i32..=high.log10().round() as i32 {
        let (ms, at) = (10f64.powi(decade), y(10f64.powi(decade)));
        let _ = writeln!(out, "<path d=\"M{left} {at:.1}H{}\" stroke=\"#ddd\"/>", WIDTH - right);
        let _ = writeln!(out, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{ms}</text>", left - 4.0, at + 3.0);
    }
    for point in &growth.points {
        let _ = writeln!(out, "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>", x(point.at), HEIGHT - bottom + 14.0, point.at);
    }
    for (k, (colour, _)) in COLOURS.into_iter().enumerate().rev() {
        let at = |p: &super::growth::Point| (x(p.at), y(if k == 0 { p.step_ms } else { p.bound_ms }));
        let line: Vec<String> = growth.points.iter().map(|p| format!("{:.1},{:.1}", at(p).0, at(p).1)).collect();
        let _ = writeln!(out, "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>", line.join(" "));
        for p in &growth.points {
            let _ = writeln!(out, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\" fill=\"{colour}\"/>", at(p).0, at(p).1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::bench::growth::Point;

    #[test]
    fn every_point_has_a_mark_inside_the_picture() {
        let point = |at| Point { at, step_ms: 0.002 * at as f64, bound_ms: 0.001 * at as f64 };
        let growth = Growth { over: "batch", points: vec![point(10), point(100), point(1000)] };
        let text = svg(&[growth.clone(), growth]);
        assert_eq!(text.matches("<circle").count(), 12);
        assert_eq!(text.matches("<g ").count(), text.matches("</g>").count());
        let values = |name: &str| -> Vec<f64> {
            text.split(&format!(" {name}=\"")).skip(1).filter_map(|rest| rest.split('"').next()?.parse().ok()).collect()
        };
        assert!(values("cx").iter().all(|x| (MARGIN[0]..=WIDTH - MARGIN[1]).contains(x)));
        assert!(values("cy").iter().all(|y| (MARGIN[2]..=HEIGHT - MARGIN[3]).contains(y)));
    }
}
