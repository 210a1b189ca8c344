//! Pictures of the medians, as SVG: the viewer renders the text, so that no fonts are needed.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;

use crate::column::{COLUMNS, Column};
use crate::rows::{Picture, Row};
use crate::statistics::{median, short};

struct About {
    picture: Picture,
    file: &'static str,
    title: &'static str,
    across: &'static str,
    up: &'static str,
}

const PICTURES: [About; 4] = [
    About {
        picture: Picture::SameThread,
        file: "same-thread.svg",
        title: "one thread publishes, and polls for all readers",
        across: "readers",
        up: "ns/delivery",
    },
    About {
        picture: Picture::Readers,
        file: "readers.svg",
        title: "streaming: one publisher, each reader on a thread",
        across: "readers",
        up: "ns/message",
    },
    About {
        picture: Picture::Publishers,
        file: "publishers.svg",
        title: "streaming: each publisher on a thread, one reader",
        across: "publishers",
        up: "ns/message",
    },
    About {
        picture: Picture::Payload,
        file: "payload.svg",
        title: "publish and receive on one thread",
        across: "bytes of a message",
        up: "ns/message",
    },
];

/// Colors that color-blind people can distinguish (after Okabe and Ito). A peer has the same color in
/// all pictures.
fn colour(column: Column) -> RGBColor {
    match column {
        Column::Seqcast => RGBColor(0, 114, 178),
        Column::Photon => RGBColor(213, 94, 0),
        Column::Ringcast => RGBColor(0, 0, 0),
        Column::DropIn => RGBColor(0, 60, 100),
        Column::Tokio => RGBColor(0, 158, 115),
        Column::AsyncBroadcast => RGBColor(204, 121, 167),
        Column::Bus => RGBColor(230, 159, 0),
        Column::Disruptor => RGBColor(86, 180, 233),
        Column::Yring => RGBColor(240, 228, 66),
        Column::Crossbeam => RGBColor(120, 94, 60),
        Column::Machine => RGBColor(110, 110, 110),
    }
}

/// A logarithmic axis with marks at these places and nowhere else.
struct Marked {
    axis: LogCoord<f64>,
    marks: Vec<f64>,
}

impl Marked {
    fn new(low: f64, high: f64, marks: Vec<f64>) -> Self {
        Marked { axis: (low..high).log_scale().into(), marks }
    }
}

impl Ranged for Marked {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.axis.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.marks.clone()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.axis.range()
    }
}

impl ValueFormatter<f64> for Marked {
    fn format(value: &f64) -> String {
        if value.fract() == 0.0 { format!("{value}") } else { short(*value) }
    }
}

/// One line: a peer, in one of the ways it can be used.
struct Line {
    name: String,
    column: Column,
    first: bool,
    points: Vec<(f64, f64)>,
}

fn lines(rows: &[(f64, &Row)]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for column in COLUMNS {
        for (at, row) in rows {
            for series in row.series.iter().filter(|series| series.column == column) {
                let name = format!("{} {}", column.head(), series.label).trim().to_owned();
                let point = (*at, median(&series.values));
                if let Some(line) = lines.iter_mut().find(|line| line.name == name) {
                    line.points.push(point);
                } else {
                    lines.push(Line { name, column, first: series.label.is_empty(), points: vec![point] });
                }
            }
        }
    }
    // A series with one point only, as often the bare machine, has no line and is not in the legend.
    lines.retain(|line| line.points.len() > 1);
    lines
}

/// Marks at 1, 2 and 5 times the powers of ten.
fn decades(low: f64, high: f64) -> Vec<f64> {
    let powers = (-3..7).map(|power| 10_f64.powi(power));
    powers.flat_map(|power| [power, 2.0 * power, 5.0 * power]).filter(|mark| (low..=high).contains(mark)).collect()
}

/// Draws the pictures whose series have more than one point.
pub fn draw(folder: &Path, rows: &[Row]) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    for about in &PICTURES {
        let at = |row: &Row| row.point.filter(|point| point.picture == about.picture).map(|point| point.at);
        let rows: Vec<_> = rows.iter().filter_map(|row| Some((at(row)?, row))).collect();
        if rows.len() > 1 {
            let path = folder.join(about.file);
            let area = SVGBackend::new(&path, (840, 480)).into_drawing_area();
            picture(&area, about, &rows)?;
            area.present()?;
            println!("{}", path.display());
        }
    }
    Ok(())
}

fn picture(area: &DrawingArea<SVGBackend, Shift>, about: &About, rows: &[(f64, &Row)]) -> Result<(), Box<dyn Error>> {
    let lines = lines(rows);
    let places: Vec<_> = rows.iter().map(|(at, _)| *at).collect();
    let (left, right) = (places[0], places[places.len() - 1]);
    let values = lines.iter().flat_map(|line| &line.points).map(|(_, value)| *value);
    let (low, high) = values.fold((f64::MAX, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    let (low, high) = (low / 1.3, high * 1.3);
    area.fill(&WHITE)?;
    let (area, legend) = area.split_horizontally(640);
    let mut chart = ChartBuilder::on(&area)
        .caption(about.title, ("sans-serif", 18))
        .margin(10)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d(
            Marked::new(left / 1.05, right * 1.05, places),
            Marked::new(low, high, decades(low, high)),
        )?;
    chart
        .configure_mesh()
        .x_desc(about.across)
        .y_desc(about.up)
        .axis_desc_style(("sans-serif", 15))
        .label_style(("sans-serif", 13))
        .draw()?;
    for (line, height) in lines.iter().zip((60..).step_by(22)) {
        let colour = colour(line.column);
        // Another way to use the same peer has hollow marks.
        let style = if line.first { colour.filled() } else { colour.stroke_width(2) };
        chart.draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(2)))?;
        chart.draw_series(line.points.iter().map(|point| Circle::new(*point, 4, style)))?;
        legend.draw(&PathElement::new([(0, height), (24, height)], colour.stroke_width(2)))?;
        legend.draw(&Circle::new((12, height), 4, style))?;
        legend.draw(&Text::new(line.name.clone(), (32, height - 6), ("sans-serif", 14)))?;
    }
    Ok(())
}
