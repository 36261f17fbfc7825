"""VMAF by a program that has nothing to do with vodmill: the ffmpeg of PyPI's imageio-ffmpeg."""

import json
import math
import stat
import statistics
import subprocess
import tempfile
from pathlib import Path

from harness.packages import fetch, unpack

PACKAGE = {
    "from": "pypi",
    "name": "imageio-ffmpeg",
    "version": "0.8.1",
    "archive": "imageio_ffmpeg-0.8.1-py3-none-manylinux_2_28_x86_64.whl",
    "sha256": "050d6850601c3b3890bd2b28306f3b842b3daea390a561101174375a1c460bda",
    "members": ["ffmpeg-linux-x86_64-v9.0.2"],
}
# Never an even number: B-pictures of a pyramid would be left out, and they are the worse ones.
EVERY = 5


def referee():
    """The program; fetched once."""
    [(_, program)] = unpack(PACKAGE, fetch(PACKAGE))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def score(program, reference, distorted):
    """Mean and 5th percentile of VMAF v0.6.1 over every fifth frame. Frames are matched by number,
    and scaled to the reference as a player would."""
    width, height = size_of(reference)
    with tempfile.NamedTemporaryFile(suffix=".json") as log:
        same = f"settb=1/25,setpts=N,scale={width}:{height}:flags=bicubic,format=yuv420p"
        measure = f"libvmaf=n_subsample={EVERY}:log_fmt=json:log_path={log.name}"
        graph = f"[0:v]{same}[a];[1:v]{same}[b];[a][b]{measure}"
        command = [program, "-v", "error", "-nostdin", "-i", distorted, "-i", reference]
        command += ["-lavfi", graph, "-fps_mode", "passthrough", "-enc_time_base:v", "1/25", "-an", "-f", "null", "-"]
        subprocess.run(command, check=True)
        frames = json.loads(Path(log.name).read_text())["frames"]
    scores = sorted(it["metrics"]["vmaf"] for it in frames)
    worst = scores[max(0, math.ceil(len(scores) * 0.05) - 1)]
    return {"mean": round(statistics.mean(scores), 3), "p5": round(worst, 3)}


def size_of(path):
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-of", "csv=p=0"]
    command += ["-show_entries", "stream=width,height", path]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    width, height = said.split()[0].strip(",").split(",")[:2]
    return int(width), int(height)
