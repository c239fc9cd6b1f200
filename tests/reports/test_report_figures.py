"""The figures: well-formed whatever the numbers, small, and true to the data."""

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from grader.model import Curves, HeatMap
from grader.reports import curves, heat_map
from grader.reports.figures import at, number

ANY_FLOAT = st.one_of(
    st.floats(),
    st.sampled_from(
        [0.0, 1.0, 5e-324, 1e-323, -5e-324, 1.7976931348623157e308, -1.7976931348623157e308, np.nan, np.inf]
    ),
)


def _sound(svg):
    """Parse a figure and see that every coordinate is an ordinary number within sight."""
    root = ET.fromstring(svg)  # noqa: S314 -- our own text
    assert root.get("role") == "img"
    assert root.find("title").text is not None
    assert root.find("desc").text
    labelled = root.get("aria-labelledby").split()
    assert labelled == [root.find("title").get("id"), root.find("desc").get("id")]
    for element in root.iter():
        for name, value in element.attrib.items():
            if name in {"x", "y", "d", "width", "height", "transform", "viewBox"}:
                assert not re.search("nan|inf|e", value.replace("translate", "").replace("scale", "")), (name, value)
                assert all(abs(float(one)) < 5_000 for one in re.findall(r"-?\d+\.?\d*", value)), (name, value)
    return root


@given(
    error=arrays.arrays(
        np.float64, arrays.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=9), elements=ANY_FLOAT
    )
)
def test_any_error_makes_a_sound_heat_map(error):
    """NaN, infinity, nothing at all, and numbers at the ends of the range are drawn without a broken coordinate."""
    _sound(heat_map.draw(HeatMap("W1", np.abs(error), (0,) * error.ndim), "k"))


@given(first=arrays.arrays(np.float64, st.integers(0, 12), elements=ANY_FLOAT),
       second=arrays.arrays(np.float64, st.integers(0, 12), elements=ANY_FLOAT))  # fmt: skip
def test_any_history_makes_sound_curves(first, second):
    """The same for curves, where two huge numbers of opposite sign have no finite difference."""
    _sound(curves.draw(Curves("Loss", (("yours", first), ("reference", second))), "k"))


def _painted(svg, shape):
    """Paint the cells again from the paths: the shade's class of each cell."""
    root = ET.fromstring(svg)  # noqa: S314 -- our own text
    grid = next(element for element in root.iter("g") if element.get("class") == "grid")
    cells = np.full(shape, grid.find("rect").get("class"), dtype=object)
    for path in grid.iter("path"):
        for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path.get("d")):
            cells[int(y), int(x) : int(x) + int(run)] = path.get("class")
    return cells


def test_every_entry_has_its_shade():
    """Allowed entries are h0, not finite ones hx, and a larger error never has a smaller shade."""
    rng = np.random.default_rng(3)
    error = 10.0 ** rng.uniform(-2, 6, size=(20, 13))
    error[4, 5], error[6, 7], error[8, 9] = np.nan, np.inf, 1.0
    cells = _painted(heat_map.draw(HeatMap("W1", error, (0, 0)), "k"), error.shape)
    assert cells[4, 5] == cells[6, 7] == "hx"
    assert ((cells == "h0") == (error <= 1)).all()
    wrong = np.isfinite(error) & (error > 1)
    shades = [int(cell[1:]) for cell in cells[wrong][np.argsort(error[wrong])]]
    assert shades == sorted(shades)
    assert (shades[0], shades[-1]) == (1, 6)


def test_the_worst_entry_is_outlined_where_it_is():
    """The outline surrounds the cell of the entry that the record names, counted from 0."""
    error = np.ones((6, 10)) * 0.5
    error[2, 7] = 40.0
    root = _sound(heat_map.draw(HeatMap("W2", error, (2, 7)), "k"))
    outline = next(element for element in root.iter("rect") if element.get("class") == "worst")
    left, top, cell = map(
        float,
        re.fullmatch(
            r"translate\((\d+) (\d+)\) scale\((\d+)\)",
            next(element for element in root.iter("g") if element.get("class") == "grid").get("transform"),
        ).groups(),
    )
    assert float(outline.get("x")) + 1 == left + 7 * cell
    assert float(outline.get("y")) + 1 == top + 2 * cell
    assert root.find("desc").text == "1 of 60 entries is wrong. The worst is entry [2, 7]: 40 times what is allowed."


def test_a_large_parameter_is_drawn_by_blocks_and_loses_no_error():
    """A (3072, 100) weight matrix stays small in bytes, and its one wrong entry stays seen."""
    error = np.zeros((3072, 100))
    error[2000, 61] = 1e4
    svg = heat_map.draw(HeatMap("W1", error, (2000, 61)), "k")
    _sound(svg)
    assert (_painted(svg, (96, 50)) != "h0").sum() == 1
    assert len(svg) < 8_000


def test_a_noisy_64_by_50_matrix_stays_small():
    """Even where no two neighbours have one shade, a figure is some tens of kilobytes."""
    error = 10.0 ** np.random.default_rng(0).uniform(-1, 7, size=(64, 50))
    assert len(heat_map.draw(HeatMap("W1", error, (0, 0)), "k")) < 40_000


@given(values=arrays.arrays(np.float64, st.integers(1, 4000), elements=ANY_FLOAT, fill=st.floats(0, 1)))
def test_thinning_keeps_the_extremes(values):
    """At most 300 points are drawn, in order, all finite, the smallest and largest value and both ends among them."""
    kept = curves.thinned(values)
    finite = values[np.isfinite(values)]
    assert len(kept) <= 300
    assert (np.diff(kept) > 0).all()
    assert np.isfinite(values[kept]).all()
    if finite.size:
        assert (values[kept].min(), values[kept].max()) == (finite.min(), finite.max())
        where = np.flatnonzero(np.isfinite(values))
        assert (kept[0], kept[-1]) == (where[0], where[-1])


def test_ten_thousand_points_keep_a_single_peak():
    """A loss that jumps once in 10,000 iterations is seen to jump, in a figure of few bytes."""
    values = np.full(10_000, 0.5)
    values[7_777] = 40.0
    svg = curves.draw(Curves("Loss", (("yours", values),)), "k")
    line = next(element for element in _sound(svg).iter("path") if element.get("class") == "line s0").get("d")
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", line)]
    assert heights.count(min(heights)) == 1
    assert len(heights) <= 300
    assert len(svg) < 8_000


def test_a_gap_stays_a_gap():
    """NaN breaks the line, a value alone between two of them is a dot, and the caption says where it began."""
    values = np.array([3.0, 2.0, np.nan, 1.5, np.inf, 1.0, 0.9])
    figure = Curves("Loss", (("yours", values), ("reference", np.array([3.0, 1.0]))))
    lines = {
        element.get("class"): element.get("d")
        for element in _sound(curves.draw(figure, "k")).iter("path")
        if element.get("d").count("h0")
    }
    assert lines["line s0"].count("M") == 3
    assert lines["line s1"].count("M") == 1
    assert curves.caption(figure) == (
        "yours: from 3 to 0.9 over 7 iterations, not finite in 2 of them, first at iteration 2.\n"
        "reference: from 3 to 1 over 2 iterations."
    )


@pytest.mark.parametrize(
    ("values", "logarithmic"),
    [([1.0, 200.0], True), ([1.0, 99.0], False), ([0.0, 200.0], False), ([-1.0, 500.0], False)],
)
def test_the_axis_is_logarithmic_only_where_that_helps(values, logarithmic):
    """Beyond a factor of 100, and only where every value has a logarithm."""
    svg = curves.draw(Curves("Loss", (("yours", np.array(values)),)), "k")
    assert ("loss (logarithmic)" in svg) is logarithmic


def test_curves_differ_by_more_than_colour():
    """Each line has its class, and the style sheet gives every class but the student's its own dashes."""
    from importlib import resources

    style = resources.files("grader.reports").joinpath("templates/report.css").read_text(encoding="utf-8")
    dashes = re.findall(r"figure \.s(\d)[^{]*{[^}]*stroke-dasharray: ([^;]+);", style)
    assert len({dash for _, dash in dashes}) == 3


def test_a_figure_s_own_texts_are_escaped():
    """A title or label that looks like markup is text, in content and in attributes."""
    root = _sound(curves.draw(Curves("</svg><script>", (("<b>\"'&", np.arange(3.0)),)), 'k"onload="x'))
    assert not list(root.iter("script"))
    assert root.get("onload") is None
    assert root.find("title").text == "</svg><script>"


def test_no_coordinate_is_written_that_is_not_finite():
    """The last guard says what it was given."""
    with pytest.raises(ValueError, match="a coordinate is nan: only finite numbers are drawn"):
        at(float("nan"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (2.3456, "2.35"), (999.7, "1,000"), (12345.0, "1.2 × 10⁴"), (1e-7, "10⁻⁷"), (-3.2e-5, "-3.2 × 10⁻⁵"),  # noqa: RUF001
     (float("nan"), "not a number"), (float("inf"), "infinite")],
)  # fmt: skip
def test_numbers_read_well(value, text):
    """Numbers in captions and ticks have the digits that a reader needs."""
    assert number(value).replace("\N{NO-BREAK SPACE}", " ") == text


def test_what_surrounds_curves_and_cells_is_remembered_for_the_same_only():
    """Ticks, rulers and legends are drawn once for a class: a figure drawn after others is as it is drawn alone."""
    rng = np.random.default_rng(8)
    histories = [rng.uniform(low, high, size=20) for low, high in ((0.1, 2.0), (0.1, 2.4), (1e-5, 3.0), (-1.0, 1.0))]
    drawn = [Curves("Loss", ((label, values),)) for values in histories for label in ("yours", "reference")]
    drawn += [Curves("Loss", (("yours", histories[0][:count]),)) for count in (5, 19)]
    errors = [10.0 ** rng.uniform(-1, top, size=shape) for top in (1, 4) for shape in ((3, 4), (4, 3), (5,))]
    drawn += [HeatMap("W1", error, (0,) * error.ndim) for error in [*errors, np.where(errors[0] > 1, np.inf, 0.5)]]

    def draw(figure):
        return heat_map.draw(figure, "k") if isinstance(figure, HeatMap) else curves.draw(figure, "k")

    together = list(map(draw, drawn))
    for figure, text in zip(drawn, together, strict=True):
        for remembered in (curves._ticks, curves._legend, heat_map._surroundings):
            remembered.cache_clear()
        assert draw(figure) == text


def test_a_linear_axis_ends_at_round_numbers():
    """The first and the last gridline are the axis's ends, so that nothing of a curve lies beyond a number."""
    svg = curves.draw(Curves("Loss", (("yours", np.array([2.31, 1.7, 0.46])),)), "k")
    lines = [element.get("d") for element in _sound(svg).iter("path") if element.get("class") == "gridline"]
    assert (lines[0], lines[-1]) == ("M56 214H428", "M56 34H428")
    texts = [element.text for element in _sound(svg).iter("text") if element.get("class") == "end"]
    assert texts[:-1] == ["0", "0.5", "1", "1.5", "2", "2.5"]
