"""What a journal keeps, and what it makes of damage."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft import storage
from gemini_sft.errors import ServiceError
from gemini_sft.inference import Journal, Outcome, Prediction, journal
from gemini_sft.inference.journal import Keeper
from gemini_sft.inference.prediction import Reply

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def reply(text: str = "a", name: str = "e0") -> Reply:
    return Reply(prediction=Prediction(example_id=name, outcome=Outcome.ANSWERED, text=text), seconds=0.5, requests=2)


def keep(folder: Path, replies: dict[str, Reply]) -> Journal:
    """Keeps replies all at once, as workers do."""
    kept = Journal(str(folder))

    async def all_of_them() -> None:
        keeper = Keeper(kept)
        await asyncio.gather(*(keeper.keep(key, one) for key, one in replies.items()))

    asyncio.run(all_of_them())
    return kept


@given(st.dictionaries(st.text("0123456789abcdef-", min_size=1, max_size=34), texts, max_size=20))
def test_what_is_kept_is_there_for_another(answers: dict[str, str]) -> None:
    replies = {key: reply(text) for key, text in answers.items()}
    with tempfile.TemporaryDirectory() as folder:
        keep(Path(folder), replies)
        assert Journal(folder).read(replies) == replies


def test_what_comes_together_is_one_file(tmp_path: Path) -> None:
    keep(tmp_path, {f"k{number}": reply() for number in range(50)})
    assert len(list(tmp_path.iterdir())) <= 2, "the first, and all that came while it was written"


@given(data=st.data(), answers=st.lists(st.text("abc0123", min_size=20), min_size=1, max_size=5))
def test_damage_costs_the_records_that_it_hits_and_makes_no_wrong_ones(data: st.DataObject, answers: list[str]) -> None:
    replies = {f"k{number}": reply(text) for number, text in enumerate(answers)}
    with tempfile.TemporaryDirectory() as folder:
        Journal(folder).append(replies)
        (path,) = Path(folder).iterdir()
        whole = path.read_bytes()
        at = data.draw(st.integers(0, len(whole) - 1))
        way = data.draw(st.sampled_from(["cut off", "another byte", "something else between"]))
        other = data.draw(st.sampled_from(b'a0"{ \n\xff').filter(lambda byte: byte != whole[at]))
        changed = {
            "cut off": whole[:at],
            "another byte": whole[:at] + bytes([other]) + whole[at + 1 :],
            "something else between": whole[:at] + b"\n{}\nfoo bar\n" + whole[at:],
        }[way]
        path.write_bytes(changed)
        found = Journal(folder).read(replies)
        assert found.items() <= replies.items()
        untouched = whole[:at].count(b"\n") + (0 if way == "cut off" else whole[at:].count(b"\n") - 1)
        assert len(found) >= untouched - (way == "another byte" and whole[at] == ord("\n"))


@pytest.mark.parametrize("other", list(b"a7 {"))
def test_no_byte_of_a_record_can_change_unnoticed(tmp_path: Path, other: int) -> None:
    Journal(str(tmp_path)).append({"k": reply("the answer")})
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes().rstrip()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([other]) + whole[at + 1 :])
        assert whole[at] == other or not Journal(str(tmp_path)).read(["k"])


def test_damage_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Journal(str(tmp_path)).append({"k": reply("a secret")})
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-20] + b"\nnot ours\n")
    assert Journal(str(tmp_path)).read(["k"]) == {}
    assert caplog.messages == [f"{tmp_path}: 2 records are damaged and are asked for again"]


def test_only_what_is_wanted_is_read(tmp_path: Path) -> None:
    Journal(str(tmp_path)).append({"mine": reply(), "another model's": reply()})
    assert Journal(str(tmp_path)).read(["mine", "other"]).keys() == {"mine"}


def test_old_answers_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Journal(str(tmp_path)).append({"k": reply()})
    monkeypatch.setattr(journal, "_KEPT_SECONDS", -5)
    assert Journal(str(tmp_path)).read(["k"]) == {}


def test_it_is_cleared_of_what_it_knows(tmp_path: Path) -> None:
    mine = keep(tmp_path, {"k": reply()})
    Journal(str(tmp_path)).append({"meanwhile": reply()})
    mine.clear()
    assert Journal(str(tmp_path)).read(["k", "meanwhile"]).keys() == {"meanwhile"}


def test_a_journal_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ServiceError, match="could not be written"):
        keep(tmp_path / "file", {"k": reply()})


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert storage.list_files(str(tmp_path / "none")) == [] and Journal(str(tmp_path / "none")).read(["k"]) == {}
