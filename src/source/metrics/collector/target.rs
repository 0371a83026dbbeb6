//! One endpoint: its address, and the labels that it gives to every series.

use crate::unit::Labels;
use crate::unit::labels::escape;

/// An endpoint to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    url: String,
    instance: String,
    job: String,
}

/// Why an address is none that can be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "failed to read the target '{url}': {problem}; accepted is an address such as http://127.0.0.1:9101/metrics"
)]
pub struct TargetError {
    url: String,
    problem: &'static str,
}

impl Target {
    /// The endpoint at `url`. As in Prometheus the label `instance` is host and port, with the port of the scheme if the
    /// address has none; an address without a path means `/metrics`.
    ///
    /// # Errors
    /// [`TargetError`] if the address has another scheme than `http` or `https`, or no host.
    pub fn new(url: &str, job: &str) -> Result<Self, TargetError> {
        let refused = |problem| TargetError { url: url.to_owned(), problem };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| refused("it has no scheme"))?;
        let port = match scheme.to_ascii_lowercase().as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err(refused("its scheme is neither http nor https")),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let authority = rest[..end].rsplit_once('@').map_or(&rest[..end], |(_, host)| host);
        // A colon inside brackets belongs to an IPv6 address.
        let behind_host = authority.rfind(']').map_or(0, |bracket| bracket + 1);
        let has_port = authority[behind_host..].contains(':');
        if authority.is_empty() || authority.starts_with(':') {
            return Err(refused("it has no host"));
        }
        let instance = if has_port { authority.to_owned() } else { format!("{authority}:{port}") };
        let path = if rest[end..].starts_with('/') && rest[end..].len() > 1 {
            String::new()
        } else {
            format!("/metrics{}", rest[end..].trim_start_matches('/'))
        };
        let url = if path.is_empty() {
            url.to_owned()
        } else {
            format!("{scheme}://{}{path}", &rest[..end])
        };
        Ok(Self { url, instance, job: job.to_owned() })
    }

    /// The address that is asked.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Host and port.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// The label `job`.
    pub fn job(&self) -> &str {
        &self.job
    }

    /// The labels of series that speak of the target itself, such as `up`.
    pub fn own_labels(&self) -> Labels {
        Labels::from_pairs([("instance", self.instance.as_str()), ("job", self.job.as_str())])
    }

    /// The labels of a series that the target exposes. As in Prometheus the target's own labels win, and a label of the
    /// page that they would hide is kept as `exported_…`.
    pub fn labels_of(&self, exposed: &[(String, String)]) -> Labels {
        let mut pairs: Vec<(String, String)> = Vec::with_capacity(exposed.len() + 2);
        for (name, value) in exposed.iter().filter(|(_, value)| !value.is_empty()) {
            let mut name = name.clone();
            while matches!(name.as_str(), "instance" | "job")
                || name.starts_with("exported_")
                    && exposed.iter().filter(|it| it.0 == name).count() > 1
            {
                name = format!("exported_{name}");
            }
            pairs.push((name, value.clone()));
        }
        pairs.push(("instance".to_owned(), self.instance.clone()));
        pairs.push(("job".to_owned(), self.job.clone()));
        Labels::from_pairs(pairs)
    }

    /// The address as messages show it: without a password and without a query, which may hold a token.
    pub fn shown(&self) -> String {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("", &self.url));
        let end = rest.find(['?', '#']).unwrap_or(rest.len());
        let rest = &rest[..end];
        let path_at = rest.find('/').unwrap_or(rest.len());
        format!("{scheme}://{}{}", escape(&self.instance), &rest[path_at..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instance_is_host_and_port_and_the_path_defaults_to_metrics() {
        for (url, asked, instance) in [
            ("http://a:9101/metrics", "http://a:9101/metrics", "a:9101"),
            ("http://a", "http://a/metrics", "a:80"),
            ("https://a/", "https://a/metrics", "a:443"),
            ("http://[::1]:9/m?x=1", "http://[::1]:9/m?x=1", "[::1]:9"),
            ("http://[::1]", "http://[::1]/metrics", "[::1]:80"),
            ("http://u:p@a:1/m", "http://u:p@a:1/m", "a:1"),
        ] {
            let target = Target::new(url, "j").unwrap();
            assert_eq!((target.url(), target.instance()), (asked, instance));
            assert!(!target.shown().contains("u:p"));
        }
        for url in ["a:9101", "ftp://a/", "http:///metrics", "http://:80/"] {
            assert!(Target::new(url, "j").is_err(), "{url}");
        }
    }

    #[test]
    fn labels_of_the_page_that_the_target_would_hide_are_kept_under_another_name() {
        let target = Target::new("http://a:1", "shop").unwrap();
        let exposed =
            [("instance".to_owned(), "x".to_owned()), ("zone".to_owned(), "b".to_owned())];
        assert_eq!(
            target.labels_of(&exposed).to_string(),
            r#"{exported_instance="x",instance="a:1",job="shop",zone="b"}"#
        );
    }
}
