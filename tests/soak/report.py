"""What came of a soak: the table, the verdicts, all figures as JSON."""
import collections
import json

import ledger

DAY = 86400


def lives(soak, after_days):
    """Samples by the gateway's runs, each without its first time (caches fill, the first orders of each connector are made)."""
    found = collections.defaultdict(list)
    for s in soak.samples:
        found[s["life"]].append(s)
    return {n: [s for s in list_ if s["day"] - list_[0]["day"] >= after_days] for n, list_ in found.items()}


def growth(soak, key, after_days):
    """Of the longest run: slope a day and its bound (two standard errors), what it is on the mean."""
    list_ = max(lives(soak, after_days).values(), key=len)
    slope, error, mean = ledger.fit([(s["day"], s[key]) for s in list_])
    return {"samples": len(list_), "days": list_[-1]["day"] - list_[0]["day"] if list_ else 0, "a_day": slope,
            "bound_a_day": abs(slope) + 2 * error, "mean": mean, "first": list_[0][key] if list_ else 0, "last": list_[-1][key] if list_ else 0}


def drift(soak):
    """How far the moments of the polls have moved against their grid, in ms a day, at worst; over runs that were long enough to say."""
    worst = 0.0
    for list_ in lives(soak, 0).values():
        if len(list_) < 4:
            continue
        for i in range(len(list_[0]["phase_ms"])):
            slope, _, _ = ledger.fit([(s["day"], s["phase_ms"][i]) for s in list_])
            worst = max(worst, abs(slope))
    return worst


def polls(soak):
    """Done and planned, over whole runs."""
    done = planned = 0
    for list_ in lives(soak, 0).values():
        if len(list_) > 1:
            done += list_[-1]["polls"] - list_[0]["polls"]
            planned += (list_[-1]["day"] - list_[0]["day"]) * DAY / soak.options.poll * soak.options.connectors
    return done, planned


def write(soak):
    w, samples = soak.world, soak.samples
    last = samples[-1]
    warm = min(1.0, last["day"] / 3)
    memory = {key: growth(soak, key, warm) for key in ("rss_kb", "anon_kb", "heap_kb", "fds", "threads")}
    done, planned = polls(soak)
    rows = [s for s in samples if "rows" in s]
    orders_a_day = w.counts["orders"] / last["day"]
    database = [(s["orders"], s["files"].get("forecourt.db", 0)) for s in samples]
    an_order, an_order_error, _ = ledger.fit(database)
    # The gateway's of its last life; a start costs more than a second of the run, and is a second of thousands.
    first, span = next(s for s in samples if s["life"] == last["life"]), DAY * max(1e-9, last["day"])
    lived = DAY * (last["day"] - first["day"])
    table = [("days, real hours", f"{last['day']:.2f}, {last['real_s'] / 3600:.2f}"),
             ("times real time", soak.speed()),
             ("processor time a second of the run: gateway, chargers, the rest", ", ".join(
                 f"{s * 1000:.2f} ms" for s in ((last["cpu_s"] - first["cpu_s"]) / lived if lived else 0, last["chargers_cpu_s"] / span,
                                                last["own_cpu_s"] / span))),
             ("connectors, orders (a day)", f"{soak.options.connectors}, {w.counts['orders']} ({orders_a_day:.0f})"),
             ("what happened", ", ".join(f"{k} {v}" for k, v in sorted(w.counts.items())))]
    for key, g in memory.items():
        table.append((f"{key}: first, last, mean of {g['days']:.1f} days", f"{g['first']}, {g['last']}, {g['mean']:.1f}"))
        table.append((f"{key}: a day (at most)", f"{g['a_day']:+.2f} ({g['bound_a_day']:.2f})"))
    for name in sorted({n for s in samples for n in s["files"]}):
        sizes = [s["files"].get(name, 0) for s in samples]
        table.append((f"file {name}: most, last", f"{max(sizes) / 1024:.0f} kB, {sizes[-1] / 1024:.0f} kB"))
    table.append(("forecourt.db: an order (2 standard errors)", f"{an_order:.0f} ({2 * an_order_error:.0f}) bytes"))
    for name in sorted(rows[-1]["rows"]) if rows else []:
        table.append((f"rows {name}: most, last", f"{max(s['rows'].get(name, 0) for s in rows)}, {rows[-1]['rows'][name]}"))
    kept_for_ever = sum(n for name, n in soak.bytes.items() if "order" in name or "outbox" in name)
    if kept_for_ever:
        table.append(("orders and outbox with their indexes: bytes an order", f"{kept_for_ever / max(1, soak.kept):.0f} ({soak.kept} kept)"))
    table += [("polls: done, planned, missed", f"{done}, {planned:.0f}, {last['missed']}"),
              ("polls: late by more than a period; the latest", f"{last['late_polls']}; {max(s['poll_late_max_ms'] for s in samples):.0f} ms"),
              ("polls: drift against the grid, at worst", f"{drift(soak):.2f} ms a day"),
              ("time-outs on the buses", last["timeouts"]),
              ("any wait overslept by at most", f"{max(s['overslept_max_ms'] for s in samples):.0f} ms"),
              ("days of statistics: connectors exact; charging at midnight", "; ".join(
                  f"{sum(d[k] for d in soak.days)}" for k in ("exact", "charging_at_midnight"))),
              ("  ... by at most (a poll's worth)", f"{max((d['most_kwh'] for d in soak.days), default=0):.2f} kWh"),
              ("energy: registers, statistics, orders", f"{sum(soak.total) / 100:.2f}, {soak.energy / 1000:.2f}, {soak.order_energy} kWh"),
              ("money of all orders", f"{soak.money} yuan"),
              ("calls that an absent platform did not take", w.refused_calls),
              ("integrity of the file", soak.integrity),
              ("faults", len(w.faults))]
    text = "\n".join(f"  {name:<62}  {value}" for name, value in table)
    print(text)
    for fault in w.faults[:50]:
        print(f"  FAULT {fault}")
    (soak.folder / "report.txt").write_text(text + "\n" + "\n".join(w.faults) + "\n", encoding="utf-8")
    (soak.folder / "report.json").write_text(json.dumps(
        {"options": vars(soak.options), "counts": w.counts, "growth": memory, "drift_ms_a_day": drift(soak), "polls": [done, planned],
         "bytes_an_order": [an_order, 2 * an_order_error], "days": soak.days, "faults": w.faults, "samples": samples}, indent=1), encoding="utf-8")
    return 1 if w.faults else 0
