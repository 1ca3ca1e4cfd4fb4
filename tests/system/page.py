"""A page that is open, for tests: logged in, and what it knows by its live connection."""
import time
import urllib.parse

import page_client
import websocket

PASSWORD = "correct horse 7 battery"


def merge(target, patch):
    """RFC 7386, section 2."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = merge(target.get(name), value)
    return target


class Page(page_client.Client):
    """Logged in as the first user, with the one-time password from the console, which is changed."""

    def __init__(self, station, user="admin", password=None):
        super().__init__(station)
        self.port, self.ca = station.admin_port, station.certs / "ca.pem"
        self.origin = f"https://localhost:{self.port}"
        first = password is None
        answer = self.login(user, page_client.one_time_password(station) if first else password)
        assert answer.status == 200, answer
        if answer.json["must_change"]:
            answer = self.change(page_client.one_time_password(station), PASSWORD)
            assert answer.status == 200, answer

    def look(self, command, **arguments):
        query = urllib.parse.urlencode(arguments)
        answer = self.get(f"/api/{command}{'?' if query else ''}{query}")
        assert answer.status == 200, answer
        return answer.json

    def live(self, **more):
        """The live connection; more: of websocket.WebSocket."""
        options = dict(ca=self.ca, headers={"Cookie": f"__Host-forecourt={self.cookie}"}, origin=self.origin)
        options.update(more)
        return websocket.WebSocket(self.port, **options)


class Viewer:
    """What a page knows by its live connection. It fails at a gap in the numbers."""

    def __init__(self, socket):
        self.socket = socket
        assert socket.status == 101, socket.head
        self.seq, self.data, self.connector = 0, None, None
        self.patches, self.alls, self.ticks, self.details = [], 0, 0, 0

    def step(self, timeout=None):
        """Takes one message; which kind it was."""
        said = self.socket.receive(timeout)
        if "connector" in said:
            self.connector = said["connector"]
            self.details += 1
            return "connector"
        if "all" in said:
            self.data = said["all"]
            self.seq = said["seq"]
            self.alls += 1
            return "all"
        if "patch" in said:
            assert said["seq"] == self.seq + 1, (said["seq"], self.seq)
            self.data = merge(self.data, said["patch"])
            self.seq = said["seq"]
            self.patches.append(said["patch"])
            return "patch"
        assert said["seq"] == self.seq and said["tick"] > 1e9, said
        self.ticks += 1
        return "tick"

    def until(self, condition, timeout=60):
        end = time.monotonic() + timeout
        while not condition(self):
            left = end - time.monotonic()
            assert left > 0, "it never came"
            self.step(left)
