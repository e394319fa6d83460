//! `/etc/shadow` (shadow(5)): the password of root.

use sha_crypt::{Sha512Params, sha512_crypt_b64};

use crate::error::{Error, Fault, Result};
use crate::model::context::Context;

const SHADOW: &str = "/etc/shadow";
const ROOT: &str = "root";
/// Rounds of SHA-512; what crypt(3) takes when a hash does not say how many.
const ROUNDS: usize = 5_000;
/// The characters of a salt; 64 of them, so that each has the same chance.
const SALT: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SALT_LENGTH: usize = 16;
const SECONDS_PER_DAY: i64 = 86_400;

/// The hash of a password as crypt(3) has it, with SHA-512 and a new salt: `$6$SALT$HASH`.
///
/// # Errors
/// 9007 for a password that nobody could type; 9002 without random numbers.
pub(super) fn hash(password: &str) -> Result<String, Fault> {
    if password.is_empty() {
        return Err(Fault::value("the router does not do without a password"));
    }
    if password.chars().any(char::is_control) {
        return Err(Fault::value("the password has a character that nobody can type"));
    }
    let mut random = [0; SALT_LENGTH];
    getrandom::fill(&mut random).map_err(|_| Fault::internal("there are no random numbers"))?;
    let salt: String =
        random.iter().filter_map(|byte| SALT.get(usize::from(byte % 64))).map(|c| char::from(*c)).collect();
    with_salt(password, &salt).ok_or_else(|| Fault::internal("the password cannot be hashed"))
}

fn with_salt(password: &str, salt: &str) -> Option<String> {
    let rounds = Sha512Params::new(ROUNDS).ok()?;
    let hash = sha512_crypt_b64(password.as_bytes(), salt.as_bytes(), &rounds).ok()?;
    Some(format!("$6${salt}${hash}"))
}

/// Whether a hash is that of a password, as far as [`hash`] can have made it. The same password again is no change: with a new salt, an ACS that sets it
/// in each session would have the flash written each time (CONFORMANCE P-12).
pub(super) fn is_of(hash: &str, password: &str) -> bool {
    let salt = hash.strip_prefix("$6$").and_then(|rest| rest.split_once('$')).map(|(salt, _)| salt);
    salt.is_some_and(|salt| with_salt(password, salt).as_deref() == Some(hash))
}

/// Gives root a new password. All other lines, and the other fields of root's, stay as they are, but for the day of the last change.
pub(in crate::device) fn set_root_password(cx: &mut Context, password: &str) -> Result<(), Fault> {
    let before = cx.file(SHADOW)?;
    let of_root = before.lines().find_map(|line| line.strip_prefix("root:"));
    if of_root.and_then(|fields| fields.split(':').next()).is_some_and(|now| is_of(now, password)) {
        return Ok(());
    }
    let hash = hash(password)?;
    let today = cx.facts().clock_known.then(|| {
        let now = crate::time::UtcTime::from(cx.system().wall_clock());
        now.seconds().div_euclid(SECONDS_PER_DAY).to_string()
    });
    let mut found = false;
    let mut after = String::with_capacity(before.len().saturating_add(128));
    for line in before.lines() {
        let mut fields: Vec<&str> = line.split(':').collect();
        if let [ROOT, password, rest @ ..] = fields.as_mut_slice() {
            found = true;
            *password = &hash;
            if let (Some(day), Some(today)) = (rest.first_mut(), &today) {
                *day = today;
            }
        }
        after.push_str(&fields.join(":"));
        after.push('\n');
    }
    if !found {
        return Err(Error::other("/etc/shadow has no line for root").into());
    }
    cx.replace_file(SHADOW, 0o600, after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_crypt() {
        // The first example of the specification of SHA-crypt.
        let rounds = Sha512Params::new(5_000).unwrap();
        assert_eq!(
            sha512_crypt_b64(b"Hello world!", b"saltstring", &rounds).unwrap(),
            "svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
        );
        let (one, other) = (hash("secret").unwrap(), hash("secret").unwrap());
        assert!(one.starts_with("$6$") && one.len() == 3 + 16 + 1 + 86, "{one}");
        assert_ne!(one, other, "each has a salt of its own");
        assert!(hash("").is_err() && hash("a\nb").is_err());
        assert!(is_of(&one, "secret") && is_of(&other, "secret") && !is_of(&one, "Secret"));
        for odd in ["", "*", "secret", "$6$", "$6$salt", "$6$rounds=5000$salt$hash", "$1$salt$hash", "$p$root"] {
            assert!(!is_of(odd, "secret") && !is_of(odd, ""), "{odd}");
        }
    }
}
