use vodmill_keys::aes128::{DecryptError, decrypt, encrypt};
use vodmill_keys::{Iv, IvSeed, Kid, SegmentKey};

use crate::hex;

fn pair(key: &str, iv: &str) -> (SegmentKey, Iv) {
    let key = SegmentKey::from_bytes(hex(key).try_into().unwrap());
    (key, Iv::from_hex(iv).unwrap())
}

/// The vectors have no padding; ours is a block more after the same bytes.
fn vector(key: &str, iv: &str, clear: &[u8], sealed: &str) {
    let (key, iv) = pair(key, iv);
    let mut piece = clear.to_vec();
    encrypt(&key, &iv, &mut piece);
    assert_eq!(piece[..clear.len()], hex(sealed));
    assert_eq!(piece.len(), clear.len() + 16, "a whole block of padding");
    decrypt(&key, &iv, &mut piece).unwrap();
    assert_eq!(piece, clear);
}

#[test]
fn rfc_3602_vectors() {
    vector(
        "06a9214036b8a15b512e03d534120006",
        "3dafba429d9eb430b422da802c9fac41",
        b"Single block msg",
        "e353779c1079aeb82708942dbe77181a",
    );
    let counting: Vec<u8> = (0..32).collect();
    vector(
        "c286696d887c9aa0611bbb3e2025a45a",
        "562e17996d093d28ddb3ba695a2e6f58",
        &counting,
        "d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1",
    );
}

#[test]
fn nist_sp_800_38a_f_2_1() {
    let clear = hex("6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51
         30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710");
    vector(
        "2b7e151628aed2a6abf7158809cf4f3c",
        "000102030405060708090a0b0c0d0e0f",
        &clear,
        "7649abac8119b246cee98e9b12e9197d 5086cb9b507219ee95db113a917678b2
         73bed6b8e3c1743b7116e69e22229516 3ff1caa1681fac09120eca307586e1a7",
    );
}

#[test]
fn damage_is_told() {
    let (key, iv) = pair("06a9214036b8a15b512e03d534120006", "3dafba429d9eb430b422da802c9fac41");
    assert_eq!(decrypt(&key, &iv, &mut vec![]), Err(DecryptError::Length(0)));
    assert_eq!(decrypt(&key, &iv, &mut vec![0; 17]), Err(DecryptError::Length(17)));
    let mut piece = b"some media".to_vec();
    encrypt(&key, &iv, &mut piece);
    let other = SegmentKey::from_bytes([9; 16]);
    assert_eq!(decrypt(&other, &iv, &mut piece), Err(DecryptError::Padding));
}

#[test]
fn ivs_repeat_for_the_same_piece_only() {
    let seed = IvSeed::from_bytes([5; 32]);
    assert_eq!(seed.iv("v1/0001.ts", 0), seed.iv("v1/0001.ts", 0));
    let mut seen = std::collections::HashSet::new();
    for object in 0..200 {
        for piece in 0..50 {
            assert!(seen.insert(seed.iv(&format!("v1/{object:04}.ts"), piece)));
        }
    }
    assert_ne!(seed.iv("a", 0), IvSeed::from_bytes([6; 32]).iv("a", 0));
}

#[test]
fn nothing_secret_is_printed() {
    let key = SegmentKey::from_bytes([0xab; 16]);
    let seed = IvSeed::from_bytes([0xab; 32]);
    for text in [format!("{key:?}"), format!("{seed:?}")] {
        assert!(text.contains("redacted") && !text.contains("ab") && !text.contains("171"));
    }
    let kid = Kid::generate().unwrap();
    assert_eq!(kid.to_string().len(), 32);
    assert_eq!(Kid::from_hex(&kid.to_string()), Some(kid));
    assert_eq!(Kid::from_hex("zz"), None);
}
