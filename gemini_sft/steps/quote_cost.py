"""What the run will cost."""

import functools
import logging

from gemini_sft import storage
from gemini_sft.catalog import catalog
from gemini_sft.cost import Quote, TokenCache, count_split, quote, require_within
from gemini_sft.cost.words import usd
from gemini_sft.experiment import load_experiment
from gemini_sft.steps.places import beside

_log = logging.getLogger(__name__)


def quote_cost(
    *, project: str, location: str, experiment_uri: str, train_uri: str, test_uri: str, quote_uri: str
) -> Quote:
    """Counts the tokens of training and test data, and writes what the run costs.

    Raises:
        BudgetError: The experiment does not allow so much, or a price is not known; the quote is written all the same.
        UserError: Vertex AI refuses the model or an example.
        ServiceError: Vertex AI did not count the tokens.
    """
    experiment = load_experiment(experiment_uri)
    model = experiment.base_model
    count = functools.partial(
        count_split,
        project,
        location,
        model,
        cache=TokenCache(beside(experiment_uri, f"token-counts/{model}.json")),
        exact_count=experiment.budget.exact_count,
        seed=experiment.data.seed,
        max_example_tokens=catalog().models[model].max_example_tokens,
        max_output_tokens=experiment.evaluation.max_output_tokens,
    )
    result = quote(experiment, location, train=count(train_uri), test=count(test_uri))
    storage.write_json(quote_uri, result.model_dump(mode="json"))
    unknown = "" if result.usd is not None else ", without what has no known price"
    error = f" (±{usd(result.error_usd)})" if result.error_usd else ""
    _log.info("the run is quoted at %s%s%s", usd(result.known_usd), error, unknown)
    require_within(result, experiment.budget)
    return result
