//! The widget: the browser half of `<wechat-pay>`.
