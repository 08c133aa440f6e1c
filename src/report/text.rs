//! A table becomes aligned text.
//!
//! Roles travel through the layout as characters of width zero (Unicode tag characters), which are
//! replaced by terminal sequences when the columns stand. A table wider than the screen first
//! breaks the texts of columns that wrap, and is then split into several, each with the first
//! column.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Width, presets};

use super::{Align, Cell, Column, Place, Role, Row, Span, Table, cell::line_of};

/// Spaces between columns.
const GAP: usize = 2;

/// The least width to which a column that wraps is narrowed.
const LEAST_WRAPPED: usize = 16;

/// The tag character that ends a role (U+E007F, CANCEL TAG).
const END: char = '\u{e007f}';

/// The tag character that begins a role.
fn begin(role: Role) -> char {
    char::from_u32(0xe0061 + role as u32).unwrap_or(END)
}

/// Makes text safe to show: control, bidirectional and tag characters become escapes.
///
/// ```
/// assert_eq!(fpx::report::escape("a\u{1b}[31m"), "a\\u{1b}[31m");
/// ```
pub fn escape(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
            || matches!(c, '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Returns spans as text with terminal sequences for their roles.
pub fn paint(spans: &[Span]) -> String {
    paint_markers(&marked(spans))
}

/// Returns spans as lines of at most `width` columns, broken at spaces; what follows a line hangs
/// below the text after its first gap of two spaces, which is where values and remarks begin.
pub(super) fn wrapped(spans: &[Span], width: usize) -> String {
    let text = marked(spans);
    let lines: Vec<String> = text.split('\n').map(|line| wrap(line, width)).collect();
    paint_markers(&lines.join("\n"))
}

/// Whether a character takes up a column: a marker does not.
fn is_shown(c: char) -> bool {
    !matches!(c, '\u{e0000}'..='\u{e007f}')
}

fn columns_of(text: &str) -> usize {
    text.chars().filter(|&c| is_shown(c)).count()
}

fn wrap(line: &str, width: usize) -> String {
    if columns_of(line) <= width {
        return line.to_owned();
    }
    let indent = line.len() - line.trim_start().len();
    let gap = line[indent..].find("  ").map(|at| &line[..indent + at]);
    let after_gap = gap.map(|head| {
        let blanks = line[head.len()..].len() - line[head.len()..].trim_start().len();
        columns_of(head) + blanks
    });
    let hang = after_gap.filter(|&hang| hang <= width / 2).unwrap_or(indent + 2);
    let (mut out, mut used) = (String::new(), 0);
    for word in line.split_inclusive(' ') {
        if used > hang && used + columns_of(word.trim_end()) > width {
            out.truncate(out.trim_end().len());
            out.push('\n');
            out += &" ".repeat(hang);
            used = hang;
        }
        let begins_line = used == hang && out.contains('\n');
        if !(begins_line && word == " ") {
            out += word;
            used += columns_of(word);
        }
    }
    out
}

/// Spans as safe text between markers; line feeds stay.
fn marked(spans: &[Span]) -> String {
    let mut out = String::new();
    for span in spans {
        let lines: Vec<String> = span.text.split('\n').map(escape).collect();
        if span.role == Role::Plain {
            out += &lines.join("\n");
        } else {
            let begin = begin(span.role);
            let lines = lines.iter().map(|line| match line.as_str() {
                "" => String::new(),
                line => format!("{begin}{line}{END}"),
            });
            out += &lines.collect::<Vec<_>>().join("\n");
        }
    }
    out
}

/// Replaces markers by terminal sequences.
fn paint_markers(text: &str) -> String {
    let mut style = anstyle::Style::new();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == END {
            out += &style.render_reset().to_string();
        } else if let Some(role) = Role::ALL.into_iter().find(|role| begin(*role) == c) {
            style = role.style();
            out += &style.render().to_string();
        } else {
            out.push(c);
        }
    }
    out
}

/// One line of a table: the marked texts of its shown columns, or `None` for a rule.
type Line = Option<Vec<String>>;

/// Returns a table as lines of at most `width` columns, where its columns allow that.
pub(super) fn table(table: &Table, width: usize) -> String {
    let shown: Vec<usize> = (0..table.columns.len())
        .filter(|&i| matches!(table.columns[i].place, Place::Everywhere | Place::Screen))
        .collect();
    let contents = contents(table, &shown);
    let natural: Vec<usize> = lay_out(&contents, &shown, table, &[])
        .column_max_content_widths()
        .into_iter()
        .map(usize::from)
        .collect();
    let widths = narrow(table, &shown, &natural, width);
    let mut out = String::new();
    for group in split(&widths, width) {
        if !out.is_empty() {
            out.push('\n');
        }
        let columns: Vec<usize> = group.iter().map(|&at| shown[at]).collect();
        let widths: Vec<usize> = group.iter().map(|&at| widths[at]).collect();
        let select = |texts: &Vec<String>| group.iter().map(|&at| texts[at].clone()).collect();
        let lines: Vec<Line> = contents.iter().map(|line| line.as_ref().map(select)).collect();
        for line in lay_out(&lines, &columns, table, &widths).lines() {
            out += &(paint_markers(line.trim_end()) + "\n");
        }
    }
    out
}

/// The headings and the rows.
fn contents(table: &Table, shown: &[usize]) -> Vec<Line> {
    let heads: Vec<usize> = shown.iter().map(|&i| widest_head(table, i)).collect();
    let heading =
        |&i: &usize| marked(&[Span::new(table.columns[i].heading.as_str(), Role::Heading)]);
    let mut lines = vec![Some(shown.iter().map(heading).collect())];
    for row in &table.rows {
        lines.push(match row {
            Row::Rule => None,
            Row::Cells(cells) => {
                let text =
                    |(&i, &head): (&usize, &usize)| aligned(&table.columns[i], &cells[i], head);
                Some(shown.iter().zip(&heads).map(text).collect())
            }
        });
    }
    lines
}

/// The widest text before the decimal point in a column.
fn widest_head(table: &Table, column: usize) -> usize {
    let heads = table.cells().map(|cells| head(&line_of(&cells[column].spans)));
    heads.flatten().max().unwrap_or(0)
}

/// The characters of a number before its decimal point, or before what follows its digits; `None`
/// for a text that does not begin as a number.
fn head(text: &str) -> Option<usize> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !"+-,<>".contains(c));
    let head = &text[..end.unwrap_or(text.len())];
    head.contains(|c: char| c.is_ascii_digit()).then_some(head.len())
}

fn aligned(column: &Column, cell: &Cell, widest: usize) -> String {
    let text = marked(&cell.spans);
    if column.align != Align::Point {
        return text;
    }
    let plain = line_of(&cell.spans);
    let own = head(&plain).unwrap_or(plain.chars().count());
    " ".repeat(widest.saturating_sub(own)) + &text
}

/// Narrows the columns that wrap until the table fits, each to no less than [`LEAST_WRAPPED`].
///
/// If it still does not, it will be split: only the first column, which every part repeats, stays
/// narrow, and no column is wider than what is left beside it.
fn narrow(table: &Table, shown: &[usize], natural: &[usize], width: usize) -> Vec<usize> {
    let excess = |widths: &[usize]| {
        (widths.iter().sum::<usize>() + GAP * (widths.len().max(1) - 1)).saturating_sub(width)
    };
    let wraps: Vec<usize> = (0..shown.len()).filter(|&at| table.columns[shown[at]].wraps).collect();
    let mut widths = natural.to_vec();
    for &at in wraps.iter().rev() {
        let least = widths[at].min(LEAST_WRAPPED);
        widths[at] = widths[at].saturating_sub(excess(&widths)).max(least);
    }
    if excess(&widths) > 0 {
        for &at in wraps.iter().filter(|&&at| at > 0) {
            let beside = width.saturating_sub(widths[0] + GAP).max(LEAST_WRAPPED);
            widths[at] = natural[at].min(beside);
        }
    }
    widths
}

/// Splits columns into groups that fit, each beginning with the first column.
fn split(widths: &[usize], width: usize) -> Vec<Vec<usize>> {
    let mut groups = vec![vec![]];
    let mut used = 0;
    for (at, own) in widths.iter().enumerate() {
        if at > 1 && used + own > width {
            groups.push(vec![0]);
            used = widths[0] + GAP;
        }
        used += own + GAP;
        groups.last_mut().into_iter().for_each(|group| group.push(at));
    }
    groups
}

/// Builds the table; with `widths` each column has that width and rules are drawn.
fn lay_out(
    lines: &[Line],
    columns: &[usize],
    table: &Table,
    widths: &[usize],
) -> comfy_table::Table {
    let mut laid = comfy_table::Table::new();
    laid.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    for line in lines {
        match line {
            Some(texts) => laid.add_row(texts),
            None => laid.add_row(widths.iter().map(|&width| "─".repeat(width))),
        };
    }
    for (at, &column) in columns.iter().enumerate() {
        let Some(laid) = laid.column_mut(at) else { continue };
        let gap = if at + 1 < columns.len() { GAP } else { 0 };
        laid.set_padding((0, u16::try_from(gap).unwrap_or(0)));
        if table.columns[column].align == Align::Right {
            laid.set_cell_alignment(CellAlignment::Right);
        }
        if let Some(&width) = widths.get(at) {
            let width = u16::try_from(width + gap).unwrap_or(u16::MAX);
            laid.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
        }
    }
    laid
}

#[cfg(test)]
mod tests {
    use super::super::{Block, Emit, Report, Screen};
    use super::*;

    fn show(table: Table, width: usize) -> String {
        let report = Report::new("test", table).with(Block::Rows);
        let text = report.render(Emit::Table, Screen { width, hints: false });
        anstream::adapter::strip_str(&text).to_string()
    }

    fn numbers() -> Table {
        let mut table = Table::new([
            Column::new("format", "format"),
            Column::new("rel", "mean rel\nerror").point(),
            Column::new("codes", "codes\nused").right(),
        ]);
        table.push([Cell::text("f16"), Cell::text("1.8e-4"), Cell::count(22_225)]);
        table.push([Cell::text("e4m3fn"), Cell::text("12.5"), Cell::count(148)]);
        table.push_rule();
        table.push([Cell::text("all"), Cell::text("exact"), Cell::absent()]);
        table
    }

    #[test]
    fn columns_line_up() {
        let expected = "\
format  mean rel   codes
        error       used
f16      1.8e-4   22,225
e4m3fn  12.5         148
──────  ────────  ──────
all     exact          -
";
        assert_eq!(show(numbers(), 100), expected);
    }

    #[test]
    fn a_table_that_is_too_wide_is_split_and_repeats_its_first_column() {
        let expected = "\
format  mean rel
        error
f16      1.8e-4
e4m3fn  12.5
──────  ────────
all     exact

format   codes
          used
f16     22,225
e4m3fn     148
──────  ──────
all          -
";
        assert_eq!(show(numbers(), 20), expected);
    }

    #[test]
    fn long_texts_wrap_before_a_table_is_split() {
        let mut table = Table::new([
            Column::new("a", "a"),
            Column::new("b", "b").wraps(),
            Column::new("c", "c"),
        ]);
        table.push([Cell::text("x"), Cell::text("0123456789".repeat(3)), Cell::text("y")]);
        let expected = "a  b                     c\nx  01234567890123456789  y\n   0123456789\n";
        assert_eq!(show(table, 26), expected);
    }

    #[test]
    fn roles_change_no_layout_and_end_where_they_began() {
        let mut table = Table::new([Column::new("a", "a"), Column::new("b", "b").right()]);
        table.push([Cell::text("bad").role(Role::Bad), Cell::text("1")]);
        table.push([Cell::text("plain"), Cell::text("22")]);
        let report = Report::new("test", table.clone()).with(Block::Rows);
        let styled = report.render(Emit::Table, Screen::default());
        assert!(styled.contains("\u{1b}[31mbad\u{1b}[0m"), "{styled:?}");
        assert!(!styled.contains(END));
        assert_eq!(show(table, 100), "a       b\nbad     1\nplain  22\n");
    }

    #[test]
    fn names_from_files_cannot_steer_the_terminal() {
        let mut table = Table::new([Column::new("a", "a")]);
        table.push([Cell::text("x\u{1b}]0;t\u{7}\u{202e}\u{e0061}")]);
        assert_eq!(show(table, 100), "a\nx\\u{1b}]0;t\\u{7}\\u{202e}\\u{e0061}\n");
    }

    #[test]
    fn long_lines_break_at_spaces_and_hang_below_the_value() {
        let spans = [Span::new("label", Role::Heading), Span::plain("  one two three four")];
        let text = wrapped(&spans, 16);
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(plain, "label  one two\n       three\n       four");
        assert_eq!(wrapped(&[Span::plain("0123456789 ab")], 8), "0123456789\n  ab");
    }

    #[test]
    fn an_empty_table_shows_its_headings() {
        assert_eq!(show(Table::new([Column::new("a", "a")]), 100), "a\n");
        assert_eq!(show(Table::default(), 100), "");
    }
}
