"""What the simulators themselves know of a run, and what the gateway said of the same: held against each other to the last digit.

Nothing here is taken from the gateway's code. Energy is what the chargers' registers advanced (0.01 kWh); prices are the run's own
table; money is reckoned in decimals by protocol.md's rule (each line rounded half up to a fen)."""
import datetime
import decimal
import socket
import struct

CENT, TENTH = decimal.Decimal("0.01"), decimal.Decimal("0.1")
# Minute of the day, electricity, service. The night's price goes over midnight.
PERIODS = ((0, "0.3012", "0.4"), (360, "0.8123", "0.4"), (660, "1.2034", "0.45"), (780, "0.8123", "0.4"), (1020, "1.2034", "0.45"),
           (1320, "0.3012", "0.4"))


def half_up(number, step):
    return decimal.Decimal(number).quantize(step, decimal.ROUND_HALF_UP)


def tariff(version):
    """Each version of the policy has prices of its own."""
    return [(minute, decimal.Decimal(elec) + version * decimal.Decimal("0.0001"), decimal.Decimal(service))
            for minute, elec, service in PERIODS]


def policy(version):
    rows = ",\n".join(f'  {{ start = "{m // 60:02d}:{m % 60:02d}", elec = {e}, service = {s} }}' for m, e, s in tariff(version))
    return f'return {{ forecourt = 1, kind = "policy", name = "soak", prices = {{\n{rows} }} }}\n'


def moment(text):
    return datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S")


def price_at(version, when):
    minute = when.hour * 60 + when.minute
    return [(e, s) for m, e, s in tariff(version) if m <= minute][-1]


def borders_between(version, first, last):
    """Moments within first..last (both excluded) at which another price begins."""
    found, table = [], tariff(version)
    day = datetime.datetime(first.year, first.month, first.day)
    while day < last:
        for i, (minute, elec, service) in enumerate(table):
            at = day + datetime.timedelta(minutes=minute)
            if first < at < last and table[i - 1][1:] != (elec, service):
                found.append(at)
        day += datetime.timedelta(days=1)
    return found


def order_faults(order, session, version):
    """What is wrong with an order as it was told. session: the charger's register at start and end, in 0.01 kWh."""
    number = {k: decimal.Decimal(str(order[k])) for k in ("TotalPower", "TotalElecMoney", "TotalSeviceMoney", "TotalMoney")}
    faults, lines = [], order["ChargeDetails"]
    delivered = decimal.Decimal(session[1] - session[0]) / 100
    if number["TotalPower"] != delivered:
        faults.append(f"energy {number['TotalPower']}, the charger delivered {delivered}")
    if order["SumPeriod"] != len(lines):
        faults.append(f"SumPeriod {order['SumPeriod']}, lines {len(lines)}")
    for total, part in (("TotalPower", "DetailPower"), ("TotalElecMoney", "DetailElecMoney"), ("TotalSeviceMoney", "DetailSeviceMoney")):
        if sum((decimal.Decimal(str(line[part])) for line in lines), decimal.Decimal(0)) != number[total]:
            faults.append(f"{part} does not sum to {total}")
    if number["TotalMoney"] != number["TotalElecMoney"] + number["TotalSeviceMoney"]:
        faults.append("TotalMoney is not the sum")
    for line in lines:
        first, last = moment(line["DetailStartTime"]), moment(line["DetailEndTime"])
        prices = tuple(decimal.Decimal(str(line[k])) for k in ("ElecPrice", "SevicePrice"))
        if prices != price_at(version, first):
            faults.append(f"line from {first}: prices {prices}, the table has {price_at(version, first)}")
        if borders_between(version, first, last):
            faults.append(f"line {first} to {last} goes over {borders_between(version, first, last)}")
        for price, key in zip(prices, ("DetailElecMoney", "DetailSeviceMoney")):
            money, energy = decimal.Decimal(str(line[key])), decimal.Decimal(str(line["DetailPower"]))
            # One line: to the fen. Of several each has a part of a kWh's hundredth that the wire does not show.
            if len(lines) == 1 and money != half_up(energy * price, CENT):
                faults.append(f"{key} {money}, {energy} kWh at {price} are {half_up(energy * price, CENT)}")
            if abs(money - energy * price) > CENT / 2 + price * CENT:
                faults.append(f"{key} {money} for {energy} kWh at {price}")
    return faults


def register(port, connector=1):
    """The charger's total in 0.01 kWh, read as anyone may."""
    with socket.create_connection(("127.0.0.1", port), timeout=900) as s:
        s.sendall(struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, (connector - 1) * 100 + 6, 2))
        data = b""
        while len(data) < 13:
            more = s.recv(64)
            if not more:
                raise OSError("the charger hung up")
            data += more
    return struct.unpack(">I", data[9:13])[0]


def fit(points):
    """Least squares: (slope, its standard error, mean). points: (x, y)."""
    n = len(points)
    if n < 3:
        return 0.0, float("inf"), points[0][1] if points else 0.0
    mx, my = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    sxx = sum((x - mx) ** 2 for x, _ in points)
    slope = sum((x - mx) * (y - my) for x, y in points) / sxx
    rest = sum((y - my - slope * (x - mx)) ** 2 for x, y in points)
    return slope, (rest / (n - 2) / sxx) ** 0.5, my
