"""One page that names its visitor, and the same under a name given in the address."""

import hashlib

from flask import Flask
from markupsafe import escape

app = Flask(__name__)


def identity(name):
    """A short mark that stays the same for the same name."""
    return hashlib.sha256(name.encode()).hexdigest()[:12]


@app.route("/")
@app.route("/<name>")
def page(name="stranger"):
    return f"<!DOCTYPE html><title>identidock</title><p>Hello {escape(name)}, you are {identity(name)}\n"


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000, debug=True)
