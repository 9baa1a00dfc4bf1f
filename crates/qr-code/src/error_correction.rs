//! The error correction of a symbol at level M: Reed-Solomon codes over blocks (ISO/IEC 18004,
//! 7.5). This module supports no other level, and knows nothing of modules.
//!
//! `qrcode` implements this too, with tables for each generator polynomial and for the logarithms
//! of its field. Such tables do not compress: they add 3 KB to the widget's download. Here the
//! polynomials are computed; the tests compare both for every version.

/// Codewords of error correction in each block, by version from 1.
const CORRECTION_LENGTHS: [u8; 40] = [
    10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28,
];

/// Blocks of a symbol, by version from 1.
const BLOCKS: [u8; 40] = [
    1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25,
    26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49,
];

/// The data codewords and the correction codewords, each in the order in which a symbol of this
/// version (1 to 40) holds them: the first of every block, then the second of every block.
pub(crate) fn interleaved(data: &[u8], version: usize) -> (Vec<u8>, Vec<u8>) {
    let length = usize::from(CORRECTION_LENGTHS[version - 1]);
    let blocks = blocks(data, usize::from(BLOCKS[version - 1]));
    let generator = generator(length);
    let corrections: Vec<Vec<u8>> = blocks
        .iter()
        .map(|block| remainder(block, &generator))
        .collect();
    let corrections: Vec<&[u8]> = corrections.iter().map(Vec::as_slice).collect();
    (in_turn(&blocks), in_turn(&corrections))
}

/// The data in `count` blocks. If the blocks cannot have the same length, the last ones have one
/// codeword more.
fn blocks(mut data: &[u8], count: usize) -> Vec<&[u8]> {
    let mut blocks = Vec::with_capacity(count);
    for left in (1..=count).rev() {
        let (block, rest) = data.split_at(data.len() / left);
        blocks.push(block);
        data = rest;
    }
    blocks
}

fn in_turn(blocks: &[&[u8]]) -> Vec<u8> {
    let longest = blocks.last().map_or(0, |block| block.len());
    let mut codewords = Vec::new();
    for place in 0..longest {
        codewords.extend(blocks.iter().filter_map(|block| block.get(place)));
    }
    codewords
}

/// The coefficients of (x − 1)(x − 2)(x − 4)…, `length` factors, without the leading coefficient.
fn generator(length: usize) -> Vec<u8> {
    let mut coefficients = vec![0; length];
    coefficients[length - 1] = 1;
    let mut root = 1;
    for _ in 0..length {
        for place in 0..length {
            let next = coefficients.get(place + 1).copied().unwrap_or(0);
            coefficients[place] = product(coefficients[place], root) ^ next;
        }
        root = product(root, 2);
    }
    coefficients
}

/// The remainder of a block, as a polynomial, divided by the generator.
fn remainder(block: &[u8], generator: &[u8]) -> Vec<u8> {
    let mut rest = vec![0; generator.len()];
    for codeword in block {
        let factor = codeword ^ rest[0];
        rest.rotate_left(1);
        rest[generator.len() - 1] = 0;
        for (part, coefficient) in rest.iter_mut().zip(generator) {
            *part ^= product(*coefficient, factor);
        }
    }
    rest
}

/// The product in the field of 256 elements with the polynomial 0x11D.
fn product(left: u8, right: u8) -> u8 {
    let mut product = 0;
    for bit in (0..8).rev() {
        product = (product << 1) ^ ((product >> 7) * 0x1D);
        product ^= ((right >> bit) & 1) * left;
    }
    product
}

#[cfg(test)]
mod tests {
    use qrcode::bits::Bits;
    use qrcode::ec::construct_codewords;
    use qrcode::{EcLevel, Version};

    use super::interleaved;

    #[test]
    fn every_version_has_the_codewords_that_the_library_computes_from_its_tables() {
        for version in 1..=40_u8 {
            let mut bits = Bits::new(Version::Normal(version.into()));
            bits.push_byte_data(b"weixin://wxpay")
                .expect("it fits into every version");
            bits.push_terminator(EcLevel::M).expect("a terminator");
            let mut data = bits.into_bytes();
            // Padding repeats two bytes, which would not show a shuffled block.
            for (place, byte) in (0_u8..=255).cycle().zip(&mut data) {
                *byte = byte.wrapping_add(place.wrapping_mul(37));
            }
            let expected = construct_codewords(&data, Version::Normal(version.into()), EcLevel::M)
                .expect("codewords");
            let codewords = interleaved(&data, usize::from(version));
            assert_eq!(codewords, expected, "version {version}");
        }
    }
}
