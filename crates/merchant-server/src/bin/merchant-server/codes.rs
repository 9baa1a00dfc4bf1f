//! The commands of static product codes: `codes add`, `list`, `remove` and `print`.

use std::path::Path;

use merchant_server::code_sheet::{PrintedCode, page, pdf};
use merchant_server::{Config, product_codes};

use crate::arguments::Codes;
use crate::output::{Ending, Ran, say};

/// Runs a command.
pub(crate) async fn run(command: &Codes, config: &Config) -> Ran {
    match command {
        Codes::Add {
            product_id,
            name,
            price_fen,
            ..
        } => {
            product_codes::add(config, product_id, name, *price_fen).await?;
            say(&format!(
                "{product_id} is added; print it with `codes print {product_id} --to FILE`"
            ))
        }
        Codes::List { .. } => list(config).await,
        Codes::Remove { product_id, .. } => {
            product_codes::remove(config, product_id).await?;
            say(&format!("{product_id} is removed"))
        }
        Codes::Print {
            product_ids,
            to,
            side_mm,
            ..
        } => print(config, product_ids, to, *side_mm).await,
    }
}

async fn list(config: &Config) -> Ran {
    let codes = product_codes::list(config).await?;
    for code in &codes {
        let price = code.price_fen.map_or_else(
            || "asks the backend".to_owned(),
            |price| format!("{} fen", price.count()),
        );
        say(&format!("{:<33}{price:<18}{}", code.product_id, code.name))?;
    }
    say(&format!("{} codes", codes.len()))
}

async fn print(config: &Config, product_ids: &[String], to: &Path, side_mm: u32) -> Ran {
    let mut codes = Vec::new();
    for (code, link) in product_codes::links(config, product_ids).await? {
        let printed = PrintedCode::new(code.product_id, code.name, code.price_fen, &link);
        codes.push(printed.ok_or("a link is too long for a QR code")?);
    }
    let bytes = match (to.extension().and_then(|ending| ending.to_str()), &*codes) {
        (_, []) => return Err("there are no codes; add one first".into()),
        (Some("pdf"), codes) => pdf(codes, side_mm),
        (Some("html"), codes) => page(codes, side_mm).into_bytes(),
        (Some("svg"), [code]) => code.svg(side_mm).into_bytes(),
        (Some("svg"), _) => return Err("an .svg holds one code: name its product_id".into()),
        _ => return Err("the file must end in .pdf, .html or .svg".into()),
    };
    // An older print is never replaced by accident.
    let mut file = std::fs::File::create_new(to).map_err(|error| {
        let file = to.display();
        format!("{file}: {error}")
    })?;
    std::io::Write::write_all(&mut file, &bytes)?;
    let count = codes.len();
    say(&format!("{} holds {count} of the codes", to.display()))?;
    Ok(Ending::Done)
}
