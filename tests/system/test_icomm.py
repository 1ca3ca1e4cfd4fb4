"""The public-information interface, spoken by the independent Python peer on both sides."""
import datetime
import json
import re
import signal

import harness
from harness import today

STATION_ID = "110105000100001"
TODAY = "%Y-%m-%d"


def test_login_both_ways(station):
    station.wait_status(station.connector_id(0), 1)
    assert station.server.logins == 1
    answer = station.client.login()
    assert answer.ret == 0
    assert answer.data["SuccStat"] == 0 and answer.data["FailReason"] == 0
    assert answer.data["TokenAvailableTime"] == 7200
    assert len(answer.data["AccessToken"]) >= 32


def test_login_refused(station):
    wrong = station.client.login(secret="not-the-secret")
    assert (wrong.ret, wrong.data["SuccStat"], wrong.data["FailReason"]) == (0, 1, 2)
    assert wrong.data["AccessToken"] == ""
    unknown = station.client.login(operator_id="999999999")
    assert (unknown.data["SuccStat"], unknown.data["FailReason"]) == (1, 1)


def test_old_token_stays_valid_after_a_new_login(station):
    station.client.login()
    first = station.client.token
    station.client.login()
    assert station.client.token != first
    for token in (first, station.client.token):
        assert station.client.call("query_station_status", {"StationIDs": [STATION_ID]}, token=token).ret == 0


def test_stations_info_is_whole(station):
    station.client.login()
    answer = station.client.call("query_stations_info", {"LastQueryTime": "", "PageNo": 1, "PageSize": 10})
    assert answer.ret == 0, answer.raw
    data = answer.data
    assert (data["PageNo"], data["PageCount"], data["ItemSize"]) == (1, 1, 1)
    info = data["StationInfos"][0]
    assert info["StationID"] == STATION_ID
    assert info["OperatorID"] == info["EquipmentOwnerID"] == harness.STATION_OPERATOR
    assert info["StationName"] == "示范充电站 Demo station"
    assert info["CountryCode"] == "CN" and info["AreaCode"] == "110105"
    assert info["StationStatus"] == 50 and info["StationType"] == 1 and info["Construction"] == 255
    # The forms of the standard: six decimals for coordinates, one for power.
    assert '"StationLng":116.480881' in answer.text and '"StationLat":39.989410' in answer.text
    assert [len(e["ConnectorInfos"]) for e in info["EquipmentInfos"]] == [2, 2]
    assert '"Power":120.0' in answer.text
    first = info["EquipmentInfos"][0]["ConnectorInfos"][0]
    assert first["ConnectorID"] == station.connector_id(0, 1)
    for field in ("ConnectorType", "VoltageUpperLimits", "VoltageLowerLimits", "Current", "NationalStandard"):
        assert isinstance(first[field], int), field


def test_stations_info_since(station):
    """LastQueryTime: only what changed since; digits need not be padded (vector V5)."""
    station.client.login()
    later = (today() + datetime.timedelta(days=2)).strftime("%Y-%m-%d 00:00:00")
    nothing = station.client.call("query_stations_info", {"LastQueryTime": later})
    assert nothing.ret == 0 and nothing.data["StationInfos"] == [] and '"StationInfos":[]' in nothing.text
    assert nothing.data["ItemSize"] == 0
    everything = station.client.call("query_stations_info", {"LastQueryTime": "2016-1-2 12:12:12"})
    assert len(everything.data["StationInfos"]) == 1


def test_paging(make_station):
    station = make_station(start=False, tcp=2, line_units=(), connectors=1)
    for number in range(2, 8):
        station.extra += harness.section(
            "station", f"s{number}", station_id=f"11010500010000{number}", station_name=f"Station {number}", area_code="110105",
            address="somewhere", service_tel="4000000000", station_lng="116.0", station_lat="39.0")
    station.start_chargers()
    station.start_gateway()
    station.client.login()
    seen = []
    for page in (1, 2, 3):
        data = station.client.call("query_stations_info", {"PageNo": page, "PageSize": 3}).data
        assert (data["PageNo"], data["PageCount"], data["ItemSize"]) == (page, 3, 7)
        seen += [s["StationID"] for s in data["StationInfos"]]
    assert len(seen) == len(set(seen)) == 7
    beyond = station.client.call("query_stations_info", {"PageNo": 9, "PageSize": 3})
    assert beyond.ret == 0 and beyond.data["PageNo"] == 9 and beyond.data["StationInfos"] == []
    # Numbers may come as text (field variation 18).
    assert station.client.call("query_stations_info", {"PageNo": "2", "PageSize": "3"}).data["PageNo"] == 2
    # A station without equipment has an empty list, not an empty object.
    text = station.client.call("query_stations_info", {"PageNo": 3, "PageSize": 3}).text
    assert '"EquipmentInfos":[]' in text and "{}" not in text


def test_status_asked(station):
    station.ask_chargers("plug 0 1")
    station.wait_status(station.connector_id(0, 1), 2)
    station.client.login()
    answer = station.client.call("query_station_status", {"StationIDs": [STATION_ID, "unknown"]})
    assert answer.ret == 0 and answer.data.get("Total", 1) == 1
    infos = answer.data["StationStatusInfos"]
    assert len(infos) == 1
    statuses = {c["ConnectorID"]: c["Status"] for c in infos[0]["ConnectorStatusInfos"]}
    assert statuses[station.connector_id(0, 1)] == 2
    assert statuses[station.connector_id(0, 2)] == 1
    assert len(statuses) == 4
    nothing = station.client.call("query_station_status", {"StationIDs": ["unknown"]})
    assert nothing.ret == 0 and nothing.data["StationStatusInfos"] == []
    many = station.client.call("query_station_status", {"StationIDs": [str(n) for n in range(51)]})
    assert many.ret == 4004


def ask_stats(station, first, last):
    answer = station.client.call("query_station_stats", {"StationID": STATION_ID, "StartTime": first.strftime(TODAY),
                                                         "EndTime": last.strftime(TODAY)})
    assert answer.ret == 0, answer.raw
    return answer


def charge_once(station, charger=0, number=1, minimum_wh=200):
    """A charge that delivers something; the energy that the gateway counted, Wh."""
    def counted():
        connectors = station.stats()["connectors"]
        return next(c["today_wh"] for c in connectors if c["connector_id"] == station.connector_id(charger, number))
    station.ask_chargers(f"plug {charger} {number}")
    station.ask_chargers(f"start {charger} {number}")
    station.wait_status(station.connector_id(charger, number), 3)
    station.until(lambda: counted() >= minimum_wh, 60, f"{minimum_wh} Wh")
    station.ask_chargers(f"stop {charger} {number}")
    station.until(lambda: station.statuses(station.connector_id(charger, number))[-1] != 3, 60, "the end of the charge")
    station.ask_chargers(f"unplug {charger} {number}")
    station.wait_status(station.connector_id(charger, number), 1)
    return counted()


def check_sums(text):
    """Parts must sum to the totals exactly, in tenths of a kWh, and each number has one decimal."""
    data = json.loads(text, parse_float=str)["StationStats"]
    tenths = lambda t: int(t.replace(".", ""))  # noqa: E731
    total = 0
    for equipment in data["EquipmentStatsInfos"]:
        part = sum(tenths(c["ConnectorElectricity"]) for c in equipment["ConnectorStatsInfos"])
        assert part == tenths(equipment["EquipmentElectricity"])
        total += part
    assert total == tenths(data["StationElectricity"])
    for number in re.findall(r'Electricity":([^,}]+)', text):
        assert re.fullmatch(r"\d+\.\d", number), number
    return total


def test_statistics_measured_and_kept_over_a_restart(make_station):
    harness.away_from_midnight()
    station = make_station(tcp=1, line_units=(1,), connectors=2, poll_ms=200, chargers=("--speed", "30"))
    wh = charge_once(station)
    charge_once(station, charger=1, number=2, minimum_wh=20)
    station.client.login()
    day, week, month = today(), today() - datetime.timedelta(days=6), today() - datetime.timedelta(days=29)
    totals = [check_sums(ask_stats(station, first, day).text) for first in (day, week, month)]
    assert totals[0] == totals[1] == totals[2] >= (wh - 50) // 100
    yesterday = day - datetime.timedelta(days=1)
    assert check_sums(ask_stats(station, week, yesterday).text) == 0

    # Killed in mid-air: what was only in memory must come back from the chargers' own registers.
    station.gateway.popen.kill()
    station.gateway.popen.wait()
    station.client.close()
    before = len(station.server.received)
    station.start_gateway()
    station.server.wait(lambda received: len(received) >= before + 4)
    station.client.login()
    station.until(lambda: check_sums(ask_stats(station, day, day).text) == totals[0], 30, "the same statistics")


def test_station_information_and_statistics_are_pushed_where_wanted(make_station):
    """Off by default; on: at the start, on change, and for the day before."""
    harness.away_from_midnight(later=harness.STATISTICS_LATER_S)
    plain = make_station(tcp=1, line_units=(), connectors=1, poll_ms=200)
    plain.wait_status(plain.connector_id(0), 1)
    assert {m for m, _ in plain.server.received} == {"notification_stationStatus"}

    station = make_station(start=False, tcp=1, line_units=(), connectors=1, poll_ms=200)
    station.platform_options.update(push_station_info=1, push_stats=1)
    station.start_chargers()
    station.start_gateway()

    def pushed(method):
        return [p for m, p in list(station.server.received) if m == method]

    station.server.wait(lambda _: pushed("notification_stationInfo") and pushed("notification_station_stats"))
    station.client.login()
    pulled = station.client.call("query_stations_info", {}).data["StationInfos"]
    assert pushed("notification_stationInfo")[0]["StationInfo"] == pulled[0]
    stats = pushed("notification_station_stats")[0]["StationStats"]
    yesterday = today(later=harness.STATISTICS_LATER_S) - datetime.timedelta(days=1)
    assert stats["StationID"] == STATION_ID and stats["StartTime"] == stats["EndTime"] == str(yesterday)
    assert stats == ask_stats(station, yesterday, yesterday).data["StationStats"]

    # A changed name is told by itself, once.
    text = station.config_file.read_text()
    assert "Demo station" in text
    station.config_file.write_text(text.replace("Demo station", "Renamed"))
    station.gateway.popen.send_signal(signal.SIGHUP)
    station.server.wait(lambda _: len(pushed("notification_stationInfo")) == 2)
    assert "Renamed" in pushed("notification_stationInfo")[1]["StationInfo"]["StationName"]
    assert len(pushed("notification_station_stats")) == 1


def test_statistics_refuse_nonsense(station):
    station.client.login()
    ask = lambda **p: station.client.call("query_station_stats", p).ret  # noqa: E731
    assert ask(StationID="unknown", StartTime="2026-01-01", EndTime="2026-01-02") == 4004
    assert ask(StationID=STATION_ID, StartTime="2026-01-03", EndTime="2026-01-02") == 4004
    assert ask(StationID=STATION_ID, StartTime="yesterday", EndTime="2026-01-02") == 4004
    assert ask(StationID=STATION_ID, StartTime="2026-02-30", EndTime="2026-03-02") == 4004
    assert ask(StationID=STATION_ID) == 4004


def test_status_pushed_on_every_change(station):
    """The standard's states in order, each as an event of its own."""
    connector = station.connector_id(1, 2)
    station.wait_status(connector, 1)
    for command, expected in (("plug", 2), ("start", 3), ("stop", 2), ("unplug", 1), ("reserve", 4), ("clear", 1)):
        station.ask_chargers(f"{command} 1 2")
        station.wait_status(connector, expected)
    station.ask_chargers("fault 1 2 17")
    station.wait_status(connector, 255)
    station.ask_chargers("clear 1 2")
    station.until(lambda: station.statuses(connector)[-1] in (1, 2), 60, "the end of the fault")
    message = [p for m, p in station.server.received if m == "notification_stationStatus"][0]
    assert set(message) == {"ConnectorStatusInfo"}
    assert isinstance(message["ConnectorStatusInfo"]["Status"], int)


def test_push_survives_a_platform_that_is_away(station):
    """Only the newest state matters once it is back; its new token is fetched again."""
    connector = station.connector_id(0, 1)
    station.wait_status(connector, 1)
    station.server.answers["notification_stationStatus"] = lambda payload: (-1, None)
    station.ask_chargers("plug 0 1")
    station.until(lambda: 2 in station.statuses(connector), 60, "a refused push")
    station.server.tokens.clear()
    del station.server.answers["notification_stationStatus"]
    logins = station.server.logins
    station.ask_chargers("start 0 1")
    station.wait_status(connector, 3)
    assert station.server.logins > logins


def test_discarded_push_is_not_repeated(station):
    connector = station.connector_id(0, 1)
    station.wait_status(connector, 1)
    station.server.answers["notification_stationStatus"] = lambda payload: (0, {"Status": 1})
    station.ask_chargers("plug 0 1")
    station.until(lambda: station.statuses(connector)[-1] == 2, 60, "the push")
    station.until(lambda: station.stats()["platforms"][0]["status_discarded"] >= 1, 60, "it counted as discarded")
    # Another change goes out after it; the discarded one was sent once.
    station.ask_chargers("start 0 1")
    station.until(lambda: station.statuses(connector)[-1] == 3, 60, "the next push")
    assert station.statuses(connector).count(2) == 1
