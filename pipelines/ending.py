"""What is done when a run has ended, however it did."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from google_cloud_pipeline_components.v1.vertex_notification_email import VertexNotificationEmailOp
from kfp import dsl

from components.notify import notify


@contextmanager
def telling(project: str, location: str, experiment_uri: str) -> Iterator[None]:
    """Puts the tasks of its block before a task that tells the experiment's webhook how they ended."""
    told = notify(
        project=project, location=location, experiment_uri=experiment_uri, run_id=dsl.PIPELINE_JOB_NAME_PLACEHOLDER
    )
    told.set_display_name("notify").set_caching_options(enable_caching=False)
    with dsl.ExitHandler(told, name="run"):
        yield


def mailing(pipeline: Any, addresses: Sequence[str]) -> Any:
    """Returns the pipeline with an e-mail at its end, or as it is if there are no addresses.

    A pipeline has one exit task, so this one becomes a task of another with the same name. Google's op runs on Vertex
    AI only, and takes addresses that are compiled in.
    """
    if not addresses:
        return pipeline

    @dsl.pipeline(name=pipeline.name, description=pipeline.description)
    def mailed(project: str, location: str, experiment_uri: str) -> None:
        mail = VertexNotificationEmailOp(recipients=list(addresses))
        mail.set_display_name("send e-mail").set_caching_options(enable_caching=False)
        with dsl.ExitHandler(mail, name="run and notify"):
            whole = pipeline(project=project, location=location, experiment_uri=experiment_uri)
            whole.set_caching_options(enable_caching=False)

    return mailed
