"""A platform that breaks connections at every stage, stalls, and answers garbage (tests/peers/sick_platform.py), in groups: one station, a
platform for each fault of the group, each with a charge of its own under way that ends while the fault lasts, and one healthy platform.

In each case: the order is told right, and confirmed once, after the fault and without anybody's help; the charges that run go on; the alarm
says what it is, in both languages; the healthy platform waits no longer than in a quiet moment (-s prints the figures); memory does not grow.
The table of faults is FAULTS below; tests/README-faults.md has it with what is said."""
import pathlib
import re
import time

import outside
import pytest
import sick_platform
from business import cents

# Kind of the alarm: how its cause begins in English and in Chinese. None: there is none, because calls go through, or some of them.
KINDS = {
    "connect": ("no connection to it: ", "无法连接："),
    "tls": ("no secure connection to it: ", "无法建立安全连接："),
    "certificate": ("its certificate is not good: ", "平台证书无效："),
    "silent": ("it does not answer in time: ", "平台应答超时："),
    "broken": ("it closes the connection: ", "平台断开了连接："),
    "form": ("its answers can't be read: ", "平台应答无法识别："),
    "status": ("it answers with an HTTP status alone: ", "平台仅返回 HTTP 状态："),
    "sig": ("the signature of its answers is wrong: ", "平台应答的签名错误："),
    "ret": ("it does not take what is sent: ", "平台未接收报文："),
}
# Fault: kind of its alarm, and what its cause must say beside.
CONNECTION = {
    "reset_after_accept": ("tls", "the connection broke"),
    "closed_after_accept": ("tls", "the connection broke|closed the connection"),
    "silent_after_accept": ("silent", "connected, but no TLS handshake in time"),
    "speaks_another_protocol": ("tls", "what came is no TLS"),
    "reset_in_handshake": ("tls", "the connection broke|closed the connection"),
    "closed_in_handshake": ("tls", "the connection broke|closed the connection"),
    "silent_in_handshake": ("silent", "connected, but no TLS handshake in time"),
    "slow_in_handshake": ("silent", "connected, but no TLS handshake in time"),
    "garbage_in_handshake": ("tls", "handshake"),
    "plain_http_in_handshake": ("tls", "what came is no TLS"),
    "reset_after_headers": ("broken", "closed without an HTTP answer"),
    "closed_after_headers": ("broken", "closed without an HTTP answer"),
    "request_never_read": ("silent", "no answer in time|not taken in time"),
    "request_read_slowly": ("silent", "no answer in time|not taken in time"),
}
ANSWER_BREAKS = {
    "reset_after_request": ("broken", "closed without an HTTP answer"),
    "silent_after_request": ("silent", "no answer in time"),
    "answer_lost_by_reset": ("broken", "closed without an HTTP answer"),
    "answer_lost_by_close": ("broken", "closed without an HTTP answer"),
    "reset_in_status_line": ("broken", "closed without an HTTP answer"),
    "reset_in_answer": ("broken", r"closed after \d+ bytes of an answer|closed without"),
    "closed_in_answer": ("broken", r"closed after \d+ bytes of an answer"),
    "length_too_long": ("silent", "the answer did not end in time"),
    "a_byte_a_second": ("silent", "no answer in time|did not end in time"),
    "never_closes": ("silent", "the answer did not end in time"),
    "chunks_cut_off": ("form|broken", ""),
    "chunks_without_end": ("silent", "the answer did not end in time"),
    "length_negative": ("broken", "closed"),
    "length_enormous": ("broken", "closed"),
}
NO_HTTP = {
    "length_too_short": ("form", "not a JSON object"),
    "two_lengths": (None, ""),
    "chunk_of_no_size": ("broken", "closed"),
    "chunk_of_huge_size": ("form", "the answer is too large"),
    "http_0_9": ("broken", "closed without an HTTP answer"),
    "http_2": ("broken", "closed without an HTTP answer"),
    "zeros": ("broken", "closed without an HTTP answer"),
    "flood_of_100": ("status", "HTTP 100"),
    "flood_of_headers": ("form", "no HTTP answer"),
    "one_endless_header": ("form", "no HTTP answer"),
    "huge_body": ("form", "the answer is too large"),
    "huge_body_in_chunks": ("form", "the answer is too large"),
    "early_hints": ("status", "HTTP 100"),
    "two_answers": (None, ""),
    "unpacked_by_nobody": ("form", "not a JSON object"),
}
STATUS = {
    "redirected_elsewhere": ("status", "HTTP 302"),
    "redirected_to_itself": ("status", "HTTP 307"),
    **{f"status_{n}": ("status", f"HTTP {n}") for n in (101, 204, 304, 401, 404, 429, 500, 503, 999)},
    "page_of_a_proxy": ("form", "not a JSON object"),
    "no_body": ("form", "not a JSON object"),
    "not_json": ("form", "not a JSON object"),
    "a_json_list": ("form", "not a JSON object"),
    "cut_in_two": ("form", "not a JSON object"),
}
CONTENT = {
    "nested_deep": ("form", "not a JSON object"),
    "nested_deep_objects": ("form", "not a JSON object"),
    "zero_bytes_in_json": ("form", "not a JSON object"),
    "not_utf8": ("sig|form", ""),
    "sig_wrong": ("sig", "Sig: missing or wrong"),
    "sig_missing": ("sig", "Sig: missing or wrong"),
    "sig_of_another_type": ("sig", "Sig: missing or wrong"),
    "data_not_base64": ("form", "Data can't be read"),
    "ret_missing": ("form", "Ret: missing or no integer"),
    "ret_null": ("form", "Ret: missing or no integer"),
    "ret_word": ("form", "Ret: missing or no integer"),
    "ret_huge": ("form", "Ret: missing or no integer"),
    "ret_fraction": ("form", "Ret: missing or no integer"),
}
VERDICT = {
    "ret_-1": ("ret", r"Ret -1 \(no\)"),
    "ret_500": ("ret", r"Ret 500 \(no\)"),
    "ret_777": ("ret", r"Ret 777 \(no\)"),
    "ret_4001": ("ret", r"refused: Ret 4001 \(no\)"),
    "ret_4003": ("ret", r"refused: Ret 4003 \(no\)"),
    "ret_4004": ("ret", r"refused: Ret 4004 \(no\)"),
    "ret_4002_to_all_but_logins": (None, ""),
    "confirms_another_order": (None, ""),
}
GROUPS = {"connection": CONNECTION, "answer_breaks": ANSWER_BREAKS, "no_http": NO_HTTP, "status": STATUS, "content": CONTENT, "verdict": VERDICT}
# What the default suite has: of each group, and of each kind of alarm; all of them with FORECOURT_OUTSIDE=1.
OF_EACH = ("reset_after_accept", "silent_after_accept", "closed_in_handshake", "answer_lost_by_reset", "closed_in_answer", "a_byte_a_second",
           "huge_body", "flood_of_100", "two_answers", "redirected_elsewhere", "status_503", "nested_deep", "sig_wrong", "ret_500", "ret_4003",
           "ret_4002_to_all_but_logins", "confirms_another_order")
GROUPS["of_each"] = {name: case for group in list(GROUPS.values()) for name, case in group.items() if name in OF_EACH}
# Signed Ret 0 with Data that nobody can read: taken, as what Ret says (protocol.md section 5, 7).
TAKEN = {"nested_deep_in_data", "data_of_another_key"}
IN_TLS = {"garbage_record", "plain_alert_record", "huge_record", "close_notify_for_an_answer"}  # test_outside_tls.py


def test_every_fault_is_in_a_group_and_in_the_table():
    """One more in sick_platform.py needs its row here, and its line for people."""
    assert len(GROUPS["of_each"]) == len(OF_EACH) and {kind for kind, _ in GROUPS["of_each"].values()} >= {"tls", "silent", "broken", "form", "status", "sig", "ret", None}
    assert {f for group in GROUPS.values() for f in group} | TAKEN | IN_TLS == set(sick_platform.FAULTS)
    text = (pathlib.Path(__file__).parents[1] / "README-faults.md").read_text()
    assert not [f for f in sick_platform.FAULTS if f"`{f}`" not in text]
    assert not [words for kind in KINDS.values() for words in kind if words.rstrip(":： ") not in text]


def is_said(said, kind, more, language):
    return any(said.startswith(KINDS[k][language]) for k in kind.split("|")) and re.search(more, said)


def in_the_middle_of_a_charge(ward, faults):
    """The fault comes to all while they charge."""
    for patient, name in zip(ward.sick, faults):
        patient.server.elsewhere = f"https://localhost:{ward.healthy.server.port}"
        patient.server.another_order = ward.healthy.seq
        patient.charge()
    ward.healthy.charge()
    ward.station.until(lambda: all(p.wh() >= 100 for p in ward.patients), 120, "some energy of all")


def wait_alarms(ward, faults):
    """Each platform's alarm says what it is, in both languages; the healthy one has none. What was said, by fault."""
    found = {}

    def all_said(language):
        alarms = ward.alarms(chinese=language == 1)
        assert ward.healthy.name not in alarms
        for patient, (name, (kind, more)) in zip(ward.sick, faults.items()):
            said = alarms.get(patient.name, "")
            if kind and is_said(said, kind, more, language):
                found[name, language] = said
        return all(kind is None or (name, language) in found for name, (kind, _) in faults.items())

    for language in (0, 1):
        try:
            ward.station.until(lambda: ward.news() and all_said(language), 90, "the alarms")
        except AssertionError:
            alarms = ward.alarms(chinese=language == 1)
            wrong = {name: alarms.get(p.name) for p, (name, (kind, _)) in zip(ward.sick, faults.items())
                     if kind and (name, language) not in found}
            raise AssertionError(f"not said as it is: {wrong}") from None
    return found


@pytest.mark.parametrize("group", outside.cases(["of_each"], GROUPS))
def test_faults(make_station, group):
    faults = GROUPS[group]
    ward = outside.Ward(make_station, len(faults))
    station = ward.station
    try:
        in_the_middle_of_a_charge(ward, faults)
        quiet = ward.measure()
        memory = [ward.rss_kb()]
        for patient, name in zip(ward.sick, faults):
            patient.server.fault = sick_platform.FAULTS[name]
            patient.server.cut()
        sick = [ward.measure()]
        memory.append(ward.rss_kb())
        said = wait_alarms(ward, faults)
        # Charges go on; those of the sick ones end now, by the driver.
        before = ward.healthy.wh()
        for patient in ward.sick:
            station.ask_chargers(f"stop {patient.index} 1")
        station.until(lambda: all(ward.closed(p.seq) for p in ward.sick), 60, "the orders")
        station.until(lambda: ward.news() and all(sum(p.server.bites.values()) >= 3 for p in ward.sick
                                                   if not p.server.fault.only), 120, "three bites of each")
        station.until(lambda: all(p.server.bites["notification_charge_order_info"] for p in ward.sick
                                  if p.server.fault.stage not in ("accept", "tls")), 90, "each order met with the fault")
        sick.append(ward.measure())
        memory.append(ward.rss_kb())
        station.until(lambda: ward.healthy.wh() > before, 60, "more energy of the charge that runs")
        assert not any(p.server.confirmed for p in ward.sick if not p.server.fault.right), "nobody has confirmed yet"
        waiting = station.stats()["store"]["orders_to_send"]
        for patient in ward.sick:
            patient.server.fault = None
        well = time.monotonic()
        station.until(lambda: ward.news() and not any(ward.trouble().values()), 120, "all to be well")
        links = time.monotonic() - well
        try:
            station.until(lambda: all(p.server.confirmed for p in ward.sick), 180, "every confirmation")
        except AssertionError:
            wanting = [(name, p.seq, len(p.orders())) for p, name in zip(ward.sick, faults) if not p.server.confirmed]
            raise AssertionError(f"not confirmed: {wanting}; {station.stats()['store']}") from None
        station.until(lambda: station.stats()["store"]["orders_to_send"] == 0, 60, "an empty outbox")
        orders = time.monotonic() - well
        station.until(lambda: not ward.alarms(), 60, "no alarm")
        time.sleep(3)
        for patient in ward.sick:
            patient.check_order()
        after = ward.measure()
        memory.append(ward.rss_kb())
        # The healthy one has its charge stopped and billed as ever.
        ward.healthy.client.call("query_stop_charge", {"StartChargeSeq": ward.healthy.seq, "ConnectorID": ward.healthy.connector})
        station.until(lambda: ward.healthy.server.confirmed, 60, "the healthy one's order")
        ward.healthy.check_order()
        assert cents(ward.healthy.orders()[0]["TotalPower"]) * 10 >= before
        stamps = [("quiet", quiet), ("sick", sick[0]), ("sick, orders wait", sick[1]), ("after", after)]
        outside.show(f"{group}: {len(faults)} sick platforms; the healthy one: news and answer, median and longest, ms",
                     [(name, *(f"{x * 1000:.0f}" for x in figures)) for name, figures in stamps]
                     + [("memory kB, quiet, sick, later, after", *memory), (f"orders waiting {waiting}; linked {links:.1f} s, confirmed {orders:.1f} s after",)])
        outside.show("said", sorted((name, text) for (name, language), text in said.items() if not language))
        # News come with a poll, and floods of other platforms cost this machine something: but nobody's silence is waited for.
        for news, question, _, _ in sick:
            assert news < 3 * quiet[0] + 0.3 and question < quiet[1] + 0.3, stamps
        # What is under way takes some, and gives it back.
        assert max(memory) - memory[0] < 8000 and memory[3] - memory[0] < 4000, memory
        assert "left over" not in station.gateway.output()
    finally:
        ward.close()
