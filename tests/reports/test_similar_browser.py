"""The page of similar submissions in a real browser: opened, filtered, brought level, unfolded, with and without script."""

import time

import pytest

from chromium import each_in_one_scheme
from grader.model.similar_programs import Pair
from grader.reports.similar_page import to_similar
from reports.alike import compared, numbered, passage, program

# What writes the page is traced by test_similar.py; here a browser is waited for.
pytestmark = [pytest.mark.browser, pytest.mark.untraced]

NAMES = ("ann", "bob", "zo\u00eb")


def klass():
    """Return three long programs in two pairs and a group; the pairs' passages stand crosswise."""
    passages = (passage((40, 44), (160, 164)), passage((150, 152), (50, 52), owners=4))
    pairs = (Pair("ann", "bob", 0.9, passages), Pair("bob", "zo\u00eb", 0.4, passages[:1]))
    programs = [program(name, numbered(name, 200)) for name in NAMES]
    return compared(*pairs, programs=programs, others=5, groups=(NAMES,), left={"gus": "It holds no program."})


@pytest.fixture
def opened(visited):
    """Return a function that opens the page; nothing but it is asked for, and nothing complains."""

    def open_class(made=None, **how):
        return visited(to_similar(made or klass()), "similar.html", **how)

    return open_class


def heights(pair, number):
    """Return at which height of its pane a passage stands, on both sides."""
    return pair.evaluate(
        """(pair, number) => [...pair.querySelectorAll('.pane')].map((pane) =>
            pane.querySelector(`.badge[data-to="${number}"]`).closest('.run').getBoundingClientRect().top
            - pane.getBoundingClientRect().top)""",
        number,
    )


@pytest.mark.slow
def test_a_passage_is_brought_level(opened):
    """Click and Enter scroll both sides so far that the passage stands at one height in both, in sight."""
    page = opened()
    pair = page.locator(".pair").first
    pair.locator("summary").press("Enter")
    for fold in range(pair.locator(".fold").count()):  # as long as they get
        pair.locator(".fold").first.press("Enter")
        assert pair.locator(".run:focus").count() == 1, fold
    assert pair.locator(".fold").count() == 0
    pair.locator(".passages .badge").nth(1).press("Enter")
    left, right = heights(pair, 2)
    assert abs(left - right) <= 1
    assert 0 <= left < 500
    assert pair.locator(".run.chosen").count() == 2
    pair.locator(".side").nth(1).locator(".badge", has_text="1").click()
    left, right = heights(pair, 1)
    assert abs(left - right) <= 1
    assert pair.locator("[aria-current]").evaluate_all("all => all.map(one => one.dataset.to)") == ["1"] * 3


@pytest.mark.slow
def test_a_fold_opens_on_its_own_lines(opened):
    """The lines that come are those that were left out, with their numbers."""
    page = opened()
    pair = page.locator(".pair").first
    pair.locator("summary").click()
    pair.locator(".fold").first.click()
    run = pair.locator(".run").first
    lines = [text.strip() for text in run.locator("code").inner_text().splitlines()]
    assert lines == [f"ann_{at} = np.sum(values[{at}], axis=0)" for at in range(1, 37)]
    assert run.locator(".count").inner_text().split() == [str(at) for at in range(1, 37)]


@pytest.mark.slow
def test_finding_by_name(opened):
    """Accents and case do not matter; the count says how many, and nothing found is said."""
    page = opened()
    page.keyboard.press("/")
    page.keyboard.type("ZOE")
    assert page.locator(".pair:visible h3").all_inner_texts() == ["bob and zo\u00eb"]
    assert page.locator("#count").inner_text() == "1 of 2 shown"
    page.get_by_role("searchbox").fill("nobody")
    assert page.get_by_text("No pair has such a name.").is_visible()
    page.get_by_role("button", name="Reset").click()
    assert page.locator(".pair:visible").count() == 2


@pytest.mark.slow
def test_a_line_of_the_graph_opens_its_pair(opened):
    """It opens the pair even where the filter hid it, puts the focus there, and is in the address."""
    page = opened()
    page.get_by_role("searchbox").fill("ann")
    page.locator(".circle a").nth(1).dispatch_event("click", {"bubbles": True, "cancelable": True})
    second = page.locator(".pair").nth(1)
    assert second.get_attribute("open") is not None
    assert second.is_visible()
    assert second.locator("summary").evaluate("one => one === document.activeElement")
    again = opened(fragment="#" + page.url.partition("#")[2])
    assert again.locator(".pair[open] h3").all_inner_texts() == ["bob and zo\u00eb"]


@pytest.mark.slow
def test_without_its_script_both_sides_can_be_read(opened):
    """Pairs open, passages lead to the other side, folds to the whole program, and no dead control is seen."""
    page = opened(script=False)
    assert page.locator("button:visible, input:visible").count() == 0
    pair = page.locator(".pair").first
    pair.locator("summary").click()
    assert pair.get_by_text("ann_40 = ").is_visible()
    assert pair.get_by_text("bob_160 = ").is_visible()
    pair.locator(".side").first.locator(".badge").first.click()
    assert page.url.endswith("#s1-1b")
    pair.locator(".fold").first.click()
    assert page.locator(".program[open]").get_by_text("ann_5 = ").is_visible()


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), each_in_one_scheme(1280, 760, 390))
def test_it_fits_and_follows_the_scheme(opened, width, scheme):
    """Nothing sticks out with a pair open, on a phone the sides stand one above the other, and dark is dark."""
    page = opened(width=width, scheme=scheme)
    page.locator(".pair summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    first, second = (page.locator(".pair").first.locator(".side").nth(at).bounding_box() for at in (0, 1))
    assert (first["y"] == second["y"]) == (width == 1280)
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == {"light": "rgb(246, 246, 244)", "dark": "rgb(20, 23, 26)"}[scheme]
    shared = page.evaluate("getComputedStyle(document.querySelector('.run[data-passage]')).backgroundColor")
    assert shared == {"light": "rgb(223, 235, 248)", "dark": "rgb(29, 49, 69)"}[scheme]


@pytest.mark.slow
def test_an_attack_runs_nothing(opened):
    """A student's source neither runs nor becomes an element, folded or unfolded."""
    attack = (
        "</code></pre></script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">\n"
    )
    pair = Pair(attack, "bob", 0.9, (passage((40, 41), (40, 41)),))
    page = opened(compared(pair, programs=[program(attack, attack * 60), program("bob", attack * 60)]))
    page.locator(".pair summary").click()
    page.locator(".pair .fold").first.click()
    assert page.title() == "Similar submissions"
    assert page.evaluate("document.querySelectorAll('script').length") == 1
    assert page.locator("img").count() == 0


@pytest.mark.slow
def test_two_hundred_pairs(opened, record_property):
    """A page of 200 pairs of 150 lines opens, filters and levels; how long that takes is noted, not judged."""
    pairs = [
        Pair(f"a{at:03}", f"b{at:03}", 0.5, tuple(passage((low, low + 5), (low + 2, low + 7)) for low in range(5, 140, 15)))
        for at in range(200)
    ]  # fmt: skip
    programs = [program(name, numbered(name, 150)) for pair in pairs for name in (pair.first, pair.second)]
    began = time.perf_counter()
    made = compared(*pairs, programs=programs)
    size = len(to_similar(made))
    record_property("written", [time.perf_counter() - began, size])
    page = opened(made)
    loaded = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    record_property("loaded_milliseconds", loaded)
    print(f"{size / 1e6:.1f} MB, loaded {loaded:.0f} ms")  # noqa: T201 -- for whoever asks with -s
    page.get_by_role("searchbox").fill("a199")
    assert page.locator(".pair:visible").count() == 1
