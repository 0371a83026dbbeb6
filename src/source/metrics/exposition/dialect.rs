//! Which of the two formats a text is in, and how strictly it is read.

/// What the collector asks an endpoint for: OpenMetrics first, because it carries exemplars and creation times, then the
/// text format, then anything, which is read as the text format.
pub const ACCEPT: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Prometheus text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

/// How strictly a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// As the formats' own conformance tests demand.
    Official,
    /// As Prometheus scrapes.
    Scrape,
}

impl Dialect {
    /// The format that a `Content-Type` announces. Without one, or with a general text type, it is the text format;
    /// `None` for what is no exposition in text (HTML, JSON, protobuf).
    pub fn of_content_type(content_type: Option<&str>) -> Option<Self> {
        let Some(content_type) = content_type else { return Some(Self::Text) };
        let media = content_type.split(';').next().unwrap_or_default().trim();
        match media.to_ascii_lowercase().as_str() {
            "application/openmetrics-text" => Some(Self::OpenMetrics),
            "" | "text/plain" | "application/octet-stream" => Some(Self::Text),
            _ => None,
        }
    }

    /// The format of a text that comes without a `Content-Type`: OpenMetrics ends with `# EOF`, and nothing else does.
    pub fn of_text(text: &str) -> Self {
        let last = text.strip_suffix('\n').unwrap_or(text).rsplit('\n').next();
        if last == Some("# EOF") { Self::OpenMetrics } else { Self::Text }
    }

    /// Its name as people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "Prometheus text format 0.0.4",
            Self::OpenMetrics => "OpenMetrics 1.0",
        }
    }
}
