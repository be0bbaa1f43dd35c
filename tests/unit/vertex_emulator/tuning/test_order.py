from itertools import pairwise

import pytest

from vertex_emulator.tuning.order import Order, Source, checkpoint_epochs


@pytest.mark.parametrize(
    ("epochs", "last_only", "exported"),
    [
        (1, False, [1]),
        (3, False, [1, 2, 3]),
        (10, False, list(range(1, 11))),
        (20, False, list(range(2, 21, 2))),
        (100, False, list(range(10, 101, 10))),
        (7, True, [7]),
    ],
)
def test_checkpoints(epochs: int, last_only: bool, exported: list[int]) -> None:
    assert checkpoint_epochs(epochs, last_only) == exported


@pytest.mark.parametrize("epochs", range(11, 101))
def test_up_to_ten_evenly_spaced_checkpoints_that_end_with_the_last(epochs: int) -> None:
    exported = checkpoint_epochs(epochs, False)
    gaps = {later - earlier for earlier, later in pairwise(exported)}
    assert len(exported) == 10 and exported[-1] == epochs and max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize("validation", [None, Source("gs://b/v", "/v")])
def test_an_order_survives_its_json(validation: Source | None) -> None:
    order = Order(Source("gs://b/t", "/t"), validation, 131072, None, 1.5, 4, None, "/f", True)
    line = order.to_json()
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert Order.from_json(line) == order
    assert str(order.checkpoint_path("2")) == "/f/checkpoint-2.npz"
