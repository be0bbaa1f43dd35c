from typing import Any

import pytest
from google.cloud.storage import Bucket

from launcher.buckets import holds


@pytest.mark.parametrize(
    ("location", "dual", "region", "held"),
    [
        ("US-CENTRAL1", None, "us-central1", True),
        ("US-CENTRAL1", None, "europe-west4", False),
        ("US-EAST1", None, "us-central1", False),
        ("US", None, "us-central1", True),
        ("EU", None, "europe-west4", True),
        ("EU", None, "us-central1", False),
        ("ASIA", None, "us-central1", False),
        ("NAM4", None, "us-central1", True),
        ("EUR4", None, "europe-west4", True),
        ("NAM4", None, "europe-west4", False),
        ("US", ["US-EAST1", "US-CENTRAL1"], "us-central1", True),
        ("US", ["US-EAST1", "US-WEST1"], "us-central1", False),
    ],
)
def test_where_a_bucket_keeps_its_objects(location: str, dual: list[str] | None, region: str, held: bool) -> None:
    bucket: Any = Bucket(None, "b")
    bucket._properties = {"location": location} | ({"customPlacementConfig": {"dataLocations": dual}} if dual else {})
    assert holds(bucket, region) is held
