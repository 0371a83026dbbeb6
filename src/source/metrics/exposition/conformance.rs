//! The rules of the formats beyond their grammar, as their own tests demand them.
//!
//! Watches the entries of one text go by and refuses the first that breaks a rule. Keeps one family and the names seen so
//! far; a family's series are grouped by their labels.

use std::collections::{BTreeMap, BTreeSet};

use super::bucket_rules::BucketRules;
use super::dialect::Dialect;
use super::error::{ExpositionError, quoted};
use super::family::FamilyKind;
use super::number;
use super::reader::{Entry, Exemplar, SampleLine};
use super::series_text::NamedSeries;

/// Most characters of all names and values of an exemplar's labels.
const EXEMPLAR_CHARACTERS: usize = 128;

/// Checks a text entry by entry.
#[derive(Debug)]
pub struct Conformance {
    dialect: Dialect,
    /// OpenMetrics: the family whose lines are being read.
    family: Option<Family>,
    /// OpenMetrics: every name that a finished family lays claim to. Text format: families with samples.
    taken: BTreeSet<String>,
    /// Text format: what was said of a family.
    told: BTreeMap<String, Told>,
}

/// What the text format's comments said of a family.
#[derive(Debug, Default)]
struct Told {
    kind: Option<FamilyKind>,
    help: bool,
}

/// Labels without those that only number the points of one group.
type Group = Vec<(String, String)>;

/// A family of OpenMetrics.
#[derive(Debug)]
struct Family {
    name: String,
    kind: Option<FamilyKind>,
    unit: Option<String>,
    has_help: bool,
    has_samples: bool,
    group: Option<CurrentGroup>,
    groups: BTreeSet<Group>,
    buckets: BucketRules,
}

/// The group that the last sample belonged to.
#[derive(Debug)]
struct CurrentGroup {
    labels: Group,
    milliseconds: Option<f64>,
}

impl Conformance {
    /// Nothing seen yet.
    pub const fn new(dialect: Dialect) -> Self {
        Self { dialect, family: None, taken: BTreeSet::new(), told: BTreeMap::new() }
    }

    /// Looks at the next entry. A sample comes with its series, which is read anyway.
    ///
    /// # Errors
    /// [`ExpositionError`] when the entry breaks a rule, or closes a family that does.
    pub fn see(
        &mut self,
        entry: &Entry<'_>,
        series: Option<&NamedSeries>,
    ) -> Result<(), ExpositionError> {
        match (self.dialect, entry) {
            (Dialect::Text, Entry::Sample(sample)) => {
                series.map_or(Ok(()), |series| self.text_sample(sample, series))
            }
            (Dialect::Text, entry) => self.text_comment(entry),
            (Dialect::OpenMetrics, Entry::Sample(sample)) => {
                series.map_or(Ok(()), |series| self.sample(sample, series))
            }
            (Dialect::OpenMetrics, entry) => self.metadata(entry),
        }
    }

    /// Closes the last family.
    ///
    /// # Errors
    /// [`ExpositionError`] when it breaks a rule.
    pub fn finish(mut self, line: usize) -> Result<(), ExpositionError> {
        self.close(line)
    }

    fn text_comment(&mut self, entry: &Entry<'_>) -> Result<(), ExpositionError> {
        let twice = |line: usize, what: &str, family: &str| {
            ExpositionError::new(line, format!("a second {what} line for {family}"), "one")
        };
        match entry {
            Entry::Type { line, family, kind } => {
                if self.taken.contains(family) {
                    return Err(ExpositionError::new(
                        *line,
                        format!("the TYPE of {family} behind its samples"),
                        "the TYPE before the first sample",
                    ));
                }
                let told = self.told.entry(family.clone()).or_default();
                if told.kind.replace(*kind).is_some() {
                    return Err(twice(*line, "TYPE", family));
                }
            }
            Entry::Help { line, family } => {
                let told = self.told.entry(family.clone()).or_default();
                if std::mem::replace(&mut told.help, true) {
                    return Err(twice(*line, "HELP", family));
                }
            }
            Entry::Unit { .. } | Entry::Sample(_) => {}
        }
        Ok(())
    }

    fn text_sample(
        &mut self,
        sample: &SampleLine<'_>,
        series: &NamedSeries,
    ) -> Result<(), ExpositionError> {
        let kind = |name: &str| self.told.get(name).and_then(|told| told.kind);
        let base = ["_bucket", "_count", "_sum"].iter().find_map(|suffix| {
            let base = series.name.strip_suffix(suffix)?;
            matches!(
                kind(base),
                Some(FamilyKind::Histogram | FamilyKind::GaugeHistogram | FamilyKind::Summary)
            )
            .then_some(base)
        });
        let bound = match (base, kind(&series.name)) {
            (Some(_), _) if series.name.ends_with("_bucket") => "le",
            (None, Some(FamilyKind::Summary)) => "quantile",
            _ => "",
        };
        if let Some(text) = series.label(bound).filter(|text| number::value(text).is_none()) {
            return Err(ExpositionError::new(
                sample.series.line,
                format!("{bound}={}", quoted(text)),
                format!("a number as {bound}"),
            ));
        }
        let name = base.unwrap_or(&series.name);
        if !self.taken.contains(name) {
            self.taken.insert(name.to_owned());
        }
        Ok(())
    }

    fn metadata(&mut self, entry: &Entry<'_>) -> Result<(), ExpositionError> {
        let (line, name) = match entry {
            Entry::Type { line, family, .. }
            | Entry::Help { line, family }
            | Entry::Unit { line, family, .. } => (*line, family),
            Entry::Sample(_) => return Ok(()),
        };
        if self.family.as_ref().is_none_or(|family| family.name != *name) {
            self.close(line)?;
            self.family = Some(Family::new(name));
        }
        let Some(family) = &mut self.family else { return Ok(()) };
        if family.has_samples {
            return Err(ExpositionError::new(
                line,
                format!("a comment about {name} behind its samples"),
                "TYPE, HELP and UNIT before the first sample",
            ));
        }
        let is_second = match entry {
            Entry::Type { kind, .. } => family.kind.replace(*kind).is_some(),
            Entry::Help { .. } => std::mem::replace(&mut family.has_help, true),
            Entry::Unit { unit, .. } => family.unit.replace((*unit).to_owned()).is_some(),
            Entry::Sample(_) => false,
        };
        if is_second {
            return Err(ExpositionError::new(
                line,
                format!("the same kind of comment about {name} twice"),
                "each of TYPE, HELP and UNIT once",
            ));
        }
        Ok(())
    }

    fn sample(
        &mut self,
        sample: &SampleLine<'_>,
        series: &NamedSeries,
    ) -> Result<(), ExpositionError> {
        let line = sample.series.line;
        if self.family.as_ref().is_none_or(|family| family.suffix_of(&series.name).is_none()) {
            self.close(line)?;
            self.family = Some(Family::new(&series.name));
        }
        match &mut self.family {
            Some(family) => family.see(sample, series),
            None => Ok(()),
        }
    }

    /// Ends the family that is being read, and takes its names.
    fn close(&mut self, line: usize) -> Result<(), ExpositionError> {
        let Some(mut family) = self.family.take() else { return Ok(()) };
        let names: BTreeSet<String> = family
            .kind()
            .suffixes()
            .iter()
            .chain([&""])
            .map(|suffix| format!("{}{suffix}", family.name))
            .collect();
        for name in names {
            if self.taken.contains(&name) {
                return Err(ExpositionError::new(
                    line,
                    format!("the family {}, whose {name} belongs to another one", family.name),
                    "names that one family uses, each family in one piece",
                ));
            }
            self.taken.insert(name);
        }
        family.check_unit(line)?;
        family.buckets.finish(line)
    }
}

impl Family {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: None,
            unit: None,
            has_help: false,
            has_samples: false,
            group: None,
            groups: BTreeSet::new(),
            buckets: BucketRules::default(),
        }
    }

    fn kind(&self) -> FamilyKind {
        self.kind.unwrap_or(FamilyKind::Unknown)
    }

    /// What a sample's name adds to the family's, if the sample belongs to it.
    fn suffix_of(&self, name: &str) -> Option<&'static str> {
        let suffix = name.strip_prefix(self.name.as_str())?;
        self.kind().suffixes().iter().find(|own| **own == suffix).copied()
    }

    fn see(
        &mut self,
        sample: &SampleLine<'_>,
        series: &NamedSeries,
    ) -> Result<(), ExpositionError> {
        let suffix = self.suffix_of(&series.name).unwrap_or_default();
        let place = Place { line: sample.series.line, name: &series.name };
        self.has_samples = true;
        self.check_labels(&place, suffix, series)?;
        self.check_group(&place, suffix, sample, series)?;
        self.check_value(&place, suffix, sample.value)?;
        if let Some(exemplar) = &sample.exemplar {
            self.check_exemplar(&place, suffix, exemplar)?;
        }
        if matches!(self.kind(), FamilyKind::Histogram | FamilyKind::GaugeHistogram) {
            let group = self.group_of(suffix, series);
            self.buckets.see(&place, suffix, (group, sample.milliseconds), sample.value, series)?;
        }
        Ok(())
    }

    /// The labels that a kind demands.
    fn check_labels(
        &self,
        place: &Place<'_>,
        suffix: &str,
        series: &NamedSeries,
    ) -> Result<(), ExpositionError> {
        let is_summary_point = self.kind() == FamilyKind::Summary && suffix.is_empty();
        if is_summary_point {
            let quantile = series.label("quantile").and_then(number::value);
            if !quantile.is_some_and(|quantile| (0.0..=1.0).contains(&quantile)) {
                return Err(place.refuse("no quantile from 0 to 1", "the label quantile"));
            }
        }
        if suffix == "_bucket"
            && !series.label("le").is_some_and(|le| {
                number::is_canonical_bound(le) && number::value(le).is_some_and(|le| !le.is_nan())
            })
        {
            return Err(place.refuse(
                "no bound of the bucket",
                "the label le with a number, the last one spelled +Inf",
            ));
        }
        if self.kind() == FamilyKind::StateSet && series.label(&self.name).is_none() {
            return Err(place.refuse("no state", "a label with the name of the family"));
        }
        Ok(())
    }

    /// Labels without the one that only numbers the points of a group. Groups of `info` cannot be told apart.
    fn group_of(&self, suffix: &str, series: &NamedSeries) -> Group {
        let numbering = match (self.kind(), suffix) {
            (FamilyKind::Info, _) => return Vec::new(),
            (FamilyKind::Summary, "") => "quantile",
            (FamilyKind::StateSet, _) => self.name.as_str(),
            (FamilyKind::Histogram | FamilyKind::GaugeHistogram, "_bucket") => "le",
            _ => "",
        };
        let mut group: Group =
            series.pairs.iter().filter(|(name, _)| name != numbering).cloned().collect();
        group.sort();
        group
    }

    /// Samples of a group stand together, all with a time or all without, and in the order of time.
    fn check_group(
        &mut self,
        place: &Place<'_>,
        suffix: &str,
        sample: &SampleLine<'_>,
        series: &NamedSeries,
    ) -> Result<(), ExpositionError> {
        let labels = self.group_of(suffix, series);
        match &self.group {
            Some(last) if last.labels == labels => {
                let went_back = match (last.milliseconds, sample.milliseconds) {
                    (Some(before), Some(now)) => before > now && self.kind() != FamilyKind::Info,
                    (None, None) => false,
                    (Some(_), None) | (None, Some(_)) => {
                        return Err(place.refuse(
                            "times on some samples of a group",
                            "a time on all of them or on none",
                        ));
                    }
                };
                if went_back {
                    return Err(place.refuse("a time before the last one", "times in order"));
                }
            }
            Some(_) if self.groups.contains(&labels) => {
                return Err(place.refuse(
                    "samples of a group with others between them",
                    "all samples of one label set together",
                ));
            }
            Some(_) | None => {}
        }
        self.groups.insert(labels.clone());
        self.group = Some(CurrentGroup { labels, milliseconds: sample.milliseconds });
        Ok(())
    }

    /// What a value may be.
    fn check_value(
        &self,
        place: &Place<'_>,
        suffix: &str,
        value: f64,
    ) -> Result<(), ExpositionError> {
        let is_counted = matches!(suffix, "_total" | "_sum" | "_count" | "_bucket" | "_gcount");
        if value.is_nan() && (is_counted || suffix == "_gsum") {
            return Err(place.refuse("NaN", "a number, because it counts"));
        }
        if value < 0.0 && is_counted {
            return Err(place.refuse(format!("{value}"), "0 or more, because it counts"));
        }
        let is_whole = value.trunc().to_bits() == value.to_bits() && value.is_finite();
        if matches!(suffix, "_count" | "_bucket" | "_gcount") && !is_whole {
            return Err(place.refuse(format!("{value}"), "a whole number, because it counts"));
        }
        let is_one_of =
            |accepted: &[f64]| accepted.iter().any(|one| one.to_bits() == value.to_bits());
        match self.kind() {
            FamilyKind::Summary if suffix.is_empty() && value < 0.0 => {
                Err(place.refuse(format!("{value}"), "a quantile of 0 or more"))
            }
            FamilyKind::StateSet if !is_one_of(&[0.0, 1.0]) => {
                Err(place.refuse(format!("{value}"), "0 or 1, because it is a state"))
            }
            FamilyKind::Info if !is_one_of(&[1.0]) => {
                Err(place.refuse(format!("{value}"), "1, because it is an info"))
            }
            _ => Ok(()),
        }
    }

    /// Exemplars belong to counters and buckets, and their labels are short.
    fn check_exemplar(
        &self,
        place: &Place<'_>,
        suffix: &str,
        exemplar: &Exemplar<'_>,
    ) -> Result<(), ExpositionError> {
        let may_have = matches!(
            (self.kind(), suffix),
            (FamilyKind::Counter, "_total")
                | (FamilyKind::Histogram | FamilyKind::GaugeHistogram, "_bucket")
        );
        if !may_have {
            return Err(place.refuse("an exemplar", "exemplars on counters and buckets only"));
        }
        let characters: usize = exemplar
            .labels
            .read_labels()?
            .iter()
            .map(|(name, value)| name.chars().count() + value.chars().count())
            .sum();
        if characters > EXEMPLAR_CHARACTERS {
            return Err(place.refuse(
                format!("an exemplar with labels of {characters} characters"),
                format!("{EXEMPLAR_CHARACTERS} characters of label names and values"),
            ));
        }
        Ok(())
    }

    /// A unit ends the family's name, and what has no quantity has none.
    fn check_unit(&self, line: usize) -> Result<(), ExpositionError> {
        let Some(unit) = self.unit.as_deref().filter(|unit| !unit.is_empty()) else {
            return Ok(());
        };
        let place = Place { line, name: &self.name };
        if matches!(self.kind(), FamilyKind::Info | FamilyKind::StateSet) {
            return Err(place.refuse("a unit", "no unit on infos and state sets"));
        }
        let ends_with_unit =
            self.name.strip_suffix(unit).is_some_and(|before| before.ends_with('_'));
        if ends_with_unit {
            return Ok(());
        }
        Err(place.refuse(
            format!("the unit {}", quoted(unit)),
            "a unit that the family's name ends with",
        ))
    }
}

/// Where a rule is broken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The line, from 1.
    pub(super) line: usize,
    /// The sample or family.
    pub(super) name: &'a str,
}

impl Place<'_> {
    /// The error that says so.
    pub(super) fn refuse(
        &self,
        found: impl Into<String>,
        accepted: impl Into<String>,
    ) -> ExpositionError {
        ExpositionError::new(self.line, format!("{} at {}", found.into(), self.name), accepted)
    }
}
