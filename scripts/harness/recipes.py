"""What others would do to a clip, as one ffmpeg command."""

from harness.vmaf import size_of

FFMPEG = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y"]

# Elastic Transcoder's system presets "HLS 400k" to "HLS 2M" (1351620000001-200050 to -200010): box,
# profile, references, bit rate of the video and, of their video-only twins, buffer, in kbit/s. From
# https://docs.aws.amazon.com/elastictranscoder/latest/developerguide/system-presets.html and the dump
# in github.com/blitline-dev/blitline-dev.github.io, articles/transcode_presets.md.
HLS_PRESETS = [
    ((400, 288), "baseline", 1, 272, 2448),
    ((480, 320), "baseline", 3, 472, 4248),
    ((640, 432), "main", 3, 872, 7848),
    ((960, 640), "main", 3, 1372, 12348),
    ((1024, 768), "main", 3, 1872, 16848),
]
# Their key frames are at most 90 frames apart, at fixed places.
HLS_PRESETS_GOP = 90

# The boxes of presets/hls.toml.
LADDER = [(640, 360), (960, 540), (1920, 1080)]


def elastic(clip, out, factor):
    """Elastic Transcoder's HLS presets with their rates times `factor`; whole, none left out."""
    rungs = []
    for box, profile, references, rate, buffer in HLS_PRESETS:
        options = {"profile:v": profile, "refs": references, "b": f"{round(rate * factor)}k"}
        options |= {"maxrate": options["b"], "bufsize": f"{round(buffer * factor)}k"}
        rungs.append((shrunk(clip, box), options | {"g": HLS_PRESETS_GOP}))
    return ladder(clip, out, rungs)


def plain(clip, out, crf):
    """The sizes of the default ladder at one CRF, a key frame every two seconds."""
    sizes = sorted({shrunk(clip, box) for box in LADDER})
    every = {"force_key_frames": "expr:gte(t,n_forced*2)", "crf": crf}
    return ladder(clip, out, [(size, every) for size in sizes])


def shrunk(clip, box):
    """The clip's size in a box; never larger than it is."""
    width, height = size_of(clip)
    scale = min(1, box[0] / width, box[1] / height)
    return tuple(max(2, round(side * scale / 2) * 2) for side in (width, height))


def ladder(clip, out, rungs):
    """One decode, one scaling and one encode for each rung, HLS in segments of six seconds."""
    names = [f"v{number}" for number in range(len(rungs))]
    chains = [f"[0:v]split={len(rungs)}" + "".join(f"[s{name}]" for name in names)]
    for name, ((width, height), _) in zip(names, rungs):
        chains.append(f"[s{name}]scale={width}:{height}:flags=bicubic[{name}]")
    command = FFMPEG + ["-i", clip, "-filter_complex", ";".join(chains)]
    for name, (_, options) in zip(names, rungs):
        folder = out / name
        folder.mkdir(parents=True)
        command += ["-map", f"[{name}]", "-c:v", "libx264", "-preset", "medium", "-sc_threshold", "0"]
        command += [part for key, value in options.items() for part in (f"-{key}", str(value))]
        command += ["-f", "hls", "-hls_time", "6", "-hls_playlist_type", "vod"]
        command += ["-hls_segment_filename", folder / "%06d.ts", folder / "index.m3u8"]
    return command
