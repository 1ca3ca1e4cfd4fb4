"""A machine in QEMU, as a class: start, speak with it, pull its plug.

Its console is kept in a file. Commands go to a small agent in the guest (agent.sh) over a virtio-serial port, so that what the kernel
prints can't get between. power_off() is SIGKILL: the guest sees nothing coming, and what its disk (disk.py) had not flushed is gone."""
import base64
import pathlib
import re
import socket
import subprocess
import time


class Machine:
    """command: QEMU with all options but those of console, agent and monitor, which are added here. ports: more virtio-serial ports, name to
    socket path."""

    def __init__(self, command, folder, ports=None):
        self.command, self.folder, self.ports = [str(c) for c in command], pathlib.Path(folder), ports or {}
        self.console_path = self.folder / "console.log"
        self.agent_path = self.folder / "agent.sock"
        self.process = self.agent = None
        self.connected = None  # called at each start when QEMU's sockets are there, before the guest runs
        self.boots = self.asked = 0
        self.rest = b""

    def start(self, ready, timeout):
        """Boots; returns when the console shows the pattern: the seconds that it took."""
        begun = time.monotonic()
        self.boots += 1
        ports = []
        for name, path in {"agent": self.agent_path, **self.ports}.items():
            path.unlink(missing_ok=True)
            ports += ["-chardev", f"socket,id={name},path={path},server=on,wait=off", "-device", f"virtserialport,chardev={name},name={name}"]
        with open(self.console_path, "ab") as console:
            console.write(f"\n--- start {self.boots}\n".encode())
            console.flush()
            self.console_begin = console.tell()
            self.process = subprocess.Popen(
                [*self.command, "-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot", "-device", "virtio-serial-pci", *ports],
                stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, start_new_session=True)
        self.wait(lambda: all(path.exists() for path in (self.agent_path, *self.ports.values())), 60, "QEMU's sockets")
        self.agent = socket.socket(socket.AF_UNIX)
        self.agent.connect(str(self.agent_path))
        self.rest = b""
        if self.connected:
            self.connected()
        self.wait_line(ready, timeout)
        return time.monotonic() - begun

    def console(self):
        """What was printed since the last start."""
        with open(self.console_path, "rb") as f:
            f.seek(self.console_begin)
            return f.read().decode(errors="replace").replace("\r", "")

    def wait_line(self, pattern, timeout):
        return self.wait(lambda: re.search(pattern, self.console()), timeout, f"{pattern!r} on the console")

    def wait(self, condition, timeout, what):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            if self.process.poll() is not None:
                raise RuntimeError(f"QEMU ended with {self.process.returncode} while waiting for {what}")
            time.sleep(0.1)
        raise RuntimeError(f"no {what} in {timeout} s")

    def run(self, script, timeout=120, check=True):
        """A shell script in the guest: what it printed (both streams). check: a RuntimeError when it fails; else (exit code, text)."""
        self.asked += 1
        self.agent.settimeout(timeout)
        self.agent.sendall(f"{self.asked} {base64.b64encode(script.encode()).decode()}\n".encode())
        while True:
            while b"\n" not in self.rest:
                try:
                    part = self.agent.recv(65536)
                except TimeoutError:
                    raise RuntimeError(f"the guest does not answer in {timeout} s: {script[:200]}") from None
                if not part:
                    raise ConnectionResetError("the machine is off")
                self.rest += part
            line, self.rest = self.rest.split(b"\n", 1)
            words = line.decode(errors="replace").split(" ")
            if words[0] == str(self.asked):  # an older one's answer comes when that had a time-out
                break
        code, text = int(words[1]), base64.b64decode(words[2]).decode(errors="replace")
        if check and code:
            raise RuntimeError(f"exit {code} in the guest: {script[:200]}\n{text[-2000:]}")
        return text if check else (code, text)

    def put(self, path, text, mode="0644", owner="root:root"):
        """A file in the guest."""
        data = base64.b64encode(text.encode()).decode()
        self.run(f"umask 077; printf %s '{data}' | base64 -d >{path}.new && chown {owner} {path}.new && chmod {mode} {path}.new && mv {path}.new {path}")

    def power_off(self):
        """Hard: nobody in the guest is told."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
        if self.agent:
            self.agent.close()
            self.agent = None
