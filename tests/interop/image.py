# SPDX-License-Identifier: Apache-2.0
"""Images from archives (OCI layouts), flattened and written as text that can be compared."""

import hashlib
import json
import posixpath
import re
import tarfile
from dataclasses import dataclass, field

from cases import CONTEXT_TIME, OLD

SHOWN = 240  # contents up to this many bytes are shown, others hashed
MAPS = ("Labels", "ExposedPorts", "Volumes")  # their order means nothing
KINDS = {
    tarfile.DIRTYPE: "dir", tarfile.SYMTYPE: "symlink", tarfile.CHRTYPE: "char",
    tarfile.BLKTYPE: "block", tarfile.FIFOTYPE: "fifo",
}


@dataclass(eq=False)
class Entry:
    kind: str
    mode: int
    uid: int
    gid: int
    mtime: int = 0
    text: str = ""  # contents, target or device
    xattrs: dict = field(default_factory=dict)

    def line(self, path):
        parts = [path, self.kind, f"{self.mode:04o}", f"{self.uid}:{self.gid}"]
        if self.kind not in ("dir",):
            parts += [self.time(), self.text]
        parts += [f"{name}={value!r}" for name, value in sorted(self.xattrs.items())]
        return " ".join(part for part in parts if part)

    def time(self):
        if self.mtime == CONTEXT_TIME:
            return ""
        return f"@{self.mtime}" if self.mtime < OLD else "@now"


class Archive:
    """A tar of an OCI layout; names in index.json by their annotation, or the only image."""

    def __init__(self, path, known=None):
        self.tar = tarfile.open(path)
        self.index = self.json("index.json")
        self.known = known or {}  # sha256 of contents -> what to call it

    def read(self, name):
        return self.tar.extractfile(name)

    def json(self, name):
        return json.load(self.read(name))

    def blob(self, descriptor):
        return "blobs/" + descriptor["digest"].replace(":", "/")

    def descriptors(self):
        return {
            d.get("annotations", {}).get("io.containerd.image.name", ""): d
            for d in self.index["manifests"]
        }

    def image(self, descriptor, layers):
        document = self.json(self.blob(descriptor))
        while "manifests" in document:  # an index: the first that is an image
            document = self.json(self.blob(document["manifests"][0]))
        for layer in document["layers"] or []:
            if layer["digest"] not in layers:
                layers[layer["digest"]] = self.layer(layer)
        config = self.json(self.blob(document["config"]))
        return Image(config, [layer["digest"] for layer in document["layers"] or []], layers)

    def layer(self, descriptor):
        """The entries of a layer in order: (path, Entry or the path of a hardlink)."""
        entries = []
        with tarfile.open(fileobj=self.read(self.blob(descriptor)), mode="r:*") as tar:
            for member in tar:
                path = posixpath.normpath("/" + member.name)
                if member.islnk():
                    entries.append((path, posixpath.normpath("/" + member.linkname)))
                else:
                    entries.append((path, self.entry(tar, member)))
        return entries

    def entry(self, tar, member):
        entry = Entry(KINDS.get(member.type, "file"), member.mode & 0o7777, member.uid, member.gid,
                      int(member.mtime))
        if entry.kind == "symlink":
            entry.text = "-> " + member.linkname
        elif entry.kind in ("char", "block"):
            entry.text = f"{member.devmajor},{member.devminor}"
        elif entry.kind == "file":
            entry.text = self.contents(tar.extractfile(member).read())
        for name, value in member.pax_headers.items():
            if name.startswith("SCHILY.xattr."):
                entry.xattrs[name.removeprefix("SCHILY.xattr.")] = value
        return entry

    def contents(self, data):
        digest = hashlib.sha256(data).hexdigest()
        if digest in self.known:
            return self.known[digest]
        if len(data) <= SHOWN:
            try:
                return json.dumps(data.decode())
            except UnicodeDecodeError:
                pass
        return f"{len(data)} bytes sha256:{digest[:20]}"


def below(tree, path):
    return [p for p in tree if p.startswith(path.rstrip("/") + "/") and p != path]


def apply_layer(tree, entries):
    for path, _ in entries:
        folder, name = posixpath.split(path)
        if name == ".wh..wh..opq":
            for gone in below(tree, folder):
                del tree[gone]
        elif name.startswith(".wh."):
            hidden = posixpath.join(folder, name[len(".wh."):])
            for gone in below(tree, hidden) + [hidden]:
                tree.pop(gone, None)
    for path, entry in entries:
        if posixpath.basename(path).startswith(".wh."):
            continue
        if isinstance(entry, str):
            entry = tree[entry]
        if entry.kind != "dir":
            for gone in below(tree, path):
                del tree[gone]
        parent = posixpath.dirname(path)
        while parent != "/" and (parent not in tree or tree[parent].kind != "dir"):
            tree[parent] = Entry("dir", 0o755, 0, 0)
            parent = posixpath.dirname(parent)
        tree[path] = entry


class Image:
    def __init__(self, config, digests, layers):
        self.config = config
        self.digests = digests
        self.layers = layers

    def tree(self):
        tree = {}
        for digest in self.digests:
            apply_layer(tree, self.layers[digest])
        return tree

    def lines(self, base):
        """Text: what this image adds to base (None = all of it)."""
        if base and self.digests[: len(base.digests)] != base.digests:
            base = None
        below_tree = base.tree() if base else {}
        skipped = len(base.digests) if base else 0
        skipped_history = len(base.config["history"]) if base else 0
        history = self.config.get("history") or []
        lines = [f"layers {len(self.digests) - skipped}"]
        lines += [f"{key} {json.dumps(self.config[key])}" for key in ("author", "variant")
                  if key in self.config]
        config = self.config.get("config") or {}
        lines += [f"config {key} {json.dumps(config[key], sort_keys=key in MAPS)}" for key in sorted(config)]
        lines += [history_line(entry) for entry in history[skipped_history:]]
        return [shorter(line) for line in lines + tree_lines(self.tree(), below_tree)]


def shorter(line):
    line = re.sub(r"[\x00-\x1f]", lambda match: f"\\x{ord(match[0]):02x}", line)
    if len(line) <= 1500:
        return line
    return f"{line[:80]}... sha256:{hashlib.sha256(line.encode()).hexdigest()[:20]}"


def history_line(entry):
    line = "empty" if entry.get("empty_layer") else "layer"
    created_by = entry.get("created_by", "")
    # BuildKit's words changed after docker 28.5, which showed the number of retries as a character
    created_by = re.sub(r"^HEALTHCHECK .*", "HEALTHCHECK", created_by)
    line += " " + json.dumps(created_by)
    for key, usual in (("comment", "buildkit.dockerfile.v0"), ("author", None)):
        if entry.get(key) != usual:
            line += f" {key}={json.dumps(entry.get(key))}"
    return line


def tree_lines(tree, base):
    lines, first = [], {}
    for path in sorted(tree):
        entry = tree[path]
        known = base.get(path)
        if path == "/" and entry.line(path) == "/ dir 0755 0:0":
            continue
        if id(entry) in first and entry.kind != "dir":
            lines.append(f"{path} hardlink to {first[id(entry)]}")
            continue
        if known is not None and (known is entry or known.line(path) == entry.line(path)):
            continue
        first[id(entry)] = path
        lines.append(entry.line(path))
    return lines + [f"{path} gone" for path in sorted(base) if path not in tree]
