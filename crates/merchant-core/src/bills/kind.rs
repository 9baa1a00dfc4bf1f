//! Which bills there are, and how they are named here.

use wechat_pay::bill::BillAccount;

/// The kind of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BillKind {
    /// Payments and refunds.
    Trade,
    /// The fund flow of an account.
    FundFlow(BillAccount),
}

/// The names of WeChat's accounts in this API.
const ACCOUNTS: [(BillAccount, &str); 3] = [
    (BillAccount::Basic, "basic"),
    (BillAccount::Operation, "operation"),
    (BillAccount::Fees, "fees"),
];

/// The account with this name; `None` if no account has it.
#[must_use]
pub fn read_account(word: &str) -> Option<BillAccount> {
    let known = ACCOUNTS.into_iter().find(|(_, known)| *known == word);
    known.map(|(account, _)| account)
}

pub(super) fn account_word(account: BillAccount) -> &'static str {
    let known = ACCOUNTS.into_iter().find(|(known, _)| *known == account);
    known.map_or("", |(_, word)| word)
}
