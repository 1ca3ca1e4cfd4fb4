"""Fixtures: a station with the independent Python peer as its platform, and one with the C simulators on both sides."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "peers"))
import business  # noqa: E402
import harness  # noqa: E402
import peer  # noqa: E402


class PeerStation(harness.Station):
    """The gateway between simulated chargers and the Python peer."""

    def __init__(self, peer_path="/evcs/v20160701", **more):
        super().__init__(**more)
        self.server = peer.Server(peer.Keys(*harness.THEIRS), self.certs / "server.pem", self.certs / "server.key",
                                  path=peer_path)
        self.platform_port = self.server.port
        self.client = self.new_client()

    def new_client(self, **more):
        options = dict(port=self.listen_port, operator_id=harness.PLATFORM_OPERATOR, keys=peer.Keys(*harness.OURS),
                       ca=self.certs / "ca.pem")
        options.update(more)
        return peer.Client(**options)

    def statuses(self, connector_id):
        """What was pushed for a connector, oldest first."""
        return [p["ConnectorStatusInfo"]["Status"] for m, p in list(self.server.received)
                if m == "notification_stationStatus" and p["ConnectorStatusInfo"]["ConnectorID"] == connector_id]

    def wait_status(self, connector_id, status, timeout=60):
        self.server.wait(lambda _: self.statuses(connector_id)[-1:] == [status], timeout)

    def stop(self):
        self.client.close()
        super().stop()
        self.server.close()


@pytest.fixture(scope="module")
def shared_store():
    """For modules whose tests look into the gateway's database while it runs: it has it for itself otherwise (core/store/file.c)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORECOURT_SHARED_STORE", "1")
        yield


@pytest.fixture
def make_station():
    """Makes stations that are stopped, whatever happens. make_station(tcp=2, ..., start=True)."""
    made = []

    def make(start=True, chargers=(), **more):
        station = PeerStation(**more)
        made.append(station)
        station.platform_options.setdefault("retry_s", 1)
        if start:
            station.start_chargers(*chargers)
            station.start_gateway()
        return station

    yield make
    for station in reversed(made):
        station.stop()
    for station in made:
        assert not station.server.problems, station.server.problems


@pytest.fixture
def station(make_station):
    """Two chargers with two connectors each, one on TCP, one on a serial line."""
    return make_station(tcp=1, line_units=(1,), connectors=2, poll_ms=200)


@pytest.fixture
def charging(make_station):
    """A station whose platform may start charges, at 1.2345 + 0.4 yuan per kWh."""

    def make(platform=None, at_station=None, mapping_text=None, policy=None, prepare=None, **more):
        station = make_station(start=False, poll_ms=200, **more)
        station.platform_options.update(iserv=1, policy="test", **(platform or {}))
        station.station_options.update(**(at_station or {}))
        station.write_policy("test", policy or business.PRICES.format(name="test", elec="1.2345", service="0.4"))
        if mapping_text:
            station.mapping = "test"
            station.write_mapping("test", mapping_text)
        business.confirm_all(station.server)
        station.start_chargers("--speed", "30")
        if prepare:
            prepare(station)
        station.start_gateway()
        station.wait_status(station.connector_id(0), 1)
        station.client.login()
        return station

    return make
