"""The report: whole by itself, true to the figures, and legible on any screen."""

import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from eugpt_fast.batch.plots import HEIGHT, WIDTH, Layer, Plot, histogram, over_time
from eugpt_fast.batch.report import as_html, as_svg
from eugpt_fast.batch.series import Point
from eugpt_fast.batch.stats import Stats

from .made_up import Clock, outcome, run

NAMES = ["Requests per second", "Output tokens per second", "Time to first text", "Duration of a request"]


def tree(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def all_of(root: ElementTree.Element, tag: str) -> list[ElementTree.Element]:
    return [element for element in root.iter() if element.tag.rpartition("}")[2] == tag]


def number(element: ElementTree.Element, name: str) -> float:
    return float(element.attrib[name])


def drawn(elements: list[str]) -> ElementTree.Element:
    return tree(f"<svg>{''.join(elements)}</svg>")


def words(root: ElementTree.Element) -> list[str]:
    return ["".join(element.itertext()) for element in all_of(root, "text")]


def one_request() -> Stats:
    clock = Clock()
    stats = Stats(1, clock=clock)
    clock.now += 0.25
    stats.finished(outcome(time_to_first_text=0.125, duration=0.25))
    return stats


def much_later() -> Stats:
    clock = Clock()
    stats = Stats(10**6, clock=clock)
    for _ in range(2000):
        clock.now += 300
        stats.finished(outcome(time_to_first_text=1e-6, duration=1e7))
        stats.sample(5000, 4000)
    return stats


EVERY = pytest.mark.parametrize("stats", [Stats(0, clock=Clock()), one_request(), run(60), run(700), much_later()])


@EVERY
def test_every_mark_is_inside_the_picture(stats: Any) -> None:
    root = tree(as_svg(stats.as_json(), "a title"))
    assert "nan" not in ElementTree.tostring(root, "unicode")
    places = []
    for group in all_of(root, "g"):
        for element in group:
            names = [("x", "y"), ("x1", "y1"), ("x2", "y2")]
            places += [(number(element, x), number(element, y)) for x, y in names if element.get(x) and element.get(y)]
            pairs = re.findall(r"([-\d.]+),([-\d.]+)", element.get("d", ""))
            places += [(float(x), float(y)) for x, y in pairs]
            if element.get("height"):
                assert number(element, "height") >= 0
                places.append((number(element, "x") + number(element, "width"), number(element, "y")))
    assert places
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)


@EVERY
def test_it_stays_small_and_names_every_plot(stats: Any) -> None:
    metrics = stats.as_json()
    for report in (as_svg(metrics, "t"), as_html(metrics, "t")):
        assert len(report) < 100_000
        for name in [*NAMES, "Concurrency", "Errors per second"]:
            assert name in report


class References(HTMLParser):
    """What a browser would fetch or run."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: Any, attrs: Any) -> None:
        if tag in ("script", "link", "img", "iframe"):
            self.found.append(tag)
        self.found += [name for name, _ in attrs if name in ("src", "href", "xlink:href", "style") or name[:2] == "on"]
        if tag not in ("meta", "line", "rect", "path"):
            self.open.append(tag)

    def handle_startendtag(self, tag: Any, attrs: Any) -> None:
        self.found += [name for name, _ in attrs if name in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag: Any) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("draw", [as_svg, as_html])
def test_it_needs_nothing_from_elsewhere(draw: Any) -> None:
    report = draw(run(60).as_json(), "a title")
    assert References(report).found == []
    assert re.findall(r"url\(|@import|@font-face", report) == []
    assert set(re.findall(r"https?://[^\"'<]*", report)) <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("draw", [as_svg, as_html])
def test_what_others_named_is_no_markup(draw: Any) -> None:
    stats = run(5)
    stats.finished(outcome("error", error=("<script>alert(1)</script>", "…")))
    report = draw(stats.as_json(), "<b>&\"'.jsonl")
    assert "<script" not in report
    assert "<b>" not in report
    assert "&lt;script&gt;" in report
    if draw is as_svg:
        assert "<b>&\"'.jsonl" in words(tree(report))


def test_the_page_suits_narrow_and_dark_screens() -> None:
    page = as_html(run(60).as_json(), "a title")
    assert '<meta name="viewport" content="width=device-width,initial-scale=1">' in page
    assert page.count("prefers-color-scheme:dark") == 2  # the page and its plots
    assert page.count("<svg") == page.count("viewBox") == 5
    assert page.count("{") == page.count("}"), "style sheets that are whole"
    assert "{{" not in page


def points(*done: int) -> list[Point]:
    return [
        Point(number + 1.0, 1.0, count, 0, 0, 0, 0, concurrency=0, in_flight=0) for number, count in enumerate(done)
    ]


def test_a_line_goes_through_its_values() -> None:
    plot = Plot("t")
    root = drawn(over_time(plot, points(0, 10, 5), [Layer("done", lambda point: point.done, "a")]))
    (line,) = all_of(root, "path")
    corners = [tuple(map(float, pair)) for pair in re.findall(r"([-\d.]+),([-\d.]+)", line.get("d", ""))]
    highest = max(float(word) for word in words(root) if word.isdigit())
    heights = [(plot.bottom - y) / (plot.bottom - plot.top) * highest for _, y in corners]
    assert heights == pytest.approx([0, 0, 10, 10, 5, 5], abs=0.1)
    assert [x for x, _ in corners] == pytest.approx([plot.x(third / 3) for third in (0, 1, 1, 2, 2, 3)], abs=0.1)


def test_bars_stand_on_each_other() -> None:
    plot = Plot("t")
    same = [Layer(name, lambda point: point.done, name, bars=True) for name in "ab"]
    root = drawn(over_time(plot, points(3, 3), same))
    heights = [
        sorted({float(y) for _, y in re.findall(r"([-\d.]+),([-\d.]+)", path.get("d", ""))})
        for path in all_of(root, "path")
    ]
    assert heights[0][0] == heights[1][1]
    assert heights[0][1] == plot.bottom


@pytest.mark.parametrize("stats", [one_request(), run(60), run(700)])
def test_the_bars_of_a_distribution_add_up_to_all(stats: Any) -> None:
    buckets = stats.as_json()["duration_s"]["buckets"]
    plot = Plot("t")
    root = drawn(histogram(plot, buckets, {}))
    highest = max(float(word) for word in words(root) if re.fullmatch(r"\d+", word))
    shares = [number(bar, "height") / (plot.bottom - plot.top) * highest for bar in all_of(root, "rect")]
    assert sum(shares) == pytest.approx(100, abs=0.05 * len(shares) + 0.1)


def test_percentiles_are_marked_where_they_are() -> None:
    metrics = run(60).as_json()["duration_s"]
    plot = Plot("t")
    root = drawn(histogram(plot, metrics["buckets"], {"p50": metrics["p50"], "never": None}))
    (mark,) = [line for line in all_of(root, "line") if line.get("class") == "mark"]
    ticks = {word: number(text, "x") for text, word in zip(all_of(root, "text"), words(root), strict=True)}
    place = (number(mark, "x1") - ticks["1 s"]) / (ticks["5 s"] - ticks["1 s"])
    assert 5**place == pytest.approx(metrics["p50"], rel=0.01)
    assert "p50" in ticks
    assert "never" not in ticks


def test_nothing_measured_is_said() -> None:
    report = as_svg(Stats(0, clock=Clock()).as_json(), "t")
    assert report.count("nothing was measured") == 6
