"""The admin page as a hostile network sees it: who gets in, who may what, what is kept secret."""
import contextlib
import gzip
import json
import pathlib
import re
import socket
import ssl
import statistics
import subprocess
import threading
import time

import harness
import pytest
from page_client import PASSWORD, Client, administrator, one_time_password
from test_disk import Disk

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROLES = ["viewer", "operator", "integrator", "administrator"]
OPEN = {"/healthz", "/api/login", "/api/logout"}


@pytest.fixture(scope="module")
def station():
    with harness.Station(tcp=1, line_units=()) as s:
        s.start_chargers()
        s.start_gateway()
        s.admin = administrator(s)
        yield s


@pytest.fixture
def fresh():
    """A station that nobody has logged in to."""
    with harness.Station(tcp=1, line_units=()) as s:
        s.start_gateway()
        yield s


def routes(station):
    """(method, path, role or None) of everything, from the daemon's own description."""
    answer = station.admin.get("/api/openapi.json")
    assert answer.status == 200
    found = []
    for path, methods in answer.json["paths"].items():
        for method, about in methods.items():
            found.append((method.upper(), path, about.get("x-forecourt-role")))
    assert len(found) > 35
    return found


def account(station, name, role, source=None):
    """An account with an own password, logged in."""
    answer = station.admin.post("/api/account_set", {"name": name, "role": role})
    assert answer.status == 200, answer
    client = Client(station, source=source)
    given = answer.json["password"]
    assert client.login(name, given).status == 200
    answer = client.change(given, f"own words of {name}")
    assert answer.status == 200, answer
    assert answer.json["role"] == role
    return client


def token(station, role, name="t", **more):
    answer = station.admin.post("/api/token_add", {"name": name, "role": role, **more})
    assert answer.status == 200, answer
    return answer.json


# Who gets in ------------------------------------------------------------------------------------------------------------


def test_the_first_log_in_sets_an_own_password(fresh):
    first = one_time_password(fresh)
    client = Client(fresh)
    answer = client.login("admin", first)
    assert answer.status == 200 and answer.json["must_change"] is True and answer.json["role"] == "administrator"
    # Nothing else may be done, by any route.
    for path in ("/api/overview", "/api/status", "/api/openapi.json", "/metrics", "/api/accounts"):
        answer = client.get(path)
        assert (answer.status, answer.json["key"]) == (403, "account.must_change"), path
    assert client.post("/api/account_set", {"name": "eve", "role": "viewer"}).status == 403
    assert client.get("/api/session").json["must_change"] is True
    for weak in ("short", "1234567890", "password123", first):
        assert client.change(first, weak).status == 400, weak
    old = client.cookie
    assert client.change(first, PASSWORD).status == 200
    assert client.cookie != old
    assert client.get("/api/status").status == 200
    assert Client(fresh, source="127.0.0.2").login("admin", first).status == 403
    # It was in its file alone, which is gone with it; a second start makes none.
    assert first not in fresh.gateway.output()
    assert not list(fresh.folder.glob("one-time-password*"))
    fresh.gateway.stop()
    fresh.start_gateway()
    assert "one-time password" not in fresh.gateway.output()
    assert Client(fresh).login("admin", PASSWORD).status == 200
    assert client.get("/api/status").status == 401  # sessions end with the daemon


def test_an_account_of_the_configuration(fresh):
    fresh.gateway.stop()
    fresh.extra = ""
    text = fresh.config_text()
    hash_text = ("pbkdf2-sha256$1000$73616c7473616c74$135f7a66144fcf0fb003ce048f31f024ed5cbff30525d3ba0bfb3199479362a6")
    text = text.replace("config admin 'admin'\n", f"config admin 'admin'\n\toption user 'root'\n\toption password_hash '{hash_text}'\n")
    fresh.config_text = lambda: text
    fresh.start_gateway()
    assert "one-time password" not in fresh.gateway.output()
    client = Client(fresh)
    answer = client.login("root", "password")
    assert answer.status == 200 and answer.json["source"] == "configuration"
    assert client.change("password", PASSWORD).status == 409
    assert client.post("/api/account_set", {"name": "root", "role": "viewer"}).status == 409
    assert [a["source"] for a in client.get("/api/accounts").json["accounts"]] == ["configuration"]
    assert hash_text not in json.dumps(client.get("/api/accounts").json)


def test_nothing_answers_without_a_session(station):
    stranger = Client(station)
    for method, path, _ in routes(station):
        answer = stranger.ask(method, path, {} if method == "POST" else None)
        if path in OPEN:
            assert answer.status in (200, 400), (method, path, answer)
            continue
        assert answer.status == 401, (method, path, answer)
        assert set(answer.json) <= {"code", "key", "error"}
    for path in ("/api/nothing", "/api/", "/api/../api/status", "/metrics/", "/api/status/x"):
        assert stranger.get(path).status in (401, 404), path
    # The page itself tells nothing of the station.
    page = stranger.get("/")
    assert page.status == 200
    assert stranger.get("/healthz").json == {"status": "ok"}
    assert stranger.get("/health").json == {"status": "ok"}
    for cookie in ("", "0" * 64, "x" * 300, "../../etc/passwd"):
        stranger.cookie = cookie
        assert stranger.get("/api/session").status == 401


@pytest.mark.parametrize("by", ["session", "token"])
def test_roles_hold_on_every_route(station, by):
    """Every command by every role. The arguments are nonsense, so that nothing is done: whoever may hears so, others nothing of it."""
    for rank, role in enumerate(ROLES):
        if by == "token":
            client = Client(station, token=token(station, role)["token"])
        else:
            client = account(station, f"walk.{role}", role)
        for method, path, needed in routes(station):
            if needed is None or path in ("/metrics", "/api/overview", "/api/openapi.json"):
                continue
            answer = client.ask(method, path + ("?nonsense=1" if method == "GET" else ""), {"nonsense": 1} if method == "POST" else None)
            if ROLES.index(needed) <= rank:
                assert answer.status == 400 and "nonsense" in answer.json["error"], (role, path, answer)
            else:
                assert answer.status == 403 and answer.json["key"] == "role", (role, path, answer)
        assert client.get("/metrics").status == 200
        assert client.get("/api/overview").status == 200


def test_a_look_is_no_act(station):
    for method, path, _ in routes(station):
        if method == "POST":
            assert station.admin.get(path).status == 405, path
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        body = {} if method in ("PUT", "PATCH") else None
        assert station.admin.ask(method, "/api/status", body).status == 405, method
        assert station.admin.ask(method, "/", body).status == 405, method


# Other pages ------------------------------------------------------------------------------------------------------------


def test_another_page_can_do_nothing(station):
    client = account(station, "csrf", "administrator")
    body = {"name": "evil", "role": "administrator"}
    foreign = [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"https://localhost:{station.admin_port + 1}"},
        {"Origin": "https://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"X-Forecourt-Csrf": None},
        {"X-Forecourt-Csrf": ""},
        {"X-Forecourt-Csrf": "0" * 32},
        {"X-Forecourt-Csrf": client.csrf[:-1]},
        {"X-Forecourt-Csrf": station.admin.csrf},
        {"X-Forecourt-Csrf": client.csrf, "Origin": "https://evil.example"},
    ]
    for headers in foreign:
        answer = client.post("/api/account_set", body, headers=headers)
        assert answer.status == 403, (headers, answer)
    for form in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data", "application/jsonx", None):
        assert client.post("/api/account_set", body, headers={"Content-Type": form}).status == 415, form
    # A log-in by a foreign page would put its victim into the wrong account.
    for headers in foreign[:6]:
        assert Client(station).post("/api/login", {"user": "csrf", "password": "own words of csrf"}, headers=headers).status == 403
    for headers in foreign[:6]:
        assert client.get("/api/status", headers=headers).status == 403
    assert "evil" not in [a["name"] for a in client.get("/api/accounts").json["accounts"]]
    assert client.post("/api/logout", headers={"X-Forecourt-Csrf": None}).status == 403
    assert client.get("/api/session").status == 200
    # Where the browser says nothing of these, the token alone decides.
    assert client.post("/api/account_set", {"name": "evil"}, headers={"Origin": None, "Sec-Fetch-Site": None}).status == 400


def test_headers_are_on_everything(station):
    wanted = {
        "content-security-policy": ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
                                    "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "strict-transport-security": "max-age=31536000",
    }
    stranger = Client(station)
    answers = [stranger.get(p) for p in ("/", "/healthz", "/api/status", "/nothing.js", "/%2e%2e/x", "/a//b")]
    answers += [station.admin.get(p) for p in ("/api/status", "/metrics", "/api/openapi.json", "/api/none")]
    answers += [stranger.post("/api/login", {"user": "a", "password": "b"}, headers={"Origin": "https://x"}),
                stranger.get("/", headers={"Cookie": "a=" + "b" * 1500})]
    for answer in answers:
        for name, value in wanted.items():
            assert answer.headers.get(name) == value, (answer, name)
        assert "permissions-policy" in answer.headers
    for answer in (stranger.get("/api/status"), station.admin.get("/api/status"), station.admin.get("/metrics")):
        assert answer.headers["cache-control"] == "no-store"


def test_the_cookie(station):
    client = Client(station)
    answer = client.login("admin", PASSWORD)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-forecourt=") and "; Path=/;" in cookie
    for word in ("HttpOnly", "Secure", "SameSite=Strict"):
        assert word in cookie
    assert "Domain" not in cookie
    answer = client.logout()
    assert answer.status == 200 and "Max-Age=0" in answer.headers["Set-Cookie"]


def test_without_tls_the_cookie_has_its_plain_name():
    with harness.Station(tcp=1, line_units=()) as s:
        text = s.config_text().replace("config admin 'admin'\n", "config admin 'admin'\n\toption tls '0'\n")
        s.config_text = lambda: text
        s.start_gateway()
        body = json.dumps({"user": "admin", "password": one_time_password(s)}).encode()
        with socket.create_connection(("127.0.0.1", s.admin_port), timeout=30) as plain:
            plain.sendall(b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
                          b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            answer = b""
            while b"must_change" not in answer:
                part = plain.recv(65536)
                assert part, answer
                answer += part
    text = answer.decode().lower()
    assert "set-cookie: forecourt=" in text and "httponly" in text and "samesite=strict" in text
    assert "; secure" not in text and "strict-transport-security" not in text


def test_a_session_is_never_one_that_was_there(station):
    planted = "a" * 64
    client = Client(station)
    client.cookie = planted
    assert client.login("admin", PASSWORD).status == 200
    assert client.cookie not in (None, planted)
    first, csrf = client.cookie, client.csrf
    # Again: another one, and the first is over.
    assert client.login("admin", PASSWORD).status == 200
    assert client.cookie != first and client.csrf != csrf
    old = Client(station)
    for cookie in (planted, first):
        old.cookie = cookie
        assert old.get("/api/session").status == 401
    last = client.cookie
    client.logout()
    old.cookie = last
    assert old.get("/api/session").status == 401


# Guessing ----------------------------------------------------------------------------------------------------------------


def test_guessing_from_an_address_gets_slower(station):
    account(station, "target", "viewer", source="127.0.0.1")
    guesser = Client(station, source="127.0.1.1")
    waits, refused = [], 0
    end = time.monotonic() + 30
    while len(waits) < 3 and time.monotonic() < end:
        answer = guesser.login("target", "guess")
        assert answer.status in (403, 429), answer
        if answer.status == 429:
            wait = int(answer.headers["Retry-After"])
            assert answer.json["key"] == "login.wait" and wait >= 1
            # Not even the right one is looked at.
            assert guesser.login("target", "own words of target").status == 429
            waits.append(wait)
            time.sleep(wait)
        else:
            refused += 1
    assert waits == sorted(waits) and waits[-1] > waits[0], waits
    # The address is locked for every account, others are not, and the owner gets in where he did before.
    guesser.login("target", "guess")
    assert guesser.login("admin", PASSWORD).status == 429
    assert Client(station, source="127.0.0.1").login("target", "own words of target").status == 200


def test_guessing_from_many_addresses_does_not_lock_the_owner_out(station):
    account(station, "owner", "viewer", source="127.0.0.1")
    looked_at = 0
    for i in range(40):
        answer = Client(station, source=f"127.0.2.{i + 1}").login("owner", "guess")
        assert answer.status in (403, 429)
        looked_at += answer.status == 403
    # One by one they wait for the account.
    assert looked_at < 15, looked_at
    assert Client(station, source="127.0.0.1").login("owner", "own words of owner").status == 200
    # Other accounts know nothing of it.
    assert Client(station, source="127.0.3.1").login("admin", PASSWORD).status == 200


def test_a_name_that_is_none_takes_as_long(station):
    account(station, "timed", "viewer")
    times = {"timed": [], "nobody": []}
    for i in range(12):
        for k, name in enumerate(times):
            client = Client(station, source=f"127.0.{4 + k}.{i + 1}")
            begin = time.monotonic()
            answer = client.login(name if name == "timed" else f"nobody{i}", "guess")
            if answer.status == 403:
                times[name].append(time.monotonic() - begin)
    known, unknown = statistics.median(times["timed"]), statistics.median(times["nobody"])
    print(f"a wrong password: {known * 1000:.0f} ms, a wrong name: {unknown * 1000:.0f} ms")
    assert times["timed"] and len(times["nobody"]) == 12
    assert 0.4 < known / unknown < 2.5


def test_log_ins_stop_no_poll_and_no_page(station):
    """Passwords are hashed beside the loop: while many log in, everything else goes on."""
    def figures():
        found = metrics(station.admin.get("/metrics").body.decode())
        return found["forecourt_bus_polls_total"][1][0][1], found["forecourt_loop_pause_recent_seconds"][1][0][1]

    polls = figures()[0]
    stop = threading.Event()

    def hammer(i):
        n = 0
        while not stop.is_set():
            with contextlib.suppress(OSError):
                Client(station, source=f"127.1.{i}.{n % 250 + 1}").login(f"name{i}.{n}", "guess")
            n += 1

    threads = [threading.Thread(target=hammer, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    try:
        slowest, begin = 0, time.monotonic()
        while time.monotonic() - begin < 5:
            asked = time.monotonic()
            assert station.admin.get("/api/session").status == 200
            slowest = max(slowest, time.monotonic() - asked)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    after, pause = figures()
    print(f"slowest page request {slowest * 1000:.0f} ms, longest pause of the loop {pause * 1000:.1f} ms, {after - polls:.0f} polls")
    assert after > polls
    assert pause < 1  # a hash on the loop would be one of some 150 ms, time after time; eight in a row more than this


# Hostile requests --------------------------------------------------------------------------------------------------------


def raw(station, data, timeout=60, source=None):
    """Bytes to the server as they are; its answer until it closes."""
    context = ssl.create_default_context(cafile=station.certs / "ca.pem")
    with socket.create_connection(("127.0.0.1", station.admin_port), timeout=timeout,
                                  source_address=(source, 0) if source else None) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as s:
            s.sendall(data)
            answer = b""
            with contextlib.suppress(TimeoutError, ssl.SSLError, ConnectionError):
                while True:
                    part = s.recv(65536)
                    if not part:
                        break
                    answer += part
                    head, _, body = answer.partition(b"\r\n\r\n")
                    length = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
                    if length and len(body) >= int(length[0].split(b":")[1]):
                        break
            return answer


def test_no_path_leads_out(station):
    secret = station.folder / "secret.txt"
    secret.write_text("the secret")
    www = station.build / "www"
    assert www.is_dir()
    depth = "../" * 12
    paths = [f"/{depth}{secret}", f"/assets/{depth}{secret}", "/..%2f..%2f..%2fsecret.txt", "/%2e%2e/%2e%2e/etc/passwd",
             "/assets/../../secret.txt", "/assets/", "/assets/a/b.js", "/.hidden.js", "/assets/.x.js", "//etc/passwd",
             "/..;/etc/passwd", "/index.html%00.js", "/index.html/", "/\\..\\secret.txt", "/assets/%2e%2e%2findex.html",
             "/./../secret.txt", "/c:secret.txt"]
    for path in paths:
        answer = raw(station, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        status = answer.split(b" ")[1:2]
        assert b"the secret" not in answer and b"root:" not in answer, path
        # Within the folder a path may lead back to its index.
        index = (www / "index.html.gz").read_bytes()
        assert status in ([b"400"], [b"404"], []) or answer.endswith(index), (path, answer[:100])


def test_a_question_mark_alone_is_no_argument(station):
    assert [station.admin.get(f"/api/overview{query}").status for query in ("?", "?x", "?/=1")] == [200, 400, 400]


def test_what_is_too_large_is_refused(station):
    stranger = Client(station, source="127.0.9.1")
    # A stranger gets no room for a large body, somebody who is known up to a megabyte.
    assert stranger.post("/api/login", {"user": "a", "password": "b" * 5000}).status == 413
    assert stranger.post("/api/start", {"connector": "b" * 5000}).status == 413
    answer = station.admin.post("/api/start", {"connector": "b" * 900000})
    assert answer.status == 400, answer
    with contextlib.suppress(OSError):  # the connection may end before all is sent
        assert station.admin.post("/api/start", {"connector": "b" * 1100000}).status == 413
    assert stranger.get("/api/status?" + "a" * 2000).status == 413
    assert stranger.get("/" + "a" * 600).status == 400
    assert stranger.get("/", headers={"Authorization": "Bearer " + "a" * 2500}).status == 413
    answer = raw(station, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"y" * 200) for i in range(100)) + b"\r\n")
    assert b" 200 " not in answer[:20]
    nested = "[" * 5000 + "]" * 5000
    assert station.admin.post("/api/start", nested).status in (400, 413)
    for body in ("", "null", "[]", '"x"', "{", '{"connector":{"a":1}}', '{"connector":"a\\u0000b"}', "\xff"):
        assert station.admin.post("/api/start", body.encode("latin-1")).status == 400, body
    assert station.admin.get("/api/session").status == 200


def test_a_slow_client_holds_up_nobody(station):
    """Half requests from many connections: others are served at once, and the slow ones are closed."""
    context = ssl.create_default_context(cafile=station.certs / "ca.pem")
    with contextlib.ExitStack() as stack:
        slow = []
        for i in range(14):
            plain = stack.enter_context(socket.create_connection(("127.0.0.1", station.admin_port), timeout=90,
                                                                 source_address=("127.0.8.1", 0)))
            s = stack.enter_context(context.wrap_socket(plain, server_hostname="localhost"))
            if i % 2:
                s.sendall(b"GET / HTTP/1.1\r\nHo")
            else:
                s.sendall(b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
            slow.append(s)
        quick = []
        for _ in range(20):
            begin = time.monotonic()
            assert station.admin.get("/api/session").status == 200
            quick.append(time.monotonic() - begin)
        print(f"with {len(slow)} slow clients a request takes {statistics.median(quick) * 1000:.0f} ms")
        closed = 0
        for s in slow:
            with contextlib.suppress(ssl.SSLError, ConnectionError):
                while s.recv(4096):
                    pass
            closed += 1
        assert closed == len(slow)
    assert Client(station, source="127.0.8.1").get("/healthz").status == 200


def test_what_is_tried_at_once_is_bounded(station):
    """Each text that is tried beside the loop is held until its turn, whether anybody waits for it or not."""
    integrator = Client(station, token=token(station, "integrator")["token"], source="127.0.8.2")
    heavy = {"item": "lib/heavy", "text": "local x = 0 while true do x = x + 1 end return {} -- " + "y" * 100000}
    answers = []

    def check():
        answers.append(integrator.post("/api/lua_check", heavy).status)

    for _ in range(5):  # they have to meet
        answers.clear()
        threads = [threading.Thread(target=check) for _ in range(14)]
        for t in threads:
            t.start()
        # Nobody else is held up by it.
        assert station.admin.get("/api/status").status == 200
        for t in threads:
            t.join()
        print(f"of 14 checks at once {answers.count(200)} were made, {answers.count(409)} refused")
        assert set(answers) <= {200, 409} and answers.count(200) >= 8
        if 409 in answers:
            break
    assert 409 in answers
    assert integrator.post("/api/lua_check", heavy).status == 200


# Programs ----------------------------------------------------------------------------------------------------------------


def test_tokens(station):
    made = token(station, "operator", "meter.1", days=30)
    assert made["token"].startswith("fc_") and made["expires_at"] > time.time() + 29 * 86400
    program = Client(station, token=made["token"])
    answer = program.get("/api/session")
    assert answer.json == {"user": "token meter.1", "role": "operator", "csrf": "", "must_change": False, "source": "token"}
    # No browser, no CSRF; and no more than its role.
    assert program.post("/api/start", {"connector": "none"}).status == 404
    assert program.get("/api/accounts").status == 403
    assert program.change("x", "correct horse battery").status == 409
    listed = [t for t in station.admin.get("/api/tokens").json["tokens"] if t["id"] == made["id"]][0]
    assert "token" not in listed and listed["used_at"] > 0 and listed["by"] == "admin"
    audit = station.admin.get("/api/audit?limit=100").body.decode()
    assert made["token"] not in audit and '"who":"token meter.1"' in audit
    bad = Client(station, token=made["token"][:-1] + ("0" if made["token"][-1] != "0" else "1"))
    assert bad.get("/api/session").status == 401
    bad.cookie = station.admin.cookie  # whoever shows a token means it
    assert bad.get("/api/session").status == 401
    assert Client(station, token="").get("/api/session", headers={"Authorization": "Basic YTpi"}).status == 401
    assert station.admin.post("/api/token_remove", {"id": made["id"]}).status == 200
    assert program.get("/api/session").status == 401
    assert made["token"] not in station.gateway.output()
    assert made["token"].encode() not in b"".join(p.read_bytes() for p in (station.folder / "data").glob("forecourt.db*"))


# Accounts ----------------------------------------------------------------------------------------------------------------


def test_the_last_administrator_stays(fresh):
    admin = administrator(fresh)
    assert admin.post("/api/account_remove", {"name": "admin"}).status == 409
    assert admin.post("/api/account_set", {"name": "admin", "role": "viewer"}).status == 409
    assert admin.post("/api/account_set", {"name": "admin", "disabled": True}).status == 409
    assert admin.post("/api/account_set", {"name": "bad name", "role": "viewer"}).status == 400
    assert admin.post("/api/account_set", {"name": "eve", "role": "king"}).status == 400
    assert admin.post("/api/account_set", {"name": "eve"}).status == 400
    # Nobody who took over a session gets the account by it.
    assert admin.post("/api/account_set", {"name": "admin", "password": "another password"}).status == 403
    assert admin.post("/api/account_set", {"name": "admin", "reset": True}).status == 403
    fresh.admin = admin
    second = account(fresh, "second", "administrator")
    assert second.post("/api/account_remove", {"name": "admin"}).status == 200
    assert admin.get("/api/session").status == 401
    assert second.post("/api/account_remove", {"name": "second"}).status == 409


def test_a_change_ends_sessions(station):
    client = account(station, "changed", "operator")
    assert station.admin.post("/api/account_set", {"name": "changed", "role": "operator"}).status == 200
    assert client.get("/api/session").status == 200  # nothing changed
    assert station.admin.post("/api/account_set", {"name": "changed", "role": "viewer"}).status == 200
    assert client.get("/api/session").status == 401
    client.login("changed", "own words of changed")
    other = Client(station)
    other.login("changed", "own words of changed")
    assert client.change("own words of changed", "other words of changed").status == 200
    assert other.get("/api/session").status == 401 and client.get("/api/session").status == 200
    sessions = [s for s in station.admin.get("/api/sessions").json["sessions"] if s["name"] == "changed"]
    assert len(sessions) == 1
    assert station.admin.post("/api/session_end", {"id": sessions[0]["id"]}).status == 200
    assert client.get("/api/session").status == 401
    client.login("changed", "other words of changed")
    assert station.admin.post("/api/account_set", {"name": "changed", "disabled": True}).status == 200
    assert client.get("/api/session").status == 401
    assert Client(station, source="127.0.10.1").login("changed", "other words of changed").status == 403


def test_a_lost_password_is_mended_on_the_box(fresh):
    administrator(fresh)
    told = json.loads(fresh.cli("account", "set", "admin", "--reset", "--json").stdout)
    client = Client(fresh)
    answer = client.login("admin", told["password"])
    assert answer.status == 200 and answer.json["must_change"]
    assert client.change(told["password"], "another own password").status == 200
    out = fresh.cli("account", "list")
    assert out.returncode == 0 and "admin" in out.stdout and "administrator" in out.stdout
    assert "管理员" in fresh.cli("account", "list", LANG="zh_CN.UTF-8").stdout
    assert "admin" in fresh.cli("session", "list").stdout
    made = json.loads(fresh.cli("token", "add", "box", "viewer", "--days", "3", "--json").stdout)
    assert Client(fresh, token=made["token"]).get("/metrics").status == 200
    assert fresh.cli("token", "remove", made["id"]).returncode == 0
    assert fresh.cli("account", "remove", "admin").returncode == 1
    assert fresh.cli("account", "set", "admin", "--disable", "--enable").returncode == 2


def test_no_password_is_written_anywhere(station):
    secret = "a most secret passphrase"
    assert station.admin.post("/api/account_set", {"name": "quiet", "role": "viewer", "password": secret}).status == 200
    client = Client(station)
    assert client.login("quiet", secret).json["must_change"] is True
    assert client.change(secret, secret + " of its own").status == 200
    Client(station, source="127.0.11.1").login("quiet", secret + " that is wrong")
    Client(station, source="127.0.11.2").login(secret, secret)
    audit = station.admin.get("/api/audit?limit=100")
    assert "account_set" in audit.body.decode() and "********" in audit.body.decode()
    assert secret not in audit.body.decode()
    assert secret not in station.gateway.output()
    for path in (station.folder / "data").glob("*"):
        assert secret.encode() not in path.read_bytes(), path
    entry = [e for e in audit.json["audit"] if e["command"] == "account_set" and "quiet" in e["arguments"]][0]
    assert entry["place"] == "127.0.0.1" and entry["who"] == "admin" and entry["after"].startswith("viewer")


# Health, files, documents ------------------------------------------------------------------------------------------------


def test_files_are_cached_by_their_names(tmp_path):
    with harness.Station(tcp=1, line_units=()) as s:
        www = tmp_path / "www"
        (www / "assets").mkdir(parents=True)
        (www / "index.html").write_text("<p>one</p>")
        (www / "main-0A1B2C3D.js").write_text("1")
        (www / "main-notahash.js").write_text("1")
        for name in ("x-AAAAAAAA.woff2", "a.png", "b.json", "c.css", "d.svg", "e.exe"):
            (www / "assets" / name).write_text("1")
        text = s.config_text().replace(str(s.build / "www"), str(www))
        s.config_text = lambda: text
        s.start_gateway()
        client = Client(s)
        index = client.get("/")
        assert index.status == 200 and index.headers["cache-control"] == "no-cache" and index.body == b"<p>one</p>"
        tag = index.headers["etag"]
        again = client.get("/index.html", headers={"If-None-Match": tag})
        assert again.status == 304 and again.body == b"" and again.headers["etag"] == tag
        (www / "index.html").write_text("<p>three</p>")
        assert client.get("/", headers={"If-None-Match": tag}).body == b"<p>three</p>"
        assert "immutable" in client.get("/main-0A1B2C3D.js").headers["cache-control"]
        assert client.get("/main-notahash.js").headers["cache-control"] == "no-cache"
        types = {"x-AAAAAAAA.woff2": "font/woff2", "a.png": "image/png", "b.json": "application/json", "c.css": "text/css",
                 "d.svg": "image/svg+xml"}
        for name, media in types.items():
            answer = client.get(f"/assets/{name}")
            assert answer.status == 200 and answer.headers["content-type"].startswith(media), name
        assert client.get("/assets/e.exe").status == 404 and client.get("/assets").status == 404


def health(station):
    answer = Client(station).get("/healthz")
    return answer.status, answer.json


def test_health_says_when_it_is_sick():
    with harness.Station(tcp=1, line_units=()) as s:
        disk = Disk(s, "tmpfs")
        try:
            s.start_gateway()
            admin = administrator(s)
            assert admin.get("/healthz").status == 200
            disk.fill()
            # What can't be kept is not promised, and locks nobody out. A full disk may have room for a small write yet, in the last
            # block of the journal, which makes the store well once more.
            s.until(lambda: admin.post("/api/account_set", {"name": "more", "role": "viewer"}).status == 503
                    and "forecourt_store_failing 1\n" in admin.get("/metrics").body.decode()
                    and health(s) == (503, {"status": "failing"}), 60, "a full disk")
            assert Client(s).login("admin", PASSWORD).status == 200
            disk.free()
            s.until(lambda: admin.post("/api/account_set", {"name": "more", "role": "viewer"}).status == 200, 60, "room again")
            assert Client(s).get("/healthz").status == 200
        finally:
            if s.gateway:
                s.gateway.stop()
            disk.unmount()


def test_the_description_is_the_one_that_is_shipped(station):
    printed = subprocess.run([station.build / "forecourtd", "--openapi"], capture_output=True, text=True, check=True).stdout
    shipped = (ROOT / "rootfs/usr/share/forecourt/openapi.json").read_text()
    assert printed == shipped, "rootfs/usr/share/forecourt/openapi.json: forecourtd --openapi >it"
    assert station.admin.get("/api/openapi.json").body.decode() == printed
    document = json.loads(printed)
    assert document["openapi"].startswith("3.1")
    # Each reference leads somewhere, each operation has a name of its own.
    names = [about["operationId"] for methods in document["paths"].values() for about in methods.values()]
    assert len(names) == len(set(names))

    def references(node):
        if isinstance(node, dict):
            if "$ref" in node:
                yield node["$ref"]
            for child in node.values():
                yield from references(child)
        elif isinstance(node, list):
            for child in node:
                yield from references(child)

    for reference in set(references(document)):
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


# Metrics -----------------------------------------------------------------------------------------------------------------


def metrics(text):
    """{name: (type, [(labels, value)])} of Prometheus' text form, strictly read."""
    found = {}
    name = None
    assert text.endswith("\n")
    for line in text.splitlines():
        help_line = re.fullmatch(r"# HELP ([a-z_][a-z0-9_]*) (\S.*)", line)
        type_line = re.fullmatch(r"# TYPE ([a-z_][a-z0-9_]*) (counter|gauge)", line)
        sample = re.fullmatch(r'([a-z_][a-z0-9_]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (-?[0-9.]+(?:e[-+]?[0-9]+)?)', line)
        if help_line:
            name = help_line.group(1)
            assert name not in found, f"{name} comes twice"
            found[name] = (None, [])
        elif type_line:
            assert type_line.group(1) == name
            found[name] = (type_line.group(2), found[name][1])
        else:
            assert sample, line
            assert sample.group(1) == name, f"{line}: not below its own TYPE"
            labels = dict(re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', sample.group(2) or ""))
            assert (labels,) not in [(known,) for known, _ in found[name][1]], f"{line} comes twice"
            found[name][1].append((labels, float(sample.group(3))))
    return found


def test_metrics_packed(station):
    """Who takes gzip gets a tenth of the bytes and the same figures; who does not, or takes it with weight 0, the text."""
    program = Client(station, token=token(station, "viewer", "packed")["token"])
    for accepted in ("gzip", "deflate, gzip;q=0.5, *;q=0", "GZIP"):
        packed = program.get("/metrics", headers={"Accept-Encoding": accepted})
        assert packed.headers["content-encoding"] == "gzip" and packed.headers["vary"] == "accept-encoding", accepted
        assert packed.headers["content-type"].startswith("text/plain; version=0.0.4")
        names = metrics(gzip.decompress(packed.body).decode()).keys()
        for refused in (None, "identity", "gzip;q=0", "gzip; q=0.000, identity", "x-gzip", "g" * 500):
            plain = program.get("/metrics", headers={"Accept-Encoding": refused})
            assert plain.status == 200 and plain.headers["content-encoding"] is None, refused
            assert metrics(plain.body.decode()).keys() == names
        assert len(packed.body) * 4 < len(plain.body)


def test_metrics(station):
    program = Client(station, token=token(station, "viewer", "prometheus")["token"])
    answer = program.get("/metrics")
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = metrics(answer.body.decode())
    for name, (kind, samples) in found.items():
        assert name.startswith(("forecourt_", "process_")), name
        assert name.endswith("_total") == (kind == "counter"), name
        assert not re.search(r"_(ms|us|kw|kwh|percent|permille|kb)(_|$)", name), name
        for labels, _ in samples:
            assert len(labels) <= 2 and set(labels) <= {"connector", "platform", "bus", "status", "kind", "direction", "version"}, name
    value = {name: samples for name, (_, samples) in found.items()}
    connector = station.connector_id(0)
    station.until(lambda: metrics(program.get("/metrics").body.decode())["forecourt_bus_polls_total"][1][0][1] >
                  value["forecourt_bus_polls_total"][0][1], 60, "polls counted")
    status = station.admin.get("/api/status").json
    listed = station.admin.get("/api/connectors").json["connectors"][0]
    assert dict(value["forecourt_connector_status"][0][0]) == {"connector": connector}
    assert value["forecourt_connector_status"][0][1] == listed["status"]
    assert sum(count for _, count in value["forecourt_connectors"]) == 1
    assert value["forecourt_connector_energy_watthours_total"][0][1] == pytest.approx(listed["meter_wh"], rel=0.01)
    assert 1e6 < value["process_resident_memory_bytes"][0][1] < 1e9
    assert abs(value["process_start_time_seconds"][0][1] + status["uptime_s"] - time.time()) < 60


def test_the_dashboard_uses_what_there_is(station):
    dashboard = json.loads((ROOT / "rootfs/usr/share/forecourt/grafana.json").read_text())
    there = metrics(station.admin.get("/metrics").body.decode())
    used = set()
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            names = re.findall(r"\b((?:forecourt|process)_[a-z0-9_]+)", target["expr"])
            assert names, target
            used.update(names)
            for function, name in re.findall(r"(rate|increase)\(([a-z0-9_]+)", target["expr"]):
                assert there[name][0] == "counter", f"{function} of {name}"
    used.update(re.findall(r"forecourt_[a-z_]+", json.dumps(dashboard["templating"])))
    assert used <= set(there), used - set(there)
    assert len(used) > 20
    # Every panel has a place of its own.
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in dashboard["panels"]]
    assert len(set(places)) == len(places)
