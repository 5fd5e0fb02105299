# SPDX-License-Identifier: Apache-2.0
"""The builders: each takes the same case and gives a Result."""

import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cases import BASES
from image import Archive

TIMEOUT = 600


@dataclass
class Result:
    lines: list  # the image as text, or "failed: why"
    output: str  # what the builder said
    check: list = None  # what its linter said; None = it has none

    @property
    def failed(self):
        return self.lines[:1] != [] and self.lines[0].startswith("failed")


def one_line(text):
    return re.sub(r"\s+", " ", text).strip()[:300]


class Builder:
    """What all have in common. A subclass says how to build, how to get an archive, how to check."""

    def __init__(self, work, known):
        self.work = work
        self.known = known
        self.layers = {}
        self.bases = {}
        self.results = {}

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": "/root", "LC_ALL": "C"}

    def run(self, args, context, stdin=None):
        """(status, stdout, stderr) of a command in the context folder."""
        with open(context / stdin if stdin else "/dev/null", "rb") as source:
            try:
                done = subprocess.run(
                    args, cwd=context, stdin=source, capture_output=True, timeout=TIMEOUT,
                    env=self.environment(), preexec_fn=self.enter(context), check=False,
                )
            except subprocess.TimeoutExpired:
                return 124, "", f"no end after {TIMEOUT} s"
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    def enter(self, _context):
        return None

    def case(self, case, context):
        status, _, output = self.run(
            self.build_command(case) + [case.get("context", ".")], context, case.get("stdin")
        )
        result = Result(["built"] if status == 0 else [f"failed: {self.why(output)}"], output)
        check = self.check_command(case)
        if check:
            status, stdout, _ = self.run(check + [case.get("context", ".")], context, case.get("stdin"))
            result.check = check_lines(status, stdout)
        self.results[case.id] = result

    def all(self, cases, contexts, jobs):
        for case in cases:  # in order: others build on them
            if case.group == BASES:
                self.case(case, contexts[case.id])
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(lambda case: self.case(case, contexts[case.id]),
                          [case for case in cases if case.group != BASES]))
        self.read([case for case in cases if self.results[case.id].lines == ["built"]])

    def take(self, case, image):
        """The image's text, relative to the base image."""
        base = self.bases.get("base")
        if case.id == f"{BASES}/base":
            self.bases["base"] = image
        self.results[case.id].lines = image.lines(base)


def check_lines(status, stdout):
    lines = [f"check exit {status}"]
    try:
        report = json.loads(stdout)
    except ValueError:
        return lines
    for warning in report.get("warnings") or []:
        ranges = warning.get("location", {}).get("ranges") or [{"start": {"line": 0}}]
        lines.append(f"check {ranges[0]['start']['line']} {warning['ruleName']}: {warning.get('detail', '')}")
    return lines[:1] + sorted(set(lines[1:]), key=lambda line: (int(line.split()[1]), line))


class Orlop(Builder):
    name = "orlop"

    def __init__(self, work, known, build):
        super().__init__(work, known)
        self.build = Path(build)
        self.program = [str(self.build / "orlop-builder"), "--store", str(work / "store")]
        usage = subprocess.run(self.program[:1] + ["build", "--help"], capture_output=True, check=False)
        self.lints = b"--call" in usage.stdout

    def environment(self):
        env = super().environment()
        env["PATH"] = f"{self.build}:{env['PATH']}"
        return env

    def build_command(self, case):
        return self.program + ["build", "-t", case.image] + case.options

    def check_command(self, case):
        return self.program + ["build", "--call=check,format=json"] + case.options if self.lints else None

    def why(self, output):
        errors = [line for line in output.splitlines() if line.startswith("orlop-builder: ")]
        return one_line(errors[-1] if errors else output[-300:])

    def read(self, cases):
        if not cases:
            return
        path = self.work / "images.tar"
        subprocess.run(self.program + ["save", "-o", str(path)] + [case.image for case in cases],
                       check=True, env=self.environment())
        archive = Archive(path, self.known)
        images = archive.descriptors()
        for case in cases:
            prefix = "docker.io/library/" if "/" not in case.image else "docker.io/"
            self.take(case, archive.image(images[f"{prefix}{case.image}:latest"], self.layers))


class Guest(Builder):
    """A builder in the peers' root, which sees the work folder at another place."""

    def __init__(self, work, known, root, view):
        super().__init__(work, known)
        self.root, self.view, self.host = root, view, work.parent

    def inside(self, path):
        return str(path).replace(str(self.host), self.view, 1)

    def enter(self, context):
        def enter():
            os.chroot(self.root)
            os.chdir(self.inside(context))
        return enter

    def environment(self):
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return {"PATH": path, "HOME": "/root", "LC_ALL": "C"}

    def archive(self, case):
        return self.work / f"{case.group}.{case.name}.tar"

    def take_archive(self, case):
        archive = Archive(self.archive(case), self.known)
        self.take(case, archive.image(archive.index["manifests"][0], self.layers))
        self.archive(case).unlink()

    def read(self, cases):
        pass  # each was read when it was built


class Docker(Guest):
    name = "docker"

    def environment(self):
        return super().environment() | {"DOCKER_HOST": os.environ["INTEROP_SOCKET"]}

    def build_command(self, case):
        return ["docker", "build", "--progress", "plain", "--provenance=false", "--network", "host",
                "-o", f"type=oci,dest={self.inside(self.archive(case))}"] + case.options

    def check_command(self, case):
        return ["docker", "build", "--call=check,format=json"] + case.options

    def case(self, case, context):
        super().case(case, context)
        if self.results[case.id].lines == ["built"]:
            self.take_archive(case)
        if case.group == BASES:
            status, _, output = self.run(
                ["docker", "build", "-q", "--provenance=false", "-t", case.image] + case.options + ["."],
                context)
            if status:
                raise RuntimeError(f"docker cannot make {case.image}: {output}")

    def why(self, output):
        errors = [line for line in output.splitlines() if line.startswith("ERROR: ")]
        return one_line(errors[-1] if errors else output[-300:])


class Buildah(Guest):
    name = "buildah"

    def __init__(self, work, known, root, view):
        super().__init__(work, known, root, view)
        self.program = ["buildah", "--root", "/var/lib/buildah", "--runroot", "/run/buildah",
                        "--storage-driver", "overlay"]

    def build_command(self, case):
        import resource
        limits = []
        for name, kind in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC)):
            hard = resource.getrlimit(kind)[1]
            limits += ["--ulimit", f"{name}={hard}:{hard}"]
        return self.program + ["bud", "--layers", "--network", "host", "--pull=never"] + limits + [
            "-t", f"localhost/{case.image}"] + case.options

    def check_command(self, case):
        return None

    def case(self, case, context):
        super().case(case, context)
        if self.results[case.id].lines == ["built"]:
            status, _, output = self.run(
                self.program + ["push", "-q", f"localhost/{case.image}",
                                f"oci-archive:{self.inside(self.archive(case))}"], context)
            if status:
                self.results[case.id].lines = [f"failed: push: {one_line(output)}"]
            else:
                self.take_archive(case)

    def why(self, output):
        return one_line(output[-300:])
