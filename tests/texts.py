#!/usr/bin/python3
"""Every text that a command refuses with, where it is said as it stands in the code, has its Chinese in core/cli/text*.c: the CLI
looks them up by the English. Texts with figures in them, and those for want of memory, are left out. And the cause of every alarm, by its
key, is there in Chinese for the CLI and in both languages for the page."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parents[1]
LITERALS = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
SAID = (r'control_refuse\([^;]*?"[a-z_]+\.[a-z_]+",\s*' + LITERALS + r"\)",
        r"error_set\(\s*[^,;]*,\s*FC_(?!ENOMEM)[A-Z]+,\s*" + LITERALS + r"\)")


def joined(literals):
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals))


def causes():
    """What is missing of the alarms' causes, as lines."""
    form = r'"((?:fault|offline|value|limit|can|bus|unit|orders|platform|script|store|clock|config|watchdog)\.[a-z_]+)"'
    files = [*(ROOT / "core/control").glob("alarms*.c"), ROOT / "core/upstream/peer_judge.c"]
    said = {key for path in files for key in re.findall(form, path.read_text())}
    cli = set(re.findall(r"\{" + form + ",", (ROOT / "core/cli/alarms.c").read_text()))
    page = re.findall(form + ":", (ROOT / "rootfs/www/src/text/station.ts").read_text())
    if len(said) < 25 or len(page) < 50:
        sys.exit("texts.py: the alarms' causes were not found: their form has changed")
    yield from (f"core/cli/alarms.c: no Chinese for the cause {key}" for key in sorted(said - cli))
    yield from (f"rootfs/www/src/text/station.ts: {page.count(key)} of two texts for the cause {key}" for key in sorted(said) if page.count(key) != 2)


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
    wanting = list(causes())
    print("\n".join(wanting), end="\n" * bool(wanting))
    sys.exit(bool(missing or wanting))


main()
