//! `cargo xtask new`: writes the skeleton of what people add often into each file that needs it, and prints what
//! is left to write. It writes all of it or nothing. `tidy` finds each place that is not written yet, by its
//! mark.

use clap::Subcommand;

use self::skeleton::Plan;
use crate::failure::Failure;
use crate::{console, repository};

mod error_code;
mod gallery_state;
mod language;
mod name;
mod skeleton;
mod webhook_event;

pub(crate) use skeleton::MARK;

/// What to add.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Addition {
    /// An error code of the merchant API, such as COUPON_USED
    ErrorCode(error_code::Options),
    /// A webhook event, such as coupon.used
    WebhookEvent(webhook_event::Options),
    /// A language of the buyer's sentences, by its tag, such as ja
    Language(language::Options),
    /// A fixture of the gallery, such as qr-hotel
    GalleryState(gallery_state::Options),
}

/// Writes the skeletons, and prints what is left.
pub(crate) fn run(addition: &Addition) -> Result<(), Failure> {
    let root = repository::root();
    let plan = plan(addition)?;
    for path in plan.write(root)? {
        console::note(format!("written: {path}"));
    }
    console::answer(format!(
        "Each place to write has the mark {MARK}. What is left, in this order:"
    ));
    for (number, left) in (1..).zip(plan.left()) {
        console::answer(format!("{number}. {left}"));
    }
    Ok(())
}

fn plan(addition: &Addition) -> Result<Plan, Failure> {
    match addition {
        Addition::ErrorCode(code) => error_code::plan(code),
        Addition::WebhookEvent(event) => webhook_event::plan(event),
        Addition::Language(language) => language::plan(language),
        Addition::GalleryState(state) => gallery_state::plan(state),
    }
}

#[cfg(test)]
mod tests {
    use super::webhook_event::Data;
    use super::{Addition, error_code, gallery_state, language, plan, skeleton, webhook_event};
    use crate::repository;

    fn code(name: &str) -> Addition {
        Addition::ErrorCode(error_code::Options {
            name: name.to_owned(),
            status: 409,
            retryable: false,
            private: false,
        })
    }

    fn event(name: &str) -> Addition {
        Addition::WebhookEvent(webhook_event::Options {
            name: name.to_owned(),
            data: Data::Refund,
        })
    }

    fn language_of(tag: &str) -> Addition {
        Addition::Language(language::Options {
            tag: tag.to_owned(),
        })
    }

    fn state(name: &str) -> Addition {
        Addition::GalleryState(gallery_state::Options {
            name: name.to_owned(),
            shows: None,
        })
    }

    #[test]
    fn each_addition_fits_into_a_copy_of_the_repository() {
        for (addition, path, text) in [
            (
                code("COUPON_USED"),
                "crates/merchant-api/src/error.rs",
                "CouponUsed = \"COUPON_USED\", 409, false;",
            ),
            (
                code("COUPON_USED"),
                "docs/zh/errors.md",
                "| `COUPON_USED` | 409 |",
            ),
            (
                code("COUPON_USED"),
                "www/src/problems.js",
                "  COUPON_USED: both(",
            ),
            (
                event("coupon.used"),
                "crates/merchant-api/src/webhook.rs",
                "CouponUsed(RefundData) = \"coupon.used\",",
            ),
            (
                event("coupon.used"),
                "crates/merchant-server/tests/deployment.rs",
                "\"| `coupon.\"",
            ),
            (
                language_of("ja"),
                "src/locale/words.rs",
                "direction\": Words",
            ),
            (language_of("ja"), "src/locale/words.rs", "ja: \"ltr\" };"),
            (
                language_of("ja"),
                "crates/buyer-words/src/lib.rs",
                "\"Pay now\",\n        \"Pay now\";",
            ),
            (language_of("ja"), "www/src/language.js", "return \"ja\";"),
            (
                state("qr-hotel"),
                "www/gallery/states.js",
                "{ name: \"qr-hotel\", shows: \"qr\",",
            ),
        ] {
            let copy = tempfolder::Copy::new();
            let plan = plan(&addition).unwrap();
            copy.take(&plan);
            let written = plan.write(copy.path()).unwrap();
            assert!(
                written.iter().any(|name| name == path),
                "{addition:?}: {path}"
            );
            let found = std::fs::read_to_string(copy.path().join(path)).unwrap();
            assert!(found.contains(text), "{text} in {path}");
            assert!(!plan.left().is_empty());
            // A second time the name is taken, and nothing changes.
            assert!(plan.write(copy.path()).is_err(), "{addition:?}");
            let again = std::fs::read_to_string(copy.path().join(path)).unwrap();
            assert_eq!(found, again, "{path}");
        }
    }

    #[test]
    fn a_name_that_breaks_its_rule_is_refused_with_the_rule() {
        for (addition, rule) in [
            (code("coupon_used"), "capital letters"),
            (event("coupon"), "a dot"),
            (event("Coupon.used"), "small letters"),
            (language_of("JA"), "two or three small letters"),
            (state("QR"), "small letters"),
        ] {
            let refusal = plan(&addition).err().unwrap().to_string();
            assert!(refusal.contains(rule), "{refusal}");
        }
    }

    #[test]
    fn a_file_without_the_place_is_named_and_nothing_is_written() {
        let copy = tempfolder::Copy::new();
        let plan = plan(&code("COUPON_USED")).unwrap();
        copy.take(&plan);
        let problems = copy.path().join("www/src/problems.js");
        std::fs::write(problems, "// another file").unwrap();
        let refusal = plan.write(copy.path()).unwrap_err().to_string();
        assert!(refusal.contains("www/src/problems.js"), "{refusal}");
        let codes = copy.path().join("crates/merchant-api/src/error.rs");
        let codes = std::fs::read_to_string(codes).unwrap();
        assert!(!codes.contains(skeleton::MARK), "nothing is written");
    }

    mod tempfolder {
        //! A copy of the files that a plan changes.

        use std::fs;
        use std::path::{Path, PathBuf};
        use std::sync::atomic::{AtomicU32, Ordering};

        use super::super::skeleton::Plan;
        use super::repository;

        static COUNT: AtomicU32 = AtomicU32::new(0);

        pub(super) struct Copy(PathBuf);

        impl Copy {
            pub(super) fn new() -> Self {
                let number = COUNT.fetch_add(1, Ordering::Relaxed);
                let name = format!("xtask-new-{}-{number}", std::process::id());
                Self(std::env::temp_dir().join(name))
            }

            pub(super) fn path(&self) -> &Path {
                &self.0
            }

            pub(super) fn take(&self, plan: &Plan) {
                for path in plan.paths() {
                    let to = self.0.join(path);
                    fs::create_dir_all(to.parent().unwrap()).unwrap();
                    fs::copy(repository::root().join(path), to).unwrap();
                }
            }
        }

        impl Drop for Copy {
            fn drop(&mut self) {
                let _ = fs::remove_dir_all(&self.0);
            }
        }
    }
}
