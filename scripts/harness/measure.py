"""What a command takes."""

import os
import subprocess
import sys
import time


def measure(command, cwd=None):
    """Wall and CPU seconds, and the largest process in MiB, of a command with its children."""
    start = time.monotonic()
    child = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    if child.returncode != 0:
        sys.exit(f"bench: {command[0]} ended with {child.returncode}\n{said.decode(errors='replace')}")
    cpu = usage.ru_utime + usage.ru_stime
    return {"wall": wall, "cpu": cpu, "peak_mib": usage.ru_maxrss / 1024}
