"""Holds messages and the gateway's own schema against the standard (peers/standard.py): forms from the raw JSON text, units
from figures that come from elsewhere (the simulated chargers' registers, the configuration), and the table in tests/README.md."""
import dataclasses
import datetime
import decimal
import json
import re

import standard

# Deliberate differences between our schema and the standard: (method, part, field) -> (what differs, why).
SCHEMA_EXCEPTIONS = {
    ("query_token", "answer", "TokenAvailableTime"):
        ("decimal with 0, the standard: integer", "read as a decimal, since some send 7200.0 (protocol.md 3, 27); written whole"),
    ("query_start_charge", "request", "QRCode"):
        ("optional, the standard: required", "not insisted on: there may be nothing to send (protocol.md 5, 14)"),
    ("notification_start_charge_result", "answer", "FailReason"):
        ("optional, the standard: required", "an acknowledgement is taken as it comes (protocol.md 5, 7)"),
    ("notification_stop_charge_result", "answer", "FailReason"):
        ("optional, the standard: required", "an acknowledgement is taken as it comes (protocol.md 5, 7)"),
    ("query_user_auth", "answer", "UserClass"):
        ("text up to 31, the standard: text", "an extension of ours; what an order keeps of it"),
}
# Values beyond an enumeration: (field, value) -> why.
VALUE_EXCEPTIONS = {
    ("ConnectorStatus", "0"): "a charger that went silent in mid-charge is neither idle nor faulty (protocol.md 2.10: 0 is seen)",
}
# Options of the configuration that take more than the standard's length: protocol.md 5, 9 asks not to refuse what partners use.
OPTION_EXCEPTIONS = {
    "address": "50 or 200 characters in the field", "station_tel": "30 or 32 in the field", "service_tel": "as StationTel",
    "service_fee": "100 or 256 in the field", "park_fee": "as ServiceFee",
    "manufacturer_id": "some give the whole 18 of a credit code (protocol.md 3, 29)",
}
MAY_BE_EMPTY = {"QRCode", "AccessToken", "UserName", "UserIdent", "Msg", "Data"}
JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
CLOCK = {"date-time": ("%Y-%m-%d %H:%M:%S", 19), "date": ("%Y-%m-%d", 10)}


# Forms ------------------------------------------------------------------------------------------------------------------


class Number(str):
    """A JSON number as it was written."""


def shown(value):
    return value if isinstance(value, Number) else json.dumps(value, default=repr)


@dataclasses.dataclass
class Twice:
    """An object with a key that stands in it twice."""
    key: str


def read(text):
    """The JSON text with every number as the characters that were sent."""
    def members(pairs):
        keys = [k for k, _ in pairs]
        twice = [k for k in keys if keys.count(k) > 1]
        return Twice(twice[0]) if twice else dict(pairs)
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number, object_pairs_hook=members)


def wrong_integer(field, value):
    if not isinstance(value, Number) or not re.fullmatch(r"-?(0|[1-9][0-9]*)", value):
        return f"{shown(value)} is no integer"
    if field.values is not None and int(value) not in field.values and (field.name, str(value)) not in VALUE_EXCEPTIONS:
        return f"{value} is not among the values"
    return None


def wrong_decimal(field, value):
    if not isinstance(value, Number) or not JSON_NUMBER.fullmatch(value):
        return f"{shown(value)} is no number"
    decimals = len(value.partition(".")[2])
    if field.size is not None and decimals != field.size:
        return f"{value} has {decimals} decimals, not {field.size}"
    return None


def wrong_text(field, value):
    if isinstance(value, Number) or not isinstance(value, str):
        return f"{shown(value)} is no text"
    if field.size is not None and len(value) > field.size:
        return f"{len(value)} characters, more than {field.size}"
    if field.form and not re.fullmatch(field.form, value):
        return f"{value!r} is not of the form {field.form}"
    if field.required and not value and field.name not in MAY_BE_EMPTY:
        return "empty"
    return None


def wrong_time(field, value):
    form, length = CLOCK[field.kind]
    if isinstance(value, Number) or not isinstance(value, str):
        return f"{shown(value)} is no text"
    try:
        right = len(value) == length and datetime.datetime.strptime(value, form)
    except ValueError:
        right = False
    return None if right else f"{value!r} is no {field.kind}"


SIMPLE = {"integer": wrong_integer, "decimal": wrong_decimal, "text": wrong_text, "date-time": wrong_time, "date": wrong_time}


def check_value(field, value, path, findings, seen):
    if field.kind in SIMPLE:
        wrong = SIMPLE[field.kind](field, value)
        if wrong:
            findings.append(f"{path}: {wrong}")
        return
    if field.kind == "object":
        check_object(field.fields, value, path + ".", findings, seen)
        return
    if not isinstance(value, list):
        findings.append(f"{path}: no list")
        return
    for item in value:
        if field.kind == "list of objects":
            check_object(field.fields, item, path + ".", findings, seen)
        elif isinstance(item, Number) or not isinstance(item, str):
            findings.append(f"{path}: {shown(item)} is no text")


def check_object(fields, value, before, findings, seen):
    if not isinstance(value, dict):
        findings.append(f"{before or 'Data'}: no object" if not isinstance(value, Twice) else f"{before}{value.key}: twice")
        return
    names = {f.name for f in fields}
    findings += [f"{before}{name}: not in the standard" for name in value if name not in names]
    for field in fields:
        path = before + field.name + ("[]" if field.kind.startswith("list") else "")
        # 2.0: absent optional fields may be left out or sent as null or empty.
        if field.name not in value or (not field.required and value[field.name] in (None, "")):
            if field.required:
                findings.append(f"{path}: missing")
            continue
        seen.add(path)
        check_value(field, value[field.name], path, findings, seen)


def check(fields, text):
    """What is wrong with a message, and the fields that are in it."""
    findings, seen = [], set()
    check_object(fields, read(text), "", findings, seen)
    return findings, seen


# Envelopes --------------------------------------------------------------------------------------------------------------


def wrong_content_type(headers):
    kind = (headers.get("Content-Type") or "").replace(" ", "").lower()
    return [] if kind == "application/json;charset=utf-8" else [f"Content-Type: {kind!r}"]


def check_request_envelope(text, headers, keys, operator_id, login):
    findings, seen = check(standard.REQUEST_ENVELOPE, text)
    if findings:
        return findings, seen
    envelope = json.loads(text)
    findings += wrong_content_type(headers)
    now = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).replace(tzinfo=None)
    sent = datetime.datetime.strptime(envelope["TimeStamp"], "%Y%m%d%H%M%S")
    if abs((now - sent).total_seconds()) > 120:
        findings.append(f"TimeStamp: {envelope['TimeStamp']} is not now in Asia/Shanghai")
    if envelope["Seq"] == "0000":
        findings.append("Seq: 0000")
    if envelope["OperatorID"] != operator_id:
        findings.append(f"OperatorID: {envelope['OperatorID']} is not the sender")
    if envelope["Sig"] != keys.sign("".join(envelope[k] for k in ("OperatorID", "Data", "TimeStamp", "Seq"))):
        findings.append("Sig: wrong")
    bearer = headers.get("Authorization")
    if (bearer is not None) if login else not re.fullmatch(r"Bearer \S+", bearer or ""):
        findings.append(f"Authorization: {'there' if login else 'not a Bearer'}")
    return findings, seen


def check_answer_envelope(text, status, headers, keys):
    findings, seen = check(standard.ANSWER_ENVELOPE, text)
    if findings:
        return findings, seen
    envelope = json.loads(text)
    findings += wrong_content_type(headers)
    if status != 200:
        findings.append(f"HTTP status {status}")
    if envelope["Sig"] != keys.sign(f"{envelope['Ret']}{envelope['Msg']}{envelope['Data']}"):
        findings.append("Sig: wrong")
    if envelope["Ret"] == 0 and not envelope["Data"]:
        findings.append("Data: empty with Ret 0")
    return findings, seen


# Schema -----------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Schema:
    caller: str
    parts: dict  # part -> {path: (required, form)}


def read_schema(text):
    """What forecourtd --messages printed."""
    found = {}
    for line in text.splitlines():
        head = re.fullmatch(r"### (\w+) \((.*); (.*)\)", line)
        row = re.fullmatch(r"\| (request|answer) \| `(.+)` \| (yes|no) \| (.+) \|", line)
        if head:
            found[head[1]] = schema = Schema({"the station calls": "station", "the platform calls": "platform",
                                              "both call": "both"}[head[2]], {"request": {}, "answer": {}})
        elif row:
            schema.parts[row[1]][row[2]] = (row[3] == "yes", row[4])
        elif line and not line.startswith(("| part |", "|---|")):
            raise ValueError(f"--messages: {line}")
    return found


def form_of(field):
    if field.kind == "text" and field.size is not None:
        return f"text up to {field.size}"
    return f"decimal with {field.size}" if field.kind == "decimal" and field.size is not None else field.kind


def differences(field, required, form):
    open_decimals = field.kind == "decimal" and field.size is None
    if form != form_of(field) and not (open_decimals and form.startswith("decimal with ")):
        yield f"{form}, the standard: {form_of(field)}"
    if required != field.required:
        yield f"{'required' if required else 'optional'}, the standard: {'required' if field.required else 'optional'}"


def compare_schema(schema):
    """{(method, part): [finding]}; exceptions that are not needed are findings too."""
    found, used = {}, set()
    for method in standard.METHODS:
        ours = schema.get(method.name)
        for part in standard.PARTS:
            findings = found[method.name, part] = []
            if not ours or ours.caller != method.caller:
                findings.append("schema: " + ("missing" if not ours else f"the {ours.caller} calls"))
                continue
            wanted, have = standard.flat(standard.fields_of(method.name, part)), ours.parts[part]
            findings += [f"schema: {path}: not in the standard" for path in have if path not in wanted]
            findings += [f"schema: {path}: missing" for path in wanted if path not in have]
            for path, field in wanted.items():
                for difference in differences(field, *have[path]) if path in have else ():
                    key = (method.name, part, path)
                    if SCHEMA_EXCEPTIONS.get(key, ("",))[0] == difference:
                        used.add(key)
                    else:
                        findings.append(f"schema: {path}: {difference}")
    for method, part, path in SCHEMA_EXCEPTIONS.keys() - used:
        found[method, part].append(f"exception not needed: {path}")
    for name in schema.keys() - standard.BY_NAME.keys():
        found[name, "request"] = ["schema: a method that the standard does not have"]
    return found


def compare_options(text):
    """What forecourtd --options allows for the texts of StationInfo, against the standard's lengths."""
    sections = dict(re.findall(r"^### config (\w+) (.*?)(?=^###|\Z)", text, re.M | re.S))
    findings, used = [], set()
    for name, fields in (("station", standard.STATION_INFO), ("charger", standard.EQUIPMENT_INFO),
                         ("connector", standard.CONNECTOR_INFO)):
        most = {m[1]: int(m[2]) for m in re.finditer(r"^\| `(\w+)` \| (?:\d+ to )?(\d+) [a-z]", sections[name], re.M)}
        for field in fields:
            option = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field.name).lower()
            if field.kind != "text" or option not in most or most[option] <= field.size:
                continue
            used.add(option)
            if option not in OPTION_EXCEPTIONS:
                findings.append(f"option {option}: {most[option]} characters, the standard's {field.name}: {field.size}")
    return findings + [f"exception not needed: option {o}" for o in OPTION_EXCEPTIONS.keys() - used]


# Units ------------------------------------------------------------------------------------------------------------------


def figures(text):
    return json.loads(text, parse_float=decimal.Decimal)


def within(path, value, low, high):
    return path, decimal.Decimal(value), decimal.Decimal(low), decimal.Decimal(high)


def exactly(path, value, expected, slack="0"):
    expected, slack = decimal.Decimal(str(expected)), decimal.Decimal(slack)
    return within(path, value, expected - slack, expected + slack)


def station_info_units(info, at, facts):
    """facts: lng, lat, power_kw, volts, amps of the configuration."""
    yield exactly(at + "StationLng", info["StationLng"], facts["lng"])
    yield exactly(at + "StationLat", info["StationLat"], facts["lat"])
    for equipment in info["EquipmentInfos"]:
        in_equipment, connectors = at + "EquipmentInfos[].", equipment["ConnectorInfos"]
        yield exactly(in_equipment + "Power", equipment["Power"], facts["power_kw"] * len(connectors))
        for connector in connectors:
            in_connector = in_equipment + "ConnectorInfos[]."
            yield exactly(in_connector + "Power", connector["Power"], facts["power_kw"])
            yield exactly(in_connector + "VoltageLowerLimits", connector["VoltageLowerLimits"], facts["volts"][0])
            yield exactly(in_connector + "VoltageUpperLimits", connector["VoltageUpperLimits"], facts["volts"][1])
            yield exactly(in_connector + "Current", connector["Current"], facts["amps"])


def stats_units(stats, at, facts):
    """facts: kwh of each connector by the chargers' registers, in the days that the message is about."""
    total, slack = 0, decimal.Decimal("0.06")
    for equipment in stats["EquipmentStatsInfos"]:
        in_equipment, part = at + "EquipmentStatsInfos[].", 0
        for connector in equipment["ConnectorStatsInfos"]:
            kwh = facts["kwh"][connector["ConnectorID"]]
            yield exactly(in_equipment + "ConnectorStatsInfos[].ConnectorElectricity", connector["ConnectorElectricity"], kwh, slack)
            part += decimal.Decimal(str(kwh))
        yield exactly(in_equipment + "EquipmentElectricity", equipment["EquipmentElectricity"], part, slack)
        total += part
    yield exactly(at + "StationElectricity", stats["StationElectricity"], total, slack * len(stats["EquipmentStatsInfos"]))


def detail_units(message, facts):
    kwh = sum(d["DetailPower"] for d in message["ChargeDetails"])
    for detail in message["ChargeDetails"]:
        yield exactly("ChargeDetails[].ElecPrice", detail["ElecPrice"], facts["elec"])
        yield exactly("ChargeDetails[].SevicePrice", detail["SevicePrice"], facts["service"])
        yield exactly("ChargeDetails[].DetailPower", kwh, message["TotalPower"])
        # The energy on the wire is rounded to 10 Wh; the money is not.
        for name, price in (("DetailElecMoney", facts["elec"]), ("DetailSeviceMoney", facts["service"])):
            yield exactly("ChargeDetails[]." + name, detail[name], detail["DetailPower"] * price, "0.015")


def money_units(message, facts, elec, service):
    kwh = decimal.Decimal(message["TotalPower"])
    if elec in message:
        yield exactly(elec, message[elec], kwh * facts["elec"], "0.015")
        yield exactly(service, message[service], kwh * facts["service"], "0.015")
    yield exactly("TotalMoney", message["TotalMoney"], kwh * (facts["elec"] + facts["service"]), "0.03")


def snapshot_units(message, facts):
    """facts: registers (of the connector when the message came; what is known of it is a little older), and session once it
    is over."""
    registers = facts.get("registers")
    if facts.get("session") and message["StartChargeSeqStat"] == 4:
        yield energy_of("TotalPower", message["TotalPower"], facts["session"])
    elif registers and registers["session_kwh"] > decimal.Decimal("0.1"):
        yield within("TotalPower", message["TotalPower"], registers["session_kwh"] / 10, registers["session_kwh"] + 1)
    if registers and registers["volts"] and message["CurrentA"]:
        # The current rises over a charge's first 0.1 kWh (6 s of 120 kW, core/sim/charger_model.c): what was known of it a little
        # earlier, on a busy machine a little more, says nothing of the unit until then.
        risen = message["TotalPower"] > decimal.Decimal("0.1")
        for phase in "ABC":
            for name, value in (("Voltage", registers["volts"]), ("Current", registers["amps"])):
                if name + phase in message and (risen or name != "Current"):
                    yield within(name + phase, message[name + phase], value / 2, value * 2)
        yield within("Soc", message["Soc"], registers["soc"] / 2, registers["soc"])
    if message["TotalPower"]:
        yield from money_units(message, facts, "ElecMoney", "SeviceMoney")
        yield from detail_units(message, facts)


def energy_of(path, value, session):
    """session: the register at the start and the end, 0.01 kWh."""
    return exactly(path, value, decimal.Decimal(session[1] - session[0]) / 100, "0.01")


def order_units(message, facts):
    yield energy_of("TotalPower", message["TotalPower"], facts["session"])
    yield from money_units(message, facts, "TotalElecMoney", "TotalSeviceMoney")
    yield from detail_units(message, facts)
    if "ChargeLast" not in message:
        return
    start, end = (datetime.datetime.fromisoformat(message[k]) for k in ("StartTime", "EndTime"))
    yield exactly("ChargeLast", message["ChargeLast"], (end - start).total_seconds())
    yield exactly("ConnectorPower", message["ConnectorPower"], facts["power_kw"])
    for name, register in zip(("MeterValueStart", "MeterValueEnd"), facts["session"]):
        yield exactly(name, message[name], decimal.Decimal(register) / 100, "0.01")


def reconciliation_units(message, facts):
    """facts: sessions by order number, and the prices."""
    kwh = total = 0
    for order in message["ChargeOrders"]:
        yield energy_of("ChargeOrders[].TotalPower", order["TotalPower"], facts["sessions"][order["StartChargeSeq"]])
        yield exactly("ChargeOrders[].TotalMoney", order["TotalMoney"],
                      order["TotalPower"] * (facts["elec"] + facts["service"]), "0.03")
        kwh += order["TotalPower"]
        total += order["TotalMoney"]
    yield exactly("OrderCount", message["OrderCount"], len(message["ChargeOrders"]))
    yield exactly("TotalOrderPower", message["TotalOrderPower"], kwh)
    yield exactly("TotalOrderMoney", message["TotalOrderMoney"], total)


def units(method, part, text, facts):
    """(path, value, lowest, highest) of every figure that something else vouches for."""
    message = figures(text)
    if (method, part) == ("query_token", "answer") and message["SuccStat"] == 0:
        yield exactly("TokenAvailableTime", message["TokenAvailableTime"], facts["token_s"])
    elif (method, part) == ("query_stations_info", "answer"):
        for info in message["StationInfos"]:
            yield from station_info_units(info, "StationInfos[].", facts)
    elif method == "notification_stationInfo":
        yield from station_info_units(message["StationInfo"], "StationInfo.", facts)
    elif "StationStats" in message:
        yield from stats_units(message["StationStats"], "StationStats.", facts)
    elif (method, part) == ("query_equip_business_policy", "answer"):
        for info in message["PolicyInfos"]:
            yield exactly("PolicyInfos[].ElecPrice", info["ElecPrice"], facts["elec"])
            yield exactly("PolicyInfos[].SevicePrice", info["SevicePrice"], facts["service"])
    elif "ConnectorStatus" in message:
        yield from snapshot_units(message, facts)
    elif method.startswith("notification_charge_order_info"):
        yield from order_units(message, facts)
    elif method == "check_charge_orders":
        yield from reconciliation_units(message, facts)


def check_units(method, part, text, facts):
    """What is wrong, and the fields whose unit is proven: a zero proves none."""
    findings, proven = [], set()
    fields = standard.flat(standard.fields_of(method, part))
    for path, value, low, high in units(method, part, text, facts):
        if not low <= value <= high:
            findings.append(f"{path}: {value} {fields[path].unit}, not {low} to {high}".replace("  ", " "))
        elif low > 0:
            proven.add(path)
    return findings, proven


# Numbers ----------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Message:
    method: str
    part: str
    maker: str
    text: str
    facts: dict


def serials(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key.endswith("Seq") and inner:
                yield key, inner
            yield from serials(inner)
    for item in value if isinstance(value, list) else ():
        yield from serials(item)


def wrong_serials(messages, station, platform):
    """2.0: the OperatorID of the party that made the number stands in front of it."""
    of_platform, of_station = set(), set()
    for message in messages:
        if message.maker == "platform":
            of_platform.update(seq for _, seq in serials(json.loads(message.text)) if seq.startswith(platform))
        elif message.method in ("query_user_auth", "check_charge_orders") and message.part == "request":
            of_station.update(seq for _, seq in serials(json.loads(message.text)) if seq.startswith(station))
    for message in messages:
        if message.maker != "station":
            continue
        for key, seq in serials(json.loads(message.text)):
            if seq not in of_platform | of_station:
                yield message, f"{key}: {seq} is nobody's"
            elif key in ("CheckOrderSeq", "UserAuthSeq") and seq not in of_station:
                yield message, f"{key}: {seq} is not the station's"


# Table ------------------------------------------------------------------------------------------------------------------

BEGIN, END = "<!-- conformance -->", "<!-- /conformance -->"


class Results:
    """What was found, by (method, part, who made it)."""

    def __init__(self):
        self.seen, self.proven, self.findings = {}, {}, {}

    def rows(self):
        for method in standard.METHODS:
            for part in standard.PARTS:
                for maker in ("station", "platform") if method.caller == "both" else (
                        "station" if (method.caller == "station") == (part == "request") else "platform",):
                    yield method, part, maker

    def note(self, method, part, maker, seen=(), proven=(), findings=()):
        key = (method, part, maker)
        self.seen.setdefault(key, set()).update(seen)
        self.proven.setdefault(key, set()).update(proven)
        known = self.findings.setdefault(key, [])
        known += [f for f in findings if f not in known]

    def all_findings(self):
        return [f"{method}: {part} of the {maker}: {finding}" for (method, part, maker), found in sorted(self.findings.items())
                for finding in found]

    def conclude(self):
        """A message that never came, a field that must have come, a figure whose unit nothing vouches for."""
        for method, part, maker in self.rows():
            key = (method.name, part, maker)
            fields, seen = standard.flat(standard.fields_of(method.name, part)), self.seen.get(key, set())
            if not seen:
                self.note(*key, findings=["never seen on the wire"])
                continue
            if maker == "station":
                self.note(*key, findings=[f"{path}: unit {field.unit} not proven" for path, field in fields.items()
                                          if field.unit and path in seen - self.proven[key]])
            self.note(*key, findings=[f"{path}: never seen on the wire" for path, field in fields.items()
                                      if field.required and path not in seen])


def short(path):
    return path.rsplit(".", 1)[-1].removesuffix("[]")


def summary_table(results, schema):
    yield "| message | part | made by | standard: fields (required) | schema | on the wire | findings |"
    yield "|---|---|---|---|---|---|---|"
    for method, part, maker in results.rows():
        fields = standard.flat(standard.fields_of(method.name, part))
        seen = results.seen.get((method.name, part, maker), set())
        there = sum(path in schema[method.name].parts[part] for path in fields) if method.name in schema else 0
        missing = [f"`{short(path)}`" for path in fields if path not in seen]
        name = f"{method.number} `{method.name}`" if method.number else f"`{method.name}` ({method.origin})"
        yield "| {} | {} | {} | {} ({}) | {} | {} | {} |".format(
            name, part, maker, len(fields), sum(f.required for f in fields.values()), there,
            f"{len(seen)}" + (f"; not sent: {', '.join(missing)}" if missing else ""),
            "; ".join(results.findings.get((method.name, part, maker), [])) or "none")
    yield from envelope_rows(results)


def envelope_rows(results):
    for part, fields in (("request", standard.REQUEST_ENVELOPE), ("answer", standard.ANSWER_ENVELOPE)):
        key = ("envelope", part, "station")
        yield "| envelope | {} | station | {} ({}) | | {} | {} |".format(
            part, len(fields), len(fields), len(results.seen.get(key, ())), "; ".join(results.findings.get(key, [])) or "none")


def field_table(results, schema):
    yield "| message | field | standard | unit | schema | on the wire |"
    yield "|---|---|---|---|---|---|"
    for method, part, maker in results.rows():
        have = schema[method.name].parts[part] if method.name in schema else {}
        seen = results.seen.get((method.name, part, maker), set())
        for path, field in standard.flat(standard.fields_of(method.name, part)).items():
            required, form = have.get(path, (None, "missing"))
            origin = f", {field.origin}" if field.origin != standard.BASE else ""
            yield "| {} {}, {} | `{}` | {}, {}{} | {} | {}, {} | {} |".format(
                method.name, part, maker, path, "R" if field.required else "O", form_of(field), origin, field.unit,
                "R" if required else "O", form, "yes" if path in seen else "not sent")


def exception_table():
    yield "| exception | differs | why |"
    yield "|---|---|---|"
    for (method, part, path), (what, why) in SCHEMA_EXCEPTIONS.items():
        yield f"| {method} {part}: `{path}` | {what} | {why} |"
    for (name, value), why in VALUE_EXCEPTIONS.items():
        yield f"| value {value} of `{name}` | not in the standard's list | {why} |"
    for option, why in OPTION_EXCEPTIONS.items():
        yield f"| option `{option}` | takes more than the standard's length | {why} |"


def render(results, schema):
    parts = [
        "Generated by `tests/system/test_conformance.py` (`FORECOURT_WRITE=1` writes it anew); the test fails when it differs, "
        "or on any finding.",
        "\n".join(summary_table(results, schema)),
        "\n".join(exception_table()),
        "<details><summary>Field by field</summary>",
        "\n".join(field_table(results, schema)),
        "</details>",
    ]
    return "\n\n".join(parts)


def replace(readme, table):
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("tests/README.md: the markers are gone")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"
