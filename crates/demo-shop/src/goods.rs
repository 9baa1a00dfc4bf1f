//! The goods for sale. Prices are defined here and never come from a form.

/// An item for sale.
#[derive(Debug)]
pub struct Item {
    /// The item's name in forms and file names.
    pub id: &'static str,
    /// The Chinese name, shown to the buyer and on WeChat's bill.
    pub name: &'static str,
    /// The English name.
    pub english_name: &'static str,
    /// A sentence about the item.
    pub description: &'static str,
    /// The price in fen.
    pub price_fen: u64,
}

/// All goods of this shop.
pub const GOODS: &[Item] = &[
    Item {
        id: "coffee",
        name: "云南小粒咖啡",
        english_name: "Yunnan arabica, 250 g",
        description: "保山高山日晒，中度烘焙，有熟莓和红糖的甜香。",
        price_fen: 6_910,
    },
    Item {
        id: "tea",
        name: "凤凰单丛·蜜兰香",
        english_name: "Phoenix Dancong oolong, 100 g",
        description: "潮州乌岽山老丛，炭火慢焙，蜜韵绵长。",
        price_fen: 12_800,
    },
    Item {
        id: "notebook",
        name: "宣纸线装本",
        english_name: "Thread-bound rice-paper notebook",
        description: "泾县手工宣纸，六十四页，可书可画。",
        price_fen: 3_650,
    },
];

impl Item {
    /// The item with this id.
    pub fn find(id: &str) -> Option<&'static Self> {
        GOODS.iter().find(|item| item.id == id)
    }
}

/// Formats `6910` fen as `69.10`, with integers only.
pub(crate) fn yuan(fen: u64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

#[cfg(test)]
mod tests {
    use merchant_api::DESCRIPTION_MAX_BYTES;

    use super::{GOODS, yuan};

    #[test]
    fn fen_are_written_as_yuan_with_two_decimals() {
        for (fen, expected) in [(1, "0.01"), (10, "0.10"), (6_910, "69.10"), (100, "1.00")] {
            assert_eq!(yuan(fen), expected);
        }
    }

    #[test]
    fn everything_on_the_shelf_can_be_ordered() {
        for item in GOODS {
            assert!(item.price_fen > 0 && item.name.len() <= DESCRIPTION_MAX_BYTES);
        }
    }
}
