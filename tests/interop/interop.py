#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our builder beside others, case by case.

    interop.py check [GROUP[/CASE]...]       ours against the recordings, as TAP (root)
    interop.py show GROUP/CASE...            what ours makes
    interop.py record-ours [GROUP[/CASE]...] what ours does where it differs on purpose
    interop.py live ...                      used by ./live
"""

import argparse
import difflib
import hashlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import cases as cases_
from builders import Buildah, Docker, Orlop

EXPECTED = cases_.HERE / "expected"


# ---- recordings ----

def recording_path(case, ours=False):
    return EXPECTED / f"{case.group}{'.ours' if ours else ''}.txt"


def read_recordings(path):
    found, name = {}, None
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.startswith("== "):
            name = line[3:]
            found[name] = []
        elif name is not None and line:
            found[name].append(line)
    return found


def recorded(case, ours=False):
    return read_recordings(recording_path(case, ours)).get(case.name)


def write_recordings(cases, results, ours=False):
    """Replace the recordings of these cases; those of cases that are gone go, too."""
    by_path = {}
    for case in cases:
        by_path.setdefault(recording_path(case, ours), []).append(case)
    for path, group in by_path.items():
        found = read_recordings(path)
        names = [c.name for c in cases_.load()
                 if c.group == group[0].group and (c.get("differs") or not ours)]
        for case in group:
            result = results[case.id]
            found[case.name] = result.lines + (result.check or [])
        text = "".join(f"== {n}\n" + "".join(f"{line}\n" for line in found[n]) + "\n"
                       for n in names if n in found)
        path.write_text(text.rstrip("\n") + "\n")


def comparable(lines, with_check):
    """Without what may differ: the words of errors, and the linter's if there is none to compare."""
    return ["failed" if line.startswith("failed") else line for line in lines
            if with_check or not line.startswith("check ")]


def difference(expected, result, names):
    with_check = result.check is not None
    a = comparable(expected, with_check)
    b = comparable(result.lines + (result.check or []), with_check)
    if a == b:
        return []
    return list(difflib.unified_diff(a, b, *names, lineterm="", n=0))[:60]


# ---- what is built ----

def known_contents():
    """Big files whose bytes depend on the machine."""
    busybox = Path(shutil.which("busybox")).resolve()
    return {hashlib.sha256(busybox.read_bytes()).hexdigest(): "(busybox)"}


def prepare(cases, work):
    base_tar = cases_.make_base(work / "base")
    return {case.id: cases_.prepare(case, work / "contexts", base_tar) for case in cases}


def build_ours(cases, contexts, work):
    build = os.environ.get("ORLOP_BUILD", cases_.HERE.parents[1] / "build")
    (work / "orlop").mkdir()
    ours = Orlop(work / "orlop", known_contents(), build)
    ours.all(cases, contexts, len(os.sched_getaffinity(0)))
    return ours.results


class Scratch:
    def __enter__(self):
        place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/var/tmp"
        self.path = Path(tempfile.mkdtemp(prefix="orlop-interop-", dir=place))
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path)


# ---- verdicts ----

def verdict(case, result):
    """What is wrong with our result: lines, none when it is right."""
    oracle = recorded(case)
    if oracle is None:
        return ["nothing is recorded: run tests/interop/live --record"]
    problems = []
    if case.get("differs"):
        ours = recorded(case, ours=True)
        if ours is None:
            return ["ours is not recorded: run tests/interop/interop.py record-ours"]
        if not difference(oracle, result, ("", "")):
            problems.append("it no longer differs from the oracle")
        problems += difference(ours, result, ("recorded of ours", "ours"))
    else:
        problems += difference(oracle, result, ("oracle", "ours"))
    if message := case.get("message"):
        import re
        if not result.failed or not re.search(message, result.output):
            problems.append(f"the message is not /{message}/")
    if problems and result.failed:
        problems += ["ours said: " + line for line in result.output.splitlines()[-12:]]
        problems += ["oracle: " + line for line in oracle[:1]]
    return problems


def check(cases):
    with Scratch() as work:
        results = build_ours(cases, prepare(cases, work), work)
    print(f"1..{len(cases)}")
    failed = 0
    for number, case in enumerate(cases, 1):
        problems = verdict(case, results[case.id])
        # one that has become right is no failure: its mark can go
        todo = f" # TODO {case.get('todo')}" if problems and case.get("todo") else ""
        print(f"{'not ok' if problems else 'ok'} {number} {case.id}{todo}")
        for line in problems:
            print(f"# {line}")
        failed += bool(problems) and not todo
    return failed


def show(cases, wanted):
    with Scratch() as work:
        results = build_ours(cases, prepare(cases, work), work)
    for case in cases:
        if case.group in wanted or case.id in wanted:
            print(f"== {case.id}", *results[case.id].lines, *(results[case.id].check or []), sep="\n")


def record_ours(cases):
    with Scratch() as work:
        results = build_ours(cases, prepare(cases, work), work)
    write_recordings([c for c in cases if c.get("differs")], results, ours=True)
    for path in EXPECTED.glob("*.ours.txt"):
        if path.stem.removesuffix(".ours") not in {c.group for c in cases_.load() if c.get("differs")}:
            path.unlink()


def live(arguments, cases):
    """All builders at once; 0 when the recordings are what docker does."""
    began = time.monotonic()
    work = Path(arguments.work)
    work.mkdir()
    contexts = prepare(cases, work)
    builders = [Docker] + ([] if arguments.no_buildah else [Buildah])
    results, known = {}, known_contents()
    for kind in builders:
        (work / kind.name).mkdir()
        started = time.monotonic()
        builder = kind(work / kind.name, known, arguments.peers, arguments.peers_view)
        builder.all(cases, contexts, len(os.sched_getaffinity(0)))
        results[kind.name] = builder.results
        if arguments.record and kind is Docker:
            write_recordings(cases, builder.results)
        print(f"interop: {kind.name}: {len(cases)} cases in {time.monotonic() - started:.0f} s",
              file=sys.stderr)
    started = time.monotonic()
    ours = build_ours(cases, contexts, work)
    print(f"interop: orlop: {len(cases)} cases in {time.monotonic() - started:.0f} s", file=sys.stderr)
    failed = 0
    for case in cases:
        problems = []
        if recorded(case) is None:
            problems = ["nothing is recorded"]
        else:
            problems = difference(recorded(case), results["docker"][case.id], ("recorded", "docker"))
        problems += [] if case.get("todo") else verdict(case, ours[case.id])
        failed += bool(problems)
        if problems:
            print(f"not ok {case.id}", *("# " + line for line in problems), sep="\n")
    second_opinion(cases, results, ours)
    print(f"interop: {len(cases)} cases, {failed} failed, {time.monotonic() - began:.0f} s", file=sys.stderr)
    return failed


def trees(result):
    return [line for line in result.lines if line.startswith("/")] if not result.failed else None


def second_opinion(cases, results, ours):
    """buildah's trees: where it sides with docker against us, we should think again."""
    if "buildah" not in results:
        return
    agree = 0
    for case in cases:
        docker, buildah = trees(results["docker"][case.id]), trees(results["buildah"][case.id])
        mine = trees(ours[case.id])
        agree += buildah == docker
        if buildah == docker != mine:
            print(f"# {case.id}: buildah is of docker's opinion")
        elif buildah == mine != docker:
            print(f"# {case.id}: buildah is of our opinion")
    print(f"# buildah's files are docker's in {agree} of {len(cases)} cases")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["check", "show", "record-ours", "live"])
    parser.add_argument("wanted", nargs="*")
    parser.add_argument("--work")
    parser.add_argument("--peers")
    parser.add_argument("--peers-view")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--no-buildah", action="store_true")
    arguments = parser.parse_intermixed_args()
    cases = cases_.load(arguments.wanted)
    if arguments.verb == "live":
        return live(arguments, cases) > 0
    if arguments.verb == "show":
        return show(cases, arguments.wanted)
    if arguments.verb == "record-ours":
        return record_ours(cases)
    return check(cases) > 0


if __name__ == "__main__":
    sys.exit(main())
