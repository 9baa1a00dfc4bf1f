"use client";
import { useState } from "react";
import "wechat-pay-widget";
import { WechatPay } from "wechat-pay-widget/react";

export function Pay({ order }) {
  const [notice, setNotice] = useState("");
  return (
    <>
      <WechatPay token={order.token} merchant-api={order.merchant_api} onpaid={() => setNotice("已支付，谢谢！")} />
      <p role="status">{notice}</p>
    </>
  );
}
