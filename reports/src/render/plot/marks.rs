//! Marks by the thousand: all of a kind are one element, so that a drawing of many stays small.

use std::collections::BTreeSet;
use std::fmt::Write;

use plotters::style::RGBColor;

use super::canvas::Point;
use super::theme;

/// How a point is drawn. Colour and form both tell it from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// A round spot.
    Dot,
    /// Two strokes.
    Cross,
    /// An outline.
    Triangle,
}

impl Mark {
    /// The path from its middle on.
    fn strokes(self) -> &'static str {
        match self {
            Mark::Dot => "h0",
            Mark::Cross => "m-7-7l14 14m0-14l-14 14",
            Mark::Triangle => "m-9 7h18l-9-16z",
        }
    }

    fn color(self) -> RGBColor {
        match self {
            Mark::Dot => theme::NODES[0],
            Mark::Cross => theme::BAD,
            Mark::Triangle => theme::NODES[3],
        }
    }

    /// Side in drawing units, two to a pixel, of a square in which one such mark is drawn, however many points there are: what
    /// lies behind marks that are wider than a dot is seen between them.
    fn square(self) -> i32 {
        match self {
            Mark::Dot => 4,
            Mark::Cross | Mark::Triangle => 12,
        }
    }

    fn width(self) -> u32 {
        match self {
            Mark::Dot => 8,
            Mark::Cross | Mark::Triangle => 4,
        }
    }
}

/// The first of the points in each square of the mark: as many as a drawing has squares, at most.
pub(super) fn apart(mark: Mark, points: impl IntoIterator<Item = Point>) -> Vec<Point> {
    let (mut taken, side) = (BTreeSet::new(), mark.square());
    points.into_iter().filter(|(x, y)| taken.insert((x.div_euclid(side), y.div_euclid(side)))).collect()
}

/// An element with a mark at each of `points`; empty without any.
pub(super) fn element(mark: Mark, points: &[Point]) -> String {
    if points.is_empty() {
        return String::new();
    }
    let mut path = String::new();
    for (x, y) in points {
        let _ = write!(path, "M{x} {y}{}", mark.strokes());
    }
    let RGBColor(r, g, b) = mark.color();
    format!(
        "<path d=\"{path}\" fill=\"none\" stroke=\"#{r:02X}{g:02X}{b:02X}\" stroke-width=\"{}\" stroke-linecap=\"round\" \
         stroke-linejoin=\"round\"/>\n",
        mark.width()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_in_the_same_square_are_drawn_once() {
        assert_eq!(apart(Mark::Dot, [(4, 4), (7, 7), (8, 7), (5, 4), (3, 4)]), [(4, 4), (8, 7), (3, 4)]);
        assert_eq!(apart(Mark::Cross, [(4, 4), (8, 7), (12, 4)]), [(4, 4), (12, 4)]);
        let many = (0..1_000_000).map(|n| (n % 100, n / 10_000));
        assert_eq!(apart(Mark::Dot, many).len(), 25 * 25);
    }

    #[test]
    fn all_marks_of_a_kind_are_one_element() {
        assert_eq!(element(Mark::Dot, &[]), "");
        let cross = element(Mark::Cross, &[(20, 30), (40, 50)]);
        assert_eq!(cross.matches('<').count(), 1);
        assert!(cross.contains("d=\"M20 30m-7-7l14 14m0-14l-14 14M40 50m-7-7"), "{cross}");
    }
}
