#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""validate.py NAME FILE...: each JSON document of the files against man/schema/NAME.json.

A file may hold several documents one after another, as several PIDs give. Duplicate members and
NaN are errors too, which json.load would let pass.
"""
import json
import pathlib
import sys
import warnings

try:
    import jsonschema
    import jsonschema.validators
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "man" / "schema"


def unique(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member among " + ", ".join(k for k, _ in pairs))
    return members


def no_constant(word):
    raise ValueError(word + " is no JSON")


def documents(text):
    decoder = json.JSONDecoder(object_pairs_hook=unique, parse_constant=no_constant)
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return
        document, at = decoder.raw_decode(text, at)
        yield document


def validator(name):
    schemas = {p.name: json.loads(p.read_text("utf-8")) for p in SCHEMAS.glob("*.json")}
    schema = schemas[name + ".json"]
    cls = jsonschema.validators.validator_for(schema)
    for s in schemas.values():
        cls.check_schema(s)
    with warnings.catch_warnings():
        # The replacement of RefResolver does not exist before 4.18.
        warnings.simplefilter("ignore", DeprecationWarning)
        resolver = jsonschema.RefResolver(name + ".json", schema, store=schemas)
        return cls(schema, resolver=resolver)


def main():
    check = validator(sys.argv[1])
    bad = 0
    for path in sys.argv[2:]:
        count = 0
        for document in documents(pathlib.Path(path).read_text("utf-8")):
            count += 1
            for error in sorted(check.iter_errors(document), key=lambda e: list(map(str, e.path))):
                where = "/".join(str(p) for p in error.path)
                print(f"{path}: document {count}: {where}: {error.message[:300]}")
                bad += 1
        if not count:
            print(f"{path}: holds no document")
            bad += 1
    return 1 if bad else 0


sys.exit(main())
