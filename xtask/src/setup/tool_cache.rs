//! The folder of the tools: one for each user, with one folder per tool and version.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The variable that names another folder than the default.
pub(crate) const OVERRIDE: &str = "WECHAT_PAY_WIDGET_TOOLS";

/// The folder of the tools. Files in it are never changed, only added.
pub(crate) struct ToolCache {
    folder: PathBuf,
}

impl ToolCache {
    /// The cache of the user who runs xtask.
    pub(crate) fn of_this_user() -> Self {
        Self {
            folder: folder(|name| env::var_os(name).filter(|value| !value.is_empty())),
        }
    }

    /// The whole cache.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of one version of one tool.
    pub(crate) fn tool(&self, name_and_version: &str) -> PathBuf {
        self.folder.join(name_and_version)
    }
}

fn folder(variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    if let Some(folder) = variable(OVERRIDE) {
        return folder.into();
    }
    let user_cache = variable("XDG_CACHE_HOME")
        .or_else(|| variable("LOCALAPPDATA"))
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".cache")))
        .unwrap_or_else(env::temp_dir);
    user_cache.join("wechat-pay-widget").join("tools")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::folder;

    #[test]
    fn the_most_specific_variable_decides_the_folder() {
        for (set, expected) in [
            (
                &[
                    ("WECHAT_PAY_WIDGET_TOOLS", "mine"),
                    ("XDG_CACHE_HOME", "xdg"),
                ][..],
                "mine",
            ),
            (
                &[("XDG_CACHE_HOME", "xdg"), ("HOME", "home")],
                "xdg/wechat-pay-widget/tools",
            ),
            (&[("HOME", "home")], "home/.cache/wechat-pay-widget/tools"),
        ] {
            let variable = |name: &str| {
                set.iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| (*value).into())
            };
            assert_eq!(folder(variable), Path::new(expected));
        }
    }
}
