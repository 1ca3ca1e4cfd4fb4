"""TLS that goes wrong at a platform: each alert at each moment of the handshake, certificates that change between connections, tickets that are
worth nothing any more, records that can't be opened. As in test_outside.py."""
import ssl
import time

import outside
import pytest
import sick_platform
from test_outside import is_said
from test_tls import make_ca, make_certificate

# RFC 8446, 6, and what older versions had; what is said of each: ours where there is something to do about it.
WORDS = {
    40: "it found nothing in common", 42: "it refused our certificate", 43: "it can't use our kind of certificate",
    44: "our certificate is revoked", 45: "our certificate has expired, or is not valid yet", 46: "it refused our certificate",
    48: "it does not trust the CA of our certificate", 70: "no version of TLS in common", 112: "it serves no such name",
    116: "it asks for our certificate",
}
FATAL = (10, 20, 21, 22, 30, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 60, 70, 71, 80, 86, 109, 110, 111, 112, 113, 114, 115, 116, 120, 255)


@pytest.mark.parametrize("moment", outside.cases(["certificate"], ["hello", "certificate"]))
def test_each_alert(make_station, moment):
    """After our ClientHello, and after its own certificate; each is told as what it is."""
    make = {"hello": sick_platform.alert_after_hello, "certificate": sick_platform.alert_after_certificate}[moment]
    ward = outside.Ward(make_station, len(FATAL), chargers=0)
    try:
        ward.healthy.charge()
        quiet = ward.measure()
        for patient, number in zip(ward.sick, FATAL):
            patient.server.fault = make(number)
            patient.server.cut()

        def wrong():
            ward.news()
            found = ward.trouble()
            assert not found[ward.healthy.name]
            return {n: found[p.name] for p, n in zip(ward.sick, FATAL)
                    if not (f"(alert {n})" in found[p.name] and WORDS.get(n, "for a reason of its own") in found[p.name])}

        try:
            ward.station.until(lambda: not wrong(), 90, "each alert's name")
        except AssertionError:
            raise AssertionError(f"not said as it is: {wrong()}") from None
        sick = ward.measure()
        for patient in ward.sick:
            patient.server.fault = None
        ward.station.until(lambda: ward.news() and not any(ward.trouble().values()), 120, "all to be well")
        outside.show(f"{len(FATAL)} alerts after {moment}; the healthy one: news and answer, median and longest, ms",
                     [(name, *(f"{x * 1000:.0f}" for x in figures)) for name, figures in (("quiet", quiet), ("sick", sick))])
        assert ward.healthy.wh() > 0
    finally:
        ward.close()


def show_other(name):
    return lambda ward, patient: patient.server.show(ward.station.certs / f"{name}.pem", ward.station.certs / f"{name}.key")


def wants_ours(version):
    def act(ward, patient):
        certs = ward.station.certs
        patient.server.show(certs / "server.pem", certs / "server.key", client_ca=certs / "ca.pem")
        patient.server.context.minimum_version = patient.server.context.maximum_version = version

    return act


def old_version(ward, patient):
    context = patient.server.context
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1


def meets(name):
    def act(ward, patient):
        patient.server.fault = sick_platform.FAULTS[name]

    return act


# What it does: the alarm's kind and words, None when nothing is wrong with it.
CHANGES = {
    "another_certificate": (show_other("renewed"), None, ""),
    "new_ticket_keys": (show_other("server"), None, ""),
    "of_another_ca": (show_other("wrongca"), "certificate", "signed by no CA that is trusted here"),
    "expired": (show_other("expired"), "certificate", "expired"),
    "not_valid_yet": (show_other("future"), "certificate", "not valid yet by this clock"),
    "for_another_host": (show_other("wronghost"), "certificate", "not for localhost|for another host"),
    "for_a_client": (show_other("client"), "certificate", "not for localhost|for another host|not made for this side"),
    "old_version": (old_version, "tls", "no version of TLS in common"),
    "wants_our_certificate": (wants_ours(ssl.TLSVersion.TLSv1_3), "tls|broken", "it asks for our certificate|closed without an HTTP answer"),  # the reset may outrun the alert
    "wants_our_certificate_1_2": (wants_ours(ssl.TLSVersion.TLSv1_2), "tls", "it found nothing in common|it asks for our certificate"),
    "garbage_record": (meets("garbage_record"), "broken|tls|form", ""),
    "plain_alert_record": (meets("plain_alert_record"), "broken|tls|form", ""),
    "huge_record": (meets("huge_record"), "broken|tls|form", ""),
    "close_notify_for_an_answer": (meets("close_notify_for_an_answer"), "broken", "closed without an HTTP answer"),
}


def test_changes_between_connections(make_station):
    """It was all right when they met; then it changes, in the middle of a charge, and changes back after its end."""
    ward = outside.Ward(make_station, len(CHANGES))
    station, certs = ward.station, ward.station.certs
    try:
        make_ca(certs, "otherca")
        make_certificate(certs, "renewed", "ca")
        make_certificate(certs, "wronghost", "ca", san="DNS:elsewhere.example,IP:127.0.0.2")
        make_certificate(certs, "wrongca", "otherca")
        make_certificate(certs, "expired", "ca", dates=("20200101000000Z", "20210101000000Z"))
        make_certificate(certs, "future", "ca", dates=("20980101000000Z", "20991231000000Z"))
        for patient in ward.patients:
            patient.charge()
        station.until(lambda: all(p.wh() >= 50 for p in ward.patients), 120, "some energy of all")
        quiet = ward.measure()
        rows = list(zip(ward.sick, CHANGES.items()))
        for patient, (_, (change, _, _)) in rows:
            change(ward, patient)
            patient.server.cut()
        for language in (0, 1):
            def wrong():
                ward.news()
                found = ward.alarms(chinese=language == 1)
                return {name: found.get(p.name) for p, (name, (_, kind, more)) in rows
                        if (kind and not is_said(found.get(p.name, ""), kind, more, language)) or (not kind and p.name in found)}

            try:
                station.until(lambda: not wrong(), 90, "the alarms")
            except AssertionError:
                raise AssertionError(f"not said as it is: {wrong()}") from None
        outside.show("said", sorted((name, ward.alarms().get(p.name)) for p, (name, _) in rows))
        sick = ward.measure()
        for patient in ward.sick:
            station.ask_chargers(f"stop {patient.index} 1")
        good = [p for p, (_, (_, kind, _)) in rows if not kind]
        station.until(lambda: all(ward.closed(p.seq) for p in ward.sick), 60, "the orders")
        station.until(lambda: all(p.server.confirmed for p in good), 60, "the orders of those that only changed")
        assert not any(p.server.confirmed for p in ward.sick if p not in good)
        for patient in ward.sick:
            patient.server.fault = None
            show_other("server")(ward, patient)
        station.until(lambda: ward.news() and not any(ward.trouble().values()), 120, "all to be well")
        station.until(lambda: all(p.server.confirmed for p in ward.sick), 180, "every confirmation")
        station.until(lambda: station.stats()["store"]["orders_to_send"] == 0, 60, "an empty outbox")
        time.sleep(3)
        for patient in ward.sick:
            patient.check_order()
        outside.show("the healthy one: news and answer, median and longest, ms",
                     [(name, *(f"{x * 1000:.0f}" for x in figures)) for name, figures in (("quiet", quiet), ("sick", sick))])
        assert sick[0] < 3 * quiet[0] + 0.3 and sick[1] < quiet[1] + 0.3
    finally:
        ward.close()
