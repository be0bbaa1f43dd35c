import math

from kfp import dsl

from vertex_emulator.pipelines.values import described, whole


def test_whole_numbers_are_integers() -> None:
    value = whole({"a": [1.0, 2.5, True, "3.0", None], "b": math.inf})
    assert str(value) == "{'a': [1, 2.5, True, '3.0', None], 'b': 'inf'}"


def test_parameters_and_artifacts_are_told_apart() -> None:
    data = dsl.Dataset(uri="gs://b/x", metadata={"rows": 2.0})
    told = described({"n": 1.0, "items": [], "none": None, "data": data, "all": [data, data]})
    assert told["parameters"] == {"n": 1, "items": []}
    artifact = {
        "uri": "gs://b/x",
        "schemaTitle": "system.Dataset",
        "schemaVersion": "0.0.1",
        "metadata": {"rows": 2},
    }
    assert told["artifacts"] == {"data": [artifact], "all": [artifact, artifact]}
