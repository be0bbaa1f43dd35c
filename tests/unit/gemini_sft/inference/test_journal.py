"""What a journal keeps, and what it makes of damage."""

import asyncio
import tempfile
from pathlib import Path

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft import storage
from gemini_sft.errors import ServiceError
from gemini_sft.inference import Journal, Outcome, Prediction, journal
from gemini_sft.inference.journal import Keeper, sweep
from gemini_sft.inference.prediction import Reply

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def reply(text: str = "a", name: str = "e0") -> Reply:
    return Reply(prediction=Prediction(example_id=name, outcome=Outcome.ANSWERED, text=text), seconds=0.5, requests=2)


def blocked() -> Reply:
    return Reply(prediction=Prediction(example_id="e1", outcome=Outcome.BLOCKED, finish_reason="SAFETY"))


def keep(folder: Path, replies: dict[str, Reply]) -> Journal:
    """Keeps replies all at once, as workers do."""
    kept = Journal(str(folder), "run")

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
        assert Journal(folder, "run").read(replies) == replies


def test_what_comes_together_is_one_file(tmp_path: Path) -> None:
    keep(tmp_path, {f"k{number}": reply() for number in range(50)})
    assert len(list((tmp_path / "run").iterdir())) <= 2, "the first, and all that came while it was written"


@given(
    answers=st.lists(st.text("abc0123", min_size=20), min_size=1, max_size=5),
    place=st.integers(0, 999),
    way=st.sampled_from(["cut off", "another byte", "something else between"]),
    other=st.sampled_from(b'a0"{ \n\xff'),
)
def test_damage_costs_the_records_that_it_hits_and_makes_no_wrong_ones(
    answers: list[str], place: int, way: str, other: int
) -> None:
    replies = {f"k{number}": reply(text) for number, text in enumerate(answers)}
    with tempfile.TemporaryDirectory() as folder:
        Journal(folder, "run").append(replies)
        (path,) = (Path(folder) / "run").iterdir()
        whole = path.read_bytes()
        at = place * len(whole) // 1000
        changed = {
            "cut off": whole[:at],
            "another byte": whole[:at] + bytes([other]) + whole[at + 1 :],
            "something else between": whole[:at] + b"\n{}\nfoo bar\n" + whole[at:],
        }[way]
        path.write_bytes(changed)
        found = Journal(folder, "run").read(replies)
        assert found.items() <= replies.items()
        untouched = whole[:at].count(b"\n") + (0 if way == "cut off" else whole[at:].count(b"\n") - 1)
        assert len(found) >= untouched - (way == "another byte" and whole[at] == ord("\n"))


@pytest.mark.parametrize("other", list(b"a7 {"))
def test_no_byte_of_a_record_can_change_unnoticed(tmp_path: Path, other: int) -> None:
    Journal(str(tmp_path), "run").append({"k": reply("the answer")})
    (path,) = (tmp_path / "run").iterdir()
    whole = path.read_bytes().rstrip()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([other]) + whole[at + 1 :])
        assert whole[at] == other or not Journal(str(tmp_path), "run").read(["k"])


def test_damage_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Journal(str(tmp_path), "run").append({"k": reply("a secret")})
    (path,) = (tmp_path / "run").iterdir()
    path.write_bytes(path.read_bytes()[:-20] + b"\nnot ours\n")
    assert Journal(str(tmp_path), "run").read(["k"]) == {}
    assert caplog.messages == [f"{tmp_path}: 2 records are damaged and are asked for again"]


def test_only_what_is_wanted_is_read(tmp_path: Path) -> None:
    Journal(str(tmp_path), "run").append({"mine": reply(), "another model's": reply()})
    assert Journal(str(tmp_path), "run").read(["mine", "other"]).keys() == {"mine"}


def test_old_answers_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Journal(str(tmp_path), "run").append({"k": reply()})
    monkeypatch.setattr(journal, "_KEPT_SECONDS", -5)
    assert Journal(str(tmp_path), "run").read(["k"]) == {}


def test_a_run_that_has_ended_takes_its_own_away(tmp_path: Path) -> None:
    for model in ("base", "tuned"):
        for run in ("ended", "other"):
            Journal(str(tmp_path / model), run).append({"k": reply()})
    (tmp_path / "base" / "ancient").mkdir()
    (tmp_path / "base" / "ancient" / "00000000000000000001-ab.jsonl").write_bytes(b"")
    sweep(str(tmp_path), "ended")
    left = [path.relative_to(tmp_path).parts[:2] for path in tmp_path.rglob("*.jsonl")]
    assert sorted(left) == [("base", "other"), ("tuned", "other")]


def test_what_another_run_has_left_is_taken_over_and_safe_from_its_end(tmp_path: Path) -> None:
    Journal(str(tmp_path), "killed").append({"k": reply(), "blocked": blocked()})
    assert Journal(str(tmp_path), "new").read(["k", "blocked"]).keys() == {"k"}, "a filter may have changed its mind"
    sweep(str(tmp_path), "killed")
    assert Journal(str(tmp_path), "new").read(["k", "blocked"]).keys() == {"k"}


def test_what_a_run_was_told_it_is_not_told_again(tmp_path: Path) -> None:
    Journal(str(tmp_path), "run").append({"blocked": blocked()})
    assert Journal(str(tmp_path), "run").read(["blocked"]).keys() == {"blocked"}


def test_a_file_that_vanishes_meanwhile_is_as_good_as_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Journal(str(tmp_path), "ending").append({"k": reply()})
    names = storage.list_files(str(tmp_path), deep=True)
    sweep(str(tmp_path), "ending")
    monkeypatch.setattr(storage, "list_files", lambda folder, deep: names)
    assert Journal(str(tmp_path), "run").read(["k"]) == {}


@pytest.mark.parametrize(
    "record", [b"[]", b'{"key": 1, "at": 1, "reply": {}}', b'{"key": "k", "at": "x", "reply": {}}']
)
def test_a_record_of_another_version_is_as_good_as_not_there(tmp_path: Path, record: bytes) -> None:
    line = xxhash.xxh3_64_hexdigest(record).encode() + b" " + record
    storage.write_bytes(str(tmp_path / "run" / "a.jsonl"), line)
    assert Journal(str(tmp_path), "run").read(["k"]) == {}


def test_a_write_that_fails_fails_for_all_that_were_in_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    async def several() -> list[object]:
        keeper = Keeper(Journal(str(tmp_path / "file"), "run"))
        return await asyncio.gather(*(keeper.keep(key, reply()) for key in "abcde"), return_exceptions=True)

    assert {type(one) for one in asyncio.run(several())} == {ServiceError}


def test_a_journal_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ServiceError, match="could not be written"):
        keep(tmp_path / "file", {"k": reply()})


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert storage.list_files(str(tmp_path / "none")) == [] and Journal(str(tmp_path / "none"), "run").read(["k"]) == {}
