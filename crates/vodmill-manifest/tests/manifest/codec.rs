use vodmill_manifest::codec::{
    AvcNalType, CodecError, Colour, Timing, audio_config, av1_sequence_from_av1c, avc_sps,
    avc_sps_from_avcc, hevc_codec_from_hvcc, hevc_codec_from_sps, hevc_sps, hevc_sps_from_hvcc,
    nal_units,
};

use crate::{Numbers, hex};

/// Baseline 4.0, 1918x1078, SAR 4:3, BT.709, 24000/1001, as x264 wrote it.
const BASELINE: &str = "000000016742c028da01e0089ea6c39a808080a000007d2000177001e3065400
     00000168ce0fc800";

/// High 4:2:2, 10 bit, 640x360, 25 frames per second, as x264 wrote it.
const HIGH_422: &str = "00000001677a001eb6cd940a02ff89c0440000030004000003 00c83c58b658
     00000001 68ebe3cb22c0";

/// Main 10, level 2.1, as x265 wrote it.
const MAIN_10: &str = "0000000140010c01ffff0220000003009000000300000300 3f959409 00000001
     4201010220000003009000000300000300 3fa005020171f2b6595952930bc05a02000003000200000300321000";

#[test]
fn facts_of_a_cropped_anamorphic_sps() {
    let sps = avc_sps(&hex(BASELINE)).unwrap();
    assert_eq!(sps.codec(), "avc1.42C028");
    assert_eq!((sps.width, sps.height), (1918, 1078));
    assert_eq!((sps.chroma_format, sps.bit_depth, sps.interlaced), (1, 8, false));
    assert_eq!(sps.sample_aspect, Some((4, 3)));
    let bt709 = Colour { full_range: false, primaries: 1, transfer: 1, matrix: 1 };
    assert_eq!(sps.colour, Some(bt709));
    let timing = Timing { units_in_tick: 1001, time_scale: 48_000, fixed: false };
    assert_eq!(sps.timing, Some(timing));
}

#[test]
fn facts_of_a_ten_bit_sps() {
    let sps = avc_sps(&hex(HIGH_422)).unwrap();
    assert_eq!(sps.codec(), "avc1.7A001E");
    assert_eq!((sps.width, sps.height), (640, 360));
    assert_eq!((sps.chroma_format, sps.bit_depth), (2, 10));
    let timing = sps.timing.unwrap();
    assert_eq!((timing.units_in_tick, timing.time_scale), (1, 50));
}

#[test]
fn an_avcc_says_the_same() {
    let stream = hex(BASELINE);
    let sps = nal_units(&stream).next().unwrap();
    let mut avcc = vec![1, sps[1], sps[2], sps[3], 0xff, 0xe1];
    avcc.extend_from_slice(&(sps.len() as u16).to_be_bytes());
    avcc.extend_from_slice(sps);
    assert_eq!(avc_sps_from_avcc(&avcc), avc_sps(&stream));
    for cut in 0..avcc.len() {
        assert!(avc_sps_from_avcc(&avcc[..cut]).is_err());
    }
}

#[test]
fn units_of_a_stream() {
    let stream = hex("ff 000001 0910 00000001 67aa00 000001 6588 000001 000001 0c");
    let units: Vec<_> = nal_units(&stream).map(|unit| AvcNalType::of(unit).unwrap()).collect();
    let wanted = [AvcNalType::Delimiter, AvcNalType::Sps, AvcNalType::Idr, AvcNalType::Other(12)];
    assert_eq!(units, wanted);
    assert_eq!(nal_units(&[]).count(), 0);
}

#[test]
fn hevc_strings() {
    let stream = hex(MAIN_10);
    assert_eq!(hevc_codec_from_sps(&stream).unwrap(), "hvc1.2.4.L63.90");
    let hvcc = hex("01 02 20000000 900000000000 3f f000fcfdfafa");
    assert_eq!(hevc_codec_from_hvcc(&hvcc).unwrap(), "hvc1.2.4.L63.90");
    assert_eq!(hevc_codec_from_hvcc(&hvcc[..9]), Err(CodecError::Short));
    // Main, high tier, compatible with 1 and 2, no constraints told.
    let hvcc = hex("01 21 60000000 000000000000 5d");
    assert_eq!(hevc_codec_from_hvcc(&hvcc).unwrap(), "hvc1.1.6.H93");
}

/// Main 10, PQ, 160x90, as x265 3.5 and libavformat wrote it: VPS, SPS, PPS and two SEI.
const HVCC: &str = "0102200000009000000000001ef000fcfdfafa00000f04a00001001840010c01ffff0220000003
     0090000003000003001e959409a10001002e42010102200000030090000003000003001ea0142061f236595952930b
     c05a848804820000030002000003003210a2000100064401c073c08927000200094e01900403e8019080001e4e0189
     1833c286c41d4c0bb884d03e803d13404200989680000003003280";

#[test]
fn facts_of_an_hevc_sps() {
    let hvcc = hex(HVCC);
    let sps = hevc_sps_from_hvcc(&hvcc).unwrap();
    assert_eq!(sps.codec(), "hvc1.2.4.L30.90");
    assert_eq!(Ok(sps.codec()), hevc_codec_from_hvcc(&hvcc));
    assert_eq!((sps.width, sps.height), (160, 90), "inside the conformance window");
    assert_eq!((sps.profile(), sps.chroma_format, sps.bit_depth), (2, 1, 10));
    let bt2100 = Colour { full_range: false, primaries: 9, transfer: 16, matrix: 9 };
    assert_eq!(sps.colour, Some(bt2100));
    // Header, VPS and SPS; what comes after it is not looked at.
    let end = 23 + 5 + 24 + 5 + 46;
    for cut in 0..end {
        assert!(hevc_sps_from_hvcc(&hvcc[..cut]).is_err(), "{cut}");
    }
    assert_eq!(hevc_sps_from_hvcc(&hvcc[..end]), Ok(sps));
    let stream = hex(MAIN_10);
    let sps = hevc_sps(&stream).unwrap();
    assert_eq!(Ok(sps.codec()), hevc_codec_from_sps(&stream));
    assert_eq!((sps.profile(), sps.bit_depth), (2, 10));
    assert_eq!(hevc_sps(&hex(BASELINE)), Err(CodecError::NotFound("sequence parameter set")));
}

#[test]
fn aac_strings() {
    let lc = audio_config(&hex("1190")).unwrap();
    assert_eq!((lc.codec().as_str(), lc.sample_rate, lc.channels), ("mp4a.40.2", 48_000, Some(2)));
    let he = audio_config(&hex("2b098800")).unwrap();
    assert_eq!(he.codec(), "mp4a.40.5");
    assert_eq!(audio_config(&hex("11")), Err(CodecError::Short));
}

#[test]
fn hostile_bits_end_in_errors() {
    let mut numbers = Numbers(3);
    let good = [hex(HIGH_422), hex(MAIN_10), hex(HVCC)];
    for round in 0..30_000 {
        let mut stream = good[round % 3].clone();
        for _ in 0..=numbers.next(4) {
            let at = 5 + numbers.next(stream.len() as u64 - 5) as usize;
            stream[at] = numbers.next(256) as u8;
        }
        stream.truncate(5 + numbers.next(stream.len() as u64) as usize);
        let _ = (avc_sps(&stream), hevc_codec_from_sps(&stream), avc_sps_from_avcc(&stream));
        let _ = (hevc_sps(&stream), hevc_sps_from_hvcc(&stream), audio_config(&stream[4..]));
    }
    assert_eq!(avc_sps(&[]), Err(CodecError::NotFound("sequence parameter set")));
}

/// What `av1C` boxes hold: 960x540 of SVT-AV1 1.4, and of libaom 3.6 with chroma in full.
const AV1: &str = "81040c00 0a0b 00000024cf7f0d9b5f2008";
const AV1_444: &str = "81240000 0a0b 20000024cf7f0d9b5f2040";
/// BT.709 with chroma samples at the left, 96x64; PQ with 10 bits, 1920x1080.
const AV1_BT709: &str = "81000d00 0a0d 000000032dffc02f8101010124";
const AV1_PQ: &str = "81094d00 0a0e 0000004aabbfc3700be142440249";

#[test]
fn av1_says_what_it_is() {
    for (record, codec, width, height) in [
        (AV1, "av01.0.04M.08.0.110.02.02.02.0", 960, 540),
        (AV1_444, "av01.1.04M.08.0.000.02.02.02.0", 960, 540),
        (AV1_BT709, "av01.0.00M.08.0.111.01.01.01.0", 96, 64),
        (AV1_PQ, "av01.0.09M.10.0.111.09.16.09.0", 1920, 1080),
    ] {
        let sequence = av1_sequence_from_av1c(&hex(record)).unwrap();
        assert_eq!(sequence.codec(), codec);
        assert_eq!((sequence.width, sequence.height), (width, height));
    }
    let plain = av1_sequence_from_av1c(&hex(AV1_BT709)).unwrap();
    let short = vodmill_manifest::codec::Av1Sequence { chroma_position: 0, ..plain };
    assert_eq!(short.codec(), "av01.0.00M.08", "what the short form stands for");
}

#[test]
fn a_record_of_av1_goes_with_its_sequence_header() {
    let record = hex(AV1_PQ);
    for (byte, bit) in [(0, 1), (1, 1), (1, 0x20), (2, 0x40), (2, 0x80), (2, 1)] {
        let mut lie = record.clone();
        lie[byte] ^= bit;
        assert!(matches!(av1_sequence_from_av1c(&lie), Err(CodecError::Value(_))), "{lie:02x?}");
    }
    for cut in 0..record.len() {
        assert!(av1_sequence_from_av1c(&record[..cut]).is_err(), "{cut}");
    }
}
