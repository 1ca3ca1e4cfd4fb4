"""The first start of a new box: an empty configuration, a certificate that it makes for itself, a password that waits on it."""
import json
import os
import re
import socket
import ssl
import stat
import subprocess

import harness
import pytest
from business import check_order, new_seq, start, stop, wait_told
from page_client import PASSWORD, Client
from test_clock import LIBRARY, Clock
from test_disk import serve, some_energy


class BoxClient(Client):
    """Nobody vouches for the certificate of a new box: whoever comes first compares its fingerprint."""

    def context(self):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


@pytest.fixture
def box(make_station):
    """A station whose configuration is the one that is installed, in folders of its own."""
    # Older than today: the clock of the walk below goes back by what it takes to start.
    station = make_station(start=False, tcp=1, line_units=(), connectors=1, poll_ms=200, certificates={"days": "900", "since": "-30d"})
    station.keys = station.folder / "keys"
    station.keys.mkdir()
    text = (harness.ROOT / "rootfs/etc/config/forecourt").read_text()
    own = {"data_dir": station.folder / "data", "key_dir": station.keys, "lua_dir": station.lua, "control_socket": station.control_socket}
    text = text.replace("config gateway 'gateway'\n",
                        "config gateway 'gateway'\n" + "".join(f"\toption {k} '{v}'\n" for k, v in own.items()))
    text = text.replace("option address '::'", "option address '127.0.0.1'").replace("'8443'", f"'{station.admin_port}'\n\toption www "
                                                                                   f"'{station.build / 'www'}'")
    station.config_text = lambda: text
    return station


def certificate(box):
    return box.keys / "self-signed.pem"


def fingerprint(box):
    """Of what a browser would be shown."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", box.admin_port), timeout=20) as plain, context.wrap_socket(plain) as tls:
        der = tls.getpeercert(binary_form=True)
    pem = ssl.DER_cert_to_PEM_cert(der)
    said = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256"], input=pem, capture_output=True, text=True, check=True)
    return said.stdout.strip().partition("=")[2]


def test_a_new_box_makes_its_certificate_once(box):
    box.start_gateway()
    told = fingerprint(box)
    assert re.fullmatch(r"([0-9A-F]{2}:){31}[0-9A-F]{2}", told)
    assert told in box.gateway.output() and told in box.cli("status").stdout
    assert f"https://127.0.0.1:{box.admin_port}/" in box.cli("status").stdout
    page = json.loads(box.cli("status", "--json").stdout)["page"]
    assert page == {"addresses": [f"https://127.0.0.1:{box.admin_port}/"], "self_signed": True, "fingerprint": told}
    assert stat.S_IMODE(certificate(box).stat().st_mode) == 0o600
    text = subprocess.run(["openssl", "x509", "-in", certificate(box), "-noout", "-text"], capture_output=True, text=True,
                          check=True).stdout
    host = socket.gethostname().partition(".")[0]
    for name in (host, f"{host}.lan", f"{host}.local", "localhost"):
        assert re.search(rf"DNS:{re.escape(name)}(,|$)", text, re.M | re.I), name
    assert "IP Address:127.0.0.1" in text and "prime256v1" in text
    # Kept over restarts, and over a power cut while it was made.
    box.gateway.popen.kill()
    box.gateway.popen.wait()
    (box.keys / "self-signed.pem.next").write_text("torn")
    box.start_gateway()
    assert fingerprint(box) == told
    # It is no secret of a log, and its key is nowhere but in its file.
    key = re.search(r"(?s)BEGIN EC PRIVATE KEY-----\n(.*?)\n", certificate(box).read_text()).group(1)
    assert key not in box.gateway.output() and "PRIVATE" not in box.cli("status", "--json").stdout


def test_an_own_certificate_wins(box):
    empty = box.config_text()
    box.start_gateway()
    own = fingerprint(box)
    given = empty + f"\toption certificate '{box.certs / 'server.pem'}'\n\toption key '{box.certs / 'server.key'}'\n"
    box.config_text = lambda: given
    box.gateway.stop()
    box.start_gateway()
    assert fingerprint(box) != own
    assert json.loads(box.cli("status", "--json").stdout)["page"]["self_signed"] is False
    # The old one is still there, and is taken again when the other goes.
    box.config_text = lambda: empty
    box.gateway.stop()
    box.start_gateway()
    assert fingerprint(box) == own
    # One without the other is a mistake, not a reason for ours.
    result = subprocess.run([box.build / "forecourtd", "--check", "-c", "/dev/stdin"], input=given.rpartition("\toption key")[0],
                            capture_output=True, text=True, check=False)
    assert result.returncode == 2 and "admin.key: is missing" in result.stderr


def test_where_keys_cant_be_written_the_data_folder_has_them(box):
    (box.keys / "self-signed.pem").write_text("somebody's own\n")
    box.start_gateway()
    assert certificate(box).read_text() == "somebody's own\n"
    assert (box.folder / "data" / "self-signed.pem").exists()
    assert fingerprint(box) in box.gateway.output()


def test_the_first_password_waits_for_root_only(box):
    box.start_gateway()
    path = box.folder / "one-time-password"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    user, first = path.read_text().split()
    assert box.cli("password").stdout == f"{user} {first}\n"
    assert json.loads(box.cli("password", "--json").stdout) == {"user": user, "password": first}
    assert first not in box.gateway.output()
    # A crash leaves it: the next start has another one.
    box.gateway.popen.kill()
    box.gateway.popen.wait()
    box.start_gateway()
    second = box.one_time_password()
    assert second != first
    client = BoxClient(box)
    assert client.login(user, second).status == 200
    assert path.exists()  # not used up before there is an own one
    assert client.change(second, PASSWORD).status == 200
    assert not path.exists()
    refused = box.cli("password")
    assert refused.returncode == 1 and "there is no one-time password" in refused.stderr
    assert "一次性密码" in box.cli("password", LANG="zh_CN.UTF-8").stderr
    assert first not in box.gateway.output() and second not in box.gateway.output()
    for log in ("log", "audit"):
        assert second not in box.cli(log).stdout
    assert BoxClient(box, source="127.0.0.2").login(user, first).status == 403
    # Lost: root makes another one on the box.
    again = json.loads(box.cli("account", "set", user, "--reset", "--json").stdout)["password"]
    client = BoxClient(box)
    assert client.login(user, again).json["must_change"] is True
    assert again not in box.gateway.output()


def test_a_terminal_is_shown_the_first_password(box):
    """Standard error is the log of a service, but the console of who starts it by hand."""
    box.write_config()
    ours, theirs = os.openpty()
    said = b""
    with subprocess.Popen([box.build / "forecourtd", "-c", box.config_file], stdin=subprocess.DEVNULL, stderr=theirs) as gateway:
        os.close(theirs)
        try:
            while not (found := re.search(rb"one-time password for user admin: (\S+)", said)):
                said += os.read(ours, 4096)
        finally:
            gateway.terminate()
            os.set_blocking(ours, True)
            while True:
                try:
                    if not os.read(ours, 4096):
                        break
                except OSError:
                    break
            gateway.wait()
            os.close(ours)
    assert len(found.group(1)) == 16


# From 1970 and nothing to a confirmed order -------------------------------------------------------------------------------


def added(section, name, **options):
    """The edits of a form that was filled in."""
    return [dict(op="add", type=section, name=name)] + [dict(op="set", type=section, name=name, option=k, value=str(v))
                                                    for k, v in options.items()]


class Page(BoxClient):
    """What a browser asks, form by form."""

    def answer(self, answer):
        assert answer.status == 200, answer
        return answer.json

    def overview(self):
        return self.answer(self.get("/api/overview"))

    def missing(self):
        return {what for what, state in self.overview().get("setup", {}).items() if state["needed"]}

    def check(self, edits):
        return self.answer(self.post("/api/config_check", {"edits": edits}))

    def apply(self, edits):
        """Looked at, taken over on trial, confirmed over a new connection."""
        assert self.check(edits)["mistakes"] == []
        before = self.answer(self.get("/api/config_show"))["hash"]
        assert self.answer(self.post("/api/config_apply", {"edits": edits, "hash": before, "confirm_s": 60}))["pending"]
        self.answer(self.post("/api/config_confirm"))


@pytest.mark.skipif(not LIBRARY, reason="libfaketime is not installed")
def test_from_nothing_to_a_confirmed_order(box):
    """All that a person does in a browser, on a box that believes that it is 1970; then its clock is set, and cars can charge."""
    serve(box)
    clock = Clock(box)
    clock.lose()
    box.start_chargers("--speed", "30")
    box.start_gateway()
    page = Page(box)
    # What was made in 1970 is good today.
    cert = subprocess.run(["openssl", "verify", "-CAfile", certificate(box), certificate(box)], capture_output=True, text=True, check=False)
    assert cert.returncode == 0, cert.stderr
    first = box.one_time_password()
    assert page.login("admin", first).status == 200 and page.change(first, PASSWORD).status == 200

    overview = page.overview()
    assert overview["time"] < 86400 and overview["connectors"] == {}
    assert page.missing() == {"clock", "operator_id", "station", "bus", "charger", "platform"}
    assert overview["setup"]["certificate"] == {"needed": False}
    said = box.cli("status").stdout
    assert re.search(r"not set up +operator_id, station, bus, charger, platform, clock\n", said), said
    assert "运营商标识" in box.cli("status", LANG="zh_CN.UTF-8").stdout

    # Half a station is refused by name: orders are numbered by the operator.
    site = added("station", "north", station_id="110105000100001", station_name="North", area_code="110105", address="Road 1",
                 service_tel="4000000000", station_lng="116.480881", station_lat="39.989410", policy="test")
    line = added("bus", "tcp0", kind="tcp", host="127.0.0.1", port=box.charger_port)
    charger = added("charger", "c0", station="north", bus="tcp0", profile="forecourt-sim", equipment_id="1101050001001", poll_ms=200)
    connector = added("connector", "c0n1", charger="c0", connector_id=box.connector_id(0), power_w=120000)
    found = page.check(site + line + charger + connector)["mistakes"]
    assert [(m["type"], m["option"]) for m in found] == [("gateway", "operator_id")] and "charger c0 needs it" in found[0]["text"]
    found = page.check(charger)["mistakes"]
    assert {m["option"] for m in found if "option" in m} >= {"station", "bus"}

    page.apply([dict(op="set", type="gateway", name="gateway", option="operator_id", value=harness.STATION_OPERATOR)])
    assert page.overview()["gateway"]["operator_id"] == harness.STATION_OPERATOR
    page.apply(site + line)
    assert page.missing() == {"clock", "charger", "platform"}
    page.apply(charger + connector)
    box.until(lambda: page.overview()["connectors"][box.connector_id(0)]["status"] == 1, 60, "the charger")
    ours, theirs = harness.OURS, harness.THEIRS
    pem, key = box.certs / "server.pem", box.certs / "server.key"
    page.apply(added("listen", "platforms", address="127.0.0.1", port=box.listen_port, certificate=pem, key=key) +
               added("platform", "p1", operator_id=harness.PLATFORM_OPERATOR, url=f"https://localhost:{box.platform_port}/evcs/v20160701",
                     listen="platforms", ca=box.certs / "ca.pem", iserv=1, policy="test", retry_s=1,
                     our_operator_secret=ours[0], our_data_secret=ours[1], our_data_secret_iv=ours[2], our_sig_secret=ours[3],
                     their_operator_secret=theirs[0], their_data_secret=theirs[1], their_data_secret_iv=theirs[2],
                     their_sig_secret=theirs[3]))
    assert page.missing() == {"clock"}

    # A car waits, and is not charged before it is known what time it is (rule 6); nothing was told to anybody.
    box.ask_chargers("plug 0 1")
    box.until(lambda: page.overview()["connectors"][box.connector_id(0)]["status"] == 2, 60, "the car")
    box.client.login()
    refused = start(box, box.connector_id(0), new_seq())
    assert refused.data and refused.data["FailReason"] == 14, (vars(refused), box.gateway.output()[-2500:])
    assert page.answer(page.get("/api/orders"))["orders"] == []
    assert not [m for m, _ in list(box.server.received) if m != "query_token"]

    clock.step(0)
    box.until(lambda: "setup" not in page.overview() or not page.missing(), 60, "the clock")
    assert set(page.overview()["setup"]) == {"certificate"}
    assert "not set up" not in box.cli("status").stdout
    box.wait_status(box.connector_id(0), 2)
    seq = new_seq()
    assert start(box, box.connector_id(0), seq).data["SuccStat"] == 0
    some_energy(box, seq)
    assert stop(box, box.connector_id(0), seq).data["SuccStat"] == 0
    check_order(wait_told(box, "notification_charge_order_info", seq))

    def closed():
        orders = page.answer(page.get("/api/orders"))["orders"]
        return [o for o in orders if o["seq"] == seq and not page.answer(page.get("/api/orders?state=waiting"))["orders"]]

    box.until(closed, 60, "the confirmed order")
    # All of it is in the file, and a new start knows it.
    box.gateway.stop()
    text = box.config_file.read_text()
    box.config_text = lambda: text
    box.start_gateway()
    page = Page(box)
    assert page.login("admin", PASSWORD).status == 200
    assert page.missing() == set() and [o["seq"] for o in page.answer(page.get("/api/orders"))["orders"]] == [seq]


# The configuration in a folder of root's ------------------------------------------------------------------------------------

NOBODY = 65534


@pytest.fixture
def guest(box):
    """The daemon as another user: the folder of its configuration is root's, the file is its own, and ".forecourt" beside it."""
    if os.geteuid():
        pytest.skip("only root can start it as another user")
    etc = box.folder / "etc"
    (etc / ".forecourt").mkdir(parents=True)
    box.config_file = etc / "forecourt"
    box.config_file.write_text(box.config_text())
    own = [etc / ".forecourt", box.config_file, box.keys, box.folder / "run", box.folder / "data"]
    for path in own:
        if not path.exists():
            path.mkdir()
        os.chown(path, NOBODY, NOBODY)
    for path in (box.folder, etc):
        path.chmod(0o755)
    box.config_file.chmod(0o640)
    box.control_socket = box.folder / "run" / "control.sock"
    box.stats_file = box.folder / "run" / "stats.json"
    text = box.config_text().replace(str(box.folder / "control.sock"), str(box.control_socket))
    box.config_file.write_text(text)
    box.write_config = lambda: None  # it is the daemon's now
    box.gateway_under = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
    return box


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_of_roots_gets_no_file(guest):
    """The page's changes are written into the file itself; it stays who it was, and the old one comes back after a power cut."""
    etc, before = guest.config_file.parent, guest.config_file.stat()
    old = guest.config_file.read_text()
    guest.start_gateway()
    page = Page(guest)
    first = guest.one_time_password()
    assert page.login("admin", first).status == 200 and page.change(first, PASSWORD).status == 200
    line = added("bus", "b1", kind="tcp", host="192.0.2.1")
    page.apply(line)
    new = guest.config_file.read_text()
    assert new != old and "config bus 'b1'" in new
    after = guest.config_file.stat()
    assert (after.st_ino, after.st_mode, after.st_uid) == (before.st_ino, before.st_mode, NOBODY)
    assert listing(etc) == [".forecourt", "forecourt"] and listing(etc / ".forecourt") == []

    # Not confirmed: killed, and the file torn as a power cut would.
    more = added("bus", "b2", kind="tcp", host="192.0.2.2")
    shown = page.answer(page.get("/api/config_show"))["hash"]
    assert page.answer(page.post("/api/config_apply", {"edits": more, "hash": shown, "confirm_s": 600}))["pending"]
    assert "config bus 'b2'" in guest.config_file.read_text()
    assert listing(etc / ".forecourt") != []
    guest.gateway.popen.kill()
    guest.gateway.popen.wait()
    with open(guest.config_file, "r+b") as file:
        file.truncate(100)
    guest.start_gateway()
    assert guest.config_file.read_text() == new
    assert "nobody had confirmed" in guest.gateway.output()
    assert listing(etc) == [".forecourt", "forecourt"] and listing(etc / ".forecourt") == []
