"""Texts on which metrics go wrong: of any script, without words, of one word, with marks, lines and markup."""

from hypothesis import strategies as st

PIECES = [
    *(
        "the",
        "The",
        "a",
        "boil",
        "boiling",
        "boiled",
        "kettle",
        "ties",
        "2",
        "1,000.5",
        "don't",
        "u.s.",
        "x_y",
        "K",
        "İ",
    ),
    *("naïve", "Größe", "ﬁ", "ＦＩ", "e\u0301", "\u0301", "na\u00adive", "a\u200db", "\ufeff", "ς", "Σ", "½", "㎏"),
    *("東京", "がか゛", "カー", "ภาษา", "ລາວ", "ខ្មែរ", "မြန်မာ", "한국어", "नमस्ते", "שָׁלוֹם", "العربية", "🍕", "👩‍🚀"),
    *("\n", "\n\n", "\r\n", "\x1c", "\x85", "\u2028", "\t", " ", ".", "—", "<b>", "&amp;", "```", '"', "{}", "|"),
]

TEXTS = (
    st.lists(st.sampled_from(PIECES), max_size=30).map(" ".join)
    | st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
    | st.text(st.characters(codec="utf-8"), max_size=30)
    | st.sampled_from(["", " ", "the", "東", "\n"])
)
ASCII = st.text(st.characters(max_codepoint=127), max_size=40) | st.lists(
    st.sampled_from([one for one in PIECES if one.isascii()]), max_size=20
).map(" ".join)
REFERENCES = st.lists(TEXTS, min_size=1, max_size=3).map(tuple)
