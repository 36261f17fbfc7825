"""A PostgreSQL of one's own."""

import shutil
import socket
import subprocess
import sys
import time

from .cargo import TOP


class Postgres:
    """A server without data, with a database for everyone who asks."""

    def __init__(self, folder):
        self.folder, self.made = folder, 0

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.port = free_port()
        command = [TOP / "scripts/services/postgres", self.folder, str(self.port)]
        with (self.folder.parent / "postgres.log").open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while self.psql("SELECT 1").returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                sys.exit(f"PostgreSQL did not start: see {log.name}")
            time.sleep(0.2)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def psql(self, statement):
        command = ["psql", "-qXtc", statement, self.url("postgres")]
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def url(self, name):
        return f"postgres://vodmill@127.0.0.1:{self.port}/{name}"

    def database(self):
        """The URL of a new one."""
        self.made += 1
        self.psql(f"CREATE DATABASE bench{self.made}").check_returncode()
        return self.url(f"bench{self.made}")


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]
