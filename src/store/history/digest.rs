//! SHA-256 of what a history keeps, as `sha256:` and hexadecimal digits.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// What stands before the digits.
pub(super) const PREFIX: &str = "sha256:";
/// Length of a digest in characters.
pub(super) const LENGTH: usize = PREFIX.len() + 64;

/// The digest of bytes: `sha256:` and hexadecimal digits.
pub fn digest(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(LENGTH);
    text.push_str(PREFIX);
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").expect("writing into a text cannot fail");
    }
    text
}

/// Whether a text is a digest as [`digest`] writes it. What is not, never becomes a path.
pub(super) fn is_digest(text: &str) -> bool {
    text.len() == LENGTH
        && text.strip_prefix(PREFIX).is_some_and(|digits| {
            digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_nothing_is_the_known_one() {
        let known = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest(b""), known);
        assert!(is_digest(known));
    }

    #[test]
    fn a_path_is_no_digest() {
        let long = format!("sha256:{}", "/".repeat(64));
        let upper = digest(b"").replace('e', "E");
        for text in ["", "sha256:", "sha256:../../etc/passwd", &long, &upper] {
            assert!(!is_digest(text), "{text}");
        }
    }
}
