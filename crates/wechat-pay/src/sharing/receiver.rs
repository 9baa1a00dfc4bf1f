//! The receivers of shares (分账接收方): a receiver is added once, before money can be shared with it, and
//! can be deleted. Adding one twice is no error at WeChat.

use payment_values::{InvalidField, Rule, check_text};
use serde::Serialize;

use super::request::check_account;
use super::{ReceiverType, Sharer};
use crate::keys::rsa::PublicKey;
use crate::request::RequestParts;
use crate::sealing::sealed_request::{SealedRequest, SealedRequestError, seal_field};
use crate::words::words;

/// The most characters of a relation in the merchant's own words.
const CUSTOM_RELATION_MAX: usize = 10;
/// The most bytes of a name before it is sealed.
const NAME_MAX_BYTES: usize = 128;

words! {
    /// What a receiver is to the merchant.
    ReceiverRelation {
        /// A service provider (服务商).
        ServiceProvider = "SERVICE_PROVIDER",
        /// A store (门店).
        Store = "STORE",
        /// An employee (员工).
        Staff = "STAFF",
        /// A store's owner (店主).
        StoreOwner = "STORE_OWNER",
        /// A partner (合作伙伴).
        Partner = "PARTNER",
        /// The head office (总部).
        Headquarter = "HEADQUARTER",
        /// A brand (品牌方).
        Brand = "BRAND",
        /// A distributor (分销商).
        Distributor = "DISTRIBUTOR",
        /// A user (用户).
        User = "USER",
        /// A supplier (供应商).
        Supplier = "SUPPLIER",
        /// Something else, in the merchant's own words (自定义).
        Custom = "CUSTOM",
    }
}

/// A receiver to add.
#[derive(Clone, PartialEq, Eq)]
pub struct Receiver {
    /// Who shares.
    pub sharer: Sharer,
    /// What the account is.
    pub kind: ReceiverType,
    /// The merchant's number or the openid.
    pub account: String,
    /// The merchant's whole name, which WeChat requires and compares, or the person's name, which WeChat
    /// compares if it is given. In plain text; it is sealed before it is sent.
    pub name: Option<String>,
    /// What the receiver is to the merchant.
    pub relation: ReceiverRelation,
    /// For [`ReceiverRelation::Custom`], and only there: 1 to 10 characters.
    pub custom_relation: Option<String>,
}

impl std::fmt::Debug for Receiver {
    /// Without the account and the name, which may be a person's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver")
            .field("kind", &self.kind)
            .field("relation", &self.relation)
            .finish_non_exhaustive()
    }
}

impl Receiver {
    /// Checks WeChat's rules.
    pub fn check(&self) -> Result<(), InvalidField> {
        self.sharer.check()?;
        check_known_type(&self.kind)?;
        check_account(&self.kind, &self.account)?;
        check_sub_openid(&self.kind, &self.sharer)?;
        match &self.name {
            Some(name) => check_text("name", name, NAME_MAX_BYTES)?,
            None if self.kind == ReceiverType::Merchant => {
                return Err(InvalidField::new("name", Rule::Required));
            }
            None => {}
        }
        match (&self.relation, &self.custom_relation) {
            (ReceiverRelation::Unknown(_), _) => {
                let rule = Rule::Form("one of WeChat's relations");
                Err(InvalidField::new("relation_type", rule))
            }
            (ReceiverRelation::Custom, Some(words)) => {
                check_text("custom_relation", words, 4 * CUSTOM_RELATION_MAX)?;
                if words.chars().count() > CUSTOM_RELATION_MAX {
                    let rule = Rule::Form("at most 10 characters");
                    return Err(InvalidField::new("custom_relation", rule));
                }
                Ok(())
            }
            (ReceiverRelation::Custom, None) => {
                Err(InvalidField::new("custom_relation", Rule::Required))
            }
            (_, Some(_)) => {
                let rule = Rule::Form("given with the relation CUSTOM alone");
                Err(InvalidField::new("custom_relation", rule))
            }
            (_, None) => Ok(()),
        }
    }

    /// Seals the name to WeChat's key of this serial: the `PUB_KEY_ID_…`, or the platform certificate
    /// that took effect last ([`crate::TrustedKeys::sealing_key`]).
    pub fn seal(&self, serial: &str, key: &PublicKey) -> Result<SealedRequest, SealedRequestError> {
        self.check()?;
        let name = self.name.as_deref();
        let name = name.map(|name| seal_field("name", key, name)).transpose()?;
        let body = AddBody {
            at: Place::of(&self.sharer, &self.kind, &self.account),
            name,
            relation_type: self.relation.as_str(),
            custom_relation: self.custom_relation.as_deref(),
        };
        let parts = RequestParts::post("/v3/profitsharing/receivers/add".to_owned(), &body);
        SealedRequest::new(parts, serial)
    }
}

/// Deletes a receiver: nothing can be shared with it after that.
pub fn delete_receiver(
    sharer: &Sharer,
    kind: &ReceiverType,
    account: &str,
) -> Result<RequestParts, InvalidField> {
    sharer.check()?;
    check_known_type(kind)?;
    check_account(kind, account)?;
    check_sub_openid(kind, sharer)?;
    Ok(RequestParts::post(
        "/v3/profitsharing/receivers/delete".to_owned(),
        &Place::of(sharer, kind, account),
    ))
}

fn check_known_type(kind: &ReceiverType) -> Result<(), InvalidField> {
    match kind {
        ReceiverType::Unknown(_) => {
            let rule = Rule::Form("one of WeChat's types of receivers");
            Err(InvalidField::new("type", rule))
        }
        _ => Ok(()),
    }
}

fn check_sub_openid(kind: &ReceiverType, sharer: &Sharer) -> Result<(), InvalidField> {
    if *kind == ReceiverType::SubOpenid && sharer.sub_appid.is_none() {
        return Err(InvalidField::new("sub_appid", Rule::Required));
    }
    Ok(())
}

#[derive(Serialize)]
struct AddBody<'a> {
    #[serde(flatten)]
    at: Place<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    relation_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_relation: Option<&'a str>,
}

/// The fields that name a receiver.
#[derive(Serialize)]
struct Place<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
    appid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_appid: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'a str,
    account: &'a str,
}

impl<'a> Place<'a> {
    fn of(sharer: &'a Sharer, kind: &'a ReceiverType, account: &'a str) -> Self {
        let needs_sub_appid = *kind == ReceiverType::SubOpenid;
        Self {
            sub_mchid: sharer.sub_mchid.as_deref(),
            appid: &sharer.appid,
            sub_appid: sharer.sub_appid.as_deref().filter(|_| needs_sub_appid),
            kind: kind.as_str(),
            account,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{SigningKey, Stamp, test_keys};

    fn sharer() -> Sharer {
        Sharer {
            appid: "wx8888888888888888".into(),
            sub_mchid: None,
            sub_appid: None,
        }
    }

    fn receiver() -> Receiver {
        Receiver {
            sharer: sharer(),
            kind: ReceiverType::Merchant,
            account: "86693852".into(),
            name: Some("某某茶行".into()),
            relation: ReceiverRelation::Supplier,
            custom_relation: None,
        }
    }

    #[test]
    fn the_name_is_sent_encrypted_and_the_request_names_the_key() {
        let key = test_keys::doc_public_key();
        let sealed = receiver().seal("PUB_KEY_ID_01", &key).unwrap();
        let mut body: Value = serde_json::from_slice(&sealed.parts().body).unwrap();
        let name = body["name"].take();
        assert_eq!(
            body,
            json!({
                "appid": "wx8888888888888888", "type": "MERCHANT_ID", "account": "86693852",
                "name": null, "relation_type": "SUPPLIER",
            })
        );
        let private = SigningKey::from_pem(test_keys::DOC_KEY_PKCS1_PEM.as_bytes()).unwrap();
        let opened = private.open_field(name.as_str().unwrap());
        assert_eq!(opened.unwrap(), "某某茶行");
        let signed = sealed
            .sign(&test_keys::merchant_key(), &Stamp::new(1, [0; 16]))
            .unwrap();
        assert_eq!(signed.headers["wechatpay-serial"], "PUB_KEY_ID_01");
        assert_eq!(signed.path_and_query, "/v3/profitsharing/receivers/add");
    }

    #[test]
    fn a_person_needs_no_name_and_a_relation_may_be_in_own_words() {
        let person = Receiver {
            kind: ReceiverType::Openid,
            account: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o".into(),
            name: None,
            relation: ReceiverRelation::Custom,
            custom_relation: Some("推荐人".into()),
            ..receiver()
        };
        let sealed = person.seal("AB12", &test_keys::doc_public_key()).unwrap();
        assert_eq!(
            std::str::from_utf8(&sealed.parts().body).unwrap(),
            r#"{"appid":"wx8888888888888888","type":"PERSONAL_OPENID","account":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o","relation_type":"CUSTOM","custom_relation":"推荐人"}"#
        );
        assert!(!format!("{person:?}").contains("oUpF8"));
    }

    #[test]
    fn deleting_names_the_receiver_alone() {
        let parts = delete_receiver(&sharer(), &ReceiverType::Merchant, "86693852").unwrap();
        assert_eq!(parts.path_and_query, "/v3/profitsharing/receivers/delete");
        assert_eq!(
            std::str::from_utf8(&parts.body).unwrap(),
            r#"{"appid":"wx8888888888888888","type":"MERCHANT_ID","account":"86693852"}"#
        );
    }

    #[test]
    fn invalid_values_are_refused_before_sending() {
        type Change = fn(&mut Receiver);
        let table: [(Change, &str); 8] = [
            (|r| r.name = None, "name: is required"),
            (
                |r| r.name = Some("名".repeat(43)),
                "name: must be at most 128 bytes of UTF-8, is 129",
            ),
            (
                |r| r.account = "a".into(),
                "account: may only have characters of [0-9]",
            ),
            (
                |r| r.kind = ReceiverType::from("PERSONAL_WECHATID"),
                "type: must be one of WeChat's types of receivers",
            ),
            (
                |r| r.kind = ReceiverType::SubOpenid,
                "sub_appid: is required",
            ),
            (
                |r| r.relation = ReceiverRelation::from("FRIEND"),
                "relation_type: must be one of WeChat's relations",
            ),
            (
                |r| r.relation = ReceiverRelation::Custom,
                "custom_relation: is required",
            ),
            (
                |r| r.custom_relation = Some("x".into()),
                "custom_relation: must be given with the relation CUSTOM alone",
            ),
        ];
        for (change, message) in table {
            let mut changed = receiver();
            change(&mut changed);
            assert_eq!(changed.check().unwrap_err().to_string(), message);
        }
        let mut long = receiver();
        long.relation = ReceiverRelation::Custom;
        long.custom_relation = Some("一二三四五六七八九十一".into());
        let message = "custom_relation: must be at most 10 characters";
        assert_eq!(long.check().unwrap_err().to_string(), message);
    }
}
