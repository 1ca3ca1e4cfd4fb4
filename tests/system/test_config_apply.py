"""Another configuration applied: kept when it is confirmed, taken back by itself when not, or when the gateway dies meanwhile; nothing
that charges notices. And a backup put onto a second box. Secrets are in clear nowhere but in the file itself."""
import hashlib
import json
import os
import re
import signal
import socket
import ssl
import time

import harness
import page_client
from business import plug

SECRETS = [*harness.OURS, *harness.THEIRS]


def ask(station, command, timeout=60, **arguments):
    """The command's result; a refusal is {"refused": code, "text": why}."""
    answer = harness.control(station.control_socket, json.dumps({"command": command, "arguments": arguments}), timeout=timeout)
    told(station, answer)
    answer = json.loads(answer)
    return answer["result"] if answer["ok"] else {"refused": answer["code"], "text": answer["error"]}


def told(station, text):
    """Whatever is told anywhere is looked through for secrets at the end."""
    station.__dict__.setdefault("all_told", []).append(text)


def edit(op, type_, name, **more):
    return {"op": op, "type": type_, "name": name, **more}


def setting(type_, name, option, value):
    return edit("set", type_, name, option=option, value=str(value))


def apply(station, *edits, confirm_s=30, **more):
    shown = ask(station, "config_show")
    return ask(station, "config_apply", edits=list(edits), hash=shown["hash"], confirm_s=confirm_s, **more)


def state(station):
    shown = ask(station, "config_show")
    return shown.get("pending", {}).get("state", "idle")


def last(station):
    return ask(station, "config_show").get("last", {}).get("outcome")


def answers_https(port):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, context.wrap_socket(plain) as tls:
            tls.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return b"200" in tls.recv(200)
    except OSError:
        return False


def expect_no_secret(station):
    """In no answer, no log line, no line of the database, no file beside but the configuration's own."""
    for process in station.processes:
        told(station, process.output())
    ask(station, "audit", limit=100)
    for version in ask(station, "config_versions")["versions"]:
        ask(station, "config_version", id=version["id"])
    places = {f"answer or log {i}": text for i, text in enumerate(station.all_told)}
    for path in (station.folder / "data").rglob("*"):
        if path.is_file():
            places[str(path)] = path.read_bytes().decode("latin-1")
    for place, text in places.items():
        for secret in SECRETS:
            assert secret not in text, (place, secret)


def make(make_station, **more):
    station = make_station(start=False, tcp=2, line_units=(), connectors=1, poll_ms=200, **more)
    station.start_chargers()
    station.start_gateway()
    for charger in range(2):
        station.wait_status(station.connector_id(charger), 1)
    return station


def connector(station, charger):
    result = ask(station, "connectors", connector=station.connector_id(charger))
    return result["connectors"][0] if "connectors" in result else result


def test_a_wrong_bus_comes_back_by_itself(make_station):
    station = make(make_station)
    text = station.config_file.read_text()
    # The commands refuse what is no edit, and what was read too long ago.
    assert ask(station, "config_apply", edits=[], hash="0" * 64)["refused"] == "exists"
    assert apply(station)["refused"] == "invalid"
    refused = apply(station, setting("bus", "tcp0", "port", 99999))
    assert refused["refused"] == "invalid" and "99999" in refused["text"], refused
    refused = apply(station, setting("charger", "c0", "profile", "there-is-none"))
    assert refused["refused"] == "invalid" and "there-is-none" in refused["text"], refused
    refused = apply(station, setting("gateway", "gateway", "data_dir", "/tmp/elsewhere"))
    assert "new start" in refused["text"], refused
    assert station.config_file.read_text() == text and state(station) == "idle"

    checked = ask(station, "config_check", edits=[setting("bus", "tcp0", "port", 1)], scripts=True)
    assert checked["mistakes"] == [] and {"type": "bus", "name": "tcp0", "action": "restart"} in checked["changes"], checked
    began = time.monotonic()
    result = apply(station, setting("bus", "tcp0", "port", 1))
    assert result["pending"]["state"] == "waiting" and 0 < result["pending"]["left_s"] <= 30, result
    assert apply(station, setting("bus", "tcp1", "port", 1))["refused"] == "busy"
    assert "option port '1'" in station.config_file.read_text()
    station.wait_status(station.connector_id(0), 0)
    assert connector(station, 1)["status"] == 1
    station.until(lambda: [a for a in ask(station, "alarms")["alarms"] if a["kind"] == "config_pending"], 30, "the alarm")
    station.until(lambda: state(station) == "idle", 90, "the one before is back")
    assert time.monotonic() - began >= 29
    assert station.config_file.read_text() == text and last(station) == "expired"
    station.wait_status(station.connector_id(0), 1)
    assert ask(station, "config_confirm")["refused"] == "not found"
    rows = [row for row in ask(station, "audit", limit=50)["audit"] if row["command"].startswith("config_")]
    assert [row["who"] for row in rows if row["command"] == "config_revert"] == ["gateway"], rows
    applied = [row for row in rows if row["command"] == "config_apply" and row["result"] == "done"]
    assert len(applied) == 1 and "bus tcp0 restart" in applied[0]["after"], rows
    expect_no_secret(station)


def test_a_wrong_admin_port_comes_back_and_a_confirmed_one_stays(make_station):
    station = make(make_station)
    old, new = station.admin_port, harness.free_port()
    text = station.config_file.read_text()
    assert answers_https(old)
    # Answered before it moves: whoever asked over the old port could not be told afterwards.
    assert apply(station, setting("admin", "", "port", new))["pending"]["state"] == "loading"
    station.until(lambda: state(station) == "waiting", 30, "in force")
    assert answers_https(new) and not answers_https(old)
    assert "pending" not in ask(station, "config_revert") or state(station) in ("returning", "idle")
    station.until(lambda: state(station) == "idle", 30, "back")
    assert answers_https(old) and not answers_https(new)
    assert station.config_file.read_text() == text and last(station) == "reverted"

    apply(station, setting("admin", "", "port", new))
    station.until(lambda: state(station) == "waiting", 30, "in force")
    assert ask(station, "config_confirm")["last"]["outcome"] == "confirmed"
    changed = station.config_file.read_text()
    assert changed == text.replace(f"option port '{old}'", f"option port '{new}'")
    station.gateway.popen.send_signal(signal.SIGKILL)
    station.gateway.popen.wait()
    start_again(station)
    assert answers_https(new) and station.config_file.read_text() == changed
    versions = ask(station, "config_versions")["versions"]
    assert [v["origin"] for v in versions] == ["apply", "start"] and versions[0]["in_force"], versions
    assert f"-\toption port '{old}'" in ask(station, "config_version", id=versions[1]["id"])["diff"]
    # The older one put back: without its secrets it would be of no use.
    shown = ask(station, "config_show")
    ask(station, "config_apply", version=versions[1]["id"], hash=shown["hash"], confirm_s=30)
    station.until(lambda: state(station) == "waiting", 30, "in force")
    ask(station, "config_confirm")
    assert station.config_file.read_text() == text
    # Nothing of a trial is left; the last good configuration is what has been confirmed.
    assert [p.name for p in station.folder.glob(".forecourt*")] == [".forecourt.good"], list(station.folder.iterdir())
    station.until(lambda: (station.folder / ".forecourt.good").read_text().endswith("\n" + text), 60, "the confirmed one, kept")
    expect_no_secret(station)


def start_again(station):
    """With the file as it lies there."""
    write, station.write_config = station.write_config, lambda: None
    try:
        return station.start_gateway()
    finally:
        station.write_config = write


def test_killed_before_it_was_confirmed(make_station):
    station = make(make_station)
    text = station.config_file.read_text()
    apply(station, setting("bus", "tcp0", "host", "127.0.0.2"), setting("bus", "tcp0", "port", 2), confirm_s=600)
    assert state(station) == "waiting"
    assert station.config_file.read_text() != text
    station.gateway.popen.send_signal(signal.SIGKILL)
    station.gateway.popen.wait()
    assert station.config_file.read_text() != text
    again = start_again(station)
    assert station.config_file.read_text() == text
    assert re.search(r"nobody had confirmed|not confirmed|taken back", again.output()), again.output()
    assert last(station) == "restarted" and state(station) == "idle"
    rows = ask(station, "audit", limit=20)["audit"]
    assert any(row["command"] == "config_revert" and row["who"] == "gateway" for row in rows), rows
    station.wait_status(station.connector_id(0), 1)
    expect_no_secret(station)


def test_a_refused_one_changes_nothing(make_station):
    """A port that somebody else has: good by itself, but not to be had."""
    station = make(make_station)
    text = station.config_file.read_text()
    with socket.socket() as other:
        other.bind(("127.0.0.1", harness.free_port()))
        other.listen()
        result = apply(station, setting("listen", "platforms", "port", other.getsockname()[1]))
    assert "refused" in result and str(other) and state(station) == "idle", result
    assert station.config_file.read_text() == text and last(station) == "refused"
    assert connector(station, 0)["status"] == 1
    # And the next one is taken.
    assert apply(station, setting("bus", "tcp1", "gap_ms", 1))["pending"]["state"] == "waiting"
    assert "last" in ask(station, "config_confirm")


def test_a_running_charge_does_not_notice(make_station):
    station = make(make_station)
    plug(station, 0)
    started = ask(station, "start", connector=station.connector_id(0))
    assert "refused" not in started, started
    station.wait_status(station.connector_id(0), 3)
    seq = connector(station, 0)["charge"]["seq"] if "charge" in connector(station, 0) else started["seq"]
    orders = ask(station, "orders", open=True)["orders"]
    assert len(orders) == 1
    # The other charger's bus, and then its own, which is gone for a while: the charger goes on by itself.
    for bus in ("tcp1", "tcp0"):
        apply(station, setting("bus", bus, "port", 1))
        assert state(station) == "waiting"
        time.sleep(1)
        ask(station, "config_revert")
        station.until(lambda: state(station) == "idle", 30, "back")
        assert [o["seq"] for o in ask(station, "orders", open=True)["orders"]] == [orders[0]["seq"]]
    station.wait_status(station.connector_id(0), 3)
    assert seq == orders[0]["seq"]
    stopped = ask(station, "stop", seq=seq)
    assert "refused" not in stopped, stopped
    station.until(lambda: not ask(station, "orders", open=True)["orders"], 60, "the order is closed")
    order = ask(station, "order", seq=seq)
    assert order, order


def checksum(file):
    return hashlib.sha256(json.dumps(file, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def test_backup_and_restore_on_a_second_box(make_station):
    first = make(make_station)
    (first.lua / "policies").mkdir(exist_ok=True)
    (first.lua / "lib" / "mine.lua").write_text("return { answer = 42 } -- 我们的\n")
    assert ask(first, "backup", passphrase="short")["refused"] == "invalid"
    phrase = "correct horse battery"
    backup = ask(first, "backup", passphrase=phrase)
    assert backup["type"] == "application/json" and backup["file"].endswith(".json"), list(backup)
    text = backup["text"]
    print(f"backup: {len(text)} bytes")
    key = (first.certs / "server.key").read_text()
    for secret in (*SECRETS, key.splitlines()[1], phrase):
        assert secret not in text
    inside = json.loads(text)
    assert inside["forecourt_backup"] == 1 and "********" in inside["config"]

    # The first box has broken: what it listened on is free.
    expect_no_secret(first)
    first.gateway.stop()
    second = make_station(start=False, tcp=1, line_units=(), connectors=1, poll_ms=200)
    second.start_chargers()
    second.start_gateway()
    before = second.config_file.read_text()

    def files():
        return {p: p.read_bytes() for p in second.folder.rglob("*") if p.is_file() and "data" not in p.parts and p.suffix in (".lua", ".pem", ".key", "")}

    there = files()
    for what, file, passphrase, word in (
            ("another passphrase", text, phrase + "x", "passphrase"),
            ("a byte changed", text.replace("40000", "40001", 1), phrase, "damaged"),
            ("cut off", text[:-200], phrase, "damaged"),
            ("a newer version", text.replace('"forecourt_backup":1', '"forecourt_backup":2'), phrase, "newer"),
            ("something else", '{"a":1}', phrase, "no backup"),
            ("no JSON", "hello", phrase, "no backup")):
        refused = ask(second, "restore", file=file, passphrase=passphrase)
        assert "refused" in refused and word in refused["text"], (what, refused)
    # Somebody who makes the checksum anew is found out by what was sealed: whether he changed that or what stands in clear.
    clear = {k: v for k, v in inside.items() if k != "sha256"}
    assert checksum(clear) == inside["sha256"]
    for forged in (dict(clear, sealed=dict(clear["sealed"], data="AAAAAAAA" + clear["sealed"]["data"][8:])),
                   dict(clear, created_at=clear["created_at"] + 1)):
        refused = ask(second, "restore", file=json.dumps(dict(forged, sha256=checksum(forged))), passphrase=phrase)
        assert "passphrase" in refused.get("text", ""), refused
    told_before = ask(second, "restore", file=text, passphrase=phrase, only_check=True)
    assert any(c["type"] == "charger" for c in told_before["changes"]), told_before
    assert any(f.endswith("lib/mine.lua") for f in told_before["files"]), told_before
    assert files() == there and second.config_file.read_text() == before

    # Not confirmed: everything goes back, the new Lua file too.
    result = ask(second, "restore", file=text, passphrase=phrase, confirm_s=30)
    assert "refused" not in result, result
    second.until(lambda: state(second) == "waiting", 30, "in force")
    assert (second.lua / "lib" / "mine.lua").exists()
    ask(second, "config_revert")
    second.until(lambda: state(second) == "idle", 30, "back")
    assert second.config_file.read_text() == before and not (second.lua / "lib" / "mine.lua").exists()

    ask(second, "restore", file=text, passphrase=phrase, confirm_s=30)
    second.until(lambda: state(second) == "waiting", 30, "in force")
    ask(second, "config_confirm")
    now, wanted = second.config_file.read_text(), first.config_file.read_text()
    for ours, theirs in ((second.folder / "data", first.folder / "data"), (second.lua, first.lua),
                         (second.control_socket, first.control_socket)):
        wanted = wanted.replace(f"'{theirs}'", f"'{ours}'")
    assert now == wanted
    assert (second.lua / "lib" / "mine.lua").read_text() == (first.lua / "lib" / "mine.lua").read_text()
    assert len(ask(second, "connectors")["connectors"]) == 2
    expect_no_secret(second)
    assert not [text for station in (first, second) for text in station.all_told if phrase in text]


def test_the_command_line(make_station):
    station = make(make_station)
    file = station.folder / "wanted"
    shown = station.cli("config", "show")
    assert shown.returncode == 0 and "their_sig_secret '********'" in shown.stdout, shown
    file.write_text(shown.stdout.replace("option poll_ms '200'", "option poll_ms '300'"))
    checked = station.cli("config", "check", file)
    assert checked.returncode == 0 and "restart  charger c0" in checked.stdout, checked
    bad = station.folder / "bad"
    bad.write_text(shown.stdout.replace("option poll_ms '200'", "option poll_ms 'x'", 1))
    checked = station.cli("config", "check", bad)
    assert checked.returncode == 1 and re.search(r"bad:\d+: charger\.c0\.poll_ms: .*100 to 60000", checked.stdout), checked
    applied = station.cli("config", "apply", file, "--confirm", 30)
    assert applied.returncode == 0 and "forecourt config confirm" in applied.stdout, applied
    chinese = station.cli("config", "confirm", LANG="zh_CN.UTF-8")
    assert chinese.returncode == 0 and "已确认" in chinese.stdout, chinese
    assert station.config_file.read_text().count("'300'") == 2 and harness.THEIRS[3] in station.config_file.read_text()
    listed = station.cli("config", "versions")
    assert listed.returncode == 0 and re.search(r"\*\s+2\s.*apply", listed.stdout), listed
    assert "+\toption poll_ms '300'" in station.cli("config", "versions", 1).stdout
    assert station.cli("config", "versions", 1, "--put-back").returncode == 0
    reverted = station.cli("config", "revert")
    assert reverted.returncode == 0, reverted
    phrase = station.folder / "phrase"
    phrase.write_text("correct horse battery\n")
    made = station.cli("config", "backup", station.folder / "b.json", "--passphrase-file", phrase)
    assert made.returncode == 0 and (station.folder / "b.json").stat().st_mode & 0o777 == 0o600, made
    station.until(lambda: state(station) == "idle", 30, "back")
    restored = station.cli("config", "restore", station.folder / "b.json", "--passphrase-file", phrase)
    assert restored.returncode in (0, 1), restored
    phrase.write_text("another passphrase\n")
    wrong = station.cli("config", "restore", station.folder / "b.json", "--passphrase-file", phrase)
    assert wrong.returncode == 1 and "passphrase" in wrong.stderr, wrong


def test_texts_keep_masked_secrets_and_mistakes_have_their_place(make_station):
    station = make(make_station)
    shown = ask(station, "config_show")
    assert "********" in shown["text"] and shown["hash"]
    platform = next(s for s in shown["sections"] if s["type"] == "platform")
    assert platform["options"]["their_sig_secret"] == "********"
    # What was shown, sent back: nothing is wrong, nothing changes.
    checked = ask(station, "config_check", text=shown["text"])
    assert checked["mistakes"] == [] and checked["changes"] == [], checked
    assert ask(station, "config_apply", text=shown["text"], hash=shown["hash"])["refused"] == "invalid"
    bad = shown["text"].replace("option poll_ms '200'", "option poll_ms 'fast'", 1).replace("config platform 'p1'",
                                                                                           "config platform 'p2'")
    mistakes = ask(station, "config_check", text=bad)["mistakes"]
    lines = bad.splitlines()
    poll = next(m for m in mistakes if m.get("option") == "poll_ms")
    assert "poll_ms 'fast'" in lines[poll["line"] - 1] and poll["type"] == "charger" and poll["name"] == "c0", mistakes
    assert any("masked" in m["text"] for m in mistakes), mistakes
    # The same words as --check says.
    path = station.folder / "bad"
    path.write_text(station.config_file.read_text().replace("option poll_ms '200'", "option poll_ms 'fast'", 1))
    said = os.popen(f"{station.build / 'forecourtd'} --check -c {path} 2>&1").read()
    assert poll["text"] in said, said
    schema = ask(station, "config_schema")
    assert {s["type"] for s in schema["sections"]} >= {"gateway", "bus", "charger", "platform"}
    # Copied with its secrets, renamed with its references, taken away again.
    result = apply(station, edit("add", "platform", "p2", copy="p1"), setting("platform", "p2", "operator_id", "555555555"),
                   edit("rename", "bus", "tcp0", to="hall"), setting("platform", "p2", "enabled", "0"))
    assert result["pending"]["state"] == "waiting", result
    ask(station, "config_confirm")
    text = station.config_file.read_text()
    assert text.count(harness.THEIRS[3]) == 2 and "config bus 'hall'" in text and "option bus 'hall'" in text
    station.wait_status(station.connector_id(0), 1)
    expect_no_secret(station)


def over(connection, client, path, body):
    """One request over a connection that is kept."""
    headers = {"Origin": f"https://localhost:{client.station.admin_port}", "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json",
               "Cookie": f"__Host-forecourt={client.cookie}", "X-Forecourt-Csrf": client.csrf}
    connection.request("POST", path, body=json.dumps(body), headers=headers)
    response = connection.getresponse()
    return page_client.Answer(response, response.read())


def test_the_page_confirms_over_a_new_connection(make_station):
    """Over HTTPS, with a session: an old connection proves nothing, and is closed so that the browser makes another."""
    station = make(make_station)
    client = page_client.administrator(station)
    kept = client.connect()
    shown = client.get("/api/config_show").json
    wish = {"edits": [setting("bus", "tcp1", "gap_ms", 1)], "hash": shown["hash"], "confirm_s": 60}
    stale = over(kept, client, "/api/config_apply", {**wish, "hash": "0" * 64})
    assert stale.status == 409 and stale.json["key"] == "config.changed_meanwhile", stale
    applied = over(kept, client, "/api/config_apply", wish)
    assert applied.status == 200 and applied.json["pending"]["state"] == "waiting", applied
    old = over(kept, client, "/api/config_confirm", {})
    assert old.status == 409 and old.json["key"] == "config.new_connection", old
    assert old.headers["connection"] == "close" and kept.sock is None
    assert state(station) == "waiting"
    assert client.post("/api/config_confirm").status == 200
    assert state(station) == "idle" and last(station) == "confirmed"

    # The page moves: told before it does, and confirmed at its new place with the same session.
    shown = client.get("/api/config_show").json
    port = harness.free_port()
    moved = client.post("/api/config_apply", {"edits": [setting("admin", "", "port", port)], "hash": shown["hash"], "confirm_s": 60})
    assert moved.status == 200 and moved.json["pending"]["state"] == "loading", moved
    station.until(lambda: state(station) == "waiting", 30, "in force")
    station.admin_port = port
    assert client.post("/api/config_confirm").status == 200
    assert last(station) == "confirmed"

    # Who may not make accounts may not make himself one by way of the configuration; secrets are in no answer.
    made = client.post("/api/account_set", {"name": "ines", "role": "integrator"}).json
    integrator = page_client.Client(station)
    assert integrator.login("ines", made["password"]).status == 200
    assert integrator.change(made["password"], "another horse 8").status == 200
    shown = integrator.get("/api/config_show")
    assert shown.status == 200 and not [s for s in SECRETS if s in shown.body.decode()]
    for option, value in (("password_hash", "x"), ("user", "root"), ("www", "/etc")):
        refused = integrator.post("/api/config_apply", {"edits": [setting("admin", "", option, value)], "hash": shown.json["hash"]})
        assert refused.status == 403, (option, refused)
    assert integrator.post("/api/backup", {"passphrase": "correct horse battery"}).status == 403
    saved = client.post("/api/backup", {"passphrase": "correct horse battery"}, timeout=120)
    assert saved.status == 200 and saved.json["file"].endswith(".json"), saved
    checked = client.post("/api/restore", {"file": saved.json["text"], "passphrase": "correct horse battery", "only_check": True}, timeout=120)
    assert checked.status == 200 and checked.json["files"], checked
    told(station, saved.body.decode())
    expect_no_secret(station)
