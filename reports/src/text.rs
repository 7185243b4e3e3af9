//! Numbers and escapes shared by the renderers. Nothing here depends on a locale or on the machine.

/// Virtual time as `m:ss`, or `h:mm:ss` from one hour on.
pub(crate) fn clock(at: f64) -> String {
    let total = at.max(0.0).round() as u64;
    split(total)
}

/// Virtual time as `m:ss.t`, to a tenth of a second.
pub(crate) fn clock_fine(at: f64) -> String {
    let tenths = (at.max(0.0) * 10.0).round() as u64;
    format!("{}.{}", split(tenths / 10), tenths % 10)
}

fn split(total: u64) -> String {
    let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// A length of time: `3.2 s`, and from two minutes on `m:ss min`.
pub(crate) fn seconds(value: f64) -> String {
    match value {
        v if v < 120.0 => format!("{v:.1} s"),
        v if v < 3600.0 => format!("{} min", clock(v)),
        v => format!("{} h", clock(v)),
    }
}

/// A short length of time: `0.4 ms`, `41 ms`, `2.5 s`.
pub(crate) fn latency(value: f64) -> String {
    let (value, unit) = if value < 0.9995 { (value * 1000.0, "ms") } else { (value, "s") };
    let digits = if value < 9.95 { format!("{value:.1}") } else { format!("{value:.0}") };
    format!("{} {unit}", digits.strip_suffix(".0").unwrap_or(&digits))
}

/// A count with thin groups: `12 345`. The groups are parted by a no-break space.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{a0}');
        }
        out.push(digit);
    }
    out
}

/// `1 fault`, `2 faults`.
pub(crate) fn plural(value: usize, noun: &str) -> String {
    match value {
        1 => format!("1 {noun}"),
        _ => format!("{value} {noun}s"),
    }
}

/// The first digits of a hash.
pub(crate) fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

/// Text on one line, without control characters.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// Escapes text for Markdown prose and table cells.
pub(crate) fn markdown(text: &str) -> String {
    let mut out = String::new();
    let chars: Vec<char> = one_line(text).chars().collect();
    for (index, &c) in chars.iter().enumerate() {
        let inside_word = index > 0
            && chars[index - 1].is_alphanumeric()
            && chars.get(index + 1).is_some_and(|next| next.is_alphanumeric());
        let special = match c {
            '_' => !inside_word,
            _ => "\\`*[]<>&|~#".contains(c),
        };
        if special {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Escapes text for an element of HTML, on one line.
pub(crate) fn html(text: &str) -> String {
    let text = one_line(text);
    maud::html! { (text) }.into_string()
}

/// A Markdown code span that fits a table cell. A grave accent would end it and becomes an apostrophe.
pub(crate) fn code(text: &str) -> String {
    format!("`{}`", one_line(text).replace('`', "'").replace('|', "\\|"))
}

/// A fenced Markdown block that no content can end early.
pub(crate) fn fenced(content: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for c in content.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}sh\n{content}\n{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_clocks() {
        assert_eq!(clock(0.0), "0:00");
        assert_eq!(clock(59.6), "1:00");
        assert_eq!(clock(3725.0), "1:02:05");
        assert_eq!(clock_fine(59.96), "1:00.0");
        assert_eq!(seconds(32.04), "32.0 s");
        assert_eq!(seconds(150.0), "2:30 min");
    }

    #[test]
    fn latencies_have_two_digits_or_three() {
        let all = [0.0001, 0.005, 0.00996, 0.0412, 0.9996, 2.5, 5.0, 10.0].map(latency);
        assert_eq!(all, ["0.1 ms", "5 ms", "10 ms", "41 ms", "1 s", "2.5 s", "5 s", "10 s"]);
    }

    #[test]
    fn counts_are_grouped_from_five_digits() {
        assert_eq!(count(1234), "1234");
        assert_eq!(count(1_234_567), "1\u{a0}234\u{a0}567");
    }

    #[test]
    fn markdown_cannot_break_a_cell_or_a_fence() {
        assert_eq!(markdown("a|b\n<i> _x_ confirmed_height"), "a\\|b \\<i\\> \\_x\\_ confirmed_height");
        assert_eq!(code("a`|b"), "`a'\\|b`");
        assert_eq!(fenced("a ```` b"), "`````sh\na ```` b\n`````\n");
    }
}
