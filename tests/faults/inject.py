"""The test's side of inject.c: what is to fail, and what did. The layout below is that of struct control there."""
import ctypes
import mmap
import pathlib
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FRAMES, PLACES, MODULES, NAME = 24, 1 << 16, 64, 120
KINDS = ("malloc", "realloc", "write", "sync", "open", "create", "naming", "truncate")
WAYS = ("no memory", "starved", "I/O error", "no space", "read-only", "short", "torn", "many files")
WAYS_OF = dict(malloc=("no memory", "starved"), realloc=("no memory", "starved"), write=("I/O error", "no space", "short", "torn"),
               sync=("I/O error", "no space"), open=("I/O error", "many files"),
               create=("I/O error", "no space", "read-only", "many files"), naming=("I/O error", "no space", "read-only"),
               truncate=("I/O error", "read-only"))
MEMORY, FILES = KINDS[:2], KINDS[2:]
u32, u64, i64 = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int64


class Place(ctypes.Structure):
    _fields_ = [("hash", u64), ("kind", u32), ("calls", u32), ("failed", u32), ("depth", u32), ("failed_us", i64 * len(WAYS)),
                ("frames", u64 * FRAMES)]

    def name(self):
        return KINDS[self.kind]

    def ways(self):
        return [way for i, way in enumerate(WAYS) if self.failed >> i & 1]


class Control(ctypes.Structure):
    _fields_ = [("kinds", u32), ("ways", u32), ("depth", u32), ("pause_ms", u32), ("last_ms", u32), ("most", u32), ("unused", u32), ("places", u32), ("modules", u32),
                ("overflow", u32), ("faults", u64), ("lasted", u64), ("last_us", i64), ("until_us", i64), ("last_place", u32),
                ("last_way", u32), ("module", (ctypes.c_char * NAME) * MODULES), ("table", Place * PLACES)]


class Injector:
    """In a station's folder; under() is what the gateway is run under."""

    def __init__(self, folder, depth=4):
        self.library, self.path = folder / "inject.so", folder / "inject.table"
        subprocess.run(["gcc", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC", "-shared-libgcc", "-o",
                        self.library, pathlib.Path(__file__).with_name("inject.c")], check=True)
        with open(self.path, "w+b") as file:
            file.truncate(ctypes.sizeof(Control))
            self.map = mmap.mmap(file.fileno(), ctypes.sizeof(Control))
        self.control = Control.from_buffer(self.map)
        self.control.depth = depth
        self.hashes = []

    def under(self):
        return ["env", f"LD_PRELOAD={self.library}", f"FORECOURT_INJECT={self.path}"]

    def fail(self, kinds, ways=WAYS, pause_ms=0, last_ms=0, most=1 << 31):
        """From now on, until calm(), or there were most faults. What an earlier one began is over."""
        self.control.until_us = 0
        self.control.most = most
        self.control.ways = sum(1 << WAYS.index(way) for way in ways)
        self.control.pause_ms, self.control.last_ms = pause_ms, last_ms
        self.control.kinds = sum(1 << KINDS.index(kind) for kind in kinds)

    def forget(self):
        """All may fail once more."""
        for place in self.places():
            place.failed = 0

    def calm(self):
        self.control.kinds = 0

    def lasts(self):
        """Nonzero while a fault lasts."""
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000 < self.control.until_us

    def places(self):
        known = self.hashes[:]
        if len(known) < self.control.places:  # the whole table is looked through only when there is something new
            known = [i for i, p in enumerate(self.control.table) if p.hash]
            self.hashes = known
        return [self.control.table[i] for i in known]

    def left(self, kinds, ways=WAYS):
        """Places and ways that could fail, and have not yet."""
        return sum(1 for p in self.places() if p.name() in kinds for way in WAYS_OF[p.name()] if way in ways and way not in p.ways())

    def last(self):
        """The last fault in words: how it failed and where."""
        place = self.control.table[self.control.last_place]
        return f"{place.name()}, {WAYS[self.control.last_way]}: {' < '.join(self.names([place])[0])}"

    def names(self, places):
        """Of each place its functions, innermost first: of the gateway with file and line, of a library with its name."""
        wanted = {}
        for place in places:
            for frame in place.frames[:place.depth]:
                wanted.setdefault(frame >> 48, set()).add(frame & (1 << 48) - 1)
        found = {}
        for module, offsets in wanted.items():
            path = self.control.module[module].value.decode() if module < MODULES else ""
            ordered = sorted(offsets)
            lines = []
            if path:
                lines = subprocess.run(["addr2line", "-f", "-e", path, *(hex(o - 1) for o in ordered)], capture_output=True,
                                       text=True, check=False).stdout.splitlines()
            short = pathlib.Path(path).name.split(".so")[0] or "?"
            for i, offset in enumerate(ordered):
                function, line = lines[2 * i:2 * i + 2] if 2 * i + 1 < len(lines) else ("??", "??:0")
                line = line.split(" ")[0].split(str(ROOT) + "/")[-1]
                if function == "??":
                    name = f"{short}+{offset:x}"
                elif short == "forecourtd":
                    name = f"{function} ({line})"
                else:
                    name = f"{short}:{function}"
                found[module << 48 | offset] = name
        return [[found[f] for f in place.frames[:place.depth]] for place in places]

    def close(self):
        del self.control
        self.map.close()
