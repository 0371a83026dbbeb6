//! The chain of the audit log: every line holds the hash of the one before.
//!
//! Owns the form of a line, what is hashed and signed, and the search for a break. A line that was changed, left out,
//! put in or moved breaks the chain at its place. What the chain alone cannot show is that lines are missing at its
//! end, or that somebody wrote the whole log anew: the first needs the [`Head`] noted elsewhere, the second that or
//! signatures. Refuses to know files; `store` appends and syncs.

use serde::{Deserialize, Serialize};

use crate::safety::signature::{PublicKey, SigningKey, digest};
use crate::unit::Timestamp;

/// The name of the lines.
pub const SCHEMA: &str = "unfazed.audit/v1";

/// What stands for the hash before the first line.
const BEGINNING: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub actor: String,
    /// What was done or decided: `campaign_begun`, `decision`, `kill`, `abort`, `resume`, `campaign_ended`, …
    pub action: String,
    /// To whom.
    pub target: Option<String>,
    /// The run it belongs to.
    pub run_id: Option<String>,
    /// The iteration it belongs to.
    pub iteration: Option<u32>,
    /// Digest of the experiment.
    pub digest: Option<String>,
    /// Digest of the policy.
    pub policy_digest: Option<String>,
    /// The change ticket.
    pub ticket: Option<String>,
    /// What came of it: `allowed`, `denied`, `killed`, `refused`, …
    pub outcome: String,
    /// The reason in words.
    pub message: Option<String>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    schema: String,
    sequence: u64,
    at: Timestamp,
    actor: String,
    action: String,
    target: Option<String>,
    run_id: Option<String>,
    iteration: Option<u32>,
    digest: Option<String>,
    policy_digest: Option<String>,
    ticket: Option<String>,
    outcome: String,
    message: Option<String>,
    previous: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

/// The end of a chain. Noted elsewhere, it shows lines that are missing at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// How many lines there are.
    pub entries: u64,
    /// The hash of the last one.
    pub head: String,
}

impl Head {
    /// The head of a log without lines.
    pub fn beginning() -> Self {
        Self { entries: 0, head: BEGINNING.to_owned() }
    }
}

/// Where and why a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct Break {
    /// Counted from 1.
    pub line: u64,
    /// Why.
    pub why: String,
}

/// A chain that grows.
#[derive(Debug)]
pub struct Chain {
    head: Head,
    key: Option<SigningKey>,
}

impl Chain {
    /// A chain without a line.
    pub fn begin(key: Option<SigningKey>) -> Self {
        Self { head: Head::beginning(), key }
    }

    /// Goes on with a log that is there, if it is whole.
    ///
    /// # Errors
    /// Where it is broken: nothing is appended to what cannot be believed.
    pub fn resume(bytes: &[u8], key: Option<SigningKey>) -> Result<Self, Break> {
        let public = key.as_ref().map(SigningKey::public);
        let trust = Trust { noted: None, key: public.as_ref() };
        Ok(Self { head: verify(bytes, trust)?.head, key })
    }

    /// The line of an event, with its end. The chain goes on from it.
    pub fn append(&mut self, event: Event) -> String {
        let Event { at, actor, action, target, run_id, iteration, digest: of, .. } = event;
        let mut entry = Entry {
            schema: SCHEMA.to_owned(),
            sequence: self.head.entries + 1,
            at,
            actor,
            action,
            target,
            run_id,
            iteration,
            digest: of,
            policy_digest: event.policy_digest,
            ticket: event.ticket,
            outcome: event.outcome,
            message: event.message,
            previous: self.head.head.clone(),
            hash: None,
            signature: None,
        };
        let hash = entry.due_hash();
        entry.signature = self.key.as_ref().map(|key| key.sign(&hash));
        self.head = Head { entries: entry.sequence, head: hash.clone() };
        entry.hash = Some(hash);
        let mut line = entry.text();
        line.push('\n');
        line
    }

    /// The end of the chain.
    pub fn head(&self) -> &Head {
        &self.head
    }
}

impl Entry {
    fn text(&self) -> String {
        serde_json::to_string(self).expect("texts, times and numbers are always JSON")
    }

    /// The hash over everything but the hash and its signature.
    fn due_hash(&self) -> String {
        let bare = Self { hash: None, signature: None, ..self.clone() };
        digest(bare.text().as_bytes())
    }
}

/// What is known of a chain from elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Trust<'a> {
    /// A head that was noted at some time.
    pub noted: Option<&'a Noted>,
    /// The key with which every line has to be signed.
    pub key: Option<&'a PublicKey>,
}

/// A head that was noted elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noted {
    /// The hash of a line, wherever it stands.
    Hash(String),
    /// Number of lines and hash of the last.
    Head(Head),
}

/// A chain without a break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Its end.
    pub head: Head,
    /// How many lines are signed.
    pub signed: u64,
    /// How many lines follow the noted head; `None`: no head was noted.
    pub after_noted: Option<u64>,
}

/// Reads a chain from its beginning and finds the first break.
///
/// Cost: one hash a line, and one signature where a key is given.
///
/// # Errors
/// The first break, or that the noted head is not in it.
pub fn verify(bytes: &[u8], trust: Trust<'_>) -> Result<Verified, Break> {
    let mut head = Head::beginning();
    let (mut signed, mut noted_at) = (0, None);
    if let Some(Noted::Head(noted)) = trust.noted
        && *noted == head
    {
        noted_at = Some(0);
    }
    let mut rest = bytes;
    while !rest.is_empty() {
        let line = head.entries + 1;
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            return Err(Break {
                line,
                why: "it is cut: a line ends with a line feed; the program that wrote it, or somebody after it, was stopped in the middle".to_owned(),
            });
        };
        let entry = link(&rest[..end], &head, trust.key).map_err(|why| Break { line, why })?;
        signed += u64::from(entry.signature.is_some());
        head = Head { entries: line, head: entry.hash.unwrap_or_default() };
        let noted = match trust.noted {
            Some(Noted::Hash(hash)) => *hash == head.head,
            Some(Noted::Head(noted)) => *noted == head,
            None => false,
        };
        if noted {
            noted_at = Some(line);
        }
        rest = &rest[end + 1..];
    }
    if let (Some(noted), None) = (trust.noted, noted_at) {
        return Err(Break { line: head.entries + 1, why: lost(noted, &head) });
    }
    Ok(Verified { after_noted: noted_at.map(|line| head.entries - line), head, signed })
}

fn lost(noted: &Noted, head: &Head) -> String {
    match noted {
        Noted::Head(noted) if noted.entries > head.entries => format!(
            "the log ends here, and {} lines were noted elsewhere: {} are missing at its end",
            noted.entries,
            noted.entries - head.entries
        ),
        Noted::Head(noted) => format!(
            "line {} does not have the hash {} that was noted elsewhere: the log was written anew",
            noted.entries, noted.head
        ),
        Noted::Hash(hash) => format!(
            "no line has the hash {hash} that was noted elsewhere: lines are missing at its end, or the log was written anew"
        ),
    }
}

/// Reads one line and holds it against the line before.
fn link(text: &[u8], before: &Head, key: Option<&PublicKey>) -> Result<Entry, String> {
    let entry: Entry =
        serde_json::from_slice(text).map_err(|error| format!("it is no entry: {error}"))?;
    if entry.schema != SCHEMA {
        return Err(format!("its schema is '{}', accepted is {SCHEMA}", entry.schema));
    }
    // Blanks, another order of the keys, a key given twice: whoever wrote it was not this program.
    if entry.text().as_bytes() != text {
        return Err("it is not spelt as it was written: it was edited".to_owned());
    }
    let sequence = before.entries + 1;
    if entry.sequence != sequence {
        return Err(format!(
            "it is number {}, and number {sequence} has to stand here: lines were cut out, put in or moved",
            entry.sequence
        ));
    }
    if entry.previous != before.head {
        return Err("it does not follow the line before, which was changed or exchanged".to_owned());
    }
    let due = entry.due_hash();
    if entry.hash.as_ref() != Some(&due) {
        return Err("its hash does not fit what it says: it was edited".to_owned());
    }
    match (key, &entry.signature) {
        (None, _) => {}
        (Some(key), None) => {
            return Err(format!("it is not signed, and {key} has to have signed it"));
        }
        (Some(key), Some(signature)) if !key.signed(&due, signature) => {
            return Err(format!("its signature is not by {key}"));
        }
        (Some(_), Some(_)) => {}
    }
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::safety::signature::tests::PEM;

    fn event(action: &str) -> Event {
        Event {
            at: Timestamp::from_milliseconds(1_800_000_000_000),
            actor: "carol".to_owned(),
            action: action.to_owned(),
            target: Some("process payment-worker 4242".to_owned()),
            run_id: Some("r1".to_owned()),
            iteration: Some(1),
            digest: Some("sha256:ab".to_owned()),
            policy_digest: None,
            ticket: Some("CHG-4211".to_owned()),
            outcome: "killed".to_owned(),
            message: None,
        }
    }

    fn log(key: Option<SigningKey>) -> String {
        let mut chain = Chain::begin(key);
        ["campaign_begun", "decision", "kill", "recovered", "campaign_ended"]
            .map(|action| chain.append(event(action)))
            .concat()
    }

    const BLIND: Trust<'static> = Trust { noted: None, key: None };

    fn broken_at(text: &str) -> Option<u64> {
        verify(text.as_bytes(), BLIND).err().map(|found| found.line)
    }

    #[test]
    fn a_log_as_it_was_written_is_whole_and_goes_on() {
        let text = log(None);
        let whole = verify(text.as_bytes(), BLIND).unwrap();
        assert_eq!((whole.head.entries, whole.signed), (5, 0));
        let mut chain = Chain::resume(text.as_bytes(), None).unwrap();
        let longer = text + &chain.append(event("campaign_begun"));
        assert_eq!(verify(longer.as_bytes(), BLIND).unwrap().head.entries, 6);
        assert_eq!(verify(b"", BLIND).unwrap().head, Head::beginning());
    }

    #[test]
    fn every_changed_byte_is_found_in_its_line() {
        let text = log(None);
        for (at, byte) in text.bytes().enumerate() {
            for other in [b'0', b'x', b' ', b'"', b'\n', byte ^ 1] {
                if other == byte {
                    continue;
                }
                let mut bytes = text.clone().into_bytes();
                bytes[at] = other;
                let line = 1 + text[..at].matches('\n').count() as u64;
                let found = verify(&bytes, BLIND).expect_err("a changed byte");
                assert_eq!(found.line, line, "byte {at} became {other}: {found}");
            }
        }
    }

    #[test]
    fn every_cut_doubled_or_exchanged_line_is_found() {
        let text = log(None);
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for at in 0..4 {
            let mut cut = lines.clone();
            cut.remove(at);
            assert_eq!(broken_at(&cut.concat()), Some(at as u64 + 1));
            let mut exchanged = lines.clone();
            exchanged.swap(at, at + 1);
            assert_eq!(broken_at(&exchanged.concat()), Some(at as u64 + 1));
        }
        for at in 0..5 {
            let mut doubled = lines.clone();
            doubled.insert(at, lines[at]);
            assert_eq!(broken_at(&doubled.concat()), Some(at as u64 + 2));
            let mut blank = lines.clone();
            blank.insert(at, "\n");
            assert_eq!(broken_at(&blank.concat()), Some(at as u64 + 1));
        }
    }

    #[test]
    fn a_line_of_another_log_is_found() {
        let (one, mut other) = (log(None), Chain::begin(None));
        let mut changed = event("campaign_begun");
        changed.actor = "mallory".to_owned();
        other.append(changed);
        let alien = other.append(event("decision"));
        let mut lines: Vec<&str> = one.split_inclusive('\n').collect();
        lines[1] = &alien;
        assert_eq!(broken_at(&lines.concat()), Some(2));
    }

    #[test]
    fn a_cut_anywhere_but_between_two_lines_is_found_without_a_head() {
        let text = log(None);
        for end in 1..text.len() {
            let whole_lines = text.as_bytes()[end - 1] == b'\n';
            assert_eq!(broken_at(&text[..end]).is_none(), whole_lines, "{end}");
        }
    }

    #[test]
    fn lines_missing_at_the_end_are_found_with_a_head_noted_elsewhere() {
        let text = log(None);
        let head = verify(text.as_bytes(), BLIND).unwrap().head;
        let by_head = Noted::Head(head.clone());
        let by_hash = Noted::Hash(head.head);
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for noted in [&by_head, &by_hash] {
            let trust = Trust { noted: Some(noted), key: None };
            assert_eq!(verify(text.as_bytes(), trust).unwrap().after_noted, Some(0));
            for kept in 0..5 {
                let short = lines[..kept].concat();
                let found = verify(short.as_bytes(), trust).unwrap_err();
                assert!(found.why.contains("missing at its end"), "{found}");
            }
        }
        // A log that has grown since holds the older head.
        let mut chain = Chain::resume(text.as_bytes(), None).unwrap();
        let longer = text + &chain.append(event("campaign_begun"));
        let trust = Trust { noted: Some(&by_head), key: None };
        assert_eq!(verify(longer.as_bytes(), trust).unwrap().after_noted, Some(1));
    }

    #[test]
    fn a_log_written_anew_is_found_with_a_head_or_a_key() {
        let mut chain = Chain::begin(None);
        let anew: String = (0..6).map(|_| chain.append(event("nothing"))).collect();
        assert_eq!(broken_at(&anew), None);
        let head = verify(log(None).as_bytes(), BLIND).unwrap().head;
        let trust = Trust { noted: Some(&Noted::Head(head)), key: None };
        let found = verify(anew.as_bytes(), trust).unwrap_err();
        assert!(found.why.contains("written anew"), "{found}");
        let key = SigningKey::from_pem(PEM).unwrap();
        let public = key.public();
        let trust = Trust { noted: None, key: Some(&public) };
        assert_eq!(verify(log(Some(key)).as_bytes(), trust).unwrap().signed, 5);
        assert!(verify(anew.as_bytes(), trust).unwrap_err().why.contains("not signed"));
        // A signature of one line under another one.
        let text = log(Some(SigningKey::from_pem(PEM).unwrap()));
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        let signature = |line: &str| line[line.find("\"signature\"").unwrap()..].to_owned();
        let (first, second) = (signature(&lines[0]), signature(&lines[1]));
        lines[0] = lines[0].replace(&first, &second);
        let found = verify(lines.concat().as_bytes(), trust).unwrap_err();
        assert_eq!(found.line, 1);
        assert!(found.why.contains("its signature is not by"), "{found}");
    }

    #[test]
    fn nothing_is_appended_to_a_broken_log() {
        let text = log(None).replace("carol", "mallory");
        assert_eq!(Chain::resume(text.as_bytes(), None).unwrap_err().line, 1);
    }
}
