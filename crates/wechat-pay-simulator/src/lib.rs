//! WeChat Pay as a local server: gateway, payer, notifier.
