# SPDX-License-Identifier: Apache-2.0
"""A proxy before a registry of a test that spoils what passes: TARGET_PORT LOG FAULT...; prints its port.

	cut=N      the connection ends after N bytes of a blob, each time
	status=N   the first request for a blob is answered with this (429, 500, with Retry-After: 0)
X
	corrupt    one byte of each blob is another one
	corrupt-below=N  the same of blobs of less than N bytes
	gather=WORD|WORD...:N  N requests with one of the words in their path are there at once before one is answered
	           ("met WORD|WORD..." in the log), else they get 500 after a minute; several of these with "+" between them
	endless=STATUS  requests for manifests are answered with this and a body that does not end
	endless-headers  the same with headers
	slow=N     blobs of a MiB and more come in N pieces, one each tenth of a second; a line "left PATH"
	           in the log when the client does not take them all
	until=FILE  blobs of a MiB and more come to the half, and the rest when FILE exists; "left PATH" as above
	meet=N     blobs of 256 KiB and more are answered when N different ones have been asked for, and with 504
	           when that takes a minute
	put-status=N  the first request of each kind that sends something (POST, PUT, PATCH) is answered with this
	put-away=URL  the first such request of each kind is sent to the same path of URL (nothing: here) with 307
	put-slow=S    such requests are answered after so many seconds
	put-corrupt   one byte of each body that is sent is another one
	put-hold=N    of what is sent N bytes pass; from then on such requests are taken in and never answered
	cut-patch=N   the connection ends after N bytes of an upload's PATCH, the first time
	put-mute   an upload's PUT is passed on, and the connection ends without an answer, the first time
	no-patch   each PATCH is answered with 405
	port=N     the proxy's own port, which one that still runs may have (else any that is free)

LOG gets a line for each request: method, path, Range or Content-Range, and whether it had credentials;
and "body SIZE" for each body of a PUT or PATCH that has come whole and is passed on. One that breaks off is not,
as by proxies that collect requests."""
import http.client
import http.server
import os
import socket
import sys
import threading
import time

target, log = int(sys.argv[1]), open(sys.argv[2], "a", buffering=1)  # a test may empty it
faults = dict((word.split("=") + [""])[:2] for word in sys.argv[3:])
once = set()
asked, asked_more = set(), threading.Condition()


def has_met(path):
    with asked_more:
        asked.add(path)
        asked_more.notify_all()
        return asked_more.wait_for(lambda: len(asked) >= int(faults["meet"]), 60)


passed = 0
lock = threading.Lock()
meetings = {}
for word in faults.get("gather", "").split("+"):
    if word:
        name, count = word.rsplit(":", 1)
        meetings[name] = threading.Barrier(int(count), lambda name=name: log.write("met %s\n" % name))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def first(self, what):
        with lock:
            new = what not in once
            once.add(what)
            return new

    def pass_on(self):
        is_blob = "/blobs/sha256:" in self.path and self.command == "GET"
        span = self.headers.get("Range") or self.headers.get("Content-Range") or "-"
        secret = "secret" if self.headers.get("Authorization") else "open"
        log.write("%s %s %s %s\n" % (self.command, self.path, span, secret))
        if "/manifests/" in self.path and ("endless" in faults or "endless-headers" in faults):
            self.babble()
            return
        if not self.gather():
            self.send_error(500)
            return
        if is_blob and "status" in faults and self.first("status"):
            self.send_response(int(faults["status"]))
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if is_blob and "away" in faults and secret == "secret":
            self.send_response(307)
            self.send_header("Location", faults["away"] + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        size = int(self.headers.get("Content-Length") or 0)
        is_sent = self.command in ("POST", "PUT", "PATCH")
        if is_sent and "put-status" in faults and self.first(self.command + self.path.split("/")[-2]):
            self.rfile.read(size)
            self.send_response(int(faults["put-status"]))
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if is_sent and "put-away" in faults and self.first(self.command + self.path.split("/")[-2]):
            self.rfile.read(size)
            self.send_response(307)
            self.send_header("Location", faults["put-away"] + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if is_sent and "put-slow" in faults:
            time.sleep(float(faults["put-slow"]))
        if self.command == "PATCH" and "no-patch" in faults:
            self.rfile.read(size)
            self.send_error(405)
            return
        if self.command == "PATCH" and "cut-patch" in faults and size > int(faults["cut-patch"]) and self.first("cut"):
            self.rfile.read(int(faults["cut-patch"]))
            self.close_connection = True
            self.connection.close()
            return
        body = self.rfile.read(size)
        if len(body) < size:
            self.close_connection = True
            return
        if is_sent and size and self.is_held(size):
            log.write("held\n")
            self.rfile.read(1)
            self.close_connection = True
            return
        if is_sent and "put-corrupt" in faults and body:
            body = body[:-1] + bytes([body[-1] ^ 1])
        upstream = http.client.HTTPConnection("127.0.0.1", target)
        upstream.request(self.command, self.path, body, dict(self.headers))
        answer = upstream.getresponse()
        data = answer.read()
        if is_blob and "meet" in faults and len(data) >= 1 << 18 and not has_met(self.path):
            self.send_error(504)
            return
        if self.command == "PUT" and "/uploads/" in self.path and "put-mute" in faults and self.first("mute"):
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "date", "server"):
                self.send_header(name, value)
        self.end_headers()
        if is_blob and "corrupt" in faults and data:
            data = bytes([data[0] ^ 1]) + data[1:]
        if is_blob and 0 < len(data) < int(faults.get("corrupt-below") or 0):
            data = bytes([data[0] ^ 1]) + data[1:]
        if is_blob and len(data) >= 1 << 20 and ("slow" in faults or "until" in faults):
            self.send_slowly(self.trickle if "slow" in faults else self.halt, data)
            return
        if is_blob and "cut" in faults and len(data) > int(faults["cut"]):
            self.wfile.write(data[: int(faults["cut"])])
            self.close_connection = True
            return
        if self.command != "HEAD":
            self.wfile.write(data)

    def babble(self):
        self.close_connection = True
        try:
            self.send_response(int(faults.get("endless", 200)))
            self.flush_headers()
            if "endless-headers" in faults:
                while True:
                    self.wfile.write(b"X-More: %s\r\n" % (b"x" * 4000))
            self.send_header("Location", self.path + "x")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while True:
                self.wfile.write(b"1000\r\n%s\r\n" % (b"x" * 4096))
        except OSError:
            log.write("left\n")

    def gather(self):
        for name, barrier in meetings.items():
            if any(word in self.path for word in name.split("|")) and self.first((name, self.path)):
                try:
                    barrier.wait(60)
                except threading.BrokenBarrierError:
                    return False
        return True

    def is_held(self, size):
        global passed
        with lock:
            if "put-hold" in faults and passed + size > int(faults["put-hold"]):
                return True
            passed += size
            log.write("body %d\n" % size)
            return False

    def send_slowly(self, send, data):
        try:
            send(data)
        except OSError:
            log.write("left %s\n" % self.path)
            self.close_connection = True

    def trickle(self, data):
        step = len(data) // int(faults["slow"]) + 1
        for start in range(0, len(data), step):
            self.wfile.write(data[start : start + step])
            time.sleep(0.1)

    def halt(self, data):
        half = len(data) // 2
        self.wfile.write(data[:half])
        while not os.path.exists(faults["until"]):
            time.sleep(0.02)
        self.wfile.write(data[half:])

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self):
        # the next proxy gets a port from the one before, so that nobody else can
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()


server = Server(("127.0.0.1", int(faults.get("port", 0))), Handler)
print(server.server_port, flush=True)
server.serve_forever()
