//! Word-sized line charts.

/// The width and height of the picture, in SVG units.
pub const SIZE: (f64, f64) = (120.0, 28.0);

/// The distance of the line from the edges.
const MARGIN: f64 = 2.0;

/// The points of an SVG polyline through the values, from left to right; empty for fewer than two values.
pub fn points(values: &[f64]) -> String {
    let (low, high) =
        values.iter().fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(*value), high.max(*value)));
    if values.len() < 2 || !(high - low).is_finite() {
        return String::new();
    }
    let step = SIZE.0 / (values.len() - 1) as f64;
    let height = SIZE.1 - 2.0 * MARGIN;
    // A flat line is drawn in the middle.
    let share = |value: f64| if high > low { (value - low) / (high - low) } else { 0.5 };
    let point =
        |(at, value): (usize, &f64)| format!("{:.1},{:.1}", at as f64 * step, SIZE.1 - MARGIN - share(*value) * height);
    values.iter().enumerate().map(point).collect::<Vec<_>>().join(" ")
}

/// Whether the last value is above or below the first.
pub fn trend(values: &[f64]) -> &'static str {
    match values.first().zip(values.last()) {
        Some((first, last)) if last > first => "up",
        Some((first, last)) if last < first => "down",
        _ => "flat",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_direction_from_its_first_value_to_its_last() {
        assert_eq!([trend(&[1.0, 3.0, 2.0]), trend(&[3.0, 1.0, 2.0]), trend(&[])], ["up", "down", "flat"]);
    }

    #[test]
    fn a_line_goes_from_edge_to_edge() {
        assert_eq!(points(&[1.0, 3.0, 2.0]), "0.0,26.0 60.0,2.0 120.0,14.0");
        assert_eq!(points(&[5.0, 5.0]), "0.0,14.0 120.0,14.0");
    }

    #[test]
    fn one_value_and_no_number_are_no_line() {
        assert!(points(&[1.0]).is_empty() && points(&[]).is_empty() && points(&[f64::INFINITY, 1.0]).is_empty());
    }
}
