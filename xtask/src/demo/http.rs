//! HTTP to the demo's own servers: no TLS, no proxy, no redirect followed unasked.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use ureq::http::Uri;

use crate::failure::Failure;

/// Longer than the longest poll.
const LIMIT: Duration = Duration::from_secs(40);

/// A browser's worth of HTTP: it keeps cookies by host and port.
pub(super) struct Client {
    agent: ureq::Agent,
    user_agent: &'static str,
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

/// A reply, read to its end.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    pub(super) body: String,
}

impl Client {
    /// Without a browser's name.
    pub(super) fn new() -> Self {
        Self::as_browser("xtask")
    }

    /// With a browser's User-Agent.
    pub(super) fn as_browser(user_agent: &'static str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(LIMIT))
            .build();
        Self {
            agent: config.into(),
            user_agent,
            cookies: BTreeMap::new(),
        }
    }

    /// Whether a server answers its health check.
    pub(super) fn is_well(&self, health_url: &str) -> bool {
        self.agent
            .get(health_url)
            .call()
            .is_ok_and(|reply| reply.status().is_success())
    }

    /// GET as a page navigation, with the address it comes from.
    pub(super) fn navigate(&mut self, url: &str, referer: Option<&str>) -> Result<Reply, Failure> {
        let mut request = self
            .agent
            .get(url)
            .header("user-agent", self.user_agent)
            .header("cookie", self.cookies_for(url));
        if let Some(referer) = referer {
            request = request.header("referer", referer);
        }
        let reply = read(url, request.call());
        self.keep_cookies(url, reply)
    }

    /// GET for data, as the element does: no cookies.
    pub(super) fn get_json(&self, url: &str) -> Result<Value, Failure> {
        let reply = self
            .agent
            .get(url)
            .header("user-agent", self.user_agent)
            .header("accept", "application/json")
            .call();
        json(url, &read(url, reply)?.0)
    }

    /// POST a form, as the element does: no cookies.
    pub(super) fn post_form(
        &self,
        url: &str,
        origin: &str,
        fields: &[(&str, &str)],
    ) -> Result<Value, Failure> {
        let reply = self
            .agent
            .post(url)
            .header("user-agent", self.user_agent)
            .header("origin", origin)
            .send_form(fields.iter().copied());
        json(url, &read(url, reply)?.0)
    }

    /// POST JSON, with an API key where one is wanted.
    pub(super) fn post_json(
        &self,
        url: &str,
        api_key: Option<&str>,
        body: &Value,
    ) -> Result<Value, Failure> {
        let mut request = self
            .agent
            .post(url)
            .header("content-type", "application/json");
        if let Some(key) = api_key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        json(url, &read(url, request.send(body.to_string()))?.0)
    }

    fn cookies_for(&self, url: &str) -> String {
        let cookies = self.cookies.get(&authority(url)).into_iter().flatten();
        let pairs: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    fn keep_cookies(
        &mut self,
        url: &str,
        reply: Result<(Reply, Vec<String>), Failure>,
    ) -> Result<Reply, Failure> {
        let (reply, set_cookies) = reply?;
        let jar = self.cookies.entry(authority(url)).or_default();
        for set_cookie in set_cookies {
            let pair = set_cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                jar.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
        Ok(reply)
    }
}

type Sent = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

/// The reply and its `Set-Cookie` lines.
fn read(url: &str, sent: Sent) -> Result<(Reply, Vec<String>), Failure> {
    let failed = |error: ureq::Error| Failure::Server(format!("{}: {error}", without_query(url)));
    let mut response = sent.map_err(failed)?;
    let texts = |name: &str| -> Vec<String> {
        response
            .headers()
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .map(str::to_owned)
            .collect()
    };
    let (location, set_cookies) = (texts("location").pop(), texts("set-cookie"));
    let status = response.status().as_u16();
    let body = response.body_mut().read_to_string().map_err(failed)?;
    let reply = Reply {
        status,
        location,
        body,
    };
    Ok((reply, set_cookies))
}

fn json(url: &str, reply: &Reply) -> Result<Value, Failure> {
    let refused = |what: &str| {
        Failure::Server(format!(
            "{} answered {} {what}: {}",
            without_query(url),
            reply.status,
            reply.body.chars().take(500).collect::<String>()
        ))
    };
    if !(200..300).contains(&reply.status) {
        return Err(refused("in place of success"));
    }
    serde_json::from_str(&reply.body).map_err(|_| refused("without JSON"))
}

fn authority(url: &str) -> String {
    url.parse::<Uri>()
        .ok()
        .and_then(|url| url.authority().map(ToString::to_string))
        .unwrap_or_default()
}

/// A query may carry what should not be in a log.
fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}
