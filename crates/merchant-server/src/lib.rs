//! The merchant server: the checkout contract in front, WeChat Pay APIv3 behind.
