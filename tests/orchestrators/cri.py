#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cri: one call of Kubernetes' Container Runtime Interface (version v1), by curl.

    cri.py SOCKET METHOD [JSON]

JSON is the request with the names of the interface's own fields; the response is printed the same way. A refused call is
its message on stderr and status 1. Only what the tests send and read is in the table of messages.
"""

import json
import struct
import subprocess
import sys

# name of a message: {field: (number, type)}; a type is a message, or str, int, bool; a list of one is
# a repeated field, "map" is one of strings.
MESSAGES = {
    "VersionRequest": {"version": (1, "str")},
    "VersionResponse": {"version": (1, "str"), "runtime_name": (2, "str"), "runtime_api_version": (4, "str")},
    "RunPodSandboxRequest": {"config": (1, "PodSandboxConfig"), "runtime_handler": (2, "str")},
    "RunPodSandboxResponse": {"pod_sandbox_id": (1, "str")},
    "PodSandboxConfig": {"metadata": (1, "PodSandboxMetadata"), "hostname": (2, "str"), "log_directory": (3, "str"),
                         "labels": (6, "map"), "annotations": (7, "map"), "linux": (8, "LinuxPodSandboxConfig")},
    "PodSandboxMetadata": {"name": (1, "str"), "uid": (2, "str"), "namespace": (3, "str"), "attempt": (4, "int")},
    "LinuxPodSandboxConfig": {"cgroup_parent": (1, "str"), "security_context": (2, "SecurityContext"),
                              "sysctls": (3, "map")},
    "SecurityContext": {"namespace_options": (1, "NamespaceOption")},
    "NamespaceOption": {"network": (1, "int"), "pid": (2, "int"), "ipc": (3, "int")},
    "StopPodSandboxRequest": {"pod_sandbox_id": (1, "str")},
    "RemovePodSandboxRequest": {"pod_sandbox_id": (1, "str")},
    "PodSandboxStatusRequest": {"pod_sandbox_id": (1, "str")},
    "PodSandboxStatusResponse": {"status": (1, "PodSandboxStatus")},
    "PodSandboxStatus": {"id": (1, "str"), "state": (3, "int"), "network": (5, "PodSandboxNetworkStatus"),
                         "runtime_handler": (9, "str")},
    "PodSandboxNetworkStatus": {"ip": (1, "str")},
    "CreateContainerRequest": {"pod_sandbox_id": (1, "str"), "config": (2, "ContainerConfig"),
                               "sandbox_config": (3, "PodSandboxConfig")},
    "CreateContainerResponse": {"container_id": (1, "str")},
    "ContainerConfig": {"metadata": (1, "ContainerMetadata"), "image": (2, "ImageSpec"), "command": (3, ["str"]),
                        "args": (4, ["str"]), "working_dir": (5, "str"), "envs": (6, ["KeyValue"]),
                        "mounts": (7, ["Mount"]), "log_path": (11, "str"), "tty": (14, "bool"),
                        "linux": (15, "LinuxContainerConfig")},
    "ContainerMetadata": {"name": (1, "str"), "attempt": (2, "int")},
    "ImageSpec": {"image": (1, "str")},
    "KeyValue": {"key": (1, "str"), "value": (2, "str")},
    "Mount": {"container_path": (1, "str"), "host_path": (2, "str"), "readonly": (3, "bool")},
    "LinuxContainerConfig": {"resources": (1, "LinuxContainerResources"),
                             "security_context": (2, "LinuxContainerSecurityContext")},
    "LinuxContainerResources": {"cpu_period": (1, "int"), "cpu_quota": (2, "int"), "cpu_shares": (3, "int"),
                                "memory_limit_in_bytes": (4, "int")},
    "UpdateContainerResourcesRequest": {"container_id": (1, "str"), "linux": (2, "LinuxContainerResources")},
    "LinuxContainerSecurityContext": {"namespace_options": (3, "NamespaceOption"), "run_as_user": (5, "Int64Value"),
                                      "readonly_rootfs": (7, "bool"), "no_new_privs": (11, "bool")},
    "Int64Value": {"value": (1, "int")},
    "StartContainerRequest": {"container_id": (1, "str")},
    "StopContainerRequest": {"container_id": (1, "str"), "timeout": (2, "int")},
    "RemoveContainerRequest": {"container_id": (1, "str")},
    "ContainerStatusRequest": {"container_id": (1, "str")},
    "ContainerStatusResponse": {"status": (1, "ContainerStatus")},
    "ContainerStatus": {"id": (1, "str"), "state": (3, "int"), "exit_code": (7, "int"), "reason": (10, "str"),
                        "message": (11, "str")},
    "ExecSyncRequest": {"container_id": (1, "str"), "cmd": (2, ["str"]), "timeout": (3, "int")},
    "ExecSyncResponse": {"stdout": (1, "str"), "stderr": (2, "str"), "exit_code": (3, "int")},
    "ContainerStatsRequest": {"container_id": (1, "str")},
    "ContainerStatsResponse": {"stats": (1, "ContainerStats")},
    "ContainerStats": {"cpu": (2, "CpuUsage"), "memory": (3, "MemoryUsage")},
    "CpuUsage": {"usage_core_nano_seconds": (2, "UInt64Value")},
    "MemoryUsage": {"working_set_bytes": (2, "UInt64Value")},
    "UInt64Value": {"value": (1, "int")},
    "ListContainersRequest": {},
    "ListContainersResponse": {"containers": (1, ["Container"])},
    "Container": {"id": (1, "str"), "pod_sandbox_id": (2, "str"), "state": (6, "int")},
    "ListPodSandboxRequest": {},
    "ListPodSandboxResponse": {"items": (1, ["PodSandbox"])},
    "PodSandbox": {"id": (1, "str"), "state": (3, "int")},
    "MapEntry": {"key": (1, "str"), "value": (2, "str")},
}


def varint(value):
    out = bytearray()
    value &= (1 << 64) - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def encode_field(number, kind, value):
    if kind in ("int", "bool"):
        return varint(number << 3) + varint(int(value))
    data = value.encode() if kind == "str" else encode(kind, value)
    return varint(number << 3 | 2) + varint(len(data)) + data


def encode(message, values):
    out = b""
    for name, value in values.items():
        number, kind = MESSAGES[message][name]
        if kind == "map":
            kind, value = ["MapEntry"], [{"key": k, "value": v} for k, v in value.items()]
        if isinstance(kind, list):
            out += b"".join(encode_field(number, kind[0], one) for one in value)
        else:
            out += encode_field(number, kind, value)
    return out


def read_varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def read_field(data, at):
    """number, value and the place behind it; of values that are not varints only bytes are of interest"""
    key, at = read_varint(data, at)
    if key & 7 == 0:
        value, at = read_varint(data, at)
        return key >> 3, value, at
    size, at = (8, at) if key & 7 == 1 else (4, at) if key & 7 == 5 else read_varint(data, at)
    return key >> 3, data[at:at + size], at + size


def decode(message, data):
    fields = {number: (name, kind) for name, (number, kind) in MESSAGES.get(message, {}).items()}
    out, at = {}, 0
    while at < len(data):
        number, value, at = read_field(data, at)
        if number not in fields:
            continue
        name, kind = fields[number]
        one = kind[0] if isinstance(kind, list) else kind
        if one == "str":
            value = value.decode()
        elif one not in ("int", "bool"):
            value = decode(one, value)
        if isinstance(kind, list):
            out.setdefault(name, []).append(value)
        else:
            out[name] = value
    return out


def call(socket, method, request):
    """the response's bytes; a message of gRPC is a byte (not compressed), its length, itself"""
    message = encode(method + "Request", request)
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "300", "--http2-prior-knowledge", "--unix-socket", socket, "-D", "/dev/stderr",
         "-H", "content-type: application/grpc", "-H", "te: trailers", "--data-binary", "@-",
         "http://localhost/runtime.v1.RuntimeService/" + method],
        input=b"\0" + struct.pack(">I", len(message)) + message, capture_output=True)
    headers = dict(line.split(": ", 1) for line in done.stderr.decode().splitlines() if ": " in line)
    if done.returncode != 0 or headers.get("grpc-status") != "0":
        sys.exit(headers.get("grpc-message", done.stderr.decode()))
    return done.stdout[5:]


def main():
    socket, method = sys.argv[1:3]
    request = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
    print(json.dumps(decode(method + "Response", call(socket, method, request))))


main()
