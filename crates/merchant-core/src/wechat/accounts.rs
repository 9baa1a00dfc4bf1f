//! Calls to the host of WeChat's accounts (official accounts and mini-programs), within the budget of
//! calls. WeChat Pay does not sign its answers; nothing in them is about whether money moved.

use bytes::Bytes;
use http::{Request, Response};

use super::{CallError, CallSource, WechatClient};

impl WechatClient {
    /// Sends a request, whose address names the host.
    pub(super) async fn call_accounts(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, CallError> {
        self.budget
            .permit(CallSource::current(), &*self.clock)
            .await?;
        self.transport
            .call(request)
            .await
            .map_err(CallError::Transport)
    }
}
