"""Whether whoever starts a run may do what that takes, and whether its bucket is there and where it should be."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from gemini_sft.errors import GeminiSftError
from launcher.buckets import find_bucket, holds, is_taken, make_command
from launcher.preflight.findings import Findings
from launcher.preflight.permissions import MAKES_BUCKET, STARTS, Need, On
from launcher.preflight.project import AbsentAccount, Unchecked, lacking_on_account, lacking_on_project
from launcher.target import Target

if TYPE_CHECKING:
    from google.cloud.storage import Bucket

_LONGEST_BUCKET = 63


def check_project(target: Target, member: str, found: Findings) -> None:
    """Looks what the caller may do in the project.

    Args:
        target: Which project.
        member: The caller, as an IAM policy names somebody.
        found: Takes up what is missing.
    """
    needs = [need for need in STARTS if need.on is On.PROJECT]
    try:
        lacking = lacking_on_project(target.project, [one for need in needs for one in need.permissions])
    except Unchecked as why:
        found.unchecked("what you may do in the project", why, why.remedy)
        return
    for need in needs:
        _require(need, lacking, _grant(need, target, member), target.project, found)


def check_account(target: Target, member: str, found: Findings) -> None:
    """Looks whether the caller may have a pipeline run as the service account; arguments as of `check_project`."""
    account = target.service_account
    if account is None:
        found.remarks.append(
            "the pipeline will run as the project's default Compute Engine account, which may do more than it should,"
            " or nothing at all: make one for it (docs/vertex.md) and give --service-account"
        )
        return
    for need in STARTS:
        if need.on is not On.ACCOUNT:
            continue
        try:
            lacking = lacking_on_account(target.project, account, need.permissions)
        except AbsentAccount:
            name, _, domain = account.partition("@")
            command = f"gcloud iam service-accounts create {name} --project={domain.partition('.')[0]}"
            found.missing("service account", f"there is no {account}", command)
        except Unchecked as why:
            found.unchecked(f"whether you may use {account}", why, why.remedy)
        else:
            _require(need, lacking, _grant(need, target, member), account, found)


def check_bucket(target: Target, member: str, found: Findings) -> None:
    """Looks whether the bucket is there, or may be made, and in the right place; arguments as of `check_project`."""
    where = f"gs://{target.bucket}"
    try:
        bucket = find_bucket(target)
        if bucket is None:
            _check_making(target, where, found)
            return
        for need in STARTS:
            if need.on is On.BUCKET:
                allowed = bucket.test_iam_permissions(list(need.permissions))
                lacking = [one for one in need.permissions if one not in allowed]
                _require(need, lacking, _grant(need, target, member), where, found)
    except Unchecked as why:
        found.unchecked(where, why, why.remedy)
    except GeminiSftError as error:
        found.unchecked(where, error)
    else:
        _check_place(bucket, target, where, found)


def _check_making(target: Target, where: str, found: Findings) -> None:
    if is_taken(target):
        other = _other(target)
        what = f"is another project's: give --bucket {other}, and make it"
        found.missing(where, what, make_command(target, other))
    elif lacking_on_project(target.project, MAKES_BUCKET.permissions):
        found.missing(where, "there is no such bucket, and you may not make it: ask somebody to", make_command(target))


def _check_place(bucket: "Bucket", target: Target, where: str, found: Findings) -> None:
    if not holds(bucket, target.location):
        other = _other(target)
        what = f"is in {bucket.location.lower()}, and the run in {target.location}: give --bucket {other}, and make it"
        found.missing(where, what, make_command(target, other))
    config = bucket.iam_configuration
    if not config.uniform_bucket_level_access_enabled or config.public_access_prevention != "enforced":
        options = "--uniform-bucket-level-access --public-access-prevention"
        found.remarks.append(
            f"{where} may be opened to the public, object by object or as a whole: close it with"
            f" `gcloud storage buckets update {where} {options}`"
        )


def _other(target: Target) -> str:
    """Returns the name of a bucket beside the one that cannot be used."""
    end = f"-{target.location}"
    return f"{target.project}-gemini-sft"[: _LONGEST_BUCKET - len(end)] + end


def _require(need: Need, lacking: Collection[str], command: str, where: str, found: Findings) -> None:
    if missing := [one for one in need.permissions if one in lacking]:
        found.missing("permissions", f"you lack {', '.join(missing)} on {where}, to {need.why}", command)


def _grant(need: Need, target: Target, member: str) -> str:
    """Returns the command with which an owner gives somebody a role."""
    on = {
        On.PROJECT: f"gcloud projects add-iam-policy-binding {target.project} --condition=None",
        On.BUCKET: f"gcloud storage buckets add-iam-policy-binding gs://{target.bucket}",
        On.ACCOUNT: f"gcloud iam service-accounts add-iam-policy-binding {target.service_account}",
    }[need.on]
    return f"{on} --member={member} --role={need.role}"
