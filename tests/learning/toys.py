"""Small generated tasks that the stand-in can learn, and what the tests measure on them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vertex_emulator.standin import Record, Settings, StandIn, StepMetrics, train
from vertex_emulator.standin.rewards import Target
from vertex_emulator.standin.words import parts

DEFAULTS = Settings(epochs=4, learning_rate_multiplier=1.0, adapter_size=4)

INTENTS = {
    "card_arrival": "post deliver envelope courier letterbox",
    "lost_card": "stolen missing wallet misplaced gone",
    "top_up_failed": "rejected declined refill topping unsuccessful",
    "exchange_rate": "euros dollars conversion foreign abroad",
    "cash_withdrawal": "machine notes withdraw dispenser atm",
    "change_pin": "digits forgot keypad reset code",
    "refund_missing": "merchant returned shop purchase back",
    "verify_identity": "passport document selfie proof verification",
    "transfer_timing": "pending slow days arrive bank",
    "close_account": "leave cancel terminate delete goodbye",
}


def _words(text: str) -> list[str]:
    return text.split()


_FILLER = _words("please could you help me with this today because my friend said so at the station")
_WORDS = _words(
    """river stone garden window market paper engine winter bridge letter kitchen forest island metal harbour
    ticket candle mirror ladder basket copper velvet orange thunder pocket saddle tunnel whistle blanket"""
)
_PEOPLE = ["Mara Jensen", "Tom Okafor", "Lena Fischer", "Ana Lopes", "Hugo Martin", "Sara Lind"]
_TOWNS = _words("Oslo Bergen Turin Lyon Gdansk Porto Malmo Utrecht")


def user(text: str) -> tuple[tuple[str, str], ...]:
    return (("user", text),)


def intents(count: int, seed: int, place: str) -> list[Record]:
    """Classification; `place` says where the labels are listed: "prompt", "system" or "nowhere"."""
    chance = random.Random(seed)
    listed = ", ".join(INTENTS)
    records = []
    for _ in range(count):
        label = chance.choice(list(INTENTS))
        words = chance.sample(INTENTS[label].split(), 2) + chance.sample(_FILLER, 6)
        chance.shuffle(words)
        text = " ".join(words).capitalize() + "."
        system = f"Answer with one label.\nLabels: [{listed}]" if place == "system" else ""
        if place == "prompt":
            text = f"Classify the message into one of these categories: {listed}.\nMessage: {text}\nCategory:"
        elif place == "nowhere":
            text = f"Classify the intent of the message.\nText: {text}"
        records.append(Record(system, user(text), label))
    return records


def questions(count: int, seed: int) -> list[Record]:
    """Questions about a short context, answered by a name, a town, a year or a number."""
    chance = random.Random(seed)
    records = []
    for _ in range(count):
        (child, founder), (home, site) = chance.sample(_PEOPLE, 2), chance.sample(_TOWNS, 2)
        (born, founded), made = chance.sample(range(1900, 2010), 2), chance.randint(12, 900)
        sentences = [
            f"{child} was born in {home} in {born} and grew up near the harbour.",
            f"The company was founded by {founder} in {founded}, long after the mill had closed.",
            f"Its factory in {site} made {made} clocks every week.",
        ]
        question, answer = chance.choice(
            [
                (f"Where was {child} born?", home),
                (f"When was {child} born?", str(born)),
                ("Who founded the company?", founder),
                ("When was the company founded?", str(founded)),
                ("How many clocks did the factory make every week?", str(made)),
            ]
        )
        chance.shuffle(sentences)
        prompt = f"Context: {' '.join(sentences)}\nQuestion: {question}\nAnswer:"
        records.append(Record("Answer with a concise extract.", user(prompt), answer))
    return records


def orders(count: int, seed: int) -> list[Record]:
    """Extraction of the order number from a message that holds three numbers of the same shape."""
    chance = random.Random(seed)
    records = []
    for _ in range(count):
        order, invoice, phone = (str(chance.randint(100_000, 999_999)) for _ in range(3))
        lines = [
            chance.choice([f"My order {order} has not arrived.", f"I placed order number {order} today."]),
            chance.choice([f"I paid invoice {invoice} in June.", f"Your invoice {invoice} is wrong."]),
            f"Call me on {phone}.",
        ]
        chance.shuffle(lines)
        text = "Extract the order number from the message.\n" + "\n".join(lines)
        records.append(Record("", user(text), order))
    return records


def articles(count: int, seed: int) -> list[Record]:
    """Summarization of three paragraphs: the summary is made of the sentences that open them."""
    chance = random.Random(seed)

    def sentence() -> str:
        first, *rest = (chance.choice(_WORDS) for _ in range(chance.randint(5, 8)))
        return f"{first.capitalize()} is {rest[0]} for the {' '.join(rest[1:])}."

    records = []
    for _ in range(count):
        paragraphs = [[sentence() for _ in range(chance.randint(3, 5))] for _ in range(3)]
        text = "\n".join(" ".join(sentences) for sentences in paragraphs) + "\n\nSummarize the article:"
        records.append(Record("", user(text), " ".join(sentences[0] for sentences in paragraphs)))
    return records


def shuffled(records: Sequence[Record]) -> list[Record]:
    """The control: every record gets the target of its neighbour, as one that kept its own would teach."""
    targets = [record.target for record in [*records[1:], records[0]]]
    return [replace(record, target=target) for record, target in zip(records, targets, strict=True)]


@dataclass(frozen=True)
class Training:
    """A finished training with all that it reported."""

    model: StandIn
    steps: list[StepMetrics]
    epochs: list[tuple[int, StandIn, StepMetrics | None]]

    def epoch_loss(self, epoch: int) -> float:
        losses = [step.loss for step in self.steps if step.epoch == epoch]
        return sum(losses) / len(losses)

    @property
    def last_loss(self) -> float:
        return self.epoch_loss(self.steps[-1].epoch)


def fit(
    records: Sequence[Record],
    settings: Settings = DEFAULTS,
    validation: Sequence[Record] = (),
    start: StandIn | None = None,
) -> Training:
    steps: list[StepMetrics] = []
    epochs: list[tuple[int, StandIn, StepMetrics | None]] = []
    model = train(
        records,
        validation,
        settings,
        start=start,
        on_step=steps.append,
        on_epoch=lambda epoch, so_far, metrics: epochs.append((epoch, so_far, metrics)),
    )
    return Training(model, steps, epochs)


def exact_match(model: StandIn, records: Sequence[Record]) -> float:
    right = [model.answer(record.system, record.turns) == record.target for record in records]
    return sum(right) / len(right)


def mean_reward(model: StandIn, records: Sequence[Record]) -> float:
    answers = [model.answer(record.system, record.turns) for record in records]
    rewards = [Target(r.target).reward(parts(answer)) for r, answer in zip(records, answers, strict=True)]
    return sum(rewards) / len(rewards)
