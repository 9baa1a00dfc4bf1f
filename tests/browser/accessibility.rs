//! The violations that axe finds on a page, by WCAG 2.2 AA and axe's own best practices.

use payment_tests::browser::Browser;

/// The checker's source, which has to run in a page first.
pub(crate) fn axe() -> String {
    let file = std::env::var("AXE").expect("AXE names axe.min.js: cargo xtask test --only browser");
    std::fs::read_to_string(file).expect("axe.min.js")
}

/// The violations within the elements that the selector finds. The rule `region` applies only to
/// whole pages.
pub(crate) async fn violations(browser: &Browser, within: &str) -> Vec<String> {
    let run = "const [within, done] = arguments;
        const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
        const rules = {region: {enabled: within === 'html'}};
        axe.run({include: [[within]]}, {runOnly: tags, rules}).then(
            ({violations}) => done(violations.map(({id, nodes}) => `${id}: ${nodes.map(({html, failureSummary}) => html + failureSummary)}`)),
            (error) => done([String(error)]))";
    let found = browser.look_and_wait(run, vec![within.into()]).await;
    serde_json::from_value::<Vec<String>>(found.clone()).unwrap_or_else(|_| vec![found.to_string()])
}
