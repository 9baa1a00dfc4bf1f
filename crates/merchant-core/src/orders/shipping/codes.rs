//! What WeChat's codes about a shipping mean, and what the merchant has to do. Source: the table of codes
//! on WeChat's page on `uploadShippingInfo`, and its page of global codes.

/// What is done after a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// WeChat has the shipping.
    Taken,
    /// WeChat is busy, or does not know the payment yet: the same bytes are sent again later.
    Later,
    /// The same payment just after it was made: the same bytes are sent again for a while.
    LaterIfYoung,
    /// A person has to do something first.
    Refused(&'static str),
}

/// The meaning of a code.
pub(super) fn meaning(errcode: i64) -> Meaning {
    use Meaning::{Later, LaterIfYoung, Refused, Taken};
    match errcode {
        // 10060023: nothing is different from what WeChat has.
        0 | 10_060_023 => Taken,
        -1 | 10_060_012 | 10_060_019 | 40_001 | 40_014 | 42_001 | 45_009 | 45_011 | 44_990 => Later,
        10_060_001 => LaterIfYoung,
        10_060_002 => {
            Refused("the payment is shipped already: look at it in the mini-program's console")
        }
        10_060_003 => Refused(
            "the shipping of a payment can be changed once, and it was: change it in the mini-program's console",
        ),
        10_060_004 => {
            Refused("the payment cannot be shipped: it is refunded, or not to be shipped")
        }
        10_060_005..=10_060_009 | 10_060_014 | 10_060_020 | 10_060_024..=10_060_026 => {
            Refused("correct what WeChat's message names, and send the call again")
        }
        268_485_194..=268_485_228 | 47_001 => {
            Refused("correct what WeChat's message names, and send the call again")
        }
        10_060_031 => {
            Refused("the payment is not this buyer's: tell us, the server took both from WeChat")
        }
        40_013 | 40_125 | 41_002 | 41_004 => Refused(
            "check mini_program_appid and mini_program_secret in the configuration, and send the call again",
        ),
        40_164 | 61_004 => Refused(
            "add the server's address to the IP list (IP白名单) of the mini-program, and send the call again",
        ),
        48_001 | 85_310 => Refused(
            "open 发货信息管理 for the mini-program in its console, and send the call again",
        ),
        _ => Refused("look the code up in WeChat's documentation, and send the call again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_sent_again_only_where_that_can_help() {
        for (errcode, expected) in [
            (0, Meaning::Taken),
            (10_060_023, Meaning::Taken),
            (-1, Meaning::Later),
            (10_060_012, Meaning::Later),
            (42_001, Meaning::Later),
            (10_060_001, Meaning::LaterIfYoung),
        ] {
            assert_eq!(meaning(errcode), expected, "{errcode}");
        }
        for errcode in [10_060_003, 10_060_008, 40_125, 40_164, 48_001, 1] {
            assert!(matches!(meaning(errcode), Meaning::Refused(_)), "{errcode}");
        }
    }
}
