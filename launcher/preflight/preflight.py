"""Before anything is staged on Vertex AI: all that is missing, in one list, each with the command that mends it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gemini_sft.catalog import catalog
from gemini_sft.cost import Quote
from gemini_sft.errors import BudgetError, GeminiSftError, RunError, UserError
from gemini_sft.experiment import Experiment
from gemini_sft.experiment.schema import is_tuned, listed
from gemini_sft.refusals import no_credentials
from gemini_sft.rest import default_credentials
from gemini_sft.retraining.purpose import Purpose
from gemini_sft.tuning import find_base, refusals, retired
from gemini_sft.tuning.states import goes_on
from gemini_sft.vertex import listed as resources
from launcher.image import objection
from launcher.preflight.access import check_account, check_bucket, check_project
from launcher.preflight.findings import Findings
from launcher.preflight.permissions import SOMEBODY
from launcher.preflight.project import Unchecked, disabled_apis, most_tuning_jobs
from launcher.target import Target, all_regions, nearest

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

Quoting = Callable[[Target], tuple[Quote, BudgetError | None]]


def preflight(
    experiment: Experiment, target: Target, image: str, quoting: Quoting | None, purpose: str = Purpose.RUN
) -> Findings:
    """Looks whether Vertex AI can and may run an experiment; changes nothing and costs nothing.

    Args:
        experiment: With its texts in place.
        target: Where it is to run.
        image: What the components are compiled to run in.
        quoting: Quotes the run at a place; None if its data are read only by the pipeline.
        purpose: A `Purpose`: that nothing can be tuned stops only a run that is there to tune.
    """
    found, tunes = Findings(), purpose != Purpose.RECHECK
    _check_image(image, target, found)
    usable = _check_region(experiment, target, found) if tunes else target
    credentials = _credentials(found)
    if credentials is None:
        return found
    member = _member(credentials)
    _check_apis(experiment, usable, found)
    check_project(usable, member, found)
    check_bucket(usable, member, found)
    check_account(usable, member, found)
    _check_model(experiment, usable, quoting, purpose, found)
    if tunes:
        _check_queue(experiment, usable, found)
    return found


def _check_image(image: str, target: Target, found: Findings) -> None:
    """Takes up an image that Vertex AI could not pull, or that could be another one tomorrow."""
    if why := objection(image):
        address = f"{target.location}-docker.pkg.dev/{target.project}/gemini-sft/gemini-sft-python"
        found.missing("image", why, f"make image IMAGE={address}")


def _check_region(experiment: Experiment, target: Target, found: Findings) -> Target:
    """Returns the target in a region in which the model can be tuned: the rest of the list is about that one."""
    if is_tuned(experiment.base_model) or experiment.base_model in catalog().retired:
        return target
    regions = catalog().models[experiment.base_model].tuning_regions
    if target.location in regions:
        return target
    better = nearest(target.location, regions)
    found.missing(
        "region",
        f"{experiment.base_model} cannot be tuned in {target.location}: give --location {better} (it can be in"
        f" {' and '.join(regions)}; all else here is said of {better})",
    )
    return replace(target, location=better)


def _credentials(found: Findings) -> "Credentials | None":
    """Returns credentials that have brought a token; None, and what to do, without."""
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request

    try:
        credentials = default_credentials()
        credentials.refresh(Request())
    except UserError as error:
        found.missing("credentials", str(error))
    except GoogleAuthError as error:
        found.missing("credentials", no_credentials("Vertex AI", error))
    else:
        return credentials
    found.remarks.append("APIs, permissions, bucket, quota and cost could not be checked without credentials")
    return None


def _member(credentials: "Credentials") -> str:
    """Returns whose credentials these are, as an IAM policy names somebody; of a person they do not tell."""
    address = str(getattr(credentials, "service_account_email", ""))
    return f"serviceAccount:{address}" if "@" in address else SOMEBODY


def _check_apis(experiment: Experiment, target: Target, found: Findings) -> None:
    data, webhook = experiment.data, experiment.notification.webhook or ""
    sources = [uri for given in (data.train, data.validation, data.test) for uri in listed(given)]
    apis = ["aiplatform", "storage", "artifactregistry", "logging"]
    apis += ["secretmanager"] if webhook.startswith("projects/") else []
    apis += ["bigquery"] if any(uri.startswith("bq://") for uri in sources) else []
    try:
        disabled = disabled_apis(target.project, [f"{one}.googleapis.com" for one in apis])
    except Unchecked as why:
        found.unchecked("which APIs are enabled", why, why.remedy)
        return
    if disabled:
        command = f"gcloud services enable {' '.join(disabled)} --project={target.project}"
        found.missing("APIs", f"{', '.join(disabled)} not enabled", command)


def _check_model(
    experiment: Experiment, target: Target, quoting: Quoting | None, purpose: str, found: Findings
) -> None:
    """Looks what the model allows and, if it allows the run, what that costs."""
    blocked = bool(found.problems)
    try:
        base = find_base(target.project, target.location, experiment)
        today = datetime.now(UTC).date()
        gone = retired(experiment, base, today) if purpose == Purpose.RETRAIN else ""
        asked = refusals(experiment, base, target.location, today) if purpose != Purpose.RECHECK else []
        refused = [one for one in asked if one != gone]
        for one in refused:
            found.missing(experiment.name, one)
        if refused or quoting is None:
            return
        found.quote, error = quoting(target)
        if error:
            found.missing("budget", str(error))
    except GeminiSftError as error:
        # What is missing already may be the only reason.
        if isinstance(error, RunError) or blocked:
            found.unchecked("model and cost", error)
        else:
            found.missing(experiment.name, str(error))


def _check_queue(experiment: Experiment, target: Target, found: Findings) -> None:
    """Says if the run's tuning job would only wait for others: Vertex AI counts those of all regions together."""
    wanted = experiment.sweep.concurrent_jobs if experiment.sweep else 1
    try:
        most = most_tuning_jobs(target.project)
        if most is None:
            return
        place = f"projects/{target.project}/locations"
        jobs = [job for one in all_regions() for job in resources(f"{place}/{one}/tuningJobs", one, "tuningJobs")]
    except Unchecked as why:
        found.unchecked("how many tuning jobs may run", why, why.remedy)
        return
    except GeminiSftError as error:
        found.unchecked("how many tuning jobs are running", error)
        return
    running = sum(goes_on(str(job.get("state"))) for job in jobs)
    if running + wanted > most:
        found.remarks.append(
            f"{most} tuning jobs may run at once in {target.project}, {running} are under way, and the run asks for"
            f" {wanted} more: some will wait; ask for a higher quota at"
            f" https://console.cloud.google.com/iam-admin/quotas?project={target.project}"
        )
