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
from page_client import PASSWORD, Client


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
    station = make_station(start=False, tcp=1, line_units=(), connectors=1, poll_ms=200)
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
