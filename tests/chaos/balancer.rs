//! nginx in front of the servers of one merchant, as an operator would place it: it passes each request
//! to the next server in turn. If it cannot connect to one, it takes the other; it never sends a request
//! a second time that a server may have received.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::plan::Mode;
use crate::programs::Process;

/// A running balancer.
pub(crate) struct Balancer(Process);

/// A public address and the servers behind it; each is `http://…`.
pub(crate) struct Balanced {
    pub(crate) mode: Mode,
    pub(crate) public: String,
    pub(crate) servers: Vec<String>,
}

impl Balancer {
    /// Starts nginx. It is the same process for the whole run.
    pub(crate) fn start(program: &Path, folder: &Path, balanced: &[Balanced]) -> Self {
        let file = folder.join("balancer.conf");
        std::fs::write(&file, configuration(folder, balanced)).unwrap();
        let mut command = Command::new(program);
        command
            .arg("-p")
            .arg(folder)
            .arg("-c")
            .arg(&file)
            .stdout(Stdio::null());
        Self(Process::start(command, &folder.join("balancer.log")))
    }

    /// Ends the run if the balancer has ended.
    pub(crate) fn assert_alive(&self) {
        assert!(self.0.is_alive(), "nginx ended: see balancer.log");
    }
}

fn configuration(folder: &Path, balanced: &[Balanced]) -> String {
    let folder = folder.display();
    let mut text = format!(
        "daemon off;
master_process off;
pid {folder}/balancer.pid;
error_log {folder}/balancer.log warn;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {folder}/balancer-body;
    proxy_temp_path {folder}/balancer-proxy;
    fastcgi_temp_path {folder}/balancer-fastcgi;
    uwsgi_temp_path {folder}/balancer-uwsgi;
    scgi_temp_path {folder}/balancer-scgi;
"
    );
    for Balanced {
        mode,
        public,
        servers,
    } in balanced
    {
        let name = mode.as_str();
        let listen = public.trim_start_matches("http://");
        writeln!(text, "    upstream {name} {{").unwrap();
        for server in servers {
            let server = server.trim_start_matches("http://");
            writeln!(text, "        server {server} max_fails=1 fail_timeout=1s;").unwrap();
        }
        writeln!(
            text,
            "    }}
    server {{
        listen {listen};
        location / {{
            proxy_pass http://{name};
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_connect_timeout 2s;
            proxy_read_timeout 120s;
            proxy_buffering off;
            proxy_next_upstream error timeout;
        }}
    }}"
        )
        .unwrap();
    }
    text.push_str("}\n");
    text
}
