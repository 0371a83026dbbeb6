//! Tables of text: which delimiter they use, and their columns by name.

use std::io::BufRead;

use csv::StringRecord;

use super::input::LoadInput;
use super::load_error::LoadError;

/// A table with named columns, row by row.
pub(super) struct Delimited {
    name: String,
    reader: csv::Reader<Box<dyn BufRead>>,
    header: Vec<String>,
    record: StringRecord,
    /// A first row that turned out to be no header.
    pending: bool,
}

/// What the first row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstRow<'names> {
    /// The names of the columns.
    Header,
    /// Data; the columns are those given.
    Data(&'names [&'names str]),
}

/// The delimiter that occurs most often in a line: comma, semicolon, tab or bar.
pub(super) fn delimiter(line: &str) -> u8 {
    let count = |delimiter: u8| line.bytes().filter(|byte| *byte == delimiter).count();
    // Of equal counts the last one wins, so that the comma stands last.
    [b'|', b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

impl Delimited {
    /// Opens a table; `first_row` decides from the first row whether it is a header.
    pub(super) fn open<'names>(
        input: &LoadInput,
        first_row: impl FnOnce(&StringRecord) -> FirstRow<'names>,
    ) -> Result<Self, LoadError> {
        let head = input.head(1 << 16)?;
        let delimiter = delimiter(head.lines().next().unwrap_or_default());
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(input.open()?);
        let mut table = Self {
            name: input.name(),
            reader,
            header: Vec::new(),
            record: StringRecord::new(),
            pending: false,
        };
        if table.advance()? {
            match first_row(&table.record) {
                FirstRow::Header => {
                    let name = |field: &str| field.trim().trim_start_matches('\u{feff}').to_owned();
                    table.header = table.record.iter().map(name).collect();
                }
                FirstRow::Data(names) => {
                    table.header = names.iter().map(|name| (*name).to_owned()).collect();
                    table.pending = true;
                }
            }
        }
        Ok(table)
    }

    /// Names of the columns.
    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    /// Position of a column.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// The next row.
    pub(super) fn next_row(&mut self) -> Result<Option<&StringRecord>, LoadError> {
        if std::mem::take(&mut self.pending) || self.advance()? {
            return Ok(Some(&self.record));
        }
        Ok(None)
    }

    /// Line of the last row, from 1.
    pub(super) fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    /// An error about the last row.
    pub(super) fn refuse(
        &self,
        found: impl Into<String>,
        accepted: impl Into<String>,
    ) -> LoadError {
        LoadError::Line {
            file: self.name.clone(),
            line: self.line(),
            found: found.into(),
            accepted: accepted.into(),
        }
    }

    fn advance(&mut self) -> Result<bool, LoadError> {
        self.reader.read_record(&mut self.record).map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(source) => LoadError::Read { file: self.name.clone(), source },
            other => LoadError::Line {
                file: self.name.clone(),
                line: self.line() + 1,
                found: format!("{other:?}"),
                accepted: "a row of fields in UTF-8".to_owned(),
            },
        })
    }
}

/// The field at a position, trimmed; empty if the row is shorter or there is no such column.
pub(super) fn field(row: &StringRecord, position: Option<usize>) -> &str {
    position.and_then(|position| row.get(position)).unwrap_or_default().trim()
}
