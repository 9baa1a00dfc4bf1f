//! The first page: what the simulator is, and how to configure an SDK for it, with this merchant's
//! numbers. The page never shows keys; they are in the folder that `--state` names.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use maud::{Markup, html};

use super::layout::{layout_wide, with_page_headers};
use crate::settings::Trust;
use crate::simulator::Simulator;

pub(super) fn routes() -> Router<Simulator> {
    Router::new().route("/", get(page))
}

async fn page(State(simulator): State<Simulator>) -> Response {
    let merchant = simulator.keyring().merchant();
    let content = html! {
        h1 { "微信支付模拟器 · " span lang="en" { "WeChat Pay simulator" } }
        p { "APIv3，双向真实签名，无真实资金 · " span lang="en" { "APIv3 with real signatures in both directions, and no money." } }
        p {
            a.button href="/phone" { "手机 · " span lang="en" { "Phone" } }
            a.button href="/ledger" { "账本 · " span lang="en" { "Ledger" } }
            a.button href="/control" { "控制台 · " span lang="en" { "Control" } }
        }
        section.card {
            dl {
                dt { "base_url" } dd { (merchant.base_url) }
                dt { "mchid" } dd { (merchant.mchid) }
                dt { "appid" } dd { (merchant.appid) }
                dt { "serial_no" } dd { (merchant.serial_no) }
                dt { "public_key_id" } dd { (merchant.public_key_id) }
            }
            p lang="en" {
                "The keys are in the folder that --state names: merchant.json, apiclient_key.pem, "
                "pub_key.pem, wechatpay_cert.pem, apiclient_cert.p12 (its password is the mchid). Openids to order with: "
                a href="/_simulator/merchants" { "/_simulator/merchants" } "."
            }
        }
        (trust(&simulator))
        (address(&merchant.base_url))
        (guides(&merchant.base_url))
    };
    with_page_headers(
        StatusCode::OK,
        layout_wide("微信支付模拟器 · WeChat Pay simulator", &content),
    )
}

/// The setting `trust`, and how to change it.
fn trust(simulator: &Simulator) -> Markup {
    let (now, other) = match simulator.settings().trust {
        Trust::PublicKey => (
            "Now trust=public_key: WeChat signs only with its public key, as for every merchant since 2024. Configure the SDK with public_key_id and pub_key.pem. /v3/certificates answers 404 RESOURCE_NOT_EXISTS.",
            Trust::Certificates,
        ),
        Trust::Certificates => (
            "Now trust=certificates: WeChat signs with platform certificates, which /v3/certificates gives; a request with Wechatpay-Serial: PUB_KEY_ID_… is answered with a signature of the public key.",
            Trust::PublicKey,
        ),
    };
    let option = format!("--set trust={}", other.as_str());
    html! {
        section.card {
            h2 { "验签方式 · " span lang="en" { "WeChat's keys" } }
            p lang="en" { (now) }
            p lang="en" {
                "For an SDK that needs the other setting: start with " code { (option) }
                ", or change the setting at " a href="/control" { "/control" } "."
            }
        }
    }
}

/// The address at which merchants and buyers reach the simulator.
fn address(base_url: &str) -> Markup {
    html! {
        section.card {
            h2 { "访问地址 · " span lang="en" { "The address" } }
            p lang="en" {
                "merchant.json and every h5_url contain " code { (base_url) }
                ". If another machine, a container or a phone uses another address, start with "
                code { "--public-base-url http://HOST:PORT" }
                " (http or https, without a path). It does not change the address to listen on: that is "
                code { "--listen" } ", which accepts an address of another machine only with " code { "--allow-remote" } "."
            }
        }
    }
}

/// How to set another address in each SDK: by its option, or by its HTTP transport if it has no
/// option.
fn guides(base_url: &str) -> Markup {
    let host = base_url
        .split_once("://")
        .map_or(base_url, |(_, host)| host);
    let guides = [
        (
            "merchant-server",
            "from_file takes address, numbers and keys; the environment must say that it is a simulator.".to_owned(),
            "[gateway]\nenvironment = \"simulator\"\n[merchant]\nfrom_file = \"STATE/merchant.json\"".to_owned(),
        ),
        (
            "wechatpayv3 (Python)",
            "It has no option: the address is an attribute of its core. Give it public_key and public_key_id. In certificate mode (trust=certificates) the address is read in the constructor already.".to_owned(),
            format!(
                "from wechatpayv3.core import Core\nCore._gate_way = property(lambda _: \"{base_url}\", lambda _, __: None)\nWeChatPay(…)"
            ),
        ),
        (
            "wechatpy (Python, V2)",
            "The address is a constant of the class. Start the simulator with --tls-listen: refunds and reversals then need mch_cert and mch_key, as at WeChat. REQUESTS_CA_BUNDLE names the simulator's authority.".to_owned(),
            "REQUESTS_CA_BUNDLE=STATE/tls_ca.pem\nWeChatPay.API_BASE_URL = \"https://127.0.0.1:PORT/\"".to_owned(),
        ),
        (
            "wechatpay-axios-plugin (Node.js)",
            "An option.".to_owned(),
            format!("new Wechatpay({{ …, baseURL: \"{base_url}/\" }})"),
        ),
        (
            "wechatpay-php",
            "Options of Guzzle go through.".to_owned(),
            format!("Builder::factory([…, 'base_uri' => '{base_url}/'])"),
        ),
        (
            "wechatpay-go",
            "The address is a constant: give it an http.Client whose transport sends it here. It signs what it was asked for, so the signature holds.".to_owned(),
            format!(
                "type local struct{{}}\nfunc (local) RoundTrip(r *http.Request) (*http.Response, error) {{\n\tr.URL.Scheme, r.URL.Host = \"http\", \"{host}\"\n\treturn http.DefaultTransport.RoundTrip(r)\n}}\ncore.NewClient(ctx,\n\toption.WithWechatPayPublicKeyAuthCipher(mchid, serialNo, privateKey, publicKeyID, publicKey),\n\toption.WithHTTPClient(&http.Client{{Transport: local{{}}}}))"
            ),
        ),
        (
            "wechatpay-java",
            "The host is a constant: an OkHttp interceptor sends it here. With a configuration that fetches nothing by itself, such as RSAPublicKeyConfig.".to_owned(),
            format!(
                "HttpUrl to = HttpUrl.get(\"{base_url}\");\nOkHttpClient http = new OkHttpClient.Builder().addInterceptor(c -> c.proceed(c.request().newBuilder()\n  .url(c.request().url().newBuilder().scheme(to.scheme()).host(to.host()).port(to.port()).build()).build())).build();\nnew NativePayService.Builder().httpClient(new DefaultHttpClientBuilder().config(config).okHttpClient(http).build()).build();"
            ),
        ),
    ];
    html! {
        @for (name, words, code) in guides {
            section.card {
                h2 { (name) }
                p lang="en" { (words) }
                pre { code { (code) } }
            }
        }
    }
}
