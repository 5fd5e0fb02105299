# SPDX-License-Identifier: Apache-2.0
"""Check an OCI layout (a folder) against the image specification's JSON schemas: SCHEMAS LAYOUT.

All documents that index.json leads to, by their media types. Prints a line each."""
import json
import os
import sys

import jsonschema

schemas, layout = sys.argv[1:]
kinds = {
    "application/vnd.oci.image.index.v1+json": "image-index-schema.json",
    "application/vnd.oci.image.manifest.v1+json": "image-manifest-schema.json",
    "application/vnd.oci.image.config.v1+json": "config-schema.json",
}


def load(name):
    """The schemas name each other relative to ids that are no files: the last part is what counts."""
    with open(os.path.join(schemas, name.rsplit("/", 1)[-1])) as file:
        return json.load(file)


def check(path, name):
    with open(os.path.join(layout, path)) as file:
        document = json.load(file)
    schema = load(name)
    resolver = jsonschema.RefResolver(schema["id"], schema, handlers={"https": load})
    jsonschema.Draft4Validator(schema, resolver=resolver).validate(document)
    print(name, path)
    return document


def follow(descriptor):
    name = kinds.get(descriptor.get("mediaType"))
    if not name:
        return
    document = check("blobs/" + descriptor["digest"].replace(":", "/"), name)
    for child in document.get("manifests", []) + ([document["config"]] if "config" in document and "layers" in document else []):
        follow(child)


check("oci-layout", "image-layout-schema.json")
for top in check("index.json", "image-index-schema.json")["manifests"]:
    follow(top)
