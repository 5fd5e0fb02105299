# SPDX-License-Identifier: Apache-2.0
"""Gives out tokens for a registry of a test: STATE USER PASSWORD; prints its port."""
import base64
import http.server
import json
import subprocess
import sys
import time
import urllib.parse

state, user, password = sys.argv[1:4]
log = open(state + "/token.log", "w", buffering=1)
der = subprocess.run(
    ["openssl", "x509", "-in", state + "/token.crt", "-outform", "DER"], capture_output=True, check=True
).stdout


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def sign(claims):
    header = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
    text = b".".join(url64(json.dumps(part).encode()) for part in (header, claims))
    command = ["openssl", "dgst", "-sha256", "-sign", state + "/token.key"]
    signature = subprocess.run(command, input=text, capture_output=True, check=True).stdout
    return (text + b"." + url64(signature)).decode()


def grant(scopes, known):
    for scope in filter(None, " ".join(scopes).split(" ")):
        kind, name, actions = scope.split(":")
        actions = actions.split(",")
        if not known:
            actions = [a for a in actions if a == "pull" and name.startswith("public/")]
        yield {"type": kind, "name": name, "actions": actions}


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, query, known, how):
        scopes = query.get("scope", [])
        log.write("%s %s %s\n" % (user if known else "-", " ".join(scopes) or "-", how))
        if known is None:
            self.send_error(401)
            return
        now = int(time.time())
        claims = {"iss": "hub", "sub": user if known else "", "aud": query["service"][0]}
        claims.update({"exp": now + 300, "nbf": now - 10, "iat": now, "jti": str(time.time_ns())})
        claims["access"] = list(grant(scopes, known))
        body = json.dumps({"token": sign(claims), "expires_in": 300}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        given = self.headers.get("Authorization")
        wanted = "Basic " + base64.b64encode((user + ":" + password).encode()).decode()
        self.answer(query, False if given is None else True if given == wanted else None, "basic")

    def do_POST(self):
        query = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        good = query.get("refresh_token") == ["identity"] and query.get("grant_type") == ["refresh_token"]
        self.answer(query, True if good else None, "refresh")

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
