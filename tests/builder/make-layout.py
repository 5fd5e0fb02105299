# SPDX-License-Identifier: Apache-2.0
"""An OCI layout in FOLDER for tests of pulls. Words behind it change the image: "wrong-diff-id",
"platforms" (an index of two), "big" (a layer of 8 MiB that does not compress), "ports" (words for JSON among what it
exposes)."""
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

folder, words = sys.argv[1], sys.argv[2:]
os.makedirs(folder + "/blobs/sha256", exist_ok=True)
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def put(data, media_type, **more):
    digest = hashlib.sha256(data).hexdigest()
    with open(folder + "/blobs/sha256/" + digest, "wb") as file:
        file.write(data)
    return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data), **more}


def tar(*entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content, mode, owner in entries:
            info = tarfile.TarInfo(name.rstrip("/"))
            info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            info.mode, (info.uid, info.gid), info.mtime = mode, owner, 1000000000
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def image(architecture):
    tars = [
        tar(("deck/", b"", 0o750, (7, 8)), ("deck/old", b"old\n", 0o644, (0, 0))),
        tar(("deck/.wh.old", b"", 0o644, (0, 0)), ("deck/new", b"new\n", 0o644, (0, 0))),
        tar(("top", architecture.encode(), 0o644, (0, 0))),
    ]
    if "big" in words:
        tars.append(tar(("big", os.urandom(8 << 20), 0o644, (0, 0))))
    zstd = subprocess.run(["zstd", "-q", "-c"], input=tars[1], capture_output=True, check=True).stdout
    kind = "application/vnd.oci.image.layer.v1.tar"
    layers = [put(gzip.compress(tars[0], mtime=0), kind + "+gzip"), put(zstd, kind + "+zstd")]
    layers += [put(t, kind) for t in tars[2:]]
    ids = ["sha256:" + hashlib.sha256(t).hexdigest() for t in tars]
    if "wrong-diff-id" in words:
        ids[2] = ids[1]
    config = {"architecture": architecture, "os": "linux", "config": {"Env": ["A=" + architecture]}}
    if "ports" in words:
        bad = '80/tcp","range":1},{"container_port":22,"host_port":22,"host_ip":"","protocol":"tcp'
        config["config"]["ExposedPorts"] = {"80/tcp": {}, "0/tcp": {}, "53/udp": {}, "9/icmp": {}, bad: {}}
    config["rootfs"] = {"type": "layers", "diff_ids": ids}
    described = put(json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": layers}
    platform = {"architecture": architecture, "os": "linux"}
    return put(json.dumps(manifest).encode(), MANIFEST), platform


host = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
top, _ = image(host)
if "platforms" in words:
    both = [dict(one, platform=platform) for one, platform in (image("riscv64"), image(host))]
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": both}
    top = put(json.dumps(index).encode(), INDEX)
with open(folder + "/index.json", "w") as file:
    json.dump({"schemaVersion": 2, "mediaType": INDEX, "manifests": [top]}, file)
with open(folder + "/oci-layout", "w") as file:
    file.write('{"imageLayoutVersion":"1.0.0"}')
