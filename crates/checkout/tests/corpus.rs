//! Real User-Agent strings, each with its class. The last column says where a string was seen.

use checkout::{Facts, Injected, decide};

#[track_caller]
fn every_row_gets_its_class(corpus: &str) {
    let mut wrong = Vec::new();
    for line in corpus.lines().skip(1) {
        let columns: Vec<_> = line.split('\t').collect();
        let facts = Facts {
            user_agent: columns[0].into(),
            ..Facts::default()
        };
        let (environment, decision) = decide(&facts);
        let found = [
            environment.kind.as_str(),
            environment.os.as_str(),
            environment.wechat_version.as_deref().unwrap_or_default(),
            decision.as_str(),
        ];
        if found != columns[1..5] {
            wrong.push(format!(
                "{found:?} instead of {:?}: {}",
                &columns[1..5],
                columns[0]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_string_of_the_corpus_gets_its_class() {
    every_row_gets_its_class(include_str!("ua-corpus.tsv"));
}

/// Strings beyond the corpus, each with the class that the rules give it and the reason: cases
/// where the order of the tests matters, and environments without a string in the corpus.
#[test]
fn the_rules_hold_for_strings_outside_the_corpus() {
    every_row_gets_its_class(include_str!("reasoned-uas.tsv"));
}

#[test]
fn letter_case_does_not_change_the_class() {
    for line in include_str!("ua-corpus.tsv").lines().skip(1) {
        let user_agent = line.split('\t').next().unwrap_or_default();
        let class = |user_agent: String| {
            decide(&Facts {
                user_agent,
                ..Facts::default()
            })
        };
        assert_eq!(
            class(user_agent.to_lowercase()),
            class(user_agent.to_uppercase()),
            "{user_agent}"
        );
    }
}

#[test]
fn a_phone_that_requests_the_desktop_page_is_recognised_by_its_touch_points() {
    let facts = Facts {
        user_agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36".into(),
        touch_points: 5,
        ..Facts::default()
    };
    let (environment, decision) = decide(&facts);
    assert_eq!(decision.as_str(), "h5_or_native");
    assert!(environment.is_handheld);
    let desk = decide(&Facts {
        touch_points: 0,
        ..facts
    });
    assert_eq!(desk.1.as_str(), "native");
}

#[test]
fn an_ipad_that_reports_a_mac_is_recognised_by_its_touch_points() {
    let facts = Facts {
        user_agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0.3 Safari/605.1.15".into(),
        touch_points: 5,
        ..Facts::default()
    };
    let (environment, decision) = decide(&facts);
    assert_eq!(environment.os.as_str(), "ipados");
    assert_eq!(decision.as_str(), "h5_or_native");
}

#[test]
fn an_old_mini_program_web_view_is_recognised_by_a_fact_of_the_page() {
    let facts = Facts {
        user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 12_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/6.7.3".into(),
        injected: Injected {
            mini_program: true,
            ..Injected::default()
        },
        ..Facts::default()
    };
    assert_eq!(decide(&facts).1.as_str(), "miniprogram");
}
