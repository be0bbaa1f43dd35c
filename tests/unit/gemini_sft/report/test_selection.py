import json
from dataclasses import replace

import pytest

from gemini_sft.cost import Bill
from gemini_sft.experiment.tuning import CheckpointChoice, Grid, Sweep, Tuning
from gemini_sft.report import ReportInput, report_page
from gemini_sft.report.selection import selection_page, selection_view
from gemini_sft.report.selection_figures import MOST_LINES, plain_text, selection_figures
from gemini_sft.report.text import visible
from gemini_sft.tuning import Selection
from gemini_sft.tuning.choosing import choose
from gemini_sft.tuning.record import JobEvaluation
from tests.unit.gemini_sft.report.sample import HOSTILE, sample_input, without_curves
from tests.unit.gemini_sft.report.selection_sample import candidate, chosen, one_job, sweep
from tests.unit.gemini_sft.report.test_curves import figures_of
from tests.unit.gemini_sft.report.test_page import Page

BY_LOSS, LAST = CheckpointChoice.LOSS, CheckpointChoice.LAST


def text_of(selection: Selection) -> str:
    return Page(selection_page(selection)).text


def report_of(selection: Selection | None = None, **record: object) -> Page:
    data = sample_input()
    tuning = data.tuning.model_copy(update=record)
    return Page(report_page(replace(data, selection=selection, tuning=tuning)))


class TestWords:
    def test_what_was_taken_why_and_out_of_what(self) -> None:
        text = text_of(one_job())
        assert "Checkpoint 2 of 3 (epoch 2). Its rougeL_f on validation is the highest." in text
        assert "Chosen from 3 checkpoints of 1 tuning job by ROUGE-L F on 30 validation examples." in text
        assert "Of all of them, only the chosen one is asked the test examples." in text

    def test_a_sweep_counts_jobs_and_what_could_not_be_compared(self) -> None:
        text = text_of(sweep())
        assert "Checkpoint 2 of 3 (epoch 2) of trial epochs=3 adapter_size=1 learning_rate_multiplier=0.5." in text
        assert "Chosen from 12 checkpoints of 4 tuning jobs by ROUGE-L F on 30 validation examples." in text
        assert "1 of them could not be compared." in text
        assert "Why it has no score" in text and "9 of 30 answers failed: at most 5% may" in text

    def test_the_best_of_several_tries_flatters(self) -> None:
        assert "The chosen score is the best of 11 on the same validation examples" in text_of(sweep())
        assert "The chosen loss is the lowest of 3" in text_of(one_job(BY_LOSS))
        assert "The score on the test examples is the one to believe." in text_of(one_job())
        assert "The score on the test examples, above, is the one to believe." in report_of(one_job()).text

    def test_the_default_one_of_the_model_may_be_another(self) -> None:
        said = "stays the default one of the model, because another run has chosen it."
        other = one_job().model_copy(update={"other_default": "3"})
        for text in (text_of(other), report_of(other).text):
            assert f"Checkpoint 3, not the one that was taken, {said}" in text
        assert "default one" not in text_of(one_job())

    @pytest.mark.parametrize(
        "selection",
        [
            chosen([candidate(1, 0.4)]),
            chosen([candidate(1, 0.4), candidate(2, None)]),
            one_job(LAST),
            one_job().model_copy(update={"chosen": 0}),
        ],
    )
    def test_what_was_not_the_best_of_several_does_not(self, selection: Selection) -> None:
        assert selection_view(selection, tested=False).flatters == ""

    def test_the_only_checkpoint(self) -> None:
        text = text_of(chosen([candidate(None, None)], LAST))
        assert "The only checkpoint. The experiment asks for the last." in text
        assert "There was 1 checkpoint of 1 tuning job, and nothing to choose by." in text

    def test_checkpoints_that_were_asked_unlike_numbers_of_examples(self) -> None:
        selection = chosen([candidate(1, 0.4, n=28), candidate(2, 0.5)])
        assert "on 28 to 30 validation examples" in text_of(selection)

    def test_of_a_sweep_for_the_last_the_last_of_each_trial(self) -> None:
        made = [
            candidate(epoch, score, trial=trial, job=trial)
            for trial, epoch, score in (("a", 1, None), ("a", 2, 0.3), ("b", 1, None), ("b", 2, 0.5))
        ]
        text = text_of(choose(made, LAST, "rougeL_f"))
        assert (
            "Chosen from 4 checkpoints of 2 tuning jobs by ROUGE-L F on 30 validation examples. Of each job only the"
            " last was compared."
        ) in text
        assert "nothing to choose by" not in text


class TestTables:
    def test_every_checkpoint_has_a_row(self) -> None:
        first, second, third = selection_view(one_job(), tested=False).rows
        assert (second.name, second.epoch, second.step, second.score) == ("Checkpoint 2 of 3", "2", "120", "0.4123")
        assert (second.failures, second.loss, second.error, second.taken) == ("0 of 30", "0.4217", "", True)
        assert not first.taken and not third.taken

    def test_the_one_that_was_taken_is_marked_in_words(self) -> None:
        for selection, times in ((one_job(), 1), (sweep(), 2)):
            assert text_of(selection).count("✓ taken") == times

    def test_what_nobody_knows_has_no_column(self) -> None:
        by_loss, last = text_of(one_job(BY_LOSS)), text_of(chosen([candidate(1, None), candidate(2, None)], LAST))
        assert "Validation loss" in by_loss and "Failures" not in by_loss and "ROUGE-L F" not in by_loss
        assert "Validation loss" not in last and "Failures" not in last

    def test_a_name_at_the_service_that_is_no_number_is_shown(self) -> None:
        selection = chosen([candidate(1, 0.4, checkpoint="cp-a"), candidate(2, 0.5)])
        assert "id cp-a" in text_of(selection) and "id 2" not in text_of(selection)

    def test_trials_stand_in_the_order_of_their_scores(self) -> None:
        view = selection_view(sweep(20), tested=False)
        scores = [one.row.score for one in view.trials]
        assert len(scores) == 20 and scores == sorted(scores, reverse=True)
        assert len(view.rows) == 60 and view.folded and not view.figures
        assert "Everything that was tried (60 checkpoints)" in text_of(sweep(20))

    def test_dots_are_the_values_of_all_checkpoints_on_one_scale(self) -> None:
        view = selection_view(sweep(), tested=False)
        assert [len(one.dots) for one in view.trials] == [3, 3, 3, 2]
        dots = [dot for one in view.trials for dot in one.dots]
        assert all(0 < dot.at < 100 for dot in dots) and sum(dot.taken for dot in dots) == 1
        for one in view.trials:
            (best,) = [dot for dot in one.dots if dot.best]
            assert best.at == max(dot.at for dot in one.dots)
        assert view.scale is not None and "0.3255, 0.3548, 0.3444" in view.trials[2].drawn

    @pytest.mark.parametrize("scores", [(0.0, 0.775), (0.3, 1.0), (0.0, 1.0), (0.0, 0.0), (1.0, 1.0)])
    def test_the_scale_of_scores_has_nothing_that_no_score_can_be(self, scores: tuple[float, float]) -> None:
        view = selection_view(chosen([candidate(n, one, 2.5) for n, one in enumerate(scores, 1)]), tested=False)
        assert view.scale and 0 <= float(view.scale[0]) < float(view.scale[1]) <= 1

    def test_nor_has_that_of_losses(self) -> None:
        scale = selection_view(
            chosen([candidate(n, None, loss) for n, loss in ((1, 0.01), (2, 2.5))], BY_LOSS), tested=False
        ).scale
        assert scale and scale[0] == "0" and float(scale[1]) > 2.5

    def test_a_short_sweep_is_not_folded(self) -> None:
        assert not selection_view(sweep(2), tested=False).folded


class TestFigures:
    def test_one_job_has_score_and_loss_with_a_ring_around_what_was_taken(self) -> None:
        figures = json.loads(figures_of(selection_page(one_job())))
        assert [one["id"] for one in figures] == ["selection-score-plot", "selection-loss-plot"]
        for figure, values in zip(figures, ([0.3871, 0.4123, 0.3998], [0.5312, 0.4217, 0.6144]), strict=True):
            line, ring = figure["data"]
            assert (line["x"], line["y"], ring["name"]) == ([1, 2, 3], values, "Taken")
            assert (ring["x"], ring["y"]) == ([2], [values[1]])

    def test_there_is_room_for_the_ring_at_both_ends(self) -> None:
        for last in (2, 3, 40):
            figure, *_ = selection_figures(chosen([candidate(n, n / 100) for n in range(1, last + 1)]))
            start, end = figure["layout"]["xaxis"]["range"]
            assert 0 < start <= 0.6 and end - last >= max(0.4, 0.035 * (end - start)) - 1e-9
            assert figure["data"][-1]["x"] == [last] and figure["data"][-1]["cliponaxis"] is False

    def test_a_sweep_has_a_line_per_trial_with_gaps_where_there_is_no_score(self) -> None:
        (figure,) = selection_figures(sweep())
        *lines, _ = figure["data"]
        assert len(lines) == 4 and lines[3]["y"][1] is None and lines[3]["x"] == [1, 2, 3]
        assert [line["line"]["width"] > 2 for line in lines] == [True, False, False, False]

    def test_lines_can_be_told_apart_without_their_colours(self) -> None:
        (figure,) = selection_figures(sweep(MOST_LINES))
        *lines, _ = figure["data"]
        assert len({line["marker"]["symbol"] for line in lines}) == MOST_LINES
        assert len({(line["line"]["color"], line["line"]["dash"]) for line in lines}) == MOST_LINES
        assert not selection_figures(sweep(MOST_LINES + 1))

    def test_a_sweep_by_loss_draws_the_loss(self) -> None:
        (figure,) = selection_figures(sweep(by=BY_LOSS))
        assert figure["id"] == "selection-loss-plot"

    @pytest.mark.parametrize(
        "selection",
        [chosen([candidate(None, 0.4), candidate(None, 0.5)]), chosen([candidate(3, 0.4, 0.5)]), one_job(LAST)],
    )
    def test_without_two_epochs_there_is_no_figure_and_without_a_figure_no_script(self, selection: Selection) -> None:
        selection = selection.model_copy(
            update={"candidates": [one.model_copy(update={"validation_loss": None}) for one in selection.candidates]}
        )
        page = selection_page(selection)
        assert not selection_figures(selection) and "<script" not in page and "script-src 'none'" in page

    def test_every_figure_has_its_numbers_in_a_table(self) -> None:
        page = Page(selection_page(sweep()))
        (plot,) = [one for one in page.tags("div") if one.get("class") == "plot"]
        assert "a line per trial; the tables below have its numbers." in (plot["aria-label"] or "")


class TestHostileNames:
    def selection(self) -> Selection:
        return sweep().model_copy(
            update={
                "metric": HOSTILE,
                "reason": HOSTILE,
                "candidates": [
                    one.model_copy(update={"trial": f"{one.trial} {HOSTILE}", "error": HOSTILE, "checkpoint": HOSTILE})
                    for one in sweep().candidates
                ],
            }
        )

    def test_stay_text(self) -> None:
        html = selection_page(self.selection())
        page = Page(html)
        assert [one.get("type") for one in page.tags("script")] == ["application/json", None, None]
        assert not page.tags("img")
        assert " ".join(visible(HOSTILE).split()) in page.text
        assert not [one for one in "\x00\x1b\u202e\u2028" if one in html.split("<script")[0]]

    def test_say_nothing_to_plotly(self) -> None:
        (figure,) = selection_figures(self.selection())
        for trace in figure["data"]:
            assert "<" not in trace["name"].replace("<br>", "")
        assert "<" not in figure["layout"]["title"]["text"].replace("<br>", "")

    def test_are_shortened_where_there_is_little_room(self) -> None:
        assert plain_text("<b>&amp;</b>") == "&lt;b&gt;&amp;amp;&lt;/b&gt;"
        lines = plain_text("epochs=2 " * 50).split("<br>")
        assert all(len(line) <= 38 for line in lines) and len(lines) <= 4 and lines[-1].endswith("…")


class TestReport:
    def test_has_the_section_after_the_curves(self) -> None:
        page = report_of(one_job())
        headings = [one.get("id") for tag, one in page.elements if tag == "h2"]
        assert headings.index("selection") == headings.index("curves") + 1
        assert {"href": "#selection"} in page.tags("a")
        assert "Of all of them, only the chosen one was asked the test examples." in page.text

    def test_without_a_selection_has_none(self) -> None:
        page = report_of()
        assert "Which checkpoint" not in page.text and {"href": "#selection"} not in page.tags("a")

    def test_draws_it_also_without_curves(self) -> None:
        html = report_page(without_curves(replace(sample_input(), selection=one_job())))
        assert [one["id"] for one in json.loads(figures_of(html))] == ["selection-score-plot", "selection-loss-plot"]
        assert 'id="loss-plot"' not in html

    def test_says_beside_the_verdict_which_checkpoint_if_it_is_not_the_last(self) -> None:
        why = "not the last one. Its rougeL_f on validation is the highest."
        assert f"The tuned model is checkpoint 2 of 3 (epoch 2), {why}" in report_of(one_job()).text
        assert "The tuned model is checkpoint" not in report_of(one_job(LAST)).text
        of_a_trial = "The tuned model is checkpoint 2 of 3 (epoch 2) of trial epochs=3 adapter_size=1"
        assert of_a_trial in report_of(sweep()).text

    def test_names_the_model_and_the_endpoint_that_were_evaluated(self) -> None:
        selection = one_job()
        text = report_of(selection).text
        assert f"Endpoint of the tuned model {selection.taken.endpoint}" in text
        assert "Taken from it checkpoint 2 of 3 (epoch 2)" in text

    def test_says_what_became_of_the_job(self) -> None:
        text = report_of(
            adopted=True,
            trial="epochs=3",
            notes=["No label could be put on it.", "<b>Polled</b> twice."],
        ).text
        assert "Made by an earlier attempt or another run" in text and "Trial of the sweep epochs=3" in text
        assert "What the tuning job left to say No label could be put on it. <b>Polled</b> twice." in text
        plain = report_of().text
        assert "Made by this run" in plain
        assert not [one for one in ("Trial of", "tuned further", "left to say", "itself computed") if one in plain]

    def test_names_the_run_that_made_the_job(self) -> None:
        data, again = sample_input(), "with the same data and settings: it was not paid for again"
        assert f"Made by the run tickets-1, {again}" in report_of(adopted=True, made_by="tickets-1").text
        own = report_of(adopted=True, made_by=data.run_id).text
        assert f"Made by an earlier attempt of this run, {again}" in own
        assert "Made by this run" in report_of(made_by=data.run_id).text
        tuning = data.tuning.model_copy(update={"adopted": True, "made_by": "r" * 63})
        assert (
            "Made by an earlier attempt of this run"
            in Page(report_page(replace(data, run_id="r" * 70, tuning=tuning))).text
        )

    @pytest.mark.parametrize(
        ("adopted", "said"),
        [
            (0, "0 of 3 trials Time from"),
            (1, "1 of 3 trials; it was not paid for again"),
            (2, "2 of 3 trials; they were not paid for again"),
        ],
    )
    def test_says_how_many_trials_were_there_already(self, adopted: int, said: str) -> None:
        bills = [Bill(trial=f"epochs={n}", tokens=9, epochs=n, adopted=n <= adopted) for n in (1, 2, 3)]
        assert f"Trials made before {said}" in report_of(sweep(3).model_copy(update={"bills": bills})).text
        assert "Trials made before" not in report_of(one_job().model_copy(update={"bills": bills[:1]})).text

    @pytest.mark.parametrize(("checkpoint", "which"), [("5", "checkpoint 5, "), (None, "")])
    def test_the_base_of_further_tuning_is_the_tuned_model(self, checkpoint: str | None, which: str) -> None:
        model = "projects/7/locations/us-central1/models/1@2"
        text = report_of(started_from=model, started_from_checkpoint=checkpoint).text
        base = f"{model}, {which}tuned from gemini-2.5-flash-lite"
        assert f"Base model {base} Tuned model" in text and f"Base is {base}." in text
        assert f"The base model is the tuned one that was tuned further: {base}." in text
        assert "Base model gemini-2.5-flash-lite Tuned model" in report_of().text

    def test_has_what_the_job_computed_itself(self) -> None:
        evaluations = [
            JobEvaluation(checkpoint="1", scores={"rouge_l_sum": 0.412, "bleu": 12.5}),
            JobEvaluation(checkpoint="2", scores={}, error="quota"),
        ]
        text = report_of(evaluations=evaluations).text
        assert "Checkpoint bleu rouge_l_sum What went wrong 1 12.5 0.412 – 2 – – quota" in text

    def test_settings_of_a_trial_are_what_it_asked_for(self) -> None:
        data = sample_input()
        experiment = data.experiment.model_copy(
            update={"tuning": Tuning(epochs=9), "sweep": Sweep(grid=Grid(epochs=[2, 3]))}
        )

        def asked(trial: str) -> str:
            tuning = data.tuning.model_copy(update={"trial": trial})
            page: ReportInput = replace(data, experiment=experiment, tuning=tuning)
            return Page(report_page(page)).text.rpartition("passes over the training data")[2][:4]

        assert (asked("epochs=2"), asked("epochs=3"), asked("gone")) == (" 2 3", " 3 3", " 9 3")


def test_same_input_same_bytes() -> None:
    assert selection_page(sweep()) == selection_page(sweep())


def test_tables_have_captions_and_heads_with_scope() -> None:
    page = Page(selection_page(sweep()))
    assert len(page.tags("table")) == len(page.tags("caption")) == 2
    assert all(one.get("scope") in ("col", "row") for one in page.tags("th"))
