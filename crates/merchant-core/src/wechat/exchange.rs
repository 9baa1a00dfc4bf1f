//! One call from its first try to its end: signed for each try, sent to the host that answers,
//! within the time of its [`policy`], and verified before it is used.

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, Limited};
use wechat_pay::bill::BillDownload;
use wechat_pay::v2::{self, ApiV2Key, SignType, VerifiedFields};
use wechat_pay::{
    MerchantKey, Operation, Reply, ReplyError, RequestParts, SealedRequest, SignatureError,
    VerifiedReply,
};

use super::call_budget::{CallSource, OverBudget};
use super::counts::{outcome, word};
use super::message::{Believed, Message};
use super::policy::{Next, RATE_PAUSE_MS, is_about_our_certificate, next, pause_ms, policy};
use super::{BillFile, CallError, WechatClient};
use crate::config::{MerchantCertificate, signer};
use crate::surroundings::{REPLY_MAX_BYTES, TransportError, TryTimeout, whole_body};

/// The shortest time for a try: with less time left, no try starts.
const SHORTEST_TRY_MS: i64 = 500;

/// One call in progress.
struct Exchange<'a> {
    client: &'a WechatClient,
    operation: Operation,
    message: Message<'a>,
    /// The hosts, in the order in which they are tried.
    origins: Vec<&'a str>,
    /// On the monotonic clock.
    deadline_ms: i64,
    /// The file for a bill, if one is downloaded.
    file: Option<&'a BillFile>,
}

/// A try that failed.
struct Failed {
    error: CallError,
    retry_after_s: Option<u32>,
    /// The serial that the try was signed with.
    serial_no: String,
}

impl WechatClient {
    /// Sends a call to WeChat, as often as its policy and WeChat's answers allow.
    pub(crate) async fn send(
        &self,
        operation: Operation,
        parts: RequestParts,
    ) -> Result<VerifiedReply, CallError> {
        let call = Exchange::new(self, operation, self.of_v3(parts), self.origins());
        call.carry_signed().await
    }

    /// Sends a call of version 2 to WeChat, in the same way.
    pub(super) async fn send_v2(
        &self,
        request: v2::Request,
        key: &ApiV2Key,
        kind: SignType,
    ) -> Result<VerifiedFields, CallError> {
        let operation = request.route().operation();
        let message = Message::V2 { request, key, kind };
        match Exchange::new(self, operation, message, self.origins())
            .carry()
            .await?
        {
            Believed::Fields(fields) => Ok(fields),
            // Only version 3 is answered so.
            Believed::Signed(_) | Believed::File(_) => {
                Err(v2::AnswerError::UnexpectedStatus(200).into())
            }
        }
    }

    /// Downloads a bill of version 2 into the file.
    pub(super) async fn fetch_v2(
        &self,
        request: v2::Request,
        key: &ApiV2Key,
        kind: SignType,
        file: &BillFile,
    ) -> Result<(), CallError> {
        let message = Message::V2 { request, key, kind };
        let call = Exchange {
            file: Some(file),
            ..Exchange::new(self, Operation::BillFile, message, self.origins())
        };
        call.carry().await.map(drop)
    }

    fn of_v3(&self, parts: RequestParts) -> Message<'_> {
        Message::V3 {
            parts,
            reply_key: self.merchant.reply_key.as_deref(),
        }
    }

    /// Downloads a bill's file. It is not verified yet.
    pub(crate) async fn fetch(
        &self,
        download: &BillDownload,
        file: &BillFile,
    ) -> Result<(), CallError> {
        let origins = vec![download.origin.as_str()];
        let message = self.of_v3(download.request.clone());
        let call = Exchange {
            file: Some(file),
            ..Exchange::new(self, Operation::BillFile, message, origins)
        };
        let short = match call.carry().await? {
            Believed::File(short) => short,
            Believed::Signed(reply) => reply.body().clone(),
            // Only version 2 is answered so.
            Believed::Fields(_) => Bytes::new(),
        };
        if !short.is_empty() {
            // An answer that WeChat signed after all came in one piece, and is not in the file yet.
            file.take(whole_body(short)).await?;
        }
        Ok(())
    }

    /// Sends a request with encrypted fields. It names the key that they are encrypted to.
    pub(crate) async fn send_sealed(
        &self,
        operation: Operation,
        sealed: &SealedRequest,
    ) -> Result<VerifiedReply, CallError> {
        let message = Message::V3 {
            parts: sealed.parts().clone(),
            reply_key: Some(sealed.serial()),
        };
        let call = Exchange::new(self, operation, message, self.origins());
        call.carry_signed().await
    }

    /// Downloads the platform certificates. The answer is not verified here, because it may be
    /// signed by a certificate that only the answer itself has.
    pub(super) async fn ask_for_certificates(&self) -> Result<Reply, CallError> {
        let message = self.of_v3(wechat_pay::certificates());
        let call = Exchange::new(self, Operation::Certificates, message, self.origins());
        call.reach().await
    }

    /// The hosts, the preferred one first.
    fn origins(&self) -> Vec<&str> {
        let gateway = &self.gateway;
        let mut origins = vec![gateway.origin.as_str()];
        origins.extend(gateway.second_origin.as_deref());
        if self
            .experience
            .is_first_host_aside(self.clock.monotonic_ms())
        {
            origins.reverse();
        }
        origins
    }

    /// Signs with the merchant's newest key that is valid and that WeChat has not refused.
    pub(crate) fn key(&self) -> &MerchantKey {
        &self.certificate().key
    }

    fn certificate(&self) -> &MerchantCertificate {
        let monotonic_ms = self.clock.monotonic_ms();
        signer(&self.merchant, self.now_s(), |serial_no| {
            self.experience.is_refused(serial_no, monotonic_ms)
        })
    }
}

impl<'a> Exchange<'a> {
    fn new(
        client: &'a WechatClient,
        operation: Operation,
        message: Message<'a>,
        origins: Vec<&'a str>,
    ) -> Self {
        Self {
            client,
            operation,
            message,
            origins,
            deadline_ms: client.clock.monotonic_ms() + policy(operation).call_ms,
            file: None,
        }
    }

    async fn carry_signed(self) -> Result<VerifiedReply, CallError> {
        match self.carry().await? {
            Believed::Signed(reply) => Ok(reply),
            // Only a bill is answered with a file, and only version 2 with fields.
            Believed::File(_) | Believed::Fields(_) => {
                Err(ReplyError::UnexpectedStatus(200).into())
            }
        }
    }

    async fn carry(mut self) -> Result<Believed, CallError> {
        if let Some(until_ms) = self.client.experience.pause(self.operation, self.now_ms()) {
            self.count("paused");
            return Err(CallError::Paused { until_ms });
        }
        self.permit().await?;
        // Waiting for the budget does not count as the call's time.
        self.deadline_ms = self.now_ms() + policy(self.operation).call_ms;
        let tries = policy(self.operation).tries.min(self.client.gateway.tries);
        let mut may_have_arrived = 0;
        let mut unreached = 0;
        let mut other_keys = self.client.merchant.other_certificates.len();
        loop {
            let failed = match self.attempt().await {
                Ok(believed) => {
                    self.count("ok");
                    return Ok(believed);
                }
                Err(failed) => failed,
            };
            self.count(outcome(&failed.error));
            self.learn(&failed);
            let after_ms = match next(self.operation, &failed.error, failed.retry_after_s) {
                Next::OtherHost => {
                    unreached += 1;
                    if unreached >= self.origins.len() {
                        return Err(failed.error);
                    }
                    0
                }
                Next::Again { after_ms } => {
                    may_have_arrived += 1;
                    if may_have_arrived >= tries {
                        return Err(failed.error);
                    }
                    after_ms
                }
                // Each key has one try.
                Next::OtherKey if other_keys > 0 => {
                    other_keys -= 1;
                    0
                }
                Next::OtherKey | Next::GiveUp => return Err(failed.error),
            };
            if self.now_ms() + after_ms + SHORTEST_TRY_MS > self.deadline_ms {
                return Err(failed.error);
            }
            tracing::info!(
                operation = word(self.operation),
                error = %failed.error,
                after_ms,
                "a call to WeChat is tried again"
            );
            if after_ms > 0 {
                self.client.clock.sleep_ms(after_ms).await;
            }
            if self.permit().await.is_err() {
                // An earlier try may have arrived: its uncertain result is the answer.
                return Err(failed.error);
            }
            self.origins.rotate_left(1);
        }
    }

    /// Like [`Exchange::carry`], but returns the first answer of any kind.
    async fn reach(mut self) -> Result<Reply, CallError> {
        let mut unreached = 0;
        loop {
            self.permit().await?;
            match self.dispatch().await {
                Ok((reply, _)) => return Ok(reply),
                Err(failed) => {
                    self.count(outcome(&failed.error));
                    self.learn(&failed);
                    unreached += 1;
                    let is_last = unreached >= self.origins.len();
                    if is_last || next(self.operation, &failed.error, None) == Next::GiveUp {
                        return Err(failed.error);
                    }
                    self.origins.rotate_left(1);
                }
            }
        }
    }

    /// Takes one try from the budget of calls. Strangers can cause a download of certificates, but
    /// at most once a minute, and notifications wait for it.
    async fn permit(&self) -> Result<(), OverBudget> {
        let source = match self.operation {
            Operation::Certificates => CallSource::Notification,
            _ => CallSource::current(),
        };
        let client = self.client;
        let permit = client.budget.permit(source, &*client.clock).await;
        if permit.is_err() {
            self.count("over_budget");
        }
        permit
    }

    async fn attempt(&self) -> Result<Believed, Failed> {
        let (reply, serial_no) = self.dispatch().await?;
        let retry_after_s = retry_after_s(&reply.headers);
        self.believe(reply).await.map_err(|error| Failed {
            error,
            retry_after_s,
            serial_no,
        })
    }

    /// Signs with a fresh stamp and sends once; gives the serial that signed.
    async fn dispatch(&self) -> Result<(Reply, String), Failed> {
        let certificate = self.client.certificate();
        let serial_no = certificate.key.serial_no().to_owned();
        let failed = |error| Failed {
            error,
            retry_after_s: None,
            serial_no: serial_no.clone(),
        };
        let request = self.request(certificate).map_err(&failed)?;
        let reply = match self.file {
            None => self.client.transport.call(request).await,
            Some(file) => self.download(request, file).await,
        };
        let reply = reply.map_err(|error| failed(error.into()))?;
        Ok((reply.into(), serial_no))
    }

    /// Writes a bill's file and returns its head only. Anything else is an ordinary answer.
    async fn download(
        &self,
        request: http::Request<Bytes>,
        file: &BillFile,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let answer = self.client.transport.download(request).await?;
        let (head, body) = answer.into_parts();
        let body = if self.message.may_be_file(head.status, &head.headers) {
            file.take(body).await?;
            self.message.refusal_in(file).await?
        } else {
            let whole = Limited::new(body, REPLY_MAX_BYTES).collect().await;
            let broken = |_| TransportError::NoAnswer("the answer broke off".to_owned());
            whole.map_err(broken)?.to_bytes()
        };
        Ok(http::Response::from_parts(head, body))
    }

    fn request(
        &self,
        certificate: &MerchantCertificate,
    ) -> Result<http::Request<Bytes>, CallError> {
        let client = self.client;
        let origin = self.origins.first().copied().unwrap_or_default();
        let stamp = client.stamp()?;
        let mut request = self.message.sign(certificate, &stamp, origin)?;
        let left_ms = u64::try_from(self.deadline_ms - self.now_ms()).unwrap_or(0);
        let try_ms = policy(self.operation).try_ms.min(left_ms.max(1));
        request.extensions_mut().insert(TryTimeout::from_ms(try_ms));
        Ok(request)
    }

    /// Verifies. For an unknown serial number, new certificates are downloaded, and the same answer
    /// is verified again: it is valid for some minutes, and the call may have taken effect.
    async fn believe(&self, reply: Reply) -> Result<Believed, CallError> {
        let kept = reply.clone();
        match self.judge(reply) {
            Err(CallError::Reply(ReplyError::Signature(SignatureError::UnknownSerial(serial))))
                if self.client.learn_serial(&serial).await =>
            {
                self.judge(kept)
            }
            judged => judged,
        }
    }

    fn judge(&self, reply: Reply) -> Result<Believed, CallError> {
        let keys = self.client.trust.keys();
        // The clock is read again: a slow answer is verified at the time of its arrival.
        let now_s = self.client.now_s();
        self.message.judge(reply, &keys, now_s, self.file.is_some())
    }

    fn learn(&self, failed: &Failed) {
        let experience = &self.client.experience;
        match &failed.error {
            CallError::Transport(TransportError::NotSent(_))
                if self.origins.first() == Some(&self.client.gateway.origin.as_str()) =>
            {
                experience.leave_first_host_aside(self.now_ms());
            }
            CallError::Answer(error) if error.refusal().is_some_and(v2::Refusal::is_rate_limit) => {
                experience.pause_until(self.operation, self.now_ms() + RATE_PAUSE_MS);
            }
            CallError::Reply(error) => {
                let Some(said) = error.wechat() else {
                    return;
                };
                if let Some(pause_ms) = pause_ms(self.operation, said, failed.retry_after_s) {
                    experience.pause_until(self.operation, self.now_ms() + pause_ms);
                }
                if is_about_our_certificate(said) {
                    tracing::error!(
                        event = "merchant_certificate.refused",
                        serial_no = failed.serial_no,
                        "WeChat refuses the merchant certificate that we signed with"
                    );
                    experience.refuse(&failed.serial_no, self.now_ms());
                }
            }
            _ => {}
        }
    }

    fn count(&self, outcome: &'static str) {
        self.client.experience.calls.count(self.operation, outcome);
    }

    /// On the monotonic clock, by which all waits of a call count.
    fn now_ms(&self) -> i64 {
        self.client.clock.monotonic_ms()
    }
}

/// `Retry-After` in seconds. The form with a date is not WeChat's, and our clock is not theirs.
fn retry_after_s(headers: &HeaderMap) -> Option<u32> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok()
}
