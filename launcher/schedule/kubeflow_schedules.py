"""Schedules of Kubeflow Pipelines, which calls them recurring runs."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from gemini_sft.errors import UserError
from launcher.kubeflow import connect, kubeflow_errors, portable, silent
from launcher.place import Kubeflow
from launcher.schedule.cron import cron_of
from launcher.schedule.schedules import LastRun, Order, Schedule
from launcher.target import Target

_PAGE = 100
_STATES = {"ENABLED": "ACTIVE", "DISABLED": "PAUSED"}


class KubeflowSchedules:
    """The recurring runs of a namespace."""

    def __init__(self, kubeflow: Kubeflow, target: Target, service_account: str | None) -> None:
        """Asks whether Kubeflow is there.

        Args:
            kubeflow: Where it is.
            target: Where models and files are.
            service_account: Kubernetes' service account to run as; None for the namespace's own.
        """
        self._kubeflow = kubeflow
        self._target = target
        self._service_account = service_account
        self._client = connect(kubeflow)

    def all(self, name: str | None = None) -> list[Schedule]:
        """See `Schedules`."""
        wanted = {"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]} if name else None
        namespace = self._kubeflow.namespace or self._client.get_user_namespace() or None
        found: list[Schedule] = []
        with kubeflow_errors("list the recurring runs"), silent():
            for one in _pages(
                lambda token: self._client.list_recurring_runs(
                    page_token=token,
                    page_size=_PAGE,
                    namespace=namespace,
                    filter=json.dumps(wanted) if wanted else None,
                )
            ):
                view = self._view(one)
                found += [view] if view.experiment_uri else []
        return sorted(found, key=lambda one: (one.name, one.id))

    def create(self, order: Order) -> Schedule:
        """See `Schedules`."""
        assert order.cron is not None
        if order.max_runs:
            raise UserError("--max-runs: Kubeflow does not count runs; give --until, or leave it out")
        with kubeflow_errors("make the recurring run"), silent():
            group = self._client.create_experiment(order.name, namespace=self._kubeflow.namespace)
            made = self._client.create_recurring_run(
                experiment_id=group.experiment_id,
                job_name=order.name,
                # Kubeflow keeps no time zone: here it is for whoever reads.
                description=str(order.cron),
                start_time=_rfc3339(order.start),
                end_time=_rfc3339(order.end),
                # Its cron begins with the seconds: of five fields it would take the minute for them.
                cron_expression=f"0 {order.cron.fields}",
                max_concurrency=1,
                no_catchup=True,
                params=dict(order.parameters),
                pipeline_package_path=str(portable(order.template)),
                pipeline_root=self._target.pipeline_root,
                service_account=self._service_account,
            )
            return self._view(made)

    def update(self, schedule: Schedule, order: Order) -> Schedule:
        """See `Schedules`; Kubeflow cannot."""
        raise UserError(
            "Kubeflow cannot change a recurring run: delete it with `gemini-sft schedule delete`, and create it again"
        )

    def pause(self, schedule: Schedule) -> Schedule:
        """See `Schedules`."""
        with kubeflow_errors("disable the recurring run"), silent():
            self._client.disable_recurring_run(schedule.id)
            return self._view(self._client.get_recurring_run(schedule.id))

    def resume(self, schedule: Schedule) -> Schedule:
        """See `Schedules`."""
        with kubeflow_errors("enable the recurring run"), silent():
            self._client.enable_recurring_run(schedule.id)
            return self._view(self._client.get_recurring_run(schedule.id))

    def delete(self, schedule: Schedule) -> None:
        """See `Schedules`."""
        with kubeflow_errors("delete the recurring run"), silent():
            self._client.delete_recurring_run(schedule.id)

    def _view(self, one: Any) -> Schedule:
        config = one.runtime_config
        uri = str(config.parameters.get("experiment_uri", "")) if config and config.parameters else ""
        cron = one.trigger.cron_schedule if one.trigger else None
        fields = cron.cron.partition(" ")[2] if cron else ""
        noted = cron_of(one.description or "")
        timing = str(noted) if noted and noted.fields == fields else fields
        read, now = cron_of(timing), datetime.now(UTC)
        end = cron.end_time if cron else None
        state = "COMPLETED" if end and end <= now else _STATES.get(one.status, "ACTIVE")
        first = max(cron.start_time or now, now) if cron else now
        due = next(read.due(first), None) if read and state == "ACTIVE" else None
        spec = one.pipeline_spec or {}
        return Schedule(
            name=one.display_name,
            id=one.recurring_run_id,
            state=state,
            timing=timing,
            next_run=due if due and not (end and due > end) else None,
            start=cron.start_time if cron else None,
            end=end,
            max_runs=None,
            runs=None,
            paused=None,
            resumed=None,
            last=self._last(one) if uri else None,
            experiment_uri=uri,
            pipeline=spec.get("pipelineInfo", {}).get("name", ""),
            pipeline_root=(config.pipeline_root or "") if config else "",
            service_account=one.service_account or "",
            labels={},
        )

    def _last(self, one: Any) -> LastRun | None:
        """Returns the run that was started last, if it is among the latest hundred of its experiment."""
        answer = self._client.list_runs(experiment_id=one.experiment_id, sort_by="created_at desc", page_size=_PAGE)
        for run in answer.runs or ():
            if run.recurring_run_id == one.recurring_run_id:
                return LastRun(run.display_name, run.state or "PENDING", run.created_at)
        return None


def _pages(ask: Callable[[str], Any]) -> Iterator[Any]:
    token = ""
    while True:
        answer = ask(token)
        yield from answer.recurring_runs or ()
        token = answer.next_page_token
        if not token:
            return


def _rfc3339(time: datetime | None) -> str | None:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if time else None
