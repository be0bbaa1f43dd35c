"""Makes `kfp.local` resolve the placeholders that it does not know: a job's resource name and its times."""

import json
from collections.abc import Mapping
from typing import Any

from kfp import dsl
from kfp.local import placeholder_utils


def install(order: Mapping[str, Any]) -> None:
    """Puts this into `kfp.local`, for good.

    Args:
        order: What the runner was told of the job. A job that no schedule has started has its creation as the time
            that it is scheduled for, as in Kubeflow Pipelines.
    """
    values = {
        dsl.PIPELINE_JOB_RESOURCE_NAME_PLACEHOLDER: order["jobName"],
        dsl.PIPELINE_JOB_CREATE_TIME_UTC_PLACEHOLDER: order["createTime"],
        dsl.PIPELINE_JOB_SCHEDULE_TIME_UTC_PLACEHOLDER: order["scheduleTime"],
    }
    resolve_inputs = placeholder_utils.resolve_self_references_in_executor_input
    resolve_element = placeholder_utils.resolve_individual_placeholder

    def resolve(text: str) -> str:
        for placeholder, value in values.items():
            text = text.replace(placeholder, value)
        return text

    def resolve_all_inputs(executor_input_dict: dict[str, Any], **known: Any) -> dict[str, Any]:
        # Before kfp resolves one input after the other, for one may stand in another.
        known_input = json.loads(resolve(json.dumps(executor_input_dict)))
        return dict(resolve_inputs(known_input, **known))

    def resolve_whole_element(element: str, **known: Any) -> str:
        return str(resolve_element(resolve(element), **known))

    placeholder_utils.resolve_self_references_in_executor_input = resolve_all_inputs
    placeholder_utils.resolve_individual_placeholder = resolve_whole_element
