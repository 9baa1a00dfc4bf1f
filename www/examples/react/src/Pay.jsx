import "wechat-pay-widget";
import { WechatPay } from "wechat-pay-widget/react";

export const Pay = ({ order, onPaid }) => (
  <WechatPay token={order.token} merchant-api={order.merchant_api} onpaid={onPaid} />
);
