"""The class page in a real browser, opened as a file: sorted, filtered, walked by keyboard, and with its script off."""

import time
from dataclasses import replace

import pytest

from chromium import each_in_one_scheme
from grader.reports.class_page import to_index
from reports.factory import mistake, report, ruling, sheet, student
from reports.written import to_html

# What writes the page is traced by test_index.py; here a browser is waited for.
pytestmark = [pytest.mark.browser, pytest.mark.untraced]

HALF = mistake("half", "The gradient is half of it.", grad_W1=10.0)
AXIS = mistake("axis", "The wrong axis.", predict=10.0)


@pytest.fixture
def opened(visited):
    """Return a function that opens a sheet's page; only files are asked for, and nothing complains."""

    def open_sheet(made, width=1200, scheme="light", fragment="", *, script=True):
        return visited(to_index(made), "index.html", width=width, scheme=scheme, fragment=fragment, script=script)

    return open_sheet


def klass():
    """Return a class of ten: scores 100, 95, 70, 70, 60, 45, 30 and three that do not count."""
    people = {
        "zoe": student("Zoë Ångström", login="zang", email="zoe@example.edu", section="Mon"),
        "bob": student("Bob Ito", login="bito", section="Tue"),
        "ann": student("Ann Berg", login="aber", section="Mon"),
    }
    return sheet(
        report("zoe"),
        report("bob", {"predict": 5.0}),
        report("ann", {"grad_W1": 10.0, "loss": 0.0}, diagnoses=[HALF]),
        report("cid", {"loss": 10.0, "scores": 0.0}, late_days=3.0, penalty=0.0),
        report("dan", {"loss": 0.0, "scores": 10.0, "predict": 0.0}, diagnoses=[AXIS]),
        report("eve", {"loss": 0.0, "scores": 0.0, "predict": 0.0, "train_digits": 15.0}, diagnoses=[AXIS, HALF]),
        report("fay", {"loss": 0.0, "scores": 0.0, "grad_W1": 0.0, "grad_hidden": 0.0}, adjusted={"predict": 0.0},
               rulings=[ruling("points", 10.0, "predict")]),
        report("gus", {"loss": 0.0, "grad_W1": 10.0}, diagnoses=[HALF], excused=True),
        report("hal", status="failed_to_load", notes=["Line 3 does not parse."]),
        report("ivy", status="no_submission", notes=["No notebook."]),
        students=people,
        missing=[student("Jo Absent")],
    )  # fmt: skip


def shown(page):
    """Return the names of the rows that are shown, from the top."""
    return page.locator("#rows tr:visible th a").all_inner_texts()


def head(page, name):
    """Return the column head's button of that name."""
    return page.locator("table.roll thead").get_by_role("button", name=name, exact=True)


@pytest.mark.slow
def test_sorting_by_points(opened):
    """Up, then down; what has no points stands last either way, and the head says how it is sorted."""
    page = opened(klass())
    head(page, "Points").click()
    assert shown(page) == ["fay", "eve", "dan", "ann", "cid", "gus", "bob", "zoe", "hal", "ivy"]
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    head(page, "Points").click()
    assert shown(page) == ["zoe", "bob", "ann", "cid", "gus", "dan", "eve", "fay", "hal", "ivy"]
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    assert page.locator("th[aria-sort]").inner_text().strip() == "Points"


@pytest.mark.slow
def test_sorting_by_names_and_other_columns(opened):
    """Each column sorts by what stands in it: names as people order them, numbers as numbers."""
    page = opened(klass())
    head(page, "Submission").click()
    assert shown(page) == sorted(shown(page))
    head(page, "Student").click()
    assert shown(page)[:3] == ["ann", "bob", "zoe"]
    head(page, "Late").click()
    assert shown(page)[0] == "cid"
    head(page, "Adjusted").click()
    assert shown(page)[0] == "fay"
    head(page, "Status").click()
    assert shown(page)[:3] == ["hal", "gus", "ann"]
    assert page.locator("th[aria-sort]").count() == 1


@pytest.mark.slow
def test_finding_by_words(opened):
    """All words have to be there, in any column, without regard to case and accents; what is not shown counts too."""
    page = opened(klass())
    find = page.get_by_role("searchbox")
    for text, names in (
        ("ANGSTROM", ["zoe"]),
        ("mon berg", ["ann"]),
        ("wrong axis", ["dan", "eve"]),
        ("zoe@example", ["zoe"]),  # the address is not in the table; the login is
        ("parse", ["hal"]),
        ("mon nobody", []),
    ):
        find.fill(text)
        assert shown(page) == names
        assert page.locator("#count").inner_text() == f"{len(names)} of 10 shown"
    assert page.get_by_text("No submission matches all filters.").is_visible()
    assert page.locator("#count").get_attribute("role") == "status"
    page.get_by_role("button", name="Reset").click()
    assert len(shown(page)) == 10
    assert page.locator("#count").inner_text() == "10 shown"
    assert find.input_value() == ""


@pytest.mark.slow
def test_filtering_by_choice(opened):
    """Status, section, check, mistake and points narrow the table, together if need be."""
    page = opened(klass())
    page.get_by_label("Status").select_option("excused")
    assert shown(page) == ["gus"]
    page.get_by_label("Status").select_option("")
    page.get_by_role("combobox", name="Section").select_option("Mon")
    assert shown(page) == ["ann", "zoe"]
    page.get_by_role("combobox", name="Section").select_option("")
    page.get_by_role("combobox", name="Did not pass").select_option("predict")
    assert shown(page) == ["bob", "dan", "eve"]
    page.get_by_label("Made the mistake").select_option("half")
    assert shown(page) == ["eve"]
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("spinbutton", name="at least").fill("70")
    assert shown(page) == ["ann", "bob", "cid", "zoe"]
    page.get_by_role("spinbutton", name="below").fill("95")
    assert shown(page) == ["ann", "cid"]


@pytest.mark.slow
def test_a_bar_shows_who_is_in_it(opened):
    """Each bar, clicked, shows just as many rows as it says; clicked again it lets go."""
    page = opened(klass())
    bars = page.locator("a.bar")
    counts = [int(text) for text in bars.locator(".count").all_text_contents()]
    assert sum(counts) == 7
    for at, count in enumerate(counts):
        bars.nth(at).click()
        assert len(shown(page)) == count
        assert bars.nth(at).get_attribute("aria-current") == "true"
        assert page.locator("[aria-current]").count() == 1
    assert page.locator("#submissions").evaluate("one => one === document.activeElement")
    bars.nth(len(counts) - 1).click()
    assert len(shown(page)) == 10


@pytest.mark.slow
def test_the_histogram_can_be_read_without_seeing_it(opened):
    """It has a name and a description, each bar is a link that says what it holds, and a table says the same."""
    page = opened(klass())
    picture = page.get_by_role("group", name="Distribution of scores")
    assert picture.count() == 1
    assert picture.get_by_role("link", name="70 to below 80 points: 2 submissions").count() == 1
    page.get_by_text("The same as a table").click()
    assert page.get_by_role("row", name="70 to below 80 2").is_visible()


@pytest.mark.slow
def test_what_is_chosen_is_in_the_address(opened):
    """A bookmark restores what was chosen, back and forward undo and redo it, and what is typed is one step."""
    page = opened(klass())
    page.get_by_label("Made the mistake").select_option("half")
    page.get_by_role("searchbox").press_sequentially("mon")
    head(page, "Points").click()
    assert page.url.endswith("#q=mon&mistake=half&sort=score")
    address = page.url
    page.go_back()
    assert page.locator("th[aria-sort]").count() == 0
    assert shown(page) == ["ann"]
    page.go_back()
    assert page.get_by_role("searchbox").input_value() == ""
    assert shown(page) == ["ann", "eve", "gus"]
    page.go_back()
    assert len(shown(page)) == 10
    page.go_forward()
    assert shown(page) == ["ann", "eve", "gus"]
    again = opened(klass(), fragment="#" + address.partition("#")[2])
    assert shown(again) == ["ann"]
    assert again.get_by_label("Made the mistake").input_value() == "half"
    assert again.locator("th[aria-sort]").inner_text().strip() == "Points"


@pytest.mark.slow
def test_a_bookmark_of_another_class_breaks_nothing(opened):
    """What this class does not have is not asked for, and what is no number is no limit."""
    page = opened(klass(), fragment="#mistake=gone&check=%3Cscript%3E&status=odd&from=abc&sort=nothing&down=1&x=y")
    assert len(shown(page)) == 10
    assert page.get_by_label("Status").input_value() == ""
    assert page.locator("th[aria-sort]").count() == 0


@pytest.mark.slow
def test_a_mistake_opens_and_leads_to_the_table(opened):
    """Its line opens on who made it; its button shows them in the table; a check's button does the same."""
    page = opened(klass())
    page.get_by_role("heading", name="The gradient is half of it.").click()
    one = page.locator("details", has_text="The gradient is half of it.")
    assert one.get_by_role("link").all_inner_texts() == ["Ann Berg", "eve", "gus"]
    assert one.get_by_text("excused: does not count").is_visible()
    one.get_by_role("button").click()
    assert shown(page) == ["ann", "eve", "gus"]
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("button", name="3 did not pass Predictions").click()
    assert shown(page) == ["bob", "dan", "eve"]


@pytest.mark.slow
def test_a_report_opens_and_back_returns_to_what_was_chosen(opened, tmp_path):
    """A link opens the report's own page on disk, also with characters of an address in its name."""
    made = sheet(report("a b#c%20?", {"loss": 5.0}), report("other"))
    folder = tmp_path / "submissions" / "a b#c%20?"
    folder.mkdir(parents=True)
    (folder / "report.html").write_text(to_html(made.standings[0].report), encoding="utf-8")
    page = opened(made)
    page.get_by_role("searchbox").fill("loss")
    page.locator("#rows").get_by_role("link", name="a b#c%20?").click()
    assert page.locator("h1").inner_text() == "a b#c%20?"
    page.go_back()
    assert page.get_by_role("searchbox").input_value() == "loss"
    assert shown(page) == ["a b#c%20?"]


@pytest.mark.slow
def test_the_keyboard_goes_everywhere(opened):
    """Slash finds, Tab passes through every control and out at the end, Enter sorts and opens, and focus is seen."""
    page = opened(klass())
    page.keyboard.press("/")
    page.keyboard.type("a/b")
    assert page.get_by_role("searchbox").input_value() == "a/b"
    page.get_by_role("button", name="Reset").press("Enter")
    head(page, "Points").focus()
    page.keyboard.press("Enter")
    assert shown(page)[0] == "fay"
    page.keyboard.press("Space")
    assert shown(page)[0] == "zoe"
    page.locator("a.bar").first.focus()
    page.keyboard.press("Enter")
    assert shown(page) == ["fay"]
    page.locator("summary", has_text="The wrong axis.").press("Enter")
    assert page.locator("details", has_text="The wrong axis.").get_by_role("link").first.is_visible()
    page.get_by_role("button", name="Reset").press("Enter")
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    total = page.evaluate(
        "[...document.querySelectorAll('a[href], button, input, select, summary')]"
        ".filter((one) => one.checkVisibility()).length"
    )
    seen = set()
    page.locator("a.skip").focus()
    for _ in range(total):
        seen.add(
            page.evaluate("""() => {
                const here = document.activeElement, hit = here.querySelector('.hit') ?? here;
                const outline = getComputedStyle(here).outlineStyle, stroke = getComputedStyle(hit).stroke;
                if (outline === 'none' && stroke === 'none') return 'unseen: ' + here.outerHTML;
                return [...document.querySelectorAll('*')].indexOf(here);
            }""")
        )
        page.keyboard.press("Tab")
    assert [one for one in seen if isinstance(one, str)] == []
    assert len(seen) == total
    assert page.evaluate("document.activeElement.matches('body, a.skip')")


@pytest.mark.slow
def test_the_page_jumps_without_forgetting(opened):
    """The links between sections move the focus and leave what was chosen alone."""
    page = opened(klass(), fragment="#q=mon")
    page.get_by_role("navigation").get_by_role("link", name="Mistakes").click()
    assert page.locator("#mistakes").evaluate("one => one === document.activeElement")
    assert page.url.endswith("#q=mon")
    assert shown(page) == ["ann", "zoe"]


@pytest.mark.parametrize(("width", "scheme"), each_in_one_scheme(1300, 1130, 760, 340))
def test_it_fits_and_follows_the_scheme(opened, width, scheme):
    """Nothing sticks out, on a phone neither, and dark is dark."""
    page = opened(klass(), width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("""[...document.querySelectorAll('.card')].every((card) => {
        const right = card.getBoundingClientRect().right;
        return [...card.querySelectorAll('*')].every(
            (one) => one.closest('svg, .unseen') || one.getBoundingClientRect().right <= right
        );
    })""")
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == {"light": "rgb(246, 246, 244)", "dark": "rgb(20, 23, 26)"}[scheme]
    bar = page.evaluate("getComputedStyle(document.querySelector('.column')).fill")
    assert bar == {"light": "rgb(45, 95, 147)", "dark": "rgb(140, 188, 240)"}[scheme]


@pytest.mark.slow
def test_on_a_phone_it_sorts_as_well(opened):
    """Where rows are cards, the heads stay as buttons and each value is named."""
    page = opened(klass(), 380)
    head(page, "Points").click()
    assert shown(page)[0] == "fay"
    named = page.evaluate("getComputedStyle(document.querySelector('#rows td[data-label=Status]'), '::before').content")
    assert named.startswith('"Status"') or "attr(data-label)" in named


@pytest.mark.slow
def test_without_its_script_everything_can_be_read(opened):
    """All rows, sections and links are there, and no control that would do nothing."""
    page = opened(klass(), script=False)
    assert page.locator("#rows tr:visible").count() == 10
    assert page.locator("#rows tr:visible", has=page.locator("a:visible")).count() == 10
    assert page.locator("button:visible, input:visible, select:visible, a.bar[href]").count() == 0
    page.get_by_role("heading", name="The wrong axis.").click()
    assert page.locator("details", has_text="The wrong axis.").get_by_role("link").first.is_visible()


@pytest.mark.slow
def test_paper_gets_everything(opened):
    """Printed, closed mistakes are open, controls are gone, and a dark page is light."""
    page = opened(klass(), scheme="dark")
    page.emulate_media(media="print")
    assert page.locator("details", has_text="The wrong axis.").get_by_role("link").first.is_visible()
    assert not page.get_by_role("searchbox").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF-")


@pytest.mark.slow
def test_an_attack_runs_nothing(opened):
    """A student's script neither runs nor becomes an element, in no place where a name may stand."""
    attack = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    diagnosis = mistake("bad", attack, loss=5.0)
    person = student(attack, login=attack, section=attack, email=attack)
    made = sheet(
        report(attack, {"loss": 15.0}, diagnoses=[diagnosis]),
        report("failed", status="failed_to_load", notes=[attack]),
        students={attack: person},
        missing=[replace(person, name=f"{attack}2")],
    )
    page = opened(made)
    page.get_by_role("searchbox").fill("onerror")
    assert page.title() == "Two-layer net: 2 submissions"
    assert page.evaluate("document.querySelectorAll('script').length") == 1
    assert page.locator("img").count() == 0
    assert len(shown(page)) == 2


@pytest.mark.slow
def test_two_thousand_rows(opened, record_property):
    """A large course is sorted and filtered to the right rows; how long that takes is noted, not judged."""
    made = sheet(
        *(
            report(
                f"s{at:04}",
                {"loss": float(at * 7 % 21), "scores": float(at % 20)},
                diagnoses=[HALF] if at % 3 else [AXIS],
            )
            for at in range(2_000)
        )
    )
    began = time.perf_counter()
    to_index(made)
    record_property("written_seconds", time.perf_counter() - began)
    page = opened(made)
    assert page.locator("#count").inner_text() == "2000 shown"
    timed = """(act) => {
        const began = performance.now();
        if (act === 'filter') {
            const find = document.getElementById('find');
            find.value = 's19 axis';
            find.dispatchEvent(new Event('input'));
        } else document.querySelector('th[data-key=score] button').click();
        const ran = performance.now();
        document.body.getBoundingClientRect();
        return [ran - began, performance.now() - began];
    }"""
    for act in ("filter", "sort"):
        script, drawn = page.evaluate(timed, act)
        record_property(f"{act}_milliseconds", [script, drawn])
        print(f"{act}: script {script:.0f} ms, laid out {drawn:.0f} ms")  # noqa: T201 -- for whoever asks with -s
    expected = sorted(
        (
            one.report
            for one in made.standings
            if one.report.submission.startswith("s19") and one.report.diagnoses[0] is AXIS
        ),
        key=lambda one: one.score,
    )
    assert shown(page) == [one.submission for one in expected]
    assert len(expected) == 33
