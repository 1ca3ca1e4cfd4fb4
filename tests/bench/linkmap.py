"""Who of a program takes how much: by its link map (forecourtd.map, which the linker writes beside it), a room of ours or a library each.

The map names members of libforecourt.a without their folders; where two rooms have a file of one name, the one whose object has a section
of that name and size is meant."""
import collections
import functools
import pathlib
import re
import subprocess

# .text and .rodata lie in the file and in memory, .data in both, .bss in memory alone.
KINDS = {".text": "code", ".rodata": "code", ".eh_frame": "code", ".data": "data", ".init_array": "data", ".bss": "bss", ".tbss": "bss",
         ".tdata": "data"}
PLACED = re.compile(r"^ (\.[\w.$*-]+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (.+)$")


def kind_of(section):
    return next((kind for name, kind in KINDS.items() if section == name or section.startswith(name + ".")), None)


@functools.lru_cache(maxsize=None)
def sections_of(path):
    out = subprocess.run(["readelf", "-SW", path], capture_output=True, text=True, check=True).stdout
    return {(m[1], int(m[2], 16)) for m in re.finditer(r"\]\s+(\.\S+)\s+\S+\s+[0-9a-f]+ [0-9a-f]+ ([0-9a-f]+)", out)}


def owner_of(build, where, section, size, objects):
    archive = re.search(r"([^/]+)\.a\(([^)]+)\)$", where)
    if archive and archive[1] == "libforecourt":
        found = objects.get(archive[2], [])
        if len(found) > 1:
            found = [p for p in found if (section, size) in sections_of(p)] or found
        return f"core/{found[0].parent.name}" if found else "core/?"
    if archive:
        return archive[1]
    own = re.search(r"/obj/core/(\w+)/", where)
    return f"core/{own[1]}" if own else "start files"


def shares(build):
    """Bytes by owner and kind; None when there is no map."""
    path = pathlib.Path(build) / "forecourtd.map"
    if not path.exists():
        return None
    objects, found = collections.defaultdict(list), collections.defaultdict(collections.Counter)
    for file in sorted((pathlib.Path(build) / "obj" / "core").rglob("*.o")):
        objects[file.name].append(file)
    # A long name stands on a line of its own; what is thrown away stands before the memory map, at address 0.
    text = re.sub(r"\n (\.\S+)\n\s+0x", r"\n \1 0x", path.read_text(errors="replace"))
    for line in text[text.index("Linker script and memory map"):].splitlines():
        m = PLACED.match(line)
        kind = m and kind_of(m[1])
        if kind and int(m[3], 16) and int(m[2], 16):
            found[owner_of(build, m[4], m[1], int(m[3], 16), objects)][kind] += int(m[3], 16)
    return found


def rows(build):
    found = shares(build)
    if not found:
        return [("  by room and library", "SKIPPED: there is no forecourtd.map: made with an earlier Makefile")]
    return [(f"    {owner}: code and constants; data; bss", "; ".join(f"{n[k] / 1e3:.1f}" for k in ("code", "data", "bss")) + " kB")
            for owner, n in sorted(found.items(), key=lambda e: -sum(e[1].values()))]
