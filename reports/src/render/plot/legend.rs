//! Names of lines and marks, beside what they look like.

use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor};

use super::canvas::{Area, Point, fill, text, width};
use super::frame::RIGHT;
use super::marks::Mark;
use super::theme;

/// Height of a row of text.
pub(super) const ROW: i32 = 44;

/// Width of a line before its name.
const SWATCH: i32 = 34;
/// Width of a mark before its name.
const MARK: i32 = 24;

/// What stands before a name.
#[derive(Clone, Copy)]
pub(super) enum Key {
    /// A line in its colour.
    Line(RGBColor),
    /// A mark.
    Mark(Mark),
}

impl From<RGBColor> for Key {
    fn from(color: RGBColor) -> Self {
        Key::Line(color)
    }
}

impl Key {
    fn width(self) -> i32 {
        match self {
            Key::Line(_) => SWATCH,
            Key::Mark(_) => MARK,
        }
    }
}

/// Names with their places in drawing units.
pub(super) struct Legend {
    placed: Vec<(String, Key, Point)>,
    /// Rows taken, that of the title included.
    pub(super) rows: i32,
}

impl Legend {
    /// On the row of a title `title` units wide if `items` fit beside it, else on rows of their own.
    pub(super) fn beside<K: Into<Key>>(title: i32, items: Vec<(String, K)>, wide: i32) -> Self {
        let items: Vec<(String, Key)> = items.into_iter().map(|(name, key)| (name, key.into())).collect();
        let total: i32 = items.iter().map(|(name, key)| room(name, *key)).sum();
        let fits = title + 80 + total <= wide - RIGHT;
        let (mut x, mut y) = if fits { (wide - RIGHT - total, ROW / 2) } else { (0, ROW + ROW / 2) };
        let mut placed = Vec::new();
        for (name, key) in items {
            let room = room(&name, key);
            if x > 0 && x + room > wide {
                (x, y) = (0, y + ROW);
            }
            placed.push((name, key, (x, y)));
            x += room;
        }
        Legend { placed, rows: y / ROW + 1 }
    }

    /// Draws the lines and names.
    pub(super) fn draw(&self, area: &Area<'_>) {
        for (name, key, (x, y)) in &self.placed {
            if let Key::Line(color) = key {
                fill(area, (*x, y - 4), (x + SWATCH, y + 4), color.to_rgba());
            }
            text(area, name, (x + key.width() + 10, *y), HPos::Left, theme::INK);
        }
    }

    /// Where such marks belong: the middle of each.
    pub(super) fn places(&self, mark: Mark) -> impl Iterator<Item = Point> {
        let marks = self.placed.iter().filter(move |(_, key, _)| matches!(key, Key::Mark(it) if *it == mark));
        marks.map(|(_, key, (x, y))| (x + key.width() / 2, *y))
    }
}

fn room(name: &str, key: Key) -> i32 {
    key.width() + 10 + width(name) + 26
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
        assert!(narrow.placed.iter().all(|(name, key, (x, _))| x + room(name, *key) <= 250), "no name leaves the plot");
    }
}
