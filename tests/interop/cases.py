# SPDX-License-Identifier: Apache-2.0
"""Cases: small Dockerfiles in compact files, and their build contexts.

A file of cases is a group. Lines before the first case are remarks.

    == NAME
    options: --build-arg A=b        words for every builder's `build`
    context: .                      the default; "-" takes stdin
    stdin: FILE                     of the context folder
    message: REGEX                  what our error says (the oracle must fail, too)
    differs: REASON                 on purpose: ours is held against GROUP.ours.txt
    todo: REASON                    not yet: a difference is no failure
    --- files                       a bash script that fills the context folder; $BASE_TAR is base's files,
                                    $PLATFORMS an OCI layout of an image for several platforms
    mkdir d; echo x > d/f
    --- Dockerfile
    FROM base
    COPY d /d
"""

import gzip
import hashlib
import io
import json
import os
import re
import shlex
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONTEXT_TIME = 1_000_000_000  # of everything in a context that has no old time of its own
OLD = 1_600_000_000  # times before this were made on purpose
BASES = "bases"  # the group whose images the others build on


@dataclass
class Case:
    group: str
    name: str
    headers: dict = field(default_factory=dict)
    blocks: dict = field(default_factory=dict)

    @property
    def id(self):
        return f"{self.group}/{self.name}"

    @property
    def image(self):
        return self.name if self.group == BASES else f"interop/{self.group}/{self.name}"

    @property
    def options(self):
        return shlex.split(self.headers.get("options", ""))

    def get(self, header, default=None):
        return self.headers.get(header, default)


HEADERS = {"options", "context", "stdin", "message", "differs", "todo"}


def parse(group, text):
    """The cases of a group's file, in order."""
    cases, case, block = [], None, None
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.fullmatch(r"== ([a-z0-9-]+)", line):
            case, block = Case(group, match[1]), None
            if any(other.name == case.name for other in cases):
                raise ValueError(f"{group}:{number}: a second case {case.name}")
            cases.append(case)
        elif case and (match := re.fullmatch(r"--- (files|Dockerfile)", line)):
            block = case.blocks.setdefault(match[1], [])
        elif block is not None:
            block.append(line)
        elif case and line.strip():
            key, colon, value = line.partition(":")
            if not colon or key not in HEADERS:
                raise ValueError(f"{group}:{number}: not a header: {line!r}")
            case.headers[key] = value.strip()
    for case in cases:
        case.blocks = {k: "\n".join(v).rstrip("\n") + "\n" for k, v in case.blocks.items()}
    return cases


def load(wanted=()):
    """All cases, bases first; wanted: "GROUP" or "GROUP/CASE" (the bases come along)."""
    cases = []
    for path in sorted((HERE / "cases").glob("*.txt"), key=lambda p: (p.stem != BASES, p.stem)):
        cases += parse(path.stem, path.read_text())
    if wanted:
        unknown = [w for w in wanted if not any(w in (c.group, c.id) for c in cases)]
        if unknown:
            raise ValueError(f"no such case: {' '.join(unknown)}")
        cases = [c for c in cases if c.group == BASES or c.group in wanted or c.id in wanted]
    return cases


def prepare(case, folder, base_tar):
    """Make the case's context folder; returns it."""
    context = folder / case.group / case.name
    context.mkdir(parents=True)
    env = {"PATH": os.environ["PATH"], "HOME": "/root", "LC_ALL": "C", "BASE_TAR": str(base_tar),
           "PLATFORMS": str(base_tar.parent / "platforms")}
    if "files" in case.blocks:
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "umask 022; " + case.blocks["files"]],
            cwd=context, env=env, check=True,
        )
    if "Dockerfile" in case.blocks:
        (context / "Dockerfile").write_text(case.blocks["Dockerfile"])
    for parent, folders, files in os.walk(context, topdown=False):
        for name in folders + files:
            settle(os.path.join(parent, name))
    settle(context)
    return context


def settle(path):
    if os.lstat(path).st_mtime > OLD:
        os.utime(path, (CONTEXT_TIME, CONTEXT_TIME), follow_symlinks=False)


def make_base(folder):
    """The root file system that nearly all cases build on: one static program and some traps."""
    script = r"""
mkdir -p root/{bin,dev,etc,proc,run,sys,root,tmp,var/log,opt,usr/lib,srv/d/e,home/app}
cp "$(command -v busybox)" root/bin/busybox
for applet in awk cat chmod chown cp cut date echo env false find grep head hostname id ln ls mkdir mkfifo \
	mknod mv printf pwd readlink rm rmdir sed sh sleep sort stat tail tar test touch tr true uniq wc xargs; do
	ln -s busybox "root/bin/$applet"
done
printf '%s\n' root:x:0:0:root:/root:/bin/sh app:x:1000:1001:app:/home/app:/bin/sh \
	nogroup:x:1005:4242::/:/bin/sh >root/etc/passwd
printf '%s\n' root:x:0: app:x:1001: extra:x:1002:app >root/etc/group
ln -s opt root/link
ln -s /opt root/abslink
ln -s usr/lib root/lib
ln -s ../../../../etc root/srv/escape
ln -s nowhere root/dangling
ln -s loop root/loop
printf 'one\n' >root/srv/one
printf 'two\n' >root/srv/d/two
printf 'three\n' >root/srv/d/e/three
printf '#!/bin/sh\n' >root/srv/tool
ln root/srv/one root/srv/one-again
find root -exec touch -h -d @1000000000 {} +
chown -R 1000:1001 root/home/app
chmod 1777 root/tmp
chmod 4755 root/srv/tool
chmod 0700 root/root
tar -C root --owner=0 --group=0 --numeric-owner --sort=name --format=pax \
	--pax-option=delete=atime,delete=ctime -cf base.tar --exclude=./home .
tar -C root --numeric-owner --sort=name --format=pax \
	--pax-option=delete=atime,delete=ctime -rf base.tar ./home
"""
    folder.mkdir(parents=True)
    subprocess.run(["bash", "-euo", "pipefail", "-c", "umask 022; " + script], cwd=folder, check=True)
    make_platforms(folder / "platforms")
    return folder / "base.tar"


def make_platforms(folder):
    """An OCI layout whose image has a file "arch" with the name of its platform."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def blob(kind, data):
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}",
                "size": len(data)}

    def manifest(platform):
        tar = io.BytesIO()
        with tarfile.open(fileobj=tar, mode="w") as archive:
            text = platform["architecture"].encode() + b"\n"
            entry = tarfile.TarInfo("arch")
            entry.size, entry.mtime = len(text), CONTEXT_TIME
            archive.addfile(entry, io.BytesIO(text))
        diff = hashlib.sha256(tar.getvalue()).hexdigest()
        config = platform | {"config": {}, "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff}"]},
                             "history": [{"created_by": "COPY arch /"}]}
        return blob("manifest.v1+json", {
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": blob("config.v1+json", config),
            "layers": [blob("layer.v1.tar+gzip", gzip.compress(tar.getvalue(), mtime=0))],
        }) | {"platform": platform}

    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
             "manifests": [manifest({"os": "linux", "architecture": name})
                           for name in ("s390x", "arm64", "amd64", "riscv64")]}
    top = blob("index.v1+json", index) | {"annotations": {"org.opencontainers.image.ref.name": "latest"}}
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [top]}))
