from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from google_cloud_pipeline_components._image import GCPC_IMAGE_TAG

import pipelines
from gemini_sft.experiment import Experiment
from launcher.compiling import NotPortable, compile_for, compile_pipelines
from launcher.portability import refusals

GOLDEN = Path(__file__).parents[2] / "golden"
IMAGE = "example.test/python:1"
MAIL = "vertex-pipelines-notification-email"


def one(text: str) -> str:
    return text


SUFFIX = "!"


def names_missing(text: str) -> str:
    return text + SUFFIX


def pipeline(build: Callable[..., Any]) -> Any:
    from kfp import dsl

    return dsl.pipeline(name="demo")(build)


def component(function: Callable[..., Any], image: str = IMAGE, **options: Any) -> Any:
    from kfp import dsl

    made = dsl.component(function, base_image=image, **({"install_kfp_package": False} | options))
    container = made.component_spec.implementation.container
    container.command = [part.replace("_KFP_RUNTIME=true", "exec env _KFP_RUNTIME=true") for part in container.command]
    return made


def not_pinned(text: str) -> None:
    component(one, "example.test/python:latest")(text=text)


def test_in_this_process_too_the_golden_copy_comes_out(tmp_path: Path) -> None:
    """The subprocess of `tests/unit/test_compile.py` has another hash seed and another folder."""
    written = compile_pipelines(tmp_path / "new" / "build")
    assert sorted(file.name for file in written) == sorted(file.name for file in GOLDEN.glob("*.yaml"))
    for file in written:
        assert file.read_bytes() == (GOLDEN / file.name).read_bytes()
    assert sorted((tmp_path / "new" / "build").iterdir()) == sorted(written)


@pytest.mark.parametrize("earlier", [None, "an earlier one"])
def test_what_vertex_would_refuse_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, earlier: str | None
) -> None:
    monkeypatch.setattr(pipelines, "PIPELINES", {"demo": pipeline(not_pinned)})
    if earlier:
        (tmp_path / "demo.yaml").write_text(earlier)
    with pytest.raises(NotPortable) as caught:
        compile_pipelines(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/demo.yaml would not run on Vertex AI:\n"
        "  exec-one: the image 'example.test/python:latest' is not pinned by a tag or digest"
    )
    assert [file.name for file in tmp_path.iterdir()] == (["demo.yaml"] if earlier else [])
    assert not earlier or (tmp_path / "demo.yaml").read_text() == earlier


def experiment(**sections: Any) -> Experiment:
    head = {"name": "demo", "task": "chat", "base_model": "gemini-2.5-flash", "data": {"train": "t.csv"}}
    return Experiment.model_validate(head | sections)


def loops(spec: dict[str, Any]) -> list[dict[str, Any]]:
    dags = [spec["root"], *spec["components"].values()]
    tasks = [task for dag in dags for task in dag.get("dag", {}).get("tasks", {}).values()]
    return [task for task in tasks if "parameterIterator" in task]


class TestForAnExperiment:
    def test_without_a_sweep_it_is_the_main_pipeline(self, tmp_path: Path) -> None:
        written = compile_for(experiment(), tmp_path / "compiled")
        assert written == tmp_path / "compiled" / "finetune.yaml"
        assert written.read_bytes() == (GOLDEN / "finetune.yaml").read_bytes()
        assert [*written.parent.iterdir()] == [written]

    @pytest.mark.parametrize("jobs", [1, 3])
    def test_with_one_it_is_the_sweep_with_so_many_jobs_at_once(self, tmp_path: Path, jobs: int) -> None:
        """Nothing else of the pipeline depends on the experiment."""
        sweep = {"grid": {"epochs": [1, 2, 3, 4]}, "concurrent_jobs": jobs}
        written = compile_for(experiment(sweep=sweep), tmp_path)
        assert written == tmp_path / "sweep.yaml" and [*tmp_path.iterdir()] == [written]
        made, golden = (yaml.safe_load(file.read_text("utf-8")) for file in (written, GOLDEN / "sweep.yaml"))
        (loop,) = loops(made)
        assert loop["iteratorPolicy"] == {"parallelismLimit": jobs}
        for task in loops(golden):
            task["iteratorPolicy"] = {"parallelismLimit": jobs}
        assert made == golden

    @pytest.mark.parametrize("sweep", [None, {"grid": {"epochs": [1, 2]}, "concurrent_jobs": 2}])
    def test_addresses_of_an_experiment_are_compiled_in(self, tmp_path: Path, sweep: dict[str, Any] | None) -> None:
        addresses = ["team@example.test", "me@example.test"]
        written = compile_for(experiment(sweep=sweep, notification={"email": addresses}), tmp_path)
        made = yaml.safe_load(written.read_text("utf-8"))
        mail, body = (made["root"]["dag"]["tasks"][name] for name in (MAIL, "exit-handler-1"))
        assert mail["inputs"]["parameters"] == {
            "recipients": {"runtimeValue": {"constant": addresses}},
            "pipeline_task_final_status": {"taskFinalStatus": {"producerTask": "exit-handler-1"}},
        }
        assert mail["triggerPolicy"] == {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
        assert made["deploymentSpec"]["executors"][f"exec-{MAIL}"]["container"]["image"] == GCPC_IMAGE_TAG
        (whole,) = made["components"][body["componentRef"]["name"]]["dag"]["tasks"].values()
        inner = made["components"][whole["componentRef"]["name"]]["dag"]["tasks"]
        golden = yaml.safe_load((GOLDEN / written.name).read_text("utf-8"))
        assert inner.keys() == golden["root"]["dag"]["tasks"].keys() == {"exit-handler-1", "notify"}
        assert made["pipelineInfo"] == golden["pipelineInfo"]
        ports, same = (one["root"]["inputDefinitions"]["parameters"].keys() for one in (made, golden))
        assert ports == same

    def test_one_without_addresses_holds_nothing_of_the_mail(self, tmp_path: Path) -> None:
        written = compile_for(experiment(notification={"webhook": "env:HOOK"}), tmp_path)
        assert written.read_bytes() == (GOLDEN / "finetune.yaml").read_bytes()

    def test_the_image_of_googles_mail_must_be_pinned_like_any_other(self, tmp_path: Path) -> None:
        written = compile_for(experiment(notification={"email": ["me@example.test"]}), tmp_path)
        text = written.read_text("utf-8")
        assert refusals(text) == []
        (found,) = refusals(text.replace(GCPC_IMAGE_TAG, GCPC_IMAGE_TAG.partition(":")[0] + ":latest"))
        assert found.startswith(f"exec-{MAIL}: the image ") and found.endswith(" is not pinned by a tag or digest")

    def test_one_that_vertex_would_refuse_is_not_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(pipelines.PIPELINES, "finetune", pipeline(not_pinned))
        with pytest.raises(NotPortable, match=r"finetune\.yaml would not run on Vertex AI:"):
            compile_for(experiment(), tmp_path)
        assert [*tmp_path.iterdir()] == []


class TestWhatTheCompilerLetsPass:
    """Real output of the compiler for sources that it takes without a word."""

    @pytest.fixture
    def refused(self, tmp_path: Path) -> Callable[[Callable[..., None]], list[str]]:
        def refuse(build: Callable[..., None], **options: Any) -> list[str]:
            from kfp import compiler

            compiler.Compiler().compile(pipeline(build), str(tmp_path / "x.yaml"), **options)
            return refusals((tmp_path / "x.yaml").read_text("utf-8"))

        return refuse

    def test_a_sound_pipeline(self, refused: Callable[..., list[str]]) -> None:
        def build(text: str) -> None:
            component(one)(text=component(one)(text=text).output)

        assert refused(build) == []

    def test_conditions_loops_and_exit_handlers_are_sound(self, refused: Callable[..., list[str]]) -> None:
        from kfp import dsl

        def build(text: str, numbers: list[int] = [1, 2]) -> None:  # noqa: B006
            with dsl.ExitHandler(component(one)(text="bye")):
                first = component(one)(text=text)
                with dsl.If(first.output == "yes"), dsl.ParallelFor(["a", "b"]) as item:
                    component(one)(text=item)

        assert refused(build) == []

    def test_a_loop_whose_item_nobody_uses_inside_an_exit_handler(self, refused: Callable[..., list[str]]) -> None:
        from kfp import dsl

        def build(texts: list[str]) -> None:
            with dsl.ExitHandler(component(one)(text="bye")), dsl.ParallelFor(texts):
                component(one)(text="same")

        (found,) = refused(build)
        assert "dangling componentInputParameter 'pipelinechannel--texts" in found

    def test_an_importer_of_a_composed_address(self, refused: Callable[..., list[str]]) -> None:
        from kfp import dsl

        def build(text: str) -> None:
            done = component(one)(text=text)
            dsl.importer(artifact_uri=f"gs://b/{done.output}", artifact_class=dsl.Model)

        (found,) = refused(build)
        assert found.endswith(": holds a placeholder that the compiler did not resolve")

    def test_a_name_from_around_the_component(self, refused: Callable[..., list[str]]) -> None:
        def build(text: str) -> None:
            component(names_missing)(text=text)

        assert refused(build) == ["exec-names-missing: its source uses 'SUFFIX', which it neither defines nor imports"]

    @pytest.mark.parametrize("options", [{"packages_to_install": ["numpy"]}, {"install_kfp_package": True}])
    def test_packages_installed_at_run_time(self, refused: Callable[..., list[str]], options: dict[str, Any]) -> None:
        def build(text: str) -> None:
            component(one, **options)(text=text)

        assert refused(build) == ["exec-one: installs packages when it starts; they belong in the image"]

    def test_an_image_given_as_a_parameter(self, refused: Callable[..., list[str]]) -> None:
        def build(text: str, image: str) -> None:
            component(one)(text=text).set_container_image(image)

        (found,) = refused(build)
        assert found.startswith("exec-one: the image ") and "{{" in found
        assert found.endswith(" is only known at run time")

    def test_settings_for_kubernetes(self, tmp_path: Path) -> None:
        from kfp import compiler, dsl

        def build(text: str) -> None:
            component(one)(text=text)

        config = dsl.PipelineConfig(active_deadline_seconds=3600)
        compiler.Compiler().compile(dsl.pipeline(name="demo", pipeline_config=config)(build), str(tmp_path / "x.yaml"))
        assert refusals((tmp_path / "x.yaml").read_text("utf-8")) == [
            "has 2 YAML documents: a second one holds Kubernetes settings, which Vertex AI refuses"
        ]
