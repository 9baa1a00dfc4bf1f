//! OAuth of the official account with `snsapi_base`: returns the buyer's openid.
//!
//! The real page opens only in WeChat. This one opens everywhere, because the simulated WeChat
//! browser is a proxy and cannot follow a page to another address.

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode, header};
use maud::html;
use serde_json::json;
use url::{Url, form_urlencoded};
use wechat_pay::lower_hex;

use crate::ledger::grant::GrantRefusal;
use crate::pages::{layout, payer, with_page_headers};
use crate::simulator::Simulator;

pub(crate) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/connect/oauth2/authorize", get(authorize))
        .route("/sns/oauth2/access_token", get(access_token))
        .route("/sns/jscode2session", get(session))
}

/// Sends the buyer back with a code, at once.
async fn authorize(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Query(query.unwrap_or_default());
    let payer = payer::chosen(&simulator, &headers).unwrap_or(1);
    match redirect_with_code(&simulator, payer, &query) {
        // 302, as WeChat does.
        Ok(target) => (StatusCode::FOUND, [(header::LOCATION, target.to_string())]).into_response(),
        Err(problem) => refusal_page(&problem),
    }
}

/// WeChat's error page for a wrong address.
struct AuthorizeProblem {
    text: &'static str,
    number: u32,
}

fn redirect_with_code(
    simulator: &Simulator,
    payer: u8,
    query: &Query,
) -> Result<Url, AuthorizeProblem> {
    let problem = |text, number| AuthorizeProblem { text, number };
    let appid = query
        .get("appid")
        .ok_or_else(|| problem("appid 不能为空", 10012))?;
    if !accounts(simulator).any(|account| account.appid == appid) {
        return Err(problem("appid 参数错误", 10013));
    }
    let target = query
        .get("redirect_uri")
        .ok_or_else(|| problem("redirect_uri 不能为空", 10011))?;
    let mut target = Url::parse(&target)
        .ok()
        .filter(|url| is_registered(simulator, url))
        .ok_or_else(|| problem("redirect_uri 参数错误", 10003))?;
    if query.get("response_type").as_deref() != Some("code") {
        return Err(problem("response_type 参数错误", 10004));
    }
    match query.get("scope").as_deref() {
        Some("snsapi_base") => {}
        None => return Err(problem("scope 不能为空", 10010)),
        Some(_) => return Err(problem("该公众号没有这些 scope 的权限", 10005)),
    }
    let state = query.get("state").unwrap_or_default();
    if state.len() > 128 {
        return Err(problem("state 参数过长", 10014));
    }
    let code = format!("0{}", simulator.random().alphanumeric(31));
    let openid = simulator.openid_of(payer, &appid);
    let now = simulator.clock().now();
    simulator
        .ledger()
        .grants()
        .issue(code.clone(), &appid, openid, now);
    target
        .query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("state", &state);
    Ok(target)
}

/// Exchanges a code for an openid. Errors come with 200 and as text, as
/// they do from WeChat.
async fn access_token(State(simulator): State<Simulator>, RawQuery(query): RawQuery) -> Response {
    let query = Query(query.unwrap_or_default());
    let json = match redeem(&simulator, &query, "code", accounts(&simulator)) {
        Ok(openid) => json!({
            "access_token": simulator.random().alphanumeric(64),
            "expires_in": 7200,
            "refresh_token": simulator.random().alphanumeric(64),
            "openid": openid,
            "scope": "snsapi_base",
        }),
        Err((number, text)) => json!({
            "errcode": number,
            "errmsg": format!("{text}, rid: {}", simulator.random().notification_id()),
        }),
    };
    ([(header::CONTENT_TYPE, "text/plain")], json.to_string()).into_response()
}

/// Exchanges a code of `wx.login` for an openid and a session key.
async fn session(State(simulator): State<Simulator>, RawQuery(query): RawQuery) -> Response {
    let query = Query(query.unwrap_or_default());
    let merchants = simulator.keyrings().iter();
    let mini_programs = merchants
        .map(|keyring| keyring.merchant())
        .map(|merchant| Account {
            appid: merchant.mini_program_appid.clone(),
            secret: merchant.mini_program_secret.clone(),
        });
    let json = match redeem(&simulator, &query, "js_code", mini_programs) {
        Ok(openid) => json!({
            "session_key": STANDARD.encode(simulator.random().bytes::<16>()),
            "openid": openid,
        }),
        Err((number, text)) => json!({
            "errcode": number,
            "errmsg": format!("{text}, rid: {}", simulator.random().notification_id()),
        }),
    };
    ([(header::CONTENT_TYPE, "text/plain")], json.to_string()).into_response()
}

/// An application with its secret.
struct Account {
    appid: String,
    secret: String,
}

/// The official accounts: the merchants' own, and those of their sub-merchants.
fn accounts(simulator: &Simulator) -> impl Iterator<Item = Account> {
    simulator.keyrings().iter().flat_map(|keyring| {
        let merchant = keyring.merchant();
        let own = Account {
            appid: merchant.appid.clone(),
            secret: merchant.app_secret.clone(),
        };
        let subs = simulator.sub_merchants(&merchant.mchid);
        let subs = subs.map(|sub| Account {
            secret: Simulator::sub_app_secret(&sub.sub_appid),
            appid: sub.sub_appid,
        });
        std::iter::once(own).chain(subs)
    })
}

impl Simulator {
    /// The secret of a sub-merchant's own official account. It is derived from the appid, so that it
    /// is the same after every start.
    #[must_use]
    pub fn sub_app_secret(sub_appid: &str) -> String {
        let hash = digest(&SHA256, format!("app secret\n{sub_appid}").as_bytes());
        lower_hex(hash.as_ref().get(..16).unwrap_or_default())
    }
}

/// `accounts` are the possible applications of the code.
fn redeem(
    simulator: &Simulator,
    query: &Query,
    code_name: &str,
    mut accounts: impl Iterator<Item = Account>,
) -> Result<String, (u32, &'static str)> {
    let appid = query.get("appid").ok_or((41002, "appid missing"))?;
    let secret = query.get("secret").ok_or((41004, "appsecret missing"))?;
    let code = query.get(code_name).ok_or((41008, "missing code"))?;
    if query.get("grant_type").as_deref() != Some("authorization_code") {
        return Err((40002, "invalid grant_type"));
    }
    let account = accounts
        .find(|account| account.appid == appid)
        .ok_or((40013, "invalid appid"))?;
    if secret != account.secret {
        return Err((40125, "invalid appsecret"));
    }
    let now = simulator.clock().now();
    simulator
        .ledger()
        .grants()
        .redeem(&code, &appid, now)
        .map_err(|refusal| match refusal {
            GrantRefusal::Unknown => (40029, "invalid code"),
            GrantRefusal::Used => (40163, "code been used"),
            GrantRefusal::Expired => (42003, "code expired"),
        })
}

fn is_registered(simulator: &Simulator, url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url
            .host_str()
            .is_some_and(|host| simulator.is_registered_host(host))
}

fn refusal_page(problem: &AuthorizeProblem) -> Response {
    let AuthorizeProblem { text, number } = problem;
    let page = layout(
        "无法登录 · Cannot sign in",
        &html! {
            h1 { (text) }
            p { "错误码：" (number) }
            p lang="en" { "WeChat refuses this address for signing in: check appid, redirect_uri, response_type=code and scope=snsapi_base." }
        },
    );
    with_page_headers(StatusCode::OK, page)
}

/// A query string; empty values count as absent.
struct Query(String);

impl Query {
    fn get(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.0.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .filter(|value| !value.is_empty())
    }
}
