//! Columns for people.

use super::terminal::{Color, paint};

/// A cell, with a colour where there are colours.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    color: Option<Color>,
}

impl Cell {
    pub fn new(text: impl ToString) -> Self {
        Self { text: text.to_string(), color: None }
    }

    /// Of something that may not be known.
    pub fn maybe(value: Option<impl ToString>) -> Self {
        value.map_or_else(|| Self::new("-"), Self::new)
    }

    pub fn color(self, color: Color) -> Self {
        Self { color: Some(color), ..self }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }

    fn is_number(&self) -> bool {
        self.text == "-" || (self.text.starts_with(|c: char| c.is_ascii_digit()) && !self.text.contains(':'))
    }
}

/// Lines up cells under their heads: columns of numbers to the right, others to the left. Each line ends with a line feed.
pub fn table(head: &[&str], rows: &[Vec<Cell>], in_color: bool) -> String {
    let column = |n: usize| rows.iter().filter_map(move |row| row.get(n));
    let width = |n: usize| column(n).map(Cell::width).chain([head[n].chars().count()]).max().unwrap_or(0);
    let to_right = |n: usize| !rows.is_empty() && column(n).all(Cell::is_number);
    let columns: Vec<_> = (0..head.len()).map(|n| (width(n), to_right(n))).collect();
    let mut text = String::new();
    let head: Vec<_> = head.iter().map(|title| Cell::new(title).color(Color::Dim)).collect();
    for row in [&head].into_iter().chain(rows) {
        let mut line = String::new();
        for (cell, (width, to_right)) in row.iter().zip(&columns) {
            let padded = match to_right {
                true => format!("{:>width$}", cell.text),
                false => format!("{:width$}", cell.text),
            };
            line.push_str(if line.is_empty() { "" } else { "  " });
            line.push_str(&paint(&padded, cell.color, in_color));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<Cell>> {
        let row = |name: &str, height: Option<u64>, word: &str| {
            vec![Cell::new(name), Cell::maybe(height), Cell::new(word).color(Color::Red)]
        };
        vec![row("n0", Some(7), "ok"), row("n10", Some(1234), "degraded"), row("n2", None, "-")]
    }

    #[test]
    fn numbers_are_to_the_right_and_words_to_the_left() {
        insta::assert_snapshot!(table(&["node", "height", "health"], &rows(), false), @r"
        node  height  health
        n0         7  ok
        n10     1234  degraded
        n2         -  -
        ");
    }

    #[test]
    fn colors_move_no_column() {
        let plain = table(&["node", "height", "health"], &rows(), false);
        let colored = table(&["node", "height", "health"], &rows(), true);
        assert_ne!(plain, colored);
        let mut bare = colored;
        for code in ["\x1b[31m", "\x1b[2m", "\x1b[0m"] {
            bare = bare.replace(code, "");
        }
        let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        assert_eq!(trimmed(&bare), trimmed(&plain));
    }
}
