"""The clock of a run, from outside: one file for all its processes (clock.c says how the time goes)."""
import contextlib
import ctypes
import datetime
import mmap
import os
import pathlib
import subprocess
import threading
import time

NEVER = 2 ** 63 - 1
SLOTS, OUTSIDE, PROCESSES = 8192, 16, 1024
LATE_MS = (10, 30, 100, 300, 1000, 3000, 10000, None)
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))


class Process(ctypes.Structure):
    _fields_ = [("pid", ctypes.c_int), ("unused", ctypes.c_int), ("waits", ctypes.c_int64), ("late_max_ns", ctypes.c_int64),
                ("late", ctypes.c_int64 * len(LATE_MS))]


class Shared(ctypes.Structure):
    _fields_ = [("real_ns", ctypes.c_int64), ("mono_ns", ctypes.c_int64), ("speed_e3", ctypes.c_int64),
                ("seen_real_ns", ctypes.c_int64), ("seen_mono_ns", ctypes.c_int64), ("wall_ns", ctypes.c_int64),
                ("most", ctypes.c_int64), ("window_ns", ctypes.c_int64), ("answer_ns", ctypes.c_int64),
                ("used", ctypes.c_int), ("unused", ctypes.c_int),
                ("limits", ctypes.c_int64 * SLOTS), ("owners", ctypes.c_int * SLOTS), ("processes", Process * PROCESSES)]


class Clock:
    """begins: the wall time at which the run begins. Threads of this program take part while they wait_until and are busy."""

    def __init__(self, folder, begins, most=2000, window_s=1.0, answer_s=0.05):
        self.path, self.library = pathlib.Path(folder) / "clock", pathlib.Path(folder) / "clock.so"
        subprocess.run(["cc", "-std=gnu11", "-O2", "-shared", "-fPIC", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
                        "-o", self.library, pathlib.Path(__file__).with_name("clock.c")], check=True)
        with open(self.path, "w+b") as file:
            file.truncate(ctypes.sizeof(Shared))
            self.memory = mmap.mmap(file.fileno(), 0)
        self.all = Shared.from_buffer(self.memory)
        now = time.monotonic_ns()
        self.all.real_ns = self.all.seen_real_ns = now
        self.begin_ns = self.all.mono_ns = self.all.seen_mono_ns = now  # any would do: TLS and lws want no zero
        self.begins = begins
        self.all.wall_ns = int(begins.timestamp() * 1e9) - now
        self.all.speed_e3, self.all.most = 1000, most
        self.all.window_ns, self.all.answer_ns = int(window_s * 1e9), int(answer_s * 1e9)
        self.all.used = OUTSIDE
        for i in range(SLOTS):
            self.all.limits[i] = NEVER
        self.mine = threading.local()
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.reaper = threading.Thread(target=self.forget_the_dead, daemon=True)
        self.reaper.start()

    def environment(self):
        """For env(1), in front of a program."""
        return [f"LD_PRELOAD={self.library}", f"SOAK_CLOCK={self.path}"]

    def under(self):
        return ["env", *self.environment()]

    @contextlib.contextmanager
    def preloaded(self):
        """Programs that are started here have it."""
        kept = {k: os.environ.get(k) for k in ("LD_PRELOAD", "SOAK_CLOCK")}
        os.environ.update(entry.split("=", 1) for entry in self.environment())
        try:
            yield
        finally:
            for key, value in kept.items():
                if value is None:
                    del os.environ[key]
                else:
                    os.environ[key] = value

    def now(self):
        """Seconds since the begin of the run."""
        return (self.all.mono_ns - self.begin_ns) / 1e9

    def wall(self):
        return self.begins + datetime.timedelta(seconds=self.now())

    def limit(self, ns):
        slot = getattr(self.mine, "slot", None)
        if slot is None:
            with self.lock:
                slot = next(i for i in range(OUTSIDE) if not self.all.owners[i])
                self.all.owners[slot] = os.getpid()
            self.mine.slot = slot
        self.all.limits[slot] = ns

    def wait_until(self, at):
        """at: seconds since the begin. The time does not run away meanwhile."""
        self.limit(self.begin_ns + int(at * 1e9) + self.all.window_ns)
        while self.now() < at:
            speed = max(1.0, self.all.speed_e3 / 1000)
            time.sleep(min(0.02, max(0.0005, (at - self.now()) / speed)))
        self.limit(NEVER)

    @contextlib.contextmanager
    def busy(self):
        """What this thread does takes real time, and no more of the run's than the window beyond that."""
        self.limit(self.all.mono_ns + self.all.window_ns)
        try:
            yield
        finally:
            self.limit(NEVER)

    def until(self, condition, seconds, what, step=0.002):
        """Waits for a condition by the run's clock."""
        end = self.now() + seconds
        while True:
            value = condition()
            if value:
                return value
            if self.now() > end:
                raise AssertionError(f"waited {seconds} s of the run's time for {what}")
            time.sleep(step)

    def forget_the_dead(self):
        """A process that was killed holds nobody up."""
        def lives(pid):
            try:
                return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
            except OSError:
                return False

        while not self.over.wait(0.25):
            alive = {pid: lives(pid) for pid in set(self.all.owners[OUTSIDE:self.all.used]) - {0}}
            for i in range(OUTSIDE, self.all.used):
                pid = self.all.owners[i]
                if not alive.get(pid, True):
                    self.all.limits[i] = NEVER
                    self.all.owners[i] = 0

    def lateness(self, pid):
        """By how much moments were overslept: how many waits, the longest in ms, and how many up to each of LATE_MS."""
        for p in self.all.processes:
            if p.pid == pid:
                return {"waits": p.waits, "max_ms": p.late_max_ns / 1e6, "late": list(p.late)}
        return {"waits": 0, "max_ms": 0.0, "late": [0] * len(LATE_MS)}

    def close(self):
        self.over.set()
        self.reaper.join()
