//! The number of a user's name.
//!
//! Owns the reading of `/etc/passwd`. Refuses directories beyond it (LDAP and the like): give the number there.

use std::fs;
use std::io;

/// The number of a user given by name or number; `None` if there is no such user.
///
/// # Errors
/// That `/etc/passwd` cannot be read.
pub fn number(user: &str) -> io::Result<Option<u32>> {
    if let Ok(number) = user.parse() {
        return Ok(Some(number));
    }
    Ok(number_in(&fs::read_to_string("/etc/passwd")?, user))
}

fn number_in(passwd: &str, user: &str) -> Option<u32> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(user) {
            return None;
        }
        fields.nth(1)?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::number_in;

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:33::/:/bin/false\n";
        assert_eq!(number_in(passwd, "web"), Some(33));
        assert_eq!(number_in(passwd, "we"), None);
        assert_eq!(number_in(passwd, "webs"), None);
        assert_eq!(number_in(passwd, ""), None);
    }
}
