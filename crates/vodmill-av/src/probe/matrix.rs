//! The display matrix (ISO/IEC 14496-12, 6.2.2): how a picture is to be turned.

/// Clockwise turn in degrees, a multiple of 90, and whether the picture is mirrored, left to
/// right, before it.
pub(super) fn orientation(matrix: &[i32; 9]) -> (u16, bool) {
    // (x, y) goes to (a x + c y, b x + d y); y points down.
    let [a, b, _, c, d, ..] = matrix.map(i64::from);
    let mirrored = a * d - b * c < 0;
    let (x, y) = if mirrored { (-a, -b) } else { (a, b) };
    let turn = match x.abs() >= y.abs() {
        true if x >= 0 => 0,
        true => 180,
        false if y > 0 => 90,
        false => 270,
    };
    (turn, mirrored)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: i32 = 1 << 16;

    fn of(a: i32, b: i32, c: i32, d: i32) -> (u16, bool) {
        orientation(&[a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30])
    }

    #[test]
    fn turns_are_clockwise() {
        assert_eq!(of(1, 0, 0, 1), (0, false));
        assert_eq!(of(0, 1, -1, 0), (90, false));
        assert_eq!(of(-1, 0, 0, -1), (180, false));
        assert_eq!(of(0, -1, 1, 0), (270, false));
    }

    #[test]
    fn mirrors_come_before_turns() {
        assert_eq!(of(-1, 0, 0, 1), (0, true), "left to right");
        assert_eq!(of(1, 0, 0, -1), (180, true), "upside down is both");
        assert_eq!(of(0, -1, -1, 0), (90, true));
        assert_eq!(of(0, 1, 1, 0), (270, true));
    }
}
