"""Action, workflows and template: what their schemas say, what they may, and each shell step as a runner runs it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
GITHUB = ROOT / ".github"
ACTION = GITHUB / "actions" / "grade" / "action.yml"
EXAMPLES = GITHUB / "examples"
WORKFLOWS = [*sorted((GITHUB / "workflows").glob("*.yml")), EXAMPLES / "submissions.yml", EXAMPLES / "student.yml"]
CHECKER = "check-jsonschema==0.39.0"
WRONG = ROOT / "tests" / "submissions" / "wrong_half_the_gradient.py"


def steps(path):
    """Return all steps of an action or a workflow."""
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    return read["runs"]["steps"] if "runs" in read else [step for job in read["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", [ACTION, *WORKFLOWS], ids=lambda path: path.name)
def test_actions_are_pinned_and_no_input_is_shell(path):
    """Others' actions by 40 digits with the version beside them; no expression stands in a script."""
    for step in steps(path):
        if "uses" in step and not step["uses"].startswith("./"):
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"])
        assert "${{" not in step.get("run", "")
    text = path.read_text(encoding="utf-8")
    assert len(re.findall(r"uses: actions/.*@[0-9a-f]{40} # v\d+\.\d+\.\d+\n", text)) == text.count("uses: actions/")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_read_and_nothing_else(path):
    """A fork's pull request runs without secrets; only the submissions' job gets the seed, in one step that is ours."""
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert read["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in read["jobs"].values())
    assert "pull_request_target" not in read[True]  # YAML 1.1 reads `on` as true
    secret = [step for step in steps(path) if "secrets." in str(step)]
    assert [step["uses"] for step in secret] == ["./.grader/.github/actions/grade"] * (path.name == "submissions.yml")
    if path.parent == EXAMPLES:
        checkouts = [step for step in steps(path) if "checkout" in step.get("uses", "")]
        assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_nothing_secret_is_uploaded():
    """Neither the gradebook nor the seed nor what the instructor alone may know is in an artefact."""
    (upload,) = [step for step in steps(EXAMPLES / "submissions.yml") if "upload" in step.get("uses", "")]
    gitlab = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text(encoding="utf-8"))["grade"]["artifacts"]["paths"]
    paths = [*upload["with"]["path"].split("\n")[:-1], *gitlab]
    # The class page names what hidden checks found, too.
    assert [re.sub(r"^(graded|\$\{\{ .* \}\})/", "", path) for path in paths] == ["submissions/*/report.html"] * 2


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    """Return a virtual environment with the checker of schemas."""
    folder = tmp_path_factory.mktemp("tools")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin" / "pip", "install", "-q", CHECKER], check=True, capture_output=True)
    return folder / "bin"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("github-actions", [ACTION]),
        ("github-workflows", WORKFLOWS),
        ("gitlab-ci", [EXAMPLES / "gitlab-ci.yml"]),
    ],
)
def test_schemas_allow_them(tools, tmp_path, schema, paths):
    """And refuse the same file with a key that nobody knows."""
    command = [tools / "check-jsonschema", "--builtin-schema", f"vendor.{schema}"]
    subprocess.run([*command, *paths], check=True)
    wrong = tmp_path / "wrong.yml"
    text = paths[0].read_text(encoding="utf-8")
    wrong.write_text(re.sub(r"^(runs|jobs|  script):", r"\1x:", text, flags=re.MULTILINE), encoding="utf-8")
    assert subprocess.run([*command, wrong], check=False, capture_output=True).returncode == 1


def run_step(step, folder, inputs, status=0, **more):
    """Run a shell step in a clean environment, as GitHub's runner does; return its outputs, summary and log."""
    values = {f"inputs.{name}": value for name, value in inputs.items()} | {"github.action_path": str(ACTION.parent)}
    values |= {"vars.GRADER_WHEEL": str(ROOT)}
    given = {
        name: re.sub(r"\$\{\{ (.+?) \}\}", lambda found: values[found[1]], text)
        for name, text in step.get("env", {}).items()
    }
    files = {name: folder / f"{step.get('id', 'step')}-{name}" for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.write_text("", encoding="utf-8")
    (folder / "temp").mkdir(exist_ok=True)
    python = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    clean = {"PATH": python, "HOME": str(folder), "CI": "true", "GITHUB_ACTIONS": "true", "LANG": "C.UTF-8"}
    clean |= {"RUNNER_TEMP": str(folder / "temp"), "GITHUB_WORKSPACE": str(folder / "work")}
    clean |= {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.endswith("_proxy")}
    script = folder / "script.sh"
    script.write_text(step["run"], encoding="utf-8")
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
    env = clean | {name: str(file) for name, file in files.items()} | given | more
    done = subprocess.run(
        shell, cwd=folder / "work", env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == status, done.stdout
    return files["GITHUB_OUTPUT"].read_text("utf-8"), files["GITHUB_STEP_SUMMARY"].read_text("utf-8"), done.stdout


@pytest.mark.slow
@pytest.mark.untraced
def test_the_action_grades_twice_alike(tmp_path):
    """Each shell step in a clean environment: install, grade, grade anew, reports; without a seed and a network, too."""
    (tmp_path / "work" / "submissions").mkdir(parents=True)
    (tmp_path / "work" / "submissions" / "ann.py").write_bytes(WRONG.read_bytes())
    (tmp_path / "work" / "pip.py").write_text("raise SystemExit('a student was run as pip')\n", encoding="utf-8")
    read = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    inputs = {name: one.get("default", "") for name, one in read["inputs"].items()}
    inputs |= {"path": "submissions", "seed": "4711", "fail-under": "60"}
    install, grade, reports = (step for step in steps(ACTION) if "run" in step)
    _, _, log = run_step(install, tmp_path, inputs, 1, PIP_INDEX_URL="http://127.0.0.1:9/", PIP_RETRIES="0")
    assert "::error title=No grade%3A the infrastructure failed::The grader could not be installed" in log
    run_step(install, tmp_path, inputs)
    told = []
    for _ in range(2):
        outputs, summary, log = run_step(grade, tmp_path, inputs)
        told.append((outputs, summary, [line for line in log.splitlines() if line.startswith("::error file=")]))
        (tmp_path / "temp" / "graded").rename(tmp_path / f"graded-{len(told)}")
    assert told[0] == told[1]
    assert told[0][0] == "score=86\nmax=100\npassed=true\nresult=graded\n"
    assert told[0][2][0].startswith("::error file=submissions/ann.py,line=")
    outputs, _, _ = run_step(grade, tmp_path, inputs | {"seed": ""}, 2)
    assert outputs == "score=\nmax=\npassed=\nresult=infrastructure\n"
    run_step(grade, tmp_path, inputs | {"fail-under": "90"}, 3)
    assert run_step(reports, tmp_path, inputs)[0] == f"reports={tmp_path}/temp/graded\n"
    outputs, _, log = run_step(reports, tmp_path, inputs, MOST_MEGABYTES="0")
    assert (outputs, "::warning title=Reports are not uploaded::" in log) == ("", True)


@pytest.mark.slow
@pytest.mark.untraced
def test_a_student_s_workflow_checks_twice_alike(tmp_path):
    """The wheel's public questions: exit 1 while something is wrong; what is printed stands between a stop and its token."""
    (tmp_path / "work").mkdir()
    install, check = (step for step in steps(EXAMPLES / "student.yml") if "run" in step)
    notebook = ROOT / "assignment" / "two_layer_net.ipynb"
    (tmp_path / "work" / notebook.name).write_bytes(notebook.read_bytes())
    run_step(install, tmp_path, {})
    logs = [run_step(check, tmp_path, {}, 1)[2] for _ in range(2)]
    token = re.match(r"::stop-commands::([0-9a-f]{32})\n", logs[0])[1]
    assert logs[0].endswith(f"\n::{token}::\n")
    assert token not in logs[1]
    assert len(re.sub(r"\d+(\.\d+)? s\b", "", logs[0])) > 200


@pytest.mark.slow
@pytest.mark.untraced
def test_the_template_of_gitlab_grades_twice_alike(tmp_path):
    """Its script in a clean environment, from a clone: JUnit and code quality are the same bytes but for times."""
    job = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text(encoding="utf-8"))["grade"]
    work = tmp_path / "work"
    (work / "submissions").mkdir(parents=True)
    (work / "submissions" / "ann.py").write_bytes(WRONG.read_bytes())
    script = "\n".join(job["script"]).replace("/tmp/", f"{tmp_path}/")  # noqa: S108 -- in a container
    # A clone has what is committed; the files as they are here are what is to be tested.
    script = re.sub(r"git clone.*\ngit -C.*", f'ln -s "$GRADER_URL" {tmp_path}/grader', script)
    step, told = {"run": script}, []
    values = {"CI_PROJECT_DIR": str(work), "OUT": str(work / "graded"), "GRADER_URL": str(ROOT), "GITLAB_CI": "true"}
    for _ in range(2):
        run_step(step, tmp_path, {}, GRADER_SEED="4711", **values)
        reports = [(work / job["artifacts"]["reports"][name]).read_text("utf-8") for name in ("junit", "codequality")]
        told.append([re.sub(r' time="[\d.]+"', "", text) for text in reports])
    assert told[0] == told[1]
    _, _, log = run_step(step, tmp_path, {}, 2, **values)
    assert "GRADER_SEED is empty" in log
