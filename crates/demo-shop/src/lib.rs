//! A small shop that sells three things through the merchant server.
