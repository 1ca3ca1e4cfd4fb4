"""A client of the admin page's API: a browser's session, or a program's token. Shares no code with the page."""
import contextlib
import http.client
import json
import re
import ssl


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:200]!r}>"


class Client:
    def __init__(self, station, token=None, source=None):
        self.station, self.token, self.source = station, token, source
        self.cookie = self.csrf = None

    def context(self):
        context = ssl.create_default_context(cafile=self.station.certs / "ca.pem")
        return context

    def connect(self, timeout=60):
        return http.client.HTTPSConnection("localhost", self.station.admin_port, timeout=timeout, context=self.context(),
                                           source_address=(self.source, 0) if self.source else None)

    def ask(self, method, path, body=None, headers=None, csrf=True, timeout=60):
        """One request as a browser's own page would send it; headers add to that or replace it (None takes one away)."""
        sent = {"Origin": f"https://localhost:{self.station.admin_port}", "Sec-Fetch-Site": "same-origin"} if not self.token else {}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if self.cookie:
            sent["Cookie"] = f"__Host-forecourt={self.cookie}"
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if method == "POST":
            sent["Content-Type"] = "application/json"
            if csrf and self.csrf:
                sent["X-Forecourt-Csrf"] = self.csrf
        sent.update(headers or {})
        with contextlib.closing(self.connect(timeout)) as connection:
            connection.request(method, path, body=body, headers={k: v for k, v in sent.items() if v is not None})
            response = connection.getresponse()
            return Answer(response, response.read())

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.ask("POST", path, {} if body is None else body, **more)

    def take(self, answer):
        """The session that an answer brings."""
        found = re.search(r"__Host-forecourt=([0-9a-f]*);", answer.headers.get("Set-Cookie", ""))
        if found:
            self.cookie = found.group(1) or None
        if answer.status == 200:
            self.csrf = answer.json.get("csrf")
        return answer

    def login(self, user, password):
        return self.take(self.post("/api/login", {"user": user, "password": password}))

    def change(self, old, new):
        return self.take(self.post("/api/password", {"old": old, "new": new}))

    def logout(self):
        return self.take(self.post("/api/logout"))


def one_time_password(station):
    return station.one_time_password()


PASSWORD = "correct horse 7"


def administrator(station):
    """The first log-in of a new station: the one-time password, and an own one."""
    client = Client(station)
    first = one_time_password(station)
    answer = client.login("admin", first)
    assert answer.status == 200, answer
    answer = client.change(first, PASSWORD)
    assert answer.status == 200, answer
    return client
