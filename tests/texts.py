#!/usr/bin/python3
"""Every text that a command refuses with, where it is said as it stands in the code, has its Chinese in core/cli/text*.c: the CLI
looks them up by the English. Texts with figures in them, and those for want of memory, are left out."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parents[1]
LITERALS = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
SAID = (r'control_refuse\([^;]*?"[a-z_]+\.[a-z_]+",\s*' + LITERALS + r"\)",
        r"error_set\(\s*[^,;]*,\s*FC_(?!ENOMEM)[A-Z]+,\s*" + LITERALS + r"\)")


def joined(literals):
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals))


def main():
    known = set()
    for path in (ROOT / "core/cli").glob("text*.c"):
        known |= {joined(m) for m in re.findall(r"\{" + LITERALS + ",", path.read_text())}
    said = {(joined(m), path.name) for path in (ROOT / "core/control").glob("*.c") for form in SAID
            for m in re.findall(form, path.read_text())}
    if len(known) < 100 or len(said) < 50:
        sys.exit("texts.py: the tables or the refusals were not found: their form has changed")
    missing = sorted((text, name) for text, name in said if "%" not in text and text not in known)
    for text, name in missing:
        print(f"core/control/{name}: no Chinese in core/cli/text*.c: {text}")
    sys.exit(bool(missing))


main()
