"""The daemon's server under wrong, hostile and odd requests: the right code each time, and it goes on."""
import json

import harness
import peer
import pytest

STATION_ID = "110105000100001"
GOOD = {"StationIDs": [STATION_ID]}


@pytest.fixture(scope="module")
def running():
    """One station for the whole file: a request that breaks it would fail the ones behind it too."""
    import conftest
    station = conftest.PeerStation(tcp=1, line_units=(), connectors=1)
    station.platform_options["rate_per_s"] = 1000
    station.start_chargers()
    station.start_gateway()
    station.client.login()
    yield station
    assert station.gateway.running()
    station.stop()


def ret(status_and_text):
    status, text = status_and_text
    assert status == 200, (status, text)
    return json.loads(text)["Ret"]


def sealed(station, payload=GOOD, **change):
    c = station.client
    return peer.seal_request(c.keys, c.operator_id, payload, c.sequence, **change)


def test_good_request(running):
    assert running.client.call("query_station_status", GOOD).ret == 0


@pytest.mark.parametrize("change", [
    {"Sig": "0" * 32}, {"Sig": ""}, {"Sig": "x"}, {"Sig": "北京" * 8}, {"Sig": "0" * 5000},
])
def test_wrong_signature(running, change):
    assert ret(running.client.post("query_station_status", sealed(running, **change))) in (4001, 4003)


def test_wrong_signature_is_4001(running):
    assert ret(running.client.post("query_station_status", sealed(running, Sig="0" * 32))) == 4001


def test_signature_in_lower_case_passes(running):
    body = sealed(running)
    body["Sig"] = body["Sig"].lower()
    assert ret(running.client.post("query_station_status", body)) == 0


@pytest.mark.parametrize("field", ["OperatorID", "Data", "TimeStamp", "Seq", "Sig"])
def test_missing_field_is_4003(running, field):
    body = sealed(running)
    del body[field]
    assert ret(running.client.post("query_station_status", body)) == 4003


@pytest.mark.parametrize("field", ["OperatorID", "Data", "TimeStamp", "Sig"])
@pytest.mark.parametrize("value", [None, 7, [], {}, True])
def test_illtyped_field_is_refused(running, field, value):
    body = sealed(running)
    body[field] = value
    assert ret(running.client.post("query_station_status", body)) in (4001, 4003)


@pytest.mark.parametrize("token", [False, "x", "", "a" * 3000])
def test_wrong_token_is_4002(running, token):
    status, text = running.client.post("query_station_status", sealed(running), token=token)
    if token and len(token) > 1000 and status != 200:
        assert 400 <= status < 500  # a header beyond its bound; the connection ends with it
        running.client.close()
        return
    assert json.loads(text)["Ret"] == 4002


def test_wrong_decryption_tells_nothing(running):
    """Wrong key, wrong padding, no base64, wrong length: one code, one text."""
    c = running.client
    answers = set()
    other = peer.Keys("x", "another-data-key", "another-data-iv0", harness.OURS[3])
    for data in (other.encrypt(json.dumps(GOOD)), "AAAAAAAAAAAAAAAAAAAAAA==", "no base64 at all!", "QUJD", "A" * 64):
        stamp, seq = c.sequence.next()
        body = {"OperatorID": c.operator_id, "Data": data, "TimeStamp": stamp, "Seq": seq}
        body["Sig"] = c.keys.sign(body["OperatorID"] + data + stamp + seq)
        status, text = c.post("query_station_status", body)
        assert status == 200
        answer = json.loads(text)
        answers.add((answer["Ret"], answer["Msg"]))
    assert len(answers) == 1, answers
    assert answers.pop()[0] in (4003, 4004)


@pytest.mark.parametrize("payload", ["", "x", "[]", "7", '"text"', "null", "{", '{"StationIDs":7}', '{"StationIDs":[{}]}',
                                     '{"StationIDs":"x"}', "[" * 2000, '{"StationIDs":[' + '"x",' * 20000 + '"x"]}'])
def test_bad_parameters_are_4004(running, payload):
    assert ret(running.client.post("query_station_status", sealed(running, payload))) == 4004


@pytest.mark.parametrize("body", [b"", b"x", b"{}", b"[]", b"null", b"7", b'{"OperatorID":', b"\0" * 100, b"\xff\xfe" * 50,
                                  b"[" * 5000, b'{"a":' * 5000, b'"' + b"x" * 50000])
def test_malformed_envelope_is_4003(running, body):
    assert ret(running.client.post("query_station_status", body)) == 4003


def test_oversized_body_is_refused(running):
    """Refused by its length; the connection may be closed on us while we still send."""
    try:
        status, text = running.client.post("query_station_status", b"x" * 1_000_000)
        assert status == 413, text
    except OSError:
        pass
    finally:
        running.client.close()
    assert running.client.call("query_station_status", GOOD).ret == 0


def test_unknown_paths_and_methods(running):
    assert running.client.post("query_nothing", sealed(running))[0] == 404
    assert running.client.post("../../etc/passwd", sealed(running))[0] in (400, 403, 404)
    assert running.client.post("QUERY_STATION_STATUS", sealed(running))[0] == 404  # names are case-sensitive
    running.client.connection.request("GET", "/evcs/v20160701/query_station_status")
    answer = running.client.connection.getresponse()
    answer.read()
    assert answer.status == 405


def test_stranger_is_refused(running):
    body = sealed(running, OperatorID="999999999")
    assert ret(running.client.post("query_station_status", body)) in (4001, 4002, 4003, 4004)


def test_one_connection_serves_many(running):
    """Keep-alive: the same socket after many requests."""
    running.client.call("query_station_status", GOOD)
    before = running.client.connection.sock.getsockname()
    for _ in range(50):
        assert running.client.call("query_station_status", GOOD).ret == 0
    assert running.client.connection.sock.getsockname() == before


def test_errors_are_signed(running):
    status, text = running.client.post("query_station_status", sealed(running, '{"StationIDs":7}'))
    answer = json.loads(text)
    assert status == 200 and answer["Ret"] == 4004 and answer["Msg"]
    assert "StationIDs" in answer["Msg"]
    assert answer["Sig"] == running.client.keys.sign(f"{answer['Ret']}{answer['Msg']}{answer.get('Data') or ''}")
