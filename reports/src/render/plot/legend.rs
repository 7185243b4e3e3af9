//! Names of the lines, beside their colours.

use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor};

use super::canvas::{Area, Point, fill, text, width};
use super::frame::RIGHT;
use super::theme;

/// Height of a row of text.
pub(super) const ROW: i32 = 44;

/// Width of a colour.
const SWATCH: i32 = 34;

/// Names with their places in drawing units.
pub(super) struct Legend {
    placed: Vec<(String, RGBColor, Point)>,
    /// Rows taken, that of the title included.
    pub(super) rows: i32,
}

impl Legend {
    /// On the row of a title `title` units wide if `items` fit beside it, else on rows of their own.
    pub(super) fn beside(title: i32, items: Vec<(String, RGBColor)>, wide: i32) -> Self {
        let total: i32 = items.iter().map(|(name, _)| room(name)).sum();
        let fits = title + 80 + total <= wide - RIGHT;
        let (mut x, mut y) = if fits { (wide - RIGHT - total, ROW / 2) } else { (0, ROW + ROW / 2) };
        let mut placed = Vec::new();
        for (name, color) in items {
            let room = room(&name);
            if x > 0 && x + room > wide {
                (x, y) = (0, y + ROW);
            }
            placed.push((name, color, (x, y)));
            x += room;
        }
        Legend { placed, rows: y / ROW + 1 }
    }

    /// Draws the colours and names.
    pub(super) fn draw(&self, area: &Area<'_>) {
        for (name, color, (x, y)) in &self.placed {
            fill(area, (*x, y - 4), (x + SWATCH, y + 4), color.to_rgba());
            text(area, name, (x + SWATCH + 10, *y), HPos::Left, theme::INK);
        }
    }
}

fn room(name: &str) -> i32 {
    SWATCH + 10 + width(name) + 26
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legend_without_room_takes_rows_of_its_own() {
        let items = || ["n0", "n1", "n2", "n3"].map(|name| (name.to_owned(), theme::INK)).to_vec();
        assert_eq!(Legend::beside(200, items(), 2080).rows, 1);
        assert_eq!(Legend::beside(200, items(), 500).rows, 2);
        let narrow = Legend::beside(200, items(), 250);
        assert_eq!(narrow.rows, 3);
        assert!(narrow.placed.iter().all(|(name, _, (x, _))| x + room(name) <= 250), "no name leaves the plot");
    }
}
