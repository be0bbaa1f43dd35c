"""What makes a task another one than before: the packages of the Python that it runs in."""

import venv
from pathlib import Path

from kfp.pipeline_spec import pipeline_spec_pb2

from vertex_emulator.pipelines.caching import Executions

JOB = "projects/1/locations/us-central1/pipelineJobs/a"


def test_a_package_of_the_python_that_stands_for_the_image_counts(tmp_path: Path) -> None:
    venv.create(tmp_path / "image", with_pip=False, symlinks=True)
    python = str(tmp_path / "image" / "bin" / "python")
    packages = next((tmp_path / "image" / "lib").glob("*/site-packages"))

    def key(python: str | None) -> str:
        executions = Executions(tmp_path / "executions", JOB, "a-pipeline", python)
        spec = pipeline_spec_pb2
        return executions.key(spec.ComponentSpec(), spec.PipelineDeploymentConfig.ExecutorSpec(), {"port": 1})

    before = key(python)
    assert key(python) == before != key(None) == key(None)
    (packages / "ours-2.dist-info").mkdir()
    assert key(python) != before
