#!/usr/bin/python3
"""Holds the includes of core/ against the layers of DESIGN.md: a room may include only rooms below it."""
import pathlib
import re
import sys

LAYERS = [
    # main above cli: on a box both are one program (CONFIG_ONE_PROGRAM).
    {"main"},
    {"cli", "sim"},
    {"admin"},
    {"control"},
    {"upstream"},
    {"charge"},
    {"station"},
    {"device"},
    {"bus"},
    {"script", "store"},
    {"config", "loop"},
    {"base"},
]
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}
# The simulators must not share the code under test: transport and plain helpers only.
SIM_MAY = {"sim", "base", "loop"}
ONLY_SCRIPT = re.compile(r"#include [<\"](lua|lauxlib|lualib)")


def problems(core):
    for path in sorted(core.glob("*/*.[ch]")):
        room = path.parent.name
        if room not in RANK:
            yield f"{path}: room {room} is not in DESIGN.md's layers"
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if room != "script" and ONLY_SCRIPT.match(line):
                yield f"{path}:{number}: only core/script/ includes Lua"
            found = re.match(r'#include "([a-z]+)/', line)
            if not found:
                continue
            other = found.group(1)
            if other not in RANK:
                yield f"{path}:{number}: unknown room {other}"
            elif room == "sim" and other not in SIM_MAY:
                yield f"{path}:{number}: a simulator must not use core/{other}/"
            elif other != room and RANK[other] <= RANK[room]:
                yield f"{path}:{number}: core/{room}/ must not include core/{other}/ (not below it)"


def main():
    found = list(problems(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "core")))
    print("\n".join(found) if found else "layers: every include runs downwards")
    return 1 if found else 0


sys.exit(main())
