"""The standard's messages as tables, transcribed by hand from reference/protocol.md (sections 1.7 and 2) alone: nothing here was
taken from the daemon's own tables, so that a mistake in one does not hide in the other.

Where the text is open it is said here: `size` None means that the standard fixes no length or number of decimals."""
import dataclasses

R, O = True, False  # noqa: E741 - the standard's letters
# Where a message or field comes from.
BASE, CITY, OURS = "standard", "city", "extension"


@dataclasses.dataclass(frozen=True)
class Field:
    name: str
    required: bool
    kind: str  # text, integer, decimal, date-time, date, object, list of objects, list of texts
    size: int | None = None  # text: longest; decimal: decimals
    unit: str = ""
    values: object = None  # of an integer: what is allowed
    form: str = ""  # of a text: a regular expression
    fields: tuple = ()
    origin: str = BASE


@dataclasses.dataclass(frozen=True)
class Method:
    number: int | None  # row of 2.0
    name: str
    caller: str  # platform, station, both
    request: tuple
    answer: tuple
    origin: str = BASE


OPERATOR = r"[0-9A-Z]{9}"
SERIAL = OPERATOR + r"[0-9A-Za-z]{18}"


def text(name, required, size=None, **more):
    return Field(name, required, "text", size, **more)


def integer(name, required, values=None, **more):
    return Field(name, required, "integer", values=values, **more)


def decimal(name, required, decimals, unit, **more):
    return Field(name, required, "decimal", decimals, unit, **more)


def moment(name, required, **more):
    return Field(name, required, "date-time", **more)


def date(name, required, **more):
    return Field(name, required, "date", **more)


def record(name, required, fields, **more):
    return Field(name, required, "object", fields=fields, **more)


def records(name, required, fields, **more):
    return Field(name, required, "list of objects", fields=fields, **more)


def operator(name, required):
    return text(name, required, 9, form=OPERATOR)


def serial(name, required):
    return text(name, required, 27, form=SERIAL)


def connector_id(required=R):
    return text("ConnectorID", required, 26)


def money(name, required):
    return decimal(name, required, 2, "yuan")


# 2.1: enumerations of Part 2; what follows the bar is [C], a city's.
STATION_TYPE = {1, 50, 100, 101, 102, 103, 255} | {104, 105, 106}
STATION_STATUS = {0, 1, 5, 6, 50}
CONSTRUCTION = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255} | {12, 13, 14, 15}
EQUIPMENT_TYPE = {1, 2, 3, 4, 5} | {255}
CONNECTOR_TYPE = {1, 2, 3, 4, 5, 6} | {255}
NATIONAL_STANDARD = {1, 2} | {3, 4}
CONNECTOR_STATUS = {0, 1, 2, 3, 4, 255}
PARK_STATUS = LOCK_STATUS = {0, 10, 50}
YES_NO = {0, 1}
SEQ_STAT = {1, 2, 3, 4, 5}
PERIODS = range(33)  # 0-32
OWN = range(100)  # listed reasons, then own use up to 99
CHARGE_MODEL = {0, 1, 2, 3}
COUNT = range(10 ** 9)
POSITIVE = range(1, 10 ** 9)

CONNECTOR_INFO = (
    connector_id(),
    text("ConnectorName", O, 30),
    integer("ConnectorType", R, CONNECTOR_TYPE),
    integer("VoltageUpperLimits", R, COUNT, unit="V"),
    integer("VoltageLowerLimits", R, COUNT, unit="V"),
    integer("Current", R, COUNT, unit="A"),
    decimal("Power", R, 1, "kW"),
    text("ParkNo", O, 10),
    integer("NationalStandard", R, NATIONAL_STANDARD),
)
EQUIPMENT_INFO = (
    text("EquipmentID", R, 23),
    operator("ManufacturerID", O),
    text("ManufacturerName", O, 30),
    text("EquipmentModel", O, 20),
    date("ProductionDate", O),
    integer("EquipmentType", R, EQUIPMENT_TYPE),
    records("ConnectorInfos", R, CONNECTOR_INFO),
    decimal("EquipmentLng", O, 6, "degree"),
    decimal("EquipmentLat", O, 6, "degree"),
    decimal("Power", R, 1, "kW"),
    text("EquipmentName", O, 30),
)
STATION_INFO = (
    text("StationID", R, 20),
    operator("OperatorID", R),
    operator("EquipmentOwnerID", R),
    text("StationName", R, 50),
    text("CountryCode", R, 2, form="[A-Z]{2}"),
    text("AreaCode", R, 20, form=r"[0-9]{6,20}"),
    text("Address", R, 50),
    text("StationTel", O, 30),
    text("ServiceTel", R, 30),
    integer("StationType", R, STATION_TYPE),
    integer("StationStatus", R, STATION_STATUS),
    integer("ParkNums", R, COUNT),
    decimal("StationLng", R, 6, "degree"),
    decimal("StationLat", R, 6, "degree"),
    text("SiteGuide", O, 100),
    integer("Construction", R, CONSTRUCTION),
    Field("Pictures", O, "list of texts"),
    text("MatchCars", O, 100),
    text("ParkInfo", O, 100),
    text("BusineHours", O, 100),
    text("ElectricityFee", O, 256),
    text("ServiceFee", O, 100),
    text("ParkFee", O, 100),
    text("Payment", O, 20),
    integer("SupportOrder", O, YES_NO),
    text("Remark", O, 100),
    records("EquipmentInfos", R, EQUIPMENT_INFO),
)
CONNECTOR_STATUS_INFO = (
    connector_id(),
    integer("Status", R, CONNECTOR_STATUS),
    integer("ParkStatus", O, PARK_STATUS),
    integer("LockStatus", O, LOCK_STATUS),
)
STATION_STATUS_INFO = (
    text("StationID", R, 20),
    records("ConnectorStatusInfos", R, CONNECTOR_STATUS_INFO),
)
CONNECTOR_STATS_INFO = (
    connector_id(),
    decimal("ConnectorElectricity", R, 1, "kWh"),
)
EQUIPMENT_STATS_INFO = (
    text("EquipmentID", R, 23),
    decimal("EquipmentElectricity", R, 1, "kWh"),
    records("ConnectorStatsInfos", R, CONNECTOR_STATS_INFO),
)
STATION_STATS_INFO = (
    text("StationID", R, 20),
    date("StartTime", R),
    date("EndTime", R),
    decimal("StationElectricity", R, 1, "kWh"),
    records("EquipmentStatsInfos", R, EQUIPMENT_STATS_INFO),
)
POLICY_INFO = (
    text("StartTime", R, 6, form=r"([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]"),
    decimal("ElecPrice", R, 4, "yuan/kWh"),
    decimal("SevicePrice", R, 4, "yuan/kWh"),
)
CHARGE_DETAIL = (
    moment("DetailStartTime", R),
    moment("DetailEndTime", R),
    decimal("ElecPrice", O, 4, "yuan/kWh"),
    decimal("SevicePrice", O, 4, "yuan/kWh"),
    decimal("DetailPower", R, 2, "kWh"),
    money("DetailElecMoney", O),
    money("DetailSeviceMoney", O),
)
SNAPSHOT = (
    serial("StartChargeSeq", R),
    integer("StartChargeSeqStat", R, SEQ_STAT),
    connector_id(),
    integer("ConnectorStatus", R, {1, 2, 3, 4, 255}),
    decimal("CurrentA", R, None, "A"),
    decimal("CurrentB", O, None, "A"),
    decimal("CurrentC", O, None, "A"),
    decimal("VoltageA", R, None, "V"),
    decimal("VoltageB", O, None, "V"),
    decimal("VoltageC", O, None, "V"),
    decimal("Soc", R, None, "%"),
    moment("StartTime", R),
    moment("EndTime", R),
    decimal("TotalPower", R, 2, "kWh"),
    money("ElecMoney", O),
    money("SeviceMoney", O),
    money("TotalMoney", O),
    integer("SumPeriod", O, PERIODS),
    records("ChargeDetails", O, CHARGE_DETAIL),
    integer("ChargeModel", O, CHARGE_MODEL, origin=CITY),
)
# 2.14, and again in 2.16 with the money split optional.
ORDER_HEAD = (
    serial("StartChargeSeq", R),
    connector_id(),
    moment("StartTime", R),
    moment("EndTime", R),
    decimal("TotalPower", R, 2, "kWh"),
)
ORDER_TAIL = (
    money("TotalMoney", R),
    integer("StopReason", R, OWN),
    integer("SumPeriod", O, PERIODS),
    records("ChargeDetails", O, CHARGE_DETAIL),
)
ORDER = ORDER_HEAD + (money("TotalElecMoney", R), money("TotalSeviceMoney", R)) + ORDER_TAIL
BONUS = ORDER_HEAD + (money("TotalElecMoney", O), money("TotalSeviceMoney", O)) + ORDER_TAIL + (
    integer("ChargeModel", R, CHARGE_MODEL),
    text("UserName", R, 20),
    text("StationID", R, 20),
    text("EquipmentID", R, 23),
    decimal("ConnectorPower", R, 1, "kW"),
    integer("ChargeLast", R, COUNT, unit="s"),
    decimal("MeterValueStart", R, 2, "kWh"),
    decimal("MeterValueEnd", R, 2, "kWh"),
)
ORDER_ANSWER = (serial("StartChargeSeq", R), connector_id(), integer("ConfirmResult", R, OWN))
CHARGE_ORDER = (serial("StartChargeSeq", R), decimal("TotalPower", R, 2, "kWh"), money("TotalMoney", R))
DISPUTE_ORDER = CHARGE_ORDER + (integer("DisputeReason", R, range(1, 100)),)
RESULT_ANSWER = (serial("StartChargeSeq", R), integer("SuccStat", R, YES_NO), integer("FailReason", R, OWN))
STATUS_ANSWER = (integer("Status", R, YES_NO),)

METHODS = (
    Method(1, "query_token", "both",
           (operator("OperatorID", R), text("OperatorSecret", R)),
           (operator("OperatorID", R), integer("SuccStat", R, YES_NO), text("AccessToken", R),
            integer("TokenAvailableTime", R, COUNT, unit="s"), integer("FailReason", R, OWN))),
    Method(2, "query_stations_info", "platform",
           (moment("LastQueryTime", O), integer("PageNo", O, POSITIVE), integer("PageSize", O, POSITIVE)),
           (integer("PageNo", R, POSITIVE), integer("PageCount", R, COUNT), integer("ItemSize", R, COUNT),
            records("StationInfos", R, STATION_INFO))),
    Method(3, "notification_stationStatus", "station",
           (record("ConnectorStatusInfo", R, CONNECTOR_STATUS_INFO),), STATUS_ANSWER),
    Method(4, "query_station_status", "platform",
           (Field("StationIDs", R, "list of texts"),),
           (integer("Total", O, COUNT), records("StationStatusInfos", R, STATION_STATUS_INFO))),
    Method(5, "query_station_stats", "platform",
           (text("StationID", R, 20), date("StartTime", R), date("EndTime", R)),
           (record("StationStats", R, STATION_STATS_INFO),)),
    Method(6, "query_equip_auth", "platform",
           (serial("EquipAuthSeq", R), connector_id()),
           (serial("EquipAuthSeq", R), connector_id(), integer("SuccStat", R, YES_NO), integer("FailReason", R, OWN))),
    Method(7, "query_equip_business_policy", "platform",
           (serial("EquipBizSeq", R), connector_id()),
           (serial("EquipBizSeq", R), connector_id(), integer("SuccStat", R, YES_NO), integer("FailReason", R, OWN),
            integer("SumPeriod", R, PERIODS), records("PolicyInfos", R, POLICY_INFO))),
    Method(8, "query_start_charge", "platform",
           (serial("StartChargeSeq", R), connector_id(), text("QRCode", R)),
           (serial("StartChargeSeq", R), integer("StartChargeSeqStat", R, SEQ_STAT), connector_id(),
            integer("SuccStat", R, YES_NO), integer("FailReason", R, OWN))),
    Method(9, "notification_start_charge_result", "station",
           (serial("StartChargeSeq", R), integer("StartChargeSeqStat", R, SEQ_STAT), connector_id(), moment("StartTime", R),
            text("IdentCode", O), integer("ChargeModel", O, CHARGE_MODEL, origin=CITY), text("Vin", O, 17, origin=CITY)),
           RESULT_ANSWER),
    Method(10, "query_equip_charge_status", "platform", (serial("StartChargeSeq", R),), SNAPSHOT),
    # 2.11: "StartChargeSeq (R), SuccStat (R, 0/1); some add FailReason".
    Method(11, "notification_equip_charge_status", "station", SNAPSHOT,
           (serial("StartChargeSeq", R), integer("SuccStat", R, YES_NO), integer("FailReason", O, OWN))),
    Method(12, "query_stop_charge", "platform",
           (serial("StartChargeSeq", R), connector_id()),
           (serial("StartChargeSeq", R), integer("StartChargeSeqStat", R, SEQ_STAT), integer("SuccStat", R, YES_NO),
            integer("FailReason", R, OWN))),
    Method(13, "notification_stop_charge_result", "station",
           (serial("StartChargeSeq", R), connector_id(), integer("StartChargeSeqStat", R, SEQ_STAT),
            integer("SuccStat", R, YES_NO), integer("FailReason", R, OWN)),
           RESULT_ANSWER),
    Method(14, "notification_charge_order_info", "station", ORDER, ORDER_ANSWER),
    Method(15, "check_charge_orders", "station",
           (serial("CheckOrderSeq", R), moment("StartTime", R), moment("EndTime", R), integer("OrderCount", R, COUNT),
            decimal("TotalOrderPower", R, 4, "kWh"), money("TotalOrderMoney", R), records("ChargeOrders", R, CHARGE_ORDER)),
           (serial("CheckOrderSeq", R), moment("StartTime", R), moment("EndTime", R), integer("TotalDisputeOrder", R, COUNT),
            decimal("TotalDisputePower", R, 4, "kWh"), money("TotalDisputeMoney", R),
            records("DisputeOrders", R, DISPUTE_ORDER))),
    Method(16, "notification_charge_order_info_for_bonus", "station", BONUS, ORDER_ANSWER, CITY),
    # 2.16, Shenzhen's: the whole StationInfo on a change.
    Method(None, "notification_stationInfo", "station", (record("StationInfo", R, STATION_INFO),), STATUS_ANSWER, CITY),
    # 2.5: no push form is known; the gateway's has the structure of the query's answer.
    Method(None, "notification_station_stats", "station", (record("StationStats", R, STATION_STATS_INFO),), STATUS_ANSWER,
           OURS),
    # lua/README.md
    Method(None, "query_user_auth", "station",
           (serial("UserAuthSeq", R), serial("StartChargeSeq", R), connector_id(), integer("AuthType", R, {1, 2}),
            text("UserIdent", R)),
           (serial("UserAuthSeq", O), integer("SuccStat", R, YES_NO), integer("FailReason", O, OWN),
            serial("StartChargeSeq", O), text("UserClass", O)), OURS),
)
BY_NAME = {m.name: m for m in METHODS}
PARTS = ("request", "answer")

# Envelopes, 1.3 and 1.4.
REQUEST_ENVELOPE = (
    operator("OperatorID", R),
    text("Data", R, form=r"[0-9A-Za-z+/]+={0,2}"),
    text("TimeStamp", R, 14, form=r"20[0-9]{12}"),
    text("Seq", R, 4, form=r"[0-9]{4}"),
    text("Sig", R, 32, form=r"[0-9A-F]{32}"),
)
ANSWER_ENVELOPE = (
    integer("Ret", R, {-1, 0, 500, 4001, 4002, 4003, 4004}),
    text("Msg", R),
    text("Data", R, form=r"([0-9A-Za-z+/]+={0,2})?"),
    text("Sig", R, 32, form=r"[0-9A-F]{32}"),
)


def fields_of(method, part):
    return BY_NAME[method].request if part == "request" else BY_NAME[method].answer


def flat(fields, before=""):
    """Every field at every depth: {"StationInfos[].EquipmentInfos[].Power": Field}."""
    found = {}
    for field in fields:
        path = before + field.name + ("[]" if field.kind.startswith("list") else "")
        found[path] = field
        found.update(flat(field.fields, path + "."))
    return found
