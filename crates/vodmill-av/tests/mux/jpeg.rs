use std::path::Path;

use vodmill_av::Libav;
use vodmill_model::Transcode;
use vodmill_model::transcode::JpegOrder;
use vodmill_model::units::Size;

use super::make::{HEAD, media};

/// A still of one grey.
fn still(dir: &Path, size: Size, luma: u8) -> std::path::PathBuf {
    let path = dir.join(format!("still-{luma}"));
    let chroma = size.width.div_ceil(2) * size.height.div_ceil(2) * 2;
    let mut bytes = vec![luma; (size.width * size.height) as usize];
    bytes.resize(bytes.len() + chroma as usize, 128);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Luma in the middle of each cell.
fn cells(path: &Path, size: Size, columns: u32, rows: u32) -> Vec<u8> {
    let dir = path.parent().unwrap();
    let arguments = ["-i", path.to_str().unwrap(), "-f", "rawvideo", "-pix_fmt", "gray"];
    let raw = media(dir, "sheet.gray", &arguments);
    let luma = std::fs::read(raw).unwrap();
    let width = size.width * columns;
    assert_eq!(luma.len() as u32, width * size.height * rows);
    let middle = |cell: u32| {
        let (x, y) = (cell % columns * size.width, cell / columns * size.height);
        luma[((y + size.height / 2) * width + x + size.width / 2) as usize]
    };
    (0..columns * rows).map(middle).collect()
}

#[test]
fn stills_stand_in_their_cells_and_empty_cells_are_black() {
    let dir = tempfile::tempdir().unwrap();
    for size in [Size { width: 160, height: 90 }, Size { width: 33, height: 19 }] {
        let stills = [40, 120, 200, 250].map(|luma| still(dir.path(), size, luma)).to_vec();
        let path = dir.path().join("sheet.jpg");
        let order = JpegOrder { stills, size, columns: 3, rows: 2, path: path.clone() };
        Libav.write_jpeg(&order).unwrap();
        let first = std::fs::read(&path).unwrap();
        assert_eq!(first[..3], [0xff, 0xd8, 0xff]);
        assert_eq!(first[6..10], *b"JFIF");
        assert!(!first.windows(4).any(|four| HEAD.contains(&four)));
        let expected = [40, 120, 200, 250, 0, 0];
        for (luma, expected) in cells(&path, size, 3, 2).into_iter().zip(expected) {
            assert!(luma.abs_diff(expected) <= 2, "{luma} for {expected}");
        }
        Libav.write_jpeg(&order).unwrap();
        assert!(first == std::fs::read(&path).unwrap());
    }
}

#[test]
fn a_still_of_another_size_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let size = Size { width: 16, height: 16 };
    let stills = vec![still(dir.path(), Size { width: 16, height: 8 }, 9)];
    let order = JpegOrder { stills, size, columns: 1, rows: 1, path: dir.path().join("p.jpg") };
    assert!(Libav.write_jpeg(&order).is_err());
}
