//! WeChat Pay's protocol (APIv3) without I/O: sign, verify, seal, open, orders.
