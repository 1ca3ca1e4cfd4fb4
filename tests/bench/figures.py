"""Figures for build/bench.json: each with its goal, and whether that is met. The schema stands in tests/bench/README.md."""


def figure(name, text, value, unit, at_least=None, at_most=None, below=None, **detail):
    """detail: what else was measured of it, by name."""
    found = {"name": name, "text": text, "value": round(value, 4), "unit": unit}
    goals = {"at_least": at_least, "at_most": at_most, "below": below}
    goal = {k: v for k, v in goals.items() if v is not None}
    if goal:
        found["goal"] = goal
        found["met"] = not ((at_least is not None and value < at_least) or (at_most is not None and value > at_most)
                            or (below is not None and value >= below))
    if detail:
        found["detail"] = detail
    return found


def skipped(name, text, why):
    return {"name": name, "text": text, "skipped": why}


def words(found):
    """A figure as a line of the table."""
    if "skipped" in found:
        return found["text"], f"SKIPPED: {found['skipped']}"
    text = f"{found['value']:,.6g} {found['unit']}"
    if "goal" not in found:
        return found["text"], text
    goal = ", ".join(f"{'at least' if k == 'at_least' else 'at most' if k == 'at_most' else 'below'} {v:g}" for k, v in found["goal"].items())
    return found["text"], f"{text} (goal: {goal}): {'met' if found['met'] else 'NOT met'}"


def show(found):
    width = max((len(words(f)[0]) for f in found), default=0)
    for f in found:
        text, value = words(f)
        print(f"  {text:<{width}}  {value}", flush=True)
