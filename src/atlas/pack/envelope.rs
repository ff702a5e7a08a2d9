//! Encryption by a passphrase: AES-256 in Galois/Counter Mode under a key that PBKDF2 with HMAC-SHA-256
//! derives, both as the browser's own cryptography has them.

use aes_gcm::aead::Aead;
use aes_gcm::{Aes256Gcm, Key, KeyInit, Nonce};
use anyhow::{Result, anyhow};

/// Rounds of the derivation, as OWASP recommended in 2023: a second or so in a browser.
const ROUNDS: u32 = 600_000;

/// What was encrypted, and what opening it takes besides the passphrase.
pub(super) struct Sealed {
    pub(super) bytes: Vec<u8>,
    pub(super) salt: [u8; 16],
    pub(super) nonce: [u8; 12],
    pub(super) rounds: u32,
}

/// Encrypts `content`. Salt and nonce are drawn anew each time.
pub(super) fn seal(content: &[u8], passphrase: &str) -> Result<Sealed> {
    let mut salt = [0; 16];
    let mut nonce = [0; 12];
    for bytes in [&mut salt[..], &mut nonce[..]] {
        getrandom::fill(bytes).map_err(|e| anyhow!("the system gives no random numbers: {e}"))?;
    }
    let cipher = Aes256Gcm::new(&key(passphrase, &salt, ROUNDS));
    let bytes = cipher
        .encrypt(Nonce::from_slice(&nonce), content)
        .map_err(|_| anyhow!("{} bytes are too many to encrypt at once", content.len()))?;
    Ok(Sealed { bytes, salt, nonce, rounds: ROUNDS })
}

fn key(passphrase: &str, salt: &[u8], rounds: u32) -> Key<Aes256Gcm> {
    pbkdf2::pbkdf2_hmac_array::<sha2::Sha256, 32>(passphrase.as_bytes(), salt, rounds).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// RFC 7914, section 11.
    #[test]
    fn keys_are_those_of_the_standard() {
        let key = key("passwd", b"salt", 1);
        assert_eq!(hex(&key), "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
    }

    #[test]
    fn only_the_passphrase_opens() {
        let sealed = seal(b"secret", "correct horse").unwrap();
        assert_eq!(sealed.bytes.len(), 6 + 16);
        let open = |phrase: &str| {
            let cipher = Aes256Gcm::new(&key(phrase, &sealed.salt, sealed.rounds));
            cipher.decrypt(Nonce::from_slice(&sealed.nonce), sealed.bytes.as_slice())
        };
        assert_eq!(open("correct horse").unwrap(), b"secret");
        assert!(open("correct horsf").is_err());
        assert_ne!(seal(b"secret", "correct horse").unwrap().bytes, sealed.bytes);
    }
}
