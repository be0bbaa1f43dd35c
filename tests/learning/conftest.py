"""Trainings that several tests look at."""

import pytest

from tests.learning.toys import Training, fit, intents, questions


@pytest.fixture(scope="session")
def question_training() -> Training:
    return fit(questions(96, seed=1), validation=questions(24, seed=2))


@pytest.fixture(scope="session")
def intent_training() -> Training:
    return fit(intents(96, seed=3, place="prompt"))
