//! A letter of findings: some sentences, then lists whose lines may lead somewhere.
//!
//! Invariant: whatever events hold stays text in its place, in one line and of bounded length.

use super::letter::{Filling, Fillings, line};
use crate::markup::escaped;

/// Characters of one thing that a line says.
const CELL_CHARACTERS_MAX: usize = 200;
/// Characters of the subject.
const TITLE_CHARACTERS_MAX: usize = 200;
/// Characters of the sentences at the beginning.
const LEAD_CHARACTERS_MAX: usize = 1_000;

/// What was found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report {
    /// The letter's subject.
    pub(crate) title: String,
    /// The sentences that it begins with.
    pub(crate) lead: String,
    /// The lists.
    pub(crate) parts: Vec<Part>,
    /// Why somebody gets it.
    pub(crate) note: String,
}

/// A list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Part {
    /// What it is of.
    pub(crate) heading: String,
    /// Its lines.
    pub(crate) lines: Vec<Line>,
    /// Where there is more.
    pub(crate) link: Option<String>,
}

/// A line of a list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    /// What it says, from left to right.
    pub(crate) cells: Vec<String>,
    /// Where it leads.
    pub(crate) link: Option<String>,
}

impl Report {
    pub(super) fn fillings(&self) -> Fillings {
        let plain = |text: &str, max| Filling::Plain(line(text, max));
        vec![
            ("{title}", plain(&self.title, TITLE_CHARACTERS_MAX)),
            ("{lead}", plain(&self.lead, LEAD_CHARACTERS_MAX)),
            ("{note}", plain(&self.note, LEAD_CHARACTERS_MAX)),
            (
                "{parts}",
                Filling::Written {
                    text: self.parts.iter().map(Part::text).collect(),
                    html: self.parts.iter().map(Part::html).collect(),
                },
            ),
        ]
    }
}

impl Part {
    fn text(&self) -> String {
        let mut text = String::new();
        if !self.heading.is_empty() {
            text += &format!("{}\n", cell(&self.heading));
        }
        for line in &self.lines {
            let cells: Vec<String> = line.cells.iter().map(|text| cell(text)).collect();
            text += &format!("- {}\n", cells.join(" · "));
        }
        if let Some(link) = &self.link {
            text += &format!("  {link}\n");
        }
        text + "\n"
    }

    fn html(&self) -> String {
        let mut html = String::new();
        if !self.heading.is_empty() {
            let heading = escaped(&cell(&self.heading));
            html += &match &self.link {
                Some(link) => format!("<h3><a href=\"{}\">{heading}</a></h3>\n", escaped(link)),
                None => format!("<h3>{heading}</h3>\n"),
            };
        }
        if self.lines.is_empty() {
            return html;
        }
        html += "<table style=\"border-collapse: collapse\">\n";
        for line in &self.lines {
            html += &line.html();
        }
        html + "</table>\n"
    }
}

impl Line {
    fn html(&self) -> String {
        let last = self.cells.len().saturating_sub(1);
        let cells = self.cells.iter().enumerate().map(|(place, text)| {
            let text = escaped(&cell(text));
            let text = match &self.link {
                Some(link) if place == last => format!("<a href=\"{}\">{text}</a>", escaped(link)),
                _ => text,
            };
            format!("<td style=\"padding: 2px 12px 2px 0; vertical-align: top\">{text}</td>")
        });
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    }
}

fn cell(text: &str) -> String {
    line(text, CELL_CHARACTERS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_events_hold_is_text_in_one_line_of_bounded_length() {
        let hostile = format!("<script>\n{}", "x".repeat(10_000));
        let part = Part {
            heading: hostile.clone(),
            lines: vec![Line {
                cells: vec![hostile.clone(), hostile],
                link: Some("https://log.example/?a=1&b=\"2\"".into()),
            }],
            link: None,
        };
        let (text, html) = (part.text(), part.html());
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.len() < 1_000 && html.len() < 2_000);
        assert!(
            !html.contains("<script>") && html.contains("&lt;script&gt; x"),
            "{html}"
        );
        assert!(
            html.contains("href=\"https://log.example/?a=1&amp;b=&quot;2&quot;\""),
            "{html}"
        );
    }
}
