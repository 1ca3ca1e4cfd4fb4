"""DESIGN.md's TLS refusals, both sides, against the running gateway: each refused, and nothing of a request was sent."""
import socket
import ssl
import subprocess

import harness
import peer
import pytest

CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def make_ca(folder, name):
    harness.openssl("req", "-x509", *CURVE, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign", cwd=folder)


def make_certificate(folder, name, ca, san="DNS:localhost,IP:127.0.0.1", dates=("20240101000000Z", "20991231000000Z"), usage="serverAuth"):
    """Signed by ca with any dates: openssl ca takes them."""
    (folder / "ca.cnf").write_text(f"""[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial.txt\nnew_certs_dir=.\ndefault_md=sha256
policy=p\nx509_extensions=e\nunique_subject=no\n[p]\ncommonName=supplied\n[e]\nsubjectAltName={san}\nextendedKeyUsage={usage}\n""")
    (folder / "index.txt").touch()
    if not (folder / "serial.txt").exists():
        (folder / "serial.txt").write_text("1000\n")
    harness.openssl("req", *CURVE, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}", cwd=folder)
    harness.openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", f"{ca}.pem", "-keyfile", f"{ca}.key", "-in",
                    f"{name}.csr", "-out", f"{name}.pem", "-startdate", dates[0], "-enddate", dates[1], cwd=folder)


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certs")
    for ca in ("ca", "otherca"):
        make_ca(folder, ca)
    make_certificate(folder, "good", "ca")
    make_certificate(folder, "wronghost", "ca", san="DNS:elsewhere.example,IP:127.0.0.2")
    make_certificate(folder, "wrongca", "otherca")
    make_certificate(folder, "expired", "ca", dates=("20200101000000Z", "20210101000000Z"))
    make_certificate(folder, "future", "ca", dates=("20980101000000Z", "20991231000000Z"))
    harness.openssl("req", "-x509", *CURVE, "-keyout", "selfsigned.key", "-out", "selfsigned.pem", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", cwd=folder)
    make_certificate(folder, "client", "ca", usage="clientAuth")
    make_certificate(folder, "client-wrongca", "otherca", usage="clientAuth")
    make_certificate(folder, "client-expired", "ca", usage="clientAuth", dates=("20200101000000Z", "20210101000000Z"))
    return folder


class Trap(peer.Server):
    """A platform with any certificate; counts what reaches it."""

    def __init__(self, certs, name):
        super().__init__(peer.Keys(*harness.THEIRS), certs / f"{name}.pem", certs / f"{name}.key")
        self.taken = 0

    def take(self, *args):
        self.taken += 1
        return super().take(*args)


def run_against(make_station, port, ca, host="localhost"):
    station = make_station(start=False, tcp=1, line_units=(), connectors=1)
    station.platform_options.update(url=f"https://{host}:{port}/evcs/v20160701", ca=ca)
    station.start_chargers()
    station.start_gateway()
    return station


def last_error(station):
    return station.until(lambda: station.stats()["platforms"][0]["last_error"], 60, "an error")


@pytest.mark.parametrize("name", ["wronghost", "wrongca", "expired", "future", "selfsigned"])
def test_client_refuses(make_station, certs, name):
    trap = Trap(certs, name)
    try:
        station = run_against(make_station, trap.port, certs / "ca.pem")
        assert last_error(station)
        assert trap.taken == 0 and not station.stats()["platforms"][0]["linked"]
    finally:
        trap.close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_client_accepts_the_right_certificate(make_station, certs, host):
    trap = Trap(certs, "good")
    try:
        run_against(make_station, trap.port, certs / "ca.pem", host)
        trap.wait(lambda received: received)
        assert not trap.problems
    finally:
        trap.close()


def test_client_refuses_tls_1_1(make_station, certs):
    """openssl s_server that offers nothing above TLS 1.1; it prints what it gets."""
    port = harness.free_port()
    server = subprocess.Popen(["openssl", "s_server", "-accept", str(port), "-cert", "good.pem", "-key", "good.key", "-tls1_1", "-cipher",
                               "DEFAULT:@SECLEVEL=0", "-quiet"], cwd=certs, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    try:
        station = run_against(make_station, port, certs / "ca.pem")
        assert last_error(station)
    finally:
        server.terminate()
    output = server.communicate()[0].decode(errors="replace")
    assert "POST" not in output and "unsupported protocol" in output, output


@pytest.fixture(scope="module")
def guarded(certs):
    """A gateway that wants a client certificate of the CA, named client."""
    import conftest
    station = conftest.PeerStation(tcp=1, line_units=(), connectors=1)
    original = station.config_text
    station.config_text = lambda: original().replace(
        "config listen 'platforms'", f"config listen 'platforms'\n\toption client_certificate 'required'\n\toption client_ca '{certs}/ca.pem'")
    station.platform_options["client_name"] = "client"
    station.start_chargers()
    station.start_gateway()
    yield station
    assert station.gateway.running()
    station.stop()


def client_with(station, certs, name):
    files = {"certificate": certs / f"{name}.pem", "key": certs / f"{name}.key"} if name else {}
    return station.new_client(**files)


@pytest.mark.parametrize("name", [None, "client-wrongca", "client-expired"])
def test_server_refuses_client_certificate(guarded, certs, name):
    client = client_with(guarded, certs, name)
    with pytest.raises((OSError, peer.http.client.HTTPException)):
        client.login()
    client.close()


def test_server_accepts_the_right_client(guarded, certs):
    client = client_with(guarded, certs, "client")
    assert client.login().data["SuccStat"] == 0
    assert client.call("query_station_status", {"StationIDs": ["110105000100001"]}).ret == 0
    client.close()


def test_server_refuses_tls_1_1(guarded):
    result = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{guarded.listen_port}", "-tls1_1", "-cipher",
                             "DEFAULT:@SECLEVEL=0"], input=b"", capture_output=True, timeout=60, check=False)
    assert result.returncode != 0 and b"Cipher is (NONE)" in result.stdout


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_server_speaks(guarded, certs, version):
    client = client_with(guarded, certs, "client")
    client.context.minimum_version = client.context.maximum_version = version
    assert client.login().ret == 0
    client.close()


def test_plain_http_on_the_tls_port_is_no_crash(guarded, certs):
    with socket.create_connection(("127.0.0.1", guarded.listen_port), timeout=20) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        s.settimeout(20)
        try:
            assert b"200" not in s.recv(100)
        except OSError:
            pass
    client = client_with(guarded, certs, "client")
    assert client.login().ret == 0
    client.close()
