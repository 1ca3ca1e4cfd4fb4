"""The live connection of the page: who may, what comes, what may not, and that it is the truth."""
import os
import pathlib
import shutil
import socket
import subprocess
import time

import harness
import page
import pytest
import websocket

POLICY, NOT_TEXT, TOO_BIG, LOGGED_OUT = 1008, 1003, 1009, 4401


@pytest.fixture(scope="module")
def world():
    """A station that all of this file's tests look at; what they change of it, they say."""
    import conftest
    station = conftest.PeerStation(tcp=3, line_units=(), connectors=2, build=os.environ.get("FORECOURT_BUILD", "build/host"))
    try:
        station.start_chargers()
        station.start_gateway()
        station.page = page.Page(station)
        yield station
    finally:
        station.stop()


@pytest.fixture
def viewer(world):
    with world.page.live() as wire:
        yield page.Viewer(wire)


def same(a, b):
    """Two overviews, but for what is held back or runs on between two looks."""
    def calm(tree):
        tree = {**tree}
        tree.pop("time")
        tree["gateway"] = {k: v for k, v in tree["gateway"].items() if k not in ("rss_kb", "uptime_s")}
        tree["connectors"] = {i: {k: v for k, v in c.items() if k != "read_at"} for i, c in tree["connectors"].items()}
        tree["buses"] = {i: {k: v for k, v in b.items() if k not in ("load", "polls", "errors", "latency_us")}
                         for i, b in tree["buses"].items()}
        tree["platforms"] = {i: {k: v for k, v in p.items() if k not in ("answered", "answer_mean_us", "answer_p99_us")}
                             for i, p in tree["platforms"].items()}
        return tree
    return calm(a) == calm(b)


# Who may ----------------------------------------------------------------------------------------------------------------

def test_only_a_session_from_our_own_page(world):
    for expected, more in (
            (101, {}),
            (401, dict(headers={})),
            (401, dict(headers={"Cookie": f"__Host-forecourt={world.page.cookie[:-4]}0000"})),
            (401, dict(headers={"Authorization": "Bearer fc_nobody", "Cookie": f"__Host-forecourt={world.page.cookie}"})),
            (403, dict(origin="https://evil.example")),
            (403, dict(origin="https://localhost")),  # another port is another origin
            (403, dict(origin="null")),
            (403, dict(origin=None)),  # a browser always says it
            (404, dict(path="/api/overview")),
            (404, dict(path="/api/live/x")),
            (404, dict(path="/")),
    ):
        with world.page.live(**more) as wire:
            assert wire.status == expected, (more, wire.head)


def test_a_program_with_a_token(world):
    """No Origin, no cookie; it ends with the token."""
    made = world.page.post("/api/token_add", {"name": "board", "role": "viewer"})
    assert made.status == 200, made
    headers = {"Authorization": f"Bearer {made.json['token']}"}
    with world.page.live(headers=headers, origin=None) as wire:
        assert page.Viewer(wire).step() == "all"
        gone = world.page.post("/api/token_remove", {"id": made.json["id"]})
        assert gone.status == 200, gone
        assert wire.wait_closed(60) == LOGGED_OUT  # it is looked at every 10 s
    with world.page.live(headers=headers, origin=None) as wire:
        assert wire.status == 401


def test_a_log_out_closes_its_connections(world):
    other = page.Page(world, password=page.PASSWORD)
    with other.live() as wire, world.page.live() as stays:
        assert page.Viewer(wire).step() == "all"
        keeps = page.Viewer(stays)
        assert keeps.step() == "all"
        other.logout()
        assert wire.wait_closed() == LOGGED_OUT
        keeps.step()
        with other.live() as again:
            assert again.status == 401


# What comes -------------------------------------------------------------------------------------------------------------

def test_everything_first_then_what_changes(world, viewer):
    connector = world.connector_id(0, 1)
    assert viewer.step() == "all"
    first = viewer.data
    assert set(first["connectors"]) == {world.connector_id(c, n) for c in range(3) for n in (1, 2)}
    assert first["totals"]["connectors"] == 6
    assert first["stations"]["s1"]["station_id"] == "110105000100001"
    assert first["gateway"]["operator_id"] == harness.STATION_OPERATOR
    assert set(first["buses"]) == {"tcp0", "tcp1", "tcp2"}
    viewer.until(lambda v: v.data["connectors"][connector]["status"] == 1)
    world.ask_chargers("plug 0 1")
    viewer.until(lambda v: v.data["connectors"][connector]["status"] == 2)
    changed = viewer.patches[-1]
    # Only what changed: the others are not in it, but for the age of a value, which is told in turns.
    assert "stations" not in changed and changed.get("connectors", {}).get(world.connector_id(2, 2), {}).keys() <= {"read_at"}
    assert viewer.data["totals"]["occupied"] == 1
    assert abs(viewer.data["connectors"][connector]["since"] - time.time()) < 600
    world.ask_chargers("unplug 0 1")
    viewer.until(lambda v: v.data["connectors"][connector]["status"] == 1)


def test_it_is_the_truth_through_a_charge(world, viewer):
    """What patches made of the first tree is what the gateway says when it is asked."""
    connector = world.connector_id(1, 1)
    viewer.step()
    world.ask_chargers("plug 1 1")
    viewer.until(lambda v: v.data["connectors"][connector]["status"] == 2)
    started = world.cli("start", connector)
    assert started.returncode == 0, started.stderr
    viewer.until(lambda v: v.data["connectors"][connector].get("session") == "charging", 120)
    viewer.until(lambda v: v.data["connectors"][connector].get("power_w", 0) > 0 and v.data["connectors"][connector].get("energy_wh", 0) > 0, 120)
    now = viewer.data["connectors"][connector]
    assert now["seq"] and now["started_at"] and now["quality"] == "good" and viewer.data["totals"]["charging"] == 1
    assert viewer.data["totals"]["power_w"] >= now["power_w"]
    # The pace of the patches: one a second at most.
    begun, before = time.monotonic(), len(viewer.patches)
    viewer.until(lambda v: len(v.patches) >= before + 4)
    assert time.monotonic() - begun > 2.5
    assert world.cli("stop", connector).returncode == 0
    viewer.until(lambda v: v.data["connectors"][connector].get("session") in ("ended", "idle"), 120)
    world.ask_chargers("unplug 1 1")
    viewer.until(lambda v: v.data["connectors"][connector]["status"] == 1 and "seq" not in v.data["connectors"][connector], 120)

    def agrees(v):
        return same(v.data, world.page.look("overview"))
    viewer.until(agrees)
    assert viewer.alls == 1


def test_the_same_as_the_command(world, viewer):
    viewer.step()
    viewer.until(lambda v: same(v.data, world.page.look("overview")))


def test_a_connector_in_detail(world, viewer):
    connector = world.connector_id(2, 1)
    viewer.step()
    viewer.socket.send({"watch": connector})
    viewer.until(lambda v: v.details >= 2)
    assert viewer.connector["connector"] == connector
    assert {p["name"] for p in viewer.connector["points"]} >= {"power", "energy"}
    other = world.connector_id(2, 2)
    viewer.socket.send({"watch": other})
    viewer.until(lambda v: v.connector["connector"] == other)
    viewer.socket.send({"watch": "no such connector"})
    viewer.socket.send({"watch": None})
    seen = viewer.details
    viewer.until(lambda v: v.ticks + len(v.patches) >= 3)
    assert viewer.details <= seen + 1  # one may have been on its way


def test_resync(world, viewer):
    viewer.step()
    viewer.socket.send({"resync": True})
    viewer.until(lambda v: v.alls == 2)
    viewer.until(lambda v: same(v.data, world.page.look("overview")))


# What may not -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("what, code", [
    ("binary", NOT_TEXT), ("large", TOO_BIG), ("huge", TOO_BIG), ("endless", TOO_BIG), ("flood", POLICY), ("no JSON", POLICY),
    ("a list", POLICY)])
def test_what_is_refused(world, what, code):
    with world.page.live() as wire:
        page.Viewer(wire).step()
        if what == "binary":
            wire.send_frame(websocket.BINARY, b"\0\1")
        elif what == "large":
            wire.send_frame(websocket.TEXT, b"x" * 300)
        elif what == "huge":
            wire.send_frame(websocket.TEXT, b"x" * 2000, length=1 << 40)
        elif what == "endless":
            wire.send_frame(websocket.TEXT, b"x" * 200, fin=False)
            wire.send_frame(websocket.CONTINUATION, b"x" * 200, fin=False)
        elif what == "flood":
            try:
                for _ in range(300):
                    wire.send({"watch": None})
            except (ConnectionError, BrokenPipeError):
                pass
        elif what == "no JSON":
            wire.send_frame(websocket.TEXT, b"{\"watch\":")
        else:
            wire.send_frame(websocket.TEXT, b"[1]")
        assert wire.wait_closed() == code
    with world.page.live() as wire:  # and everybody else is served as before
        assert page.Viewer(wire).step() == "all"


def test_one_that_breaks_the_protocol(world):
    for frame in (dict(opcode=3), dict(opcode=0xb), dict(opcode=websocket.PING, fin=False), dict(opcode=websocket.CONTINUATION)):
        with world.page.live() as wire:
            page.Viewer(wire).step()
            wire.send_frame(frame.pop("opcode"), b"x", **frame)
            wire.wait_closed()
    # Half a head, and gone.
    wire = world.page.live()
    wire.raw.shutdown(socket.SHUT_RDWR)
    wire.close()
    with world.page.live() as wire:
        assert page.Viewer(wire).step() == "all"


def test_pings_and_ticks(make_station):
    """Where nothing changes at all, something is said all the same, and the other side is asked whether it is there."""
    station = make_station(tcp=1, line_units=(), connectors=1, poll_ms=60000)
    looks = page.Page(station)
    with looks.live() as wire:
        viewer, longest = page.Viewer(wire), 0
        viewer.step()
        begun = time.monotonic()
        while viewer.ticks < 3 or wire.pings < 1:
            before = time.monotonic()
            viewer.step()
            longest = max(longest, time.monotonic() - before)
            assert time.monotonic() - begun < 300
        print(f"longest silence {longest:.1f} s, pings {wire.pings}, after {time.monotonic() - begun:.0f} s")
        assert longest < 12  # when the page takes the line for dead
        assert viewer.alls == 1


def test_more_than_may(make_station):
    station = make_station(tcp=1, line_units=(), connectors=1, start=False)
    text = station.config_text
    station.config_text = lambda: text().replace("config admin 'admin'\n", "config admin 'admin'\n\toption max_viewers '2'\n")
    station.start_chargers()
    station.start_gateway()
    looks = page.Page(station)
    with looks.live() as one, looks.live() as two:
        assert one.status == two.status == 101
        with looks.live() as three:
            assert three.status == 503
        assert looks.look("overview")["totals"]["connectors"] == 1  # the page itself is served
        two.close()
        station.until(lambda: looks.live().status == 101, 30, "a place that is free again")


# The page's half --------------------------------------------------------------------------------------------------------

def test_the_pages_half(tmp_path):
    """rootfs/www/src/live-link.ts in a world of its own (tests/web/unit_live.mjs)."""
    esbuild = harness.ROOT / "build/www-work/node_modules/.bin/esbuild"
    if not shutil.which("node") or not esbuild.exists():
        pytest.skip("SKIPPED: node or esbuild (make web) is not here")
    made = tmp_path / "link.mjs"
    subprocess.run([esbuild, harness.ROOT / "rootfs/www/src/live-link.ts", "--bundle", "--format=esm", f"--outfile={made}",
                    "--log-level=warning"], check=True)
    done = subprocess.run(["node", "--test", pathlib.Path(harness.ROOT) / "tests/web/unit_live.mjs"], env={**os.environ, "LINK": str(made)},
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "# pass 0" not in done.stdout
