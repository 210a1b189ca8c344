//! Pictures of what was measured: medians, on logarithmic axes.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

/// What lies on the horizontal axis.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Axis {
    Readers,
    Publishers,
    Bytes,
}

impl Axis {
    fn texts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Axis::Readers => ("readers", "readers, each on a thread", "one publisher to many readers: ns a message"),
            Axis::Publishers => {
                ("publishers", "publishers, each on a thread", "many publishers to one reader: ns a message")
            }
            Axis::Bytes => ("payload", "bytes of a message", "publish and receive on one thread: ns a message"),
        }
    }
}

/// A line for each peer: where it was measured, and the median.
pub type Lines = BTreeMap<&'static str, Vec<(f64, f64)>>;

/// Writes one picture into `folder`.
pub fn draw(folder: &Path, axis: Axis, lines: &Lines) -> Result<(), Box<dyn Error>> {
    let (file, below, title) = axis.texts();
    let path = folder.join(format!("{file}.svg"));
    let points = || lines.values().flatten();
    let range = |of: fn(&(f64, f64)) -> f64| {
        points().map(of).fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), value| (value.min(low), value.max(high)))
    };
    let ((left, right), (low, high)) = (range(|point| point.0), range(|point| point.1));
    let area = SVGBackend::new(&path, (760, 440)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(64)
        .build_cartesian_2d((left..right * 1.05).log_scale(), (low / 1.5..high * 1.5).log_scale())?;
    chart.configure_mesh().x_desc(below).y_desc("ns").draw()?;
    // Colours that colour-blind people tell apart (Okabe and Ito).
    let colours = [(0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233)];
    for ((name, line), (r, g, b)) in lines.iter().zip(colours) {
        let colour = RGBColor(r, g, b);
        chart
            .draw_series(LineSeries::new(line.iter().copied(), colour.stroke_width(2)).point_size(3))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE)
        .border_style(BLACK)
        .position(SeriesLabelPosition::UpperLeft)
        .draw()?;
    area.present()?;
    Ok(())
}
