"""What a cleanup plans: for every state of the registry nothing that is in use, and of what is not, all."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.release.cleanup_estate import Endpoint, Estate, Job, Object, Run, Version
from gemini_sft.release.cleanup_items import Item, Kind
from gemini_sft.release.cleanup_plan import plan

NOW = datetime(2026, 11, 26, tzinfo=UTC)
MONTH = timedelta(days=30)
STAGING = "gs://b/staging/demo"
RUNS = [f"demo-{n}" for n in range(4)]
MODELS = ["models/1@1", "models/1@2", "models/2@1", "models/3@1"]
ENDPOINTS = [f"us/endpoints/{n}" for n in range(3)]
FILES = [f"{STAGING}/{n:016x}/train.jsonl" for n in range(3)]
AGES = st.sampled_from([timedelta(hours=1), timedelta(days=3), timedelta(days=10), timedelta(days=40)])


def rarely(one_in: int) -> st.SearchStrategy[bool]:
    """Most of what is drawn must be free to go, or nothing would be planned and nothing tested."""
    return st.integers(1, one_in).map(lambda number: number == one_in)


def some(values: Iterable[str]) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(sorted(values)))


def subset(values: Iterable[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(sorted(values)), unique=True)


def written(uri: str, age: timedelta) -> Object:
    return Object(uri, 100, NOW - age, 1)


@st.composite
def runs(draw: st.DrawFn) -> list[Run]:
    found = []
    for run_id in RUNS[: draw(st.integers(1, 4))]:
        age, adopts = draw(AGES), draw(rarely(20))
        judged = draw(st.booleans())
        found.append(
            Run(
                id=run_id,
                adopts=adopts,
                under_way=adopts or draw(rarely(8)),
                began=draw(st.none() | st.just(NOW - age)),
                ended=None if draw(rarely(8)) else NOW - age,
                verdict=draw(st.sampled_from(["reject", "reject", "promote", "inconclusive"])) if judged else "",
                model=draw(st.sampled_from(MODELS)) if judged else "",
                inputs=None if draw(rarely(10)) else draw(some(FILES)),
            )
        )
    return found


@st.composite
def estates(draw: st.DrawFn) -> Estate:
    serves = {name: draw(some(MODELS)) for name in draw(subset(ENDPOINTS))}
    aliases: dict[str, set[str]] = {name: set() for name in MODELS}
    for model in {name.partition("@")[0] for name in MODELS}:
        for alias in ("default", "champion", "previous"):
            if alias == "default" or draw(rarely(4)):
                version = draw(st.sampled_from([name for name in MODELS if name.startswith(f"{model}@")]))
                aliases[version].add(alias)
    known = draw(runs())
    ids = [run.id for run in known]
    made = [*draw(subset(MODELS)), *([""] if draw(st.booleans()) else [])]
    makers = {version: draw(st.sampled_from(ids)) for version in made}
    return Estate(
        runs=tuple(known),
        versions=tuple(
            Version(
                name=name,
                own=not draw(rarely(6)),
                # Whoever promotes a version that it has adopted may put itself into its label.
                run=draw(
                    st.sampled_from(
                        [makers.get(name, draw(st.sampled_from(ids))), *(run.id for run in known if run.model == name)]
                    )
                ),
                aliases=frozenset(aliases[name]),
                endpoints=frozenset(one for one, served in serves.items() if name in served),
            )
            for name in draw(subset(MODELS))
        ),
        endpoints=tuple(Endpoint(name, not draw(rarely(6)), served) for name, served in serves.items()),
        jobs=tuple(
            Job(
                name=f"jobs/{number}",
                run=maker,
                ended=not draw(rarely(6)),
                version=version,
                endpoints=draw(some(ENDPOINTS)),
                experiment=draw(st.sampled_from([f"contexts/{number}", ""])),
            )
            for number, (version, maker) in enumerate(makers.items())
        ),
        artifacts={run: (written(f"gs://b/pipelines/1/{run}/a/b", draw(AGES)),) for run in draw(subset(RUNS))},
        answers={run: (written(f"{STAGING}/answers/m/{run}/1.jsonl", draw(AGES)),) for run in draw(subset(RUNS))},
        staged=tuple(written(uri, draw(AGES)) for uri in draw(subset(FILES))),
        schedules={"1": None if draw(rarely(8)) else draw(some(FILES))} if draw(rarely(3)) else {},
    )


def made_by(estate: Estate, run: Run) -> set[str]:
    """The versions that a run has made or whose outcome names them."""
    jobs = {job.version for job in estate.jobs if job.run == run.id}
    return {one.name for one in estate.versions if one.run == run.id} | jobs | {run.model}


@given(estates())
def test_nothing_that_is_in_use_is_planned(estate: Estate) -> None:
    items = plan(estate, NOW, MONTH).items
    champions = {one.name for one in estate.versions if one.aliases & {"champion", "previous"}}
    foreign = {one.name for one in estate.versions if not one.own}
    untouchable = champions | foreign
    planned = {item.name for item in items}
    gone = set[str]()
    for item in items:
        if item.kind in (Kind.MODEL, Kind.VERSION):
            gone |= set(item.versions)
    assert not gone & untouchable
    for endpoint in estate.endpoints:
        if endpoint.serves & untouchable or not endpoint.own:
            assert endpoint.name not in planned
    for job in estate.jobs:
        if job.experiment and (job.version in untouchable or not job.ended):
            assert job.experiment not in planned
    files = {one.uri for item in items for one in item.objects}
    for run in estate.runs:
        if run.under_way or made_by(estate, run) & champions:
            for objects in (estate.artifacts.get(run.id, ()), estate.answers.get(run.id, ())):
                assert not files & {one.uri for one in objects}
            assert not files & (run.inputs or set())
    for inputs in estate.schedules.values():
        assert not files & (set(FILES) if inputs is None else inputs)


@given(estates())
def test_what_a_run_under_way_may_take_up_is_not_planned(estate: Estate) -> None:
    items = plan(estate, NOW, MONTH).items
    if any(run.adopts for run in estate.runs):
        assert not {item.kind for item in items} & {Kind.ENDPOINT, Kind.MODEL, Kind.VERSION, Kind.EXPERIMENT}


@given(estates(), st.sampled_from([timedelta(0), timedelta(days=2), MONTH]))
def test_nothing_young_is_planned_unless_its_run_was_rejected(estate: Estate, older_than: timedelta) -> None:
    most = max(older_than, timedelta(days=1))
    spent = {
        run.id
        for run in estate.runs
        if not run.under_way and run.ended and (run.verdict == "reject" or NOW - run.ended >= most)
    }
    for item in plan(estate, NOW, older_than).items:
        if item.kind is Kind.ANSWERS and item.run not in spent:
            assert all(NOW - one.written >= timedelta(days=7) for one in item.objects)
        elif item.kind is Kind.STAGING:
            for one in item.objects:
                assert not any(one.uri in (run.inputs or ()) for run in estate.runs if run.id not in spent)
                rejected = any(one.uri in (run.inputs or ()) and run.verdict == "reject" for run in estate.runs)
                assert rejected or NOW - one.written >= timedelta(days=1)
        else:
            assert item.run in spent, item


@given(estates())
def test_what_is_planned_can_be_deleted_in_its_order(estate: Estate) -> None:
    """Vertex AI deletes no version that is deployed, and no default one of a model that stays."""
    endpoints = {one.name: one.serves for one in estate.endpoints}
    versions = {one.name: one for one in estate.versions}
    for item in plan(estate, NOW, MONTH).items:
        if item.kind is Kind.ENDPOINT:
            assert endpoints.pop(item.name) <= set(item.versions)
        elif item.kind in (Kind.MODEL, Kind.VERSION):
            assert not any(served & set(item.versions) for served in endpoints.values())
            going = [versions.pop(name) for name in item.versions]
            rest = [one for one in versions.values() if one.model == going[0].model]
            assert bool(rest) == (item.kind is Kind.VERSION)
            if rest:
                assert "default" not in going[0].aliases


@given(estates())
def test_a_cleanup_that_was_interrupted_is_finished_by_the_next(estate: Estate) -> None:
    first = plan(estate, NOW, MONTH).items
    for count in range(len(first) + 1):
        after = without(estate, first[:count])
        again = plan(after, NOW, MONTH).items
        assert {item.name for item in again} >= {item.name for item in first[count:]}, "nothing is forgotten"
        assert not {item.name for item in again} & {item.name for item in first[:count]}


def without(estate: Estate, deleted: Iterable[Item]) -> Estate:
    """What is left when items are deleted."""
    for item in deleted:
        if item.kind is Kind.ENDPOINT:
            estate = replace(
                estate,
                endpoints=tuple(one for one in estate.endpoints if one.name != item.name),
                versions=tuple(replace(one, endpoints=one.endpoints - {item.name}) for one in estate.versions),
            )
        elif item.kind in (Kind.MODEL, Kind.VERSION):
            versions = tuple(one for one in estate.versions if one.name not in item.versions)
            estate = replace(estate, versions=versions)
        elif item.kind is Kind.EXPERIMENT:
            jobs = tuple(replace(one, experiment="") if one.name == item.job else one for one in estate.jobs)
            estate = replace(estate, jobs=jobs)
        else:
            gone = set(item.objects)
            estate = replace(
                estate,
                artifacts={
                    run: tuple(one for one in some if one not in gone) for run, some in estate.artifacts.items()
                },
                answers={run: tuple(one for one in some if one not in gone) for run, some in estate.answers.items()},
                staged=tuple(one for one in estate.staged if one not in gone),
            )
    return estate


def rejected(**changes: object) -> Run:
    began = NOW - timedelta(minutes=30)
    run = Run("demo-1", began=began, ended=NOW - timedelta(minutes=5), verdict="reject", model="r/models/1@1")
    return replace(run, inputs=frozenset({FILES[0]}), **changes)  # type: ignore[arg-type]


def one_run(run: Run, *aliases: str) -> Estate:
    """A run with all that it leaves."""
    return Estate(
        runs=(run,),
        versions=(Version("r/models/1@1", True, run.id, frozenset({"default", *aliases}), frozenset({"e/1", "e/2"})),),
        endpoints=(
            Endpoint("e/1", True, frozenset({"r/models/1@1"})),
            Endpoint("e/2", True, frozenset({"r/models/1@1"})),
        ),
        jobs=(Job("jobs/1", run.id, True, "r/models/1@1", frozenset({"e/1", "e/2"}), "contexts/1"),),
        artifacts={run.id: (written(f"gs://b/pipelines/1/{run.id}/a/b", timedelta(minutes=6)),)},
        answers={run.id: (written(f"{STAGING}/answers/m/{run.id}/1.jsonl", timedelta(minutes=6)),)},
        staged=(written(FILES[0], timedelta(minutes=40)),),
    )


def kinds(estate: Estate) -> list[str]:
    return [item.kind.value for item in plan(estate, NOW, MONTH).items]


ALL = ["endpoint", "endpoint", "model", "experiment", "artifacts", "answers", "staging"]


def test_all_of_a_rejected_run_goes_however_young() -> None:
    assert kinds(one_run(rejected())) == ALL


def test_all_of_an_old_run_goes_whatever_it_came_to() -> None:
    for verdict in ("promote", "inconclusive", ""):
        run = rejected(verdict=verdict, ended=NOW - timedelta(days=31))
        estate = one_run(run)
        old = replace(estate, staged=(written(FILES[0], timedelta(days=31)),))
        assert kinds(old) == ALL
        assert kinds(one_run(replace(run, ended=NOW - timedelta(days=29)))) == []


def test_nothing_of_today_goes_by_its_age_whatever_age_is_asked_for() -> None:
    estate = one_run(rejected(verdict="inconclusive"))
    assert not plan(estate, NOW, timedelta(0)).items


def test_a_champion_keeps_everything() -> None:
    for alias in ("champion", "previous"):
        found = plan(one_run(rejected(), alias), NOW, MONTH)
        assert not found.items
        assert [one.why for one in found.kept] == [f"it is the {alias}"]


def test_of_a_sweep_whose_best_is_champion_the_other_models_go_when_they_are_old() -> None:
    run = rejected(verdict="promote", ended=NOW - timedelta(days=31))
    estate = one_run(run, "champion")
    other = Version("r/models/2@1", True, run.id, frozenset({"default"}))
    job = Job("jobs/2", run.id, True, other.name, experiment="contexts/2")
    estate = replace(estate, versions=(*estate.versions, other), jobs=(*estate.jobs, job))
    assert [item.name for item in plan(estate, NOW, MONTH).items] == ["r/models/2", "contexts/2"]


def test_a_model_that_another_run_has_adopted_stays_until_that_run_is_spent() -> None:
    adopter = Run(
        "demo-2", ended=NOW - timedelta(days=3), verdict="inconclusive", model="r/models/1@1", inputs=frozenset()
    )
    estate = one_run(rejected())
    both = replace(estate, runs=(*estate.runs, adopter))
    assert kinds(both) == ["artifacts", "answers", "staging"]
    assert kinds(replace(both, runs=(*estate.runs, replace(adopter, verdict="reject")))) == ALL


def test_a_rejected_model_goes_though_the_run_that_made_it_was_killed() -> None:
    killed, estate = rejected(verdict="", model=""), one_run(rejected())
    judge = replace(rejected(), id="demo-2")
    assert kinds(replace(estate, runs=(killed, judge)))[:4] == ALL[:4]


def test_a_promoted_version_whose_label_names_another_run_keeps_the_files_of_the_one_that_made_it() -> None:
    estate = one_run(rejected(model=""), "champion")
    renamed = replace(estate.versions[0], run="demo-2")
    assert kinds(replace(estate, versions=(renamed,))) == []


def test_a_model_at_an_endpoint_of_somebody_else_stays() -> None:
    estate = one_run(rejected())
    foreign = replace(estate, endpoints=(replace(estate.endpoints[0], own=False), estate.endpoints[1]))
    assert kinds(foreign) == []
    assert kinds(replace(estate, endpoints=estate.endpoints[1:])) == []


def test_an_endpoint_that_lost_its_model_goes_only_with_our_labels() -> None:
    estate = one_run(rejected())
    mine, foreign = (replace(one, serves=frozenset[str]()) for one in estate.endpoints)
    left = replace(estate, versions=(), endpoints=(mine, replace(foreign, own=False)))
    assert [item.name for item in plan(left, NOW, MONTH).items if item.kind is Kind.ENDPOINT] == [mine.name]


def test_an_endpoint_that_also_serves_a_model_that_stays_is_kept_with_both() -> None:
    estate = one_run(rejected())
    champion = Version("r/models/2@1", True, "demo-2", frozenset({"champion", "default"}), frozenset({"e/1"}))
    shared = replace(estate.endpoints[0], serves=frozenset({"r/models/1@1", "r/models/2@1"}))
    estate = replace(estate, versions=(*estate.versions, champion), endpoints=(shared, estate.endpoints[1]))
    assert not {"endpoint", "model", "experiment"} & set(kinds(estate))


def test_a_run_under_way_keeps_every_model_and_artifact_for_it_may_take_up_any() -> None:
    begun = Run("demo-2", under_way=True, adopts=True, inputs=frozenset())
    estate = one_run(rejected())
    found = plan(replace(estate, runs=(*estate.runs, begun)), NOW, MONTH)
    assert [item.kind.value for item in found.items] == ["answers", "staging"]
    assert "run demo-2 is under way and may use it" in [one.why for one in found.kept]
    gone = replace(estate, runs=(*estate.runs, begun), versions=())
    assert not {"endpoint", "experiment"} & set(kinds(gone))


def test_a_tuning_job_that_goes_on_keeps_what_its_run_has() -> None:
    estate = one_run(rejected(under_way=True))
    assert kinds(estate) == []
    going = replace(estate.jobs[0], ended=False, version="")
    assert "experiment" not in kinds(replace(one_run(rejected()), jobs=(going,)))


def test_a_default_version_stays_while_another_version_does() -> None:
    estate = one_run(rejected())
    champion = Version("r/models/1@2", True, "demo-2", frozenset({"champion"}))
    assert not {"model", "version"} & set(kinds(replace(estate, versions=(*estate.versions, champion))))
    first = replace(estate.versions[0], aliases=frozenset[str]())
    default = replace(champion, aliases=frozenset({"champion", "default"}))
    assert "version" in kinds(replace(estate, versions=(first, default)))


def test_files_that_were_staged_again_for_a_run_to_come_stay() -> None:
    estate = one_run(rejected())
    again = replace(estate, staged=(written(FILES[0], timedelta(minutes=1)),))
    assert "staging" not in kinds(again)


def test_nothing_staged_goes_while_it_is_not_known_what_a_kept_run_refers_to() -> None:
    estate = one_run(rejected())
    unknown = Run("demo-2", ended=NOW - timedelta(days=3))
    found = plan(replace(estate, runs=(*estate.runs, unknown)), NOW, MONTH)
    assert Kind.STAGING not in [item.kind for item in found.items]
    assert "what run demo-2 refers to is not known" in [one.why for one in found.kept]


def test_what_a_schedule_refers_to_stays_whatever_became_of_its_runs() -> None:
    estate = one_run(rejected())
    assert "staging" in kinds(replace(estate, schedules={"7": frozenset[str]()}))
    assert "staging" not in kinds(replace(estate, schedules={"7": frozenset({FILES[0]})}))
    found = plan(replace(estate, schedules={"7": None}), NOW, MONTH)
    assert Kind.STAGING not in [item.kind for item in found.items]
    assert "what schedule 7 refers to is not known" in [one.why for one in found.kept]


def test_answers_that_are_too_old_to_be_used_go_with_whatever_run() -> None:
    old, young = (
        written("gs://b/x/answers/m/r/1", timedelta(days=8)),
        written("gs://b/x/answers/m/r/2", timedelta(days=6)),
    )
    (item,) = plan(Estate(answers={"r": (old, young)}), NOW, MONTH).items
    assert item.objects == (old,) and item.name == "gs://b/x/answers/m/r" and item.bytes == 100


def test_an_unknown_run_keeps_its_model() -> None:
    estate = one_run(rejected())
    assert kinds(replace(estate, runs=(), artifacts={}, answers={}, staged=())) == []
