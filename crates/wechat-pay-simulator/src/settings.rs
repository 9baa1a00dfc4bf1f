//! Settings for points on which WeChat's documents contradict each other.
//!
//! The default is the observed behaviour of the live gateway, if it was observed. Settings come from
//! a TOML file and from the command line; this module reads neither.

use serde::{Deserialize, Serialize};

/// All settings. In TOML each is a line `name = value`; omitted settings keep their default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate setting")]
pub struct Settings {
    /// What the limit of 127 of a description counts. Observed: bytes. Documented: characters.
    pub description_limit: TextLimit,
    /// The answer to a repeated number with other parameters. Observed: `invalid_request`.
    pub changed_order: ChangedOrder,
    /// The code for a paid order. Observed: `ORDERPAID`; the documents have both.
    pub paid_code: PaidCode,
    /// The code of 429.
    pub rate_code: RateCode,
    /// The most days that an order is open, whatever its `time_expire`: 7 or 15.
    pub deadline_cap_days: u8,
    /// The lifetime of a bill's link in seconds: 300, or 30 on another page.
    pub bill_link_s: u32,
    /// The path of a bill's link.
    pub bill_path: BillPath,
    /// Whether bills of a day are available at once, and not at ten o'clock of the next day.
    pub bills_at_once: bool,
    /// Whether APIv3 has code pay. The official guides say that only V2 has it.
    pub code_pay: bool,
    /// The hash of encrypted fields (OAEP). Both SDKs have SHA-1, one answer has SHA-256.
    pub oaep: Oaep,
    /// `/v3/certificates` writes `"effective_time "` and `"expire_time "` with a blank, as the
    /// documented sample does.
    pub certificate_blank_key: bool,
    /// Whether refusals before authentication are signed: documented, and not observed.
    pub sign_refusals: bool,
    /// Whether unknown openids are accepted.
    pub unknown_openids: bool,
    /// The number of buyers; each has a different openid for each application.
    pub payers: u8,
    /// The seconds between a refund's acceptance and its result.
    pub refund_after_s: u32,
    /// The result of refunds, unless the control interface sets another one.
    pub refund_outcome: RefundOutcome,
    /// The seconds between the acceptance of a share or a return and its result.
    pub share_after_s: u32,
    /// The result of shares and returns.
    pub share_outcome: ShareOutcome,
    /// Where notifications of shares go: the address that a receiving merchant enters in WeChat's
    /// portal. Empty: nowhere.
    pub share_notify_url: String,
    /// Where notifications of refunds without a `notify_url` go, as V2 XML: what a merchant
    /// enters in WeChat's portal. Empty: nowhere.
    pub portal_notify_url: String,
    /// Where the callback of Native mode 1 (V2) goes: what a merchant enters in WeChat's portal, for
    /// each appid. One address for every appid, or `appid=address` with a comma between two. Empty:
    /// nowhere.
    pub native_callback_url: String,
    /// The kind of WeChat's keys. A new merchant gets the public key (since 2024). A state folder
    /// from before this default keeps its certificates.
    pub trust: Trust,
    /// The answer to a path that WeChat does not have. Documented: a body with a code, and a
    /// `Request-ID`. Observed, for a request without `Authorization`: an empty one.
    pub unknown_route: UnknownRoute,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            description_limit: TextLimit::Bytes,
            changed_order: ChangedOrder::InvalidRequest,
            paid_code: PaidCode::Orderpaid,
            rate_code: RateCode::FrequencyLimited,
            deadline_cap_days: 7,
            bill_link_s: 300,
            bill_path: BillPath::File,
            bills_at_once: false,
            code_pay: true,
            oaep: Oaep::Sha1,
            certificate_blank_key: false,
            sign_refusals: false,
            unknown_openids: false,
            payers: 3,
            refund_after_s: 3,
            refund_outcome: RefundOutcome::Success,
            share_after_s: 3,
            share_outcome: ShareOutcome::Success,
            share_notify_url: String::new(),
            portal_notify_url: String::new(),
            native_callback_url: String::new(),
            trust: Trust::PublicKey,
            unknown_route: UnknownRoute::Body,
        }
    }
}

/// Declares a setting with named values.
macro_rules! setting {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// The value in the configuration.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

setting! {
    /// The unit of a text limit.
    TextLimit {
        /// Bytes of UTF-8.
        Bytes = "bytes",
        /// Unicode characters.
        Characters = "characters",
    }
}
setting! {
    /// The answer to a repeated number with other parameters.
    ChangedOrder {
        /// 400 `INVALID_REQUEST`.
        InvalidRequest = "invalid_request",
        /// 403 `OUT_TRADE_NO_USED`.
        OutTradeNoUsed = "out_trade_no_used",
    }
}
setting! {
    /// The code for a paid order.
    PaidCode {
        /// Observed on the live gateway.
        Orderpaid = "ORDERPAID",
        /// On some pages of the documents.
        OrderPaid = "ORDER_PAID",
    }
}
setting! {
    /// The code of 429.
    RateCode {
        /// On most pages of the documents.
        FrequencyLimited = "FREQUENCY_LIMITED",
        /// On some pages of the documents.
        RatelimitExceeded = "RATELIMIT_EXCEEDED",
    }
}
setting! {
    /// The path of a bill's link.
    BillPath {
        /// `/v3/billdownload/file`
        File = "/v3/billdownload/file",
        /// `/v3/bill/downloadurl`
        DownloadUrl = "/v3/bill/downloadurl",
    }
}
setting! {
    /// The hash of encrypted fields.
    Oaep {
        /// In the guide and the SDKs.
        Sha1 = "sha1",
        /// In one answer of the FAQ.
        Sha256 = "sha256",
    }
}
setting! {
    /// The result of a refund.
    RefundOutcome {
        /// The buyer has the money.
        Success = "success",
        /// The buyer's bank does not accept it: `apply-abnormal-refund` is needed.
        Abnormal = "abnormal",
        /// The refund is closed, and the merchant keeps the money.
        Closed = "closed",
    }
}
setting! {
    /// The result of a share or a return.
    ShareOutcome {
        /// The money arrives.
        Success = "success",
        /// It does not, because the receiver's account cannot take or give it.
        Closed = "closed",
    }
}
setting! {
    /// The kind of WeChat's keys.
    Trust {
        /// Platform certificates; the public key for merchants that request it.
        Certificates = "certificates",
        /// Only the public key: no certificates.
        PublicKey = "public_key",
    }
}

setting! {
    /// The answer to a path that WeChat does not have.
    UnknownRoute {
        /// 404 with `RESOURCE_NOT_EXISTS` and a `Request-ID`.
        Body = "body",
        /// 404 without a body.
        Empty = "empty",
    }
}

/// Why a line of the configuration is refused. The text names the setting and the rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(String);

impl Settings {
    /// Reads TOML. Omitted settings have their default.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        Self::default().with_toml(text)
    }

    /// These settings with the changes of a TOML file.
    pub fn with_toml(&self, text: &str) -> Result<Self, SettingsError> {
        let lines: toml::Table =
            toml::from_str(text).map_err(|error| SettingsError(error.message().to_owned()))?;
        let mut table =
            toml::Table::try_from(self).map_err(|error| SettingsError(error.to_string()))?;
        table.extend(lines);
        let settings: Self = table
            .try_into()
            .map_err(|error: toml::de::Error| SettingsError(error.message().to_owned()))?;
        settings.check()
    }

    /// These settings with one change, as in `code_pay=false`.
    pub fn with(&self, line: &str) -> Result<Self, SettingsError> {
        let (name, value) = line
            .split_once('=')
            .map(|(name, value)| (name.trim(), value.trim()))
            .ok_or_else(|| SettingsError(format!("{line}: must be name=value")))?;
        let value = match (value.parse::<i64>(), value.parse::<bool>()) {
            (Ok(number), _) => toml::Value::Integer(number),
            (_, Ok(flag)) => toml::Value::Boolean(flag),
            _ => toml::Value::String(value.trim_matches('"').to_owned()),
        };
        let mut table =
            toml::Table::try_from(self).map_err(|error| SettingsError(error.to_string()))?;
        if table.insert(name.to_owned(), value).is_none() {
            let known: Vec<_> = table
                .keys()
                .filter(|known| *known != name)
                .cloned()
                .collect();
            return Err(SettingsError(format!(
                "{name}: unknown setting; the settings are {}",
                known.join(", ")
            )));
        }
        let settings: Self = table.try_into().map_err(|error: toml::de::Error| {
            SettingsError(format!("{name}: {}", error.message()))
        })?;
        settings.check()
    }

    /// The address of the callback of Native mode 1 for an appid; empty if there is none.
    pub(crate) fn native_callback_url_of(&self, appid: &str) -> &str {
        let entries = self.native_callback_url.split(',').map(str::trim);
        // An address may hold an equals sign, too.
        let mut entries = entries.map(|entry| match entry.split_once('=') {
            Some((appid, address)) if !appid.contains(':') => (Some(appid), address),
            _ => (None, entry),
        });
        let found = entries.find(|(of, _)| of.is_none_or(|of| of == appid));
        found.map_or("", |(_, address)| address)
    }

    fn check(self) -> Result<Self, SettingsError> {
        if !matches!(self.deadline_cap_days, 1..=30) {
            return Err(SettingsError(
                "deadline_cap_days: must be from 1 to 30".into(),
            ));
        }
        if self.payers == 0 {
            return Err(SettingsError("payers: must be at least 1".into()));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_can_be_changed_by_a_line() {
        let start = Settings::default();
        for line in [
            "description_limit=characters",
            "changed_order=out_trade_no_used",
            "paid_code=ORDER_PAID",
            "rate_code=RATELIMIT_EXCEEDED",
            "deadline_cap_days=15",
            "bill_link_s=30",
            "bill_path=/v3/bill/downloadurl",
            "bills_at_once=true",
            "code_pay=false",
            "oaep=sha256",
            "certificate_blank_key=true",
            "sign_refusals=true",
            "unknown_openids=true",
            "payers=9",
            "refund_after_s=60",
            "refund_outcome=abnormal",
            "share_after_s=60",
            "share_outcome=closed",
            "share_notify_url=http://127.0.0.1:1/n",
            "portal_notify_url=http://127.0.0.1:1/n",
            "native_callback_url=http://127.0.0.1:1/n",
            "trust=certificates",
            "unknown_route=empty",
        ] {
            let set = start.with(line).unwrap();
            assert_ne!(set, start, "{line}");
            let written = toml::to_string(&set).unwrap();
            assert_eq!(Settings::parse(&written), Ok(set), "{line}");
        }
    }

    #[test]
    fn the_callback_of_mode_1_has_an_address_for_each_appid() {
        let of = |value: &str, appid: &str| {
            let settings = Settings::default().with(&format!("native_callback_url={value}"));
            settings.unwrap().native_callback_url_of(appid).to_owned()
        };
        let (one, other) = ("http://127.0.0.1:1/n?a=b", "http://127.0.0.1:2/n");
        assert_eq!(of(one, "wx1"), one);
        let each = format!("wx1={one}, wx2={other}");
        assert_eq!(of(&each, "wx1"), one);
        assert_eq!(of(&each, "wx2"), other);
        assert_eq!(of(&each, "wx3"), "");
        assert_eq!(of("", "wx1"), "");
    }

    #[test]
    fn a_line_with_an_unknown_setting_is_refused_with_its_name() {
        let start = Settings::default();
        for (line, expected) in [
            ("code_pay", "name=value"),
            ("codepay=true", "codepay"),
            ("code_pay=maybe", "code_pay"),
            ("payers=0", "payers"),
            ("payers=-1", "payers"),
            ("deadline_cap_days=99", "deadline_cap_days"),
            ("trust=nobody", "trust"),
        ] {
            let error = start.with(line).unwrap_err().to_string();
            assert!(error.contains(expected), "{line}: {error}");
        }
        assert!(Settings::parse("nonsense = 1").is_err());
        assert_eq!(Settings::parse(""), Ok(start));
    }

    #[test]
    fn a_file_changes_only_the_settings_that_it_names() {
        let start = Settings::default().with("payers=9").unwrap();
        let changed = start.with_toml("trust = \"certificates\"").unwrap();
        assert_eq!(changed, start.with("trust=certificates").unwrap());
        assert!(start.with_toml("trust = 1").is_err());
    }
}
