//! How each input is made. The numbers I1 to I26 are those of the list of failure
//! cases that the tests in inputs.rs follow.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{case, damage};
use crate::tools::{ffmpeg, succeeded};

/// Makes a file at a path.
pub type Recipe = fn(&Path) -> Result<(), String>;

/// Hostile names (I24): copies of `good.mp4` are dropped under them.
pub const NAMES: [&str; 6] = [
    "a b+c%20d.mp4",
    "it's é 日本.mp4",
    "-dash.mp4",
    "pat%03d.mp4",
    "concat:x.mp4",
    "new\nline.mp4",
];

const X264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -x264-params threads=1";
const PICTURE: &str = "-f lavfi -i testsrc2=s=320x180:r=25:d=4";
const SOUND: &str = "-f lavfi -i sine=f=440:d=4";

const RECIPES: &[(&str, Recipe)] = &[
    ("good.mp4", |to| encode(&format!("{PICTURE} {SOUND}"), "-c:a aac", to)),
    // Long enough for several segments and key periods; motion and detail.
    ("film.mp4", |to| {
        let picture = "-f lavfi -i testsrc2=s=640x360:r=25:d=27,noise=alls=4:allf=t";
        encode(&format!("{picture} -f lavfi -i sine=f=330:d=27"), "-crf 26 -c:a aac", to)
    }),
    // Ten chunks that are quickly encoded.
    ("minute.mp4", |to| {
        let sound = "-f lavfi -i anoisesrc=c=brown:a=0.2:r=16000:d=60";
        let source = &format!("-f lavfi -i testsrc2=s=320x180:r=10:d=60 {sound}");
        encode(source, "-g 20 -c:a aac", to)
    }),
    ("film.m4a", |to| remux("film.mp4", "-vn", to)),
    ("truncated.mp4", |to| damage::cut(&case("good.mp4"), to, 60)), // I1
    ("faststart.mp4", |to| remux("good.mp4", "-movflags +faststart", to)),
    ("truncated_faststart.mp4", |to| damage::cut(&case("faststart.mp4"), to, 60)), // I2
    ("empty.mp4", |to| damage::write(to, b"")),                                    // I3
    ("text.mp4", |to| damage::write(to, b"hello, not a video\n")),
    ("variable_rate.mp4", |to| {
        // I5: random frame drops keep their timestamps.
        let drops = "-vf select='not(mod(n\\,7))+gt(random(0)\\,0.5)' -vsync vfr";
        encode("-f lavfi -i testsrc2=s=320x180:r=60:d=4", drops, to)
    }),
    ("ntsc.mp4", |to| {
        // I6: chunk sums drift when cut by seconds.
        encode("-f lavfi -i testsrc2=s=160x90:r=24000/1001:d=60", "", to)
    }),
    ("rotated.mp4", |to| remux("good.mp4", "-metadata:s:v:0 rotate=90", to)), // I7
    ("odd.mkv", |to| {
        run("-f lavfi -i testsrc2=s=1163x767:r=25:d=1,format=yuv444p -c:v ffv1", to) // I8
    }),
    ("hdr_pq.mp4", |to| hdr("smpte2084", to)), // I9
    ("hdr_hlg.mp4", |to| hdr("arib-std-b67", to)),
    ("hdr10.mp4", |to| {
        hdr10("G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)", to)
    }),
    ("hdr10_zeros.mp4", |to| hdr10("G(0,0)B(0,0)R(0,0)WP(0,0)L(0,0)", to)),
    // A picture with ordinary colours, and the same graded for HDR: white paper at 203 cd/m².
    ("sdr.mp4", |to| run(&format!("{SOFT} -c:v libx264 -preset ultrafast {SDR}"), to)),
    ("graded_pq.mp4", |to| graded("smpte2084", to)),
    ("graded_hlg.mp4", |to| graded("arib-std-b67", to)),
    ("prores.mov", |to| {
        // I10
        run("-f lavfi -i testsrc2=s=320x180:r=25:d=1 -c:v prores_ks -pix_fmt yuv422p10le", to)
    }),
    ("rgb.mkv", |to| {
        run("-f lavfi -i testsrc2=s=320x180:r=25:d=1 -c:v libx264rgb -preset ultrafast", to)
    }),
    ("full_range.mp4", |to| {
        let picture = "-f lavfi -i testsrc2=s=320x180:r=25:d=1";
        run(&format!("{picture} -c:v libx264 -preset ultrafast -pix_fmt yuvj420p"), to)
    }),
    ("two_sounds.mov", two_sounds),
    ("unknown_sound.mov", |to| damage::unknown_sound(&case("two_sounds.mov"), to)), // I11
    ("languages.mkv", languages),                                                   // I12
    // As film.mp4, with a second language and subtitles all along.
    ("film_languages.mkv", film_languages),
    ("timecode.mov", |to| remux("good.mp4", "-timecode 01:00:00:00", to)),
    ("cover.mp3", cover),                                // I13
    ("no_audio.mp4", |to| remux("good.mp4", "-an", to)), // I14
    ("no_video.m4a", |to| remux("good.mp4", "-vn", to)),
    ("no_duration.webm", no_duration), // I15
    ("interlaced.mpg", |to| {
        // I16
        let fields =
            "-vf tinterlace=interleave_top,setfield=tff -c:v mpeg2video -flags +ilme+ildct";
        run(&format!("-f lavfi -i testsrc2=s=720x576:r=50:d=1 {fields} -b:v 5M"), to)
    }),
    ("anamorphic.mp4", |to| {
        encode("-f lavfi -i testsrc2=s=720x576:r=25:d=1", "-vf setsar=64/45", to)
    }),
    ("late_audio.mp4", late_audio), // I17
    ("offset.ts", |to| remux("good.mp4", "-output_ts_offset 3600", to)),
    ("jump_resize.ts", jump_resize), // I18
    ("good.ts", |to| remux("good.mp4", "", to)),
    // Its clock begins again in the middle, where it was seconds before.
    ("twice.ts", |to| damage::join(&[&case("good.ts"), &case("good.ts")], to)),
    ("one_frame.mp4", |to| {
        encode("-f lavfi -i testsrc2=s=320x180:r=25", "-frames:v 1", to) // I19
    }),
    ("theora.mkv", |to| run(&format!("{PICTURE} -c:v libtheora -b:v 500k"), to)),
    ("damaged_header.mkv", |to| {
        damage::blank_after(b"\x82theora", &case("theora.mkv"), to) // I20, in the codec's own header
    }),
    ("damaged.mp4", |to| damage::scratch(&case("faststart.mp4"), to, 55)), // I20
    ("bomb.mkv", |to| {
        // I21: the last frame is ten hours after the first.
        let bomb = "-vf setpts='if(eq(N\\,24)\\,36000/TB\\,PTS)' -vsync passthrough";
        encode("-f lavfi -i testsrc2=s=160x90:r=25:d=1", bomb, to)
    }),
    ("pixel_bomb.mov", |to| {
        run("-f lavfi -i color=c=black:s=8192x8192:r=1:d=1 -c:v png -frames:v 1", to) // I22
    }),
    ("playlist.mp4", |to| damage::write(to, PLAYLIST.as_bytes())), // I23
    ("concat.mp4", |to| damage::write(to, b"ffconcat version 1.0\nfile /etc/hostname\n")),
    ("two_rates.aac", |to| two_rates("adts", to)), // I25: 44.1 kHz, then 32 kHz
    ("two_rates.ts", |to| two_rates("mpegts", to)),
    ("wide_sound.mov", |to| {
        // I25
        let sound = "-f lavfi -i anullsrc=cl=7.1:r=96000:d=1";
        encode(&format!("{sound} {PICTURE}"), "-shortest -c:a pcm_s24le", to)
    }),
    ("surround.mkv", |to| {
        let sound = "-f lavfi -i sine=f=440:d=4,aformat=channel_layouts=5.1";
        encode(&format!("{PICTURE} {sound}"), "-c:a ac3", to)
    }),
    ("long.mp4", |to| {
        // I26: three hours, small and few pictures; a beep each minute, since FFmpeg's AAC encoder
        // is quick with silence only.
        let minute = to.with_file_name("minute.mp4");
        let picture = "-f lavfi -i testsrc2=s=128x72:r=5:d=60";
        let sound = "-f lavfi -i aevalsrc=0.3*sin(2764*t)*lt(t\\,1):s=16000:d=60";
        let options = "-crf 35 -g 25 -c:a aac -b:a 32k";
        encode(&format!("{picture} {sound}"), options, &minute)?;
        let inputs = ["-stream_loop", "179", "-i"].map(OsString::from).to_vec();
        ffmpeg_with(inputs, &minute, "-c copy", to)
    }),
];

const PLAYLIST: &str = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:4,\n\
                        file:///etc/hostname\n#EXT-X-ENDLIST\n";

/// Names of all files that can be made.
pub fn all() -> impl Iterator<Item = &'static str> {
    RECIPES.iter().map(|(name, _)| *name)
}

/// The recipe that makes a file of that name.
pub fn find(name: &str) -> Option<Recipe> {
    RECIPES.iter().find(|(known, _)| *known == name).map(|(_, recipe)| *recipe)
}

/// Runs ffmpeg with blank-separated arguments.
fn run(arguments: &str, to: &Path) -> Result<(), String> {
    let mut all: Vec<OsString> = words(arguments);
    all.push(to.into());
    ffmpeg(&all)
}

fn words(arguments: &str) -> Vec<OsString> {
    arguments.split_whitespace().map(OsString::from).collect()
}

fn encode(inputs: &str, options: &str, to: &Path) -> Result<(), String> {
    run(&format!("{inputs} {X264} {options}"), to)
}

fn remux(from: &str, options: &str, to: &Path) -> Result<(), String> {
    ffmpeg_with(words("-i"), &case(from), &format!("-c copy {options}"), to)
}

/// An input whose path may hold anything, then options.
fn ffmpeg_with(
    mut all: Vec<OsString>,
    input: &Path,
    options: &str,
    to: &Path,
) -> Result<(), String> {
    all.push(input.into());
    all.extend(words(options));
    all.push(to.into());
    ffmpeg(&all)
}

fn hdr(transfer: &str, to: &Path) -> Result<(), String> {
    let colour = format!("-color_primaries bt2020 -color_trc {transfer} -colorspace bt2020nc");
    let x265 = "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le";
    let quiet = "-x265-params log-level=none:pools=1";
    run(&format!("-f lavfi -i testsrc2=s=320x180:r=25:d=2 {x265} {quiet} {colour}"), to)
}

/// Five seconds of HDR10 with sound, and what it is said to be graded on.
fn hdr10(display: &str, to: &Path) -> Result<(), String> {
    let picture = "-f lavfi -i testsrc2=s=640x360:r=25:d=5 -f lavfi -i sine=f=330:d=5";
    let colour = "-color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc";
    let x265 = "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -c:a aac";
    let said = format!("log-level=none:pools=1:master-display={display}:max-cll=1000,400");
    run(&format!("{picture} {x265} -x265-params {said} {colour}"), to)
}

/// Two seconds without colours that only fit into BT.709 by clipping.
const SOFT: &str = "-f lavfi -i testsrc2=s=320x180:r=25:d=2,\
    eq=saturation=0.5,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p";
const SDR: &str = "-color_primaries bt709 -color_trc bt709 -colorspace bt709";

fn graded(transfer: &str, to: &Path) -> Result<(), String> {
    let x265 = "-c:v libx265 -preset ultrafast -x265-params log-level=none:pools=1";
    let colour = format!("-color_primaries bt2020 -color_trc {transfer} -colorspace bt2020nc");
    let grade = format!(
        "zscale=min=709:pin=709:tin=709:rin=limited:p=709:t=linear:npl=203,format=gbrpf32le,\
         zscale=pin=709:tin=linear:p=2020:t={transfer}:m=2020_ncl:r=limited:npl=203,\
         format=yuv420p10le"
    );
    run(&format!("{SOFT},{grade} {x265} {colour}"), to)
}

fn two_sounds(to: &Path) -> Result<(), String> {
    let inputs = format!("{PICTURE} {SOUND} -f lavfi -i sine=f=880:d=4");
    encode(&inputs, "-map 0 -map 1 -map 2 -c:a aac", to)
}

fn languages(to: &Path) -> Result<(), String> {
    let text = to.with_file_name("text.srt");
    damage::write(&text, b"1\n00:00:00,000 --> 00:00:02,000\nhej\n")?;
    let mut all = words(&format!("{PICTURE} {SOUND} -f lavfi -i sine=f=880:d=4 -i"));
    all.push(text.clone().into());
    all.extend(words("-map 0 -map 1 -map 2 -map 3"));
    all.extend(words(&format!("{X264} -c:a aac -c:s srt")));
    all.extend(words("-metadata:s:a:0 language=swe -metadata:s:a:1 language=eng"));
    all.extend(words("-metadata:s:s:0 language=swe -attach"));
    all.push(text.into());
    all.extend(words("-metadata:s:t mimetype=text/plain"));
    all.push(to.into());
    ffmpeg(&all)
}

fn film_languages(to: &Path) -> Result<(), String> {
    let text = to.with_file_name("text.srt");
    let cue =
        |n: u32| format!("{n}\n00:00:{:02},000 --> 00:00:{:02},500\nrad {n}\n\n", n * 3, n * 3 + 2);
    damage::write(&text, (0..8).map(cue).collect::<String>().as_bytes())?;
    let mut all = words("-i");
    all.push(case("film.mp4").into());
    all.extend(words("-f lavfi -i sine=f=880:d=27 -i"));
    all.push(text.into());
    all.extend(words("-map 0 -map 1 -map 2 -c:v copy -c:a aac -c:s srt"));
    all.extend(words("-metadata:s:a:0 language=swe -metadata:s:a:1 language=eng"));
    all.extend(words("-metadata:s:s:0 language=swe"));
    all.push(to.into());
    ffmpeg(&all)
}

fn cover(to: &Path) -> Result<(), String> {
    let picture = to.with_file_name("cover.jpg");
    run("-f lavfi -i color=red:s=64x64:d=1 -frames:v 1", &picture)?;
    let options = "-map 0 -map 1 -c:a libmp3lame -c:v mjpeg -disposition:v attached_pic";
    ffmpeg_with(words(&format!("{SOUND} -i")), &picture, options, to)
}

/// A pipe cannot be rewound, so the muxer never writes the duration: a browser's recording.
fn no_duration(to: &Path) -> Result<(), String> {
    let source = "-v error -f lavfi -i testsrc2=s=160x90:r=25:d=2";
    let vp8 = "-c:v libvpx -deadline realtime -cpu-used 8 -f webm pipe:1";
    let mut command = Command::new("ffmpeg");
    command.args(words(source)).args(words(vp8)).stdin(Stdio::null());
    damage::write(to, &succeeded(&mut command)?.stdout)
}

fn late_audio(to: &Path) -> Result<(), String> {
    let good: PathBuf = case("good.mp4");
    let mut all = words("-i");
    all.push(good.clone().into());
    all.extend(words("-itsoffset 1.5 -i"));
    all.push(good.into());
    all.extend(words("-map 0:v -map 1:a -c copy"));
    all.push(to.into());
    ffmpeg(&all)
}

fn two_rates(format: &str, to: &Path) -> Result<(), String> {
    let (first, second) = (to.with_extension("first"), to.with_extension("second"));
    for (rate, path) in [(44_100, &first), (32_000, &second)] {
        run(&format!("-f lavfi -i sine=f=440:d=2:r={rate} -c:a aac -f {format}"), path)?;
    }
    damage::join(&[&first, &second], to)?;
    fs::remove_file(first).and(fs::remove_file(second)).map_err(|why| why.to_string())
}

fn jump_resize(to: &Path) -> Result<(), String> {
    let (first, second) = (to.with_file_name("first.ts"), to.with_file_name("second.ts"));
    encode("-f lavfi -i testsrc2=s=320x180:r=25:d=2", "-f mpegts", &first)?;
    let later = "-output_ts_offset 9000 -f mpegts";
    encode("-f lavfi -i testsrc2=s=640x360:r=25:d=2", later, &second)?;
    damage::join(&[&first, &second], to)?;
    fs::remove_file(first).and(fs::remove_file(second)).map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for (index, (name, _)) in RECIPES.iter().enumerate() {
            assert!(!RECIPES[..index].iter().any(|(before, _)| before == name), "{name}");
        }
    }
}
