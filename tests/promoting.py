"""A pipeline in the shape of those that promote and notify: an exit handler, and in it a loop and a branch."""

# KFP's decorators have no types, and its pipelines no annotation for what they return.
# mypy: disable-error-code="untyped-decorator,no-untyped-def,type-arg,valid-type"

from kfp import dsl

from components.image import component


@component
def plan(count: int) -> list:
    return [f"trial-{number}" for number in range(count)]


@component
def tune(trial: str, fate: str, model: dsl.Output[dsl.Model]) -> None:
    import time
    from pathlib import Path

    if fate == f"{trial} breaks":
        raise ValueError(f"{trial} cannot be tuned")
    Path(model.path).write_text(trial)
    if fate == f"{trial} sleeps":
        time.sleep(120)


@component
def compare(models: dsl.Input[list[dsl.Model]], verdict: str, report: dsl.Output[dsl.Artifact]) -> str:
    from pathlib import Path

    Path(report.path).write_text(" and ".join(Path(model.path).read_text() for model in models))
    return verdict


@component
def promote(report: dsl.Input[dsl.Artifact], alias: str, fate: str, receipt: dsl.Output[dsl.Artifact]) -> str:
    from pathlib import Path

    if fate == "promotion breaks":
        raise ValueError("no such alias")
    Path(receipt.path).write_text(f"{Path(report.path).read_text()} as {alias}")
    return alias


@component
def announce(alias: str) -> str:
    return f"{alias} is served"


@component
def notify(status: dsl.PipelineTaskFinalStatus, whom: str, fate: str, note: dsl.Output[dsl.Artifact]) -> str:
    from pathlib import Path

    if fate == "notification breaks":
        raise ValueError("nobody there")
    Path(note.path).write_text(whom)
    return (
        f"{status.pipeline_task_name} of {status.pipeline_job_resource_name} {status.state} {status.error_code}:"
        f" {status.error_message}"
    )


@dsl.pipeline(name="promoting")
def promoting(verdict: str = "promote", fate: str = "", alias: str = "champion"):
    told = notify(whom="the team", fate=fate).set_display_name("tell the team")
    with dsl.ExitHandler(told, name="whatever happens"):
        planned = plan(count=2)
        with dsl.ParallelFor(planned.output, name="each trial", parallelism=1) as trial:
            tuned = tune(trial=trial, fate=fate)
        compared = compare(models=dsl.Collected(tuned.outputs["model"]), verdict=verdict)
        with dsl.If(compared.outputs["Output"] == "promote", name="if it is better"):
            done = promote(report=compared.outputs["report"], alias=alias, fate=fate).set_display_name(
                "promote the model"
            )
            announce(alias=done.outputs["Output"])
