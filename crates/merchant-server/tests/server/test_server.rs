//! The house that the tests walk through: server, simulator, clock, keys, and the post between
//! them.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use merchant_server::{
    Clock, Config, ManualClock, MerchantServer, SeededRandomness, Sleep, Surroundings,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;
use tower::ServiceExt as _;
use wechat_pay::{NotificationDraft, PlatformKey, SigningKey, Stamp};
use wechat_pay_simulator::{Keyring, Outgoing, Random, Simulator, SimulatorParts, SubMerchant};

use crate::fault_injector::{Fault, FaultInjector};
use crate::inbox::Inbox;
use crate::route_refusals;
