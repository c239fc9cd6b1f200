"""The page in a real browser: it opens without an error, asks for nothing, follows the scheme, and prints in full."""

from dataclasses import replace

import pytest

from chromium import each_in_one_scheme
from grader.model import Place
from reports.written import to_html

# What writes the page is traced by test_report_page.py; here a browser is waited for.
pytestmark = [pytest.mark.browser, pytest.mark.untraced]


@pytest.fixture
def opened(visited):
    """Return a function that opens a report; nothing but it is asked for, and nothing complains."""

    def open_report(report, width=1000, scheme="light"):
        return visited(to_html(report), "report.html", width=width, scheme=scheme)

    return open_report


@pytest.mark.parametrize(("width", "scheme"), each_in_one_scheme(1000, 380))
def test_it_opens_in_peace_and_fits(opened, sample, width, scheme):
    """No error, no request beyond the file, the style is in force, nothing sticks out, on a phone neither."""
    page = opened(sample, width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("getComputedStyle(document.querySelector('.card')).borderTopWidth") == "1px"
    assert (
        page.evaluate("getComputedStyle(document.body).backgroundColor")
        == {
            "light": "rgb(246, 246, 244)",
            "dark": "rgb(20, 23, 26)",
        }[scheme]
    )


@pytest.mark.slow
def test_dark_is_dark(opened, sample):
    """The two schemes are two pictures."""
    assert opened(sample, scheme="light").screenshot() != opened(sample, scheme="dark").screenshot()


@pytest.mark.slow
def test_passed_checks_open_on_a_click_and_with_the_keyboard(opened, sample):
    """What is closed can be opened without a script, by mouse and by key."""
    page = opened(sample)
    text = page.get_by_text("Relative difference 3.1e-16")
    assert not text.is_visible()
    page.get_by_role("heading", name="The loss is softmax cross-entropy").click()
    assert text.is_visible()
    page.locator("details", has=text).locator("summary").press("Enter")
    assert not text.is_visible()


@pytest.mark.slow
def test_paper_gets_everything(opened, sample):
    """On paper closed checks are open too, dark pages are light, and a PDF comes out."""
    page = opened(sample, scheme="dark")
    page.emulate_media(media="print")
    assert page.get_by_text("Relative difference 3.1e-16").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF-")


@pytest.mark.slow
def test_figures_are_named_pictures(opened, sample):
    """A screen reader gets each figure as a picture with its title and its description."""
    page = opened(sample)
    for name in ("W1 (64, 32) 832 of 2,048", "b1 (32,)", "Loss while training on the digits yours: from"):
        assert page.get_by_role("img", name=name).count() == 1


@pytest.mark.slow
def test_a_submission_that_was_not_graded_opens_too(opened, unloadable):
    """The banner's page is as sound as the other."""
    page = opened(unloadable, 380, "dark")
    assert page.get_by_role("heading", name="The submission could not be loaded").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 380


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), each_in_one_scheme(1000, 380))
def test_what_people_decided_fits_and_leads_to_its_check(opened, ruled, width, scheme):
    """Decisions fit on a phone too, their markup is text, and a click on one leads to the check."""
    page = opened(ruled, width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    whole = "[...document.querySelectorAll('.rulings p')].every(p => p.scrollWidth <= p.clientWidth)"
    assert page.evaluate(whole)  # a list cuts off what is too wide for it
    assert page.get_by_text("dh is masked <b>later</b>.").is_visible()
    page.get_by_role("link", name="grad_W1: 0 of 10 by the grader, now 10 of 10").click()
    assert page.evaluate("document.querySelector(':target h3').innerText").startswith("Gradient of W1")


@pytest.mark.slow
def test_an_attack_runs_nothing(opened, sample):
    """A student's script neither runs nor shows up as an element, and the policy would have stopped it anyway."""
    attack = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\">"
    page = opened(replace(sample, submission=attack, source=attack, notes=(attack,) * 3))
    assert page.title().endswith(": 59 of 100")
    assert page.evaluate("document.querySelectorAll('script, img').length") == 0
    assert "<script>" in page.locator("h1").inner_text()


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), each_in_one_scheme(1000, 390))
def test_the_table_of_steps_opens_and_fits(opened, sample, width, scheme):
    """Closed until it is asked for; nothing sticks out however long code and names are; the first wrong row is marked."""
    long = replace(sample.steps[0], place=Place("l" * 300, 9, "x" * 300), name="n" * 300, shape=(10**18,) * 64)
    page = opened(replace(sample, steps=(*sample.steps, long)), width, scheme)
    verdict = page.get_by_text("differs from the gradient before the ReLU")
    assert not verdict.is_visible()
    page.locator("#steps > summary").click()
    assert verdict.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = "[...document.querySelectorAll('.steps td:not(.code), .steps th')].filter(one => one.scrollWidth > one.clientWidth + 1)"
    assert page.evaluate(f"{boxes}.map(one => one.outerHTML)") == []
    page.get_by_role("link", name="dh in code cell 5, line 48").click()
    assert page.evaluate("document.querySelector(':target td.name').innerText") == "dh"
    grounds = [
        page.evaluate(f"getComputedStyle(document.querySelector('.steps .{one}')).backgroundColor")
        for one in ("differs", "given")
    ]
    assert grounds == [{"light": "rgb(253, 240, 238)", "dark": "rgb(44, 30, 29)"}[scheme], "rgba(0, 0, 0, 0)"]


@pytest.mark.slow
def test_the_table_of_steps_is_on_paper(opened, sample):
    """It is not folded there, it is a table on a sheet of A4 as well, and the code stands in full."""
    page = opened(sample, 680, "dark")
    page.emulate_media(media="print")
    assert page.get_by_text("differs from the gradient before the ReLU").is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.steps tbody tr')).display") == "table-row"
    assert page.evaluate(
        "[...document.querySelectorAll('.steps .code')].every(one => one.scrollWidth <= one.clientWidth)"
    )
