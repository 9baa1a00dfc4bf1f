//! The applications beside the official account: a mini-program, an app, further ones of each kind, and
//! in partner mode those of the sub-merchants. A merchant has several appids, and a buyer has a
//! different openid under each of them.

use std::path::Path;

use super::file::{ApplicationFile, ApplicationKind, SubMerchantFile};
use super::named_files::secret;
use super::offer::check_payee;
use super::pictures::read_picture;
use super::{ConfigError, Merchant, MiniProgram, OfficialAccount, Secret, SubMerchant, forms};

/// The mini-program, if one is configured.
pub(super) fn check_mini_program(
    appid: Option<String>,
    secret: Option<Secret>,
    path: Option<String>,
) -> Result<Option<MiniProgram>, ConfigError> {
    let Some(appid) = appid else {
        let needs_it = match (&secret, &path) {
            (Some(_), _) => "is missing, and there is a mini_program_secret",
            (None, Some(_)) => "is missing, and there is a mini_program_path",
            (None, None) => return Ok(None),
        };
        return Err(ConfigError::refused(
            "merchant.mini_program_appid",
            needs_it,
        ));
    };
    let appid = forms::appid("merchant.mini_program_appid", &appid)?;
    let secret = secret
        .map(|secret| forms::app_secret("merchant.mini_program_secret", &secret))
        .transpose()?;
    if let Some(path) = &path {
        check_page("merchant.mini_program_path", path)?;
    }
    Ok(Some(MiniProgram {
        appid,
        secret,
        path,
    }))
}

fn check_page(field: &'static str, path: &str) -> Result<(), ConfigError> {
    let is_path = path.starts_with('/')
        && path.len() <= 512
        && !path.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#');
    if is_path {
        return Ok(());
    }
    let rule = "must be the path of a mini-program's page, such as /pages/pay/pay";
    Err(ConfigError::refused(field, rule))
}

/// The further applications of a merchant, by kind.
#[derive(Debug, Default)]
pub(super) struct Applications {
    pub(super) accounts: Vec<OfficialAccount>,
    pub(super) mini_programs: Vec<MiniProgram>,
    pub(super) app_appids: Vec<String>,
}

/// Checks `merchant.applications`. `first` are the appids of the official account, the mini-program and
/// the app that have fields of their own; relative paths count from `folder`.
pub(super) fn check_applications(
    files: Vec<ApplicationFile>,
    folder: &Path,
    first: [Option<&String>; 3],
) -> Result<Applications, ConfigError> {
    const APPID: &str = "merchant.applications.appid";
    let mut known: Vec<String> = first.iter().copied().flatten().cloned().collect();
    let [_, first_mini_program, first_app] = first;
    let mut all = Applications::default();
    for file in files {
        let appid = forms::appid(APPID, &file.appid)?;
        if known.contains(&appid) {
            return Err(ConfigError::refused(
                APPID,
                "must not come twice: an order that names it could mean either",
            ));
        }
        known.push(appid.clone());
        let secret = secret(
            "merchant.applications.secret_file",
            file.secret,
            file.secret_file.map(|path| folder.join(path)),
        )?
        .map(|secret| forms::app_secret("merchant.applications.secret", &secret))
        .transpose()?;
        if let Some(path) = &file.path {
            check_page("merchant.applications.path", path)?;
            if file.kind != ApplicationKind::MiniProgram {
                let rule = "belongs to a mini_program";
                return Err(ConfigError::refused("merchant.applications.path", rule));
            }
        }
        let lacks = match file.kind {
            ApplicationKind::MiniProgram if first_mini_program.is_none() => {
                Some("is a second mini_program, and merchant.mini_program_appid is missing")
            }
            ApplicationKind::App if first_app.is_none() => {
                Some("is a second app, and merchant.app_appid is missing")
            }
            ApplicationKind::App if secret.is_some() => Some("is an app, which has no secret here"),
            _ => None,
        };
        if let Some(lacks) = lacks {
            return Err(ConfigError::refused("merchant.applications.kind", lacks));
        }
        match file.kind {
            ApplicationKind::OfficialAccount => {
                all.accounts.push(OfficialAccount { appid, secret });
            }
            ApplicationKind::MiniProgram => all.mini_programs.push(MiniProgram {
                appid,
                secret,
                path: file.path,
            }),
            ApplicationKind::App => all.app_appids.push(appid),
        }
    }
    Ok(all)
}

impl Merchant {
    /// The official account among these appids, or the first one: its appid and its secret.
    pub(crate) fn official_account(&self, appids: &[String]) -> (&str, Option<&Secret>) {
        let named = self
            .other_accounts
            .iter()
            .find(|account| appids.contains(&account.appid));
        match named {
            Some(account) => (&account.appid, account.secret.as_ref()),
            None => (&self.appid, self.app_secret.as_ref()),
        }
    }

    /// The mini-program among these appids, or the first one.
    pub(crate) fn mini_program_of(&self, appids: &[String]) -> Option<&MiniProgram> {
        let mut others = self.other_mini_programs.iter();
        let named = others.find(|mini_program| appids.contains(&mini_program.appid));
        named.or(self.mini_program.as_ref())
    }

    /// The appid of the app among these appids, or the first one.
    pub(crate) fn app_of(&self, appids: &[String]) -> Option<&str> {
        let mut others = self.other_app_appids.iter();
        let named = others.find(|appid| appids.contains(appid));
        named.or(self.app_appid.as_ref()).map(String::as_str)
    }

    /// All appids of the merchant, by kind: official accounts, mini-programs and apps.
    pub(crate) fn appids(&self) -> [Vec<&str>; 3] {
        let accounts = self.other_accounts.iter().map(|account| &*account.appid);
        let mini_programs = self.mini_program.iter().chain(&self.other_mini_programs);
        let apps = self.app_appid.iter().chain(&self.other_app_appids);
        [
            std::iter::once(&*self.appid).chain(accounts).collect(),
            mini_programs
                .map(|mini_program| &*mini_program.appid)
                .collect(),
            apps.map(String::as_str).collect(),
        ]
    }
}

/// The sub-merchants of a service provider. An empty list means that this merchant sells for
/// itself.
pub(super) fn check_sub_merchants(
    files: Vec<SubMerchantFile>,
    folder: &Path,
    mchid: &str,
) -> Result<Vec<SubMerchant>, ConfigError> {
    let mut subs: Vec<SubMerchant> = Vec::new();
    for file in files {
        let sub_mchid = forms::mchid("merchant.sub_merchants.sub_mchid", &file.sub_mchid)?;
        if sub_mchid == mchid {
            return Err(ConfigError::refused(
                "merchant.sub_merchants.sub_mchid",
                "is merchant.mchid, the provider's own number: a merchant that sells for itself has no sub_merchants",
            ));
        }
        if subs.iter().any(|sub| sub.sub_mchid == sub_mchid) {
            return Err(ConfigError::refused(
                "merchant.sub_merchants.sub_mchid",
                "must not come twice",
            ));
        }
        let sub_appid = file
            .sub_appid
            .map(|appid| forms::appid("merchant.sub_merchants.sub_appid", &appid))
            .transpose()?;
        let sub_app_secret = secret(
            "merchant.sub_merchants.sub_app_secret_file",
            file.sub_app_secret,
            file.sub_app_secret_file.map(|path| folder.join(path)),
        )?
        .map(|secret| forms::app_secret("merchant.sub_merchants.sub_app_secret", &secret))
        .transpose()?;
        if sub_app_secret.is_some() && sub_appid.is_none() {
            return Err(ConfigError::refused(
                "merchant.sub_merchants.sub_appid",
                "is missing, and there is a secret for it",
            ));
        }
        subs.push(SubMerchant {
            sub_mchid,
            sub_appid,
            sub_app_secret,
            payee: check_payee("merchant.sub_merchants.payee", file.payee.as_deref())?,
            logo: read_picture(
                "merchant.sub_merchants.logo_file",
                file.logo_file.as_deref(),
                folder,
            )?,
        });
    }
    Ok(subs)
}
