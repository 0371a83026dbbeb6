//! What an interrupted fetch has already: a directory beside the target, and one file for each unit of work.
//!
//! Owns the form of these files and the question whether one is whole. Refuses to know where series come from. A unit
//! is written under a temporary name and renamed when it is complete; its last bytes are a checksum, so that what a
//! crash of the machine left behind is noticed and fetched again.
//!
//! Form of a unit: the magic bytes; blocks of kind (1 byte), metric, labels (each with its length in 4 bytes), the number
//! of samples (4 bytes), times and values (8 bytes each, little endian), the number of native histograms (4 bytes) and
//! of each its time, count and sum, the number of its buckets and their bounds and counts; notes of kind 2 with a text; a block of kind 0; the
//! checksum (8 bytes).

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{AtomicFile, StoreError};
use crate::frame::{AnsweredHistogram, BoundedBucket};

/// First bytes of a unit; the number is that of the form.
const MAGIC: &[u8; 8] = b"unfazed2";

/// A block of samples.
const SAMPLES: u8 = 1;
/// A note.
const NOTE: u8 = 2;
/// The end of a unit.
const END: u8 = 0;

/// Longest text of a block, in bytes: a longer one is no text that we wrote.
const TEXT_BYTES: u32 = 1 << 26;

/// The name of the file that says what is being fetched.
const PLAN: &str = "plan.json";

/// The directory of the finished recording inside the partial one.
pub const STAGED: &str = "recording";

/// Scratch directories that this process has made.
static SCRATCHES: AtomicU64 = AtomicU64::new(0);

/// The directory of an unfinished fetch.
#[derive(Debug)]
pub struct PartialFetch {
    directory: PathBuf,
    fate: Fate,
}

/// What becomes of the directory when it is dropped.
#[derive(Debug)]
enum Fate {
    /// It stays, for a next attempt.
    Kept,
    /// It goes, with the directories that were made for it.
    Removed { made: Vec<PathBuf> },
}

/// Samples of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The metric under which they are recorded.
    pub metric: String,
    /// Labels in Prometheus' notation.
    pub labels: String,
    /// Milliseconds since the epoch.
    pub times: Vec<i64>,
    /// Values at these times.
    pub values: Vec<f64>,
    /// Native histograms.
    pub histograms: Vec<TimedHistogram>,
}

/// A native histogram at a moment, as a server shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedHistogram {
    /// Milliseconds since the epoch.
    pub time: i64,
    /// What was shown.
    pub shown: AnsweredHistogram,
}

/// Whether a directory held units of the same fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumed {
    /// It is new.
    Fresh,
    /// It held units of this very fetch.
    Continued,
    /// It held units of another one, which were removed.
    Replaced,
}

impl PartialFetch {
    /// Opens `<target>.partial`. Units that are there stay if they were fetched by the same `plan`, and are removed
    /// otherwise.
    ///
    /// # Errors
    /// [`StoreError`] if the directory cannot be made or read.
    #[expect(clippy::disallowed_methods, reason = "the store reads what it kept")]
    pub fn open(target: &Path, plan: &str) -> Result<(Self, Resumed), StoreError> {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let directory = target.with_file_name(name);
        let partial = Self { directory, fate: Fate::Kept };
        let found = partial.directory.join(PLAN);
        let before = fs::read_to_string(&found);
        let resumed = match before {
            Ok(text) if text == plan => return Ok((partial, Resumed::Continued)),
            Ok(_) => {
                partial.remove()?;
                Resumed::Replaced
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // A directory of this name that we did not make is not ours to empty.
                if fs::read_dir(&partial.directory)
                    .is_ok_and(|mut entries| entries.next().is_some())
                {
                    let source = io::Error::other(
                        "something else is in it; move it away or give another output",
                    );
                    return Err(StoreError::new("use the directory", &partial.directory, source));
                }
                Resumed::Fresh
            }
            Err(error) => return Err(StoreError::new("read", &found, error)),
        };
        make(&partial.directory)?;
        write_whole(&found, plan.as_bytes())?;
        Ok((partial, resumed))
    }

    /// A directory in `place` for a fetch that nobody will resume: it goes when it is dropped.
    ///
    /// # Errors
    /// [`StoreError`] if the directory cannot be made.
    pub fn scratch(place: &Path) -> Result<Self, StoreError> {
        let number = SCRATCHES.fetch_add(1, Ordering::Relaxed);
        let directory = place.join(format!(".fetched-{}-{number}.partial", std::process::id()));
        let mut made: Vec<PathBuf> = directory
            .ancestors()
            .skip(1)
            .take_while(|above| !above.as_os_str().is_empty() && !above.exists())
            .map(Path::to_owned)
            .collect();
        let partial = Self { directory, fate: Fate::Removed { made: std::mem::take(&mut made) } };
        make(&partial.directory)?;
        Ok(partial)
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn unit_path(&self, number: usize) -> PathBuf {
        self.directory.join(format!("{number:06}.unit"))
    }

    /// Whether a unit is there and whole.
    pub fn has(&self, number: usize) -> bool {
        let Ok(mut reader) = UnitReader::open(&self.unit_path(number)) else { return false };
        loop {
            match reader.next_block() {
                Ok(Some(_)) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }

    /// Begins a unit.
    ///
    /// # Errors
    /// [`StoreError`] if its file cannot be made.
    pub fn begin(&self, number: usize) -> Result<UnitWriter, StoreError> {
        UnitWriter::create(&self.unit_path(number))
    }

    /// Reads a unit.
    ///
    /// # Errors
    /// [`StoreError`] if it is not there.
    pub fn read(&self, number: usize) -> Result<UnitReader, StoreError> {
        UnitReader::open(&self.unit_path(number))
    }

    /// The empty directory in which the recording is put together.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be made.
    pub fn staged(&self) -> Result<PathBuf, StoreError> {
        let directory = self.directory.join(STAGED);
        remove_directory(&directory)?;
        make(&directory)?;
        Ok(directory)
    }

    /// Gives the recording that was put together its final place, and removes everything else. A directory that is not
    /// there yet appears with all files at once; in one that is, each file is replaced as a whole.
    ///
    /// # Errors
    /// [`StoreError`] if a file cannot be moved.
    #[expect(clippy::disallowed_methods, reason = "the store gives files their names")]
    pub fn publish(self, target: &Path) -> Result<(), StoreError> {
        let staged = self.directory.join(STAGED);
        if target.exists() {
            let failed = |error| StoreError::new("list", &staged, error);
            let mut names: Vec<PathBuf> = Vec::new();
            for entry in fs::read_dir(&staged).map_err(failed)? {
                names.push(entry.map_err(failed)?.path());
            }
            names.sort();
            for path in names {
                let place = target.join(path.file_name().unwrap_or_default());
                fs::rename(&path, &place)
                    .map_err(|error| StoreError::new("replace", &place, error))?;
            }
        } else {
            fs::rename(&staged, target).map_err(|error| StoreError::new("make", target, error))?;
        }
        let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        File::open(parent)
            .and_then(|directory| directory.sync_all())
            .map_err(|error| StoreError::new("sync the directory of", target, error))?;
        self.remove()
    }

    /// Removes the directory and what is in it.
    fn remove(&self) -> Result<(), StoreError> {
        remove_directory(&self.directory)
    }
}

impl Drop for PartialFetch {
    fn drop(&mut self) {
        if let Fate::Removed { made } = &self.fate {
            let _ = self.remove();
            for directory in made {
                // Only an empty directory goes; in another somebody else has begun to write.
                let _ = fs::remove_dir(directory);
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the store takes away what it made")]
fn remove_directory(directory: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::new("remove", directory, error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

#[expect(clippy::disallowed_methods, reason = "the store makes folders")]
fn make(directory: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(directory)
        .map_err(|error| StoreError::new("create the directory", directory, error))
}

/// Writes a file that appears whole.
///
/// # Errors
/// [`StoreError`] if it cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes).map_err(|error| StoreError::new("write", path, error))?;
    file.commit()
}

/// A unit that is being written. Dropped before [`UnitWriter::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct UnitWriter {
    path: PathBuf,
    temporary: PathBuf,
    file: Option<BufWriter<File>>,
    checksum: Checksum,
    accepted: Mark,
    samples: u64,
}

/// A place to which a unit can be taken back.
#[derive(Debug, Clone, Copy)]
struct Mark {
    checksum: Checksum,
    samples: u64,
}

impl UnitWriter {
    fn create(path: &Path) -> Result<Self, StoreError> {
        let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
        #[expect(clippy::disallowed_methods, reason = "the store is where files are written")]
        let file = File::create(&temporary)
            .map_err(|error| StoreError::new("create", &temporary, error))?;
        let mut checksum = Checksum::default();
        let mut file = BufWriter::with_capacity(1 << 17, file);
        put(&mut file, &mut checksum, MAGIC)
            .map_err(|error| StoreError::new("write", &temporary, error))?;
        let accepted = Mark { checksum, samples: 0 };
        Ok(Self {
            path: path.to_owned(),
            temporary,
            file: Some(file),
            checksum,
            accepted,
            samples: 0,
        })
    }

    /// Samples so far.
    pub const fn samples(&self) -> u64 {
        self.samples
    }

    fn file(&mut self) -> io::Result<(&mut BufWriter<File>, &mut Checksum)> {
        let file = self.file.as_mut().ok_or_else(|| io::Error::other("the unit was finished"))?;
        Ok((file, &mut self.checksum))
    }

    /// Adds samples.
    ///
    /// # Errors
    /// An error of the file.
    pub fn add(&mut self, block: &Block) -> io::Result<()> {
        let count = u32::try_from(block.times.len())
            .map_err(|_| io::Error::other("a series has more samples than a block can hold"))?;
        let mut bytes = Vec::with_capacity(32 + block.labels.len() + block.times.len() * 16);
        bytes.push(SAMPLES);
        add_text(&mut bytes, &block.metric)?;
        add_text(&mut bytes, &block.labels)?;
        bytes.extend(count.to_le_bytes());
        bytes.extend(block.times.iter().flat_map(|time| time.to_le_bytes()));
        bytes.extend(block.values.iter().flat_map(|value| value.to_bits().to_le_bytes()));
        let histograms = add_histograms(&mut bytes, &block.histograms)?;
        let (file, checksum) = self.file()?;
        put(file, checksum, &bytes)?;
        self.samples += u64::from(count) + u64::from(histograms);
        Ok(())
    }

    /// Adds a note: what whoever reads the unit should know of it.
    ///
    /// # Errors
    /// An error of the file.
    pub fn note(&mut self, text: &str) -> io::Result<()> {
        let mut bytes = vec![NOTE];
        add_text(&mut bytes, text)?;
        let (file, checksum) = self.file()?;
        put(file, checksum, &bytes)
    }

    /// What was added so far stays, whatever [`UnitWriter::forget`] takes back.
    pub const fn accept(&mut self) {
        self.accepted = Mark { checksum: self.checksum, samples: self.samples };
    }

    /// Takes back what was added since the last [`UnitWriter::accept`].
    ///
    /// # Errors
    /// An error of the file.
    pub fn forget(&mut self) -> io::Result<()> {
        let accepted = self.accepted;
        if self.checksum.length == accepted.checksum.length {
            return Ok(());
        }
        let (file, _) = self.file()?;
        file.flush()?;
        file.get_ref().set_len(accepted.checksum.length)?;
        file.seek(SeekFrom::Start(accepted.checksum.length))?;
        self.checksum = accepted.checksum;
        self.samples = accepted.samples;
        Ok(())
    }

    /// Ends the unit and gives it its name.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn finish(mut self) -> Result<(), StoreError> {
        let path = self.path.clone();
        let failed = |error| StoreError::new("write", &path, error);
        let (file, checksum) = self.file().map_err(failed)?;
        put(file, checksum, &[END]).map_err(failed)?;
        let sum = checksum.value();
        file.write_all(&sum.to_le_bytes()).and_then(|()| file.flush()).map_err(failed)?;
        self.file = None;
        #[expect(clippy::disallowed_methods, reason = "the store gives files their names")]
        fs::rename(&self.temporary, &self.path)
            .map_err(|error| StoreError::new("rename", &self.path, error))
    }
}

impl Drop for UnitWriter {
    fn drop(&mut self) {
        self.file = None;
        // After `finish` there is nothing under the temporary name.
        #[expect(
            clippy::disallowed_methods,
            reason = "the store takes away what it did not finish"
        )]
        let _ = fs::remove_file(&self.temporary);
    }
}

fn add_text(bytes: &mut Vec<u8>, text: &str) -> io::Result<()> {
    let length = u32::try_from(text.len()).ok().filter(|length| *length <= TEXT_BYTES);
    let length = length.ok_or_else(|| io::Error::other("a name is too long"))?;
    bytes.extend(length.to_le_bytes());
    bytes.extend(text.as_bytes());
    Ok(())
}

/// Adds native histograms and returns how many there were.
fn add_histograms(bytes: &mut Vec<u8>, histograms: &[TimedHistogram]) -> io::Result<u32> {
    let number = |count: usize| {
        u32::try_from(count).map_err(|_| io::Error::other("more histograms than a block can hold"))
    };
    let count = number(histograms.len())?;
    bytes.extend(count.to_le_bytes());
    for TimedHistogram { time, shown } in histograms {
        bytes.extend(time.to_le_bytes());
        bytes.extend(number(shown.buckets.len())?.to_le_bytes());
        let buckets = shown.buckets.iter();
        let parts = buckets.flat_map(|bucket| [bucket.lower, bucket.upper, bucket.count]);
        let words = [shown.count, shown.sum].into_iter().chain(parts);
        bytes.extend(words.flat_map(|word| word.to_bits().to_le_bytes()));
    }
    Ok(count)
}

fn put(file: &mut impl Write, checksum: &mut Checksum, bytes: &[u8]) -> io::Result<()> {
    checksum.add(bytes);
    file.write_all(bytes)
}

/// Reads the blocks of a unit.
#[derive(Debug)]
pub struct UnitReader {
    path: PathBuf,
    file: BufReader<File>,
    checksum: Checksum,
    notes: Vec<String>,
}

impl UnitReader {
    fn open(path: &Path) -> Result<Self, StoreError> {
        #[expect(clippy::disallowed_methods, reason = "the store reads what it kept")]
        let file = File::open(path).map_err(|error| StoreError::new("open", path, error))?;
        let mut reader = Self {
            path: path.to_owned(),
            file: BufReader::with_capacity(1 << 17, file),
            checksum: Checksum::default(),
            notes: Vec::new(),
        };
        let mut magic = [0; 8];
        reader.take(&mut magic)?;
        if magic == *MAGIC { Ok(reader) } else { Err(reader.damaged()) }
    }

    fn damaged(&self) -> StoreError {
        let source = io::Error::other("it is damaged; remove its directory and fetch again");
        StoreError::new("read", &self.path, source)
    }

    fn take(&mut self, into: &mut [u8]) -> Result<(), StoreError> {
        self.file.read_exact(into).map_err(|error| StoreError::new("read", &self.path, error))?;
        self.checksum.add(into);
        Ok(())
    }

    fn number(&mut self) -> Result<u32, StoreError> {
        let mut bytes = [0; 4];
        self.take(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn text(&mut self) -> Result<String, StoreError> {
        let length = self.number()?;
        if length > TEXT_BYTES {
            return Err(self.damaged());
        }
        let mut bytes = vec![0; length as usize];
        self.take(&mut bytes)?;
        String::from_utf8(bytes).map_err(|_| self.damaged())
    }

    /// Eight bytes for each of `count` numbers, in pieces: a damaged count does not fill the memory.
    fn words<T>(&mut self, count: u32, read: fn([u8; 8]) -> T) -> Result<Vec<T>, StoreError> {
        const PIECE: usize = 1 << 16;
        let mut left = count as usize;
        let mut words = Vec::with_capacity(left.min(PIECE));
        let mut bytes = vec![0; left.min(PIECE) * 8];
        while left > 0 {
            let piece = left.min(PIECE);
            self.take(&mut bytes[..piece * 8])?;
            words.extend(bytes[..piece * 8].as_chunks::<8>().0.iter().map(|word| read(*word)));
            left -= piece;
        }
        Ok(words)
    }

    /// Notes that were met so far; all of them after the last block.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The next block; `None` at the end of a unit that is whole.
    ///
    /// # Errors
    /// [`StoreError`] if the unit is damaged.
    pub fn next_block(&mut self) -> Result<Option<Block>, StoreError> {
        let mut kind = [0; 1];
        self.take(&mut kind)?;
        while kind[0] == NOTE {
            let note = self.text()?;
            self.notes.push(note);
            self.take(&mut kind)?;
        }
        match kind[0] {
            SAMPLES => {}
            END => {
                let sum = self.checksum.value();
                let mut told = [0; 8];
                self.take(&mut told)?;
                return if u64::from_le_bytes(told) == sum {
                    Ok(None)
                } else {
                    Err(self.damaged())
                };
            }
            _ => return Err(self.damaged()),
        }
        let metric = self.text()?;
        let labels = self.text()?;
        let count = self.number()?;
        let times = self.words(count, i64::from_le_bytes)?;
        let values = self.words(count, |word| f64::from_bits(u64::from_le_bytes(word)))?;
        let histograms = self.histograms()?;
        Ok(Some(Block { metric, labels, times, values, histograms }))
    }

    /// The native histograms of a block.
    fn histograms(&mut self) -> Result<Vec<TimedHistogram>, StoreError> {
        let float = |word| f64::from_bits(u64::from_le_bytes(word));
        let mut histograms = Vec::new();
        for _ in 0..self.number()? {
            let mut time = [0; 8];
            self.take(&mut time)?;
            let words = self.number()?.checked_mul(3).and_then(|parts| parts.checked_add(2));
            let words = self.words(words.ok_or_else(|| self.damaged())?, float)?;
            let (head, parts) = words.split_at(2);
            let buckets = parts
                .as_chunks::<3>()
                .0
                .iter()
                .map(|&[lower, upper, count]| BoundedBucket { lower, upper, count });
            histograms.push(TimedHistogram {
                time: i64::from_le_bytes(time),
                shown: AnsweredHistogram {
                    count: head[0],
                    sum: head[1],
                    buckets: buckets.collect(),
                },
            });
        }
        Ok(histograms)
    }
}

/// A checksum against torn files, not against forgers: eight bytes at a time, multiplied and turned.
#[derive(Debug, Clone, Copy, Default)]
struct Checksum {
    state: u64,
    pending: u64,
    length: u64,
}

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            if self.length.is_multiple_of(8) && rest.len() >= 8 {
                let (words, tail) = rest.as_chunks::<8>();
                for word in words {
                    self.mix(u64::from_le_bytes(*word));
                }
                self.length += (words.len() * 8) as u64;
                rest = tail;
                continue;
            }
            self.pending = self.pending << 8 | u64::from(*byte);
            self.length += 1;
            rest = after;
            if self.length.is_multiple_of(8) {
                // The same word as if its bytes had come together.
                self.mix(self.pending.swap_bytes());
                self.pending = 0;
            }
        }
    }

    const fn mix(&mut self, word: u64) {
        self.state = (self.state ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }

    const fn value(self) -> u64 {
        let mut last = self;
        last.mix(last.pending);
        last.mix(last.length);
        last.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(at: i64) -> Block {
        Block {
            metric: "x".to_owned(),
            labels: "{a=\"b\"}".to_owned(),
            times: vec![at, at + 1, at + 2],
            values: vec![1.0, f64::NAN, f64::NEG_INFINITY],
            histograms: vec![histogram(at, 2), histogram(at + 1, 0)],
        }
    }

    fn histogram(time: i64, buckets: u8) -> TimedHistogram {
        let bucket = |at: u8| {
            let lower = f64::from(at);
            BoundedBucket { lower, upper: lower + 1.0, count: 3.0 }
        };
        let buckets: Vec<BoundedBucket> = (0..buckets).map(bucket).collect();
        TimedHistogram { time, shown: AnsweredHistogram { count: 7.0, sum: 0.5, buckets } }
    }

    #[test]
    fn native_histograms_come_back_as_they_were_added() {
        let room = tempfile::tempdir().unwrap();
        let (partial, _) = PartialFetch::open(&room.path().join("out"), "plan").unwrap();
        let mut writer = partial.begin(1).unwrap();
        writer.add(&block(10)).unwrap();
        assert_eq!(writer.samples(), 5);
        writer.finish().unwrap();
        assert!(partial.has(1));
        let found = partial.read(1).unwrap().next_block().unwrap().unwrap();
        assert_eq!(found.histograms, block(10).histograms);
    }

    fn times(partial: &PartialFetch) -> Vec<i64> {
        let mut reader = partial.read(1).unwrap();
        let mut times = Vec::new();
        while let Some(block) = reader.next_block().unwrap() {
            times.extend(block.times);
        }
        times
    }

    #[test]
    fn what_an_attempt_added_can_be_taken_back() {
        let room = tempfile::tempdir().unwrap();
        let (partial, resumed) = PartialFetch::open(&room.path().join("rec"), "plan").unwrap();
        assert_eq!(resumed, Resumed::Fresh);
        let mut unit = partial.begin(1).unwrap();
        unit.add(&block(10)).unwrap();
        unit.accept();
        unit.add(&block(20)).unwrap();
        unit.forget().unwrap();
        unit.note("a note").unwrap();
        unit.add(&block(30)).unwrap();
        assert_eq!(unit.samples(), 10);
        assert!(!partial.has(1), "it is not finished");
        unit.finish().unwrap();
        assert!(partial.has(1));
        assert_eq!(times(&partial), [10, 11, 12, 30, 31, 32]);
        let mut reader = partial.read(1).unwrap();
        while reader.next_block().unwrap().is_some() {}
        assert_eq!(reader.notes(), ["a note"]);
    }

    #[test]
    fn the_same_plan_goes_on_and_another_one_begins_anew() {
        let room = tempfile::tempdir().unwrap();
        let target = room.path().join("rec");
        let (partial, _) = PartialFetch::open(&target, "plan").unwrap();
        partial.begin(1).unwrap().finish().unwrap();
        let (partial, resumed) = PartialFetch::open(&target, "plan").unwrap();
        assert_eq!((resumed, partial.has(1)), (Resumed::Continued, true));
        let (partial, resumed) = PartialFetch::open(&target, "another").unwrap();
        assert_eq!((resumed, partial.has(1)), (Resumed::Replaced, false));
    }

    #[test]
    fn a_unit_that_was_cut_or_changed_is_not_taken() {
        let room = tempfile::tempdir().unwrap();
        let (partial, _) = PartialFetch::open(&room.path().join("rec"), "plan").unwrap();
        let mut unit = partial.begin(1).unwrap();
        unit.add(&block(10)).unwrap();
        unit.finish().unwrap();
        let path = partial.unit_path(1);
        let whole = fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            assert!(!partial.has(1), "cut at {cut}");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 4;
            fs::write(&path, &changed).unwrap();
            assert!(!partial.has(1), "changed at {at}");
        }
        fs::write(&path, &whole).unwrap();
        assert!(partial.has(1));
    }

    #[test]
    fn a_scratch_directory_goes_with_what_was_made_for_it() {
        let room = tempfile::tempdir().unwrap();
        let place = room.path().join("a/b");
        let scratch = PartialFetch::scratch(&place).unwrap();
        scratch.begin(1).unwrap().finish().unwrap();
        assert!(place.exists());
        drop(scratch);
        assert!(!room.path().join("a").exists());
    }

    #[test]
    fn a_recording_appears_at_once_or_replaces_file_by_file() {
        let room = tempfile::tempdir().unwrap();
        let target = room.path().join("rec");
        for text in ["one", "two"] {
            let (partial, _) = PartialFetch::open(&target, "plan").unwrap();
            let staged = partial.staged().unwrap();
            write_whole(&staged.join("run.json"), text.as_bytes()).unwrap();
            partial.publish(&target).unwrap();
            assert_eq!(fs::read_to_string(target.join("run.json")).unwrap(), text);
            assert_eq!(fs::read_dir(room.path()).unwrap().count(), 1);
        }
    }
}
