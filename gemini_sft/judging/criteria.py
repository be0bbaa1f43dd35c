"""What makes an answer good, if the experiment does not say it."""

from gemini_sft.experiment.schema import Judge, Task

_CRITERIA = {
    Task.SUMMARIZATION: (
        "The summary says what matters most in the text and leaves out what does not. Everything in it is true to the"
        " text. It has the length and the form that the request and the references show."
    ),
    Task.QUESTION_ANSWERING: (
        "The answer is right: it says the same as one of the references. It answers what was asked, and claims nothing"
        " besides that is wrong."
    ),
    Task.CLASSIFICATION: "The answer is the label of one of the references, and nothing else.",
    Task.CHAT: (
        "The reply helps with what the user wants at this point of the conversation, is right, keeps to the"
        " instructions that stand before the conversation, and has the tone of the references."
    ),
    Task.GENERATION: (
        "The text does what the request asks for, keeps to every constraint in it, and is as right and as well written"
        " as the references."
    ),
    Task.EXTRACTION: (
        "The answer has the fields of the references with the same values, none missing and none made up, and is valid"
        " JSON if they are."
    ),
}


def criteria_of(task: Task, settings: Judge) -> str:
    """Returns what the judge goes by: the experiment's own words, or those for its task."""
    return settings.criteria or _CRITERIA[task]
