//! One payment in each scene, as the element, the browsers and the buyer would do it.
//!
//! Nothing is asked of the servers but through their HTTP; what is paid is the merchant server's
//! word alone.

use merchant_api::{PAYER_PARAMETER, PAYER_UNAVAILABLE_HANDLE};
use serde_json::{Value, json};

use super::http::Client;
use super::settings::{Settings, random_hex};
use crate::failure::Failure;

const DESKTOP: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const PHONE: &str = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36";
const WECHAT: &str = "Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.0.0 XWEB/1300259 Mobile Safari/537.36 MMWEBSDK/20240404 MicroMessenger/8.0.50.2701(0x28003255) NetType/WIFI Language/zh_CN";

/// How many redirects the hop for the openid may take: out, the simulator, back, the page.
const HOPS: usize = 6;
/// How many long polls to wait for *paid*, each as long as the server likes, 25 s at most.
const POLLS: usize = 8;

/// A scene of the contract.
#[derive(Clone, Copy)]
pub(super) enum Scene {
    Native,
    H5,
    Jsapi,
}

impl Scene {
    pub(super) const ALL: [Self; 3] = [Self::Native, Self::H5, Self::Jsapi];

    /// The contract's word for its product.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::H5 => "h5",
            Self::Jsapi => "jsapi",
        }
    }

    fn user_agent(self) -> &'static str {
        match self {
            Self::Native => DESKTOP,
            Self::H5 => PHONE,
            Self::Jsapi => WECHAT,
        }
    }
}

/// One order on its way.
pub(super) struct Purchase<'a> {
    settings: &'a Settings,
    scene: Scene,
    browser: Client,
    token: String,
    /// The attempt's number at WeChat, as soon as it is known.
    pub(super) out_trade_no: String,
    /// The merchant server's last word.
    pub(super) state: String,
    version: u64,
}

impl<'a> Purchase<'a> {
    /// Orders at the merchant server, as the shop's backend does.
    pub(super) fn order(settings: &'a Settings, scene: Scene) -> Result<Self, Failure> {
        let order_no = format!("check-{}-{}", scene.word(), random_hex(6)?);
        let created = Client::new().post_json(
            &format!("{}/v1/orders", settings.ports.merchant_origin()),
            Some(&settings.api_key),
            &json!({
                "order_no": order_no,
                "total_fen": 100,
                "description": "demo --check",
            }),
        )?;
        Ok(Self {
            settings,
            scene,
            browser: Client::as_browser(scene.user_agent()),
            token: text(&created, "token")?,
            out_trade_no: order_no,
            state: "open".to_owned(),
            version: 0,
        })
    }

    /// Pays by the scene's own way.
    pub(super) fn pay(&mut self) -> Result<(), Failure> {
        let answer = self.attempt(None)?;
        let control = match self.scene {
            Scene::Native => json!({ "code_url": text(&answer, "code_url")? }),
            Scene::H5 => {
                let h5_url = text(&answer, "h5_url")?;
                self.open_middle_page(&h5_url)?;
                json!({ "h5_url": h5_url })
            }
            Scene::Jsapi => {
                let payer = self.come_back_with_payer(&text(&answer, "authorize_url")?)?;
                let answer = self.attempt(Some(&payer))?;
                json!({ "prepay_id": prepay_id(&answer)? })
            }
        };
        self.buyer_pays(control)
    }

    /// Waits as the element does, by long poll, until the merchant server says *paid*.
    pub(super) fn wait_until_paid(&mut self) -> Result<(), Failure> {
        for _ in 0..POLLS {
            let answer = self.browser.get_json(&format!(
                "{}?wait=25&seen={}",
                self.checkout_url(),
                self.version
            ))?;
            self.take_in(&answer)?;
            if self.state == "paid" {
                return Ok(());
            }
        }
        Err(Failure::Server(format!(
            "{}: still {} after {POLLS} long polls",
            self.scene.word(),
            self.state
        )))
    }

    fn attempt(&mut self, payer: Option<&str>) -> Result<Value, Failure> {
        let return_url = self.return_url();
        let mut fields = vec![
            ("product", self.scene.word()),
            ("after", "0"),
            ("return_url", return_url.as_str()),
        ];
        fields.extend(payer.map(|payer| ("payer", payer)));
        let url = format!("{}/attempts", self.checkout_url());
        let answer = self.browser.post_form(&url, &self.page_origin(), &fields)?;
        self.take_in(&answer)?;
        Ok(answer)
    }

    fn take_in(&mut self, answer: &Value) -> Result<(), Failure> {
        self.state = text(answer, "state")?;
        self.version = answer["version"].as_u64().unwrap_or(self.version);
        if let Some(out_trade_no) = answer["out_trade_no"].as_str() {
            out_trade_no.clone_into(&mut self.out_trade_no);
        }
        Ok(())
    }

    /// A phone's browser goes to WeChat's middle page, which looks at where it comes from.
    fn open_middle_page(&mut self, h5_url: &str) -> Result<(), Failure> {
        let referer = format!("{}/", self.page_origin());
        let page = self.browser.navigate(h5_url, Some(&referer))?;
        if page.status != 200 {
            return Err(Failure::Server(format!(
                "h5: the middle page answered {}",
                page.status
            )));
        }
        Ok(())
    }

    /// Follows the hop for the openid as WeChat's browser does, up to our own page.
    fn come_back_with_payer(&mut self, authorize_url: &str) -> Result<String, Failure> {
        let return_url = self.return_url();
        let mut url = authorize_url.to_owned();
        for _ in 0..HOPS {
            let reply = self.browser.navigate(&url, None)?;
            let next = reply
                .location
                .filter(|_| (300..400).contains(&reply.status));
            url = next.ok_or_else(|| {
                Failure::Server(format!(
                    "jsapi: the hop for the openid ended at {} with {} and no way on",
                    url.split('?').next().unwrap_or_default(),
                    reply.status
                ))
            })?;
            if url.starts_with(&return_url) {
                return payer(&url).map(str::to_owned).ok_or_else(|| {
                    Failure::Server("jsapi: the buyer came back without a payer handle".to_owned())
                });
            }
        }
        Err(Failure::Server(format!(
            "jsapi: the hop for the openid did not end within {HOPS} redirects"
        )))
    }

    fn buyer_pays(&self, mut control: Value) -> Result<(), Failure> {
        control["outcome"] = "success".into();
        let url = format!("{}/_simulator/pay", self.settings.ports.simulator_origin());
        let paid = self.browser.post_json(&url, None, &control)?;
        match paid["trade_state"].as_str() {
            Some("SUCCESS") => Ok(()),
            other => Err(Failure::Server(format!(
                "{}: the simulator says {} after a payment",
                self.scene.word(),
                other.unwrap_or("nothing")
            ))),
        }
    }

    fn checkout_url(&self) -> String {
        format!(
            "{}/v1/checkouts/{}",
            self.settings.ports.merchant_origin(),
            self.token
        )
    }

    /// The origin that the buyer sees the shop under.
    fn page_origin(&self) -> String {
        match self.scene {
            Scene::Jsapi => self.settings.ports.wechat_origin(),
            Scene::Native | Scene::H5 => self.settings.ports.shop_origin(),
        }
    }

    fn return_url(&self) -> String {
        format!("{}/pay/check", self.page_origin())
    }
}

fn prepay_id(answer: &Value) -> Result<String, Failure> {
    let parameters = &answer["jsapi"];
    for name in ["appId", "timeStamp", "nonceStr", "signType", "paySign"] {
        text(parameters, name)?;
    }
    let package = text(parameters, "package")?;
    package
        .strip_prefix("prepay_id=")
        .map(str::to_owned)
        .ok_or_else(|| Failure::Server("jsapi: `package` is not prepay_id=…".to_owned()))
}

/// The one-use handle in the address that the buyer came back to.
fn payer(url: &str) -> Option<&str> {
    let query = url.split_once('?')?.1;
    let query = query.split('#').next().unwrap_or(query);
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| *name == PAYER_PARAMETER)
        .map(|(_, value)| value)
        .filter(|handle| *handle != PAYER_UNAVAILABLE_HANDLE)
}

fn text(object: &Value, field: &str) -> Result<String, Failure> {
    object[field]
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| Failure::Server(format!("an answer lacks `{field}`")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{payer, prepay_id};

    #[test]
    fn the_payer_handle_is_read_from_the_query_alone() {
        for (url, handle) in [
            (
                "http://127.0.0.1:9411/pay/check?wechat_pay_payer=h1",
                Some("h1"),
            ),
            (
                "http://127.0.0.1:9411/pay/check?a=b&wechat_pay_payer=h2#x",
                Some("h2"),
            ),
            ("http://127.0.0.1:9411/pay/check?payer=h3", None),
            ("http://127.0.0.1:9411/pay/check#wechat_pay_payer=h4", None),
            (
                "http://127.0.0.1:9411/pay/check?wechat_pay_payer=unavailable",
                None,
            ),
        ] {
            assert_eq!(payer(url), handle, "{url}");
        }
    }

    #[test]
    fn the_cashier_needs_all_six_strings() {
        let mut answer = json!({"jsapi": {
            "appId": "a", "timeStamp": "1", "nonceStr": "n", "package": "prepay_id=wx1",
            "signType": "RSA", "paySign": "s",
        }});
        assert_eq!(prepay_id(&answer).unwrap(), "wx1");
        answer["jsapi"]["timeStamp"] = json!(1);
        assert!(prepay_id(&answer).is_err());
    }
}
