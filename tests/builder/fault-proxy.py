# SPDX-License-Identifier: Apache-2.0
"""A proxy before a registry of a test that spoils what passes: TARGET_PORT LOG FAULT...; prints its port.

	cut=N      the connection ends after N bytes of a blob, each time
	status=N   the first request for a blob is answered with this (429, 500, with Retry-After: 0)
X
	corrupt    one byte of each blob is another one
	corrupt-below=N  the same of blobs of less than N bytes
	slow=N     blobs of a MiB and more come in N pieces, one each tenth of a second; a line "left PATH"
	           in the log when the client does not take them all
	cut-put=N  the connection ends after N bytes of an upload's PUT, the first time

LOG gets a line for each request: method, path, Range or Content-Range, and whether it had credentials."""
import http.client
import http.server
import sys
import time

target, log = int(sys.argv[1]), open(sys.argv[2], "w", buffering=1)
faults = dict((word.split("=") + [""])[:2] for word in sys.argv[3:])
once = set()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def first(self, what):
        new = what not in once
        once.add(what)
        return new

    def pass_on(self):
        is_blob = "/blobs/sha256:" in self.path and self.command == "GET"
        span = self.headers.get("Range") or self.headers.get("Content-Range") or "-"
        secret = "secret" if self.headers.get("Authorization") else "open"
        log.write("%s %s %s %s\n" % (self.command, self.path, span, secret))
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
        if self.command == "PUT" and "cut-put" in faults and size > int(faults["cut-put"]) and self.first("put"):
            self.rfile.read(int(faults["cut-put"]))
            self.close_connection = True
            self.connection.close()
            return
        body = self.rfile.read(size)
        upstream = http.client.HTTPConnection("127.0.0.1", target)
        upstream.request(self.command, self.path, body, dict(self.headers))
        answer = upstream.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "date", "server"):
                self.send_header(name, value)
        self.end_headers()
        if is_blob and "corrupt" in faults and data:
            data = bytes([data[0] ^ 1]) + data[1:]
        if is_blob and 0 < len(data) < int(faults.get("corrupt-below") or 0):
            data = bytes([data[0] ^ 1]) + data[1:]
        if is_blob and "slow" in faults and len(data) >= 1 << 20:
            self.trickle(data, int(faults["slow"]))
            return
        if is_blob and "cut" in faults and len(data) > int(faults["cut"]):
            self.wfile.write(data[: int(faults["cut"])])
            self.close_connection = True
            return
        if self.command != "HEAD":
            self.wfile.write(data)

    def trickle(self, data, pieces):
        step = len(data) // pieces + 1
        try:
            for start in range(0, len(data), step):
                self.wfile.write(data[start : start + step])
                time.sleep(0.1)
        except OSError:
            log.write("left %s\n" % self.path)
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_port, flush=True)
server.serve_forever()
