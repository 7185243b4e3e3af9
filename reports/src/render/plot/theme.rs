//! Colours of the plots: the palette of Okabe and Ito without its yellow, which is lost on white, and two darker tones.

use std::fmt::Write;

use plotters::style::RGBColor;

/// Text.
pub(super) const INK: RGBColor = RGBColor(0x24, 0x29, 0x2F);
/// Secondary text.
pub(super) const MUTED: RGBColor = RGBColor(0x57, 0x60, 0x6A);
/// Horizontal rules.
pub(super) const GRID: RGBColor = RGBColor(0xE4, 0xE8, 0xEC);
/// Axes.
pub(super) const AXIS: RGBColor = RGBColor(0xAE, 0xB6, 0xBF);
/// Faults, always translucent and neutral, so that the lines keep their colours.
pub(super) const FAULT: RGBColor = RGBColor(0x64, 0x74, 0x8B);

/// Violations.
pub(super) const BAD: RGBColor = RGBColor(0xB4, 0x23, 0x18);

/// Nodes, in order of name. More nodes than colours are drawn as a band.
pub(super) const NODES: [RGBColor; 8] = [
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0x56, 0xB4, 0xE9),
    RGBColor(0x7A, 0x4A, 0x3A),
    RGBColor(0x80, 0x86, 0x8E),
];

/// Light colour and its replacement on a dark page.
const DARK: [(RGBColor, &str); 10] = [
    (INK, "#E6EDF3"),
    (MUTED, "#9DA7B3"),
    (GRID, "#262D36"),
    (AXIS, "#4A535E"),
    (FAULT, "#9AAAC0"),
    (BAD, "#FF7B72"),
    (NODES[0], "#3B94DB"),
    (NODES[3], "#F0783C"),
    (NODES[5], "#A5D8FF"),
    (NODES[6], "#C08A78"),
];

/// CSS that every page or file with a plot needs once.
pub(crate) fn style() -> String {
    let mut css = String::from(
        "svg.plot{font-family:system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu Sans\",sans-serif}\
         svg.plot text{font-family:inherit}\
         svg.plot polyline{stroke-linejoin:round;stroke-linecap:round}\
         svg.plot .paper{fill:#FFFFFF}\n\
         @media screen and (prefers-color-scheme:dark){\nsvg.plot .paper{fill:#0D1117}\n",
    );
    for (RGBColor(r, g, b), dark) in DARK {
        let light = format!("#{r:02X}{g:02X}{b:02X}");
        let _ =
            writeln!(css, "svg.plot [fill=\"{light}\"]{{fill:{dark}}}svg.plot [stroke=\"{light}\"]{{stroke:{dark}}}");
    }
    css + "}\n"
}
