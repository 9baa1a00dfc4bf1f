//! Appids and their secrets: official account, mini-program, sub-merchants' accounts.
//!
//! For each of them, WeChat is queried for the openid of an invented code. WeChat's `errcode` says
//! whether the appid, the secret or the code is refused. No document says that a refused code means
//! a correct secret, so the same call is repeated with an invented secret. Only if WeChat refuses
//! that one as a secret, the first answer was about the code.

use super::{Check, LiveCheckError, Proof, Verdict};
use crate::config::{Config, Secret};
use crate::wechat::{Application, NoOpenId, WechatClient};

/// One application, with the names of its fields.
struct Configured<'a> {
    appid_field: String,
    secret_field: String,
    appid: &'a str,
    secret: Option<&'a Secret>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The OAuth redirect of a page.
    OfficialAccount,
    /// `wx.login`.
    MiniProgram,
}

/// What WeChat refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    Code,
    Appid,
    Secret,
    /// The account as a whole, and what to do about it.
    Account(&'static str),
    /// An answer that says nothing about the configuration, and why.
    Nothing(&'static str),
}

/// The meaning of an `errcode` (全局返回码, and answers observed at the gateway for openids).
fn refused(errcode: i64) -> Refused {
    match errcode {
        // Invalid, used, expired, missing.
        40_029 | 40_163 | 42_003 | 41_008 => Refused::Code,
        40_013 | 41_002 => Refused::Appid,
        40_125 | 40_001 | 41_004 => Refused::Secret,
        48_001 => Refused::Account(
            "the account may not use this interface: 网页授权 needs a verified 服务号",
        ),
        50_002 => Refused::Account("the account is frozen or restricted"),
        40_164 => Refused::Nothing(
            "this machine's address is not in the account's IP 白名单: add it at mp.weixin.qq.com",
        ),
        -1 | 45_009 | 45_011 => {
            Refused::Nothing("WeChat is busy or was asked too often: try again later")
        }
        _ => Refused::Nothing("the number is not one that this check knows"),
    }
}

pub(super) async fn prove(check: &Check<'_>) -> Result<Vec<Proof>, LiveCheckError> {
    let client = check.client(check.config);
    let mut proofs = Vec::new();
    for application in configured(check.config) {
        proofs.extend(prove_one(check, &client, &application).await?);
    }
    let merchant = &check.config.merchant;
    let first = merchant.app_appid.iter();
    let first = first.map(|appid| ("merchant.app_appid", appid));
    let others = merchant.other_app_appids.iter();
    let others = others.map(|appid| ("merchant.applications", appid));
    for (field, app_appid) in first.chain(others) {
        proofs.push(Proof::new(
            format!("{field} {app_appid}"),
            Verdict::NotProved,
            "it has no secret here to ask with; --place-order shows whether it is yours",
        ));
    }
    Ok(proofs)
}

fn configured(config: &Config) -> Vec<Configured<'_>> {
    let merchant = &config.merchant;
    let mut found = vec![Configured {
        appid_field: "merchant.appid".to_owned(),
        secret_field: "merchant.app_secret".to_owned(),
        appid: &merchant.appid,
        secret: merchant.app_secret.as_ref(),
        kind: Kind::OfficialAccount,
    }];
    found.extend(merchant.mini_program.iter().map(|program| Configured {
        appid_field: "merchant.mini_program_appid".to_owned(),
        secret_field: "merchant.mini_program_secret".to_owned(),
        appid: &program.appid,
        secret: program.secret.as_ref(),
        kind: Kind::MiniProgram,
    }));
    let more = |appid, secret, kind| Configured {
        appid_field: "merchant.applications".to_owned(),
        secret_field: "merchant.applications.secret of".to_owned(),
        appid,
        secret,
        kind,
    };
    found.extend(merchant.other_accounts.iter().map(|account| {
        more(
            &*account.appid,
            account.secret.as_ref(),
            Kind::OfficialAccount,
        )
    }));
    found.extend(
        merchant
            .other_mini_programs
            .iter()
            .map(|program| more(&*program.appid, program.secret.as_ref(), Kind::MiniProgram)),
    );
    found.extend(merchant.sub_merchants.iter().filter_map(|sub| {
        let table = format!("merchant.sub_merchants {}", sub.sub_mchid);
        Some(Configured {
            appid_field: format!("{table}, sub_appid"),
            secret_field: format!("{table}, sub_app_secret"),
            appid: sub.sub_appid.as_deref()?,
            secret: sub.sub_app_secret.as_ref(),
            kind: Kind::OfficialAccount,
        })
    }));
    found
}

async fn prove_one(
    check: &Check<'_>,
    client: &WechatClient,
    application: &Configured<'_>,
) -> Result<Vec<Proof>, LiveCheckError> {
    let subject = format!("{} {}", application.appid_field, application.appid);
    let Some(secret) = application.secret else {
        let text = "it has no secret here to ask with; --place-order shows whether it is yours";
        return Ok(vec![Proof::new(subject, Verdict::NotProved, text)]);
    };
    // As long as a real one, so that it is not refused for its form.
    let code = check.random_hex()?;
    let answered = ask(client, application, secret, &code).await;
    let (appid, secret) = match errcode_of(answered) {
        Err(reason) => (
            (Verdict::NotProved, reason.clone()),
            (Verdict::NotProved, reason),
        ),
        Ok(errcode) => match refused(errcode) {
            Refused::Code => control(check, client, application, &code, errcode).await?,
            about => judge(about, errcode),
        },
    };
    Ok(vec![
        Proof::new(subject, appid.0, appid.1),
        Proof::new(&*application.secret_field, secret.0, secret.1),
    ])
}

type Judged = ((Verdict, String), (Verdict, String));

/// What an answer that is not about the code says about the appid and the secret.
fn judge(about: Refused, errcode: i64) -> Judged {
    let text = |words: &str| format!("{words} (errcode {errcode})");
    match about {
        Refused::Appid => (
            (
                Verdict::Wrong,
                text("WeChat knows no such account: compare it with mp.weixin.qq.com"),
            ),
            (
                Verdict::NotProved,
                "WeChat refused the appid first".to_owned(),
            ),
        ),
        Refused::Secret => (
            (Verdict::NotProved, "WeChat refused the secret".to_owned()),
            (
                Verdict::Wrong,
                text(
                    "WeChat says that it is not the secret of this appid. It is never shown again: look where it was kept, or set a new one at mp.weixin.qq.com, 设置与开发 → 基本配置",
                ),
            ),
        ),
        Refused::Account(words) => (
            (Verdict::Wrong, text(words)),
            (Verdict::NotProved, "WeChat refused the account".to_owned()),
        ),
        Refused::Nothing(words) => (
            (Verdict::NotProved, text(words)),
            (Verdict::NotProved, text(words)),
        ),
        Refused::Code => {
            let words = text("WeChat refuses the code before it looks at the secret");
            (
                (Verdict::NotProved, words.clone()),
                (Verdict::NotProved, words),
            )
        }
    }
}

/// Repeats the call with a secret that cannot be right.
async fn control(
    check: &Check<'_>,
    client: &WechatClient,
    application: &Configured<'_>,
    code: &str,
    errcode: i64,
) -> Result<Judged, LiveCheckError> {
    let made_up = Secret::new(check.random_hex()?);
    let answered = ask(client, application, &made_up, code).await;
    Ok(match errcode_of(answered) {
        Ok(other) if refused(other) == Refused::Secret => (
            (
                Verdict::Proved,
                "WeChat knows the account, and its secret".to_owned(),
            ),
            (
                Verdict::Proved,
                format!(
                    "WeChat refused a made-up code (errcode {errcode}), and a made-up secret as such ({other})"
                ),
            ),
        ),
        Ok(other) if refused(other) == Refused::Code => judge(Refused::Code, errcode),
        Ok(other) => {
            let text = format!(
                "WeChat refused a made-up code (errcode {errcode}), but did not refuse a made-up secret as one (errcode {other})"
            );
            (
                (Verdict::NotProved, text.clone()),
                (Verdict::NotProved, text),
            )
        }
        Err(reason) => (
            (Verdict::NotProved, reason.clone()),
            (Verdict::NotProved, reason),
        ),
    })
}

async fn ask(
    client: &WechatClient,
    configured: &Configured<'_>,
    secret: &Secret,
    code: &str,
) -> Result<(), NoOpenId> {
    let application = Application {
        appid: configured.appid,
        secret,
    };
    let openid = match configured.kind {
        Kind::OfficialAccount => client.openid_of_code(application, code).await,
        Kind::MiniProgram => client.openid_of_login(application, code).await,
    };
    openid.map(drop)
}

/// WeChat's number; the error says why there is none.
fn errcode_of(answered: Result<(), NoOpenId>) -> Result<i64, String> {
    match answered {
        Ok(()) => Err("WeChat gave an openid for a made-up code".to_owned()),
        Err(NoOpenId::Refused(errcode)) => Ok(errcode),
        Err(error) => Err(error.to_string()),
    }
}
