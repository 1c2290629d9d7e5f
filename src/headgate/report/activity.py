"""The sections that say what happened: runs and their steps, the quarantine, the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from headgate.report import charts
from headgate.report.markup import Markup, clipped, count, el, joined, many, name
from headgate.report.model import Entry, Page, Reason, Step
from headgate.report.parts import CELL, badge, faint, headings, moment, more, scrolled, seconds, section, size

RUNS, STEPS, FIRST, REASONS = 12, 15, 12, 100
"""How many are listed."""


def runs(page: Page) -> Markup:
    """How the last runs went, and what the last one did."""
    if not page.runs:
        return section("runs", "Runs", el("p", "Nothing ran yet.", class_="empty"))
    note = (
        f"{count(len(page.runs))} of {many(page.runs_total, 'run')}"
        if page.runs_total > len(page.runs)
        else many(len(page.runs), "run")
    )
    longest = max((run.seconds or 0.0 for run in page.runs), default=0.0)
    said = el("p", f"How long each took; the longest {seconds(longest)}", class_="note")
    strip = scrolled(charts.durations(page.runs), "Durations of runs")
    return section("runs", "Runs", strip, said, _runs(page), _steps(page.steps), note=note)


def _runs(page: Page) -> Markup:
    head = headings(
        ("Begun", ""),
        ("Ended as", ""),
        ("Took", "num"),
        ("CPU", "num wide"),
        ("Memory", "num wide"),
        ("Read", "num"),
        ("Refused", "num"),
    )
    rows = [
        el(
            "tr",
            el("td", moment(run.at)),
            el(
                "td",
                badge(run.status),
                *([" ", el("span", clipped(run.failure, 24), class_="quiet")] if run.failure else []),
            ),
            el("td", seconds(run.seconds), class_="num", data_label="took"),
            el("td", seconds(run.cpu_secs), class_="num wide"),
            el("td", size(run.peak_bytes), class_="num wide"),
            el("td", count(run.read), class_="num", data_label="read"),
            el("td", faint(run.quarantined), class_="num", data_label="refused"),
        )
        for run in page.runs[:RUNS]
    ]
    told = more(page.runs_total - len(rows), "older run", "older runs", "headgate runs")
    return joined([el("table", head, el("tbody", *rows), class_="list"), told])


def _steps(steps: Sequence[Step]) -> Markup | None:
    """Where the time of the last run went: the longest steps, and every step that did not succeed."""
    timed = sorted(steps, key=lambda step: (charts.tone(step.status) not in ("bad", "warn"), -(step.seconds or 0.0)))
    timed = [step for step in timed if step.status != "skipped" or step.passed]
    if not timed:
        return None
    most = max((step.seconds or 0.0 for step in timed), default=0.0) or 1.0
    items = [_step(step, most) for step in timed[:STEPS]]
    rest = timed[STEPS:]
    sums = seconds(sum(step.seconds or 0.0 for step in rest))
    told = more(len(rest), "more step", "more steps", "headgate runs last", f", together {sums}")
    idle = sum(step.status == "skipped" and not step.passed for step in steps)
    note = f" {many(len(timed), 'step')}" + (f"; {count(idle)} had nothing to do" if idle else "")
    return joined(
        [el("h3", "Steps of the last run", el("span", note, class_="note")), el("ol", *items, class_="steps"), told]
    )


def _step(step: Step, most: float) -> Markup:
    bar = charts.bar((step.seconds or 0.0) / most, f"fill-{charts.tone(step.status)}")
    facts = [seconds(step.seconds)]
    facts += [many(step.rows, "row")] if step.rows is not None else []
    facts += [f"{size(step.bytes)} read"] if step.bytes is not None else []
    status = [" ", badge(step.status)] if step.status != "ok" else []
    said = [
        el("span", clipped(one, CELL), class_="said") for one in (step.findings or ((step.reason,) if status else ()))
    ]
    return el(
        "li", el("span", name(step.id), *status, class_="who"), bar, el("span", " · ".join(facts), class_="num"), *said
    )


# -- quarantine and ledger


def quarantine(page: Page) -> Markup:
    """What was refused and waits, by reason."""
    if not page.waiting:
        empty = el("p", "Nothing waits: every record that was refused has been settled, or none was.", class_="empty")
        return section("quarantine", "Quarantine", empty)
    most = max(reason.number for reason in page.reasons) if page.reasons else 1
    items = [_reason(reason, most) for reason in page.reasons[:REASONS]]
    first, others = items[:FIRST], items[FIRST:]
    rest = None
    if others:
        rest = el(
            "details",
            el("summary", many(len(others), "more reason")),
            el("ul", *others, class_="reasons"),
            class_="rest",
        )
    told = more(len(page.reasons) - len(items), "more reason", "more reasons", "headgate quarantine sample")
    hidden = "; values of columns marked pii are hidden" if page.masked else ""
    note = f"{many(page.waiting, 'record waits', 'records wait')}, {many(len(page.reasons), 'reason')}{hidden}"
    return section("quarantine", "Quarantine", el("ul", *first, class_="reasons"), rest, told, note=note)


def _reason(reason: Reason, most: int) -> Markup:
    bar = charts.bar(reason.number / most, "fate-quarantined")
    where = el("span", name(reason.table), *([" · ", name(reason.column)] if reason.column else []), class_="where")
    head = el("span", el("b", clipped(reason.message, CELL)), " ", where, class_="who")
    row = [head, bar, el("span", count(reason.number), class_="num")]
    if not reason.samples:
        return el("li", el("div", *row, class_="reason"))
    shown = [
        el("li", el("span", clipped(one.where), class_="at"), el("code", el("bdi", clipped(one.text, CELL))))
        for one in reason.samples
    ]
    return el("li", el("details", el("summary", *row, class_="reason"), el("ul", *shown, class_="samples")))


def ledger(page: Page) -> Markup:
    """The last commits."""
    if not page.entries:
        return section("ledger", "Ledger", el("p", "Nothing was committed yet.", class_="empty"))
    head = headings(
        ("Committed", ""),
        ("Table", ""),
        ("From", "wide"),
        ("Read", "num"),
        ("Loaded", "num"),
        ("Refused", "num"),
        ("Other", "num wide"),
        ("Rows after", "num wide"),
    )
    rows = el("tbody", *map(_entry, page.entries))
    told = more(page.entries_total - len(page.entries), "older entry", "older entries", "headgate ledger")
    note = many(page.entries_total, "entry", "entries")
    return section("ledger", "Ledger", el("table", head, rows, class_="list"), told, note=note)


def _numbers(entry: Entry) -> list[Markup]:
    """Fates; of a build that reads no records, nothing."""
    other = entry.deduplicated + entry.skipped
    if not entry.read:
        return [
            el("td", class_="num" if label != "other" else "num wide")
            for label in ("read", "loaded", "refused", "other")
        ]
    told = (("read", entry.read), ("loaded", entry.loaded), ("refused", entry.quarantined))
    return [
        *(el("td", faint(number), class_="num", data_label=label) for label, number in told),
        el("td", faint(other), class_="num wide"),
    ]


def _entry(entry: Entry) -> Markup:
    return el(
        "tr",
        el("td", moment(entry.at)),
        el("td", name(entry.table), el("span", f" {clipped(entry.kind, 24)} {entry.id}", class_="kind"), class_="who"),
        el("td", name(entry.partition, 40) if entry.partition else None, class_="wide"),
        *_numbers(entry),
        el("td", count(entry.rows_after), class_="num wide"),
    )
