import pytest
from google.cloud.aiplatform_v1beta1 import types

from vertex_emulator.errors import ApiError
from vertex_emulator.filters import compile_filter
from vertex_emulator.names import project_number

FIELDS = {
    "name",
    "display_name",
    "labels",
    "metadata",
    "state",
    "create_time",
    "schema_title",
    "uri",
}
NAME = f"projects/{project_number('my-project')}/locations/us-central1/metadataStores/default/artifacts/one"
ARTIFACT = {
    "name": NAME,
    "displayName": 'say "a"',
    "labels": {"team": "red", "tune-type": "sft", "a key": "v"},
    "metadata": {"lr": 0.5, "steps": 3, "note:1": "x", "done": True},
    "state": "LIVE",
    "createTime": "2026-11-22T10:00:00.000000Z",
    "schemaTitle": "system.Artifact",
}


def matches(text: str) -> bool:
    return compile_filter(
        text,
        types.Artifact,
        FIELDS,
        derived={"artifact": lambda document: document["name"].rpartition("/")[2]},
        functions={"in_context": lambda document, context: context == "here"},
    )(ARTIFACT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        r'display_name="say \"a\""',
        r"displayName = 'say \"a\"'",
        'display_name != "b"',
        'display_name:"say*"',
        "uri=''",
        "state=LIVE",
        'state!="PENDING"',
        "labels.team=red",
        'labels.team="red"',
        "labels.tune-type:*",
        "labels:team",
        'labels."a key"=v',
        "labels.none!=red",
        "metadata.lr.number_value = 0.5",
        "metadata.steps.number_value>=3",
        'metadata."note:1".string_value="x"',
        "metadata.done.bool_value=true",
        'create_time>="2026-11-22T12:00:00+02:00"',
        'createTime < "2026-11-22T10:00:00.5Z"',
        'in_context("here")',
        "artifact=one",
        'name="projects/my-project/locations/us-central1/metadataStores/default/artifacts/one"',
        "NOT state=PENDING",
        "NOT (state=PENDING AND labels.team=red)",
        '(schema_title="system.Run" OR schema_title="system.Artifact") AND in_context("here")',
        "labels.team=red AND state=PENDING OR state=LIVE",
    ],
)
def test_holds(text: str) -> None:
    assert matches(text)


@pytest.mark.parametrize(
    "text",
    [
        'display_name="say"',
        'display_name:"a*"',
        "state=PENDING",
        "labels.team=blue",
        "labels.none:*",
        "labels:none",
        "labels.none=red",
        "metadata.steps.string_value!=3 AND metadata.steps.number_value!=3",
        "metadata.none.number_value=0",
        'create_time>"2026-11-22T10:00:00Z"',
        'in_context("there")',
        "uri:*",
        "NOT state=LIVE",
        # OR binds tighter than AND
        "state=LIVE OR state=PENDING AND labels.team=blue",
    ],
)
def test_does_not_hold(text: str) -> None:
    assert not matches(text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("nonsense", "expected operator"),
        ("state=", "expected word"),
        ("state=LIVE labels.team=red", "expected end"),
        ("state=LIVE and labels.team=red", "expected end"),
        ("(state=LIVE", "expected )"),
        ("state=LIVE)", "expected end"),
        ('display_name="open', "unexpected '\"'"),
        ('display_name="x"&filter=labels.team:*', "unexpected '&'"),
        ("state=LIVE AND", "expected word"),
        ("owner=me", "'owner' is not supported"),
        ("labels..team=red", "is not supported"),
        ("state=ALIVE", "expected one of"),
        ("state>LIVE", "'=' and '!=' only"),
        ("state:LIVE", "does not support ':'"),
        ('create_time>"yesterday"', "is no value"),
        ('create_time>"2026-11-22T10:00:00"', "with its zone"),
        ("labels.a.b=c", "labels.<key>"),
        ("labels=red", "labels.<key>"),
        ("metadata.lr=0.5", "number_value"),
        ("metadata.lr.number_value=half", "is no value"),
        ("display_name.x=1", "has no parts"),
        ("artifact.x=1", "has no parts"),
        ('within("here")', "no function"),
        ("in_context(here)", "expected string"),
        ("(" * 30 + "state=LIVE" + ")" * 30, "too deeply"),
    ],
)
def test_refuses(text: str, complaint: str) -> None:
    with pytest.raises(ApiError) as refusal:
        matches(text)
    assert refusal.value.code == 400
    assert complaint in refusal.value.message


def test_lists_and_defaults() -> None:
    parent = "projects/my-project/locations/l/metadataStores/default/contexts/e"
    held = {"parentContexts": [parent.replace("my-project", project_number("my-project"))]}
    of_parent = compile_filter(f'parent_contexts:"{parent}"', types.Context, {"parent_contexts"})
    assert of_parent(held)
    assert not of_parent({})
    default = compile_filter("is_default=true", types.Tensorboard, {"is_default"})
    assert default({"isDefault": True})
    assert not default({})
    with pytest.raises(ApiError, match="only ':'"):
        compile_filter('parent_contexts="x"', types.Context, {"parent_contexts"})
