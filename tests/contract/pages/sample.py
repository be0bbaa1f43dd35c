"""Two real runs to look at, full of texts that would rather be markup."""

# KFP's decorators have no types, and its pipelines no annotation for what they return.
# mypy: disable-error-code="untyped-decorator,no-untyped-def,type-arg,valid-type,no-any-return"

import time
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import yaml
from kfp import compiler, dsl

from tests.contract.conftest import Server
from vertex_emulator.environment import LOCATION, PROJECT
from vertex_emulator.names import project_number

BUCKET = "shown-bucket"
PARENT = f"projects/{project_number(PROJECT)}/locations/{LOCATION}"
SCHEDULE = f"{PARENT}/schedules/7"
HOSTILE = '</pre><script>window.__hacked = true</script><img src=x onerror="window.__hacked = true">\'\u202e'
BROWSER = {"Accept": "text/html"}

component = partial(dsl.component, install_kfp_package=False, base_image="an-image:1")


@component()
def make(
    text: str,
    score: float,
    rows: dsl.Output[dsl.Dataset],
    folder: dsl.Output[dsl.Dataset],
    note: dsl.Output[dsl.Artifact],
    measured: dsl.Output[dsl.Metrics],
    classes: dsl.Output[dsl.ClassificationMetrics],
    page: dsl.Output[dsl.HTML],
    summary: dsl.Output[dsl.Markdown],
) -> list:
    import json
    from pathlib import Path

    print(f"made from {text}")
    with Path(rows.path).open("w") as file:
        for number in range(20_000):
            file.write(json.dumps({"number": number, "text": text}) + "\n")
    Path(folder.path).mkdir()
    (Path(folder.path) / "part-1.json").write_text('{"deep": {"er": 1}}')
    Path(note.path).write_text(text)
    measured.log_metric("score", score)
    measured.log_metric("count", 3)
    classes.log_confusion_matrix(["right", text], [[8, 2], [0, 5]])
    classes.log_roc_curve([0.0, 0.2, 1.0], [0.0, 0.9, 1.0], [1.0, 0.5, 0.0])
    probe = """<h1>Its own page</h1><p id="ran">no</p><p id="api">unknown</p><p id="storage">unknown</p><script>
        document.getElementById("ran").textContent = "yes";
        fetch("/storage/v1/b?project=x").then(() => "reached", () => "refused")
            .then((said) => { document.getElementById("api").textContent = said; });
        try { document.getElementById("storage").textContent = parent.document.title; }
        catch (error) { document.getElementById("storage").textContent = "refused"; }
        </script>"""
    Path(page.path).write_text(probe)
    Path(summary.path).write_text(
        f"# Found\n\n{text}\n\n[a](javascript:alert(1)) ![i](https://example.com/x.png)\n\n|x|y|\n|-|-|\n|1|2|\n"
    )
    return [1, 2]


@component()
def train(number: int, breaks: bool) -> int:
    print("training <b>hard</b>")
    if breaks and number == 2:
        raise ValueError("cannot learn </pre><script>window.__hacked = true</script>")
    return number


@component()
def promote(numbers: list) -> int:
    return len(numbers)


@component()
def notify(status: dsl.PipelineTaskFinalStatus) -> None:
    print(status.state)


@dsl.pipeline(name="showing")
def showing(text: str, score: float = 0.5, breaks: bool = False):
    told = notify()
    with dsl.ExitHandler(told, name="all of it"):
        made = make(text=text, score=score).set_display_name("make everything")
        with dsl.ParallelFor(made.outputs["Output"], name="each") as number:
            trained = train(number=number, breaks=breaks)
        numbers = promote(numbers=dsl.Collected(trained.output))
        with dsl.If(numbers.output == 99, name="if so many"):
            promote(numbers=[1]).set_display_name("never")


def schedule(name: str, **fields: Any) -> dict[str, Any]:
    """Returns a schedule as the emulator keeps it."""
    base = {"name": name, "cron": "TZ=Europe/Berlin 0 6 * * 1", "state": "ACTIVE", "startedRunCount": "3"}
    return {**base, "nextRunTime": "2030-01-07T05:00:00Z", **fields}


def fill(server: Server, folder: Path) -> None:
    """Runs the pipeline twice, well as `good` and badly as `broken`, and adds schedules, one of which started `good`.

    Raises:
        AssertionError: A run did not end in time, or not as it should.
    """
    path = folder / "showing.yaml"
    compiler.Compiler().compile(showing, str(path))
    spec = yaml.safe_load(path.read_text())
    server.http.post(f"/storage/v1/b?project={PROJECT}", json={"name": BUCKET}).raise_for_status()
    for job_id, score, breaks in (("good", 0.5, False), ("broken", 0.75, True)):
        values = {"text": HOSTILE, "score": score, "breaks": breaks}
        body = {
            "displayName": f"{job_id} {HOSTILE}",
            "labels": {"kind": job_id},
            "pipelineSpec": spec,
            "runtimeConfig": {"gcsOutputDirectory": f"gs://{BUCKET}/root", "parameterValues": values},
        }
        answer = server.http.post(f"/v1/{PARENT}/pipelineJobs?pipelineJobId={job_id}", json=body)
        assert answer.status_code == 200, answer.text
    for job_id, state in (("good", "PIPELINE_STATE_SUCCEEDED"), ("broken", "PIPELINE_STATE_FAILED")):
        assert _ended(server, job_id)["state"] == state
    server.inside(_schedule)


def _schedule(database: Any) -> None:
    database.put("schedules", PARENT, schedule(SCHEDULE, displayName=f"weekly {HOSTILE}"))
    database.put("schedules", PARENT, schedule(f"{PARENT}/schedules/8", displayName="resting", state="PAUSED"))
    job = database.get(f"{PARENT}/pipelineJobs/good")
    database.put("pipelineJobs", PARENT, {**job, "scheduleName": SCHEDULE})


def _ended(server: Server, job_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        job: dict[str, Any] = server.http.get(f"/v1/{PARENT}/pipelineJobs/{job_id}").json()
        if "endTime" in job:
            return job
        time.sleep(0.1)
    raise AssertionError(f"still {job['state']}")


def address(job_id: str) -> str:
    """Returns where a run's page is."""
    return "/runs/" + PARENT.removeprefix("projects/").replace("locations/", "") + f"/{job_id}"


def look(server: Server, path: str, **headers: str) -> httpx.Response:
    """Asks for a page as a browser does."""
    return server.http.get(path, headers=BROWSER | {name.replace("_", "-"): value for name, value in headers.items()})
