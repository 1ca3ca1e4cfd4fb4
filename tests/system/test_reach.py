"""Reaching a box (rootfs/README-reach.md): a port whose address comes later, alert rules over figures that exist, the examples of the text.
The tunnel itself is tests/vm/guest_wireguard.sh, pull is test_pull.py."""
import json
import re
import signal
import subprocess

import harness
from page_client import Client, administrator
from test_admin import metrics, token

README = harness.ROOT / "rootfs/README-reach.md"
ALERTS = harness.ROOT / "rootfs/usr/share/forecourt/alerts.yml"
# What a station without CAN and without a waiting order has no samples of.
NO_SAMPLES = {"forecourt_can_bus_offs_total": "bus", "forecourt_orders_waiting": "platform", "forecourt_orders_disputed": "platform"}
# TEST-NET-1: no machine has it (RFC 5737).
NOWHERE = "192.0.2.77"


def rules():
    """[(name, expr, for, severity, summary)] of the one form that alerts.yml keeps to; anything else in it fails."""
    found, rule = [], None
    for line in ALERTS.read_text().splitlines():
        if not line.strip() or line.startswith("#") or line in ("groups:", "  - name: forecourt", "    rules:"):
            continue
        head = re.fullmatch(r"      - alert: (Forecourt[A-Za-z]+)", line)
        if head:
            rule = {"alert": head[1]}
            found.append(rule)
            continue
        member = re.fullmatch(r"        (expr|for|labels|annotations): (.+)", line)
        assert member and rule is not None and member[1] not in rule, line
        rule[member[1]] = member[2]
    return found


def test_alerts_are_over_figures_that_there_are(make_station):
    station = make_station(tcp=1, line_units=(), connectors=1)
    station.wait_status(station.connector_id(0), 1)
    station.admin = administrator(station)
    answer = Client(station, token=token(station, "viewer", "prometheus")["token"]).get("/metrics").body.decode()
    there = metrics(answer)
    labels = {name: {key for have, _ in samples for key in have} for name, (_, samples) in there.items()}
    seen = set()
    for rule in rules():
        assert set(rule) >= {"alert", "expr", "labels", "annotations"}, rule
        assert rule["alert"] not in seen
        seen.add(rule["alert"])
        expr = rule["expr"]
        assert expr.count("(") == expr.count(")") and expr.count("{") == expr.count("}")
        names = set(re.findall(r"\b((?:forecourt|process)_[a-z0-9_]+)", expr))
        assert names or expr.startswith("up{"), expr
        assert names <= set(there), names - set(there)
        for name in names:
            in_rate = re.search(rf"(rate|increase)\({name}\[\d+[mh]\]\)", expr)
            assert bool(in_rate) == (there[name][0] == "counter"), f"{rule['alert']}: {name} is a {there[name][0]}"
        assert re.fullmatch(r"\{ severity: (critical|warning) \}", rule["labels"]), rule
        assert re.fullmatch(r"\d+[mh]", rule.get("for", "1m")), rule
        summary = re.fullmatch(r'\{ summary: "([^"]+)" \}', rule["annotations"])
        assert summary, rule
        # What it says of the object, its figures have.
        for label in set(re.findall(r"\$labels\.(\w+)", summary[1])) - {"instance"}:
            assert all(label in labels[name] or label == NO_SAMPLES.get(name) for name in names), rule
    assert len(seen) >= 12
    # Each is in the text, and no other.
    assert set(re.findall(r"`(Forecourt[A-Z][A-Za-z]+)`", README.read_text())) == seen


def test_a_port_waits_for_its_address(make_station):
    station = make_station(start=False, tcp=1, line_units=(), connectors=1)
    text = station.config_text
    station.config_text = lambda: text().replace("option address '127.0.0.1'\n\toption port", f"option address '{NOWHERE}'\n\toption port", 1)
    station.start_chargers()
    station.start_gateway()
    station.gateway.wait_for(rf"platforms: listens on {NOWHERE}:\d+, but this box has no such address")
    # All else goes on: the platform is pushed to, the page is there.
    station.wait_status(station.connector_id(0), 1)
    assert station.cli("status").returncode == 0
    # A reload to an address that is there, and back.
    station.config_text = text
    station.write_config()
    station.gateway.popen.send_signal(signal.SIGHUP)
    station.until(lambda: not raises(lambda: station.client.login()), 60, "the port on loopback")
    assert station.gateway.running()


def raises(function):
    try:
        function()
    except OSError:
        return True
    return False


def test_root_keeps_no_secrets_in_the_services_folder():
    """What root is told to write or to read there, but for the certificate, the service could have turned elsewhere."""
    blocks = "".join(re.findall(r"```\n(.*?)```", README.read_text(), re.S))
    commands = [line for line in blocks.splitlines() if not line.startswith(("config", "\toption", "\tlist"))]
    assert not re.findall(r"/etc/forecourt/(?!self-signed\.pem)[\w.]+", "\n".join(commands))


def uci_blocks():
    return [b for b in re.findall(r"```\n(.*?)```", README.read_text(), re.S) if b.startswith("config ")]


def test_the_texts_examples_are_valid(make_station):
    """The sections for /etc/config/forecourt, filled in, through --check; those of the network and the firewall keep to UCI's form."""
    station = make_station(start=False, tcp=1, line_units=(), connectors=1)
    blocks = uci_blocks()
    assert len(blocks) == 4
    for block in blocks:
        for line in block.splitlines():
            assert re.fullmatch(r"(config \w+( '\w+')?|\t(option|list) \w+ '[^']*'(\t+#.*)?|\toption (our|their)_\.\.\.(\t+#.*)?|)", line), line
    [platform] = [b for b in blocks if b.startswith("config platform")]
    [listen] = [b for b in blocks if b.startswith("config listen")]
    secrets = "".join(line + "\n" for line in station.platform_text().splitlines() if re.search(r"(our|their)_", line))
    platform = re.sub(r"\toption (our|their)_\.\.\..*\n", "", re.sub(r"\t+#.*", "", platform)) + secrets
    listen = re.sub(r"'/etc/forecourt/(server\.\w+)'", rf"'{station.certs}/\1'", re.sub(r"\t+#.*", "", listen))
    station.platforms = [platform]
    station.extra = listen
    station.write_config()
    said = subprocess.run([station.build / "forecourtd", "--check", "-c", station.config_file], capture_output=True, text=True, timeout=60,
                          check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    # OpenWISP's NetJSON: each member is an option that there is.
    [netjson] = [json.loads(b) for b in re.findall(r"```\n(\{.*?)```", README.read_text(), re.S)]
    options = subprocess.run([station.build / "forecourtd", "--options"], capture_output=True, text=True, timeout=60, check=True).stdout
    for part in netjson["forecourt"]:
        table = options[options.index(f"### config {part['config_name']}"):]
        for key in set(part) - {"config_name", "config_value"}:
            assert f"| `{key}`" in table, key
