//! What the columns of a table are: `time=ts,value=cpu+memory,labels=host`.

use super::load_error::LoadError;

/// What the columns of a table are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumns {
    /// The column of times.
    pub time: String,
    /// Columns of numbers. Without `metric` each is a metric of its own name.
    pub values: Vec<String>,
    /// The column that names the metric of a row, which then has one value.
    pub metric: Option<String>,
    /// Columns that become labels.
    pub labels: Vec<String>,
    /// Whether every row counts, or each series has one value a time.
    pub rows: TableRows,
}

/// What rows of equal time mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableRows {
    /// One value a time (gauges, counters): the default.
    Series,
    /// Each is a request.
    Requests,
}

impl TableColumns {
    /// Reads `time=COLUMN,value=COLUMN+COLUMN[,metric=COLUMN][,labels=COLUMN+COLUMN][,rows=requests]`.
    ///
    /// # Errors
    /// [`LoadError::Options`] names what is wrong and what is accepted.
    pub fn parse(text: &str) -> Result<Self, LoadError> {
        let refused = |problem: String| {
            LoadError::Options(format!(
                "failed to read --columns '{text}': {problem}; accepted is e.g. time=ts,value=cpu+memory,labels=host+zone, with metric=COLUMN where a column names the metric, and rows=requests where each row is a request"
            ))
        };
        let mut columns = Self {
            time: String::new(),
            values: Vec::new(),
            metric: None,
            labels: Vec::new(),
            rows: TableRows::Series,
        };
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (key, value) =
                part.split_once('=').ok_or_else(|| refused(format!("'{part}' has no '='")))?;
            let list =
                || value.split('+').map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
            match key.trim() {
                "time" => value.trim().clone_into(&mut columns.time),
                "value" | "values" => columns.values.extend(list()),
                "metric" => columns.metric = Some(value.trim().to_owned()),
                "label" | "labels" => columns.labels.extend(list()),
                "rows" if value.trim() == "requests" => columns.rows = TableRows::Requests,
                "rows" if value.trim() == "series" => columns.rows = TableRows::Series,
                other => return Err(refused(format!("'{other}' is no part of it"))),
            }
        }
        if columns.time.is_empty() {
            return Err(refused("it names no column of times".to_owned()));
        }
        if columns.values.is_empty() {
            return Err(refused("it names no column of values".to_owned()));
        }
        if columns.metric.is_some() && columns.values.len() > 1 {
            return Err(refused("with metric=… there is one column of values".to_owned()));
        }
        Ok(columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_declared_in_one_line_and_slips_are_named() {
        let read = TableColumns::parse("time=ts, value=cpu+memory ,labels=host").unwrap();
        assert_eq!((read.time.as_str(), read.values.len(), read.labels.len()), ("ts", 2, 1));
        for (text, expected) in [
            ("value=x", "no column of times"),
            ("time=t", "no column of values"),
            ("time=t,value=a+b,metric=m", "one column of values"),
            ("time=t,value=a,unit=s", "'unit' is no part"),
            ("time", "has no '='"),
        ] {
            let error = TableColumns::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
