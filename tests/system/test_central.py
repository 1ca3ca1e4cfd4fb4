"""Central authentication: a platform behind an exchange. One log-in in each direction, and its token is good for both."""
from business import confirm_all, new_seq, plug, start, stop, wait_told

import harness

BEHIND = "222222222"


def test_a_platform_behind_an_exchange(make_station):
    station = make_station(start=False, tcp=1, line_units=(), connectors=1, poll_ms=200)
    station.platform_options.update(iserv=1)
    station.extra = station.platform_text("p2", operator_id=BEHIND, exchange="p1")
    confirm_all(station.server)
    station.start_chargers("--speed", "30")
    station.start_gateway()
    connector = station.connector_id(0)
    # Both push, one has logged in; a dropped token is fetched once more by one, and both go on.
    station.server.wait(lambda s: station.statuses(connector).count(1) == 2)
    assert station.server.logins == 1
    station.server.tokens.clear()
    plug(station)
    station.server.wait(lambda s: station.statuses(connector).count(2) == 2)
    assert station.server.logins == 2

    # They call us: who is behind the exchange comes with the exchange's token, and can't log in itself.
    client = station.new_client(operator_id=BEHIND)
    assert client.login().data["FailReason"] == 1
    assert client.call("query_station_status", {"StationIDs": ["x"]}, token=False).ret == 4002
    station.client.login()
    client.token = station.client.token
    seq = new_seq().replace(harness.PLATFORM_OPERATOR, BEHIND)
    answer = client.call("query_start_charge", {"StartChargeSeq": seq, "ConnectorID": connector, "QRCode": ""}).data
    assert answer["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", seq)
    # It is the charge of the one behind, not of the exchange.
    assert stop(station, connector, seq).data["SuccStat"] == 1
    assert client.call("query_stop_charge", {"StartChargeSeq": seq, "ConnectorID": connector}).data["SuccStat"] == 0
    wait_told(station, "notification_charge_order_info", seq)
    assert start(station, connector, new_seq()).data["SuccStat"] == 0
    client.close()


def test_an_exchange_must_be_there(make_station):
    station = make_station(start=False, tcp=1, line_units=(), connectors=1)
    for options, says in ((dict(exchange="nobody"), "nobody"), (dict(exchange="p2"), "reached through an exchange itself")):
        station.extra = station.platform_text("p2", operator_id=BEHIND, **options)
        station.write_config()
        checked = harness.subprocess.run([station.build / "forecourtd", "--check", "-c", station.config_file],
                                         capture_output=True, text=True, timeout=60, check=False)
        assert checked.returncode == 2 and says in checked.stderr and "exchange" in checked.stderr
