//! Ed25519 keys, and what they sign (RFC 8032).
//!
//! Owns the door to the cryptography and the written forms: a private key as PEM (PKCS #8, RFC 8410), a public key as
//! `ed25519:` and hexadecimal digits, a signature likewise. Refuses to know what is signed, and never shows a private key.

use std::fmt::{self, Write as _};

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};

/// Before the digits of keys and signatures.
const PREFIX: &str = "ed25519:";

/// Bytes of a public key.
const KEY_BYTES: usize = 32;

/// Bytes of a signature.
const SIGNATURE_BYTES: usize = 64;

/// A private key.
pub struct SigningKey(Ed25519KeyPair);

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey([u8; KEY_BYTES]);

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No PEM block of a private key.
    #[error(
        "it holds no private key; accepted is PEM with `-----BEGIN PRIVATE KEY-----`, as `openssl genpkey -algorithm ed25519` writes it"
    )]
    NotPem,
    /// A private key of another kind, or a broken one.
    #[error("it holds no Ed25519 key; make one with `openssl genpkey -algorithm ed25519`")]
    NotEd25519,
    /// No public key.
    #[error("found '{0}'; accepted is ed25519: and 64 hexadecimal digits")]
    NotPublic(String),
}

impl SigningKey {
    /// Reads a private key from PEM.
    ///
    /// # Errors
    /// That it is none.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let after = text.split_once("-----BEGIN PRIVATE KEY-----").ok_or(KeyError::NotPem)?.1;
        let inside = after.split_once("-----END PRIVATE KEY-----").ok_or(KeyError::NotPem)?.0;
        let der = base64(inside).ok_or(KeyError::NotPem)?;
        // OpenSSL writes the older of two forms, which lacks the public key; both are accepted.
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map(Self).map_err(|_| KeyError::NotEd25519)
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; KEY_BYTES];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(bytes)
    }

    /// Signs a text.
    pub fn sign(&self, text: &str) -> String {
        format!("{PREFIX}{}", hexadecimal(self.0.sign(text.as_bytes()).as_ref()))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.public())
    }
}

impl PublicKey {
    /// Reads `ed25519:<hex>`.
    ///
    /// # Errors
    /// That it is no such key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let wrong = || KeyError::NotPublic(text.chars().take(80).collect());
        let bytes = bytes_of(text.trim()).ok_or_else(wrong)?;
        bytes.try_into().map(Self).map_err(|_| wrong())
    }

    /// Whether the signature is this key's under the text.
    pub fn signed(&self, text: &str, signature: &str) -> bool {
        let Some(signature) = bytes_of(signature).filter(|bytes| bytes.len() == SIGNATURE_BYTES)
        else {
            return false;
        };
        UnparsedPublicKey::new(&ED25519, self.0).verify(text.as_bytes(), &signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{PREFIX}{}", hexadecimal(&self.0))
    }
}

/// `sha256:` and the hexadecimal SHA-256 of the bytes.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hexadecimal(&Sha256::digest(bytes)))
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The bytes of `ed25519:<hex>`; only small letters, so that one key has one spelling.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix(PREFIX)?.as_bytes();
    if digits.len() % 2 != 0 {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// Standard base64 with padding (RFC 4648, section 4), white space left out.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The key of RFC 8032, section 7.1, test 1, as `openssl` writes it.
    pub(crate) const PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
        -----END PRIVATE KEY-----\n";

    #[test]
    fn the_first_vector_of_rfc_8032_is_signed_as_printed_there() {
        let key = SigningKey::from_pem(PEM).unwrap();
        assert_eq!(
            key.public().to_string(),
            "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
        assert_eq!(
            key.sign(""),
            "ed25519:e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        );
    }

    #[test]
    fn a_signature_holds_for_one_text_and_one_key() {
        let key = SigningKey::from_pem(PEM).unwrap();
        let signature = key.sign("this");
        assert!(key.public().signed("this", &signature));
        assert!(!key.public().signed("that", &signature));
        assert!(!key.public().signed("this", &signature.to_uppercase()));
        assert!(!key.public().signed("this", "ed25519:"));
        let other = PublicKey::parse(&format!("ed25519:{}", "ab".repeat(32))).unwrap();
        assert!(!other.signed("this", &signature));
    }

    #[test]
    fn what_is_no_key_is_refused_and_never_shown() {
        assert_eq!(SigningKey::from_pem("secret").unwrap_err(), KeyError::NotPem);
        let rsa = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----";
        assert_eq!(SigningKey::from_pem(rsa).unwrap_err(), KeyError::NotEd25519);
        for text in ["", "ed25519:", "ed25519:00", "rsa:00"] {
            assert!(PublicKey::parse(text).is_err(), "{text}");
        }
        let shown = format!("{:?}", SigningKey::from_pem(PEM).unwrap());
        assert!(shown.contains("d75a98") && !shown.contains("9d61b1"));
    }
}
