# SPDX-License-Identifier: Apache-2.0
"""What is in a root file system, a line an entry: tree.py FOLDER, or an archive of one on standard input. Names, modes,
owners, times, capabilities, contents and links; of hard links each line has the first name. What engines put into the
root of a container is left out, and so is the time of etc, where they put some of it."""
import hashlib
import os
import stat
import sys
import tarfile

CAPABILITY = "security.capability"
ENGINES = ("dev", "proc", "sys", "run", ".dockerenv", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab")


def is_of_engine(name):
    return any(name == mine or name.startswith(mine + "/") for mine in ENGINES)


def line(name, kind, mode, owner, time, detail, capability):
    time = "-" if name == "etc" else str(int(time))
    return [name, kind, "%04o" % (mode & 0o7777), "%d:%d" % owner, time, detail, capability.hex() or "-"]


def of_folder(root):
    for folder, folders, files in os.walk(root):
        for entry in folders + files:
            path = os.path.join(folder, entry)
            name = os.path.relpath(path, root)
            st = os.lstat(path)
            kind, detail, capability, same = "other", "%d" % st.st_rdev, b"", None
            if stat.S_ISDIR(st.st_mode):
                kind, detail = "folder", "-"
            elif stat.S_ISLNK(st.st_mode):
                kind, detail = "link", os.readlink(path)
            elif stat.S_ISREG(st.st_mode):
                with open(path, "rb") as file:
                    kind, detail = "file", hashlib.sha256(file.read()).hexdigest()
                same = (st.st_dev, st.st_ino) if st.st_nlink > 1 else None
                if CAPABILITY in os.listxattr(path):
                    capability = os.getxattr(path, CAPABILITY)
            yield same or name, line(name, kind, st.st_mode, (st.st_uid, st.st_gid), st.st_mtime_ns // 10**9, detail, capability)


def of_archive(file):
    known = {}
    with tarfile.open(fileobj=file, mode="r|", errors="surrogateescape") as archive:
        for member in archive:
            name = os.path.normpath(member.name).lstrip("/")
            if name == ".":
                continue
            if member.islnk():
                same, attributes = known[os.path.normpath(member.linkname).lstrip("/")]
                yield same, [name] + attributes
                continue
            kind, detail = "other", "%d" % os.makedev(member.devmajor, member.devminor)
            if member.isdir():
                kind, detail = "folder", "-"
            elif member.issym():
                kind, detail = "link", member.linkname
            elif member.isfile():
                kind, detail = "file", hashlib.sha256(archive.extractfile(member).read()).hexdigest()
            capability = member.pax_headers.get("SCHILY.xattr." + CAPABILITY, "").encode("utf-8", "surrogateescape")
            entry = line(name, kind, member.mode, (member.uid, member.gid), member.mtime, detail, capability)
            known[name] = name, entry[1:]
            yield name, entry


first, lines = {}, []
for same, entry in of_folder(sys.argv[1]) if len(sys.argv) > 1 else of_archive(sys.stdin.buffer):
    if not is_of_engine(entry[0]):
        first[same] = min(first.get(same, entry[0]), entry[0])
        lines.append((same, entry))
for text in sorted(" ".join(entry + [first[same]]) for same, entry in lines):
    print(text)
