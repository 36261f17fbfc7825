//! Logarithm and power by the four operations alone, whose results IEEE 754 fixes: those of a system's
//! library differ in the last place, and a plan is the same on every machine.

use std::f64::consts::{LN_2, SQRT_2};

/// Terms after which a series says no more in 53 bits.
const TERMS: i32 = 24;

/// Natural logarithm of a positive number.
pub(super) fn ln(x: f64) -> f64 {
    let x = x.max(f64::MIN_POSITIVE);
    let mut exponent = ((x.to_bits() >> 52) as i32) - 1023;
    let mut mantissa = f64::from_bits((x.to_bits() & ((1 << 52) - 1)) | (1023 << 52));
    if mantissa > SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    // ln m = 2 artanh((m - 1) / (m + 1))
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let (mut power, mut sum) = (ratio, 0.0);
    for term in 0..TERMS {
        sum += power / f64::from(2 * term + 1);
        power *= ratio * ratio;
    }
    2.0 * sum + f64::from(exponent) * LN_2
}

/// e to the power of `x`.
pub(super) fn exp(x: f64) -> f64 {
    let x = x.clamp(-600.0, 600.0);
    let whole = (x / LN_2).floor();
    let rest = x - whole * LN_2;
    let (mut power, mut sum) = (1.0, 1.0);
    for term in 1..TERMS {
        power *= rest / f64::from(term);
        sum += power;
    }
    sum * f64::from_bits(((whole as i64 + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_library_says() {
        for x in [1e-9, 0.03, 0.5, 1.0, 1.4143, 2.0, 77.7, 6e6, 3e12] {
            assert!((ln(x) - x.ln()).abs() < 1e-12, "{x}");
        }
        for x in [-20.0, -1.0, -0.1, 0.0, 0.3, 1.0, 15.6, 100.0] {
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-12, "{x}");
        }
    }
}
