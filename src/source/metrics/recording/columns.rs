//! Decoding of one column of one row group into plain vectors.
//!
//! The door to `polars-parquet`. Texts come out as keys into their dictionary, so that rows which repeat a text cost
//! four bytes and no comparison; times come out in whole milliseconds; values as `f64`. Damaged bytes make some
//! decoders panic; the panic ends here and becomes an error.

use std::collections::HashMap;
use std::io::Cursor;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use polars_arrow::array::{Array, DictionaryArray, PrimitiveArray, Utf8ViewArray};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::{ArrowDataType, DTYPE_CATEGORICAL_NEW, Field, IntegerType, TimeUnit};
use polars_buffer::Buffer;
use polars_parquet::parquet::schema::types::{IntegerType as ParquetInteger, PrimitiveType};
use polars_parquet::read::{
    BasicDecompressor, ColumnChunkMetadata, Filter, PageReader, ParquetTimeUnit, PhysicalType,
    PrimitiveConvertedType, PrimitiveLogicalType, column_iter_to_arrays,
};

/// Largest page that is unpacked; a damaged header may claim any size.
const MAX_PAGE_BYTES: usize = 1 << 30;

/// The key of a null text.
pub(super) const NULL_KEY: u32 = u32::MAX;

/// How the texts of a column are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextForm {
    /// As strings.
    Strings,
    /// The column is of type null: there are none.
    Nothing,
}

/// How times are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeForm {
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds.
    Nanoseconds,
    /// The 96-bit form of older writers.
    Int96,
}

/// How values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueForm {
    /// 64-bit float.
    Double,
    /// 32-bit float.
    Float,
    /// Signed 32-bit integer, or a narrower one.
    Int32,
    /// Unsigned 32-bit integer.
    Unsigned32,
    /// Signed 64-bit integer.
    Int64,
    /// Unsigned 64-bit integer.
    Unsigned64,
}

/// Whether the times of a file name a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// They are moments.
    Given,
    /// They are wall-clock readings without a zone, read as UTC.
    Missing,
}

/// Texts of a column as keys.
#[derive(Debug)]
pub(super) struct Texts {
    /// One key a row; [`NULL_KEY`] for null.
    pub keys: Vec<u32>,
    /// The text of each key.
    pub dictionary: Vec<String>,
}

/// Values of a column.
#[derive(Debug)]
pub(super) struct Values {
    /// One a row; whatever stands there for null.
    pub values: Vec<f64>,
    /// Which rows have a value; `None` when all have.
    pub present: Option<Bitmap>,
}

impl TextForm {
    /// The form of a column type, or a name for what it is.
    pub(super) fn of(column: &PrimitiveType) -> Result<Self, String> {
        use PrimitiveConvertedType as Converted;
        use PrimitiveLogicalType as Logical;
        match (column.physical_type, column.logical_type, column.converted_type) {
            (_, Some(Logical::Unknown), _) => Ok(Self::Nothing),
            (PhysicalType::ByteArray, Some(Logical::String | Logical::Enum), _)
            | (PhysicalType::ByteArray, None, Some(Converted::Utf8 | Converted::Enum)) => {
                Ok(Self::Strings)
            }
            _ => Err(type_name(column)),
        }
    }
}

impl TimeForm {
    /// The form of a column type and whether it names a zone, or a name for what it is.
    pub(super) fn of(column: &PrimitiveType) -> Result<(Self, Zone), String> {
        use PrimitiveConvertedType as Converted;
        if column.physical_type == PhysicalType::Int96 {
            return Ok((Self::Int96, Zone::Given));
        }
        let of_unit = |unit| match unit {
            ParquetTimeUnit::Milliseconds => Self::Milliseconds,
            ParquetTimeUnit::Microseconds => Self::Microseconds,
            ParquetTimeUnit::Nanoseconds => Self::Nanoseconds,
        };
        match (column.physical_type, column.logical_type, column.converted_type) {
            (
                PhysicalType::Int64,
                Some(PrimitiveLogicalType::Timestamp { unit, is_adjusted_to_utc }),
                _,
            ) => Ok((of_unit(unit), if is_adjusted_to_utc { Zone::Given } else { Zone::Missing })),
            (PhysicalType::Int64, None, Some(Converted::TimestampMillis)) => {
                Ok((Self::Milliseconds, Zone::Given))
            }
            (PhysicalType::Int64, None, Some(Converted::TimestampMicros)) => {
                Ok((Self::Microseconds, Zone::Given))
            }
            _ => Err(type_name(column)),
        }
    }

    /// A reading in whole milliseconds, rounded down.
    pub(super) fn milliseconds(self, reading: i64) -> i64 {
        match self {
            Self::Milliseconds => reading,
            Self::Microseconds => reading.div_euclid(1000),
            Self::Nanoseconds | Self::Int96 => reading.div_euclid(1_000_000),
        }
    }
}

impl ValueForm {
    /// The form of a column type, or a name for what it is.
    pub(super) fn of(column: &PrimitiveType) -> Result<Self, String> {
        use ParquetInteger as Integer;
        use PrimitiveConvertedType as Converted;
        use PrimitiveLogicalType as Logical;
        match (column.physical_type, column.logical_type, column.converted_type) {
            (PhysicalType::Double, ..) => Ok(Self::Double),
            (PhysicalType::Float, ..) => Ok(Self::Float),
            (PhysicalType::Int32, Some(Logical::Integer(Integer::UInt32)), _)
            | (PhysicalType::Int32, None, Some(Converted::Uint32)) => Ok(Self::Unsigned32),
            (PhysicalType::Int64, Some(Logical::Integer(Integer::UInt64)), _)
            | (PhysicalType::Int64, None, Some(Converted::Uint64)) => Ok(Self::Unsigned64),
            (PhysicalType::Int32, Some(Logical::Integer(_)) | None, None)
            | (PhysicalType::Int32, Some(Logical::Integer(_)), Some(_))
            | (
                PhysicalType::Int32,
                None,
                Some(
                    Converted::Int8
                    | Converted::Int16
                    | Converted::Int32
                    | Converted::Uint8
                    | Converted::Uint16,
                ),
            ) => Ok(Self::Int32),
            (PhysicalType::Int64, Some(Logical::Integer(_)) | None, None)
            | (PhysicalType::Int64, Some(Logical::Integer(_)), Some(_))
            | (PhysicalType::Int64, None, Some(Converted::Int64)) => Ok(Self::Int64),
            _ => Err(type_name(column)),
        }
    }
}

/// A name for a column type, as a person would call it.
fn type_name(column: &PrimitiveType) -> String {
    if let Some(logical) = column.logical_type {
        return format!("{logical:?}").to_lowercase();
    }
    if let Some(converted) = column.converted_type {
        return format!("{converted:?}").to_lowercase();
    }
    match column.physical_type {
        PhysicalType::Boolean => "boolean",
        PhysicalType::Int32 => "a 32-bit integer",
        PhysicalType::Int64 => "a 64-bit integer",
        PhysicalType::Int96 => "int96",
        PhysicalType::Float => "a 32-bit float",
        PhysicalType::Double => "a 64-bit float",
        PhysicalType::ByteArray | PhysicalType::FixedLenByteArray(_) => "bytes",
    }
    .to_owned()
}

/// One column of one row group, its bytes in memory.
pub(super) struct Chunk<'meta> {
    /// Where and how it is stored.
    pub metadata: &'meta ColumnChunkMetadata,
    /// Its bytes.
    pub bytes: Buffer<u8>,
}

impl Chunk<'_> {
    /// Texts of a range of rows. `rows` is the range's length.
    pub(super) fn texts(&self, form: TextForm, range: &Range<usize>) -> Result<Texts, String> {
        if form == TextForm::Nothing {
            return Ok(Texts { keys: vec![NULL_KEY; range.len()], dictionary: Vec::new() });
        }
        if self.metadata.dictionary_page_offset().is_some() {
            // The decoder of categories keeps the keys, and refuses pages that are not written by keys.
            let keys = ArrowDataType::Dictionary(
                IntegerType::UInt32,
                Box::new(ArrowDataType::Utf8View),
                false,
            );
            if let Ok(arrays) = self.arrays(keys, Some(DTYPE_CATEGORICAL_NEW), range)
                && let Some(texts) = keyed_texts(&arrays, range.len())
            {
                return Ok(texts);
            }
        }
        let arrays = self.arrays(ArrowDataType::Utf8View, None, range)?;
        plain_texts(&arrays).ok_or_else(|| "unexpected type of the decoded texts".to_owned())
    }

    /// Times of a range of rows in whole milliseconds; `None` if any is null.
    pub(super) fn times(
        &self,
        form: TimeForm,
        range: &Range<usize>,
    ) -> Result<Option<Vec<i64>>, String> {
        let dtype = match form {
            TimeForm::Int96 => ArrowDataType::Timestamp(TimeUnit::Nanosecond, None),
            TimeForm::Milliseconds | TimeForm::Microseconds | TimeForm::Nanoseconds => {
                ArrowDataType::Int64
            }
        };
        let (mut times, present) = primitives::<i64>(self.arrays(dtype, None, range)?)?;
        if present.is_some() {
            return Ok(None);
        }
        if form != TimeForm::Milliseconds {
            for time in &mut times {
                *time = form.milliseconds(*time);
            }
        }
        Ok(Some(times))
    }

    /// Values of a range of rows.
    pub(super) fn values(&self, form: ValueForm, range: &Range<usize>) -> Result<Values, String> {
        let (values, present) = match form {
            ValueForm::Double => {
                primitives::<f64>(self.arrays(ArrowDataType::Float64, None, range)?)?
            }
            ValueForm::Float => floats(
                primitives::<f32>(self.arrays(ArrowDataType::Float32, None, range)?)?,
                f64::from,
            ),
            ValueForm::Int32 => floats(
                primitives::<i32>(self.arrays(ArrowDataType::Int32, None, range)?)?,
                f64::from,
            ),
            ValueForm::Unsigned32 => floats(
                primitives::<u32>(self.arrays(ArrowDataType::UInt32, None, range)?)?,
                f64::from,
            ),
            #[expect(
                clippy::cast_precision_loss,
                reason = "a value is a float by contract; integers beyond 2^53 are rounded to the nearest one"
            )]
            ValueForm::Int64 => floats(
                primitives::<i64>(self.arrays(ArrowDataType::Int64, None, range)?)?,
                |value| value as f64,
            ),
            #[expect(
                clippy::cast_precision_loss,
                reason = "a value is a float by contract; integers beyond 2^53 are rounded to the nearest one"
            )]
            ValueForm::Unsigned64 => floats(
                primitives::<u64>(self.arrays(ArrowDataType::UInt64, None, range)?)?,
                |value| value as f64,
            ),
        };
        Ok(Values { values, present })
    }

    /// The rows of a range as arrays of a type.
    fn arrays(
        &self,
        dtype: ArrowDataType,
        mark: Option<&'static str>,
        range: &Range<usize>,
    ) -> Result<Vec<Box<dyn Array>>, String> {
        let mut field = Field::new("column".into(), dtype, true);
        field.metadata =
            mark.map(|mark| Arc::new(std::iter::once((mark.into(), "".into())).collect()));
        let pages = PageReader::new(
            Cursor::new(self.bytes.clone()),
            self.metadata,
            Vec::new(),
            MAX_PAGE_BYTES,
        );
        let primitive = &self.metadata.descriptor().descriptor.primitive_type;
        let decode = || {
            column_iter_to_arrays(
                vec![BasicDecompressor::new(pages, Vec::new())],
                vec![primitive],
                field,
                Some(Filter::new_ranged(range.start, range.end)),
            )
        };
        match catch_unwind(AssertUnwindSafe(decode)) {
            Ok(Ok((arrays, _))) => {
                let rows: usize = arrays.iter().map(|array| array.len()).sum();
                if rows == range.len() {
                    Ok(arrays)
                } else {
                    Err(format!("found {rows} rows where the footer announces {}", range.len()))
                }
            }
            Ok(Err(error)) => Err(one_line(&error.to_string())),
            Err(_) => Err("its pages contradict their headers".to_owned()),
        }
    }
}

/// A message in one line.
pub(super) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Numbers of another type as floats.
fn floats<T: Copy>(
    (values, present): (Vec<T>, Option<Bitmap>),
    convert: impl Fn(T) -> f64,
) -> (Vec<f64>, Option<Bitmap>) {
    (values.into_iter().map(convert).collect(), present)
}

/// The numbers of arrays, joined, and which of them are there; `None` when all are.
fn primitives<T: polars_arrow::types::NativeType>(
    mut arrays: Vec<Box<dyn Array>>,
) -> Result<(Vec<T>, Option<Bitmap>), String> {
    if arrays.len() != 1 {
        arrays = vec![
            polars_arrow::compute::concatenate::concatenate_unchecked(&arrays)
                .map_err(|error| one_line(&error.to_string()))?,
        ];
    }
    let array = arrays
        .pop()
        .and_then(|array| array.as_any().downcast_ref::<PrimitiveArray<T>>().cloned())
        .ok_or_else(|| "unexpected type of the decoded numbers".to_owned())?;
    let (_, values, present) = array.into_inner();
    let present = present.filter(|present| present.unset_bits() > 0);
    let values = values.into_mut().either(Buffer::to_vec, |own| own);
    Ok((values, present))
}

/// Texts of dictionary arrays; `None` if they are of another type.
fn keyed_texts(arrays: &[Box<dyn Array>], rows: usize) -> Option<Texts> {
    let [array] = arrays else { return None };
    let array = array.as_any().downcast_ref::<DictionaryArray<u32>>()?;
    let dictionary = array.values().as_any().downcast_ref::<Utf8ViewArray>()?;
    let mut keys = Vec::with_capacity(rows);
    match array.keys().validity().filter(|present| present.unset_bits() > 0) {
        None => keys.extend_from_slice(array.keys().values()),
        Some(_) => keys.extend(array.keys().iter().map(|key| key.copied().unwrap_or(NULL_KEY))),
    }
    let dictionary: Vec<String> = dictionary.values_iter().map(str::to_owned).collect();
    let known = |key: &u32| *key == NULL_KEY || (*key as usize) < dictionary.len();
    keys.iter().all(known).then_some(Texts { keys, dictionary })
}

/// Texts of plain arrays; `None` if they are of another type.
fn plain_texts(arrays: &[Box<dyn Array>]) -> Option<Texts> {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut dictionary = Vec::new();
    let mut keys = Vec::new();
    for array in arrays {
        let array = array.as_any().downcast_ref::<Utf8ViewArray>()?;
        let mut last: Option<(&str, u32)> = None;
        for text in array {
            let Some(text) = text else {
                keys.push(NULL_KEY);
                continue;
            };
            let key = match last {
                Some((previous, key)) if previous == text => key,
                _ => *numbers.entry(text).or_insert_with(|| {
                    dictionary.push(text.to_owned());
                    u32::try_from(dictionary.len() - 1)
                        .expect("a row group has fewer than 2^32 rows")
                }),
            };
            last = Some((text, key));
            keys.push(key);
        }
    }
    Some(Texts { keys, dictionary })
}
