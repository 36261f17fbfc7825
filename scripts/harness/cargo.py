"""Programs of this workspace."""

import json
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent


def build(package, kind, name, profile):
    """Where cargo put a program."""
    command = ["cargo", "build", "--quiet", "--package", package, kind, name]
    command += ["--profile", profile, "--message-format", "json"]
    lines = subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True).stdout
    messages = [json.loads(line) for line in lines.splitlines()]
    return [it["executable"] for it in messages if it.get("executable")][-1]
